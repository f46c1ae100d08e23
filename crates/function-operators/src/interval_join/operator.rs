//! The operator of an interval join.

use std::sync::Arc;

use flott_batch::{Batch, Record, Records};
use flott_operator::windows::Progress;
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState, StateColumn};
use flott_types::{CheckpointId, Error, Result, SubtaskIndex, Timestamp, Watermark};

use super::Bounds;
use super::buffer::JoinBuffer;
use flott_function::join::{JoinContext, ProcessJoinFunction};
use flott_function::operator_life;
use flott_function::output::OutputBuffer;
use flott_function::output::OutputTag;
use flott_function::runtime_context::RuntimeContext;
use flott_function::snapshot::SnapshotContext;
use flott_function::state::{Key, KeyBy, KeyTable, States, tell_dropped};

/// The two inputs.
pub struct JoinSides<K, L, R> {
    /// The key of a left record.
    pub left: Arc<dyn KeyBy<K, L>>,
    /// The key of a right record.
    pub right: Arc<dyn KeyBy<K, R>>,
    /// The side output for late left records.
    pub late_left: Option<OutputTag<L>>,
    /// The side output for late right records.
    pub late_right: Option<OutputTag<R>>,
}

impl<K, L, R> Clone for JoinSides<K, L, R> {
    fn clone(&self) -> Self {
        JoinSides {
            left: self.left.clone(),
            right: self.right.clone(),
            late_left: self.late_left.clone(),
            late_right: self.late_right.clone(),
        }
    }
}

/// The operator.
pub struct IntervalJoin<K, L, R, F: ProcessJoinFunction<L, R>> {
    function: F,
    sides: JoinSides<K, L, R>,
    bounds: Bounds,
    options: Arc<TaskOptions>,
    keys: KeyTable<K>,
    left: JoinBuffer<L>,
    right: JoinBuffer<R>,
    /// The function's operator state.
    states: States,
    subtask: SubtaskIndex,
    buffer: OutputBuffer<F::Out>,
    freed: Vec<u32>,
    /// How far event time has come.
    progress: Progress,
}

impl<K: Key, L: Record, R: Record, F: ProcessJoinFunction<L, R>> IntervalJoin<K, L, R, F> {
    /// Calls the function with each pair of records within the bounds.
    ///
    /// # Errors
    /// If a type cannot be stored in state.
    pub fn new(
        function: F,
        sides: JoinSides<K, L, R>,
        bounds: Bounds,
        max_parallelism: u32,
        options: Arc<TaskOptions>,
    ) -> Result<Self> {
        Ok(IntervalJoin {
            function,
            sides,
            bounds,
            options,
            keys: KeyTable::new(max_parallelism)?,
            left: JoinBuffer::new("left-buffer")?,
            right: JoinBuffer::new("right-buffer")?,
            states: States::default(),
            subtask: SubtaskIndex(0),
            buffer: OutputBuffer::default(),
            freed: Vec::new(),
            progress: Progress::default(),
        })
    }

    fn free(&mut self) {
        self.keys.take_new(&mut self.freed);
        for slot in self.freed.drain(..) {
            if !self.left.occupied(slot) && !self.right.occupied(slot) {
                self.keys.remove(slot);
            }
        }
    }
}

/// Matches each record of one side with those that the other side has kept, and keeps it.
#[expect(clippy::too_many_arguments, reason = "the parts of the operator, one way round or the other")]
fn meet<K: Key, A: Record, B, O: Record>(
    batch: Batch,
    key_by: &dyn KeyBy<K, A>,
    keys: &mut KeyTable<K>,
    (own, others): (&mut JoinBuffer<A>, &JoinBuffer<B>),
    bounds: Bounds,
    (progress, late): (Progress, Option<&OutputTag<A>>),
    buffer: &mut OutputBuffer<O>,
    context: &mut Context<'_>,
    mut join: impl FnMut((&A, Timestamp), (&B, Timestamp), &mut OutputBuffer<O>, &mut Context<'_>) -> Result<()>,
) -> Result<()>
where
    B: Record,
{
    let Records { values, timestamps, routes } = batch.into_records::<A>()?;
    let hashes = routes.ok_or_else(|| Error::internal("records of a keyed stream without their keys"))?;
    let no_time = || {
        Error::invalid(
            "an interval join meets a record without a timestamp; \
             call `assign_timestamps_and_watermarks` on both streams before",
        )
    };
    let timestamps = timestamps.ok_or_else(no_time)?;
    let mut slots = Vec::with_capacity(values.len());
    key_by.intern(&values, &hashes, keys, &mut slots)?;
    for ((value, at), slot) in values.into_iter().zip(timestamps).zip(slots) {
        if at == Timestamp::MIN {
            return Err(no_time());
        }
        if at < progress.now() {
            match late {
                Some(tag) => {
                    buffer.at(Some(at));
                    buffer.collector(context.output).output(tag, value);
                }
                None => context.metrics.num_late_records_dropped.inc(),
            }
            continue;
        }
        let (from, to) = bounds.around(at);
        for other in others.between(slot, from, to) {
            join((&value, at), other, buffer, context)?;
        }
        own.add(slot, at, value);
    }
    buffer.flush(context.output)
}

impl<K: Key, L: Record, R: Record, F: ProcessJoinFunction<L, R>> Operator for IntervalJoin<K, L, R, F> {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.progress.restore(&mut restored, context.info)?;
        self.left.restore(&mut self.keys, &mut restored)?;
        self.right.restore(&mut self.keys, &mut restored)?;
        let (info, metrics) = (context.info, context.metrics);
        self.subtask = info.subtask;
        let runtime = RuntimeContext::new(info, &self.options, metrics, &mut restored, None);
        self.function.open(&mut runtime.with_states(&mut self.states))?;
        self.states.operator.refuse(Progress::STATE)?;
        tell_dropped(&info.name, &restored);
        self.free();
        Ok(())
    }

    fn process(&mut self, input: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let progress = self.progress;
        let watermark = Watermark(progress.now());
        let IntervalJoin { function, sides, bounds, keys, left, right, states, buffer, .. } = self;
        let mut join = |left: (&L, Timestamp),
                        right: (&R, Timestamp),
                        buffer: &mut OutputBuffer<F::Out>,
                        context: &mut Context<'_>| {
            buffer.at(Some(left.1.max(right.1)));
            let collector = buffer.collector(context.output);
            let mut joined = JoinContext::new(collector, states, (left.1, right.1), watermark);
            function.process_element(left.0, right.0, &mut joined)
        };
        if input == 0 {
            let (key_by, late) = (&*sides.left, (progress, sides.late_left.as_ref()));
            meet(batch, key_by, keys, (left, right), *bounds, late, buffer, context, join)?;
        } else {
            let (key_by, late) = (&*sides.right, (progress, sides.late_right.as_ref()));
            let bounds = bounds.mirrored();
            meet(
                batch,
                key_by,
                keys,
                (right, left),
                bounds,
                late,
                buffer,
                context,
                |right, left, buffer, context| join(left, right, buffer, context),
            )?;
        }
        self.states.check()?;
        self.free();
        Ok(())
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.progress.advance(watermark.0);
        self.left.clean(self.bounds.over(watermark.0), &mut self.freed);
        self.right.clean(self.bounds.mirrored().over(watermark.0), &mut self.freed);
        self.free();
        context.output.watermark(watermark)
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        let IntervalJoin { function, keys, left, right, states, freed, .. } = self;
        function.snapshot_state(&mut SnapshotContext::new(states, checkpoint))?;
        states.check()?;
        let lists = states.operator.snapshot(self.subtask)?;
        let mut keyed = Vec::new();
        left.snapshot(keys, full, freed, &mut keyed)?;
        right.snapshot(keys, full, freed, &mut keyed)?;
        self.free();
        let mut snapshot = OperatorSnapshot { keyed, lists, ..OperatorSnapshot::default() };
        self.progress.save(&mut snapshot);
        Ok(snapshot)
    }

    operator_life!(function);
}
