//! The input side of a task: bounded queues, one per channel, and the task's mailbox, under one lock.
//!
//! One lock and one condition let the task wait for "a message or an element" without a poll interval. It is
//! taken once per batch, not per record. What it does for barriers that overtake is in [`overtaking`].
//!
//! Invariants: a channel holds at most [`Limits`] (batches, rows and bytes, whichever is reached first) and
//! one batch more, and so do all of them together, unless the task would have nothing to read; rows leave in
//! order; only batches wait for room (a watermark that follows a watermark replaces it, and barriers and ends
//! are few, so the queue is bounded by its batches). A closed gate accepts and discards everything, so that
//! nobody hangs on a failed receiver.
//!
//! A sender asks for room first and is never blocked by the gate: [`Gate::offer`] takes an element or returns
//! it, and then wakes the sender once, when half of the channel is free again. [`Gate::send`] is a sender
//! that blocks its thread and checks for cancellation. A sender that serves many channels with one thread
//! offers, and continues with the others. The size of a batch is computed once, before the lock is taken.

mod cancel;
mod channel;
pub mod overtaking;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, WatermarkStatus};
use flott_checkpoint::Barrier;
use flott_types::{Clock, Result, Waker, Watermark};
use parking_lot::{Condvar, Mutex};

pub use self::cancel::CancelFlag;

use self::channel::{Channel, Waiter, bytes_of};
use self::overtaking::{Admit, Arrival, Keeping};
use crate::TaskCommand;

/// One element of a channel.
#[derive(Debug)]
pub enum Element {
    /// The first element: rows may follow ([`flott_checkpoint::life`]).
    Begin,
    /// Rows or values.
    Batch(Batch),
    /// Event time.
    Watermark(Watermark),
    /// Whether the channel is active or idle.
    Status(WatermarkStatus),
    /// A checkpoint; of a savepoint, the folder that it goes to.
    Barrier(Barrier, Option<Arc<str>>),
    /// The last element.
    EndOfInput,
    /// The connection to the sender is broken, and why: the task cannot continue.
    Broken(Arc<str>),
}

impl Element {
    /// A copy, for a second receiver.
    ///
    /// # Errors
    /// As [`Batch::try_clone`].
    pub fn try_clone(&self) -> Result<Element> {
        Ok(match self {
            Element::Begin => Element::Begin,
            Element::Batch(batch) => Element::Batch(batch.try_clone()?),
            Element::Watermark(watermark) => Element::Watermark(*watermark),
            Element::Status(status) => Element::Status(*status),
            Element::Barrier(barrier, target) => Element::Barrier(*barrier, target.clone()),
            Element::EndOfInput => Element::EndOfInput,
            Element::Broken(why) => Element::Broken(why.clone()),
        })
    }
}

/// How much a channel may hold, and all of them together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// This many batches.
    pub batches: usize,
    /// This many rows.
    pub rows: usize,
    /// This many bytes.
    pub bytes: usize,
    /// All channels of a gate together this many bytes, and a batch more.
    pub gate_bytes: usize,
    /// Senders cut batches to about this many bytes, so that several fit into a channel.
    pub batch_bytes: usize,
}

/// The outcome of offering an element.
#[derive(Debug)]
pub enum Offer {
    /// It is in the channel, or was discarded because the gate is closed.
    Taken,
    /// There is no room now; the given waker is called when there is.
    Full(Element),
}

/// What the task finds.
#[derive(Debug)]
pub enum Next {
    /// A message; they go first.
    Command(TaskCommand),
    /// An element.
    Element {
        /// Of this channel.
        channel: usize,
        /// The element.
        element: Element,
    },
    /// A barrier or an end has arrived in the queue of a channel. Only where barriers may overtake.
    Arrived {
        /// The channel.
        channel: usize,
        /// What.
        arrival: Arrival,
    },
    /// Nothing at the moment.
    Nothing,
}

/// How long a blocked producer waits before it checks for cancellation.
const CANCEL_CHECK: Duration = Duration::from_millis(50);

/// A task's inputs and mailbox.
#[derive(Debug)]
pub struct Gate {
    limits: Limits,
    state: Mutex<State>,
    readable: Condvar,
    writable: Vec<Condvar>,
    /// Barriers may overtake.
    overtakes: bool,
}

#[derive(Debug)]
struct State {
    channels: Vec<Channel>,
    mail: VecDeque<TaskCommand>,
    /// The channel whose turn it is.
    turn: usize,
    /// How many channels can be read from.
    ready: usize,
    /// The bytes in all channels.
    bytes: usize,
    /// A sender was turned away although there is room in the channel.
    crowded: bool,
    reader_waits: bool,
    /// How often the reader has begun to wait.
    waits: u64,
    /// The reader expects something as a message.
    expecting: bool,
    /// The reader waits for work that continues elsewhere.
    busy: bool,
    left: bool,
    /// The next wait ends at once.
    woken: bool,
    closed: bool,
    /// What has arrived and was not told.
    arrivals: VecDeque<(usize, Arrival)>,
    /// The barriers that have overtaken, and what they overtook.
    keeping: Vec<Keeping>,
    /// How many elements are to be replayed before anything new is read.
    replaying: usize,
    /// The last element that was read was a replayed one of this channel.
    took_replayed: Option<usize>,
}

impl State {
    /// Whether all channels together are full. A task that has nothing to read, because everything waits
    /// behind a barrier, must get something nevertheless.
    fn is_crowded(&self, limits: Limits) -> bool {
        self.bytes >= limits.gate_bytes && self.ready > 0
    }

    fn is_full(&self, channel: usize, limits: Limits) -> bool {
        self.channels[channel].is_full(limits) || self.is_crowded(limits)
    }
}

impl Gate {
    /// A gate with this many channels.
    pub fn new(channels: usize, limits: Limits) -> Self {
        let state = State {
            channels: (0..channels).map(|_| Channel::default()).collect(),
            mail: VecDeque::new(),
            turn: 0,
            ready: 0,
            bytes: 0,
            crowded: false,
            reader_waits: false,
            waits: 0,
            expecting: false,
            busy: false,
            left: false,
            woken: false,
            closed: false,
            arrivals: VecDeque::new(),
            keeping: Vec::new(),
            replaying: 0,
            took_replayed: None,
        };
        let writable = (0..channels).map(|_| Condvar::new()).collect();
        let (state, readable) = (Mutex::new(state), Condvar::new());
        Gate { limits, state, readable, writable, overtakes: false }
    }

    /// How much its channels may hold.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.writable.len()
    }

    /// Puts a message into the mailbox.
    pub fn post(&self, command: TaskCommand) {
        let mut state = self.state.lock();
        if !state.closed {
            state.mail.push_back(command);
            self.wake_reader(&mut state);
        }
    }

    /// Puts an element into a channel. A batch waits for room; returns how long, in nanoseconds.
    ///
    /// # Errors
    /// If the sender is cancelled while it waits.
    pub fn send(
        &self,
        channel: usize,
        element: Element,
        cancel: &CancelFlag,
        clock: &dyn Clock,
    ) -> Result<u64> {
        let bytes = bytes_of(&element);
        let mut waited = 0;
        let limits = self.limits_of_sending();
        let mut guard = self.state.lock();
        if Self::must_wait(limits, &guard, channel, &element) {
            let start = clock.nanos();
            while Self::must_wait(limits, &guard, channel, &element) {
                cancel.check()?;
                self.wait_for_room(&mut guard, channel, Waiter::Thread);
                self.writable[channel].wait_for(&mut guard, CANCEL_CHECK);
            }
            guard.channels[channel].waiter = None;
            waited = clock.nanos().saturating_sub(start);
        }
        self.put(&mut guard, channel, element, bytes);
        Ok(waited)
    }

    /// Puts an element into a channel, if it need not wait for room. Never blocks. Elements of one channel
    /// must be offered in order: a returned element goes first.
    pub fn offer(&self, channel: usize, element: Element, waker: &Waker) -> Offer {
        let bytes = bytes_of(&element);
        let mut guard = self.state.lock();
        if Self::must_wait(self.limits, &guard, channel, &element) {
            self.wait_for_room(&mut guard, channel, Waiter::Waker(waker.clone()));
            return Offer::Full(element);
        }
        self.put(&mut guard, channel, element, bytes);
        Offer::Taken
    }

    /// The bytes that a channel currently accepts: what its receiver announces to a remote sender.
    pub fn room(&self, channel: usize) -> usize {
        let state = self.state.lock();
        match state.is_full(channel, self.limits) {
            true => 0,
            false => self.limits.bytes - state.channels[channel].bytes,
        }
    }

    fn must_wait(limits: Limits, state: &State, channel: usize, element: &Element) -> bool {
        matches!(element, Element::Batch(_)) && !state.closed && state.is_full(channel, limits)
    }

    fn wait_for_room(&self, state: &mut State, channel: usize, waiter: Waiter) {
        let channel = &mut state.channels[channel];
        channel.waiter = Some(waiter);
        state.crowded |= !channel.is_full(self.limits);
    }

    /// Senders that waited because of other channels and no longer need to.
    fn no_longer_crowded(&self, state: &mut State) -> Vec<(usize, Waiter)> {
        // As with a channel: half is free again, or else there is nothing left to read.
        if !state.crowded || (state.ready > 0 && state.bytes > self.limits.gate_bytes / 2) {
            return Vec::new();
        }
        state.crowded = false;
        let channels = state.channels.iter_mut().enumerate();
        let with_room = channels.filter(|(_, channel)| !channel.is_full(self.limits));
        with_room.filter_map(|(at, channel)| Some((at, channel.waiter.take()?))).collect()
    }

    fn put(&self, state: &mut State, channel: usize, element: Element, bytes: usize) {
        if state.closed {
            return;
        }
        if self.overtakes {
            self.arrives(state, channel, &element);
        }
        let target = &mut state.channels[channel];
        let was_ready = target.is_ready();
        match (&element, target.queue.back_mut()) {
            (Element::Watermark(new), Some((Element::Watermark(old), _))) => *old = *new,
            (Element::Batch(batch), _) => {
                target.batches += 1;
                target.rows += batch.num_rows();
                target.bytes += bytes;
                state.bytes += bytes;
                target.queue.push_back((element, bytes));
            }
            _ => target.queue.push_back((element, 0)),
        }
        if !was_ready && target.is_ready() {
            state.ready += 1;
            self.wake_reader(state);
        }
    }

    /// The next message, else the next element of the channels in turn.
    pub fn next(&self) -> Next {
        self.next_if(Admit::All)
    }

    /// As [`Gate::next`], but only elements that are admitted.
    pub fn next_if(&self, admit: Admit) -> Next {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if let Some(command) = state.mail.pop_front() {
            return Next::Command(command);
        }
        if state.replaying == 0
            && let Some((channel, arrival)) = state.arrivals.pop_front()
        {
            return Next::Arrived { channel, arrival };
        }
        if state.ready == 0 || admit == Admit::Nothing {
            return Next::Nothing;
        }
        let count = state.channels.len();
        let mut turns = (0..count).map(|offset| (state.turn + offset) % count);
        let ready = turns.find(|at| state.channels[*at].is_ready_for(admit));
        let Some(at) = ready else { return Next::Nothing };
        state.turn = (at + 1) % count;
        let channel = &mut state.channels[at];
        let Some((element, bytes)) = channel.queue.pop_front() else {
            return Next::Nothing;
        };
        let mut waiter = None;
        if let Element::Batch(batch) = &element {
            channel.batches -= 1;
            channel.rows -= batch.num_rows();
            channel.bytes -= bytes;
            state.bytes -= bytes;
            if channel.waiter.is_some() && channel.has_room_again(self.limits) {
                waiter = channel.waiter.take();
            }
        }
        if channel.queue.is_empty() {
            state.ready -= 1;
        }
        state.took(at);
        let others = self.no_longer_crowded(state);
        drop(guard);
        self.tell(at, waiter);
        others.into_iter().for_each(|(at, waiter)| self.tell(at, Some(waiter)));
        Next::Element { channel: at, element }
    }

    /// Waits until [`Gate::next_if`] finds something, or until a wake-up, at most this long. A `busy` task
    /// waits for work elsewhere that will wake it.
    pub fn wait(&self, timeout: Duration, admit: Admit, busy: bool) {
        let mut state = self.state.lock();
        state.busy = busy;
        let nothing = |state: &mut State| {
            let ready = || state.channels.iter().any(|channel| channel.is_ready_for(admit));
            let told = state.replaying > 0 || state.arrivals.is_empty();
            state.mail.is_empty() && told && (state.ready == 0 || !ready()) && !state.woken && !state.closed
        };
        state.reader_waits = true;
        state.waits += 1;
        self.readable.wait_while_for(&mut state, nothing, timeout);
        state.reader_waits = false;
        state.woken = false;
    }

    /// Ends the current wait, or else the next one: there is work that does not come through the gate.
    pub fn wake(&self) {
        let mut state = self.state.lock();
        state.woken = true;
        self.wake_reader(&mut state);
    }

    /// Records that the reader expects something as a message, or that it has arrived.
    pub fn expect(&self, expecting: bool) {
        self.state.lock().expecting = expecting;
    }

    /// Whether the reader waits and there is nothing for it: no message, no element, and nothing that it has
    /// asked for. The result numbers the wait: comparing two results shows whether the reader has done
    /// something in between.
    pub fn idle(&self) -> Option<u64> {
        let state = self.state.lock();
        let silent = state.mail.is_empty() && state.arrivals.is_empty();
        let nothing = silent && state.channels.iter().all(|channel| channel.queue.is_empty());
        let awaited = state.woken || state.expecting || state.busy;
        (state.reader_waits && nothing && !awaited).then_some(state.waits)
    }

    /// Records that the reader has ended and has sent its last report.
    pub fn leave(&self) {
        self.state.lock().left = true;
    }

    /// Whether the reader has ended and has sent its last report. A closed gate is not enough: a failure may
    /// still be on its way.
    pub fn is_left(&self) -> bool {
        self.state.lock().left
    }

    /// Stops reading from a channel.
    pub fn block(&self, channel: usize) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        if state.channels[channel].is_ready() {
            state.ready -= 1;
        }
        state.channels[channel].blocked = true;
        // What is left to read may have to come first.
        let others = self.no_longer_crowded(state);
        drop(guard);
        others.into_iter().for_each(|(at, waiter)| self.tell(at, Some(waiter)));
    }

    /// Reads from all channels again.
    pub fn unblock_all(&self) {
        let mut guard = self.state.lock();
        let state = &mut *guard;
        for channel in &mut state.channels {
            channel.blocked = false;
        }
        state.ready = state.channels.iter().filter(|channel| channel.is_ready()).count();
    }

    /// Drops what is queued and everything that still comes; nobody waits for room any more.
    pub fn close(&self) {
        let mut guard = self.state.lock();
        guard.closed = true;
        (guard.ready, guard.bytes, guard.crowded, guard.replaying) = (0, 0, false, 0);
        guard.mail.clear();
        guard.arrivals.clear();
        guard.keeping.clear();
        let queues: Vec<_> =
            guard.channels.iter_mut().map(|channel| std::mem::take(&mut channel.queue)).collect();
        let mut waiters = Vec::new();
        for channel in &mut guard.channels {
            (channel.batches, channel.rows, channel.bytes, channel.replayed) = (0, 0, 0, 0);
            waiters.push(channel.waiter.take());
        }
        self.readable.notify_all();
        drop(guard);
        for (channel, waiter) in waiters.into_iter().enumerate() {
            self.tell(channel, waiter);
        }
        // The batches are freed without the lock.
        drop(queues);
    }

    /// Rows queued at the moment.
    pub fn queued_rows(&self) -> usize {
        self.state.lock().channels.iter().map(|channel| channel.rows).sum()
    }

    /// Bytes queued at the moment.
    pub fn queued_bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// Announces that there is room again; without the lock, because a waker may do anything.
    fn tell(&self, channel: usize, waiter: Option<Waiter>) {
        match waiter {
            None => {}
            Some(Waiter::Thread) => _ = self.writable[channel].notify_one(),
            Some(Waiter::Waker(waker)) => waker.wake(),
        }
    }

    fn wake_reader(&self, state: &mut State) {
        if state.reader_waits {
            self.readable.notify_one();
        }
    }
}
