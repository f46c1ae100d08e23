//! The operator that makes asynchronous requests.

use std::sync::Arc;

use flott_batch::{Batch, Record, Records, WatermarkStatus};
use flott_operator::requests::{Alarm, Alarms, Control, Next, Queue, Ready, Waiting, Work};
use flott_operator::{Backlog, Context, Operator};
use flott_runtime::TaskOptions;
use flott_runtime::executor::Executor;
use flott_state::{OperatorSnapshot, Redistribution, RestoredState};
use flott_types::{CheckpointId, Error, Result, SubtaskIndex, Timestamp, Watermark};
use serde::{Deserialize, Serialize};

use super::requests::{Completion, Completions, Running, spawn};
use super::{AsyncOptions, AsyncRetry};
use flott_function::async_function::AsyncFunction;
use flott_function::output::OutputBuffer;
use flott_function::runtime_context::RuntimeContext;
use flott_function::snapshot::SnapshotContext;
use flott_function::state::{OperatorColumn, OperatorList, States, tell_dropped};

const STATE: &str = "requests";

/// The operator.
pub struct AsyncWait<I, F: AsyncFunction<I>> {
    function: Arc<F>,
    options: AsyncOptions,
    retry: Option<AsyncRetry<F::Out>>,
    task: Arc<TaskOptions>,
    /// Set by `open`.
    running: Option<Open<I, F::Out>>,
    queue: Queue<I, Running, F::Out>,
    /// Input that arrived when there was no room.
    waiting: Waiting<(I, Option<Timestamp>)>,
    alarms: Alarms,
    buffer: OutputBuffer<F::Out>,
}

struct Open<I, O> {
    subtask: SubtaskIndex,
    executor: Executor,
    done: Arc<Completions<O>>,
    /// The requests in a snapshot. Empty between snapshots.
    state: OperatorList<Entry<I>>,
    /// The function's operator state.
    states: States,
}

/// A record in a snapshot.
#[derive(Serialize, Deserialize)]
struct Entry<I> {
    value: I,
    timestamp: Option<Timestamp>,
}

impl<I: Record + Clone, F: AsyncFunction<I>> AsyncWait<I, F> {
    /// Calls the function under these options.
    pub fn new(
        function: F,
        options: AsyncOptions,
        retry: Option<AsyncRetry<F::Out>>,
        task: Arc<TaskOptions>,
    ) -> Self {
        AsyncWait {
            function: Arc::new(function),
            queue: Queue::new(options.ordered),
            options,
            retry,
            task,
            running: None,
            waiting: Waiting::default(),
            alarms: Alarms::default(),
            buffer: OutputBuffer::default(),
        }
    }

    /// Emits what is ready and starts requests while there is room, until nothing moves.
    fn advance(&mut self, context: &mut Context<'_>) -> Result<()> {
        loop {
            while let Some(ready) = self.queue.pop() {
                self.put_out(ready, context)?;
            }
            if !self.refill(context.now)? {
                break;
            }
        }
        self.buffer.flush(context.output)?;
        let (queue, alarms) = (&mut self.queue, &mut self.alarms);
        let open = queue.len();
        if let Some(at) = alarms.earliest(open, |number| queue.is_open(number)) {
            context.schedule(at);
        }
        Ok(())
    }

    fn put_out(&mut self, ready: Ready<F::Out>, context: &mut Context<'_>) -> Result<()> {
        match ready {
            Ready::Results(results, timestamp) => {
                self.buffer.at(timestamp);
                let mut collector = self.buffer.collector(context.output);
                results.into_iter().for_each(|result| collector.collect(result));
                Ok(())
            }
            Ready::Control(control) => {
                self.buffer.flush(context.output)?;
                match control {
                    Control::Watermark(watermark) => context.output.watermark(watermark),
                    Control::Status(status) => context.output.watermark_status(status),
                }
            }
        }
    }

    /// Moves waiting input into the queue while there is room; returns whether anything moved.
    fn refill(&mut self, now: Timestamp) -> Result<bool> {
        let mut moved = false;
        while let Some(next) = self.waiting.next_if(|_| self.queue.len() < self.options.capacity) {
            moved = true;
            match next {
                Next::Control(control) => self.queue.control(control),
                Next::Input((input, timestamp)) => {
                    let number = self.queue.push(input, timestamp);
                    // Rounded up: only zero means no limit.
                    let timeout = self.options.timeout.as_nanos().div_ceil(1_000_000) as i64;
                    if timeout > 0 {
                        self.alarms.set(now.saturating_add(timeout), Alarm::Timeout(number));
                    }
                    self.begin(number)?;
                }
            }
        }
        Ok(moved)
    }

    /// Starts a request, for the first time or again.
    fn begin(&mut self, number: u64) -> Result<()> {
        let Some(Open { executor, done, .. }) = &self.running else {
            return Err(Error::internal("the operator is not open"));
        };
        if let Some(request) = self.queue.open_mut(number) {
            request.attempts += 1;
            let (function, input) = (self.function.clone(), request.input.clone());
            let future = async move { function.invoke(input).await };
            request.work = Work::Running(spawn(executor, done, number, request.attempts, future));
        }
        Ok(())
    }

    /// An attempt is over: so is the request, unless it is retried.
    fn completed(&mut self, completion: Completion<F::Out>, now: Timestamp) -> Result<()> {
        let Completion { number, attempt, outcome } = completion;
        let Some(request) = self.queue.open_mut(number) else { return Ok(()) };
        if request.attempts != attempt || !matches!(request.work, Work::Running(_)) {
            return Ok(());
        }
        if let Some(pause) = self.retry.as_ref().and_then(|retry| retry.pause(attempt, &outcome)) {
            request.work = Work::Paused;
            self.alarms.set(now.saturating_add(pause), Alarm::Again(number, attempt));
        } else {
            self.queue.complete(number, outcome?);
        }
        Ok(())
    }

    fn alarm(&mut self, alarm: Alarm) -> Result<()> {
        match alarm {
            Alarm::Again(number, attempts) if self.queue.is_paused(number, attempts) => self.begin(number),
            Alarm::Again(..) => Ok(()),
            Alarm::Timeout(number) => {
                if let Some(request) = self.queue.open_mut(number) {
                    let results = self.function.timeout(request.input.clone())?;
                    self.queue.complete(number, results);
                }
                Ok(())
            }
        }
    }

    fn control(&mut self, control: Control, context: &mut Context<'_>) -> Result<()> {
        self.waiting.control(control);
        self.advance(context)
    }
}

impl<I: Record + Clone, F: AsyncFunction<I>> Operator for AsyncWait<I, F> {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        let mut state = OperatorList::restore(STATE, Redistribution::Split, &mut restored)?;
        let (info, metrics) = (context.info, context.metrics);
        let Some(function) = Arc::get_mut(&mut self.function) else {
            return Err(Error::internal("the function is in use before it is open"));
        };
        let runtime = RuntimeContext::new(info, &self.task, metrics, &mut restored, None);
        let mut states = States::default();
        function.open(&mut runtime.with_states(&mut states))?;
        if states.operator.has(STATE) {
            return Err(Error::invalid(format!(
                "the operator state '{STATE}' is reserved for the requests in flight; give yours another name"
            )));
        }
        tell_dropped(&info.name, &restored);
        let executor = Executor::new(self.options.runtime.as_ref())?;
        for Entry { value, timestamp } in std::mem::take(&mut state.values) {
            self.waiting.push((value, timestamp));
        }
        let done = Completions::new(context.waker.clone());
        self.running = Some(Open { subtask: info.subtask, executor, done, state, states });
        self.advance(context)
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        let Records { values, timestamps, .. } = batch.into_records::<I>()?;
        let timestamp = |at: usize| timestamps.as_ref().map(|timestamps| timestamps[at]);
        let records = values.into_iter().enumerate().map(|(at, value)| (value, timestamp(at)));
        records.for_each(|record| self.waiting.push(record));
        self.advance(context)
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.control(Control::Watermark(watermark), context)
    }

    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        self.control(Control::Status(status), context)
    }

    fn woken(&mut self, context: &mut Context<'_>) -> Result<()> {
        let done = self.running.as_ref().map(|open| open.done.take()).unwrap_or_default();
        for completion in done {
            self.completed(completion, context.now)?;
        }
        self.advance(context)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        while let Some(alarm) = self.alarms.pop_due(now) {
            self.alarm(alarm)?;
        }
        self.advance(context)
    }

    fn backlog(&self) -> Backlog {
        self.waiting.backlog(&self.queue)
    }

    /// Finished requests need not be sent again.
    fn prepare_barrier(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.woken(context)
    }

    fn snapshot(&mut self, checkpoint: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        let waiting = self.waiting.inputs().map(|(value, timestamp)| (value, *timestamp));
        let Some(Open { subtask, state, states, .. }) = &mut self.running else {
            return Err(Error::internal("a snapshot of an operator that is not open"));
        };
        self.function.snapshot_state(&mut SnapshotContext::new(states, checkpoint))?;
        states.check()?;
        let mut lists = states.operator.snapshot(*subtask)?;
        let entry = |(value, timestamp): (&I, Option<Timestamp>)| Entry { value: value.clone(), timestamp };
        state.values = self.queue.inputs().into_iter().chain(waiting).map(entry).collect();
        lists.push(state.snapshot(*subtask)?);
        state.values.clear();
        Ok(OperatorSnapshot { lists, ..OperatorSnapshot::default() })
    }

    fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.function.notify_checkpoint_complete(checkpoint)
    }

    fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.function.notify_checkpoint_aborted(checkpoint)
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<()> {
        match self.backlog() {
            Backlog::None => Ok(()),
            _ => Err(Error::internal("the input ended while requests are in flight")),
        }
    }

    fn close(&mut self) {
        self.queue = Queue::new(self.options.ordered);
        self.function.close();
        self.running = None;
    }
}
