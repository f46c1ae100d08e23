//! The operators of one task: a tree in which each calls the next directly.
//!
//! A batch that an operator emits is processed by everything downstream before `emit` returns, so a join that
//! fans out never holds its whole result. Panics of an operator become errors that name it. An operator that
//! had finished when its snapshot was taken is skipped ([`Stage`]).

mod barrier;
mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flott_batch::{Batch, WatermarkStatus};
use flott_checkpoint::life::Stage;
use flott_operator::{Backlog, Committing, Context, Operator, OperatorMetrics, Output, TaskInfo};
use flott_types::panics::guard;
use flott_types::{CheckpointId, Result, Timestamp, Waker, Watermark};

pub use state::{Later, OperatorState, Restored};

use crate::exchange::ExchangeWriter;
use crate::gate::{CancelFlag, Element};
use crate::whereabouts::Whereabouts;

/// An operator and everything downstream of it.
pub struct Link {
    /// Who it is.
    pub info: TaskInfo,
    operator: Box<dyn Operator>,
    metrics: OperatorMetrics,
    watermark: Watermark,
    wake_at: Option<Timestamp>,
    waker: Waker,
    /// The waker was called, but the operator was not called yet.
    woken: Arc<AtomicBool>,
    /// Whether the operator is called.
    stage: Stage,
    /// A stop has taken its state: it emits nothing more that the job it stops would count.
    held: bool,
    /// Inputs that ended while it was not.
    missed_ends: Vec<usize>,
    /// The side output of the operator before it that it reads; `None` is the output proper.
    tag: Option<String>,
    /// Its place among the operators of the vertex.
    position: usize,
    whereabouts: Arc<Whereabouts>,
    /// Where its output goes.
    pub outputs: Outputs,
}

/// Where the output of one operator goes.
pub struct Outputs {
    /// The next operators of the chain.
    pub links: Vec<Link>,
    /// The streams to other tasks.
    pub exchanges: Vec<ExchangeWriter>,
    /// Of the operator that emits.
    pub metrics: OperatorMetrics,
    /// Of the task.
    pub task: Arc<crate::TaskMetrics>,
    watermark: Watermark,
    status: WatermarkStatus,
    /// Event time advances once, at the end (batch mode).
    only_the_last: bool,
    /// Of the task.
    cancel: Arc<CancelFlag>,
}

enum Receiver<'a> {
    Link(&'a mut Link),
    Exchange(&'a mut ExchangeWriter),
}

/// The output of an operator during a call.
pub struct ChainOutput<'a> {
    outputs: &'a mut Outputs,
    now: Timestamp,
}

impl Outputs {
    /// The outputs of an operator, nothing emitted yet.
    pub fn new(metrics: OperatorMetrics, task: Arc<crate::TaskMetrics>, cancel: Arc<CancelFlag>) -> Self {
        let (links, exchanges) = (Vec::new(), Vec::new());
        let (watermark, status) = (Watermark::MIN, WatermarkStatus::Active);
        Outputs { links, exchanges, metrics, task, watermark, status, only_the_last: false, cancel }
    }

    /// In batch mode event time advances once, at the end: no record is late, and windows fire when
    /// everything has arrived.
    #[must_use]
    pub fn with_only_the_last_watermark(mut self, only_the_last: bool) -> Self {
        self.only_the_last = only_the_last;
        self
    }

    /// The operator's view of it.
    pub fn at(&mut self, now: Timestamp) -> ChainOutput<'_> {
        ChainOutput { outputs: self, now }
    }

    fn emit(&mut self, tag: Option<&str>, batch: Batch, now: Timestamp) -> Result<()> {
        let rows = batch.num_rows() as u64;
        if rows == 0 {
            return Ok(());
        }
        self.metrics.num_records_out.add(rows);
        let links = self.links.iter_mut().filter(|link| link.tag.as_deref() == tag);
        let exchanges = self.exchanges.iter_mut().filter(|exchange| exchange.tag.as_deref() == tag);
        let mut receivers = links.map(Receiver::Link).chain(exchanges.map(Receiver::Exchange)).peekable();
        // The last receiver gets the batch itself, the others a copy (columns are shared).
        let mut batch = Some(batch);
        while let Some(receiver) = receivers.next() {
            let given = match &batch {
                Some(batch) if receivers.peek().is_some() => Some(batch.try_clone()?),
                _ => batch.take(),
            };
            let Some(given) = given else { break };
            match receiver {
                Receiver::Link(link) => link.process(0, given, now)?,
                Receiver::Exchange(exchange) => {
                    self.task.records_out.add(rows);
                    exchange.emit(given, now)?;
                }
            }
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: Watermark, now: Timestamp) -> Result<()> {
        if watermark <= self.watermark || self.only_the_last && watermark < Watermark::MAX {
            return Ok(());
        }
        self.watermark = watermark;
        self.metrics.current_output_watermark.set(watermark.0);
        for link in &mut self.links {
            link.watermark(watermark, now)?;
        }
        let element = Element::Watermark(watermark);
        self.exchanges.iter_mut().try_for_each(|exchange| exchange.broadcast(&element))
    }

    fn watermark_status(&mut self, status: WatermarkStatus, now: Timestamp) -> Result<()> {
        if status == self.status {
            return Ok(());
        }
        self.status = status;
        for link in &mut self.links {
            link.watermark_status(status, now)?;
        }
        let element = Element::Status(status);
        self.exchanges.iter_mut().try_for_each(|exchange| exchange.broadcast(&element))
    }

    /// Calls all links, each before those downstream of it.
    pub fn visit(&mut self, call: &mut dyn FnMut(&mut Link) -> Result<()>) -> Result<()> {
        for link in &mut self.links {
            call(link)?;
            link.outputs.visit(call)?;
        }
        Ok(())
    }

    /// Calls the links whose operators have not finished.
    fn visit_called(&mut self, call: &mut dyn FnMut(&mut Link) -> Result<()>) -> Result<()> {
        self.visit(&mut |link| if link.stage.is_called() { call(link) } else { Ok(()) })
    }

    /// Sends a control element out of the task, over all its streams.
    pub fn broadcast(&mut self, element: &Element) -> Result<()> {
        self.exchanges_mut(&mut |exchange| exchange.broadcast(element))
    }

    /// Flushes the exchanges.
    pub fn flush(&mut self) -> Result<()> {
        self.exchanges_mut(&mut ExchangeWriter::flush)
    }

    /// Flushes what the exchanges have held back for the maximum time.
    pub fn flush_overdue(&mut self, now: Timestamp) -> Result<()> {
        self.exchanges_mut(&mut |exchange| exchange.flush_overdue(now))
    }

    /// Whether every receiver has room, so that something that sends may begin. If not, the waker is called
    /// when that may have changed.
    pub fn has_room(&mut self, waker: &Waker) -> Result<bool> {
        let mut room = true;
        self.exchanges_mut(&mut |exchange| {
            room = room && exchange.has_room(waker)?;
            Ok(())
        })?;
        Ok(room)
    }

    fn exchanges_mut(&mut self, call: &mut dyn FnMut(&mut ExchangeWriter) -> Result<()>) -> Result<()> {
        self.exchanges.iter_mut().try_for_each(&mut *call)?;
        self.links.iter_mut().try_for_each(|link| link.outputs.exchanges_mut(call))
    }

    /// Lets each operator of the chain finish, in order.
    pub fn finish(&mut self, now: Timestamp) -> Result<()> {
        for link in &mut self.links {
            link.end_input(0, now)?;
            link.finish(now)?;
        }
        Ok(())
    }

    /// The earliest time at which an operator wants to be called.
    pub fn wake_at(&self) -> Option<Timestamp> {
        let of = |link: &Link| {
            let own = link.wake_at.filter(|_| link.is_called_on_time());
            [own, link.outputs.wake_at()].into_iter().flatten().min()
        };
        self.links.iter().filter_map(of).min()
    }

    /// Calls the operators whose time has come.
    pub fn fire(&mut self, now: Timestamp) -> Result<()> {
        self.visit(&mut |link| match link.wake_at {
            Some(at) if at <= now && link.is_called_on_time() => {
                link.wake_at = None;
                link.call(now, |operator, context| operator.processing_time(now, context))
            }
            _ => Ok(()),
        })
    }

    /// Calls the operators that were woken; returns whether there are any.
    pub fn woken(&mut self, now: Timestamp) -> Result<bool> {
        let mut any = false;
        self.visit(&mut |link| {
            let woken = link.is_called_on_time() && link.woken.load(Ordering::Relaxed);
            if woken && link.woken.swap(false, Ordering::Acquire) {
                any = true;
                link.call(now, |operator, context| operator.woken(context))?;
            }
            Ok(())
        })?;
        Ok(any)
    }

    /// Holds the operators, or lets them go on: while they are held, neither time nor a waker calls them, except to make output visible.
    pub fn hold(&mut self, held: bool) -> Result<()> {
        self.visit(&mut |link| {
            link.held = held;
            Ok(())
        })
    }

    /// Whether an operator makes output visible.
    pub fn committing(&self) -> Committing {
        let of = |link: &Link| link.operator.committing().max(link.outputs.committing());
        self.links.iter().map(of).max().unwrap_or_default()
    }

    /// The largest backlog of any operator.
    pub fn backlog(&self) -> Backlog {
        let of = |link: &Link| link.operator.backlog().max(link.outputs.backlog());
        self.links.iter().map(of).max().unwrap_or_default()
    }

    /// Flushes rows that are held back only to fill batches.
    pub fn input_dry(&mut self, now: Timestamp) -> Result<()> {
        self.visit_called(&mut |link| match link.held {
            true => Ok(()),
            false => link.call(now, |operator, context| operator.input_dry(context)),
        })
    }

    /// Takes the state of all operators.
    pub fn snapshot(
        &mut self,
        checkpoint: CheckpointId,
        full: bool,
        into: &mut Vec<OperatorState>,
    ) -> Result<()> {
        self.visit(&mut |link| {
            let state = link.guarded(|operator| operator.snapshot(checkpoint, full))?;
            let later = link.operator.snapshot_later().map(Later);
            into.push(OperatorState {
                uid: link.info.uid.clone(),
                name: link.info.name.clone(),
                max_parallelism: link.info.max_parallelism,
                state,
                finished: link.stage.has_finished(),
                later,
                in_flight: None,
            });
            Ok(())
        })
    }

    /// Tells all operators that a checkpoint is complete.
    pub fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.visit(&mut |link| link.guarded(|operator| operator.checkpoint_complete(checkpoint)))
    }

    /// Tells all operators that a checkpoint will not be complete.
    pub fn checkpoint_aborted(&mut self, checkpoint: CheckpointId) -> Result<()> {
        self.visit(&mut |link| link.guarded(|operator| operator.checkpoint_aborted(checkpoint)))
    }

    /// Opens the operators, with what `restore` has for them, in parts if they restore it so; the last ones first, so that what an operator emits finds the next one open.
    pub fn open(
        &mut self,
        restore: &mut dyn FnMut(&TaskInfo, bool) -> Result<Restored>,
        now: Timestamp,
    ) -> Result<()> {
        for link in &mut self.links {
            link.outputs.open(restore, now)?;
            let Restored { mut state, finished } = restore(&link.info, link.operator.restores_in_parts())?;
            state.finished = finished;
            link.stage = Stage::restored(finished);
            link.call(now, |operator, context| operator.open(state, context))?;
        }
        Ok(())
    }

    /// Closes the operators. One that panics here does not keep the others from being closed.
    pub fn close(&mut self) {
        for link in &mut self.links {
            let closed = link.guarded(|operator| {
                operator.close();
                Ok(())
            });
            if let Err(error) = closed {
                tracing::warn!(%error, "an operator failed while it was closed");
            }
            link.outputs.close();
        }
    }
}

#[deny(clippy::missing_trait_methods, reason = "a wrapper hands on every call")]
impl Output for ChainOutput<'_> {
    fn emit(&mut self, batch: Batch) -> Result<()> {
        self.outputs.emit(None, batch, self.now)
    }

    fn emit_side(&mut self, tag: &str, batch: Batch) -> Result<()> {
        self.outputs.emit(Some(tag), batch, self.now)
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        self.outputs.watermark(watermark, self.now)
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        self.outputs.watermark_status(status, self.now)
    }

    fn wanted(&self) -> Result<()> {
        self.outputs.cancel.check()
    }
}

impl Link {
    /// An operator before it is opened.
    pub fn new(info: TaskInfo, operator: Box<dyn Operator>, outputs: Outputs) -> Self {
        let metrics = outputs.metrics.clone();
        Link {
            info,
            operator,
            metrics,
            watermark: Watermark::MIN,
            wake_at: None,
            waker: Waker::default(),
            woken: Arc::default(),
            stage: Stage::Running,
            held: false,
            missed_ends: Vec::new(),
            tag: None,
            position: 0,
            whereabouts: outputs.task.whereabouts.clone(),
            outputs,
        }
    }

    /// Its position among the operators of the vertex.
    #[must_use]
    pub fn with_position(mut self, position: usize) -> Self {
        self.position = position;
        self
    }

    /// The operator can wake its task.
    #[must_use]
    pub fn with_waker(mut self, task: Waker) -> Self {
        let woken = self.woken.clone();
        self.waker = Waker::new(move || {
            // The flag first: the woken task checks it.
            woken.store(true, Ordering::Release);
            task.wake();
        });
        self
    }

    /// Reads this side output of the operator before it.
    #[must_use]
    pub fn with_tag(mut self, tag: Option<String>) -> Self {
        self.tag = tag;
        self
    }

    /// Rows of an input.
    pub fn process(&mut self, input: usize, batch: Batch, now: Timestamp) -> Result<()> {
        if !self.stage.is_called() {
            self.wake_up(now)?;
        }
        self.metrics.num_records_in.add(batch.num_rows() as u64);
        self.call(now, |operator, context| operator.process(input, batch, context))
    }

    /// Rows arrive at an operator that had finished: it gets the events that it has missed.
    fn wake_up(&mut self, now: Timestamp) -> Result<()> {
        if !self.stage.rows().map_err(|error| error.in_operator(&self.info.name))? {
            return Ok(());
        }
        tracing::info!(operator = self.info.name, "had finished before the restore, and receives rows again");
        let watermark = self.watermark;
        if watermark > Watermark::MIN {
            self.call(now, |operator, context| operator.watermark(watermark, context))?;
        }
        let ends = std::mem::take(&mut self.missed_ends);
        ends.into_iter().try_for_each(|input| self.end_input(input, now))
    }

    /// Event time.
    pub fn watermark(&mut self, watermark: Watermark, now: Timestamp) -> Result<()> {
        self.watermark = watermark;
        self.metrics.current_input_watermark.set(watermark.0);
        match self.stage.is_called() {
            true => self.call(now, |operator, context| operator.watermark(watermark, context)),
            false => self.outputs.watermark(watermark, now),
        }
    }

    /// Idle or active.
    pub fn watermark_status(&mut self, status: WatermarkStatus, now: Timestamp) -> Result<()> {
        match self.stage.is_called() {
            true => self.call(now, |operator, context| operator.watermark_status(status, context)),
            false => self.outputs.watermark_status(status, now),
        }
    }

    /// An input has ended.
    pub fn end_input(&mut self, input: usize, now: Timestamp) -> Result<()> {
        if !self.stage.is_called() {
            self.missed_ends.push(input);
            return Ok(());
        }
        self.call(now, |operator, context| operator.end_input(input, context))
    }

    /// All inputs have ended: this operator finishes, then those downstream.
    pub fn finish(&mut self, now: Timestamp) -> Result<()> {
        if self.stage.finish() {
            self.call(now, |operator, context| operator.finish(context))?;
        }
        self.outputs.finish(now)
    }

    /// Whether it is called when it is time, or it was woken.
    fn is_called_on_time(&self) -> bool {
        (self.stage.is_called() && !self.held) || self.operator.committing() > Committing::None
    }

    fn call(
        &mut self,
        now: Timestamp,
        call: impl FnOnce(&mut dyn Operator, &mut Context<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut output = ChainOutput { outputs: &mut self.outputs, now };
        let mut context = Context {
            info: &self.info,
            now,
            watermark: self.watermark,
            output: &mut output,
            metrics: &self.metrics,
            wake_at: &mut self.wake_at,
            waker: &self.waker,
        };
        let operator = &mut *self.operator;
        self.whereabouts.within(self.position, || guard(&self.info.name, || call(operator, &mut context)))
    }

    fn guarded<T>(&mut self, call: impl FnOnce(&mut dyn Operator) -> Result<T>) -> Result<T> {
        let Link { operator, info, whereabouts, position, .. } = self;
        whereabouts.within(*position, || guard(&info.name, || call(&mut **operator)))
    }
}
