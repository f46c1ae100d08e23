//! The head of a source task: a reader, the splits it requests, and their event time if the source generates
//! watermarks.

use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_connector::{
    Payload, Poll, ReaderContext, Source, SourceOutput, SourceReader, Split, Waker, WatermarkAlignment,
};
use flott_operator::event_time::{EventTimeProgress, SplitWatermarks};
use flott_operator::{OperatorMetrics, Output, TaskInfo};
use flott_plan::ERRORS;
use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::panics::guard;
use flott_types::{CheckpointId, Clock, Error, Result, Timestamp, Watermark};
use serde::{Deserialize, Serialize};

use crate::chain::{ChainOutput, OperatorState, Outputs};
use crate::watermark_alignment::Aligner;
use crate::{TaskMetrics, TaskOptions};

/// The operator state in which splits and their positions are kept.
pub const SPLITS: &str = "splits";

/// What the task has to do after the source had its turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceStep {
    /// Poll again at once.
    More,
    /// Poll again at this time, or after a message.
    Wait(Option<Timestamp>),
    /// Request splits from the JobManager, then as for `Wait`.
    RequestSplits,
    /// Everything is read.
    Ended,
}

/// The state of the reader's splits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Splits {
    /// Has some, or does not know yet that it has none.
    Reading,
    /// Has requested more, which will be sent when there are some.
    Requested,
}

/// Creates the reader of a source, once the task runs.
pub type ReaderFactory = Box<dyn FnOnce(ReaderContext) -> Result<Box<dyn SourceReader>> + Send>;

/// The head of a source task.
pub struct SourceHead {
    /// Who it is.
    pub info: TaskInfo,
    reader: Option<Box<dyn SourceReader>>,
    factory: Option<ReaderFactory>,
    /// What it starts with when it is not restored (constant rows have one split, known to the first
    /// subtask).
    fresh: Vec<Split>,
    splits: Splits,
    /// It knows its first splits, or that there are none yet.
    assigned: bool,
    /// Whether it has an enumerator in the JobManager.
    is_coordinated: bool,
    no_more: bool,
    /// How often it was given splits.
    received: u64,
    /// The reader's events for the enumerator.
    events: Vec<Payload>,
    metrics: OperatorMetrics,
    watermarks: Option<SplitWatermarks>,
    aligner: Option<Aligner>,
    /// Splits that the last snapshot had; others are read to their ends, whether or not the reader has said
    /// so.
    left: Option<Vec<String>>,
}

struct HeadOutput<'a> {
    output: ChainOutput<'a>,
    metrics: &'a OperatorMetrics,
    watermarks: Option<&'a mut SplitWatermarks>,
    /// Nobody listens without an enumerator.
    events: Option<&'a mut Vec<Payload>>,
    now: Timestamp,
}

#[deny(clippy::missing_trait_methods, reason = "every call is dealt with")]
impl SourceOutput for HeadOutput<'_> {
    fn emit(&mut self, split: &str, batch: Batch) -> Result<()> {
        match &mut self.watermarks {
            Some(watermarks) => watermarks.emit(split, batch, self.now, &mut self.output),
            None => self.output.emit(batch),
        }
    }

    fn skipped(&mut self, rows: u64) {
        self.metrics.num_records_in_errors.add(rows);
    }

    fn rejected(&mut self, batch: Batch) -> Result<()> {
        self.metrics.num_records_in_errors.add(batch.num_rows() as u64);
        self.output.emit_side(ERRORS, batch)
    }

    fn split_finished(&mut self, split: &str) -> Result<()> {
        match &mut self.watermarks {
            Some(watermarks) => watermarks.finished(split, self.now, &mut self.output),
            None => Ok(()),
        }
    }

    fn watermark(&mut self, split: &str, watermark: Watermark) -> Result<()> {
        match &mut self.watermarks {
            Some(watermarks) => watermarks.stated(split, watermark, self.now, &mut self.output),
            None => Err(no_policy(split)),
        }
    }

    fn watermark_status(&mut self, split: &str, status: WatermarkStatus) -> Result<()> {
        match &mut self.watermarks {
            Some(watermarks) => watermarks.stated_status(split, status, self.now, &mut self.output),
            None => Err(no_policy(split)),
        }
    }

    fn send(&mut self, event: Payload) -> Result<()> {
        match &mut self.events {
            Some(events) => events.push(event),
            None => return Err(Error::internal("the source has no enumerator to receive events")),
        }
        Ok(())
    }
}

fn no_policy(split: &str) -> Error {
    Error::internal(format!(
        "the reader states the event time of split '{split}', but its Source::event_time does not declare it"
    ))
}

impl SourceHead {
    /// The head for a source of the DataStream API, which says itself how its watermarks come about.
    pub fn of(
        info: TaskInfo,
        source: Arc<dyn Source>,
        options: &TaskOptions,
        metrics: OperatorMetrics,
        task: &Arc<TaskMetrics>,
    ) -> Self {
        let interval = options.auto_watermark_interval;
        let policy = source.event_time(interval);
        let mut head = SourceHead::new(info, Box::new(move |context| source.reader(context)), metrics);
        if let Some(policy) = policy {
            head.aligner = policy.alignment.clone().map(Aligner::new);
            let watermarks = SplitWatermarks::new(policy.generators, interval, policy.idle_timeout);
            head.watermarks = Some(watermarks.observed_by(task.clone()));
        }
        head
    }

    /// A source whose splits come from its enumerator in the JobManager.
    pub fn new(info: TaskInfo, factory: ReaderFactory, metrics: OperatorMetrics) -> Self {
        SourceHead {
            info,
            reader: None,
            factory: Some(factory),
            fresh: Vec::new(),
            splits: Splits::Reading,
            assigned: false,
            is_coordinated: true,
            no_more: false,
            received: 0,
            events: Vec::new(),
            metrics,
            watermarks: None,
            aligner: None,
            left: None,
        }
    }

    /// The source generates watermarks per split.
    #[must_use]
    pub fn with_watermarks(mut self, watermarks: Option<SplitWatermarks>) -> Self {
        self.watermarks = watermarks;
        self
    }

    /// A source that has these splits from the start and no others.
    #[must_use]
    pub fn with_fixed_splits(mut self, splits: Vec<Split>) -> Self {
        self.fresh = splits;
        self.no_more = true;
        self.is_coordinated = false;
        self
    }

    /// It is told when its input ends, and stays until then. One with fixed splits would end by itself.
    #[must_use]
    pub fn held(mut self) -> Self {
        self.no_more = false;
        self.is_coordinated = true;
        self
    }

    /// Makes the reader and gives it the splits that it was reading. Answers what the enumerator is to be
    /// told of them, if there is one.
    pub fn open(
        &mut self,
        mut restored: RestoredState,
        batch_size: usize,
        clock: &Arc<dyn Clock>,
        waker: Waker,
    ) -> Result<Option<Vec<String>>> {
        let Some(factory) = self.factory.take() else {
            return Err(Error::internal("a source was opened twice"));
        };
        let context = ReaderContext {
            subtask: self.info.subtask,
            parallelism: self.info.parallelism,
            batch_size,
            clock: clock.clone(),
            waker,
            metrics: self.metrics.user.clone(),
        };
        let splits = match restored.lists.contains_key(SPLITS) {
            true => decode(&restored.take_list(SPLITS))?,
            false => std::mem::take(&mut self.fresh).into_iter().map(|split| (split, None)).collect(),
        };
        if let Some(watermarks) = &mut self.watermarks {
            watermarks.add(splits.iter().map(|(split, time)| (split.id.as_str(), *time)), clock.now());
        }
        let splits: Vec<Split> = splits.into_iter().map(|(split, _)| split).collect();
        self.assigned = !splits.is_empty();
        let reading = splits.iter().map(|split| split.id.clone()).collect();
        let reader = guard(&self.info.name, || {
            let mut reader = factory(context)?;
            if !splits.is_empty() {
                reader.add_splits(splits)?;
            }
            Ok(reader)
        })?;
        self.reader = Some(reader);
        Ok(self.is_coordinated.then_some(reading))
    }

    /// Whether it knows what it reads first, or that there is nothing yet: it was opened with splits, was
    /// given some or none, or reads without.
    pub fn is_assigned(&self) -> bool {
        self.assigned
    }

    /// Reads a batch.
    pub fn poll(&mut self, outputs: &mut Outputs, now: Timestamp) -> Result<SourceStep> {
        let step = self.step(outputs, now)?;
        let Some(aligner) = &mut self.aligner else {
            return Ok(step);
        };
        let reading = self.splits == Splits::Reading && step != SourceStep::Ended;
        let watermarks = self.watermarks.as_ref().filter(|_| reading);
        aligner.observe(watermarks.and_then(SplitWatermarks::reached), now);
        Ok(match (step, aligner.wake_at()) {
            (SourceStep::Wait(at), Some(due)) => SourceStep::Wait(Some(at.map_or(due, |at| at.min(due)))),
            (step, _) => step,
        })
    }

    /// The minimum event time of the alignment group.
    pub fn align_to(&mut self, least: Option<Timestamp>) {
        if let Some(aligner) = &mut self.aligner {
            aligner.align_to(least);
        }
    }

    /// The report to the alignment group.
    pub fn take_watermark_report(&mut self) -> Option<(WatermarkAlignment, Option<Timestamp>)> {
        self.aligner.as_mut()?.take_watermark_report()
    }

    fn step(&mut self, outputs: &mut Outputs, now: Timestamp) -> Result<SourceStep> {
        match self.splits {
            Splits::Requested => return Ok(SourceStep::Wait(None)),
            Splits::Reading => {}
        }
        let Some(reader) = &mut self.reader else {
            return Err(Error::internal("the source is not open"));
        };
        let mut output = outputs.at(now);
        if let Some(watermarks) = &mut self.watermarks {
            if let Some(left) = self.left.take() {
                watermarks.retain(|split| left.iter().any(|id| id == split), now, &mut output)?;
            }
            watermarks.on_time(now, &mut output)?;
            if let Some(aligner) = &mut self.aligner
                && guard(&self.info.name, || aligner.hold(watermarks, &mut **reader, now))?
            {
                return Ok(SourceStep::Wait(watermarks.wake_at(now)));
            }
        }
        let mut output = HeadOutput {
            output,
            metrics: &self.metrics,
            watermarks: self.watermarks.as_mut(),
            events: self.is_coordinated.then_some(&mut self.events),
            now,
        };
        let poll = guard(&self.info.name, || reader.poll(&mut output))?;
        if let (Poll::SplitsDone, Some(watermarks)) = (poll, &mut self.watermarks) {
            watermarks.retain(|_| false, now, &mut outputs.at(now))?;
        }
        self.assigned |= poll != Poll::SplitsDone;
        match poll {
            Poll::More => Ok(SourceStep::More),
            Poll::Wait(at) => {
                let due = self.watermarks.as_ref().and_then(|watermarks| watermarks.wake_at(now));
                Ok(SourceStep::Wait(Some(due.map_or(at, |due| at.min(due)))))
            }
            Poll::SplitsDone if self.no_more => Ok(SourceStep::Ended),
            Poll::SplitsDone => {
                self.splits = Splits::Requested;
                Ok(SourceStep::RequestSplits)
            }
        }
    }

    /// The reader's events for its enumerator since the last call.
    pub fn take_events(&mut self) -> Vec<Payload> {
        std::mem::take(&mut self.events)
    }

    /// An event from the enumerator for the reader.
    pub fn event(&mut self, event: Payload) -> Result<()> {
        match &mut self.reader {
            Some(reader) => guard(&self.info.name, || reader.event(event)),
            None => Err(Error::internal("the source is not open")),
        }
    }

    /// How often splits have arrived.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Splits have arrived.
    pub fn add_splits(&mut self, splits: Vec<Split>, outputs: &mut Outputs, now: Timestamp) -> Result<()> {
        self.splits = Splits::Reading;
        self.assigned = true;
        self.received += 1;
        outputs.at(now).watermark_status(WatermarkStatus::Active)?;
        if let Some(watermarks) = &mut self.watermarks {
            watermarks.add(splits.iter().map(|split| (split.id.as_str(), None)), now);
        }
        match &mut self.reader {
            Some(reader) => guard(&self.info.name, || reader.add_splits(splits)),
            None => Err(Error::internal("the source is not open")),
        }
    }

    /// There are none now. A reader that has nothing to read must not hold event time back.
    pub fn no_splits_yet(&mut self, outputs: &mut Outputs, now: Timestamp) -> Result<()> {
        if self.splits == Splits::Reading {
            // It was given some in the meantime, and requests more when they are read.
            return Ok(());
        }
        self.assigned = true;
        outputs.at(now).watermark_status(WatermarkStatus::Idle)
    }

    /// There will be no more.
    pub fn no_more_splits(&mut self) {
        self.no_more = true;
        self.splits = Splits::Reading;
    }

    /// The splits with their positions.
    ///
    /// `ended` is for people: what a restored source has left to read, its splits say.
    pub fn snapshot(&mut self, checkpoint: CheckpointId, ended: bool) -> Result<OperatorState> {
        let Some(reader) = &mut self.reader else {
            return Err(Error::internal("the source is not open"));
        };
        let splits = guard(&self.info.name, || reader.snapshot(checkpoint))?;
        let time = |split: &Split| self.watermarks.as_ref().and_then(|times| times.progress_of(&split.id));
        let entries = splits.iter().map(|split| encode(split, time(split))).collect::<Result<_>>()?;
        if self.watermarks.is_some() {
            self.left = Some(splits.into_iter().map(|split| split.id).collect());
        }
        let list = ListState { name: SPLITS.to_owned(), redistribution: Redistribution::Split, entries };
        Ok(OperatorState {
            uid: self.info.uid.clone(),
            name: self.info.name.clone(),
            max_parallelism: self.info.max_parallelism,
            state: OperatorSnapshot { lists: vec![list], ..OperatorSnapshot::default() },
            finished: ended,
            later: None,
            in_flight: None,
        })
    }

    /// A checkpoint is complete.
    pub fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        match &mut self.reader {
            Some(reader) => guard(&self.info.name, || reader.checkpoint_complete(checkpoint)),
            None => Ok(()),
        }
    }

    /// A checkpoint will not be complete.
    pub fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        match &mut self.reader {
            Some(reader) => guard(&self.info.name, || reader.checkpoint_aborted(checkpoint)),
            None => Ok(()),
        }
    }
}

/// A split in the snapshot.
#[derive(Serialize, Deserialize)]
struct Entry {
    #[serde(flatten)]
    split: Split,
    /// Its watermark, and the subtask's when it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    watermark: Option<(Timestamp, Timestamp)>,
    /// The event time at which its generator was last called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked: Option<Timestamp>,
}

fn encode(split: &Split, time: Option<EventTimeProgress>) -> Result<String> {
    let entry = Entry {
        split: split.clone(),
        watermark: time.map(|time| (time.current, time.sent)),
        asked: time.map(|time| time.asked).filter(|asked| *asked > Timestamp::MIN),
    };
    serde_json::to_string(&entry).map_err(|error| Error::internal("cannot write a split").with_source(error))
}

fn decode(entries: &[String]) -> Result<Vec<(Split, Option<EventTimeProgress>)>> {
    let read = |entry: &String| {
        let Entry { split, watermark, asked } = serde_json::from_str(entry)
            .map_err(|error| Error::state("cannot read a split of the source").with_source(error))?;
        let time = watermark.map(|(current, sent)| EventTimeProgress {
            current,
            sent,
            asked: asked.unwrap_or(Timestamp::MIN),
        });
        Ok((split, time))
    };
    entries.iter().map(read).collect()
}
