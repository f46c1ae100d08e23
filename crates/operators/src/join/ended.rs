//! A batch join whose other input has ended keeps no more rows: nothing will look for them.
//!
//! Everything about the other side is known, so a row is emitted with its matches, or without any, and is
//! forgotten. Of two tables this is most of the larger one, provided that the smaller one ends first.
//!
//! In a stream, rows are kept all the same: a job whose input has ended may continue with more of it. A batch
//! query that has let rows through cannot, and says so.

use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{Error, Result};

/// The name of the list in snapshots.
const STATE: &str = "passed";

/// Which inputs have ended, and of which ones rows were not kept because of that.
pub(super) struct Ended {
    batch: bool,
    ended: [bool; 2],
    /// Inputs whose rows were let through.
    passed: [bool; 2],
}

impl Ended {
    pub fn new(batch: bool) -> Self {
        Ended { batch, ended: [false; 2], passed: [false; 2] }
    }

    /// Notes that an input has ended.
    pub fn end(&mut self, input: usize) {
        self.ended[input] = self.batch;
    }

    /// Called when rows of an input arrive; returns whether to keep them.
    ///
    /// # Errors
    /// If rows of the other input were let through that these might match.
    pub fn keeps(&mut self, input: usize) -> Result<bool> {
        let other = 1 - input;
        if self.passed[other] {
            return Err(Error::invalid(
                "an input of a join had ended, and has more rows now: a batch query cannot continue with them; start it again",
            ));
        }
        self.passed[input] |= self.ended[other];
        Ok(!self.ended[other])
    }

    pub fn restore(&mut self, restored: &mut RestoredState) {
        for input in restored.take_list(STATE) {
            self.passed[0] |= input == "0";
            self.passed[1] |= input == "1";
        }
    }

    pub fn save(&self, snapshot: &mut OperatorSnapshot) {
        let inputs = [0, 1].into_iter().filter(|input| self.passed[*input]);
        let entries: Vec<String> = inputs.map(|input: usize| input.to_string()).collect();
        if !entries.is_empty() {
            snapshot.lists.push(ListState {
                name: STATE.to_owned(),
                redistribution: Redistribution::Union,
                entries,
            });
        }
    }
}
