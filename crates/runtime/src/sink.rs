//! The sink operator: a writer, and what becomes of that which the writer hands over.
//!
//! What the writer hands over at a checkpoint is in that checkpoint, and is committed when it, or a later
//! one, is complete; until it is, it is in every later checkpoint too. Commits have a thread of their own
//! ([`committing`]): one that takes long or is tried again holds up neither rows nor checkpoints; the task
//! only does not leave before all are done. On restore everything that the checkpoint holds is committed
//! again before a row is written: the task may have failed between the completion and its commit.
//!
//! What a sink commits once for the whole job, the job master commits: it takes it from the acknowledgements
//! ([`GLOBAL_COMMITTABLES`]).
//!
//! What takes its time before a snapshot (the rest of a file, answers to what was sent) is done by the
//! snapshot's thread ([`Prepared::Later`]); the checkpoint waits for it and the task does not.

mod committing;

use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_connector::{
    CommitRequest, CommitRetries, CommitterContext, Payload, Sink, SinkContext, SinkWriter,
};
use flott_operator::{Backlog, Committing, Context, Operator, SnapshotLater};
use flott_plan::Schema;
use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{CheckpointId, Clock, Error, Result, Succession, Timestamp, Watermark};

use crate::{Constraint, Threads};
pub(crate) use committing::Confirm;
use committing::{Commits, Held};

/// The operator state in which what is not committed is kept: a [`CommitRequest`] in JSON for each.
const COMMITTABLES: &str = "committables";
/// The same, of what the job master commits. It takes it out of the acknowledgements; no task starts from it.
pub const GLOBAL_COMMITTABLES: &str = "global-committables";
const WRITER: &str = "writer-state";
/// Before payloads had versions.
const OLD_WRITER: &str = "writer";

/// Writes to a table.
pub struct SinkOperator {
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    threads: Threads,
    retries: CommitRetries,
    schema: Option<Arc<Schema>>,
    restored: Option<CheckpointId>,
    succession: Option<Succession>,
    confirm: Option<Confirm>,
    writer: Option<Box<dyn SinkWriter>>,
    committing: Option<Commits>,
    /// The part of the snapshot at hand that comes later.
    later: Option<SnapshotLater>,
    ended: bool,
    constraint: Option<Box<dyn Constraint>>,
    /// The key by which rows are found, if the `-U` of rows that keep it are not written.
    drop_update_before: Option<Vec<usize>>,
}

impl SinkOperator {
    /// The operator of one subtask.
    pub fn new(sink: Arc<dyn Sink>, clock: Arc<dyn Clock>, threads: Threads, retries: CommitRetries) -> Self {
        SinkOperator {
            sink,
            clock,
            threads,
            retries,
            schema: None,
            restored: None,
            succession: None,
            confirm: None,
            writer: None,
            committing: None,
            later: None,
            ended: false,
            constraint: None,
            drop_update_before: None,
        }
    }

    /// Rows are checked against the table's constraints before they are written.
    #[must_use]
    pub(crate) fn with_constraint(mut self, constraint: Option<Box<dyn Constraint>>) -> Self {
        self.constraint = constraint;
        self
    }

    /// The -U of rows that keep this key are not written.
    #[must_use]
    pub(crate) fn with_drop_update_before(mut self, key: Option<Vec<usize>>) -> Self {
        self.drop_update_before = key;
        self
    }

    /// The columns of the rows.
    #[must_use]
    pub fn with_schema(mut self, schema: Option<Schema>) -> Self {
        self.schema = schema.map(Arc::new);
        self
    }

    /// The checkpoint that the job starts from, and which of its starts this is.
    #[must_use]
    pub fn with_restored(mut self, restored: Option<CheckpointId>, start: Option<Succession>) -> Self {
        self.restored = restored;
        self.succession = start;
        self
    }

    /// How the job master is told of commits, where it commits too.
    #[must_use]
    pub(crate) fn with_confirm(mut self, confirm: Option<Confirm>) -> Self {
        self.confirm = confirm;
        self
    }

    fn writer(&mut self) -> Result<&mut dyn SinkWriter> {
        match &mut self.writer {
            Some(writer) => Ok(&mut **writer),
            None => Err(not_open()),
        }
    }

    fn commits(&mut self) -> Result<&mut Commits> {
        self.committing.as_mut().ok_or_else(not_open)
    }

    fn schedule(&mut self, context: &mut Context<'_>) -> Result<()> {
        let writer = if self.ended { None } else { self.writer()?.next_time() };
        let commit = self.commits()?.next_time();
        [writer, commit].into_iter().flatten().for_each(|at| context.schedule(at));
        Ok(())
    }
}

fn not_open() -> Error {
    Error::internal("the sink is not open")
}

fn read<T: serde::de::DeserializeOwned>(entries: Vec<String>) -> Result<Vec<T>> {
    let unreadable = |error| Error::state("cannot read what a sink has kept").with_source(error);
    entries.iter().map(|entry| serde_json::from_str(entry).map_err(unreadable)).collect()
}

fn list<T: serde::Serialize>(name: &str, entries: impl Iterator<Item = T>) -> Result<ListState> {
    let entry = |entry| {
        serde_json::to_string(&entry)
            .map_err(|error| Error::internal("cannot write what a sink keeps").with_source(error))
    };
    let entries = entries.map(entry).collect::<Result<_>>()?;
    Ok(ListState { name: name.to_owned(), redistribution: Redistribution::Split, entries })
}

impl Operator for SinkOperator {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let info = context.info;
        let pending: Vec<CommitRequest> = read(restored.take_list(COMMITTABLES))?;
        let mut committing = Commits::new(
            self.sink.clone(),
            CommitterContext {
                job: info.job,
                subtask: info.subtask,
                metrics: context.metrics.user.clone(),
                clock: self.clock.clone(),
            },
            self.retries,
            format!("{} commits", info.name),
            self.threads.clone(),
            context.waker.clone(),
        )
        .confirmed_by(self.confirm.take());
        committing.restore(pending, &|| context.output.wanted())?;
        let writers = read::<Payload>(restored.take_list(WRITER))?;
        let old = restored.take_list(OLD_WRITER).into_iter();
        let old = old.map(|text| Payload::new(Payload::UNVERSIONED, text));
        let sink_context = SinkContext {
            job: info.job,
            attempt: info.attempt,
            succession: self.succession,
            subtask: info.subtask,
            parallelism: info.parallelism,
            restored: self.restored.filter(|_| restored.found),
            schema: self.schema.clone(),
            metrics: context.metrics.user.clone(),
            clock: self.clock.clone(),
            waker: context.waker.clone(),
        };
        self.writer = Some(self.sink.writer(sink_context, old.chain(writers).collect())?);
        self.committing = Some(committing);
        if restored.finished {
            self.ended = true;
            self.writer()?.watermark(Watermark::MAX)?;
        }
        self.schedule(context)
    }

    fn process(&mut self, _input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = match (batch, &self.drop_update_before) {
            (Batch::Changes(changes), Some(key)) => Batch::Changes(changes.without_update_before(key)?),
            (batch, _) => batch,
        };
        let batch = match &self.constraint {
            Some(constraint) => constraint.enforce(batch, &context.metrics.num_records_out_errors)?,
            None => batch,
        };
        let rows = batch.num_rows() as u64;
        if rows > 0 {
            // One that had finished before a restore may be given rows all the same.
            self.ended = false;
            self.writer()?.write(batch)?;
        }
        context.metrics.num_records_out.add(rows);
        self.schedule(context)
    }

    fn watermark(&mut self, watermark: Watermark, _: &mut Context<'_>) -> Result<()> {
        self.writer()?.watermark(watermark)
    }

    fn watermark_status(&mut self, status: WatermarkStatus, _: &mut Context<'_>) -> Result<()> {
        self.writer()?.watermark_status(status)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        if !self.ended {
            self.writer()?.on_time(now)?;
        }
        self.commits()?.go_on()?;
        self.schedule(context)
    }

    fn woken(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.writer()?.woken()?;
        self.commits()?.go_on()?;
        self.schedule(context)
    }

    fn backlog(&self) -> Backlog {
        match &self.writer {
            Some(writer) if writer.is_full() => Backlog::Full,
            Some(_) | None => Backlog::None,
        }
    }

    fn committing(&self) -> Committing {
        self.committing.as_ref().map_or(Committing::None, Commits::stage)
    }

    fn prepare_barrier(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.writer()?.flush()
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, _full: bool) -> Result<OperatorSnapshot> {
        let end = self.ended;
        let prepared = self.writer()?.prepare_commit(checkpoint, end)?;
        let writer = list(WRITER, self.writer()?.snapshot(checkpoint)?.into_iter())?;
        let hand_over = self.commits()?.hand_over(checkpoint, prepared);
        self.later = Some(Box::new(move || {
            let Held { own, global } = hand_over()?;
            let mut lists = vec![list(COMMITTABLES, own.into_iter())?];
            if !global.is_empty() {
                lists.push(list(GLOBAL_COMMITTABLES, global.into_iter())?);
            }
            Ok(lists)
        }));
        Ok(OperatorSnapshot { lists: vec![writer], ..OperatorSnapshot::default() })
    }

    fn snapshot_later(&mut self) -> Option<SnapshotLater> {
        self.later.take()
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.commits()?.complete(checkpoint)
    }

    fn input_dry(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.writer()?.flush()
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.ended = true;
        self.writer()?.flush()?;
        if !self.sink.is_two_phase() {
            // Nothing else tells such a writer that there is no more to come.
            let committables = self.writer()?.prepare_commit(CheckpointId(0), true)?.wait()?;
            if !committables.is_empty() {
                return Err(Error::internal("a sink that commits nothing hands something over"));
            }
        }
        Ok(())
    }

    fn close(&mut self) {
        self.writer = None;
        self.committing = None;
    }
}
