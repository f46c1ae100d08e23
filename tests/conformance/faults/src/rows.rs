//! Rows in memory as a source: VALUES with a position.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott::batch::ChangeBatch;
use flott::connector::{
    Boundedness, Connector, EnumeratorContext, FixedSplits, Options, Payload, Poll, ReaderContext, Source,
    SourceOutput, SourceReader, Split, SplitEnumerator, TableContext,
};
use flott::plan::SourceSpec;
use flott::types::CheckpointId;
use flott::{Error, Result};
use parking_lot::Mutex;

/// The connector's name.
pub const ROWS: &str = "rows";

/// The rows of each source, by the name of its table.
#[derive(Clone, Default)]
pub struct Rows(Arc<Mutex<BTreeMap<String, Arc<ChangeBatch>>>>);

impl Rows {
    /// Whether there are rows of this name.
    pub fn has(&self, name: &str) -> bool {
        self.0.lock().contains_key(name)
    }

    /// Puts rows under a name.
    pub fn put(&self, name: &str, rows: ChangeBatch) {
        self.0.lock().insert(name.to_owned(), Arc::new(rows));
    }
}

impl Connector for Rows {
    fn name(&self) -> &'static str {
        ROWS
    }

    fn source(&self, spec: &SourceSpec, _: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        match self.0.lock().get(&spec.table.name) {
            Some(rows) => Ok(Arc::new(RowSource(rows.clone()))),
            None => Err(Error::internal(format!("there are no rows of '{}'", spec.table.name))),
        }
    }
}

struct RowSource(Arc<ChangeBatch>);

impl Source for RowSource {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        _: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(FixedSplits::new(restored, || Ok(vec![split(0)]))?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(RowReader { rows: self.0.clone(), next: None, batch: context.batch_size.max(1) }))
    }
}

fn split(next: usize) -> Split {
    Split { id: ROWS.to_owned(), payload: Payload::new(1, next.to_string()) }
}

struct RowReader {
    rows: Arc<ChangeBatch>,
    /// The next row; `None` without the split.
    next: Option<usize>,
    batch: usize,
}

impl SourceReader for RowReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        for split in splits {
            let next = split.payload.text("the position in the rows")?.parse();
            self.next =
                Some(next.map_err(|error| Error::state("the position in the rows").with_source(error))?);
        }
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        let Some(next) = self.next else { return Ok(Poll::SplitsDone) };
        let count = self.batch.min(self.rows.physical_rows() - next);
        if count == 0 {
            output.split_finished(ROWS)?;
            self.next = None;
            return Ok(Poll::SplitsDone);
        }
        output.emit(ROWS, self.rows.slice(next, count).into())?;
        self.next = Some(next + count);
        Ok(Poll::More)
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        Ok(self.next.map(split).into_iter().collect())
    }
}
