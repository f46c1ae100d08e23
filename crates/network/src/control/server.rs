//! The JobManager's side: takes TaskManagers in, and passes messages on.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flott_checkpoint::resources::TaskManagerId;
use flott_cluster::messages::{ToJobManager, ToTaskManager};
use flott_cluster::transport::{JobManagerGateway, TaskManagerGateway};
use flott_cluster::{JobManager, Liveness, codec};
use flott_types::{Error, Result};
use parking_lot::Mutex;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::codegen::tokio_stream::Stream;
use tonic::codegen::tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::codegen::{BoxFuture, Context, Pin, Poll, Service, http};
use tonic::server::{Grpc, StreamingService};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

use super::hello::{self, Accepted, Hello};
use super::raw::Raw;
use super::{LONGEST, SESSION};
use crate::VERSION;
use crate::tls::Tls;

/// How long who connects may take to introduce itself.
const INTRODUCTION: Duration = Duration::from_secs(10);
/// How long the server's threads may take to leave.
const LEAVE: Duration = Duration::from_secs(5);

/// Where a JobManager listens.
#[derive(Clone, Debug)]
pub struct ControlOptions {
    /// `jobmanager.bind-host`
    pub host: String,
    /// `jobmanager.rpc.port`; 0 is any.
    pub port: u16,
    /// When a silent connection is broken.
    pub liveness: Liveness,
    /// `security.ssl.internal.*`
    pub tls: Option<Arc<Tls>>,
    /// The executable, if it is a program's process.
    pub program: Option<String>,
}

/// A server that runs. Dropping it ends all connections.
pub struct ControlServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<Runtime>,
}

impl ControlServer {
    /// Starts one.
    ///
    /// # Errors
    /// If the port is taken, or there are no threads for it.
    pub fn start(options: &ControlOptions, manager: Arc<JobManager>) -> Result<Self> {
        let ControlOptions { host, port, liveness, tls, program } = options;
        let failed = |error: std::io::Error| {
            let what =
                format!("the JobManager cannot listen on {host}:{port} ('jobmanager.rpc.port'): {error}");
            Error::external(what)
        };
        let listener = TcpListener::bind((host.as_str(), *port)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).thread_name("rpc").enable_all();
        let runtime = builder.build().map_err(failed)?;
        let incoming = {
            let _inside = runtime.enter();
            TcpIncoming::from(tokio::net::TcpListener::from_std(listener).map_err(failed)?)
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let (interval, silence) = pace(liveness);
        let service = Sessions { manager, program: program.as_deref().map(Arc::from) };
        let server = match tls {
            Some(tls) => Server::builder().tls_config(tls.of_server()).map_err(|error| {
                Error::invalid("the JobManager cannot use TLS ('security.ssl.internal.keystore')")
                    .with_source(error)
            })?,
            None => Server::builder(),
        };
        runtime.spawn(async move {
            let server =
                server.http2_keepalive_interval(Some(interval)).http2_keepalive_timeout(Some(silence));
            let ended = async {
                // The sender is dropped, or says so.
                let _ = stopped.await;
            };
            let incoming = incoming.with_nodelay(Some(true));
            if let Err(error) = server.serve_with_incoming_shutdown(service, incoming, ended).await {
                tracing::error!(%error, "the JobManager no longer listens to TaskManagers");
            }
        });
        tracing::info!(%address, "the JobManager listens to TaskManagers");
        Ok(ControlServer { address, stop: Some(stop), runtime: Some(runtime) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(runtime) = self.runtime.take() {
            // The port is free when this returns: the next JobManager may want it.
            runtime.shutdown_timeout(LEAVE);
        }
    }
}

/// How often both sides ask on an idle connection whether the other is there, and when it is not.
pub(super) fn pace(liveness: &Liveness) -> (Duration, Duration) {
    let millis = |time: i64| Duration::from_millis(time.unsigned_abs());
    (millis(liveness.heartbeat_interval), millis(liveness.heartbeat_timeout))
}

/// A TaskManager at the other end of a stream.
struct Connected {
    address: String,
    /// Taken when the stream is to end.
    outgoing: Mutex<Option<UnboundedSender<Result<Bytes, Status>>>>,
}

impl TaskManagerGateway for Connected {
    fn send(&self, message: ToTaskManager) -> bool {
        let mut outgoing = self.outgoing.lock();
        if matches!(message, ToTaskManager::Shutdown) {
            // This JobManager ends, and not the TaskManager: it waits for the next one.
            return outgoing.take().is_some();
        }
        let Some(sender) = &*outgoing else { return false };
        match codec::encode(&message) {
            Ok(bytes) => sender.send(Ok(bytes.into())).is_ok(),
            Err(error) => {
                tracing::error!(%error, "a message to a TaskManager is not sent");
                *outgoing = None;
                false
            }
        }
    }

    fn address(&self) -> Option<&str> {
        Some(&self.address)
    }
}

type Outgoing = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

/// What is served.
#[derive(Clone)]
struct Sessions {
    manager: Arc<JobManager>,
    program: Option<Arc<str>>,
}

impl Service<http::Request<Body>> for Sessions {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let sessions = self.clone();
        Box::pin(async move {
            if request.uri().path() != SESSION {
                return Ok(Status::unimplemented("there is only flott.Cluster/Session").into_http());
            }
            let grpc = Grpc::new(Raw).max_decoding_message_size(LONGEST).max_encoding_message_size(LONGEST);
            Ok({ grpc }.streaming(sessions, request).await)
        })
    }
}

impl StreamingService<Bytes> for Sessions {
    type Response = Bytes;
    type ResponseStream = Outgoing;
    type Future = BoxFuture<Response<Outgoing>, Status>;

    fn call(&mut self, request: Request<Streaming<Bytes>>) -> Self::Future {
        let (manager, program) = (self.manager.clone(), self.program.clone());
        Box::pin(async move {
            let mut messages = request.into_inner();
            let silent = |_| Status::deadline_exceeded("it does not introduce itself in time");
            let first = tokio::time::timeout(INTRODUCTION, messages.message()).await.map_err(silent)??;
            let first = first.ok_or_else(|| Status::invalid_argument("it does not introduce itself"))?;
            let refused = |error: Error| Status::failed_precondition(error.to_string());
            let hello: Hello = hello::read(&first).map_err(refused)?;
            if let Err(error) = hello.check(program.as_deref()) {
                tracing::warn!(%error, "a TaskManager is refused");
                return Err(refused(error));
            }
            let leader = manager.leader().0;
            let accepted = hello::write(&Accepted { version: VERSION.to_owned(), leader });
            let (outgoing, stream) = unbounded_channel();
            // The receiver is in this function.
            let _ = outgoing.send(Ok(accepted.map_err(refused)?));
            let id = TaskManagerId(hello.task_manager);
            tracing::info!(task_manager = id.0, name = hello.name, address = hello.address, "connected");
            let outgoing = Mutex::new(Some(outgoing));
            let gateway: Arc<dyn TaskManagerGateway> =
                Arc::new(Connected { address: hello.address, outgoing });
            manager.join(id, gateway.clone());
            tokio::spawn(async move {
                let why = receive(&manager, &mut messages).await;
                tracing::info!(task_manager = id.0, why, "disconnected");
                manager.part(id, &gateway, &why);
                // The stream ends, if it has not yet.
                gateway.send(ToTaskManager::Shutdown);
            });
            Ok(Response::new(Box::pin(UnboundedReceiverStream::new(stream)) as Outgoing))
        })
    }
}

/// Passes on what comes, until nothing comes any more; says why.
async fn receive(manager: &JobManager, messages: &mut Streaming<Bytes>) -> String {
    loop {
        match messages.message().await {
            Ok(Some(bytes)) => match codec::decode::<ToJobManager>(&bytes) {
                Ok(message) => _ = manager.send(message),
                Err(error) => return error.to_string(),
            },
            Ok(None) => return "it has ended the connection".to_owned(),
            Err(status) => return format!("the connection is broken: {}", status.message()),
        }
    }
}
