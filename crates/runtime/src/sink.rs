//! The sink operator: a writer, and a committer for what the writer hands over.
//!
//! What the writer hands over at a checkpoint is in that checkpoint, and is committed when it, or a later one, is complete. On
//! restore everything that the checkpoint holds is committed again before a row is written: the task may have failed
//! between the completion and its commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_connector::{Committable, Sink, SinkContext, SinkWriter};
use flott_operator::{Context, Operator};
use flott_state::{ListState, OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{CheckpointId, Clock, Error, Result, Timestamp, Watermark};
use serde::{Deserialize, Serialize};

use crate::Constraint;

const COMMITTABLES: &str = "committables";
const WRITER: &str = "writer";

/// Writes to a table.
pub struct SinkOperator {
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    writer: Option<Box<dyn SinkWriter>>,
    pending: Vec<Pending>,
    ended: bool,
    constraint: Option<Box<dyn Constraint>>,
}

/// An entry of the operator state.
#[derive(Serialize, Deserialize)]
struct Pending {
    checkpoint: CheckpointId,
    committable: Committable,
}

impl SinkOperator {
    /// The operator of one subtask.
    pub fn new(sink: Arc<dyn Sink>, clock: Arc<dyn Clock>) -> Self {
        SinkOperator { sink, clock, writer: None, pending: Vec::new(), ended: false, constraint: None }
    }

    /// Rows are held against what the table demands before they are written.
    #[must_use]
    pub(crate) fn with_constraint(mut self, constraint: Option<Box<dyn Constraint>>) -> Self {
        self.constraint = constraint;
        self
    }

    fn writer(&mut self) -> Result<&mut dyn SinkWriter> {
        match &mut self.writer {
            Some(writer) => Ok(&mut **writer),
            None => Err(Error::internal("the sink is not open")),
        }
    }

    fn schedule(&mut self, context: &mut Context<'_>) -> Result<()> {
        if let Some(at) = self.writer()?.next_time() {
            context.schedule(at);
        }
        Ok(())
    }
}

impl Operator for SinkOperator {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let unreadable = |error| Error::state("cannot read a committable").with_source(error);
        let pending: Vec<Pending> = restored
            .take_list(COMMITTABLES)
            .iter()
            .map(|entry| serde_json::from_str(entry).map_err(unreadable))
            .collect::<Result<_>>()?;
        let mut of_checkpoint: BTreeMap<CheckpointId, Vec<Committable>> = BTreeMap::new();
        for Pending { checkpoint, committable } in pending {
            of_checkpoint.entry(checkpoint).or_default().push(committable);
        }
        for (checkpoint, committables) in of_checkpoint {
            self.sink.commit_restored(checkpoint, &committables)?;
        }
        let sink_context = SinkContext {
            job: context.info.job,
            attempt: context.info.attempt,
            subtask: context.info.subtask,
            parallelism: context.info.parallelism,
            is_restored: restored.found,
            clock: self.clock.clone(),
        };
        self.writer = Some(self.sink.writer(sink_context, restored.take_list(WRITER))?);
        self.schedule(context)
    }

    fn process(&mut self, _input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let batch = match &self.constraint {
            Some(constraint) => constraint.enforce(batch, &context.metrics.num_records_out_errors)?,
            None => batch,
        };
        let rows = batch.num_rows() as u64;
        if rows > 0 {
            self.writer()?.write(batch)?;
        }
        context.metrics.num_records_out.add(rows);
        self.schedule(context)
    }

    fn watermark(&mut self, _: Watermark, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    fn watermark_status(&mut self, _: WatermarkStatus, _: &mut Context<'_>) -> Result<()> {
        Ok(())
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.writer()?.on_time(now)?;
        self.schedule(context)
    }

    fn prepare_barrier(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.writer()?.flush()
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, _full: bool) -> Result<OperatorSnapshot> {
        let end = self.ended;
        let committables = self.writer()?.prepare_commit(checkpoint, end)?;
        let pending = committables.into_iter().map(|committable| Pending { checkpoint, committable });
        self.pending.extend(pending);
        let entry = |pending: &Pending| {
            serde_json::to_string(pending)
                .map_err(|error| Error::internal("cannot write a committable").with_source(error))
        };
        let list = |name: &str, entries| ListState {
            name: name.to_owned(),
            redistribution: Redistribution::Split,
            entries,
        };
        let committables = self.pending.iter().map(entry).collect::<Result<_>>()?;
        let writer = self.writer()?.snapshot()?;
        let lists = vec![list(COMMITTABLES, committables), list(WRITER, writer)];
        Ok(OperatorSnapshot { keyed: Vec::new(), lists })
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.pending)
            .into_iter()
            .partition(|pending| pending.checkpoint <= checkpoint);
        self.pending = later;
        if due.is_empty() {
            return Ok(());
        }
        let committables: Vec<_> = due.into_iter().map(|pending| pending.committable).collect();
        self.sink.commit(&committables)
    }

    fn input_dry(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.writer()?.flush()
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<()> {
        self.ended = true;
        self.writer()?.flush()?;
        if !self.sink.is_two_phase() {
            // Nothing else tells such a writer that there is no more to come.
            let committables = self.writer()?.prepare_commit(CheckpointId(0), true)?;
            self.sink.commit(&committables)?;
        }
        Ok(())
    }

    fn close(&mut self) {
        self.writer = None;
    }
}
