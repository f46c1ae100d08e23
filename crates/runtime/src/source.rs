//! The head of a source task: a reader, and the splits it asks for.

use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_connector::{Poll, ReaderContext, SourceOutput, SourceReader, Split};
use flott_operator::{OperatorMetrics, Output, TaskInfo};
use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{Clock, Error, Result, Timestamp};

use crate::chain::{ChainOutput, OperatorState, Outputs, guard};

/// The operator state in which splits and their positions are kept.
pub const SPLITS: &str = "splits";

/// What the task is to do after the source had its turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceStep {
    /// Come again at once.
    More,
    /// Come again then, or when a message has come.
    Wait(Option<Timestamp>),
    /// Ask the JobManager for splits, then as for `Wait`.
    RequestSplits,
    /// Everything is read.
    Ended,
}

/// How the reader stands with its splits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Splits {
    /// Has some, or does not know yet that it has none.
    Reading,
    /// Has asked for more.
    Requested,
    /// There were none; asks again then.
    AskAt(Timestamp),
}

/// Makes the reader of a source, once the task runs.
pub type ReaderFactory = Box<dyn FnOnce(ReaderContext) -> Result<Box<dyn SourceReader>> + Send>;

/// The head of a source task.
pub struct SourceHead {
    /// Who it is.
    pub info: TaskInfo,
    reader: Option<Box<dyn SourceReader>>,
    factory: Option<ReaderFactory>,
    /// What it starts with when it is not restored (constant rows have one split, known to the first subtask).
    fresh: Vec<Split>,
    splits: Splits,
    no_more: bool,
    metrics: OperatorMetrics,
}

struct HeadOutput<'a> {
    output: ChainOutput<'a>,
    metrics: &'a OperatorMetrics,
}

impl SourceOutput for HeadOutput<'_> {
    fn emit(&mut self, _split: &str, batch: Batch) -> Result<()> {
        self.output.emit(batch)
    }

    fn skipped(&mut self, rows: u64) {
        self.metrics.num_records_in_errors.add(rows);
    }
}

impl SourceHead {
    /// A source whose splits come from its enumerator in the JobManager.
    pub fn new(info: TaskInfo, factory: ReaderFactory, metrics: OperatorMetrics) -> Self {
        SourceHead {
            info,
            reader: None,
            factory: Some(factory),
            fresh: Vec::new(),
            splits: Splits::Reading,
            no_more: false,
            metrics,
        }
    }

    /// A source that has these splits from the start and no others.
    #[must_use]
    pub fn with_fixed_splits(mut self, splits: Vec<Split>) -> Self {
        self.fresh = splits;
        self.no_more = true;
        self
    }

    /// Makes the reader and gives it the splits that it was reading.
    pub fn open(
        &mut self,
        mut restored: RestoredState,
        batch_size: usize,
        clock: &Arc<dyn Clock>,
    ) -> Result<()> {
        let Some(factory) = self.factory.take() else {
            return Err(Error::internal("a source was opened twice"));
        };
        let context = ReaderContext {
            subtask: self.info.subtask,
            parallelism: self.info.parallelism,
            batch_size,
            clock: clock.clone(),
        };
        let splits = match restored.lists.contains_key(SPLITS) {
            true => decode(&restored.take_list(SPLITS))?,
            false => std::mem::take(&mut self.fresh),
        };
        let reader = guard(&self.info.name, || {
            let mut reader = factory(context)?;
            if !splits.is_empty() {
                reader.add_splits(splits)?;
            }
            Ok(reader)
        })?;
        self.reader = Some(reader);
        Ok(())
    }

    /// Reads a batch's worth.
    pub fn poll(&mut self, outputs: &mut Outputs, now: Timestamp) -> Result<SourceStep> {
        match self.splits {
            Splits::Requested => return Ok(SourceStep::Wait(None)),
            Splits::AskAt(at) if now < at => return Ok(SourceStep::Wait(Some(at))),
            Splits::AskAt(_) => {
                self.splits = Splits::Requested;
                return Ok(SourceStep::RequestSplits);
            }
            Splits::Reading => {}
        }
        let Some(reader) = &mut self.reader else {
            return Err(Error::internal("the source is not open"));
        };
        let mut output = HeadOutput { output: outputs.at(now), metrics: &self.metrics };
        match guard(&self.info.name, || reader.poll(&mut output))? {
            Poll::More => Ok(SourceStep::More),
            Poll::Wait(at) => Ok(SourceStep::Wait(Some(at))),
            Poll::SplitsDone if self.no_more => Ok(SourceStep::Ended),
            Poll::SplitsDone => {
                self.splits = Splits::Requested;
                Ok(SourceStep::RequestSplits)
            }
        }
    }

    /// Splits have come.
    pub fn add_splits(&mut self, splits: Vec<Split>, outputs: &mut Outputs, now: Timestamp) -> Result<()> {
        self.splits = Splits::Reading;
        outputs.at(now).watermark_status(WatermarkStatus::Active)?;
        match &mut self.reader {
            Some(reader) => guard(&self.info.name, || reader.add_splits(splits)),
            None => Err(Error::internal("the source is not open")),
        }
    }

    /// There are none now. A reader that has nothing to read must not hold event time back.
    pub fn no_splits_until(&mut self, at: Timestamp, outputs: &mut Outputs, now: Timestamp) -> Result<()> {
        self.splits = Splits::AskAt(at);
        outputs.at(now).watermark_status(WatermarkStatus::Idle)
    }

    /// There never will be another one.
    pub fn no_more_splits(&mut self) {
        self.no_more = true;
        self.splits = Splits::Reading;
    }

    /// The splits with their positions.
    pub fn snapshot(&mut self) -> Result<OperatorState> {
        let Some(reader) = &mut self.reader else {
            return Err(Error::internal("the source is not open"));
        };
        let splits = guard(&self.info.name, || reader.snapshot())?;
        let entries = splits.iter().map(encode).collect::<Result<_>>()?;
        let list = ListState { name: SPLITS.to_owned(), redistribution: Redistribution::Split, entries };
        Ok(OperatorState {
            uid: self.info.uid.clone(),
            name: self.info.name.clone(),
            max_parallelism: self.info.max_parallelism,
            state: OperatorSnapshot { keyed: Vec::new(), lists: vec![list] },
        })
    }

    /// A checkpoint is complete.
    pub fn checkpoint_complete(&mut self) -> Result<()> {
        match &mut self.reader {
            Some(reader) => guard(&self.info.name, || reader.checkpoint_complete()),
            None => Ok(()),
        }
    }
}

fn encode(split: &Split) -> Result<String> {
    serde_json::to_string(split).map_err(|error| Error::internal("cannot write a split").with_source(error))
}

fn decode(entries: &[String]) -> Result<Vec<Split>> {
    let read = |entry: &String| {
        serde_json::from_str(entry)
            .map_err(|error| Error::state("cannot read a split of the source").with_source(error))
    };
    entries.iter().map(read).collect()
}
