//! A batch join whose other input has ended keeps no more rows: nothing will look for them.
//!
//! What is known of the other side is all there is, so that a row goes through with its matches, or without, and is forgotten. Of two
//! tables that is most of the larger one, where the smaller one ends first.
//!
//! In a stream rows are kept all the same: a job whose input has ended may go on with more of it. A batch query that has let rows
//! through cannot, and says so.

use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{Error, Result};

/// The name of the list in snapshots.
const STATE: &str = "passed";

/// Which inputs have ended, and which rows were not kept for it.
pub(super) struct Ended {
    batch: bool,
    ended: [bool; 2],
    /// Inputs of which rows were let through.
    passed: [bool; 2],
}

impl Ended {
    pub fn new(batch: bool) -> Self {
        Ended { batch, ended: [false; 2], passed: [false; 2] }
    }

    /// An input has ended.
    pub fn end(&mut self, input: usize) {
        self.ended[input] = self.batch;
    }

    /// Rows of an input come: whether they are kept.
    ///
    /// # Errors
    /// If rows of the other input were let through, which these may match.
    pub fn keeps(&mut self, input: usize) -> Result<bool> {
        let other = 1 - input;
        if self.passed[other] {
            return Err(Error::invalid(
                "an input of a join had ended, and has more rows now: a batch query does not go on with them, start it anew",
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
