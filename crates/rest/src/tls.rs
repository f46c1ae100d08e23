//! HTTPS: Flink's `security.ssl.rest.*`, with PEM files as the stores.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use flott_runtime::options::Reader;
use flott_tls::Pem;
use flott_types::Result;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const ENABLED: &str = "security.ssl.rest.enabled";
const MUTUAL: &str = "security.ssl.rest.authentication-enabled";
const KEY_STORE: &str = "security.ssl.rest.keystore";
const TRUST_STORE: &str = "security.ssl.rest.truststore";

/// How long a client may take to agree on keys.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// So many may do so at once; others wait.
const HANDSHAKES: usize = 64;
/// How long to wait when no connection can be accepted: too many open files, perhaps.
const PAUSE: Duration = Duration::from_millis(50);

/// From a configuration; `None` if it is not enabled.
///
/// # Errors
/// If a store is missing or damaged.
pub(crate) fn parse(configuration: &BTreeMap<String, String>) -> Result<Option<TlsAcceptor>> {
    let read = Reader(configuration);
    if !read.flag(ENABLED, false)? {
        return Ok(None);
    }
    let keys = Pem::of_option(KEY_STORE, read.text(KEY_STORE), ENABLED)?;
    let builder = ServerConfig::builder_with_provider(flott_tls::provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| keys.wrong(error))?;
    let builder = match read.flag(MUTUAL, false)? {
        false => builder.with_no_client_auth(),
        true => {
            let trusted = Pem::of_option(TRUST_STORE, read.text(TRUST_STORE), MUTUAL)?;
            let clients =
                flott_tls::client_verifier(trusted.roots()?).map_err(|error| trusted.wrong(error))?;
            builder.with_client_cert_verifier(clients)
        }
    };
    let server =
        builder.with_single_cert(keys.certificates()?, keys.key()?).map_err(|error| keys.wrong(error))?;
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}

/// Connections on which client and server have agreed on keys. One that takes its time holds up no other.
pub(crate) struct TlsListener {
    address: SocketAddr,
    ready: Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    accepting: JoinHandle<()>,
}

impl TlsListener {
    pub(crate) fn new(listener: TcpListener, acceptor: TlsAcceptor) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = channel(HANDSHAKES);
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
        let accepting = tokio::spawn(async move {
            while let Ok(permit) = handshakes.clone().acquire_owned().await {
                let (stream, from) = match listener.accept().await {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(%error, "a connection to the REST server cannot be accepted");
                        sleep(PAUSE).await;
                        continue;
                    }
                };
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
                        // The server may have ended.
                        Ok(Ok(stream)) => _ = sender.send((stream, from)).await,
                        Ok(Err(error)) => tracing::debug!(%from, %error, "no TLS"),
                        Err(_) => tracing::debug!(%from, "no TLS within the time"),
                    }
                    drop(permit);
                });
            }
        });
        Ok(TlsListener { address, ready, accepting })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            // Nothing comes any more: the server is ending.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
