//! The splits that an enumerator has found, and the readers that have nothing to read.

use std::collections::VecDeque;

use flott_types::SubtaskIndex;

use crate::{Assignments, Split};

/// Splits that were found and not assigned, and readers that wait for one: first found, first read, and whoever asked
/// first is served first. An enumerator that finds more while readers wait keeps both here.
#[derive(Debug, Default)]
pub struct SplitQueue {
    pending: VecDeque<Split>,
    waiting: VecDeque<SubtaskIndex>,
}

impl SplitQueue {
    /// With what a checkpoint says is left.
    pub fn new(pending: Vec<Split>) -> Self {
        SplitQueue { pending: pending.into(), waiting: VecDeque::new() }
    }

    /// A split was found. [`Self::serve`] hands it out.
    pub fn push(&mut self, split: Split) {
        self.pending.push_back(split);
    }

    /// What no reader has, for the checkpoint.
    pub fn pending(&self) -> Vec<Split> {
        self.pending.iter().cloned().collect()
    }

    /// A reader starts: it has asked for nothing yet.
    pub fn registered(&mut self, reader: SubtaskIndex) {
        self.waiting.retain(|waiting| *waiting != reader);
    }

    /// A reader has nothing to read. It gets a split now, or when one is found; if none `can_come`, that is the end.
    pub fn requested(&mut self, reader: SubtaskIndex, can_come: bool, assignments: &mut Assignments) {
        if self.pending.is_empty() && !can_come {
            assignments.no_more_splits(reader);
            return;
        }
        if !self.waiting.contains(&reader) {
            self.waiting.push_back(reader);
        }
        self.serve(assignments);
    }

    /// A reader has failed: what it had comes first.
    pub fn returned(&mut self, reader: SubtaskIndex, splits: Vec<Split>, assignments: &mut Assignments) {
        self.registered(reader);
        splits.into_iter().rev().for_each(|split| self.pending.push_front(split));
        self.serve(assignments);
    }

    /// Gives each waiting reader one split, as far as there are.
    pub fn serve(&mut self, assignments: &mut Assignments) {
        while !self.pending.is_empty() && !self.waiting.is_empty() {
            if let (Some(split), Some(reader)) = (self.pending.pop_front(), self.waiting.pop_front()) {
                assignments.assign(reader, vec![split]);
            }
        }
    }
}
