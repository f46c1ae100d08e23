//! The function of a keyed stream that looks for a pattern.

use std::cmp::Ordering;
use std::sync::Arc;

use flott_batch::Record;
use flott_function::keyed_process::{KeyedContext, KeyedProcessFunction, TimeDomain};
use flott_function::output::OutputTag;
use flott_function::runtime_context::RuntimeContext;
use flott_function::snapshot::SnapshotContext;
use flott_function::state::{MapState, OperatorListState, OperatorStateAccess, StateAccess, ValueState};
use flott_operator::Counter;
use flott_pattern::{Ask, Buffer, Paths, Shape, StepError};
use flott_types::{CheckpointId, Error, Result, Timestamp};

use crate::condition::Matched;
use crate::matches::Match;
use crate::pattern::Compiled;
use crate::process::{MatchContext, PatternProcessFunction};
use crate::progress::Progress;

/// The order of events of one timestamp.
pub type Comparator<T> = Arc<dyn Fn(&T, &T) -> Ordering + Send + Sync>;

/// How events come to the pattern.
pub struct Order<T> {
    /// In the order of their timestamps, or as they arrive.
    pub event_time: bool,
    /// The order of those of one time.
    pub comparator: Option<Comparator<T>>,
    /// Where late events go.
    pub late: Option<OutputTag<T>>,
}

impl<T> Clone for Order<T> {
    fn clone(&self) -> Self {
        let Order { event_time, comparator, late } = self;
        Order { event_time: *event_time, comparator: comparator.clone(), late: late.clone() }
    }
}

/// Gives the events of each key to its pattern, and calls a function with the matches.
pub struct CepFunction<T, F> {
    pattern: Arc<Compiled<T>>,
    shape: Shape,
    order: Order<T>,
    function: F,
    progress: ValueState<Progress>,
    /// The events that partial matches have, by their numbers.
    matched: MapState<u64, T>,
    /// Events that time has not reached.
    waiting: MapState<Timestamp, Vec<T>>,
    /// How far event time had come at the last snapshot, so that what was late stays late.
    reached: OperatorListState<Timestamp>,
    watermark: Option<Timestamp>,
    late: Counter,
}

impl<T, F> CepFunction<T, F> {
    /// Calls the function with each match of the pattern.
    pub fn new(pattern: Arc<Compiled<T>>, order: Order<T>, function: F) -> Self {
        CepFunction {
            shape: pattern.automaton.shape(),
            pattern,
            order,
            function,
            progress: ValueState::default(),
            matched: MapState::default(),
            waiting: MapState::default(),
            reached: OperatorListState::default(),
            watermark: None,
            late: Counter::default(),
        }
    }
}

impl<T, F: Clone> Clone for CepFunction<T, F> {
    fn clone(&self) -> Self {
        CepFunction::new(self.pattern.clone(), self.order.clone(), self.function.clone())
    }
}

/// The conditions, asked about one event.
struct Asked<'a, T, C> {
    pattern: &'a Compiled<T>,
    event: &'a T,
    matched: MapState<u64, T>,
    context: &'a C,
    timestamp: Timestamp,
    now: Timestamp,
}

impl<T: Record, C: StateAccess> Ask<Buffer> for Asked<'_, T, C> {
    type Error = Error;

    fn ask(&mut self, condition: u32, paths: &Buffer, path: &Option<u32>, _: u64) -> Result<bool> {
        let Some(condition) = self.pattern.conditions.get(condition as usize) else { return Ok(true) };
        let events = |stage: &str| {
            let of = |number: u32| self.pattern.names.get(number as usize).is_some_and(|name| name == stage);
            let mut events: Vec<_> = paths
                .backwards(path)
                .filter(|(number, _)| of(*number))
                .filter_map(|(_, row)| self.matched.get(self.context, &row))
                .collect();
            events.reverse();
            events
        };
        Ok(condition(self.event, &Matched { events: &events, timestamp: self.timestamp, now: self.now }))
    }
}

impl<T: Record, F: PatternProcessFunction<T>> CepFunction<T, F> {
    /// How far event time has come: to this watermark, or, after a restore, to where it was.
    fn reach(&mut self, watermark: Timestamp, context: &impl OperatorStateAccess) -> Timestamp {
        let restored = || self.reached.get(context).iter().copied().min().unwrap_or(Timestamp::MIN);
        let reached = self.watermark.unwrap_or_else(restored).max(watermark);
        self.watermark = Some(reached);
        reached
    }

    /// The partial matches of the current key. They are put back by [`CepFunction::put`].
    fn take<K>(&self, context: &mut KeyedContext<'_, K, F::Out>) -> Result<Progress> {
        match self.progress.take(context) {
            None => Ok(Progress { shape: self.shape, ..Progress::default() }),
            Some(progress) if progress.shape == self.shape => Ok(progress),
            Some(_) => Err(Error::invalid(
                "the pattern is another one than that of the snapshot, whose partial matches do not fit it; \
                 give the stream of its matches another uid to begin without them",
            )),
        }
    }

    fn put<K>(&self, mut progress: Progress, context: &mut KeyedContext<'_, K, F::Out>) {
        for row in progress.buffer.forgotten() {
            self.matched.remove(context, &row);
        }
        if progress.partials.is_idle() {
            return;
        }
        if let Some(deadline) = progress.partials.deadline(&self.pattern.automaton) {
            match self.order.event_time {
                true => context.register_event_time_timer(deadline),
                false => context.register_processing_time_timer(deadline),
            }
        }
        self.progress.set(context, progress);
    }

    /// Time has come to this point.
    fn advance<K>(
        &mut self,
        progress: &mut Progress,
        time: Timestamp,
        context: &mut KeyedContext<'_, K, F::Out>,
    ) -> Result<()> {
        let Progress { partials, buffer, .. } = progress;
        if partials.is_idle() {
            return Ok(());
        }
        let ended = partials.advance(&self.pattern.automaton, buffer, time);
        let ended = ended.map_err(|error| self.failed(error))?;
        for path in ended.matches {
            self.call(buffer, path, time, context, F::process_match)?;
        }
        for (path, at) in ended.timed_out {
            self.call(buffer, path, at, context, F::process_timed_out_match)?;
        }
        Ok(())
    }

    /// The next event.
    fn step<K>(
        &mut self,
        progress: &mut Progress,
        event: T,
        time: Timestamp,
        context: &mut KeyedContext<'_, K, F::Out>,
    ) -> Result<()> {
        let Progress { next, partials, buffer, .. } = progress;
        let row = *next;
        *next += 1;
        let mut asked = Asked {
            pattern: &self.pattern,
            event: &event,
            matched: self.matched,
            timestamp: time,
            now: context.current_processing_time(),
            context: &*context,
        };
        let found = partials.step(&self.pattern.automaton, buffer, (row, time), &mut asked);
        let found = found.map_err(|error| self.failed(error))?;
        if buffer.has(row) {
            self.matched.insert(context, row, event);
        }
        for path in found {
            self.call(buffer, path, time, context, F::process_match)?;
        }
        Ok(())
    }

    /// Calls the function with the events of a path, which is then released.
    fn call<K>(
        &mut self,
        buffer: &mut Buffer,
        path: Option<u32>,
        timestamp: Timestamp,
        context: &mut KeyedContext<'_, K, F::Out>,
        call: impl FnOnce(&mut F, &Match<'_, T>, &mut MatchContext<'_, '_, F::Out>) -> Result<()>,
    ) -> Result<()> {
        let now = context.current_processing_time();
        let (states, out) = context.split();
        let mut found = Match { stages: Vec::new() };
        for (stage, row) in buffer.in_order(&path) {
            let name = self.pattern.names.get(stage as usize);
            let (Some(name), Some(event)) = (name, self.matched.get(&states, &row)) else {
                return Err(Error::internal(format!("event {row} of a match was not kept")));
            };
            found.add(name, event);
        }
        call(&mut self.function, &found, &mut MatchContext { out, timestamp, now })?;
        buffer.release(path);
        Ok(())
    }

    fn failed(&self, error: StepError<Error>) -> Error {
        let name = |stage: usize| self.pattern.names.get(stage).map_or("", String::as_str);
        match error {
            StepError::Condition(error) => error,
            StepError::NoRowToSkipTo { variable } => {
                Error::invalid(format!("Could not skip to '{}': a match has no such event", name(variable)))
            }
            StepError::SkipsToFirstRow { variable } => Error::invalid(format!(
                "Could not skip to first element of a match: '{}' begins with it, and the same match would be found forever",
                name(variable)
            )),
        }
    }

    /// Events of one time, in their order.
    fn events<K>(
        &mut self,
        mut events: Vec<T>,
        time: Timestamp,
        context: &mut KeyedContext<'_, K, F::Out>,
    ) -> Result<()> {
        if let Some(comparator) = &self.order.comparator {
            events.sort_by(|a, b| comparator(a, b));
        }
        let mut progress = self.take(context)?;
        self.advance(&mut progress, time, context)?;
        for event in events {
            self.step(&mut progress, event, time, context)?;
        }
        self.put(progress, context);
        Ok(())
    }

    /// An event waits until time has come to it.
    fn wait<K>(&self, event: T, time: Timestamp, context: &mut KeyedContext<'_, K, F::Out>) {
        match self.waiting.get_mut(context, &time) {
            Some(events) => events.push(event),
            None => {
                self.waiting.insert(context, time, vec![event]);
                match self.order.event_time {
                    true => context.register_event_time_timer(time),
                    false => context.register_processing_time_timer(time + 1),
                }
            }
        }
    }
}

impl<K, T, F> KeyedProcessFunction<K, T> for CepFunction<T, F>
where
    T: Record,
    F: PatternProcessFunction<T>,
{
    type Out = F::Out;

    fn open(&mut self, context: &mut RuntimeContext<'_>) -> Result<()> {
        self.late = context.late_records();
        self.progress = context.value_state("partial-matches")?;
        self.matched = context.map_state("matched-events")?;
        self.waiting = context.map_state("waiting-events")?;
        self.reached = context.union_list_state("reached")?;
        self.function.open(context)
    }

    fn process_element(&mut self, event: T, context: &mut KeyedContext<'_, K, F::Out>) -> Result<()> {
        if !self.order.event_time {
            let now = context.current_processing_time();
            if self.order.comparator.is_some() {
                self.wait(event, now, context);
                return Ok(());
            }
            return self.events(vec![event], now, context);
        }
        let time = context.timestamp().ok_or_else(|| {
            Error::invalid(
                "a pattern meets an event without a timestamp; call `assign_timestamps_and_watermarks` before, \
                 or `in_processing_time` on the stream of the pattern",
            )
        })?;
        if time > self.reach(context.current_watermark().0, context) {
            self.wait(event, time, context);
        } else if let Some(late) = &self.order.late {
            context.output(late, event);
        } else {
            self.late.inc();
        }
        Ok(())
    }

    fn on_timer(&mut self, at: Timestamp, context: &mut KeyedContext<'_, K, F::Out>) -> Result<()> {
        let of = match context.time_domain() {
            Some(TimeDomain::ProcessingTime) => at - 1,
            Some(TimeDomain::EventTime) | None => at,
        };
        self.reach(context.current_watermark().0, context);
        if let Some(events) = self.waiting.remove(context, &of) {
            self.events(events, of, context)?;
        }
        let mut progress = self.take(context)?;
        self.advance(&mut progress, at, context)?;
        self.put(progress, context);
        Ok(())
    }

    fn snapshot_state(&mut self, context: &mut SnapshotContext<'_>) -> Result<()> {
        // The end of time is no progress: a job may go on with more input.
        let reached = Some(self.reach(Timestamp::MIN, context));
        let reached = reached.filter(|at| (Timestamp::MIN + 1..Timestamp::MAX).contains(at));
        self.reached.update(context, reached);
        self.function.snapshot_state(context)
    }

    fn notify_checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.function.notify_checkpoint_complete(checkpoint)
    }

    fn notify_checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.function.notify_checkpoint_aborted(checkpoint)
    }

    fn close(&mut self) {
        self.function.close();
    }
}
