//! What a crate must not depend on, even indirectly: whoever links it pays for everything that it links.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Complaints;
use crate::workspace::Links;

/// Crates, what they link nothing of (by the beginning of its name), and why.
const WITHOUT: &[(&str, &[&str], &str)] = &[
    ("flott-datastream", &["datafusion", "flott-expr", "flott-sql"], "a program does without SQL"),
    ("flott-cluster", &["datafusion", "flott-expr", "flott-sql"], "it runs operators that it is handed"),
];

pub(super) fn check(links: &Links) -> Complaints {
    let mut complaints = Complaints::new();
    for (package, without, why) in WITHOUT {
        for name in *without {
            if let Some(path) = path(links, package, name) {
                complaints.push(format!("{}: {why}", path.join(" -> ")));
            }
        }
    }
    complaints
}

/// The shortest way from a package to one whose name begins like this.
fn path(links: &Links, from: &str, to: &str) -> Option<Vec<String>> {
    let mut seen = BTreeSet::from([from]);
    let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        if at.starts_with(to) {
            let mut path = vec![at.to_owned()];
            let mut at = at;
            while let Some(before) = came_from.get(at) {
                path.insert(0, (*before).to_owned());
                at = before;
            }
            return Some(path);
        }
        for next in links.get(at).into_iter().flatten().filter(|next| seen.insert(next)) {
            came_from.insert(next, at);
            queue.push_back(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_to_a_linked_crate_is_reported() {
        let link =
            |from: &str, to: &[&str]| (from.to_owned(), to.iter().map(|to| (*to).to_owned()).collect());
        let mut links: Links = [
            link("flott-datastream", &["flott-cluster", "arrow"]),
            link("flott-cluster", &["flott-runtime"]),
            link("flott-sql", &["flott-sql-parser"]),
        ]
        .into();
        assert_eq!(check(&links), Complaints::new());
        links.extend([link("flott-runtime", &["datafusion-expr"]), link("datafusion-expr", &["arrow"])]);
        assert_eq!(
            check(&links),
            [
                "flott-datastream -> flott-cluster -> flott-runtime -> datafusion-expr: a program does without SQL",
                "flott-cluster -> flott-runtime -> datafusion-expr: it runs operators that it is handed",
            ]
        );
    }
}
