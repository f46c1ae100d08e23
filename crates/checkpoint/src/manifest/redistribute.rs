//! Operator state dealt out to another number of subtasks.

use flott_types::FastMap;

use super::{OperatorState, Redistribution};

/// Deals out the operator state of the old subtasks to `parallelism` new ones.
///
/// - *Split*: with the parallelism unchanged every subtask keeps its own entries. Otherwise all entries, in the order of the old
///   subtasks, go round robin: sizes differ by one at most.
/// - *Union*: every subtask gets all entries, in the order of the old subtasks.
/// - *Broadcast*: every subtask gets the copy of one old subtask: its own, or that of `index % old parallelism`
///   (spread, so that one file is not read by all).
///
/// A state is listed for every new subtask, also with no entries, so that the operator knows that it was restored.
pub fn redistribute(old: &[&[OperatorState]], parallelism: u32) -> Vec<Vec<OperatorState>> {
    // Names in order of first mention: the result does not depend on a hash.
    let mut names: Vec<(&str, Redistribution)> = Vec::new();
    let mut seen: FastMap<&str, ()> = FastMap::default();
    for state in old.iter().copied().flatten() {
        if seen.insert(&state.name, ()).is_none() {
            names.push((&state.name, state.redistribution));
        }
    }
    let mut new = vec![Vec::with_capacity(names.len()); parallelism as usize];
    for (name, redistribution) in names {
        let of = |states: &&[OperatorState]| {
            states.iter().find(|s| s.name == name).map(|s| s.entries.as_slice()).unwrap_or_default().to_vec()
        };
        let lists: Vec<_> = old.iter().map(of).collect();
        for (index, states) in new.iter_mut().enumerate() {
            let entries = match redistribution {
                Redistribution::Split if old.len() == parallelism as usize => lists[index].clone(),
                Redistribution::Split => {
                    lists.iter().flatten().skip(index).step_by(parallelism as usize).cloned().collect()
                }
                Redistribution::Union => lists.iter().flatten().cloned().collect(),
                // A subtask that never touched the state has no copy of it: take the next that has one.
                Redistribution::Broadcast => (0..old.len())
                    .map(|offset| (index + offset) % old.len())
                    .find(|at| old[*at].iter().any(|s| s.name == name))
                    .map(|at| lists[at].clone())
                    .unwrap_or_default(),
            };
            states.push(OperatorState { name: name.to_owned(), redistribution, entries });
        }
    }
    new
}
