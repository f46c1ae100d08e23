//! A connection between two TaskManagers: who they are, a reader, a writer, and the channels on it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use flott_checkpoint::resources::TaskManagerId;
use flott_cluster::codec;
use flott_runtime::ChannelKey;
use flott_types::{Error, FastMap, Result};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::audible::Audible;
use super::frames::{Frame, decompress};
use super::receiving::{Receiver, Receiving};
use super::sending::Outlet;
use crate::VERSION;
use crate::tls::Tls;

/// A connection begins with it.
const MAGIC: &[u8; 6] = b"FLOTT\x01";
/// The longest introduction.
const LONGEST_HELLO: u32 = 4_096;
/// How long it may take to introduce each other.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// Small frames are collected up to this.
const BUFFER: usize = 128 * 1024;

/// How often an idle connection is heard of, and when a silent one is broken.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub alive_every: Duration,
    pub silent_for: Duration,
}

/// A connection, with or without TLS. Reads and writes go through buffers, so the indirection costs nothing.
type Stream = Box<dyn Duplex>;

trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Breaks a connection off when nobody reads it any more, for whatever reason: a panic is one.
struct Ending {
    connection: Arc<Connection>,
    receiving: Arc<Receiving>,
    why: String,
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.connection.break_off(&self.why, &self.receiving);
    }
}

/// Ends with who reads.
struct Writing(JoinHandle<Result<()>>);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How both sides introduce themselves. Never changes: who is of another version reads it, too.
#[derive(Serialize, Deserialize)]
struct Hello {
    version: String,
    task_manager: u32,
}

/// See [`self`].
pub(super) struct Connection {
    peer: TaskManagerId,
    outgoing: UnboundedSender<Frame>,
    /// The next number of a channel that this side opens.
    next: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The channels that this side has opened.
    outlets: FastMap<u32, Arc<Outlet>>,
    /// Those of the other side.
    inlets: FastMap<u32, Incoming>,
    broken: Option<Arc<str>>,
}

struct Incoming {
    key: ChannelKey,
    receiver: Option<Arc<Receiver>>,
}

impl Connection {
    /// Opens a connection to a TaskManager.
    pub async fn open(
        address: &str,
        own: TaskManagerId,
        peer: TaskManagerId,
        pace: Pace,
        tls: Option<&Tls>,
        receiving: &Arc<Receiving>,
    ) -> Result<Arc<Self>> {
        let introduced = async {
            let stream = TcpStream::connect(address).await.map_err(unreachable)?;
            stream.set_nodelay(true).map_err(unreachable)?;
            let mut stream: Stream = match tls {
                Some(tls) => {
                    Box::new(tls.connector.connect(Tls::any_name()?, stream).await.map_err(unreachable)?)
                }
                None => Box::new(stream),
            };
            write_hello(&mut stream, own).await?;
            let hello = read_hello(&mut stream).await?;
            Ok((stream, hello))
        };
        let introduced = timeout(INTRODUCTION, introduced).await.map_err(|_| silent(INTRODUCTION));
        let (stream, hello) = introduced
            .and_then(|introduced| introduced)
            .map_err(|error| error.context(format_args!("TaskManager {} at {address}", peer.0)))?;
        check_version(&hello)?;
        if hello.task_manager != peer.0 {
            return Err(Error::external(format!(
                "at {address} there is no longer TaskManager {}, but {}",
                peer.0, hello.task_manager
            )));
        }
        Ok(Self::run(stream, peer, pace, receiving))
    }

    /// Takes a connection that another TaskManager has opened.
    pub async fn accept(
        stream: TcpStream,
        own: TaskManagerId,
        pace: Pace,
        tls: Option<&Tls>,
        receiving: &Arc<Receiving>,
    ) -> Result<Arc<Self>> {
        let introduced = async {
            stream.set_nodelay(true).map_err(unreachable)?;
            let mut stream: Stream = match tls {
                Some(tls) => Box::new(tls.acceptor.accept(stream).await.map_err(unreachable)?),
                None => Box::new(stream),
            };
            let hello = read_hello(&mut stream).await?;
            // Also to one of another version: it says so on its side.
            write_hello(&mut stream, own).await?;
            check_version(&hello)?;
            Ok::<_, Error>((stream, hello))
        };
        let introduced = timeout(INTRODUCTION, introduced).await.map_err(|_| silent(INTRODUCTION))?;
        let (stream, hello) = introduced?;
        Ok(Self::run(stream, TaskManagerId(hello.task_manager), pace, receiving))
    }

    fn run(stream: Stream, peer: TaskManagerId, pace: Pace, receiving: &Arc<Receiving>) -> Arc<Self> {
        let (outgoing, frames) = unbounded_channel();
        let (next, state) = (AtomicU32::new(0), Mutex::default());
        let connection = Arc::new(Connection { peer, outgoing, next, state });
        tracing::info!(task_manager = peer.0, "a connection has begun");
        let (read, write) = tokio::io::split(stream);
        let (reader, receiving) = (connection.clone(), receiving.clone());
        let why = "this process no longer reads it".to_owned();
        let ending = Ending { connection: reader.clone(), receiving: receiving.clone(), why };
        tokio::spawn(async move {
            // All of it is in here from the beginning, and not its reason alone.
            let mut ending = ending;
            let mut writing = Writing(tokio::spawn(write_frames(write, frames, pace.alive_every)));
            let mut reading = std::pin::pin!(reader.read(read, pace.silent_for, &receiving));
            // Whatever ends first ends both: who only writes, or only reads, holds up all channels.
            let why = poll_fn(|context| {
                if let Poll::Ready(read) = reading.as_mut().poll(context) {
                    return Poll::Ready(
                        read.map(|()| "the other process has ended the connection".to_owned()),
                    );
                }
                Pin::new(&mut writing.0).poll(context).map(|written| match written {
                    Ok(written) => written.map(|()| "this process has ended the connection".to_owned()),
                    Err(error) => Err(Error::internal(error.to_string())),
                })
            });
            let why = why.await;
            ending.why = why.unwrap_or_else(|error| error.to_string());
        });
        connection
    }

    pub fn peer(&self) -> TaskManagerId {
        self.peer
    }

    /// Why it is broken, if it is.
    pub fn broken(&self) -> Option<Arc<str>> {
        self.state.lock().broken.clone()
    }

    /// A channel from here begins. Returns its number.
    pub fn add(&self, outlet: Arc<Outlet>) -> u32 {
        let mut state = self.state.lock();
        if let Some(why) = &state.broken {
            outlet.break_off(why);
        }
        loop {
            // After four billion channels the first numbers are free again.
            let channel = self.next.fetch_add(1, Ordering::Relaxed);
            if !state.outlets.contains_key(&channel) {
                state.outlets.insert(channel, outlet);
                return channel;
            }
        }
    }

    /// It has ended.
    pub fn remove(&self, channel: u32) {
        self.state.lock().outlets.remove(&channel);
    }

    /// Sends a frame, without waiting.
    pub fn send(&self, frame: Frame) -> Result<()> {
        self.outgoing.send(frame).map_err(|_| {
            let why = self.broken().unwrap_or_else(|| "it has ended".into());
            Error::external(format!("the connection to TaskManager {}: {why}", self.peer.0))
        })
    }

    /// The receiver of a channel of the other side is there.
    pub fn attach(&self, channel: u32, receiver: Arc<Receiver>) {
        let mut state = self.state.lock();
        let broken = state.broken.clone();
        if let Some(incoming) = state.inlets.get_mut(&channel) {
            incoming.receiver = Some(receiver.clone());
        }
        drop(state);
        if let Some(why) = broken {
            receiver.break_off(&why);
        }
    }

    async fn read(
        self: &Arc<Self>,
        from: impl AsyncRead + Unpin,
        silent_for: Duration,
        receiving: &Receiving,
    ) -> Result<()> {
        let mut from = BufReader::with_capacity(BUFFER, Audible::new(from, silent_for));
        loop {
            let Some(frame) = Frame::read(&mut from).await? else { return Ok(()) };
            match frame {
                Frame::Open(channel, key) => {
                    let key: ChannelKey = codec::decode(&key)?;
                    self.state.lock().inlets.insert(channel, Incoming { key, receiver: None });
                    receiving.opened(key, self, channel);
                }
                Frame::Data(channel, element) => self.arrived(channel, element),
                Frame::Compressed(channel, compression, body) => {
                    self.arrived(channel, decompress(compression, body)?);
                }
                Frame::Close(channel) => {
                    let closed = self.state.lock().inlets.remove(&channel);
                    if let Some(incoming) = closed {
                        receiving.left(&incoming.key, self, channel);
                    }
                }
                Frame::Credit(channel, bytes) => {
                    if let Some(outlet) = self.outlet(channel) {
                        outlet.grant(bytes);
                    }
                }
                Frame::Closed(channel) => {
                    if let Some(outlet) = self.outlet(channel) {
                        outlet.close();
                    }
                }
                Frame::Ping => {}
            }
        }
    }

    fn outlet(&self, channel: u32) -> Option<Arc<Outlet>> {
        self.state.lock().outlets.get(&channel).cloned()
    }

    /// What comes for a task that has ended is thrown away.
    fn arrived(&self, channel: u32, element: Vec<u8>) {
        let receiver = self.state.lock().inlets.get(&channel).and_then(|incoming| incoming.receiver.clone());
        if let Some(receiver) = receiver {
            receiver.arrived(element);
        }
    }

    fn break_off(self: &Arc<Self>, why: &str, receiving: &Receiving) {
        let why: Arc<str> = format!("the connection to TaskManager {}: {why}", self.peer.0).into();
        tracing::info!(%why, "a connection has ended");
        let (outlets, inlets) = {
            let mut state = self.state.lock();
            state.broken = Some(why.clone());
            (std::mem::take(&mut state.outlets), std::mem::take(&mut state.inlets))
        };
        outlets.into_values().for_each(|outlet| outlet.break_off(&why));
        for (channel, Incoming { key, receiver }) in inlets {
            receiving.left(&key, self, channel);
            if let Some(receiver) = receiver {
                receiver.break_off(&why);
            }
        }
    }
}

/// Writes what there is, and says now and then that it is alive.
async fn write_frames(
    to: impl AsyncWrite + Unpin,
    mut frames: UnboundedReceiver<Frame>,
    alive_every: Duration,
) -> Result<()> {
    let failed = |error| Error::external("the connection is broken").with_source(error);
    let mut to = BufWriter::with_capacity(BUFFER, to);
    loop {
        let frame = match timeout(alive_every, frames.recv()).await {
            Ok(Some(frame)) => frame,
            Ok(None) => return Ok(()),
            Err(_) => Frame::Ping,
        };
        frame.write(&mut to).await?;
        while let Ok(frame) = frames.try_recv() {
            frame.write(&mut to).await?;
        }
        to.flush().await.map_err(failed)?;
    }
}

async fn write_hello(to: &mut Stream, own: TaskManagerId) -> Result<()> {
    let hello = Hello { version: VERSION.to_owned(), task_manager: own.0 };
    let json = serde_json::to_vec(&hello)
        .map_err(|error| Error::internal("an introduction cannot be written").with_source(error))?;
    let mut bytes = MAGIC.to_vec();
    bytes.extend((json.len() as u32).to_le_bytes());
    bytes.extend(json);
    to.write_all(&bytes).await.map_err(unreachable)?;
    to.flush().await.map_err(unreachable)
}

async fn read_hello(from: &mut Stream) -> Result<Hello> {
    let strange = || Error::external("what connects does not speak as TaskManagers of Flott do");
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic).await.map_err(unreachable)?;
    let len = from.read_u32_le().await.map_err(unreachable)?;
    if &magic != MAGIC || len > LONGEST_HELLO {
        return Err(strange());
    }
    let mut json = vec![0; len as usize];
    from.read_exact(&mut json).await.map_err(unreachable)?;
    serde_json::from_slice(&json).map_err(|error| strange().with_source(error))
}

fn check_version(hello: &Hello) -> Result<()> {
    if hello.version == VERSION {
        return Ok(());
    }
    Err(Error::external(format!(
        "TaskManager {} is of version {}, and this one of {VERSION}: all processes of a cluster must be of one version",
        hello.task_manager, hello.version
    )))
}

fn unreachable(error: std::io::Error) -> Error {
    Error::external("cannot be reached").with_source(error)
}

fn silent(for_: Duration) -> Error {
    Error::external(format!("nothing has come for {} ms", for_.as_millis()))
}

#[cfg(test)]
mod tests {
    use flott_checkpoint::Attempt;
    use flott_runtime::connect::Exchanges;
    use flott_types::JobId;
    use tokio::io::{duplex, empty, join};
    use tokio::net::TcpListener;
    use tokio::runtime::{Builder, Handle};

    use super::*;
    use crate::exchange::{Compression, ExchangeOptions, NetworkExchanges};

    const PACE: Pace = Pace { alive_every: Duration::from_millis(1), silent_for: Duration::from_secs(3_600) };

    #[test]
    fn a_connection_that_cannot_be_written_is_broken_although_it_could_be_read() {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let why = runtime.block_on(async {
            // The other side says nothing, and takes nothing.
            let (reader, _silent) = duplex(64);
            let (writer, _) = duplex(64);
            let receiving = Arc::new(Receiving::new(Handle::current()));
            let stream = Box::new(join(reader, writer));
            let connection = Connection::run(stream, TaskManagerId(7), PACE, &receiving);
            timeout(Duration::from_secs(60), async {
                while connection.broken().is_none() {
                    tokio::task::yield_now().await;
                }
            })
            .await
            .unwrap();
            // Channels that begin now are told, and nothing waits for them.
            assert!(connection.send(Frame::Ping).is_err());
            connection.broken().unwrap()
        });
        assert!(why.contains("TaskManager 7"), "{why}");
    }

    #[test]
    fn broken_connections_are_forgotten_when_tasks_come() {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let Pace { alive_every, silent_for } = PACE;
            let options =
                ExchangeOptions { compression: Compression::None, alive_every, silent_for, tls: None };
            let exchanges = NetworkExchanges::start(TaskManagerId(1), options, listener, Handle::current());
            let shared = &exchanges.0;
            let stream = Box::new(join(empty(), tokio::io::sink()));
            let connection = Connection::run(stream, TaskManagerId(7), PACE, &shared.receiving);
            shared.accepted(connection.clone());
            assert_eq!(shared.connections.lock().len(), 1);
            while connection.broken().is_none() {
                tokio::task::yield_now().await;
            }
            exchanges.place(JobId(1), Attempt(1), &[]);
            assert_eq!(shared.connections.lock().len(), 0);
        });
    }

    #[test]
    fn a_connection_that_is_ended_is_broken() {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let receiving = Arc::new(Receiving::new(Handle::current()));
            let stream = Box::new(join(empty(), tokio::io::sink()));
            let connection = Connection::run(stream, TaskManagerId(7), PACE, &receiving);
            timeout(Duration::from_secs(60), async {
                while connection.broken().is_none() {
                    tokio::task::yield_now().await;
                }
            })
            .await
            .unwrap();
        });
    }
}
