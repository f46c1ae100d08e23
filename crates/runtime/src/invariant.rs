//! A wrapper around every operator in tests and debug builds that checks what operators promise each other.
//!
//! Columns of the types in the plan; watermarks that do not go back; no rows after the end; barrier ids that increase; no
//! retraction where the plan says that there is none; both halves of an aggregation's update side by side. A violation is an error of the operator that committed it.

use arrow::datatypes::SchemaRef;
use flott_batch::{Batch, RowKind, WatermarkStatus, arrow_type};
use flott_operator::{Backlog, Context, Operator, Output};
use flott_plan::{ChainedNode, OperatorSpec};
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

/// The wrapper.
pub struct Checked {
    inner: Box<dyn Operator>,
    inputs: Vec<InputCheck>,
    output: OutputCheck,
    last_barrier: CheckpointId,
    finished: bool,
}

struct InputCheck {
    schema: SchemaRef,
    insert_only: bool,
    ended: bool,
}

struct OutputCheck {
    schema: SchemaRef,
    /// Both halves of an update leave side by side.
    paired: bool,
    watermark: Watermark,
    finished: bool,
}

struct CheckedOutput<'a> {
    check: &'a mut OutputCheck,
    output: &'a mut dyn Output,
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

impl OutputCheck {
    fn batch(&self, batch: &Batch) -> Result<()> {
        if self.finished {
            return Err(violated("rows are emitted after the end"));
        }
        check_schema(batch, &self.schema, "the output")?;
        let Batch::Changes(changes) = batch else { return Ok(()) };
        if let (true, Some(kinds)) = (self.paired, changes.kinds()) {
            let rows = (0..kinds.len()).filter(|row| changes.selection().is_none_or(|s| s.value(*row)));
            let mut open = false;
            for kind in rows.map(|row| kinds.get(row)) {
                if open != (kind == RowKind::UpdateAfter) {
                    let what = if open { "a -U without its +U" } else { "a +U without its -U" };
                    return Err(violated(format_args!("{what} is emitted")));
                }
                open = kind == RowKind::UpdateBefore;
            }
            if open {
                return Err(violated("a batch ends between -U and +U"));
            }
        }
        Ok(())
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl Output for CheckedOutput<'_> {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        self.check.batch(&batch)?;
        self.output.emit(batch)
    }

    fn emit_side(&mut self, tag: &str, batch: Batch) -> Result<()> {
        if self.check.finished {
            return Err(violated("values are emitted to a side output after the end"));
        }
        self.output.emit_side(tag, batch)
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        if watermark < self.check.watermark {
            let last = self.check.watermark;
            return Err(violated(format_args!("watermark {watermark} is emitted after {last}")));
        }
        self.check.watermark = watermark;
        self.output.watermark(watermark)
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        self.output.watermark_status(status)
    }
}

impl Checked {
    /// Wraps an operator of the plan.
    pub fn new(inner: Box<dyn Operator>, node: &ChainedNode) -> Self {
        let insert_only = match &node.node.spec {
            OperatorSpec::GroupAggregate { input_updates, .. }
            | OperatorSpec::WindowAggregate { input_updates, .. }
            | OperatorSpec::TopN { input_updates, .. } => !input_updates,
            OperatorSpec::OverAggregate { .. } | OperatorSpec::TemporalSort { .. } => true,
            _ => false,
        };
        let input = |schema: &flott_plan::Schema| InputCheck {
            schema: arrow_type::schema(schema.iter()),
            insert_only,
            ended: false,
        };
        let schema = arrow_type::schema(node.node.schema.iter());
        Checked {
            inner,
            inputs: node.inputs.iter().map(input).collect(),
            output: OutputCheck {
                paired: matches!(
                    &node.node.spec,
                    OperatorSpec::GroupAggregate { emit_update_before: true, .. }
                ),
                schema,
                watermark: Watermark::MIN,
                finished: false,
            },
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
        self.with(context, |operator, context| operator.open(restored, context))
    }

    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Some(check) = self.inputs.get(input) else {
            return Err(violated(format_args!(
                "rows come through input {input}, which the plan does not have"
            )));
        };
        if check.ended || self.finished {
            return Err(violated(format_args!("rows come through input {input} after its end")));
        }
        check_schema(&batch, &check.schema, "the input")?;
        if let (true, Batch::Changes(changes)) = (check.insert_only, &batch) {
            let retracts = |row: usize| {
                changes.selection().is_none_or(|s| s.value(row)) && !changes.kind(row).is_addition()
            };
            if changes.kinds().is_some() && (0..changes.physical_rows()).any(retracts) {
                return Err(violated("a retraction comes through an input that the plan calls insert-only"));
            }
        }
        self.with(context, |operator, context| operator.process(input, batch, context))
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.with(context, |operator, context| operator.watermark(watermark, context))
    }

    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        self.with(context, |operator, context| operator.watermark_status(status, context))
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.with(context, |operator, context| operator.processing_time(now, context))
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
