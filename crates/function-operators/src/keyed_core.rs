//! What every operator with a keyed function has around it: keys, states, timers, output.

use std::sync::Arc;

use flott_batch::{Batch, Record, Records};
use flott_operator::Context;
use flott_runtime::TaskOptions;
use flott_state::spill::Spill;
use flott_state::{OperatorSnapshot, RestoredState, StateColumn, TimerQueue};
use flott_types::{CheckpointId, Error, Result, SubtaskIndex, Timestamp};

use flott_function::broadcast::KeyedBroadcastContext;
use flott_function::keyed_process::KeyedCall;
use flott_function::keyed_process::{KeyedContext, TimeDomain};
use flott_function::output::OutputBuffer;
use flott_function::process::ProcessContext;
use flott_function::runtime_context::KeyedScope;
use flott_function::runtime_context::RuntimeContext;
use flott_function::snapshot::SnapshotContext;
use flott_function::state::{EVENT_TIMERS, Key, KeyBy, KeyTable, PROCESSING_TIMERS, States, tell_dropped};

/// The keys of an operator, from any of its inputs, with their states and timers, and the output of the
/// function. The operator owns the function and passes it as a closure with each call.
pub struct KeyedCore<K, O> {
    options: Arc<TaskOptions>,
    subtask: SubtaskIndex,
    keys: KeyTable<K>,
    states: States,
    event_timers: TimerQueue,
    processing_timers: TimerQueue,
    spill: Spill,
    /// Whether keys may leave memory.
    spills: bool,
    buffer: OutputBuffer<O>,
    /// By value of the batch, kept for its memory.
    slots: Vec<u32>,
}

impl<K: Key, O: Record> KeyedCore<K, O> {
    pub fn new(max_parallelism: u32, options: Arc<TaskOptions>) -> Result<Self> {
        Ok(KeyedCore {
            options,
            subtask: SubtaskIndex(0),
            keys: KeyTable::new(max_parallelism)?,
            states: States::default(),
            event_timers: TimerQueue::new(EVENT_TIMERS),
            processing_timers: TimerQueue::new(PROCESSING_TIMERS),
            spill: Spill::default(),
            spills: true,
            buffer: OutputBuffer::default(),
            slots: Vec::new(),
        })
    }

    /// For a function that may ask for all keys: they stay in memory.
    #[must_use]
    pub fn resident(mut self) -> Self {
        self.spills = false;
        self
    }

    /// Restores timers, and the states that the function declares in `open`, part by part if there is too much
    /// of them.
    pub fn open(
        &mut self,
        mut restored: RestoredState,
        context: &mut Context<'_>,
        open: impl FnOnce(&mut RuntimeContext<'_>) -> Result<()>,
    ) -> Result<()> {
        self.declare(&mut restored, context, open)?;
        tell_dropped(&context.info.name, &restored);
        let KeyedCore { options, keys, states, event_timers, processing_timers, spill, spills, .. } =
            &mut *self;
        let memory = options.table_memory();
        match *spills {
            true => {
                let life = states.longest_life();
                spill.begin(keys, &mut all(states, event_timers, processing_timers), memory, life)?;
            }
            false => spill.count(keys, memory)?,
        }
        loop {
            self.spill.grew();
            self.free();
            self.make_room()?;
            if !restored.next_part()? {
                break;
            }
            let KeyedCore { keys, states, event_timers, processing_timers, .. } = self;
            states.restore(keys, &mut restored)?;
            event_timers.restore(keys, &mut restored)?;
            processing_timers.restore(keys, &mut restored)?;
        }
        self.after(context)
    }

    /// Restores timers, and the states that the function declares in `open`, to be looked at: all of them at once, and
    /// what the function does not declare is not lost by that.
    pub fn open_read_only(
        &mut self,
        mut restored: RestoredState,
        context: &mut Context<'_>,
        open: impl FnOnce(&mut RuntimeContext<'_>) -> Result<()>,
    ) -> Result<()> {
        self.declare(&mut restored, context, open)
    }

    fn declare(
        &mut self,
        restored: &mut RestoredState,
        context: &mut Context<'_>,
        open: impl FnOnce(&mut RuntimeContext<'_>) -> Result<()>,
    ) -> Result<()> {
        self.subtask = context.info.subtask;
        let KeyedCore { options, keys, states, event_timers, processing_timers, .. } = self;
        states.now = context.now;
        event_timers.restore(keys, restored)?;
        processing_timers.restore(keys, restored)?;
        let keyed = KeyedScope { keys, states };
        open(&mut RuntimeContext::new(context.info, options, context.metrics, restored, Some(keyed)))?;
        states.refuse(&[EVENT_TIMERS, PROCESSING_TIMERS])
    }

    /// Calls the function once with each key that has a state or timer.
    pub fn visit(
        &mut self,
        context: &mut Context<'_>,
        mut call: impl FnMut(&mut KeyedContext<'_, K, O>) -> Result<()>,
    ) -> Result<()> {
        for slot in self.keys.live().collect::<Vec<_>>() {
            self.call(slot, None, None, context, &mut call)?;
        }
        self.states.check()?;
        self.buffer.flush(context.output)
    }

    /// Calls the function with each record of an input, at the record's key.
    pub fn process<I: Record>(
        &mut self,
        key_by: &dyn KeyBy<K, I>,
        batch: Batch,
        context: &mut Context<'_>,
        mut call: impl FnMut(I, &mut KeyedContext<'_, K, O>) -> Result<()>,
    ) -> Result<()> {
        let Records { values, timestamps, routes } = batch.into_records::<I>()?;
        let hashes = routes.ok_or_else(|| Error::internal("records of a keyed stream without their keys"))?;
        let mut slots = std::mem::take(&mut self.slots);
        slots.clear();
        key_by.intern(&values, &hashes, &mut self.keys, &mut slots)?;
        self.states.now = context.now;
        self.bring_back()?;
        self.spill.note_use(&slots);
        self.states.warm(&slots, self.keys.len());
        let count = slots.len();
        for (at, (value, slot)) in values.into_iter().zip(&slots).enumerate() {
            let timestamp = timestamps.as_ref().map(|timestamps| timestamps[at]);
            self.call(*slot, timestamp, None, context, |keyed| call(value, keyed))?;
        }
        self.slots = slots;
        self.states.tidy(context.now, count);
        self.sweep(count);
        self.after(context)
    }

    /// Calls the function with each record of an input without keys.
    pub fn broadcast<I: Record>(
        &mut self,
        batch: Batch,
        context: &mut Context<'_>,
        mut call: impl FnMut(I, &mut KeyedBroadcastContext<'_, K, O>) -> Result<()>,
    ) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<I>()?;
        self.states.now = context.now;
        let (watermark, now) = (context.watermark, context.now);
        for (at, value) in values.into_iter().enumerate() {
            let timestamp = timestamps.as_ref().map(|timestamps| timestamps[at]);
            let KeyedCore { keys, states, buffer, .. } = self;
            buffer.at(timestamp);
            let collector = buffer.collector(context.output);
            let process = ProcessContext::new(collector, states, timestamp, (watermark, now));
            call(value, &mut KeyedBroadcastContext::new(process, keys))?;
        }
        self.after(context)
    }

    /// Calls the function with each timer of a time domain that is due.
    pub fn fire(
        &mut self,
        domain: TimeDomain,
        until: Timestamp,
        context: &mut Context<'_>,
        mut call: impl FnMut(Timestamp, &mut KeyedContext<'_, K, O>) -> Result<()>,
    ) -> Result<()> {
        self.states.now = context.now;
        if domain == TimeDomain::ProcessingTime {
            self.states.tidy(context.now, 0);
            self.sweep(0);
        }
        let state = match domain {
            TimeDomain::EventTime => EVENT_TIMERS,
            TimeDomain::ProcessingTime => PROCESSING_TIMERS,
        };
        // Of the keys that are not in memory, as many as there is room for at a time, the earliest first.
        loop {
            let KeyedCore { keys, states, event_timers, processing_timers, spill, .. } = self;
            let mut columns = all(states, event_timers, processing_timers);
            let reached = spill.fetch_due(state, keys, &mut columns, until)?;
            self.fire_until(domain, reached, context, &mut call)?;
            if self.spill.first_due(state).is_none_or(|at| at > until) {
                break;
            }
            self.free();
            self.make_room()?;
        }
        self.after(context)
    }

    fn fire_until(
        &mut self,
        domain: TimeDomain,
        until: Timestamp,
        context: &mut Context<'_>,
        mut call: impl FnMut(Timestamp, &mut KeyedContext<'_, K, O>) -> Result<()>,
    ) -> Result<()> {
        loop {
            let timers = match domain {
                TimeDomain::EventTime => &mut self.event_timers,
                TimeDomain::ProcessingTime => &mut self.processing_timers,
            };
            let Some(((at, slot), freed)) = timers.pop_due(until) else { return Ok(()) };
            // A function may register a timer that is due at once; at the end of input it always is.
            context.output.wanted()?;
            if freed {
                self.states.freed.push(slot);
            }
            self.spill.note_use(&[slot]);
            self.call(slot, Some(at), Some(domain), context, |keyed| call(at, keyed))?;
        }
    }

    /// Brings back the rows of keys that are new in memory.
    fn bring_back(&mut self) -> Result<()> {
        if !self.spill.has_spilled() {
            return Ok(());
        }
        let KeyedCore { keys, states, event_timers, processing_timers, spill, .. } = self;
        spill.fetch(keys, &mut all(states, event_timers, processing_timers), keys.new_slots())
    }

    /// Drops some of what has expired and is not in memory; so many records have arrived since the last time.
    fn sweep(&mut self, records: usize) {
        let KeyedCore { keys, states, event_timers, processing_timers, spill, .. } = self;
        let now = states.now;
        let expired = spill.sweep(keys, &mut all(states, event_timers, processing_timers), now, records);
        if !expired.is_empty() {
            states.drop_expired(&expired);
        }
    }

    /// Lets keys leave memory if there is too much. All that are free are freed.
    fn make_room(&mut self) -> Result<()> {
        let KeyedCore { keys, states, event_timers, processing_timers, spill, .. } = self;
        if !spill.wants_room(keys.len()) {
            return Ok(());
        }
        let held = keys.memory() + states.memory() + event_timers.memory() + processing_timers.memory();
        spill.make_room(keys, &mut all(states, event_timers, processing_timers), held)
    }

    fn call(
        &mut self,
        slot: u32,
        timestamp: Option<Timestamp>,
        domain: Option<TimeDomain>,
        context: &mut Context<'_>,
        call: impl FnOnce(&mut KeyedContext<'_, K, O>) -> Result<()>,
    ) -> Result<()> {
        let KeyedCore { keys, states, event_timers, processing_timers, buffer, .. } = self;
        let Some(key) = keys.get(slot) else {
            return Err(Error::internal("a slot without a key"));
        };
        states.slot = slot;
        buffer.at(timestamp.filter(|_| domain != Some(TimeDomain::ProcessingTime)));
        let (watermark, now) = (context.watermark, context.now);
        let collector = buffer.collector(context.output);
        let call_parts =
            KeyedCall { states, event_timers, processing_timers, timestamp, domain, watermark, now };
        call(&mut KeyedContext::new(key, collector, call_parts))
    }

    /// After records or timers: flushes output, frees unused keys, and registers the next timer.
    fn after(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.states.check()?;
        self.buffer.flush(context.output)?;
        self.free();
        self.make_room()?;
        let timers = [self.processing_timers.earliest(), self.spill.first_due(PROCESSING_TIMERS)];
        let sweeps = [self.states.wake_at(), self.spill.wake_at()];
        timers.into_iter().chain(sweeps).flatten().for_each(|at| context.schedule(at));
        Ok(())
    }

    fn free(&mut self) {
        let KeyedCore { keys, states, event_timers, processing_timers, spill, .. } = self;
        let mut freed = std::mem::take(&mut states.freed);
        keys.take_new(&mut freed);
        freed.retain(|slot| {
            !states.occupied(*slot) && !event_timers.occupied(*slot) && !processing_timers.occupied(*slot)
        });
        spill.remove(keys, &freed);
        freed.drain(..).for_each(|slot| keys.remove(slot));
        states.freed = freed;
    }

    /// What changed in states and timers since the last snapshot, or everything; and operator state, after
    /// calling the function.
    pub fn snapshot(
        &mut self,
        checkpoint: CheckpointId,
        full: bool,
        ask: impl FnOnce(&mut SnapshotContext<'_>) -> Result<()>,
    ) -> Result<OperatorSnapshot> {
        let KeyedCore { keys, states, event_timers, processing_timers, .. } = self;
        ask(&mut SnapshotContext::new(states, checkpoint))?;
        states.check()?;
        let lists = states.operator.snapshot(self.subtask)?;
        let mut keyed = states.snapshot(keys, full)?;
        event_timers.snapshot(keys, full, &mut states.freed, &mut keyed)?;
        processing_timers.snapshot(keys, full, &mut states.freed, &mut keyed)?;
        let mut columns = all(states, event_timers, processing_timers);
        let spilled = self.spill.snapshot(keys, &mut columns, &keyed)?.into_iter().collect();
        self.free();
        Ok(OperatorSnapshot { keyed, spilled, lists })
    }
}

/// All states over the keys.
fn all<'a>(
    states: &'a mut States,
    event_timers: &'a mut TimerQueue,
    processing_timers: &'a mut TimerQueue,
) -> Vec<&'a mut dyn StateColumn> {
    let timers: [&mut dyn StateColumn; 2] = [event_timers, processing_timers];
    states.columns_mut().chain(timers).collect()
}
