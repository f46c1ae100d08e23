//! TLS between the processes of a cluster: each shows a certificate, and each checks that of the other.
//!
//! The keys are Flink's (`security.ssl.internal.*`), and the stores are PEM files: the key store has this
//! process's certificates and its private key, the trust store the certificates by which others are known (one
//! authority, or the certificate that all processes share). As in Flink, names are not checked: who has a
//! certificate that the trust store knows belongs to the cluster, whatever its address.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_runtime::options::Reader;
use flott_tls::{Names, Pem};
use flott_types::{Error, Result};
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

const ENABLED: &str = "security.ssl.internal.enabled";
const KEY_STORE: &str = "security.ssl.internal.keystore";
const TRUST_STORE: &str = "security.ssl.internal.truststore";

/// What one process shows, and whom it trusts.
pub struct Tls {
    keys: Pem,
    trusted: Pem,
    verifier: Arc<dyn ServerCertVerifier>,
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) connector: TlsConnector,
}

impl std::fmt::Debug for Tls {
    /// Not the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

impl Tls {
    /// From the configuration; `None` if it is not enabled.
    ///
    /// # Errors
    /// If a store is missing or damaged.
    pub fn parse(configuration: &BTreeMap<String, String>) -> Result<Option<Arc<Self>>> {
        let read = Reader(configuration);
        if !read.flag(ENABLED, false)? {
            return Ok(None);
        }
        let keys = Pem::of_option(KEY_STORE, read.text(KEY_STORE), ENABLED)?;
        let trusted = Pem::of_option(TRUST_STORE, read.text(TRUST_STORE), ENABLED)?;
        let (own, key, roots) = (keys.certificates()?, keys.key()?, trusted.roots()?);
        let clients = flott_tls::client_verifier(roots.clone()).map_err(|error| trusted.wrong(error))?;
        let verifier = flott_tls::server_verifier(roots, Names::Any).map_err(|error| trusted.wrong(error))?;
        let server = ServerConfig::builder_with_provider(flott_tls::provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| keys.wrong(error))?
            .with_client_cert_verifier(clients)
            .with_single_cert(own.clone(), key.clone_key())
            .map_err(|error| keys.wrong(error))?;
        let client = ClientConfig::builder_with_provider(flott_tls::provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| keys.wrong(error))?
            // It is webpki's, which overlooks names.
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_client_auth_cert(own, key)
            .map_err(|error| keys.wrong(error))?;
        Ok(Some(Arc::new(Tls {
            keys,
            trusted,
            verifier,
            acceptor: TlsAcceptor::from(Arc::new(server)),
            connector: TlsConnector::from(Arc::new(client)),
        })))
    }

    fn identity(&self) -> Identity {
        Identity::from_pem(self.keys.bytes(), self.keys.bytes())
    }

    /// Of the JobManager's server.
    pub(crate) fn of_server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new()
            .identity(self.identity())
            .client_ca_root(Certificate::from_pem(self.trusted.bytes()))
    }

    /// Of a TaskManager that connects to it.
    pub(crate) fn of_client(&self) -> (ClientTlsConfig, Arc<dyn ServerCertVerifier>) {
        (ClientTlsConfig::new().identity(self.identity()), self.verifier.clone())
    }

    /// A name that nobody checks.
    pub(crate) fn any_name() -> Result<ServerName<'static>> {
        ServerName::try_from("flott").map_err(|error| Error::internal("a name").with_source(error))
    }
}
