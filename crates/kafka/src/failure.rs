//! What goes wrong between a client and brokers.

use std::fmt;

use flott_types::Error;
use kafka_protocol::ResponseError;
use kafka_protocol::error::ParseResponseErrorCode;

/// `Result` with [`Failure`].
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// A request that did not succeed.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    /// The broker says so.
    Code(ResponseError),
    /// No connection, or it broke. The request may have been carried out.
    Connection,
    /// Whatever is tried, it will not work: wrong credentials, a protocol that is not understood.
    Final,
    /// The user has stopped it.
    Stopped,
}

impl Failure {
    /// What an error code of a response says; nothing if it is none.
    ///
    /// # Errors
    /// If it is an error.
    pub(crate) fn check(code: i16, what: impl FnOnce() -> String) -> Result<()> {
        match code.err() {
            None => Ok(()),
            Some(error) => Err(Failure::code(error, what())),
        }
    }

    pub(crate) fn code(error: ResponseError, what: String) -> Self {
        Failure { kind: Kind::Code(error), message: format!("{what}: {}", explain(error)), source: None }
    }

    pub(crate) fn connection(what: impl Into<String>, source: std::io::Error) -> Self {
        Failure { kind: Kind::Connection, message: what.into(), source: Some(Box::new(source)) }
    }

    pub(crate) fn lost(what: impl Into<String>) -> Self {
        Failure { kind: Kind::Connection, message: what.into(), source: None }
    }

    pub(crate) fn last(what: impl Into<String>) -> Self {
        Failure { kind: Kind::Final, message: what.into(), source: None }
    }

    pub(crate) fn stopped() -> Self {
        Failure { kind: Kind::Stopped, message: "stopped".to_owned(), source: None }
    }

    /// The broker's error code, if it gave one.
    pub fn error_code(&self) -> Option<ResponseError> {
        match self.kind {
            Kind::Code(error) => Some(error),
            Kind::Connection | Kind::Final | Kind::Stopped => None,
        }
    }

    /// Whether trying again may help.
    pub fn is_retriable(&self) -> bool {
        match self.kind {
            // A restarted coordinator, or one that is not done with what was before.
            Kind::Code(ResponseError::ConcurrentTransactions) => true,
            Kind::Code(error) => error.is_retriable(),
            Kind::Connection => true,
            Kind::Final | Kind::Stopped => false,
        }
    }

    /// Whether the user has stopped it.
    pub fn is_stopped(&self) -> bool {
        self.kind == Kind::Stopped
    }

    pub(crate) fn context(mut self, what: impl fmt::Display) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

/// The code as Kafka's documentation writes it, and what it means for somebody who meets it.
fn explain(error: ResponseError) -> String {
    let mut name = String::new();
    for letter in format!("{error:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    let advice = match error {
        ResponseError::UnknownTopicOrPartition => " (there is no such topic or partition)",
        ResponseError::TopicAuthorizationFailed => " (the user may not use the topic)",
        ResponseError::GroupAuthorizationFailed => " (the user may not use the group)",
        ResponseError::TransactionalIdAuthorizationFailed => " (the user may not use the transactional id)",
        ResponseError::ClusterAuthorizationFailed => " (the user may not do that in the cluster)",
        ResponseError::InvalidTransactionTimeout => {
            " (transaction.timeout.ms is above transaction.max.timeout.ms of the broker)"
        }
        ResponseError::InvalidProducerEpoch | ResponseError::ProducerFenced => {
            " (another producer has taken the transactional id, or the transaction has timed out)"
        }
        ResponseError::MessageTooLarge => " (a record is larger than the topic's max.message.bytes)",
        _ => "",
    };
    name + advice
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {source}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &dyn std::error::Error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure.kind {
            Kind::Stopped => Error::cancelled(),
            Kind::Code(_) | Kind::Connection | Kind::Final => Error::external(format!("Kafka: {failure}")),
        }
    }
}
