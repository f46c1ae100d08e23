//! Changelogs: which kinds of changes each operator emits, which columns identify its rows, and which kinds its
//! consumers need.
//!
//! Two passes over a graph of operators, both without effects:
//!
//! * Bottom-up, as operators are planned ([`derive()`]): whether rows are updated and deleted ([`Kinds`]), and the
//!   upsert keys ([`Keys`]). An upsert key identifies a row *in the order of the stream*: all changes of one key come
//!   from one subtask, so that the last one counts.
//! * Top-down, over the finished graph ([`require()`]): which operators' `-U` somebody needs. Aggregations, regular
//!   joins and clients do; sinks of upserts do not, as long as rows are found by the key of the table. An operator that
//!   makes `-U` itself is told to leave it out; behind a source that cannot, the row is dropped. In the same pass: whose
//!   deletions must have all columns. Only functions of programs give less, and are told what to give.
//!
//! The rules are Flink's (`FlinkChangelogModeInferenceProgram`, `FlinkRelMdUpsertKeys`); where an operator here needs
//! `-U` that Flink's does without, it asks for it.

mod derive;
mod keys;
mod kinds;
mod require;
#[cfg(test)]
mod tests;
mod unique;

pub(crate) use derive::{Input, derive};
pub(crate) use keys::Keys;
pub(crate) use kinds::{Kinds, Mode};
pub(crate) use require::{Asked, needs_before, passes_updates, require};
pub(crate) use unique::unique_keys;

/// What is known of the rows of a relation.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Relation {
    /// What happens to rows after they came.
    pub kinds: Kinds,
    /// What identifies them.
    pub keys: Keys,
    /// The `-U` of its updates come whether somebody needs them or not.
    pub always_before: bool,
}

impl Relation {
    /// Rows with changes of these kinds, found by these keys.
    pub fn new(kinds: Kinds, keys: Keys) -> Relation {
        Relation { kinds, keys, always_before: false }
    }
}
