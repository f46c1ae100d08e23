//! HTTPS: Flink's `security.ssl.rest.*`, with PEM files as the stores.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use flott_runtime::options::Reader;
use flott_types::{Error, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
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
    let keys = file(&read, KEY_STORE, ENABLED)?;
    if keys.contains("ENCRYPTED PRIVATE KEY") {
        return Err(Error::unsupported(format!(
            "'{KEY_STORE}': an encrypted private key; `openssl pkcs8 -in key.pem -out plain.pem` decrypts it"
        )));
    }
    let own = certificates(KEY_STORE, &keys)?;
    let key = PrivateKeyDer::from_pem_slice(keys.as_bytes())
        .map_err(|error| Error::invalid(format!("'{KEY_STORE}' has no private key: {error}")))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(KEY_STORE, &error))?;
    let builder = match read.flag(MUTUAL, false)? {
        false => builder.with_no_client_auth(),
        true => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(TRUST_STORE, &file(&read, TRUST_STORE, MUTUAL)?)? {
                roots.add(certificate).map_err(|error| wrong(TRUST_STORE, &error))?;
            }
            let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(clients.build().map_err(|error| wrong(TRUST_STORE, &error))?)
        }
    };
    let server = builder.with_single_cert(own, key).map_err(|error| wrong(KEY_STORE, &error))?;
    Ok(Some(TlsAcceptor::from(Arc::new(server))))
}

fn file(read: &Reader<'_>, key: &str, by: &str) -> Result<String> {
    let path = read.text(key).filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| {
        Error::invalid(format!("'{by}' is true, and '{key}' is missing: the path of a PEM file"))
    })?;
    std::fs::read_to_string(path)
        .map_err(|error| Error::invalid(format!("'{key}': {path} cannot be read as PEM")).with_source(error))
}

fn certificates(key: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read: Vec<_> = CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| Error::invalid(format!("'{key}' is not PEM: {error}")))?;
    match read.is_empty() {
        true => Err(Error::invalid(format!("'{key}' has no certificate"))),
        false => Ok(read),
    }
}

fn wrong(key: &str, error: &dyn std::fmt::Display) -> Error {
    Error::invalid(format!("'{key}': {error}"))
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
