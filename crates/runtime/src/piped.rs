//! Exchanges through bytes: the channel between two processes, without the network.
//!
//! A sender writes elements as frames ([`crate::wire`]) into the pipe of its channel. One thread reads the
//! pipes of all channels, like the thread of a connection, and offers elements to the gates of their tasks.
//! It never waits for one of them: an element that a gate refuses stays in its pipe until there is room, and
//! the other pipes continue.
//!
//! A pipe holds as many bytes as its **credit**, and one frame more. A frame's bytes are released when the
//! gate has accepted its element. So a slow task holds back only its senders, and its channel is bounded in
//! bytes regardless of the size of batches.
//!
//! With these exchanges a job in one process proves that everything its tasks exchange can cross a network;
//! they are slower than [`crate::LocalExchanges`], which pass batches by pointer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use flott_checkpoint::{Attempt, TaskId};
use flott_types::{Error, FastMap, JobId, Result, Waker};
use parking_lot::{Condvar, Mutex};

use crate::connect::{Exchanges, InputChannel, Sender, SenderContext};
use crate::gate::{Element, Gate};
use crate::inlet::Inlet;
use crate::wire::ElementEncoder;
use crate::{ChannelKey, Threads};

/// How long a waiting sender waits before it checks for cancellation.
const CANCEL_CHECK: Duration = Duration::from_millis(50);

/// The exchanges. See [`self`].
pub struct PipedExchanges(Arc<Shared>);

struct Shared {
    credit: usize,
    threads: Threads,
    state: Mutex<State>,
    /// There are pipes to read, or no pipes any more.
    ready: Condvar,
    /// A receiver is there.
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pipes: FastMap<ChannelKey, Arc<Pipe>>,
    /// Those in which something has changed.
    ready: VecDeque<Arc<Pipe>>,
    /// The thread exists. It ends when there are no pipes, so a cluster without jobs has none.
    reads: bool,
}

/// One channel.
struct Pipe {
    inlet: Inlet,
    line: Mutex<Line>,
    room: Condvar,
    /// It is among those that are ready.
    is_ready: AtomicBool,
}

/// What is in progress.
#[derive(Default)]
struct Line {
    /// Of frames that the gate has not taken.
    bytes: usize,
    /// Nobody reads it any more.
    closed: bool,
    /// Of a sender that waits for room before it begins.
    waker: Option<Waker>,
}

impl PipedExchanges {
    /// Exchanges whose channels hold about this many bytes.
    pub fn new(credit: usize, threads: Threads) -> Self {
        PipedExchanges(Arc::new(Shared {
            credit: credit.max(1),
            threads,
            state: Mutex::default(),
            ready: Condvar::new(),
            changed: Condvar::new(),
        }))
    }
}

impl Exchanges for PipedExchanges {
    fn register(&self, channels: &[InputChannel], gate: &Arc<Gate>) -> Result<()> {
        let mut state = self.0.state.lock();
        if !state.reads {
            let shared = self.0.clone();
            self.0.threads.spawn("exchange", move || shared.read())?;
            state.reads = true;
        }
        for (place, channel) in channels.iter().enumerate() {
            let shared = Arc::downgrade(&self.0);
            let pipe = Arc::new_cyclic(|pipe: &Weak<Pipe>| Pipe {
                inlet: Inlet::new(Arc::clone(gate), place, channel, waker(shared, pipe.clone())),
                line: Mutex::default(),
                room: Condvar::new(),
                is_ready: AtomicBool::new(false),
            });
            state.pipes.insert(channel.key, pipe);
        }
        self.0.changed.notify_all();
        self.0.ready.notify_all();
        Ok(())
    }

    fn connect(&self, channel: ChannelKey, context: &SenderContext) -> Result<Box<dyn Sender>> {
        let mut state = self.0.state.lock();
        loop {
            if let Some(pipe) = state.pipes.get(&channel) {
                let (shared, pipe, context) = (self.0.clone(), pipe.clone(), context.clone());
                return Ok(Box::new(PipeSender {
                    shared,
                    pipe,
                    context,
                    encoder: ElementEncoder::default(),
                }));
            }
            if context.cancel.is_set() {
                return Err(Error::cancelled());
            }
            self.0.changed.wait_for(&mut state, CANCEL_CHECK);
        }
    }

    fn unregister(&self, job: JobId, attempt: Attempt, task: TaskId) {
        let mut state = self.0.state.lock();
        for (_, pipe) in
            state.pipes.extract_if(|key, _| (key.job, key.attempt, key.to) == (job, attempt, task))
        {
            let waker = {
                let mut line = pipe.line.lock();
                line.closed = true;
                line.waker.take()
            };
            pipe.inlet.close();
            pipe.room.notify_all();
            waker.iter().for_each(Waker::wake);
        }
        self.0.ready.notify_all();
    }
}

fn waker(shared: Weak<Shared>, pipe: Weak<Pipe>) -> Waker {
    Waker::new(move || {
        if let (Some(shared), Some(pipe)) = (shared.upgrade(), pipe.upgrade()) {
            shared.is_ready(&pipe);
        }
    })
}

impl Shared {
    /// A pipe has work.
    fn is_ready(&self, pipe: &Arc<Pipe>) {
        if !pipe.is_ready.swap(true, Ordering::SeqCst) {
            self.state.lock().ready.push_back(pipe.clone());
            self.ready.notify_one();
        }
    }

    fn read(&self) {
        loop {
            let pipe = {
                let mut state = self.state.lock();
                loop {
                    if let Some(pipe) = state.ready.pop_front() {
                        break pipe;
                    }
                    if state.pipes.is_empty() {
                        state.reads = false;
                        return;
                    }
                    self.ready.wait(&mut state);
                }
            };
            // Before the check, so that nothing is missed that arrives during it.
            pipe.is_ready.store(false, Ordering::SeqCst);
            pipe.serve();
        }
    }
}

impl Pipe {
    /// Delivers what the gate accepts, and returns the credit for it.
    fn serve(&self) {
        let taken = self.inlet.serve();
        if taken > 0 {
            let mut line = self.line.lock();
            line.bytes = line.bytes.saturating_sub(taken);
            let waker = line.waker.take();
            drop(line);
            self.room.notify_one();
            waker.iter().for_each(Waker::wake);
        }
    }
}

struct PipeSender {
    shared: Arc<Shared>,
    pipe: Arc<Pipe>,
    context: SenderContext,
    encoder: ElementEncoder,
}

impl Sender for PipeSender {
    fn send(&mut self, element: Element) -> Result<()> {
        // Only batches wait: all other elements are small and few.
        let waits = matches!(element, Element::Batch(_));
        self.push(element, waits)
    }

    fn has_room(&mut self, waker: &Waker) -> Result<bool> {
        let mut line = self.pipe.line.lock();
        let room = line.bytes < self.shared.credit || line.closed;
        line.waker = (!room).then(|| waker.clone());
        Ok(room)
    }

    fn force(&mut self, element: Element) -> Result<()> {
        self.push(element, false)
    }
}

impl PipeSender {
    fn push(&mut self, element: Element, waits: bool) -> Result<()> {
        let frame = self.encoder.encode(element)?;
        let SenderContext { cancel, metrics, clock, overtakes } = &self.context;
        let credit = if *overtakes { self.shared.credit.saturating_mul(2) } else { self.shared.credit };
        let mut line = self.pipe.line.lock();
        if waits && line.bytes >= credit {
            let start = clock.nanos();
            while line.bytes >= credit && !line.closed {
                cancel.check()?;
                self.pipe.room.wait_for(&mut line, CANCEL_CHECK);
            }
            metrics.back_pressured.add(clock.nanos().saturating_sub(start));
        }
        // A receiver that has ended accepts and discards everything.
        if line.closed {
            return Ok(());
        }
        line.bytes += frame.len();
        self.pipe.inlet.push(frame);
        drop(line);
        self.shared.is_ready(&self.pipe);
        Ok(())
    }
}
