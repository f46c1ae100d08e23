//! Lookup join: each row of a stream with the rows that a table outside has of its keys when it comes.
//!
//! The operator asks for the keys of a batch at once and goes on: a table that answers later is a future that is polled when it says
//! that it got further ([`Operator::woken`]). Which results may leave, and when a request has taken too long or is made again, is decided
//! by [`flott_operator::requests`], as for the functions of programs that wait for others. A row whose key is NULL is not asked for.
//!
//! Bounds: at most `capacity` requests are under way or done and not put out, of one batch's rows together ([`ROWS`]); beside them the
//! rest of one batch, during which the operator says that it is full, for which it is at the head of its task.
//!
//! State: the rows whose results have not left (`in_flight`). A restored operator asks for them anew, before anything else. Of a table
//! that is kept in memory there are none, but for the time until it has been read.
//!
//! Cost of a row: what the table costs; a gather of the row and of its partners.

mod in_flight;
mod matched;
mod tables;

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use flott_batch::{Batch, ChangeBatch, WatermarkStatus};
use flott_connector::lookup::{Found, Lookup, LookupContext, LookupTable};
use flott_operator::requests::{Alarm, Alarms, Control, Next, Queue, Ready, Waiting, Work};
use flott_operator::{Backlog, Context, Operator};
use flott_plan::{ChainedNode, LookupJoinSpec, LookupRequests};
use flott_runtime::Outside;
use flott_state::{OperatorSnapshot, RestoredState};
use flott_types::{CheckpointId, Error, Result, Timestamp, Watermark};

use self::in_flight::InFlight;
use self::matched::{Answer, Matched, Pairing};
use self::tables::{Keys, UnderWay, Woken, poll};
use crate::BuildContext;
use crate::support::columns_of;

/// So many rows are asked about at once, and are under way.
const ROWS: usize = 8_192;

/// The operator.
pub(crate) struct LookupJoin {
    name: String,
    table: Arc<dyn LookupTable>,
    outside: Outside,
    options: LookupRequests,
    keys: Keys,
    pairing: Pairing,
    in_flight: InFlight,
    /// There from `open` on.
    lookup: Option<Lookup>,
    queue: Queue<Asked, UnderWay, Matched>,
    /// How many rows are in the queue.
    queued: usize,
    /// What came when there was no room.
    waiting: Waiting<ChangeBatch>,
    alarms: Alarms,
    woken: Arc<Woken>,
}

/// What a request is about.
struct Asked {
    rows: ChangeBatch,
    /// Those of the rows that are asked for, in order.
    ask: Vec<u32>,
    /// What is known already of some.
    answers: Vec<Answer>,
    /// When it has taken too long.
    deadline: Option<Timestamp>,
}

impl LookupJoin {
    pub fn new(
        node: &ChainedNode,
        spec: &LookupJoinSpec,
        context: &BuildContext,
        outside: &Outside,
    ) -> Result<Self> {
        let table = outside.registry.lookup(&spec.lookup, &outside.tables)?;
        Ok(LookupJoin {
            name: spec.lookup.table.name.clone(),
            table,
            outside: outside.clone(),
            options: spec.requests.clone(),
            keys: Keys::new(node, spec, context)?,
            pairing: Pairing::new(node, spec, context)?,
            in_flight: InFlight::new(crate::build::input(node, 0)?, &spec.lookup.table.name),
            lookup: None,
            queue: Queue::new(spec.requests.ordered),
            queued: 0,
            waiting: Waiting::default(),
            alarms: Alarms::default(),
            woken: Arc::default(),
        })
    }

    /// Puts out what can be and begins what there is room for, until nothing moves.
    fn advance(&mut self, context: &mut Context<'_>) -> Result<()> {
        loop {
            while let Some(ready) = self.queue.pop() {
                self.put_out(ready, context)?;
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

    fn put_out(&mut self, ready: Ready<Matched>, context: &mut Context<'_>) -> Result<()> {
        match ready {
            Ready::Results(results, _) => results.into_iter().try_for_each(|matched| {
                self.queued -= matched.rows.physical_rows();
                self.pairing.send(&matched, context)
            }),
            Ready::Control(Control::Watermark(watermark)) => context.output.watermark(watermark),
            Ready::Control(Control::Status(status)) => context.output.watermark_status(status),
        }
    }

    /// Moves what waits into the queue, as far as there is room; says whether anything moved.
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

    /// Asks, for the first time or again.
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
                let under_way = UnderWay::new(table.lookup(keys), &self.woken, number);
                self.poll(number, under_way, now)
            }
        }
    }

    fn poll(&mut self, number: u64, mut under_way: UnderWay, now: Timestamp) -> Result<()> {
        match poll(&mut under_way) {
            Some(found) => {
                let found = found.map_err(|error| error.context(format_args!("table {}", self.name)))?;
                self.answered(number, Some(found), now)
            }
            None => {
                if let Some(request) = self.queue.open_mut(number) {
                    request.work = Work::Running(under_way);
                }
                Ok(())
            }
        }
    }

    /// An attempt is over: so is the request, unless keys that have no rows are asked for again.
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
        // Without an order those that were found do not wait for the others.
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
            Alarm::Timeout(number) if self.queue.is_open(number) => Err(Error::external(format!(
                "table {} has not answered within {} ms (the time that a lookup may take with all its attempts: \
                 'table.exec.async-lookup.timeout', or 'timeout' of the hint LOOKUP)",
                self.name, self.options.timeout
            ))),
            Alarm::Timeout(_) => Ok(()),
        }
    }

    /// Rows that are to be asked about, in parts that there may be room for.
    fn wait(&mut self, rows: ChangeBatch) -> Result<()> {
        let rows = rows.compact()?;
        let count = rows.physical_rows();
        let parts = (0..count).step_by(ROWS).map(|from| rows.slice(from, ROWS.min(count - from)));
        parts.for_each(|part| self.waiting.push(part));
        Ok(())
    }

    fn control(&mut self, control: Control, context: &mut Context<'_>) -> Result<()> {
        self.waiting.control(control);
        self.advance(context)
    }
}

impl Asked {
    /// Takes the rows that are asked for out of the others.
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
                Work::Running(under_way) => self.poll(number, under_way, context.now)?,
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

    /// What is answered need not be asked for again.
    fn prepare_barrier(&mut self, context: &mut Context<'_>) -> Result<()> {
        self.woken(context)
    }

    fn snapshot(&mut self, _: CheckpointId, _: bool) -> Result<OperatorSnapshot> {
        let queued = self.queue.inputs().into_iter().map(|(asked, _)| &asked.rows);
        let list = self.in_flight.snapshot(queued.chain(self.waiting.inputs()))?;
        Ok(OperatorSnapshot { keyed: Vec::new(), lists: vec![list] })
    }

    fn finish(&mut self, _: &mut Context<'_>) -> Result<()> {
        match self.backlog() {
            Backlog::None => Ok(()),
            Backlog::Open | Backlog::Full => {
                Err(Error::internal("the end comes while lookups are under way"))
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
