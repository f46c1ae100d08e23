//! Messages between a process and one that it has started, over the child's standard input, which is one end of a pair of
//! sockets. So nobody else can listen or speak, there is no port and no password, and each end learns at once when the
//! other process is gone.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use flott_types::{Error, Result};
use parking_lot::Mutex;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec;

/// The longest message: a plan, collected rows.
const LONGEST: u64 = 1 << 30;
/// Who does not read for so long counts as gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// One end, to write to.
pub(crate) struct Link(Mutex<UnixStream>);

impl Link {
    /// The end of a pair, to write to and to read from.
    pub fn new(stream: UnixStream) -> Result<(Self, UnixStream)> {
        let failed = |error| Error::external("a process cannot be spoken to").with_source(error);
        stream.set_write_timeout(Some(PATIENCE)).map_err(failed)?;
        let reader = stream.try_clone().map_err(failed)?;
        Ok((Link(Mutex::new(stream)), reader))
    }

    /// Sends a message. What cannot be written whole ends the connection.
    pub fn send<T: Serialize>(&self, message: &T) -> bool {
        let encoded = match codec::encode(message) {
            Ok(encoded) => encoded,
            Err(error) => {
                tracing::error!(%error, "a message to another process is not sent");
                return false;
            }
        };
        let mut bytes = Vec::with_capacity(encoded.len() + 8);
        bytes.extend((encoded.len() as u64).to_le_bytes());
        bytes.extend(encoded);
        let mut stream = self.0.lock();
        let sent = stream.write_all(&bytes);
        if sent.is_err() {
            // It may be closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        sent.is_ok()
    }

    /// Ends the connection; the other end learns of it.
    pub fn close(&self) {
        // It may be closed already.
        let _ = self.0.lock().shutdown(Shutdown::Both);
    }
}

/// The next message; `None` if the other end is gone.
///
/// # Errors
/// If what comes is no message.
pub(crate) fn receive<T: DeserializeOwned>(from: &mut UnixStream) -> Result<Option<T>> {
    let broken = |error| Error::external("a message of another process cannot be read").with_source(error);
    let mut length = [0; 8];
    match from.read_exact(&mut length) {
        Err(error) if is_end(error.kind()) => return Ok(None),
        read => read.map_err(broken)?,
    }
    let length = u64::from_le_bytes(length);
    if length > LONGEST {
        return Err(Error::external(format!("a message of another process is said to have {length} bytes")));
    }
    let mut bytes = Vec::new();
    match Read::take(&mut *from, length).read_to_end(&mut bytes) {
        Err(error) if is_end(error.kind()) => return Ok(None),
        read => read.map_err(broken)?,
    };
    if bytes.len() as u64 != length {
        return Ok(None);
    }
    codec::decode(&bytes).map(Some)
}

fn is_end(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_arrive_whole_or_not_at_all() {
        let (one, other) = UnixStream::pair().unwrap();
        let ((link, _), mut reader) = (Link::new(one).unwrap(), other);
        assert!(link.send(&"a".to_owned()) && link.send(&vec![1_u8; 100]));
        assert_eq!(receive::<String>(&mut reader).unwrap().as_deref(), Some("a"));
        assert_eq!(receive::<Vec<u8>>(&mut reader).unwrap(), Some(vec![1; 100]));
        // Half of one.
        link.0.lock().write_all(&9_u64.to_le_bytes()).unwrap();
        link.0.lock().write_all(b"xyz").unwrap();
        link.close();
        assert_eq!(receive::<String>(&mut reader).unwrap(), None);
        assert!(!link.send(&1));
    }

    #[test]
    fn what_is_no_message_is_an_error() {
        let (mut one, mut other) = UnixStream::pair().unwrap();
        one.write_all(&u64::MAX.to_le_bytes()).unwrap();
        assert!(receive::<String>(&mut other).unwrap_err().to_string().contains("is said to have"));
    }
}
