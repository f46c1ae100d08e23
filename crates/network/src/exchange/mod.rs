//! The channels between tasks of different TaskManagers.
//!
//! Two TaskManagers share a TCP connection, and all channels between their tasks go over it, in both
//! directions; whoever needs it first opens it. (Should both do so at once there are two, until one breaks.)
//!
//! ```text
//! sending task ── encode ──> queue of the connection ── TCP ──> reader ──> Inlet ──> Gate ── receiving task
//!      ▲                                                                     │
//!      └──────────────────── credit: bytes that the gate has taken ──────────┘
//! ```
//!
//! A channel begins with `Open`; its receiver answers with credit as soon as it is registered, so a task that
//! starts first waits for the other. Batches wait until there is credit; other elements are small and few, and
//! do not wait. The reader of a connection puts frames into the [`Inlet`] of their channel, which never blocks
//! it: a task that does not read holds up its own channels and no others.
//!
//! When a connection breaks, the receiving tasks fail, and the sending ones when they next send. What follows
//! is for the job master to decide. A connection on which nothing has come for `heartbeat.timeout` is broken.

mod audible;
mod connection;
mod frames;
mod receiving;
mod sending;

use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use flott_checkpoint::resources::TaskManagerId;
use flott_checkpoint::{Attempt, TaskId};
use flott_runtime::connect::{Exchanges, Home, InputChannel, LocalExchanges, Sender, SenderContext};
use flott_runtime::gate::Gate;
use flott_runtime::{ChannelKey, inlet};
use flott_types::{Error, FastMap, JobId, Result};
use parking_lot::{Condvar, Mutex};
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::tls::Tls;

pub use self::frames::Compression;

use self::connection::{Connection, Pace};
use self::receiving::Receiving;
use self::sending::RemoteSender;

/// How long whoever waits waits before it checks whether it is cancelled.
const CANCEL_CHECK: Duration = Duration::from_millis(50);
/// The least that a channel may have under way: less would be too many small credits.
const LEAST_CREDIT: usize = 64 * 1024;

/// How connections are made and used.
#[derive(Clone, Debug)]
pub struct ExchangeOptions {
    /// `taskmanager.network.compression.codec`
    pub compression: Compression,
    /// `heartbeat.interval`: an idle connection says that it is alive this often.
    pub alive_every: Duration,
    /// `heartbeat.timeout`: a silent one is broken after this long.
    pub silent_for: Duration,
    /// `security.ssl.internal.*`
    pub tls: Option<Arc<Tls>>,
}

/// Exchanges of a TaskManager that reach other processes. See [`self`].
pub struct NetworkExchanges(Arc<Shared>);

struct Shared {
    own: TaskManagerId,
    options: ExchangeOptions,
    local: LocalExchanges,
    /// Where the tasks are.
    places: Mutex<FastMap<JobId, Places>>,
    receiving: Arc<Receiving>,
    connections: Mutex<FastMap<TaskManagerId, Peer>>,
    /// A connection was opened, or could not be.
    changed: Condvar,
    runtime: Handle,
}

/// The homes of the tasks of a job's current attempt.
struct Places {
    attempt: Attempt,
    homes: FastMap<TaskId, TaskManagerId>,
    addresses: FastMap<TaskManagerId, String>,
}

/// The way to another TaskManager.
enum Peer {
    /// Somebody opens a connection.
    Opening,
    /// There is one, or was.
    Open(Arc<Connection>),
}

impl NetworkExchanges {
    /// The exchanges of a TaskManager, whose peers connect to `listener`.
    pub fn start(
        own: TaskManagerId,
        options: ExchangeOptions,
        listener: TcpListener,
        runtime: Handle,
    ) -> Arc<Self> {
        let shared = Arc::new(Shared {
            own,
            options,
            local: LocalExchanges::default(),
            places: Mutex::default(),
            receiving: Arc::new(Receiving::new(runtime.clone())),
            connections: Mutex::default(),
            changed: Condvar::new(),
            runtime,
        });
        let accepting = Arc::downgrade(&shared);
        shared.runtime.spawn(async move {
            loop {
                let accepted = listener.accept().await;
                let Some(shared) = accepting.upgrade() else { return };
                match accepted {
                    Ok((stream, from)) => {
                        let pace = shared.pace();
                        shared.runtime.clone().spawn(async move {
                            match Connection::accept(
                                stream,
                                shared.own,
                                pace,
                                shared.options.tls.as_deref(),
                                &shared.receiving,
                            )
                            .await
                            {
                                Ok(connection) => shared.accepted(connection),
                                Err(error) => tracing::warn!(%from, %error, "a connection is refused"),
                            }
                        });
                    }
                    Err(error) => {
                        // Too many open files, perhaps: those who wait try again.
                        tracing::warn!(%error, "a connection of another TaskManager cannot be accepted");
                        tokio::time::sleep(CANCEL_CHECK).await;
                    }
                }
            }
        });
        Arc::new(NetworkExchanges(shared))
    }
}

impl Shared {
    fn pace(&self) -> Pace {
        Pace { alive_every: self.options.alive_every, silent_for: self.options.silent_for }
    }

    /// Channels of this side may use it too.
    fn accepted(&self, connection: Arc<Connection>) {
        let mut connections = self.connections.lock();
        let vacant = match connections.get(&connection.peer()) {
            None => true,
            Some(Peer::Open(other)) => other.broken().is_some(),
            Some(Peer::Opening) => false,
        };
        if vacant {
            connections.insert(connection.peer(), Peer::Open(connection));
        }
    }

    /// Those to TaskManagers that are gone would otherwise stay for ever: each new one has an id of its own.
    fn forget_broken(&self) {
        let broken = |peer: &Peer| matches!(peer, Peer::Open(connection) if connection.broken().is_some());
        self.connections.lock().retain(|_, peer| !broken(peer));
    }

    /// Where a task is; `None` if it is here.
    fn elsewhere(&self, job: JobId, attempt: Attempt, task: TaskId) -> Option<TaskManagerId> {
        let places = self.places.lock();
        let places = places.get(&job).filter(|places| places.attempt == attempt)?;
        places.homes.get(&task).copied().filter(|home| *home != self.own)
    }

    /// The connection to another TaskManager, which is opened if there is none.
    fn connection(
        self: &Arc<Self>,
        to: TaskManagerId,
        channel: &ChannelKey,
        context: &SenderContext,
    ) -> Result<Arc<Connection>> {
        let mut connections = self.connections.lock();
        loop {
            match connections.get(&to) {
                Some(Peer::Open(connection)) if connection.broken().is_none() => {
                    return Ok(connection.clone());
                }
                Some(Peer::Opening) => {
                    context.cancel.check()?;
                    self.changed.wait_for(&mut connections, CANCEL_CHECK);
                }
                Some(Peer::Open(_)) | None => {
                    connections.insert(to, Peer::Opening);
                    drop(connections);
                    return self.open(to, channel, context);
                }
            }
        }
    }

    fn open(
        self: &Arc<Self>,
        to: TaskManagerId,
        channel: &ChannelKey,
        context: &SenderContext,
    ) -> Result<Arc<Connection>> {
        let address = {
            let places = self.places.lock();
            places.get(&channel.job).and_then(|places| places.addresses.get(&to).cloned())
        };
        let (opened, wait) = sync_channel(1);
        let shared = self.clone();
        self.runtime.spawn(async move {
            let connection = match address {
                Some(address) => {
                    let (own, pace) = (shared.own, shared.pace());
                    Connection::open(
                        &address,
                        own,
                        to,
                        pace,
                        shared.options.tls.as_deref(),
                        &shared.receiving,
                    )
                    .await
                }
                None => Err(Error::internal(format!("TaskManager {} has no address", to.0))),
            };
            {
                let mut connections = shared.connections.lock();
                match &connection {
                    Ok(connection) => _ = connections.insert(to, Peer::Open(connection.clone())),
                    Err(_) => _ = connections.remove(&to),
                }
                shared.changed.notify_all();
            }
            // Whoever waited may be cancelled by now.
            let _ = opened.send(connection);
        });
        loop {
            match wait.recv_timeout(CANCEL_CHECK) {
                Ok(connection) => return connection,
                Err(RecvTimeoutError::Timeout) => context.cancel.check()?,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::cancelled()),
            }
        }
    }
}

impl Exchanges for NetworkExchanges {
    fn place(&self, job: JobId, attempt: Attempt, homes: &[Home]) {
        let mut places = Places { attempt, homes: FastMap::default(), addresses: FastMap::default() };
        for home in homes {
            places.homes.extend(home.tasks.iter().map(|task| (*task, home.task_manager)));
            if let Some(address) = &home.address {
                places.addresses.insert(home.task_manager, address.clone());
            }
        }
        self.0.places.lock().insert(job, places);
        self.0.forget_broken();
    }

    fn forget(&self, job: JobId) {
        self.0.places.lock().remove(&job);
    }

    fn register(&self, channels: &[InputChannel], gate: &Arc<Gate>) -> Result<()> {
        let Shared { local, receiving, .. } = &*self.0;
        // Each bounds what is under way on it, and all of them together what a task may have before its gate.
        let limits = gate.limits();
        let share = limits.gate_bytes / channels.len().max(1);
        let credit = share.clamp(LEAST_CREDIT.min(limits.bytes), limits.bytes);
        for (place, channel) in channels.iter().enumerate() {
            let key = &channel.key;
            if self.0.elsewhere(key.job, key.attempt, key.from).is_some() {
                receiving.register(channel, credit, |waker| {
                    inlet::Inlet::new(gate.clone(), place, channel, waker)
                });
            }
        }
        local.register(channels, gate)
    }

    fn connect(&self, channel: ChannelKey, context: &SenderContext) -> Result<Box<dyn Sender>> {
        match self.0.elsewhere(channel.job, channel.attempt, channel.to) {
            None => self.0.local.connect(channel, context),
            Some(to) => {
                let connection = self.0.connection(to, &channel, context)?;
                let compression = self.0.options.compression;
                Ok(Box::new(RemoteSender::open(connection, &channel, compression, context)?))
            }
        }
    }

    fn unregister(&self, job: JobId, attempt: Attempt, task: TaskId) {
        self.0.receiving.unregister(job, attempt, task);
        self.0.local.unregister(job, attempt, task);
    }
}
