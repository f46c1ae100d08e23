//! Window Top-N: the rows of a window are emitted once, when event time has passed its end.

use flott_batch::ChangeBatch;
use flott_operator::Context;
use flott_operator::windows::{Ends, Progress};
use flott_types::{FastSet, Result, Watermark};

use super::ranked::Ranked;
use crate::support::{Millis, batch_in_time};

/// When to emit the partitions, each of which belongs to one window.
pub(super) struct Windows {
    /// The column with the exclusive end of the window.
    end: usize,
    /// Partitions by the last millisecond of their window.
    due: Ends,
    pub progress: Progress,
}

impl Windows {
    pub fn new(end: usize) -> Self {
        Windows { end, due: Ends::default(), progress: Progress::default() }
    }

    /// Drops the rows of windows that were already emitted from a batch and counts them.
    pub fn on_time(&self, batch: ChangeBatch, context: &Context<'_>) -> Result<ChangeBatch> {
        batch_in_time(batch, self.end, |end| self.progress.has_reached(end - 1), context)
    }

    /// Schedules partitions that have no rows yet.
    pub fn note(&mut self, batch: &ChangeBatch, partitions: &[u32], rows: &Ranked) -> Result<()> {
        let end = Millis::new(batch.column(self.end))?;
        let mut seen = FastSet::default();
        for (row, partition) in partitions.iter().enumerate() {
            if rows.rows().len_of(*partition) == 0 && seen.insert(*partition) {
                self.due.push(end.get(row) - 1, *partition);
            }
        }
        Ok(())
    }

    /// Advances event time.
    pub fn advance(&mut self, watermark: Watermark) {
        self.progress.advance(watermark.0);
    }

    /// The partitions of the next window that has ended.
    pub fn ended(&mut self) -> Option<Vec<u32>> {
        let progress = self.progress;
        self.due.pop(|last| progress.has_reached(last)).map(|(_, partitions)| partitions)
    }

    /// Takes back the list of partitions that were emitted.
    pub fn recycle(&mut self, partitions: &mut Vec<u32>) {
        self.due.recycle(std::mem::take(partitions));
    }

    /// Schedules restored partitions.
    pub fn restore(&mut self, rows: &Ranked) -> Result<()> {
        let mut seen = FastSet::default();
        let mut first = rows.rows().live().collect::<Vec<u32>>();
        first.retain(|entry| seen.insert(rows.rows().key_of(*entry)));
        for run in rows.runs(&first) {
            let columns = rows.rows_of(run)?;
            let end = Millis::new(&columns[self.end])?;
            for (row, entry) in run.iter().enumerate() {
                self.due.push(end.get(row) - 1, rows.rows().key_of(*entry));
            }
        }
        Ok(())
    }
}
