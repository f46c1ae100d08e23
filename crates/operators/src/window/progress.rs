//! How far time has come for a windowed operator.

use flott_operator::Context;
use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{Error, Result, Timestamp};

/// The name of the state.
const STATE: &str = "progress";

/// The watermark, or processing time. Kept over a restart: a row that was late before must not open its window again
/// before the first watermark comes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress(pub Timestamp);

impl Progress {
    pub fn restore(&mut self, restored: &mut RestoredState) -> Result<()> {
        let times: Result<Vec<Timestamp>, _> =
            restored.take_list(STATE).iter().map(|entry| entry.parse()).collect();
        let times = times
            .map_err(|error| Error::state("the progress of windows cannot be read").with_source(error))?;
        self.0 = times.into_iter().min().unwrap_or(self.0);
        Ok(())
    }

    pub fn save(&self, snapshot: &mut OperatorSnapshot) {
        snapshot.lists.push(ListState {
            name: STATE.to_owned(),
            redistribution: Redistribution::Union,
            entries: vec![self.0.to_string()],
        });
    }

    /// Time never goes back; returns whether it advanced.
    pub fn advance(&mut self, to: Timestamp) -> bool {
        let advanced = to > self.0;
        self.0 = self.0.max(to);
        advanced
    }
}

/// Counts rows that were dropped because they came too late.
pub(super) fn count_late(rows: usize, context: &Context<'_>) {
    if rows > 0 {
        context.metrics.num_late_records_dropped.add(rows as u64);
    }
}
