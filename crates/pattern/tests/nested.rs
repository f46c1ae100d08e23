//! Groups, choices and permutations, compared with a definition: what a node matches is computed from what
//! its parts match.

#![expect(clippy::unwrap_used, reason = "what a test must not meet ends it")]

use std::collections::BTreeSet;

use flott_pattern::{Conditions, Matcher, Node, Pattern, Run, Skip};
use proptest::prelude::*;

const VARIABLES: usize = 3;

/// For each variable, the rows that it takes.
#[derive(Clone, Debug)]
struct Table(Vec<Vec<bool>>);

impl Conditions for Table {
    type Error = ();

    fn holds(&mut self, variable: usize, _: &Run, row: u64) -> Result<bool, ()> {
        Ok(self.0[variable][row as usize])
    }
}

/// The variables of rows from a start on.
type Path = Vec<u32>;

impl Table {
    fn matches(&self, node: &Node, row: usize) -> BTreeSet<Path> {
        match node {
            Node::Variable(variable) => {
                let takes = self.0[*variable as usize].get(row).is_some_and(|takes| *takes);
                takes.then(|| vec![*variable]).into_iter().collect()
            }
            Node::Sequence(nodes) => {
                let mut paths = BTreeSet::from([Path::new()]);
                for node in nodes {
                    paths = self.then(&paths, node, row);
                }
                paths
            }
            Node::Choice(nodes) => nodes.iter().flat_map(|node| self.matches(node, row)).collect(),
            Node::Repeat { node, min, max, .. } => {
                let (mut paths, mut all) = (BTreeSet::from([Path::new()]), BTreeSet::new());
                for count in 0..=max.unwrap_or(self.0[0].len() as u32) {
                    if count >= *min {
                        all.extend(paths.iter().cloned());
                    }
                    paths = self.then(&paths, node, row);
                }
                all
            }
        }
    }

    fn then(&self, paths: &BTreeSet<Path>, node: &Node, row: usize) -> BTreeSet<Path> {
        let longer = |path: &Path| {
            let (path, after) = (path.clone(), self.matches(node, row + path.len()));
            after.into_iter().map(move |rest| [path.clone(), rest].concat())
        };
        paths.iter().flat_map(longer).collect()
    }
}

fn node() -> impl Strategy<Value = Node> {
    let variable = (0..VARIABLES as u32).prop_map(Node::Variable);
    variable.prop_recursive(3, 10, 3, |inner| {
        let several = || proptest::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several().prop_map(Node::Sequence),
            several().prop_map(Node::Choice),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(|nodes| Node::permute(&nodes)),
            (inner.clone(), 0u32..3, proptest::option::of(0u32..3)).prop_map(|(node, min, more)| {
                let max = more.map(|more| (min + more).max(1));
                Node::Repeat { node: Box::new(node), min, max, greedy: false }
            }),
        ]
    })
}

fn path_of(run: &Run) -> (u64, Path) {
    let rows = run.spans().flat_map(|(variable, rows)| rows.map(move |_| variable as u32));
    (run.first_row(), rows.collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn finds_what_its_parts_find(
        node in node(),
        rows in proptest::collection::vec(proptest::collection::vec(any::<bool>(), 6), VARIABLES),
        cut in 0usize..6,
    ) {
        // A group that repeats and may be empty is refused.
        let Ok(pattern) = Pattern::nested(&node, VARIABLES, None, Skip::Nothing) else { return Ok(()) };
        let mut table = Table(rows);
        let mut expected = BTreeSet::new();
        for start in 0..6 {
            let paths = table.matches(&node, start).into_iter().filter(|path| !path.is_empty());
            expected.extend(paths.map(|path| (start as u64, path)));
        }
        let (mut matcher, mut found) = (Matcher::default(), BTreeSet::new());
        for row in 0..6 {
            if row == cut {
                matcher = serde_json::from_str(&serde_json::to_string(&matcher).unwrap()).unwrap();
            }
            found.extend(matcher.step(&pattern, row as i64, &mut table).unwrap().iter().map(path_of));
        }
        prop_assert_eq!(found, expected);
    }
}

fn letters(pattern: &Node, rows: &str, skip: Skip) -> Vec<(u64, String)> {
    struct Letters<'a>(&'a str);
    impl Conditions for Letters<'_> {
        type Error = ();
        fn holds(&mut self, variable: usize, _: &Run, row: u64) -> Result<bool, ()> {
            let row = self.0.as_bytes()[row as usize];
            Ok(row == b'x' || row == b'a' + variable as u8)
        }
    }
    let pattern = Pattern::nested(pattern, 3, None, skip).unwrap();
    let mut matcher = Matcher::default();
    let mut found = Vec::new();
    for row in 0..rows.len() {
        for run in matcher.step(&pattern, row as i64, &mut Letters(rows)).unwrap() {
            let (first, path) = path_of(&run);
            found.push((first, path.iter().map(|variable| (b'a' + *variable as u8) as char).collect()));
        }
    }
    found
}

fn repeat(node: Node, min: u32, max: Option<u32>, greedy: bool) -> Node {
    Node::Repeat { node: Box::new(node), min, max, greedy }
}

#[test]
fn the_first_choice_that_fits_is_taken() {
    let [a, b, c] = [0, 1, 2].map(Node::Variable);
    let pattern = Node::Sequence(vec![Node::Choice(vec![b, a]), c]);
    let text = |found: &str| found.to_owned();
    assert_eq!(
        letters(&pattern, "acxcbc", Skip::PastLastRow),
        [(0, text("ac")), (2, text("bc")), (4, text("bc"))]
    );
}

#[test]
fn a_greedy_group_goes_on_as_long_as_it_can() {
    let [a, b, c] = [0, 1, 2].map(Node::Variable);
    let pair = Node::Sequence(vec![a, b]);
    // The third row is an a and a c: the group goes on with it.
    let greedy = Node::Sequence(vec![repeat(pair.clone(), 1, None, true), c.clone()]);
    assert_eq!(letters(&greedy, "abxbc", Skip::PastLastRow), [(0, "ababc".to_owned())]);
    let reluctant = Node::Sequence(vec![repeat(pair, 1, None, false), c]);
    assert_eq!(letters(&reluctant, "abxbc", Skip::PastLastRow), [(0, "abc".to_owned())]);
}

#[test]
fn what_a_branch_holds_back_comes_behind_another() {
    let [a, b, c] = [0, 1, 2].map(Node::Variable);
    // Behind b+, which would take it, the x is no c; behind a it is.
    let branches = Node::Choice(vec![repeat(b, 1, None, true), a]);
    let pattern = Node::Sequence(vec![branches, c]);
    assert_eq!(letters(&pattern, "ax", Skip::PastLastRow), [(0, "ac".to_owned())]);
    assert_eq!(letters(&pattern, "bxc", Skip::PastLastRow), [(0, "bbc".to_owned())]);
}
