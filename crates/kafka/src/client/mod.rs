//! Requests to a cluster.

mod admin;
mod fetch;
mod offsets;
mod topics;
mod transactions;

use std::sync::Arc;
use std::time::Duration;

use flott_types::clock::SystemClock;
use flott_types::{Clock, FastMap};
use kafka_protocol::messages::FindCoordinatorRequest;
use kafka_protocol::protocol::StrBytes;

use crate::api::Request;
use crate::config::ClientConfig;
use crate::connection::Connection;
use crate::failure::{Failure, Result};
use crate::stop::Stop;

pub use fetch::{Aborted, Fetched, Position};
pub use offsets::OffsetAt;
pub use topics::{Partition, Topic, TopicPartition};
pub use transactions::{ListedTransaction, TransactionEnd};

/// So many coordinators are remembered.
const COORDINATORS: usize = 64;

/// What a coordinator coordinates.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum CoordinatorOf {
    Group = 0,
    Transaction = 1,
}

/// A client of a cluster, for one thread.
pub struct Client {
    config: Arc<ClientConfig>,
    stop: Arc<Stop>,
    clock: SystemClock,
    /// By broker.
    connections: FastMap<i32, Connection>,
    /// To whichever answered of those that the configuration lists.
    bootstrap: Option<Connection>,
    /// Addresses of brokers.
    brokers: FastMap<i32, String>,
    /// The broker that takes requests about topics, if the last list of brokers named one.
    controller: Option<i32>,
    coordinators: FastMap<(CoordinatorOf, String), i32>,
}

impl Client {
    /// Connects when there is something to ask.
    pub fn new(config: Arc<ClientConfig>, stop: Arc<Stop>) -> Self {
        Client {
            config,
            stop,
            clock: SystemClock::new(),
            connections: FastMap::default(),
            bootstrap: None,
            brokers: FastMap::default(),
            controller: None,
            coordinators: FastMap::default(),
        }
    }

    /// Its configuration.
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// Its stop.
    pub fn stop(&self) -> &Arc<Stop> {
        &self.stop
    }

    /// Time for deadlines.
    pub(crate) fn nanos(&self) -> u64 {
        self.clock.nanos()
    }

    /// Does something until it succeeds, as long as trying again may help and the time for it is not over.
    pub(crate) fn retry<T>(&mut self, what: &str, mut run: impl FnMut(&mut Self) -> Result<T>) -> Result<T> {
        let deadline = self.nanos() + self.config.api_timeout.as_nanos() as u64;
        let mut pause = self.config.backoff;
        loop {
            if self.stop.is_set() {
                return Err(Failure::stopped());
            }
            let failure = match run(self) {
                Ok(done) => return Ok(done),
                Err(failure) => failure.context(what),
            };
            if !failure.is_retriable() || self.nanos() >= deadline {
                return Err(failure);
            }
            tracing::debug!("{failure}; it is tried again");
            // Whoever it was may not be it any more.
            self.coordinators.clear();
            if self.pause(&mut pause) {
                return Err(Failure::stopped());
            }
        }
    }

    /// Waits before the next try, each time longer. Whether the client is stopped.
    pub(crate) fn pause(&self, pause: &mut Duration) -> bool {
        let stopped = self.stop.wait(*pause);
        *pause = (*pause * 2).min(self.config.longest_backoff.max(self.config.backoff));
        stopped
    }

    /// Asks any broker.
    fn ask_any<R: Request>(&mut self, request: &R) -> Result<R::Response> {
        if self.bootstrap.is_none() {
            self.bootstrap = Some(self.open_any()?);
        }
        let Some(connection) = &mut self.bootstrap else {
            return Err(Failure::lost("there is no connection"));
        };
        let answer = connection.call(request);
        if answer.is_err() {
            self.bootstrap = None;
        }
        answer
    }

    /// A connection to one of the brokers that are listed, or of those that are known.
    fn open_any(&self) -> Result<Connection> {
        let mut last = None;
        for address in self.config.bootstrap.iter().chain(self.brokers.values()) {
            match Connection::open(&self.config, address) {
                Ok(connection) => return Ok(connection),
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| Failure::last("'bootstrap.servers' is empty")))
    }

    /// The connection to a broker.
    pub(crate) fn broker(&mut self, id: i32) -> Result<&mut Connection> {
        if !self.connections.contains_key(&id) {
            let address = self.brokers.get(&id);
            let address = address.ok_or_else(|| Failure::lost(format!("broker {id} is not known")))?;
            let connection = Connection::open(&self.config, address)?;
            self.connections.insert(id, connection);
        }
        self.connections.get_mut(&id).ok_or_else(|| Failure::lost("a connection is gone"))
    }

    /// The connection is of no use any more.
    pub(crate) fn disconnect(&mut self, id: i32) {
        self.connections.remove(&id);
    }

    /// Asks this broker.
    fn ask<R: Request>(&mut self, id: i32, request: &R) -> Result<R::Response> {
        let answer = self.broker(id)?.call(request);
        if answer.is_err() {
            self.disconnect(id);
        }
        answer
    }

    /// Asks the coordinator of a group or transaction.
    fn ask_coordinator<R: Request>(
        &mut self,
        of: CoordinatorOf,
        key: &str,
        request: &R,
    ) -> Result<R::Response> {
        let id = self.coordinator(of, key)?;
        self.ask(id, request)
    }

    fn coordinator(&mut self, of: CoordinatorOf, key: &str) -> Result<i32> {
        let entry = (of, key.to_owned());
        if let Some(id) = self.coordinators.get(&entry) {
            return Ok(*id);
        }
        let request = FindCoordinatorRequest::default()
            .with_key(StrBytes::from_string(key.to_owned()))
            .with_key_type(of as i8);
        let response = self.ask_any(&request)?;
        Failure::check(response.error_code, || format!("the coordinator of '{key}'"))?;
        let id = response.node_id.0;
        self.learn(id, &response.host, response.port);
        // Each transaction has an id of its own, and most are asked for a few times only.
        if self.coordinators.len() >= COORDINATORS {
            self.coordinators.clear();
        }
        self.coordinators.insert(entry, id);
        Ok(id)
    }

    /// Where a broker is. A connection to where it was before is closed.
    fn learn(&mut self, id: i32, host: &str, port: i32) {
        let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        if self.brokers.insert(id, address.clone()).is_some_and(|before| before != address) {
            self.connections.remove(&id);
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a client of {}", self.config.bootstrap.join(","))
    }
}

fn name(text: &str) -> kafka_protocol::messages::TopicName {
    StrBytes::from_string(text.to_owned()).into()
}
