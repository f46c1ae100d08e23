//! The SDK of sources and sinks.
//!
//! SQL finds a connector by the name in a table's `'connector' = '...'` option; the connector lists its other
//! options ([`options`]), and a [`format`] turns bytes into rows. From a table the connector creates a
//! [`Source`] (split enumerator in the JobManager, readers in the tasks) or a [`Sink`] (writers and
//! committers in the tasks). A DataStream program creates its sources and sinks itself; they implement the
//! same traits, marked with the type of their values ([`Produces`], [`Consumes`]).
//!
//! Exactly once: a reader's splits carry their positions and are part of the checkpoint; a writer hands its
//! output over as committables that are part of the checkpoint before anything is visible, and commits are
//! idempotent.
//!
//! Readers and writers are driven synchronously by the task's thread. One that waits for an external system
//! does so on its own threads and returns [`Poll::Wait`]; it wakes the task ([`ReaderContext::waker`]) and
//! never blocks it for long.
//!
//! # A source
//!
//! | part | where | what it does |
//! |---|---|---|
//! | [`Source`] | made in the JobManager and in each task | makes the other two; holds the configuration and nothing that changes |
//! | [`SplitEnumerator`] | JobManager | finds splits, now or later, and assigns them to readers |
//! | [`SourceReader`] | one in each subtask | reads splits, a batch at a time |
//!
//! A [`Split`] is a part of the source that one reader reads: a file, a partition. Its `id` is the same in
//! every run; its [`Payload`] is private to the connector and contains the position. When a checkpoint is
//! taken, the enumerator returns its unassigned splits, and readers return their unfinished splits with
//! positions. After a failure, or at another parallelism, the splits of all readers are redistributed.
//!
//! Readers register with the enumerator and report when they have nothing left to read; it may assign splits
//! in response to either, or at any other time, because it discovers splits on its own schedule. It waits for
//! external systems in the [`Background`]. Readers and enumerator can exchange events that the connector
//! defines.
//!
//! A checkpoint has an id. A reader that acknowledges to an external system records its position with each
//! snapshot, and acknowledges up to that position when that checkpoint is complete: others may have been
//! taken in the meantime.
//!
//! Example: the numbers below a limit, produced by all readers together:
//!
//! ```
//! use std::collections::VecDeque;
//! use std::sync::Arc;
//!
//! use flott_batch::{Batch, Records};
//! use flott_connector::{
//!     Boundedness, EnumeratorContext, FixedSplits, Payload, Poll, Produces, ReaderContext, Source, SourceOutput,
//!     SourceReader, Split, SplitEnumerator,
//! };
//! use flott_types::{CheckpointId, Error, Result};
//!
//! struct Numbers {
//!     below: u64,
//! }
//!
//! impl Source for Numbers {
//!     fn boundedness(&self) -> Boundedness {
//!         Boundedness::Bounded
//!     }
//!
//!     // The splits are known from the start. A source that finds them as it goes implements `SplitEnumerator` itself.
//!     fn enumerator(&self, restored: Option<&Payload>, context: EnumeratorContext) -> Result<Box<dyn SplitEnumerator>> {
//!         let parts = u64::from(context.parallelism);
//!         let split = |part: u64| {
//!             let (next, end) = (self.below * part / parts, self.below * (part + 1) / parts);
//!             Part { id: format!("{next}-{end}"), next, end }.to_split()
//!         };
//!         Ok(Box::new(FixedSplits::new(restored, || Ok((0..parts).map(split).collect()))?))
//!     }
//!
//!     fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
//!         Ok(Box::new(Reader { parts: VecDeque::new(), batch_size: context.batch_size as u64 }))
//!     }
//! }
//!
//! impl Produces<u64> for Numbers {}
//!
//! /// A split while it is read: its name stays, its position moves.
//! struct Part {
//!     id: String,
//!     next: u64,
//!     end: u64,
//! }
//!
//! impl Part {
//!     // The version of the payload's form: positions outlive the program that writes them.
//!     fn to_split(&self) -> Split {
//!         Split { id: self.id.clone(), payload: Payload::new(1, format!("{} {}", self.next, self.end)) }
//!     }
//!
//!     fn from_split(split: &Split) -> Result<Part> {
//!         let damaged = || Error::state(format!("the position of split {} cannot be read", split.id));
//!         split.payload.check(&[1], &split.id)?;
//!         let (next, end) = split.payload.text(&split.id)?.split_once(' ').ok_or_else(damaged)?;
//!         let parse = |text: &str| text.parse().map_err(|error| damaged().with_source(error));
//!         Ok(Part { id: split.id.clone(), next: parse(next)?, end: parse(end)? })
//!     }
//! }
//!
//! struct Reader {
//!     parts: VecDeque<Part>,
//!     batch_size: u64,
//! }
//!
//! impl SourceReader for Reader {
//!     fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
//!         self.parts.extend(splits.iter().map(Part::from_split).collect::<Result<Vec<_>>>()?);
//!         Ok(())
//!     }
//!
//!     // One batch, so that barriers get their turn. The position moves with the rows: a snapshot may come next.
//!     fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
//!         let Some(part) = self.parts.front_mut() else { return Ok(Poll::SplitsDone) };
//!         let end = part.end.min(part.next + self.batch_size);
//!         output.emit(&part.id, Records::new((part.next..end).collect::<Vec<u64>>()).into())?;
//!         part.next = end;
//!         if part.next == part.end {
//!             output.split_finished(&part.id)?;
//!             self.parts.pop_front();
//!         }
//!         Ok(Poll::More)
//!     }
//!
//!     fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
//!         Ok(self.parts.iter().map(Part::to_split).collect())
//!     }
//! }
//!
//! // And whether all of that holds, says the conformance suite.
//! use flott_connector::conformance::{SourceUnderTest, check_source};
//!
//! impl SourceUnderTest for Numbers {
//!     fn source(&self) -> Result<Arc<dyn Source>> {
//!         Ok(Arc::new(Numbers { below: self.below }))
//!     }
//!
//!     fn texts(&self, batch: Batch) -> Result<Vec<String>> {
//!         Ok(batch.into_records::<u64>()?.values.iter().map(u64::to_string).collect())
//!     }
//!
//!     fn expected(&self) -> Vec<String> {
//!         (0..self.below).map(|number| number.to_string()).collect()
//!     }
//! }
//!
//! check_source(&Numbers { below: 20 }).unwrap();
//! ```
//!
//! Event time is mostly not the source's concern: a program adds a watermark strategy, which works per split,
//! and the source only has to report when a split is finished. A source that knows its event time implements
//! [`Source::event_time`] and uses [`SourceOutput::watermark`]. One that reads several splits in parallel
//! implements [`SourceReader::pause_splits`], so that fast splits can wait for slow ones.
//!
//! # A sink
//!
//! | part | what it does |
//! |---|---|
//! | [`Sink`] | makes the other two |
//! | [`SinkWriter`] | one in each subtask: writes where nobody looks yet |
//! | [`Committer`] | one in each subtask, on its own thread: makes output visible |
//! | global committer | where a sink has one: one in the JobManager, for what becomes visible once for all subtasks |
//!
//! A checkpoint, as a writer sees it: `flush`, `prepare_commit`, `snapshot`. The committables of
//! `prepare_commit`, returned at once or [later](Prepared), are part of the checkpoint, and are committed
//! when it is complete, or when a job is restored from it, or both. The committer returns an outcome for
//! each: what it cannot commit now is retried, and is part of all checkpoints until it is committed. The
//! result of `snapshot` goes to a writer of the next attempt, which cleans up after the previous one.
//!
//! Example: lines in memory, standing in for a store with transactions:
//!
//! ```
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use flott_batch::{Batch, Records};
//! use flott_connector::{
//!     CommitOutcome, CommitRequest, Committable, Committer, CommitterContext, Consumes, Payload, Prepared, Sink,
//!     SinkContext, SinkWriter,
//! };
//! use flott_types::{CheckpointId, Error, Result};
//! use parking_lot::Mutex;
//!
//! /// The store: what was written under a transaction's name, and whether that is visible.
//! #[derive(Default)]
//! struct Store {
//!     transactions: Mutex<Vec<(String, Vec<String>, bool)>>,
//! }
//!
//! #[derive(Clone, Default)]
//! struct StoreSink(Arc<Store>);
//!
//! impl Sink for StoreSink {
//!     fn writer(&self, context: SinkContext, restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
//!         // What writers of former attempts began after their last checkpoint, no checkpoint promises to anybody. All the
//!         // rest of a writer, by its name, is promised.
//!         for entry in &restored {
//!             let entry = entry.text("a writer's state")?;
//!             let (writer, next) = entry.split_once(' ').ok_or_else(|| Error::state("a writer's state"))?;
//!             let next: u64 = next.parse().map_err(|error| Error::state("a writer's state").with_source(error))?;
//!             let open = |name: &str| {
//!                 let (of, number) = name.rsplit_once('/').unwrap_or_default();
//!                 of == writer && number.parse().is_ok_and(|number: u64| number >= next)
//!             };
//!             self.0.transactions.lock().retain(|(name, _, visible)| *visible || !open(name));
//!         }
//!         // Unique for ever, or a transaction of this attempt might be taken for one of another.
//!         static WRITERS: AtomicU64 = AtomicU64::new(0);
//!         let number = WRITERS.fetch_add(1, Ordering::Relaxed);
//!         let name = format!("{}-{}-{}-{number}", context.job, context.attempt, context.subtask);
//!         Ok(Box::new(StoreWriter { store: self.0.clone(), name, next: 0, lines: Vec::new() }))
//!     }
//!
//!     fn committer(&self, _: CommitterContext) -> Result<Box<dyn Committer>> {
//!         Ok(Box::new(self.clone()))
//!     }
//!
//!     fn is_two_phase(&self) -> bool {
//!         true
//!     }
//! }
//!
//! impl Consumes<String> for StoreSink {}
//!
//! impl Committer for StoreSink {
//!     // Perhaps for the second time.
//!     fn commit(&mut self, requests: &[CommitRequest]) -> Result<Vec<CommitOutcome>> {
//!         let mut transactions = self.0.transactions.lock();
//!         let outcome = |request: &CommitRequest| {
//!             let name = request.committable.payload.text("a transaction")?;
//!             Ok(match transactions.iter_mut().find(|(known, ..)| known == name) {
//!                 Some((_, _, visible)) if *visible => CommitOutcome::AlreadyCommitted,
//!                 Some((_, _, visible)) => {
//!                     *visible = true;
//!                     CommitOutcome::Committed
//!                 }
//!                 None => CommitOutcome::Failed(format!("there is no transaction {name}")),
//!             })
//!         };
//!         requests.iter().map(outcome).collect()
//!     }
//! }
//!
//! struct StoreWriter {
//!     store: Arc<Store>,
//!     name: String,
//!     /// The number of the next transaction.
//!     next: u64,
//!     lines: Vec<String>,
//! }
//!
//! impl SinkWriter for StoreWriter {
//!     fn write(&mut self, batch: Batch) -> Result<()> {
//!         self.lines.extend(batch.into_records::<String>()?.values);
//!         Ok(())
//!     }
//!
//!     fn prepare_commit(&mut self, _: CheckpointId, _: bool) -> Result<Prepared> {
//!         if self.lines.is_empty() {
//!             return Ok(Prepared::default());
//!         }
//!         let name = format!("{}/{}", self.name, self.next);
//!         self.next += 1;
//!         self.store.transactions.lock().push((name.clone(), std::mem::take(&mut self.lines), false));
//!         Ok(vec![Committable::new(Payload::new(1, name))].into())
//!     }
//!
//!     fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Payload>> {
//!         Ok(vec![Payload::new(1, format!("{} {}", self.name, self.next))])
//!     }
//! }
//!
//! use flott_connector::conformance::{SinkUnderTest, check_sink};
//!
//! impl SinkUnderTest for StoreSink {
//!     fn sink(&self) -> Result<Arc<dyn Sink>> {
//!         Ok(Arc::new(self.clone()))
//!     }
//!
//!     fn batch(&self, number: usize) -> Batch {
//!         Records::new(self.rows(number)).into()
//!     }
//!
//!     fn rows(&self, number: usize) -> Vec<String> {
//!         vec![format!("{number}a"), format!("{number}b")]
//!     }
//!
//!     fn visible(&self) -> Result<Vec<String>> {
//!         let transactions = self.0.transactions.lock();
//!         Ok(transactions.iter().filter(|(.., visible)| *visible).flat_map(|(_, lines, _)| lines.clone()).collect())
//!     }
//! }
//!
//! check_sink(&|| Box::new(StoreSink::default())).unwrap();
//! ```
//!
//! A sink without a second phase (print, a key-value store that is overwritten) implements `write` and
//! `flush`; after a failure its rows may come twice. It waits for outstanding acknowledgements
//! [later](Prepared::Later), before the checkpoint.
//!
//! # A table that is looked up
//!
//! A table that can be queried by key, to join it with the rows of a stream, is a
//! [`LookupTable`](lookup::LookupTable): see [`lookup`].

// A variant that is added later is looked at where it matters (in tests a catch-all is a failure that shows).
#![cfg_attr(not(test), warn(clippy::wildcard_enum_match_arm))]

mod background;
pub mod catalog;
mod commit;
pub mod conformance;
mod coordinator;
mod enumerator;
mod event_time;
mod fixed_splits;
pub mod format;
pub mod lookup;
pub mod options;
mod payload;
mod rate;
mod registry;
mod rejected;
mod sink;
mod source;
mod split_queue;

pub use background::Background;
pub use commit::{CommitRequest, Committer, MadeCommitter};
pub use coordinator::{Messages, SourceCoordinator, ToReader};
pub use enumerator::{Assignment, Assignments, Discovery, EnumeratorContext, SplitEnumerator};
pub use event_time::{EventTimePolicy, WatermarkAlignment};
pub use fixed_splits::FixedSplits;
pub use flott_checkpoint::commit::{CommitOutcome, CommitRetries};
pub use flott_operator::event_time::{EventTime, EventTimeGenerator, GeneratorFactory};
/// Metrics of a reader or writer.
pub use flott_operator::{Counter, Gauge, MetricGroup};
pub use flott_types::Waker;
pub use format::{Format, FormatFactory, Formats};
pub use options::{AnyOption, Effect, Manual, Optional, Options, Required, TableOption, WithDefault};
pub use payload::Payload;
pub use rate::RateLimiter;
pub use registry::{Changelog, ConnectedTable, Connector, Registry, TableContext};
pub use rejected::{BadRecord, Place, Rejected, check_errors};
pub use sink::{
    Committable, CommittedBy, CommitterContext, Consumes, GlobalCommitterContext, Prepared, Sink,
    SinkContext, SinkWriter,
};
pub use source::{Boundedness, Poll, Produces, ReaderContext, Source, SourceOutput, SourceReader, Split};
pub use split_queue::SplitQueue;
