//! Values that another part of the process sends.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::task::{Context, Poll as Polled, Wake};
use std::thread::Thread;
use std::time::Duration;

use flott_batch::{Record, Records};
use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Payload, Poll, Produces, ReaderContext, Source,
    SourceOutput, SourceReader, Split, SplitEnumerator,
};
use flott_types::{CheckpointId, Result, Timestamp};
use parking_lot::Mutex;

use super::inbox::{Inbox, STOP_CHECK, Taken, Wanted, Wants, thread};

/// The receiving end of a channel: of the standard library, of tokio, or any other channel as a closure.
pub trait Channel<T>: Send + 'static {
    /// The next value, waiting for it at most this long.
    fn receive(&mut self, patience: Duration) -> Received<T>;
}

/// What a channel gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received<T> {
    /// The next value.
    Value(T),
    /// None has arrived so far.
    Nothing,
    /// All senders are gone: nothing more will come.
    Closed,
}

impl<T: Send + 'static> Channel<T> for Receiver<T> {
    fn receive(&mut self, patience: Duration) -> Received<T> {
        match self.recv_timeout(patience) {
            Ok(value) => Received::Value(value),
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => Received::Closed,
        }
    }
}

impl<T, F: FnMut(Duration) -> Received<T> + Send + 'static> Channel<T> for F {
    fn receive(&mut self, patience: Duration) -> Received<T> {
        self(patience)
    }
}

impl<T: Send + 'static> Channel<T> for tokio::sync::mpsc::Receiver<T> {
    fn receive(&mut self, patience: Duration) -> Received<T> {
        poll_within(patience, |context| self.poll_recv(context))
    }
}

impl<T: Send + 'static> Channel<T> for tokio::sync::mpsc::UnboundedReceiver<T> {
    fn receive(&mut self, patience: Duration) -> Received<T> {
        poll_within(patience, |context| self.poll_recv(context))
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future value on this thread, without a runtime.
fn poll_within<T>(
    patience: Duration,
    mut poll: impl FnMut(&mut Context<'_>) -> Polled<Option<T>>,
) -> Received<T> {
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = Context::from_waker(&waker);
    let mut last = false;
    loop {
        match poll(&mut context) {
            Polled::Ready(Some(value)) => return Received::Value(value),
            Polled::Ready(None) => return Received::Closed,
            Polled::Pending if last => return Received::Nothing,
            Polled::Pending => std::thread::park_timeout(patience),
        }
        last = true;
    }
}

/// The values of a channel, read by one reader and passed on immediately. A channel has no positions: when a
/// job fails, values that are not part of a checkpoint are lost, except those that no operator has seen.
pub struct ChannelSource<T>(Arc<Shared<T>>);

struct Shared<T> {
    /// `None` while a reader's thread has it.
    channel: Mutex<Option<Box<dyn Channel<T>>>>,
    /// Survives a restart, so that values that were received but not read are not lost.
    inbox: Inbox<T>,
}

/// This many values wait for the task; beyond that the senders wait.
const QUEUE: usize = 1_024;

/// The one split.
const SPLIT: &str = "channel";

/// The previous attempt's thread should return the channel within this time; then it is asked again.
const HAND_OVER: i64 = 10;

impl<T: Record> ChannelSource<T> {
    /// The values of this channel, until all its senders are gone.
    pub fn new(channel: impl Channel<T>) -> Self {
        let channel: Box<dyn Channel<T>> = Box::new(channel);
        ChannelSource(Arc::new(Shared { channel: Mutex::new(Some(channel)), inbox: Inbox::new(QUEUE) }))
    }
}

impl<T> Clone for ChannelSource<T> {
    fn clone(&self) -> Self {
        ChannelSource(self.0.clone())
    }
}

impl<T> fmt::Debug for ChannelSource<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChannelSource")
    }
}

impl<T: Record> Source for ChannelSource<T> {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Unbounded
    }

    fn enumerator(
        &self,
        restored: Option<&Payload>,
        context: EnumeratorContext,
    ) -> Result<Box<dyn SplitEnumerator>> {
        let split = Split { id: SPLIT.to_owned(), payload: Payload::new(1, "") };
        Ok(Box::new(FixedSplits::new(restored, || Ok(vec![split]))?.shared_by(context.parallelism)))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(ChannelReader { shared: self.0.clone(), context, split: None, receiving: None }))
    }
}

impl<T: Record> Produces<T> for ChannelSource<T> {}

struct ChannelReader<T> {
    shared: Arc<Shared<T>>,
    context: ReaderContext,
    split: Option<Split>,
    receiving: Option<Wants>,
}

/// Receives until nobody wants more, and returns the channel.
fn receive<T: Record>(shared: &Shared<T>, mut channel: Box<dyn Channel<T>>, wanted: &Wanted) {
    while wanted.still() {
        match channel.receive(STOP_CHECK) {
            Received::Value(value) => {
                shared.inbox.put(value, wanted);
            }
            Received::Nothing => {}
            Received::Closed => {
                shared.inbox.end(Ok(()));
                break;
            }
        }
    }
    *shared.channel.lock() = Some(channel);
}

impl<T: Record> SourceReader for ChannelReader<T> {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.split = splits.into_iter().next().or(self.split.take());
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if self.split.is_none() {
            return Ok(Poll::SplitsDone);
        }
        if self.receiving.is_none() {
            let Some(channel) = self.shared.channel.lock().take() else {
                return Ok(Poll::Wait(self.context.clock.now() + HAND_OVER));
            };
            let (wants, wanted) = Wanted::new();
            let shared = self.shared.clone();
            thread("a channel source", move || receive(&shared, channel, &wanted))?;
            self.receiving = Some(wants);
        }
        match self.shared.inbox.take(&self.context.waker)? {
            Taken::Values(values) => {
                output.emit(SPLIT, Records::new(values).into())?;
                Ok(Poll::More)
            }
            Taken::Nothing => Ok(Poll::Wait(Timestamp::MAX)),
            Taken::Ended => {
                self.split = None;
                output.split_finished(SPLIT)?;
                Ok(Poll::SplitsDone)
            }
        }
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        Ok(self.split.iter().cloned().collect())
    }
}
