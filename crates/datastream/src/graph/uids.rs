//! The names by which state is found: the user's uids, and defaults for operators without one.
//!
//! A default uid is a hash of the operator's **place** in the graph, so that only an operator in the same
//! place gets the state:
//!
//! - its kind, and everything upstream, up to the sources (with inputs and side outputs); display names do
//!   not count;
//! - which operators **with state** are downstream. Without them an operator that is inserted *before*
//!   another of its kind would take its place, and with it its state. Operators without state may be added
//!   and removed downstream;
//! - its position among the operators for which all this is the same, and their number: adding one changes
//!   the uids of all.
//!
//! A uid from the user stands for the operator and everything upstream of it: changes upstream do not affect
//! the uids downstream. State that does not match is refused at restore as unclaimed; to hand it to an
//! operator, give the operator the old uid.
//!
//! Why not number operators, as in `Process-2`: if an operator is inserted, the next one's state is silently
//! restored into it.

use flott_types::{Error, FastMap, FastSet, OperatorUid, Result};
use xxhash_rust::xxh3::xxh3_128;

use super::{NodeKind, Transformation, Upstream};

/// The uid of each node; nodes that are not needed have an empty one.
///
/// # Errors
/// If two operators have the same one from users.
pub(crate) fn uids(nodes: &[Transformation], needed: &[bool]) -> Result<Vec<OperatorUid>> {
    let above = above(nodes);
    let below = below(nodes, needed);
    let place = |at: usize| (above[at], below[at]);
    let unnamed = |at: &usize| needed[*at] && nodes[*at].uid.is_none();
    let mut alike: FastMap<(u128, u128), (u32, u32)> = FastMap::default();
    (0..nodes.len()).filter(unnamed).for_each(|at| alike.entry(place(at)).or_default().1 += 1);

    // Of a planner's operators whose state would have one name each is told apart by all that it computes, as
    // the planner does within one plan. What users have named is not renamed.
    let mut planned: FastMap<&str, usize> = FastMap::default();
    let of_planner = |at: &usize| needed[*at] && matches!(nodes[*at].kind, NodeKind::Planned(_));
    for uid in (0..nodes.len()).filter(of_planner).filter_map(|at| nodes[at].uid.as_deref()) {
        *planned.entry(uid).or_default() += 1;
    }
    let mut used = FastSet::default();
    let mut uids = vec![OperatorUid(String::new()); nodes.len()];
    for at in (0..nodes.len()).filter(|at| needed[*at]) {
        let uid = match &nodes[at].uid {
            Some(uid) if of_planner(&at) && users_uid(&nodes[at]).is_none() => {
                let whole = planned.get(uid.as_str()).is_some_and(|count| *count > 1);
                let uid = if whole { told_apart(uid, &nodes[at]) } else { uid.clone() };
                // What is left computes the same.
                let free = |uid: &String| !used.contains(uid);
                let numbers = (2..).map(|number| format!("{uid}-{number}"));
                std::iter::once(uid.clone()).chain(numbers).find(free).unwrap_or(uid)
            }
            Some(uid) => uid.clone(),
            None => {
                let (position, count) = alike.entry(place(at)).or_default();
                *position += 1;
                let (above, below) = place(at);
                let text = format!("{above:032x} {below:032x} {position} of {count}");
                format!("{:032x}", xxh3_128(text.as_bytes()))
            }
        };
        if !used.insert(uid.clone()) {
            return Err(Error::invalid(match users_uid(&nodes[at]) {
                Some(uid) => format!(
                    "two process table functions of the job have the uid '{uid}'; uids must be unique: give one another by the \
                     argument `uid => '...'`"
                ),
                None => format!("two operators have the uid '{uid}'; uids must be unique"),
            }));
        }
        uids[at] = OperatorUid(uid);
    }
    Ok(uids)
}

fn users_uid(node: &Transformation) -> Option<&str> {
    match &node.kind {
        NodeKind::Planned(planned) => planned.users_uid(),
        _ => None,
    }
}

fn told_apart(uid: &str, node: &Transformation) -> String {
    let whole = match &node.kind {
        NodeKind::Planned(planned) => planned.lineage.whole.as_str(),
        _ => "",
    };
    format!("{uid}-{:016x}", xxh3_128(whole.as_bytes()) as u64)
}

/// For each node, a hash of its kind and everything upstream. Inputs have smaller numbers.
fn above(nodes: &[Transformation]) -> Vec<u128> {
    let mut above: Vec<u128> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let mut text = own(node);
        if node.uid.is_none() {
            for (input, upstreams) in node.inputs.iter().enumerate() {
                for upstream in upstreams {
                    let tag = upstream.tag.as_deref().unwrap_or_default();
                    text.push_str(&format!("; {input} {tag:?} {:032x}", above[upstream.node]));
                }
            }
        }
        above.push(xxh3_128(text.as_bytes()));
    }
    above
}

/// For each node, the stateful operators downstream of it, recursively. Sinks do not count: only another sink
/// can take their place.
fn below(nodes: &[Transformation], needed: &[bool]) -> Vec<u128> {
    let mut behind: Vec<Vec<u128>> = vec![Vec::new(); nodes.len()];
    let mut below = vec![0; nodes.len()];
    for at in (0..nodes.len()).rev().filter(|at| needed[*at]) {
        let node = &nodes[at];
        let mut seen = std::mem::take(&mut behind[at]);
        // Sorted: the order in which they were created means nothing.
        seen.sort_unstable();
        seen.dedup();
        let text: String = seen.iter().map(|hash| format!("{hash:032x};")).collect();
        below[at] = xxh3_128(text.as_bytes());
        if node.stateful && matches!(node.kind, NodeKind::Operator(_) | NodeKind::Planned(_)) {
            seen = vec![xxh3_128(format!("{}; {text}", own(node)).as_bytes())];
        }
        node.inputs.iter().flatten().for_each(|upstream| behind[upstream.node].extend(&seen));
    }
    below
}

fn own(node: &Transformation) -> String {
    match &node.uid {
        Some(uid) => format!("uid {uid:?}"),
        None => format!("{} {:?}", role(&node.kind), node.shape),
    }
}

fn role(kind: &NodeKind) -> &'static str {
    match kind {
        NodeKind::Source(_) => "source",
        NodeKind::Operator(_) => "operator",
        NodeKind::Sink(_) => "sink",
        NodeKind::Collect => "collect",
        NodeKind::Planned(_) => "planned",
    }
}

/// A name of the stream that these feed: the uid of the operator behind it, or a hash of its place.
pub(super) fn identity(nodes: &[Transformation], upstreams: &[Upstream]) -> String {
    if let [Upstream { node, tag: None, .. }] = upstreams
        && let Some(uid) = &nodes[*node].uid
    {
        return uid.clone();
    }
    let above = above(nodes);
    let place = |upstream: &Upstream| {
        let tag = upstream.tag.as_deref().unwrap_or_default();
        format!("{tag:?} {:032x};", above[upstream.node])
    };
    format!("{:016x}", xxh3_128(upstreams.iter().map(place).collect::<String>().as_bytes()) as u64)
}

/// The display names of operators that have state but no uid from the user.
pub(crate) fn nameless(nodes: &[Transformation], needed: &[bool]) -> Vec<String> {
    let nameless =
        |(node, needed): &(&Transformation, &bool)| **needed && node.stateful && node.uid.is_none();
    nodes.iter().zip(needed).filter(nameless).map(|(node, _)| node.name.clone()).collect()
}
