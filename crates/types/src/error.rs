//! The error that crosses crate boundaries: a kind, whose fault it is, whether to retry, where, and the
//! source.
//!
//! The runtime decides from the kind, never from the text. Crates with errors of their own (a parser, a
//! store) keep an enum inside and convert at the edge.

use std::error::Error as StdError;
use std::fmt;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a decision depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// A statement, option, plan or argument is wrong. The same input fails again.
    Invalid,
    /// Valid in Flink, not built here yet. Refused by name.
    Unsupported,
    /// A row of the input cannot be read or computed with (malformed, division by zero).
    Data,
    /// A file, object store, broker or other external system failed.
    External,
    /// Checkpointed state is missing, damaged or does not fit.
    State,
    /// The reader of the output has gone (a closed pipe).
    Closed,
    /// A column of this many rows would exceed the limit in bytes. The caller tries again with fewer rows.
    TooLarge,
    /// The job or query was cancelled.
    Cancelled,
    /// A defect of ours.
    Internal,
}

/// Whose fault it is, and so who has to act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The user's input or data.
    User,
    /// An external system.
    External,
    /// Flott.
    Internal,
}

/// An error with all that is known about it. One pointer wide.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    operator: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of the given kind. Say what was wrong, where, and what to write instead.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, message: message.into(), operator: None, source: None }))
    }

    /// A wrong statement, option, plan or argument.
    pub fn invalid(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Invalid, message)
    }

    /// Valid in Flink, not built here yet.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Unsupported, message)
    }

    /// A row that cannot be read or computed with.
    pub fn data(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Data, message)
    }

    /// An external system failed.
    pub fn external(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::External, message)
    }

    /// State is missing, damaged or does not fit.
    pub fn state(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::State, message)
    }

    /// A column would become too large: fewer rows at a time.
    pub fn too_large() -> Self {
        Error::new(ErrorKind::TooLarge, "a column of this many rows is too large")
    }

    /// The work was cancelled.
    pub fn cancelled() -> Self {
        Error::new(ErrorKind::Cancelled, "cancelled")
    }

    /// A defect of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Internal, message)
    }

    /// Output could not be written, because its reader has gone or for another reason.
    pub fn output(message: impl Into<String>, error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::BrokenPipe => ErrorKind::Closed,
            _ => ErrorKind::External,
        };
        Error::new(kind, message).with_source(error)
    }

    /// Any error of a library, or a text, from a function of a program; restarting may help. `?` converts
    /// errors of the standard library; for others use `map_err(Error::of)`.
    pub fn of(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        match error.into().downcast::<Error>() {
            Ok(own) => *own,
            Err(error) => Error::external(error.to_string()).with_source(error),
        }
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Names the operator in which it happened, unless one is named already.
    #[must_use]
    pub fn in_operator(mut self, name: &str) -> Self {
        self.0.operator.get_or_insert_with(|| name.to_owned());
        self
    }

    /// Puts `context: ` before the message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message without operator and source.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The operator in which it happened.
    pub fn operator(&self) -> Option<&str> {
        self.0.operator.as_deref()
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self.0.kind {
            ErrorKind::Invalid
            | ErrorKind::Unsupported
            | ErrorKind::Data
            | ErrorKind::Closed
            | ErrorKind::Cancelled => Fault::User,
            ErrorKind::External => Fault::External,
            ErrorKind::State | ErrorKind::TooLarge | ErrorKind::Internal => Fault::Internal,
        }
    }

    /// Whether restarting the job may help. Mistakes in the job, its configuration or its data would only
    /// repeat. Flink, by contrast, has no kinds of errors and restarts for any.
    pub fn is_retryable(&self) -> bool {
        match self.0.kind {
            ErrorKind::External | ErrorKind::Internal => true,
            ErrorKind::Invalid
            | ErrorKind::Unsupported
            | ErrorKind::Data
            | ErrorKind::State
            | ErrorKind::Closed
            | ErrorKind::TooLarge
            | ErrorKind::Cancelled => false,
        }
    }
}

/// Errors in functions of programs: `?` converts them to [`Error`].
macro_rules! from_errors {
    ($make:expr; $($type:ty),* $(,)?) => {
        $(impl From<$type> for Error {
            fn from(error: $type) -> Self {
                $make(error)
            }
        })*
    };
}

fn malformed(error: impl StdError + Send + Sync + 'static) -> Error {
    Error::data(error.to_string()).with_source(error)
}

// A record that cannot be read is the same the next time.
from_errors!(
    malformed;
    std::num::ParseIntError,
    std::num::ParseFloatError,
    std::num::TryFromIntError,
    std::str::ParseBoolError,
    std::char::ParseCharError,
    std::char::CharTryFromError,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
    std::net::AddrParseError,
);

from_errors!(
    Error::of;
    std::time::SystemTimeError,
    std::env::VarError,
    std::fmt::Error,
    std::sync::mpsc::RecvError,
    std::io::Error,
    Box<dyn StdError + Send + Sync>,
);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(operator) = &self.0.operator {
            write!(f, "{operator}: ")?;
        }
        f.write_str(&self.0.message)?;
        let mut source = self.0.source.as_deref().map(|s| s as &dyn StdError);
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

// The display above walks the sources itself, so `source` does not return them a second time.
impl StdError for Error {}
