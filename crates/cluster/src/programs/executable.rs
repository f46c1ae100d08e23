//! Executables of programs, and processes that are made of them.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use flott_types::{Error, Result};
use rustix::process::{Pid, Signal, kill_process_group};

use super::hosted::SESSION;
use super::link::Link;
use super::messages::Begin;

/// A file that was just written counts as being written for a moment, if another process was started meanwhile.
const BUSY: Duration = Duration::from_millis(20);
const BUSY_FOR: usize = 250;
/// How much of the end of a log is told.
const LAST_WORDS: u64 = 2_000;

/// What tells an executable from others: a checksum, and its length.
///
/// # Errors
/// If it cannot be read.
pub fn identity(file: &mut File) -> Result<String> {
    let unreadable = |error| Error::external("the program's executable cannot be read").with_source(error);
    let (mut checksum, mut length, mut piece) = (0, 0, vec![0; 1 << 20]);
    loop {
        match file.read(&mut piece).map_err(unreadable)? {
            0 => return Ok(format!("{checksum:08x}-{length}")),
            read => {
                checksum = crc32c::crc32c_append(checksum, piece.get(..read).unwrap_or_default());
                length += read;
            }
        }
    }
}

/// A process of a program that was started.
pub(super) struct Process {
    pub child: Child,
    pub link: Link,
    /// The other way of the link.
    pub reader: UnixStream,
    pub log: PathBuf,
}

/// Starts a process of a program, which is told what it is.
pub(super) fn start(executable: &Path, arguments: &[String], log: PathBuf, begin: &Begin) -> Result<Process> {
    let failed = |what: String| move |error| Error::external(what).with_source(error);
    let (own, theirs) =
        UnixStream::pair().map_err(failed("there are no sockets for a program".to_owned()))?;
    let out = OpenOptions::new().create(true).append(true).mode(0o600).open(&log);
    let out = out.map_err(failed(format!("cannot write {}", log.display())))?;
    let err = out.try_clone().map_err(failed(format!("cannot write {}", log.display())))?;
    let mut command = Command::new(executable);
    command.args(arguments).env(SESSION, std::process::id().to_string());
    command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(out).stderr(err);
    // Ctrl-C at the terminal is not meant for it.
    command.process_group(0);
    let mut tries = 0;
    let mut child = loop {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < BUSY_FOR => {
                tries += 1;
                std::thread::park_timeout(BUSY);
            }
            spawned => break spawned.map_err(failed("the program cannot be started".to_owned()))?,
        }
    };
    // This process must not hold the other end: nobody would learn that the program is gone.
    drop(command);
    match Link::new(own) {
        Ok((link, reader)) if link.send(begin) => Ok(Process { child, link, reader, log }),
        told => {
            kill(&child);
            let status = child.wait().map(ended).unwrap_or_default();
            Err(told.err().unwrap_or_else(|| Error::external(format!("the program {status}"))))
        }
    }
}

/// Kills a process that was started here, and what it has started itself.
pub(super) fn kill(child: &Child) {
    // It may have ended by itself, but it was not waited for: its number is nobody else's.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}

/// How a process has ended.
pub(super) fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("has ended with exit status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "has ended".to_owned(),
    }
}

/// The last lines of a log, after what was written before.
pub(super) fn last_words(log: &Path, from: u64) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let begin = from.max(file.metadata()?.len().saturating_sub(LAST_WORDS));
        file.seek(SeekFrom::Start(begin))?;
        let mut bytes = Vec::new();
        file.take(LAST_WORDS).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).trim().to_owned()
}
