//! Lines of a TCP connection.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

use flott_batch::Records;
use flott_connector::{
    Boundedness, EnumeratorContext, FixedSplits, Payload, Poll, Produces, ReaderContext, Source,
    SourceOutput, SourceReader, Split, SplitEnumerator,
};
use flott_types::{CheckpointId, Error, Result};

use crate::connection::{Connection, Event, Stop};

/// Lines of a TCP connection to a server (`nc -lk 9999`), read by one reader. A connection has no positions:
/// lines that were not part of a checkpoint when a job fails are lost.
#[derive(Clone, Debug)]
pub struct SocketTextSource {
    address: (String, u16),
    delimiter: String,
    retries: Option<u32>,
    retry_delay: Duration,
}

impl SocketTextSource {
    /// Lines that end with `\n` or `\r\n`. The source ends when the server closes the connection.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        SocketTextSource {
            address: (host.into(), port),
            delimiter: "\n".to_owned(),
            retries: Some(0),
            retry_delay: Duration::from_millis(500),
        }
    }

    /// Lines that end with this.
    ///
    /// # Errors
    /// If it is empty.
    pub fn with_delimiter(self, delimiter: impl Into<String>) -> Result<Self> {
        let delimiter = delimiter.into();
        if delimiter.is_empty() {
            return Err(Error::invalid("the delimiter of a socket's lines is empty"));
        }
        Ok(SocketTextSource { delimiter, ..self })
    }

    /// If the connection ends or cannot be made, it is retried this often; `None` means forever. A successful
    /// connection resets the count.
    #[must_use]
    pub fn with_retries(self, retries: Option<u32>) -> Self {
        SocketTextSource { retries, ..self }
    }

    /// How long to wait before a retry; half a second by default.
    #[must_use]
    pub fn with_retry_delay(self, retry_delay: Duration) -> Self {
        SocketTextSource { retry_delay, ..self }
    }
}

/// The one split.
const SPLIT: &str = "socket";

/// This many reads of the connection wait for the task; beyond that the connection waits.
const QUEUE: usize = 16;

/// The task looks again after this long, even if nobody wakes it.
const LOOK_AGAIN: i64 = 1_000;

impl Source for SocketTextSource {
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
        Ok(Box::new(SocketReader { source: self.clone(), context, split: None, lines: None }))
    }
}

impl Produces<String> for SocketTextSource {}

struct SocketReader {
    source: SocketTextSource,
    context: ReaderContext,
    split: Option<Split>,
    lines: Option<Lines>,
}

/// The output of the connection's thread.
struct Lines {
    events: Receiver<Event>,
    stop: Arc<Stop>,
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.stop.set();
    }
}

impl SocketReader {
    fn connect(&self) -> Result<Lines> {
        let (sender, events) = sync_channel(QUEUE);
        let stop = Arc::<Stop>::default();
        let connection = Connection {
            address: self.source.address.clone(),
            delimiter: self.source.delimiter.clone().into_bytes(),
            retries: self.source.retries,
            retry_delay: self.source.retry_delay,
            sender,
            stop: stop.clone(),
            waker: self.context.waker.clone(),
        };
        let (host, port) = &self.source.address;
        std::thread::Builder::new()
            .name(format!("socket {host}:{port}"))
            .spawn(move || connection.run())
            .map_err(|error| Error::external("cannot start the thread of a socket").with_source(error))?;
        Ok(Lines { events, stop })
    }
}

impl SourceReader for SocketReader {
    fn add_splits(&mut self, splits: Vec<Split>) -> Result<()> {
        self.split = splits.into_iter().next().or(self.split.take());
        Ok(())
    }

    fn poll(&mut self, output: &mut dyn SourceOutput) -> Result<Poll> {
        if self.split.is_none() {
            return Ok(Poll::SplitsDone);
        }
        let lines = match &self.lines {
            Some(lines) => lines,
            None => {
                let connected = self.connect()?;
                self.lines.insert(connected)
            }
        };
        match lines.events.try_recv() {
            Ok(Event::Lines(lines)) => {
                output.emit(SPLIT, Records::new(lines).into())?;
                Ok(Poll::More)
            }
            Ok(Event::Failed(error)) => Err(error),
            Ok(Event::Ended) => {
                (self.split, self.lines) = (None, None);
                output.split_finished(SPLIT)?;
                Ok(Poll::SplitsDone)
            }
            Err(TryRecvError::Empty) => Ok(Poll::Wait(self.context.clock.now() + LOOK_AGAIN)),
            Err(TryRecvError::Disconnected) => Err(Error::internal("the thread of a socket has died")),
        }
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Split>> {
        Ok(self.split.iter().cloned().collect())
    }
}
