//! Lookup join: each row of a stream is joined with the rows that an external table has for its keys when the
//! row arrives.
//!
//! The operator asks for the keys of a batch at once and continues: an asynchronous answer is a future that
//! is polled when it signals progress ([`Operator::woken`]). [`flott_operator::requests`] decides which
//! results may be emitted, and when a request times out or is retried, as for asynchronous user functions. A
//! row whose key is NULL is not looked up.
//!
//! Bounds: at most `capacity` requests are in flight or done but not emitted, each for at most [`ROWS`] rows
//! of one batch. In addition the rest of one batch waits, while the operator reports that it is full; for
//! that it must be at the head of its task.
//!
//! State: the rows whose results have not been emitted (`in_flight`). A restored operator asks for them again
//! before anything else. For a table that is kept in memory there are none, except until it has been loaded.
//!
//! Cost of a row: the lookup itself, and gathering the row and its partners.

mod function;
mod in_flight;
mod matched;
mod tables;

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use flott_batch::{Batch, ChangeBatch, WatermarkStatus};
use flott_connector::lookup::{Found, Lookup, LookupContext, LookupTable};
use flott_operator::requests::{Alarm, Alarms, Control, Next, Queue, Ready, Waiting, Work};
use flott_operator::{Backlog, Context, Operator};
use flott_plan::{ChainedNode, LookupJoinSpec, LookupRequests, LookupSpec};
use flott_runtime::Outside;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

use self::function::FunctionTable;
use self::in_flight::InFlight;
use self::matched::{Answer, Matched, Pairing};
use self::tables::{InFlightLookup, Keys, Woken, poll};
use crate::BuildContext;
use crate::support::columns_of;

/// How many rows one request asks about, and how many are in flight.
const ROWS: usize = 8_192;

/// The operator.
pub(crate) struct LookupJoin {
    name: String,
    kind: &'static str,
    table: Arc<dyn LookupTable>,
    outside: Outside,
    options: LookupRequests,
    keys: Keys,
    pairing: Pairing,
    in_flight: InFlight,
    /// Set by `open`.
    lookup: Option<Lookup>,
    queue: Queue<Asked, InFlightLookup, Matched>,
    /// How many rows are in the queue.
    queued: usize,
    /// What arrived when there was no room.
    waiting: Waiting<ChangeBatch>,
    alarms: Alarms,
    woken: Arc<Woken>,
}

/// What a request is about.
struct Asked {
    rows: ChangeBatch,
    /// The rows that are asked for, in order.
    ask: Vec<u32>,
    /// What is already known of some rows.
    answers: Vec<Answer>,
    /// When the request times out.
    deadline: Option<Timestamp>,
}

impl LookupJoin {
    pub fn new(
        node: &ChainedNode,
        spec: &LookupJoinSpec,
        context: &BuildContext,
        outside: &Outside,
    ) -> Result<Self> {
        let mut options = spec.requests.clone();
        let table: Arc<dyn LookupTable> = match &spec.lookup.function {
            // It makes its requests again itself: after errors, not where nothing was found.
            Some(function) => {
                Arc::new(FunctionTable::new(function, &spec.lookup, options.retry.take(), context)?)
            }
            None => outside.registry.lookup(&spec.lookup, &outside.tables)?,
        };
        Ok(LookupJoin {
            name: spec.lookup.table.name.clone(),
            kind: match &spec.lookup {
                LookupSpec { function: Some(_), .. } => "function",
                LookupSpec { model: true, .. } => "model",
                _ => "table",
            },
            table,
            outside: outside.clone(),
            queue: Queue::new(options.ordered),
            options,
            keys: Keys::new(node, spec, context)?,
            pairing: Pairing::new(node, spec, context)?,
            in_flight: InFlight::new(crate::build::input(node, 0)?, &spec.lookup.table.name),
            lookup: None,
            queued: 0,
            waiting: Waiting::default(),
            alarms: Alarms::default(),
            woken: Arc::default(),
        })
    }

    /// Emits what is ready and starts requests while there is room, until nothing changes.
    fn advance(&mut self, context: &mut Context<'_>) -> Result<()> {
        loop {
            while let Some(ready) = self.queue.pop() {
                self.emit_ready(ready, context)?;
            }
            if !self.refill(context)? {
                break;
            }
        }
        let (queue, alarms) = (&mut self.queue, &mut self.alarms);
        let open = queue.len();
        if let Some(at) = alarms.earliest(open, |number| queue.is_open(number)) {
            context.schedule(at);
        }
        Ok(())
    }

    fn emit_ready(&mut self, ready: Ready<Matched>, context: &mut Context<'_>) -> Result<()> {
        match ready {
            Ready::Results(results, _) => results.into_iter().try_for_each(|matched| {
                self.queued -= matched.rows.physical_rows();
                self.pairing.send(&matched, context)
            }),
            Ready::Control(Control::Watermark(watermark)) => context.output.watermark(watermark),
            Ready::Control(Control::Status(status)) => context.output.watermark_status(status),
        }
    }

    /// Moves waiting rows into the queue while there is room; returns whether anything moved.
    fn refill(&mut self, context: &Context<'_>) -> Result<bool> {
        let mut moved = false;
        while let Some(next) = self.waiting.next_if(|rows| {
            let fits = self.queued + rows.physical_rows() <= ROWS;
            self.queued == 0 || (self.queue.len() < self.options.capacity && fits)
        }) {
            moved = true;
            match next {
                Next::Control(control) => self.queue.control(control),
                Next::Input(rows) => {
                    let deadline =
                        (self.options.timeout > 0).then(|| context.now.saturating_add(self.options.timeout));
                    let ask = self.keys.asked(&rows, &self.pairing, context)?;
                    self.queued += rows.physical_rows();
                    let number = self.queue.push(Asked { rows, ask, answers: Vec::new(), deadline }, None);
                    if let Some(deadline) = deadline {
                        self.alarms.set(deadline, Alarm::Timeout(number));
                    }
                    self.begin(number, context.now)?;
                }
            }
        }
        Ok(moved)
    }

    /// Sends the request, for the first time or again.
    fn begin(&mut self, number: u64, now: Timestamp) -> Result<()> {
        let Some(request) = self.queue.open_mut(number) else { return Ok(()) };
        request.attempts += 1;
        let keys = self.keys.of(request.input.rows.columns(), &request.input.ask)?;
        if keys.num_rows() == 0 {
            return self.answered(number, None, now);
        }
        match &mut self.lookup {
            None => Err(Error::internal("the operator is not open")),
            Some(Lookup::Sync(table)) => {
                let found = table.lookup(&keys)?;
                self.answered(number, Some(found), now)
            }
            Some(Lookup::Async(table)) => {
                let in_flight = InFlightLookup::new(table.lookup(keys), &self.woken, number);
                self.poll(number, in_flight, now)
            }
        }
    }

    fn poll(&mut self, number: u64, mut in_flight: InFlightLookup, now: Timestamp) -> Result<()> {
        match poll(&mut in_flight) {
            Some(found) => {
                let found = found.map_err(|error| error.context(self.what()))?;
                self.answered(number, Some(found), now)
            }
            None => {
                if let Some(request) = self.queue.open_mut(number) {
                    request.work = Work::Running(in_flight);
                }
                Ok(())
            }
        }
    }

    /// An attempt is over; the request is done too, unless keys without rows are asked for again.
    fn answered(&mut self, number: u64, found: Option<Found>, now: Timestamp) -> Result<()> {
        let Some(request) = self.queue.open_mut(number) else { return Ok(()) };
        let (asked, attempts) = (&mut request.input, request.attempts);
        let (answer, missed) = Answer::of(found, &asked.ask)?;
        asked.answers.extend(answer);
        let retry = self.options.retry.filter(|retry| attempts <= retry.attempts && !missed.is_empty());
        let Some(retry) = retry else {
            self.complete(number);
            return Ok(());
        };
        asked.ask = missed;
        request.work = Work::Paused;
        let mut again = number;
        // In unordered mode, the rows that were found do not wait for the others.
        if !self.options.ordered && asked.ask.len() < asked.rows.physical_rows() {
            let rest = asked.split()?;
            let deadline = rest.deadline;
            if let Some(part) = self.queue.split(number, rest) {
                self.complete(number);
                again = part;
                if let Some(deadline) = deadline {
                    self.alarms.set(deadline, Alarm::Timeout(part));
                }
            }
        }
        self.alarms.set(now.saturating_add(retry.delay), Alarm::Again(again, attempts));
        Ok(())
    }

    /// Who is asked.
    fn what(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    fn complete(&mut self, number: u64) {
        if let Some(request) = self.queue.open_mut(number) {
            let answers = std::mem::take(&mut request.input.answers);
            let rows = request.input.rows.clone();
            self.queue.complete(number, vec![Matched { rows, answers }]);
        }
    }

    fn alarm(&mut self, alarm: Alarm, now: Timestamp) -> Result<()> {
        match alarm {
            Alarm::Again(number, attempts) if self.queue.is_paused(number, attempts) => {
                self.begin(number, now)
            }
            Alarm::Again(..) => Ok(()),
            Alarm::Timeout(number) if self.queue.is_open(number) => {
                let by = match self.kind {
                    "model" => {
                        "'table.exec.async-ml-predict.timeout', or 'timeout' in the CONFIG of ML_PREDICT"
                    }
                    "function" => "'table.exec.async-scalar.timeout' or 'table.exec.async-table.timeout'",
                    _ => "'table.exec.async-lookup.timeout', or 'timeout' of the hint LOOKUP",
                };
                Err(Error::external(format!(
                    "{} has not answered within {} ms (the time that a request may take with all its attempts: {by})",
                    self.what(),
                    self.options.timeout
                )))
            }
            Alarm::Timeout(_) => Ok(()),
        }
    }

    /// Queues rows to be asked about, in parts that can fit into the available room.
    fn wait(&mut self, rows: ChangeBatch) -> Result<()> {
        let rows = rows.compact()?;
        let count = rows.physical_rows();
        let most = self.options.rows.map_or(ROWS, |rows| rows.clamp(1, ROWS));
        let parts = (0..count).step_by(most).map(|from| rows.slice(from, most.min(count - from)));
        parts.for_each(|part| self.waiting.push(part));
        Ok(())
    }

    fn control(&mut self, control: Control, context: &mut Context<'_>) -> Result<()> {
        self.waiting.control(control);
        self.advance(context)
    }
}

impl Asked {
    /// Separates the rows that are asked for from the others.
    fn split(&mut self) -> Result<Asked> {
        let asked: Vec<u32> = std::mem::take(&mut self.ask);
        let mut place = vec![None; self.rows.physical_rows()];
        let mut others = Vec::with_capacity(place.len() - asked.len());
        let mut left = asked.iter().peekable();
        for (row, place) in (0..).zip(&mut place) {
            if left.next_if(|asked| **asked == row).is_none() {
                *place = Some(others.len() as u32);
                others.push(row);
            }
        }
        let count = asked.len() as u32;
        let rows = self.rows.take(&asked.into())?;
        self.rows = self.rows.take(&others.into())?;
        self.answers.iter_mut().for_each(|answer| answer.renumber(&place));
        Ok(Asked { rows, ask: (0..count).collect(), answers: Vec::new(), deadline: self.deadline })
    }
}

impl Operator for LookupJoin {
    fn open(&mut self, mut restored: RestoredState, context: &mut Context<'_>) -> Result<()> {
        self.lookup = Some(self.table.lookup(LookupContext {
            subtask: context.info.subtask,
            parallelism: context.info.parallelism,
            clock: self.outside.clock.clone(),
            metrics: context.metrics.user.group(&self.name),
        })?);
        self.woken.wakes(context.waker);
        self.keys.open(context)?;
        for rows in self.in_flight.restore(&mut restored)? {
            self.wait(rows)?;
        }
        self.advance(context)
    }

    fn process(&mut self, _: usize, batch: Batch, context: &mut Context<'_>) -> Result<()> {
        self.wait(columns_of(batch)?)?;
        self.advance(context)
    }

    fn watermark(&mut self, watermark: Watermark, context: &mut Context<'_>) -> Result<()> {
        self.control(Control::Watermark(watermark), context)
    }

    fn watermark_status(&mut self, status: WatermarkStatus, context: &mut Context<'_>) -> Result<()> {
        self.control(Control::Status(status), context)
    }

    fn woken(&mut self, context: &mut Context<'_>) -> Result<()> {
        for number in self.woken.take() {
            let Some(request) = self.queue.open_mut(number) else { continue };
            match std::mem::replace(&mut request.work, Work::Paused) {
                Work::Running(in_flight) => self.poll(number, in_flight, context.now)?,
                work => request.work = work,
            }
        }
        self.advance(context)
    }

    fn processing_time(&mut self, now: Timestamp, context: &mut Context<'_>) -> Result<()> {
        while let Some(alarm) = self.alarms.pop_due(now) {
            self.alarm(alarm, now)?;
        }
        self.advance(context)
    }

    fn backlog(&self) -> Backlog {
        self.waiting.backlog(&self.queue)
    }

    /// Results that are already known need not be asked for again.
    fn prepare_barrier(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.woken(context)
    }

    fn snapshot(&mut self, _: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        let queued = self.queue.inputs().into_iter().map(|(asked, _)| &asked.rows);
        let list = self.in_flight.snapshot(queued.chain(self.waiting.inputs()))?;
        Ok(OperatorSnapshot { lists: vec![list], ..OperatorSnapshot::default() })
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<()> {
        match self.backlog() {
            Backlog::None => Ok(()),
            Backlog::Open | Backlog::Full => {
                Err(Error::internal("the end came while lookups were in flight"))
            }
        }
    }

    fn close(&mut self) {
        self.queue = Queue::new(self.options.ordered);
        self.lookup = None;
    }
}

/// Whether a row of the columns has no NULL.
fn is_complete(columns: &RecordBatch, row: usize) -> bool {
    columns.columns().iter().all(|column| column.is_valid(row))
}

#[cfg(test)]
mod tests;
