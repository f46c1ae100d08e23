//! The TaskManager's side: finds the JobManager, and finds it again.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use flott_checkpoint::resources::LeaderId;
use flott_cluster::messages::{Session, ToJobManager, ToTaskManager};
use flott_cluster::transport::{JobManagerGateway, TaskManagerGateway};
use flott_cluster::{Liveness, TaskManager, codec};
use flott_types::{Clock, Error, ErrorKind, Result, SystemClock};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::codegen::tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};

use super::hello::{self, Accepted, Hello};
use super::raw::Raw;
use super::server::pace;
use super::{LONGEST, SESSION};
use crate::find::Find;
use crate::tls::Tls;

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(10);
/// How long to wait before it is tried again.
const AGAIN: Duration = Duration::from_millis(250);

/// The way to the JobManager. Dropping it ends the connection.
pub struct ControlClient {
    link: Arc<Link>,
    connecting: Mutex<Option<JoinHandle<()>>>,
}

/// Whom a TaskManager looks for, and how it introduces itself.
pub struct Joining {
    /// Where the JobManager is.
    pub find: Find,
    /// The introduction.
    pub hello: Hello,
    /// When a silent connection is broken.
    pub liveness: Liveness,
    /// `security.ssl.internal.*`
    pub tls: Option<Arc<Tls>>,
    /// For how long there may be no JobManager.
    pub patience: Duration,
}

/// Why a TaskManager's process ends.
#[derive(Debug)]
pub enum Ending {
    /// No JobManager at the address will ever take it in.
    Refused(Error),
    /// The program whose cluster it belonged to has ended, or has failed.
    Over {
        /// Whether it has failed.
        failed: bool,
    },
}

/// How a connection has ended.
enum Ran {
    /// It may come back.
    Lost(String),
    /// Nothing more will come.
    Over { failed: bool },
}

/// The current stream, if there is one.
#[derive(Default)]
struct Link(Mutex<Option<Up>>);

struct Up {
    outgoing: UnboundedSender<Bytes>,
    /// The session that was begun on it.
    session: Option<Session>,
}

impl ControlClient {
    /// A way that leads nowhere yet.
    pub fn new() -> Self {
        ControlClient { link: Arc::default(), connecting: Mutex::default() }
    }

    /// Where the TaskManager sends its messages.
    pub fn gateway(&self) -> Arc<dyn JobManagerGateway> {
        self.link.clone()
    }

    /// Connects to the JobManager that there is, whenever there is one and no connection. What is returned tells if
    /// there will never be one again.
    ///
    /// # Errors
    /// If its address is none.
    pub fn connect(
        &self,
        joining: Joining,
        task_manager: Arc<TaskManager>,
        runtime: &Handle,
    ) -> Result<Receiver<Ending>> {
        let Joining { find, hello, liveness, tls, patience } = joining;
        let pace = pace(&liveness);
        if let Find::At(address) = &find {
            endpoint(address, pace, tls.as_deref())?;
        }
        let (ending, told) = sync_channel(1);
        let link = self.link.clone();
        let connecting = runtime.spawn(async move {
            let mut is_new = true;
            let clock = SystemClock::new();
            let mut lost_at = clock.nanos();
            loop {
                let found = find.find().await;
                let (address, ended) = match &found {
                    Ok(Some(address)) => {
                        let ended = match endpoint(address, pace, tls.as_deref()) {
                            Ok(endpoint) => {
                                let run = link.run(&endpoint, &hello, &task_manager);
                                first_of(run, find.changes(address)).await
                            }
                            Err(error) => Err(error),
                        };
                        link.end(&task_manager);
                        (address.as_str(), ended)
                    }
                    Ok(None) => ("", Err(Error::external("none leads the cluster"))),
                    Err(error) => ("", Err(Error::external(error.to_string()))),
                };
                match ended {
                    Err(error) if error.kind() == ErrorKind::Invalid => {
                        // Nobody listens if the process is ending.
                        let _ = ending
                            .send(Ending::Refused(error.context(format_args!("JobManager at {address}"))));
                        return;
                    }
                    Err(error) if Duration::from_nanos(clock.nanos() - lost_at) > patience => {
                        // As above.
                        let _ = ending.send(Ending::Refused(error.context(format_args!(
                            "no JobManager at {address} for {} s ('taskmanager.registration.timeout')",
                            patience.as_secs()
                        ))));
                        return;
                    }
                    Err(error) if is_new => {
                        tracing::warn!(address, %error, "there is no JobManager; waiting for it");
                        is_new = false;
                    }
                    Err(error) => tracing::debug!(address, %error, "no connection to the JobManager"),
                    Ok(Ran::Over { failed }) => {
                        // As above.
                        let _ = ending.send(Ending::Over { failed });
                        return;
                    }
                    Ok(Ran::Lost(why)) => {
                        lost_at = clock.nanos();
                        tracing::warn!(address, why, "the connection to the JobManager has ended");
                        is_new = true;
                    }
                }
                tokio::time::sleep(AGAIN).await;
            }
        });
        *self.connecting.lock() = Some(connecting);
        Ok(told)
    }
}

fn endpoint(address: &str, (interval, silence): (Duration, Duration), tls: Option<&Tls>) -> Result<Endpoint> {
    let scheme = if tls.is_some() { "https" } else { "http" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{address}")).map_err(|error| {
        let what = format!("'{address}' ('jobmanager.rpc.address' and 'jobmanager.rpc.port') is no address");
        Error::invalid(what).with_source(error)
    })?;
    let endpoint = match tls {
        None => endpoint,
        Some(tls) => {
            let (config, verifier) = tls.of_client();
            endpoint.tls_config_with_verifier(config, verifier).map_err(|error| {
                let what = "the TaskManager cannot use TLS ('security.ssl.internal.keystore')";
                Error::invalid(what).with_source(error)
            })?
        }
    };
    Ok(endpoint
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .keep_alive_while_idle(true)
        .http2_keep_alive_interval(interval)
        .keep_alive_timeout(silence))
}

/// A connection, until it ends or there is another leader.
async fn first_of(run: impl Future<Output = Result<Ran>>, changes: impl Future<Output = ()>) -> Result<Ran> {
    let (mut run, mut changes) = (pin!(run), pin!(changes));
    poll_fn(|context| match run.as_mut().poll(context) {
        Poll::Pending => {
            let another = || Ran::Lost("another JobManager leads the cluster".to_owned());
            changes.as_mut().poll(context).map(|()| Ok(another()))
        }
        ended => ended,
    })
    .await
}

impl Default for ControlClient {
    fn default() -> Self {
        ControlClient::new()
    }
}

impl Drop for ControlClient {
    fn drop(&mut self) {
        if let Some(connecting) = self.connecting.lock().take() {
            connecting.abort();
        }
        self.link.0.lock().take();
    }
}

impl JobManagerGateway for Link {
    fn send(&self, message: ToJobManager) -> bool {
        let mut state = self.0.lock();
        let Some(up) = &mut *state else { return false };
        match &message {
            ToJobManager::Register { session, .. } => up.session = Some(*session),
            // What belongs to a session of an earlier stream, of which something may be lost.
            ToJobManager::Heartbeat { .. }
            | ToJobManager::Report { .. }
            | ToJobManager::Collected(..)
            | ToJobManager::Answer { .. }
            | ToJobManager::Abandoned { .. }
            | ToJobManager::Worker { .. }
            | ToJobManager::Returned { .. }
                if up.session.is_none() =>
            {
                return false;
            }
            ToJobManager::Heartbeat { .. }
            | ToJobManager::Report { .. }
            | ToJobManager::Collected(..)
            | ToJobManager::Answer { .. }
            | ToJobManager::Abandoned { .. }
            | ToJobManager::Worker { .. }
            | ToJobManager::Returned { .. } => {}
        }
        match codec::encode(&message) {
            Ok(bytes) => up.outgoing.send(bytes.into()).is_ok(),
            Err(error) => {
                tracing::error!(%error, "a message to the JobManager is not sent");
                false
            }
        }
    }
}

impl Link {
    /// One connection, from its beginning to its end. Says why it has ended.
    async fn run(&self, endpoint: &Endpoint, hello: &Hello, to: &TaskManager) -> Result<Ran> {
        let channel = endpoint.connect().await.map_err(|error| unreachable(&error))?;
        let mut grpc =
            Grpc::new(channel).max_decoding_message_size(LONGEST).max_encoding_message_size(LONGEST);
        grpc.ready().await.map_err(|error| unreachable(&error))?;
        let (outgoing, stream) = unbounded_channel();
        // The receiver is in this function.
        let _ = outgoing.send(hello::write(hello)?);
        let request = Request::new(UnboundedReceiverStream::new(stream));
        let path = PathAndQuery::from_static(SESSION);
        let mut messages = grpc.streaming(request, path, Raw).await.map_err(refused)?.into_inner();
        let first = messages.message().await.map_err(refused)?;
        let accepted: Accepted = hello::read(&first.unwrap_or_default())?;
        accepted.check()?;
        *self.0.lock() = Some(Up { outgoing, session: None });
        to.found(LeaderId(accepted.leader));
        let why = loop {
            match messages.message().await {
                Ok(Some(bytes)) => match codec::decode(&bytes) {
                    Ok(ToTaskManager::Over { failed }) => return Ok(Ran::Over { failed }),
                    Ok(message) => _ = to.send(message),
                    Err(error) => break error.to_string(),
                },
                Ok(None) => break "the JobManager has ended it".to_owned(),
                Err(status) => break status.message().to_owned(),
            }
        };
        Ok(Ran::Lost(why))
    }

    /// It has ended, for whatever reason.
    fn end(&self, to: &TaskManager) {
        let ended = self.0.lock().take();
        if let Some(session) = ended.and_then(|up| up.session) {
            to.disconnected(session);
        }
    }
}

fn unreachable(error: &dyn std::error::Error) -> Error {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Error::external(text)
}

/// What a JobManager says to whom it does not take in is final, and everything else may pass.
fn refused(status: Status) -> Error {
    if status.code() == Code::FailedPrecondition {
        return Error::invalid(status.message().to_owned());
    }
    Error::external(status.to_string())
}
