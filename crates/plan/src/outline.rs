//! The outline of a program: its operators by name and uid, the types that they send, and who reads them.
//!
//! A program's plan refers to functions by number, so it makes sense only in a process that has the same
//! program. Each process builds the graph from its own code, and they compare outlines. Snapshots contain the
//! outline too, so that a program that continues from an older version's snapshot can report what has
//! changed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Exchange;

/// How many differences are reported.
const TOLD: usize = 5;

/// The outline of a program. Types are named as the compiler names them.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outline {
    /// The operators, by the numbers by which a plan names them.
    pub operators: BTreeMap<u32, OutlineOperator>,
}

/// An operator of a program.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutlineOperator {
    /// Its name.
    pub name: String,
    /// The name of its state.
    pub uid: String,
    /// The types of the records that it sends, by side output; the empty name is its main output.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sends: BTreeMap<String, String>,
    /// What it reads, in the order of the program.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<OutlineEdge>,
}

/// One of its inputs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutlineEdge {
    /// Which input.
    pub input: usize,
    /// The number of the operator that sends.
    pub from: u32,
    /// Its side output; the empty name is its main output.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tag: String,
    /// How rows are spread.
    pub exchange: Exchange,
}

/// A hash of an outline: equal outlines have equal hashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint(pub u64);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Outline {
    /// The hash of all of it: FNV-1a over its serialised form, the same in every process.
    pub fn fingerprint(&self) -> Fingerprint {
        let text = serde_json::to_string(self).unwrap_or_default();
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Fingerprint(hash)
    }

    /// How another program differs from this one, for people: `here` and `there` name the two. Operators are
    /// compared by number, as a plan refers to them.
    pub fn differences(&self, here: &str, other: &Outline, there: &str) -> Vec<String> {
        let numbers: std::collections::BTreeSet<_> =
            self.operators.keys().chain(other.operators.keys()).copied().collect();
        let pairs = numbers.into_iter().map(|number| {
            let (own, others) = (self.operators.get(&number), other.operators.get(&number));
            compared(&format!("operator {number}"), (own, here), (others, there))
        });
        shortened(pairs.flatten().collect())
    }

    /// How another program differs from this one as far as state is concerned: operators are the same if
    /// their uids are.
    pub fn changes(&self, here: &str, other: &Outline, there: &str) -> Vec<String> {
        let by_uid = |outline: &Outline| -> BTreeMap<String, OutlineOperator> {
            let uid = |number: u32| outline.operators.get(&number).map(|operator| operator.uid.clone());
            let operators = outline.operators.values().map(|operator| {
                let mut operator = operator.clone();
                // Numbers mean nothing to another program.
                for edge in &mut operator.reads {
                    edge.tag = format!("{}{}", uid(edge.from).unwrap_or_default(), edge.tag);
                    edge.from = 0;
                }
                (operator.uid.clone(), operator)
            });
            operators.collect()
        };
        let (own, others) = (by_uid(self), by_uid(other));
        let uids: std::collections::BTreeSet<_> = own.keys().chain(others.keys()).collect();
        let pairs = uids.into_iter().map(|uid| {
            let name = own.get(uid).or(others.get(uid)).map_or("", |operator| operator.name.as_str());
            compared(&format!("'{name}' (uid '{uid}')"), (own.get(uid), here), (others.get(uid), there))
        });
        shortened(pairs.flatten().collect())
    }
}

type Side<'a> = (Option<&'a OutlineOperator>, &'a str);

fn compared(what: &str, (own, here): Side<'_>, (other, there): Side<'_>) -> Vec<String> {
    let (own, other) = match (own, other) {
        (Some(own), Some(other)) => (own, other),
        (Some(own), None) => {
            return vec![format!("{what} is '{}' in {here} and is not in {there}", own.name)];
        }
        (None, Some(other)) => {
            return vec![format!("{what} is '{}' in {there} and is not in {here}", other.name)];
        }
        (None, None) => return Vec::new(),
    };
    let mut told = Vec::new();
    let mut differs = |part: &str, own: &str, other: &str| {
        if own != other {
            told.push(format!("{what} {part} '{own}' in {here} and '{other}' in {there}"));
        }
    };
    differs("is called", &own.name, &other.name);
    differs("has uid", &own.uid, &other.uid);
    let none = String::new();
    let tags: std::collections::BTreeSet<_> = own.sends.keys().chain(other.sends.keys()).collect();
    for tag in tags {
        let part = if tag.is_empty() { "sends".to_owned() } else { format!("sends to '{tag}'") };
        let (own, other) = (own.sends.get(tag), other.sends.get(tag));
        differs(&part, own.unwrap_or(&none), other.unwrap_or(&none));
    }
    if own.reads != other.reads {
        told.push(format!("{what} reads other inputs in {here} than in {there}"));
    }
    told
}

fn shortened(mut differences: Vec<String>) -> Vec<String> {
    let more = differences.len().saturating_sub(TOLD);
    if more > 0 {
        differences.truncate(TOLD);
        differences.push(format!("and {more} more"));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(operators: &[(&str, &str, &str)]) -> Outline {
        let operators = (0..).zip(operators).map(|(number, (name, uid, sends))| {
            let reads = (0..u32::from(number > 0))
                .map(|_| OutlineEdge {
                    input: 0,
                    from: number - 1,
                    tag: String::new(),
                    exchange: Exchange::Forward,
                })
                .collect();
            let sends = [(String::new(), (*sends).to_owned())].into();
            (number, OutlineOperator { name: (*name).to_owned(), uid: (*uid).to_owned(), sends, reads })
        });
        Outline { operators: operators.collect() }
    }

    #[test]
    fn equal_programs_have_equal_fingerprints_and_others_report_differences() {
        let one = outline(&[("read", "r", "i64"), ("count", "c", "u64"), ("print", "p", "")]);
        let same = outline(&[("read", "r", "i64"), ("count", "c", "u64"), ("print", "p", "")]);
        assert_eq!(one.fingerprint(), same.fingerprint());
        assert_eq!(one.differences("here", &one, "there"), [""; 0]);
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Outline>(&text).unwrap(), one);

        let other = outline(&[("read", "r", "String"), ("total", "c", "u64")]);
        assert_ne!(one.fingerprint(), other.fingerprint());
        assert_eq!(
            one.differences("the plan", &other, "this process"),
            [
                "operator 0 sends 'i64' in the plan and 'String' in this process",
                "operator 1 is called 'count' in the plan and 'total' in this process",
                "operator 2 is 'print' in the plan and is not in this process",
            ]
        );
    }

    #[test]
    fn a_program_that_has_changed_is_compared_by_uid() {
        let old = outline(&[("read", "r", "i64"), ("count", "c", "u64")]);
        let new = outline(&[("read", "r", "i64"), ("clean", "n", "i64"), ("count", "c", "u32")]);
        assert_eq!(
            new.changes("the program", &old, "the snapshot"),
            [
                "'count' (uid 'c') sends 'u32' in the program and 'u64' in the snapshot",
                "'count' (uid 'c') reads other inputs in the program than in the snapshot",
                "'clean' (uid 'n') is 'clean' in the program and is not in the snapshot",
            ]
        );
        let many: Vec<_> = (0..9).map(|_| ("x", "", "")).collect();
        let told = outline(&many).differences("here", &Outline::default(), "there");
        assert_eq!((told.len(), told[5].as_str()), (6, "and 4 more"));
    }
}
