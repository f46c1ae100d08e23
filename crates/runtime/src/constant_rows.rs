//! Constant rows as a bounded source: one split, which the first subtask has from the start.

use flott_batch::{Batch, ChangeBatch};
use flott_connector::{Payload, Poll, ReaderContext, SourceOutput, SourceReader, Split};
use flott_operator::{OperatorMetrics, TaskInfo};
use flott_types::{CheckpointId, Result};

use crate::environment::ConstantRows;
use crate::source::SourceHead;

/// The id of the only split.
const ROWS: &str = "values";

/// The head of a task that emits constant rows.
pub(crate) fn source(info: TaskInfo, rows: ConstantRows, metrics: OperatorMetrics) -> SourceHead {
    let splits = if info.subtask.0 == 0 { vec![only_split()] } else { Vec::new() };
    let factory = move |_: ReaderContext| -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(Reader { rows, pending: false }))
    };
    SourceHead::new(info, Box::new(factory), metrics).with_fixed_splits(splits)
}

fn only_split() -> Split {
    Split { id: ROWS.to_owned(), payload: Payload::default() }
}

struct Reader {
    rows: ConstantRows,
    /// The rows are still to be emitted.
    pending: bool,
}

impl SourceReader for Reader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.pending |= !splits.is_empty();
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if !self.pending {
            return Ok(Poll::SplitsDone);
        }
        self.pending = false;
        let rows = (self.rows)()?;
        if rows.num_rows() > 0 {
            output.emit(ROWS, Batch::Changes(ChangeBatch::insert_only(rows)))?;
        }
        Ok(Poll::More)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        Ok(if self.pending { vec![only_split()] } else { Vec::new() })
    }
}
