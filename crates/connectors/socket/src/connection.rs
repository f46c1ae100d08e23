//! The thread that reads a connection.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use flott_connector::Waker;
use flott_types::{Error, Result};
use parking_lot::{Condvar, Mutex};

/// How long a read waits before it checks whether it is still wanted.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// A longer line means that the delimiter is missing.
const LONGEST_LINE: usize = 64 << 20;

/// The messages of the thread.
pub(crate) enum Event {
    Lines(Vec<String>),
    /// The server has closed the connection, and all retries are used up.
    Ended,
    Failed(Error),
}

/// Set when nobody reads any more.
#[derive(Default)]
pub(crate) struct Stop {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    pub(crate) fn set(&self) {
        *self.stopped.lock() = true;
        self.changed.notify_all();
    }

    fn is_set(&self) -> bool {
        *self.stopped.lock()
    }

    /// Waits this long unless stopped; returns whether it was.
    fn wait(&self, delay: Duration) -> bool {
        let mut stopped = self.stopped.lock();
        self.changed.wait_while_for(&mut stopped, |stopped| !*stopped, delay);
        *stopped
    }
}

pub(crate) struct Connection {
    pub(crate) address: (String, u16),
    pub(crate) delimiter: Vec<u8>,
    pub(crate) retries: Option<u32>,
    pub(crate) retry_delay: Duration,
    pub(crate) sender: SyncSender<Event>,
    pub(crate) stop: Arc<Stop>,
    pub(crate) waker: Waker,
}

impl Connection {
    pub(crate) fn run(self) {
        let mut tries = 0;
        let last = loop {
            let event = match self.connect() {
                Ok(stream) => {
                    tries = 0;
                    match self.read(stream) {
                        Ok(true) => return,
                        Ok(false) => Event::Ended,
                        Err(error) => Event::Failed(error),
                    }
                }
                Err(error) => Event::Failed(error),
            };
            if self.retries.is_some_and(|retries| tries >= retries) {
                break event;
            }
            tries += 1;
            if self.stop.wait(self.retry_delay) {
                return;
            }
        };
        self.send(last);
    }

    /// Whether anybody is still listening.
    fn send(&self, event: Event) -> bool {
        let sent = self.sender.send(event).is_ok();
        self.waker.wake();
        sent
    }

    fn connect(&self) -> Result<TcpStream> {
        let (host, port) = &self.address;
        TcpStream::connect((host.as_str(), *port))
            .and_then(|stream| {
                stream.set_read_timeout(Some(STOP_CHECK))?;
                Ok(stream)
            })
            .map_err(|error| Error::external(format!("cannot connect to {host}:{port}")).with_source(error))
    }

    /// Reads to the end of the connection; true if nobody listens any more.
    fn read(&self, mut stream: TcpStream) -> Result<bool> {
        let (host, port) = &self.address;
        let mut chunk = vec![0; CHUNK];
        let mut held: Vec<u8> = Vec::new();
        loop {
            let read = match stream.read(&mut chunk) {
                Ok(read) => read,
                Err(error) if is_pause(error.kind()) => match self.stop.is_set() {
                    true => return Ok(true),
                    false => continue,
                },
                Err(error) => {
                    return Err(Error::external(format!("cannot read from {host}:{port}")).with_source(error));
                }
            };
            held.extend_from_slice(&chunk[..read]);
            let searched = held_before(held.len(), read, &self.delimiter);
            let mut lines = take_lines(&mut held, &self.delimiter, searched);
            if read == 0 && !held.is_empty() {
                lines.push(text(&std::mem::take(&mut held), &self.delimiter));
            }
            if !lines.is_empty() && !self.send(Event::Lines(lines)) {
                return Ok(true);
            }
            if read == 0 {
                return Ok(false);
            }
            if held.len() > LONGEST_LINE {
                return Err(Error::data(format!(
                    "a line from {host}:{port} has more than {LONGEST_LINE} bytes and no delimiter"
                )));
            }
        }
    }
}

/// How far the bytes have been searched: a delimiter may have begun just before the last read.
fn held_before(len: usize, read: usize, delimiter: &[u8]) -> usize {
    (len - read).saturating_sub(delimiter.len() - 1)
}

fn is_pause(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Takes complete lines from the front; the first `searched` bytes contain no delimiter.
fn take_lines(held: &mut Vec<u8>, delimiter: &[u8], searched: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut start, mut from) = (0, searched);
    while let Some(at) = memchr::memmem::find(&held[from..], delimiter) {
        let end = from + at;
        lines.push(text(&held[start..end], delimiter));
        start = end + delimiter.len();
        from = start;
    }
    held.drain(..start);
    lines
}

fn text(line: &[u8], delimiter: &[u8]) -> String {
    let line = if delimiter == b"\n" { line.strip_suffix(b"\r").unwrap_or(line) } else { line };
    String::from_utf8_lossy(line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_taken_whatever_the_pieces_in_which_they_come() {
        let bytes = b"one\r\n\ntwo--three--\xffx\n";
        for (delimiter, expected) in
            [("\n", vec!["one", "", "two--three--\u{fffd}x"]), ("--", vec!["one\r\n\ntwo", "three"])]
        {
            for piece in 1..bytes.len() {
                let mut held = Vec::new();
                let mut lines = Vec::new();
                for part in bytes.chunks(piece) {
                    held.extend_from_slice(part);
                    let searched = held_before(held.len(), part.len(), delimiter.as_bytes());
                    lines.extend(take_lines(&mut held, delimiter.as_bytes(), searched));
                }
                assert_eq!(lines, expected, "{delimiter:?} in pieces of {piece}");
            }
        }
    }
}
