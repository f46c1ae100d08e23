//! A wrapper around every operator, in tests and debug builds, that checks the contract between operators.
//!
//! For all operators: columns have the types in the plan; watermarks do not go back, in or out; there are no
//! rows after the end; barrier ids increase; there are no retractions where the plan excludes them, and none
//! of a row that was not emitted before. For operators that promise it ([`promises`]): both halves of an
//! update are adjacent and have the same key; no row is behind the watermark. A violation is an error of the
//! operator that caused it.
//!
//! Emitted rows are tracked in memory, so only from a known beginning: not for a restored operator, not after
//! an input with invalid retractions (a broken external changelog, say), and not beyond a million different
//! rows.

mod changelog;
mod output;
mod promises;
#[cfg(test)]
mod tests;

use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, ChangeBatch, WatermarkStatus, arrow_type};
use flott_plan::{ChainedNode, Schema};
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

use crate::{Backlog, Committing, Context, Operator, SnapshotLater};
use changelog::Changelog;
use output::{CheckedOutput, OutputCheck};
use promises::Promises;

/// The wrapper.
pub struct Checked {
    inner: Box<dyn Operator>,
    inputs: Vec<InputCheck>,
    output: OutputCheck,
    watermark: Watermark,
    last_barrier: CheckpointId,
    finished: bool,
}

struct InputCheck {
    schema: SchemaRef,
    insert_only: bool,
    changelog: Changelog,
    ended: bool,
}

fn violated(what: impl std::fmt::Display) -> Error {
    Error::internal(format!("invariant violated: {what}"))
}

/// Names of columns may differ from those of the plan (a union, a renamed column); types may not.
fn check_schema(batch: &Batch, schema: &SchemaRef, which: &str) -> Result<()> {
    let Batch::Changes(changes) = batch else {
        return Ok(());
    };
    let found = changes.schema();
    let types = |schema: &SchemaRef| {
        schema.fields().iter().map(|field| field.data_type().clone()).collect::<Vec<_>>()
    };
    let same = found.fields().len() == schema.fields().len()
        && found
            .fields()
            .iter()
            .zip(schema.fields())
            .all(|(found, want)| found.data_type().equals_datatype(want.data_type()));
    if same {
        return Ok(());
    }
    Err(violated(format_args!("{which} has columns {:?}, the plan says {:?}", types(&found), types(schema))))
}

fn retracts(changes: &ChangeBatch) -> bool {
    let retracts =
        |row: usize| changes.selection().is_none_or(|s| s.value(row)) && !changes.kind(row).is_addition();
    changes.kinds().is_some() && (0..changes.physical_rows()).any(retracts)
}

impl Checked {
    /// Wraps an operator of the plan.
    pub fn new(inner: Box<dyn Operator>, node: &ChainedNode) -> Self {
        let promises = Promises::of(&node.node.spec);
        let followed = || {
            let mut changelog = Changelog::default();
            if !promises.consistent {
                changelog.forget();
            }
            changelog
        };
        let input = |schema: &Schema| {
            let schema = arrow_type::schema(schema.iter());
            let insert_only = promises.insert_only_input;
            InputCheck { schema, insert_only, changelog: followed(), ended: false }
        };
        Checked {
            inner,
            inputs: node.inputs.iter().map(input).collect(),
            output: OutputCheck {
                types: node.node.schema.columns.iter().map(|column| column.ty.clone()).collect(),
                changelog: followed(),
                pairs: promises.pairs,
                on_time: promises.on_time,
                schema: arrow_type::schema(node.node.schema.iter()),
                watermark: Watermark::MIN,
                finished: false,
            },
            watermark: Watermark::MIN,
            last_barrier: CheckpointId(0),
            finished: false,
        }
    }

    fn with<T>(
        &mut self,
        context: &mut Context<'_>,
        call: impl FnOnce(&mut dyn Operator, &mut Context<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut output = CheckedOutput { check: &mut self.output, output: &mut *context.output };
        let mut context = Context {
            info: context.info,
            now: context.now,
            watermark: context.watermark,
            output: &mut output,
            metrics: context.metrics,
            wake_at: &mut *context.wake_at,
            waker: context.waker,
        };
        call(&mut *self.inner, &mut context)
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl Operator for Checked {
    fn open(&mut self, restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        if restored.found {
            // What was received and emitted before the restore is not known.
            self.inputs.iter_mut().for_each(|input| input.changelog.forget());
            self.output.changelog.forget();
        }
        self.with(context, |operator, context| operator.open(restored, context))
    }

    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Some(check) = self.inputs.get_mut(input) else {
            return Err(violated(format_args!("rows arrive on input {input}, which the plan does not have")));
        };
        if check.ended || self.finished {
            return Err(violated(format_args!("rows arrive on input {input} after its end")));
        }
        check_schema(&batch, &check.schema, "the input")?;
        if let Batch::Changes(changes) = &batch {
            if check.insert_only && retracts(changes) {
                return Err(violated("a retraction arrives on an input that is insert-only in the plan"));
            }
            if check.changelog.follow(changes).is_some() {
                // The operator may merely forward an invalid retraction.
                check.changelog.forget();
                self.output.changelog.forget();
            }
        }
        self.with(context, |operator, context| operator.process(input, batch, context))
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        if watermark < self.watermark {
            return Err(violated(format_args!("watermark {watermark} comes after {}", self.watermark)));
        }
        self.watermark = watermark;
        self.with(context, |operator, context| operator.watermark(watermark, context))
    }

    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        self.with(context, |operator, context| operator.watermark_status(status, context))
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.with(context, |operator, context| operator.processing_time(now, context))
    }

    fn restores_in_parts(&self) -> bool {
        self.inner.restores_in_parts()
    }

    fn woken(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.with(context, |operator, context| operator.woken(context))
    }

    fn backlog(&self) -> Backlog {
        self.inner.backlog()
    }

    fn prepare_barrier(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.with(context, |operator, context| operator.prepare_barrier(context))
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        if checkpoint <= self.last_barrier {
            return Err(violated(format_args!(
                "barrier {checkpoint} comes after barrier {}",
                self.last_barrier
            )));
        }
        self.last_barrier = checkpoint;
        self.inner.snapshot(checkpoint, full)
    }

    fn snapshot_later(&mut self) -> Option<SnapshotLater> {
        self.inner.snapshot_later()
    }

    fn committing(&self) -> Committing {
        self.inner.committing()
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.inner.checkpoint_complete(checkpoint)
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.inner.checkpoint_aborted(checkpoint)
    }

    fn input_dry(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.with(context, |operator, context| operator.input_dry(context))
    }

    fn end_input(&mut self, input: usize, context: &mut Context<'_>) -> Result<()> {
        if let Some(check) = self.inputs.get_mut(input) {
            check.ended = true;
        }
        self.with(context, |operator, context| operator.end_input(input, context))
    }

    fn finish(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.finished = true;
        self.with(context, |operator, context| operator.finish(context))?;
        self.output.finished = true;
        Ok(())
    }

    fn close(&mut self) {
        self.inner.close();
    }
}
