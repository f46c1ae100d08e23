//! Kafka's client properties.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use flott_types::config::similar;
use flott_types::{Error, FastSet, Result};

use crate::sasl::Sasl;
use crate::tls::Tls;

/// Properties by their Kafka names, which are read one by one; what nobody has read is reported.
#[derive(Debug, Default)]
pub struct Properties {
    values: BTreeMap<String, String>,
    /// What stands before each name where the user writes it.
    prefix: &'static str,
    read: RefCell<FastSet<String>>,
}

impl Properties {
    /// These. `prefix` is how the user writes them.
    pub fn new(values: BTreeMap<String, String>, prefix: &'static str) -> Self {
        Properties { values, prefix, read: RefCell::default() }
    }

    /// The text of a property.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given(name).filter(|text| !text.is_empty())
    }

    /// The text of a property, also if it is set to nothing.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.read.borrow_mut().insert(name.to_owned());
        self.values.get(name).map(|text| text.trim())
    }

    /// A property as the user writes it.
    pub fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A property that must be set.
    ///
    /// # Errors
    /// If it is not.
    pub fn required(&self, name: &str, why: &str) -> Result<&str> {
        self.text(name).ok_or_else(|| Error::invalid(format!("'{}{name}' is missing: {why}", self.prefix)))
    }

    /// A number.
    ///
    /// # Errors
    /// If it is none.
    pub fn number(&self, name: &str, default: u64) -> Result<u64> {
        match self.text(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_| self.wrong(name, "a whole number")),
        }
    }

    /// A duration in milliseconds.
    ///
    /// # Errors
    /// If it is none.
    pub fn millis(&self, name: &str, default: u64) -> Result<Duration> {
        self.number(name, default).map(Duration::from_millis)
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// If it is neither.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool> {
        match self.text(name) {
            None => Ok(default),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    /// One of some words.
    ///
    /// # Errors
    /// If it is another.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)], default: T) -> Result<T> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        let list = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        found.map(|(_, value)| *value).ok_or_else(|| self.wrong(name, &format!("one of: {}", list())))
    }

    /// An error about a property.
    pub fn wrong(&self, name: &str, expected: &str) -> Error {
        let text = self.values.get(name).map_or("", String::as_str);
        Error::invalid(format!("'{}{name}' is '{text}'; expected {expected}", self.prefix))
    }

    /// Warns of properties that nobody has read.
    pub fn report_unread(&self, owner: &str) {
        let read = self.read.borrow();
        for name in
            self.values.keys().filter(|name| !read.contains(*name) && !OF_JAVA.contains(&name.as_str()))
        {
            let near = similar(read.iter().map(String::as_str), name);
            let hint =
                near.map(|near| format!(" (did you mean '{}{near}'?)", self.prefix)).unwrap_or_default();
            tracing::warn!("{owner}: '{}{name}' has no effect here{hint}", self.prefix);
        }
    }
}

/// What tells a Java client which classes to use, and what a consumer in a group does: neither is done here, and scripts set them.
const OF_JAVA: [&str; 9] = [
    "key.deserializer",
    "value.deserializer",
    "key.serializer",
    "value.serializer",
    "enable.auto.commit",
    "auto.commit.interval.ms",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "max.poll.interval.ms",
];

/// Which records of transactions are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// All, also of transactions that are open or were aborted.
    ReadUncommitted,
    /// Those of committed transactions, up to the first that is open.
    ReadCommitted,
}

impl Isolation {
    pub(crate) fn level(self) -> i8 {
        i8::from(self == Isolation::ReadCommitted)
    }
}

/// How brokers are reached.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    pub(crate) bootstrap: Vec<String>,
    pub(crate) client_id: String,
    pub(crate) tls: Option<Tls>,
    pub(crate) sasl: Option<Sasl>,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    /// How long something is tried again.
    pub(crate) api_timeout: Duration,
    pub(crate) backoff: Duration,
    pub(crate) longest_backoff: Duration,
}

impl ClientConfig {
    /// What the properties say.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(properties: &Properties) -> Result<Self> {
        let servers =
            properties.required("bootstrap.servers", "it lists brokers, as host:port, with commas")?;
        let bootstrap: Vec<String> = servers
            .split(',')
            .map(|server| server.trim().to_owned())
            .filter(|server| !server.is_empty())
            .collect();
        for server in &bootstrap {
            let port = server.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            if !matches!(port, Some(Ok(_))) {
                return Err(properties.wrong("bootstrap.servers", "host:port, and more with commas between"));
            }
        }
        let protocols = [
            ("PLAINTEXT", (false, false)),
            ("SSL", (true, false)),
            ("SASL_PLAINTEXT", (false, true)),
            ("SASL_SSL", (true, true)),
        ];
        let (tls, sasl) = properties.word("security.protocol", &protocols, (false, false))?;
        let request_timeout = properties.millis("request.timeout.ms", 30_000)?;
        Ok(ClientConfig {
            bootstrap,
            client_id: properties.text("client.id").unwrap_or("flott").to_owned(),
            tls: tls.then(|| Tls::new(properties)).transpose()?,
            sasl: sasl.then(|| Sasl::new(properties, request_timeout)).transpose()?,
            connect_timeout: properties.millis("socket.connection.setup.timeout.ms", 10_000)?,
            request_timeout,
            api_timeout: properties.millis("default.api.timeout.ms", 60_000)?,
            backoff: properties.millis("retry.backoff.ms", 100)?,
            longest_backoff: properties.millis("retry.backoff.max.ms", 1_000)?,
        })
    }
}
