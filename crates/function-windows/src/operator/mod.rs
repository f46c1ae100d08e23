//! The window operator: assigns records to windows, calls triggers, and calls functions when windows fire.
//!
//! It behaves like Flink's `WindowOperator` and `EvictingWindowOperator`. Regarding time:
//!
//! - An event-time window is *over* when the watermark has reached its last timestamp plus the allowed
//!   lateness. A record for a window that is over is late: it goes to the side output for late data, or is
//!   dropped and counted.
//! - When a window is over, its trigger is called a last time; then all of its state is dropped.
//! - At the end of a bounded input the watermark advances to the end of time: all event-time windows fire.
//!   Processing-time windows that have not ended by then do not fire.
//! - Snapshots contain the watermark, so records that were late before a failure are late after it, and
//!   windows that have fired do not fire again before the first watermark arrives.
//!
//! **The end of a window needs no timer.** The default triggers fire when a window ends; then no trigger is
//! called at all (`trigger` is `None`), and nothing is stored for it: windows that end together are in one
//! list ([`Ends`]). Other triggers have state per window, and timers, which are in snapshots like any state.
//!
//! Cost per record: a hash lookup of its key, a step or two in the list of the key's windows, an index into
//! the contents. Only new windows allocate.

mod element;
mod merge;
mod states;
mod time;

use std::sync::Arc;

use flott_batch::{Batch, Record, Records};
use flott_operator::windows::{Ends, Progress, count_late, over_at};
use flott_operator::{Context, Operator};
use flott_runtime::TaskOptions;
use flott_state::{OperatorSnapshot, RestoredState, TimerQueue};
use flott_types::{CheckpointId, Error, Result, SubtaskIndex, Timestamp, Watermark};

use super::body::Body;
use super::table::WindowTable;
use crate::assigner::WindowAssigner;
use crate::assigner::{AssignerContext, Merges};
use crate::function::WindowContext;
use crate::trigger::{AnyTrigger, Trigger, TriggerContext, TriggerResult};
use crate::types::Window;
use flott_function::keyed_process::TimeDomain;
use flott_function::operator_life;
use flott_function::output::OutputBuffer;
use flott_function::output::OutputTag;
use flott_function::state::ValueState;
use flott_function::state::{EVENT_TIMERS, PROCESSING_TIMERS};
use flott_function::state::{Key, KeyBy, States};

/// State numbers of windows begin here, those of keys at 0.
const WINDOW_STATES: u32 = 1 << 16;

/// The window settings of the program.
pub struct Windowing<T, A: WindowAssigner<T>> {
    /// Which windows a record belongs to.
    pub assigner: A,
    /// When windows fire.
    pub trigger: AnyTrigger<T, A::Window>,
    /// In milliseconds.
    pub lateness: i64,
    /// The side output for records that are too late for all their windows.
    pub late: Option<OutputTag<T>>,
}

impl<T: 'static, A: WindowAssigner<T>> Clone for Windowing<T, A> {
    fn clone(&self) -> Self {
        Windowing {
            assigner: self.assigner.clone(),
            trigger: self.trigger.clone(),
            lateness: self.lateness,
            late: self.late.clone(),
        }
    }
}

/// The operator.
pub struct WindowOperator<K, T, A: WindowAssigner<T>, B: Body<K, T, A::Window>> {
    assigner: A,
    /// `None` if windows fire when they end.
    trigger: Option<AnyTrigger<T, A::Window>>,
    body: B,
    domain: TimeDomain,
    lateness: i64,
    late: Option<OutputTag<T>>,
    key_by: Arc<dyn KeyBy<K, T>>,
    options: Arc<TaskOptions>,
    subtask: SubtaskIndex,
    windows: WindowTable<K, A::Window>,
    ends: Ends,
    /// By the slots of windows: the state of triggers and the function.
    window_states: States,
    /// By the slots of keys.
    global_states: States,
    /// By the slots of windows, like all timers here.
    event_timers: TimerQueue,
    processing_timers: TimerQueue,
    /// Marks windows that exist but are empty.
    purged: ValueState<bool>,
    /// The watermark.
    progress: Progress,
    buffer: OutputBuffer<B::Out>,
    /// Kept to reuse their memory.
    slots: Vec<u32>,
    assigned: Vec<A::Window>,
    of_key: Vec<A::Window>,
    merges: Merges<A::Window>,
}

impl<K, T, A, B> WindowOperator<K, T, A, B>
where
    K: Key,
    T: Record + Clone,
    A: WindowAssigner<T>,
    B: Body<K, T, A::Window>,
    B::Out: Record,
{
    /// Assigns records to windows, whose contents the body keeps.
    ///
    /// # Errors
    /// If the type cannot be a key type.
    pub fn new(
        windowing: Windowing<T, A>,
        body: B,
        key_by: Arc<dyn KeyBy<K, T>>,
        max_parallelism: u32,
        options: Arc<TaskOptions>,
    ) -> Result<Self> {
        let Windowing { assigner, trigger, lateness, late } = windowing;
        let domain = assigner.time_domain();
        let at_end = trigger.fires_at_end() == Some(domain);
        Ok(WindowOperator {
            assigner,
            trigger: (!at_end).then_some(trigger),
            body,
            domain,
            lateness,
            late,
            key_by,
            options,
            subtask: SubtaskIndex(0),
            windows: WindowTable::new(max_parallelism)?,
            ends: Ends::default(),
            window_states: States::beside(WINDOW_STATES),
            global_states: States::default(),
            event_timers: TimerQueue::new(EVENT_TIMERS),
            processing_timers: TimerQueue::new(PROCESSING_TIMERS),
            purged: ValueState::default(),
            progress: Progress::default(),
            buffer: OutputBuffer::default(),
            slots: Vec::new(),
            assigned: Vec::new(),
            of_key: Vec::new(),
            merges: Merges::default(),
        })
    }

    /// Before records or timers.
    fn begin(&mut self, context: &Context<'_>) {
        self.window_states.now = context.now;
        self.global_states.now = context.now;
        self.progress.advance(context.watermark.0);
    }

    /// After records or timers: flushes output, frees unused windows and keys, and registers the next timer.
    fn after(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.window_states.check()?;
        self.global_states.check()?;
        self.buffer.flush(context.output)?;
        self.free();
        let end = self.ends.earliest().filter(|_| self.domain == TimeDomain::ProcessingTime);
        let expiry = [self.window_states.wake_at(), self.global_states.wake_at()];
        for at in [end, self.processing_timers.earliest()].into_iter().chain(expiry).flatten() {
            context.schedule(at);
        }
        Ok(())
    }

    /// When all state of a window is dropped; never, for windows without end.
    #[inline]
    fn over_at(&self, window: &A::Window) -> Option<Timestamp> {
        let last = window.max_timestamp();
        match self.domain {
            TimeDomain::EventTime => over_at(last, self.lateness),
            TimeDomain::ProcessingTime => over_at(last, 0),
        }
    }

    /// Whether an event-time window is over.
    #[inline]
    fn is_over(&self, window: &A::Window) -> bool {
        self.domain == TimeDomain::EventTime
            && self.over_at(window).is_some_and(|over| self.progress.has_reached(over))
    }

    /// When the window has to be checked next: when it ends, if there is no trigger to call, or when it is
    /// over.
    #[inline]
    fn next_look(&self, window: &A::Window, now: Timestamp) -> Option<Timestamp> {
        let last = window.max_timestamp();
        if self.trigger.is_none() && (last > now || self.domain == TimeDomain::ProcessingTime) {
            return Some(last);
        }
        self.over_at(window)
    }

    /// Ensures that the window is checked then, or earlier.
    #[inline]
    fn look_at(&mut self, slot: u32, at: Option<Timestamp>) {
        let Some(at) = at else { return };
        let entry = self.windows.entry_mut(slot);
        if entry.queued.is_none_or(|queued| at < queued) {
            entry.queued = Some(at);
            self.ends.push(at, slot);
        }
    }

    /// Applies the trigger's result.
    fn apply(&mut self, result: TriggerResult, slot: u32, context: &mut Context<'_>) -> Result<()> {
        if result.is_fire() {
            self.fire(slot, context)?;
        }
        if result.is_purge() {
            self.body.clear(slot);
            if A::MERGES || self.over_at(&self.windows.entry(slot).window).is_some() {
                self.window_states.slot = slot;
                self.purged.set(&mut self.window_states, true);
            } else {
                // An empty window without end does not exist.
                self.window_states.freed.push(slot);
            }
        }
        Ok(())
    }

    /// Calls the function, if the window is not empty.
    #[inline]
    fn fire(&mut self, slot: u32, context: &mut Context<'_>) -> Result<()> {
        if self.body.is_empty(slot) {
            return Ok(());
        }
        self.call(slot, context, |body, window| body.fire(slot, window))
    }

    #[inline]
    fn call(
        &mut self,
        slot: u32,
        context: &mut Context<'_>,
        call: impl FnOnce(&mut B, &mut WindowContext<'_, K, A::Window, B::Out>) -> Result<()>,
    ) -> Result<()> {
        let entry = self.windows.entry(slot);
        let Some(key) = self.windows.keys.get(entry.key) else {
            return Err(Error::internal("a window without a key"));
        };
        self.window_states.slot = slot;
        self.global_states.slot = entry.key;
        self.buffer.at(Some(entry.window.max_timestamp()));
        let mut window = WindowContext {
            key,
            window: &entry.window,
            collector: self.buffer.collector(context.output),
            window_states: &mut self.window_states,
            global_states: &mut self.global_states,
            watermark: Watermark(self.progress.now()),
            now: context.now,
        };
        call(&mut self.body, &mut window)
    }

    /// Calls the trigger, if there is one.
    fn ask(
        &mut self,
        slot: u32,
        now: Timestamp,
        ask: impl FnOnce(
            &mut AnyTrigger<T, A::Window>,
            &A::Window,
            &mut TriggerContext<'_>,
        ) -> Result<TriggerResult>,
    ) -> Result<TriggerResult> {
        let Some(trigger) = &mut self.trigger else { return Ok(TriggerResult::Continue) };
        self.window_states.slot = slot;
        let mut context = TriggerContext {
            states: &mut self.window_states,
            event_timers: &mut self.event_timers,
            processing_timers: &mut self.processing_timers,
            watermark: Watermark(self.progress.now()),
            now,
        };
        ask(trigger, &self.windows.entry(slot).window, &mut context)
    }
}

impl<K, T, A, B> Operator for WindowOperator<K, T, A, B>
where
    K: Key,
    T: Record + Clone,
    A: WindowAssigner<T>,
    B: Body<K, T, A::Window>,
    B::Out: Record,
{
    fn open(&mut self, restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.subtask = context.info.subtask;
        self.restore(restored, context)?;
        self.after(context)
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, routes } = batch.into_records::<T>()?;
        let hashes = routes.ok_or_else(|| Error::internal("records of a keyed stream without their keys"))?;
        let mut keys = std::mem::take(&mut self.slots);
        keys.clear();
        self.key_by.intern(&values, &hashes, &mut self.windows.keys, &mut keys)?;
        self.windows.grow();
        self.begin(context);
        let count = values.len();
        let mut late = 0;
        let mut assigned = std::mem::take(&mut self.assigned);
        let assigner_context =
            AssignerContext { current_processing_time: context.now, subtask: context.info.subtask.0 };
        for (at, (value, key)) in values.into_iter().zip(&keys).enumerate() {
            let timestamp = timestamps.as_ref().map(|timestamps| timestamps[at]);
            assigned.clear();
            self.assigner.assign_windows(&value, timestamp, &assigner_context, &mut assigned)?;
            let dropped = if A::MERGES {
                self.add_merging(*key, &assigned, value, timestamp, context)?
            } else {
                self.add(*key, &mut assigned, value, timestamp, context)?
            };
            late += usize::from(dropped);
        }
        (self.slots, self.assigned) = (keys, assigned);
        count_late(late, context);
        self.window_states.tidy(context.now, count);
        self.global_states.tidy(context.now, count);
        self.after(context)
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.progress.advance(watermark.0);
        self.advance(TimeDomain::EventTime, watermark.0, context)?;
        context.output.watermark(watermark)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        self.window_states.tidy(now, 0);
        self.global_states.tidy(now, 0);
        self.advance(TimeDomain::ProcessingTime, now, context)
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, full: bool) -> Result<OperatorSnapshot> {
        self.save(checkpoint, full)
    }

    operator_life!(body);
}
