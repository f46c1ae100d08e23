//! Why a script or the shell ends early.

use std::process::ExitCode;

use flott::{Error, ErrorKind};

use crate::console::Console;

/// `Result` with [`Stop`].
pub(crate) type Result<T, E = Stop> = std::result::Result<T, E>;

/// Why it ends.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A statement or a job failed.
    Failed(Error),
    /// The same, and it was told when it happened.
    Told,
    /// Ctrl-C
    Interrupted,
    /// SIGTERM
    Terminated,
    /// Standard output is closed: `| head` has seen enough.
    NobodyReads,
}

impl Stop {
    /// The exit status that says so.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Stop::Failed(_) | Stop::Told => 1,
            Stop::Interrupted => 130,
            Stop::Terminated => 143,
            Stop::NobodyReads => 0,
        })
    }

    /// Says why, where that is not plain.
    pub fn tell(&self, console: Console) {
        if let Stop::Failed(error) = self {
            console.error(&error.to_string());
        }
    }

    /// The failure with the place of the statement, for a script.
    pub fn at(self, place: &str) -> Self {
        match self {
            Stop::Failed(error) if !place.is_empty() => {
                Stop::Failed(Error::new(error.kind(), format!("{place}: {error}")))
            }
            other => other,
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        // The print connector writes to standard output from within a job.
        match error.kind() {
            ErrorKind::Closed => Stop::NobodyReads,
            _ => Stop::Failed(error),
        }
    }
}

/// Writing to standard output failed.
impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Error::output("cannot write to standard output", error).into()
    }
}
