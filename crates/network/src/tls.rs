//! TLS between the processes of a cluster: each shows a certificate, and each checks that of the other.
//!
//! The keys are Flink's (`security.ssl.internal.*`), and the stores are PEM files: the key store has this
//! process's certificates and its private key, the trust store the certificates by which others are known (one
//! authority, or the certificate that all processes share). As in Flink, names are not checked: who has a
//! certificate that the trust store knows belongs to the cluster, whatever its address.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_runtime::options::Reader;
use flott_types::{Error, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

const ENABLED: &str = "security.ssl.internal.enabled";
const KEY_STORE: &str = "security.ssl.internal.keystore";
const TRUST_STORE: &str = "security.ssl.internal.truststore";

/// What one process shows, and whom it trusts.
pub struct Tls {
    keys: String,
    trusted: String,
    verifier: Arc<AnyName>,
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
        let (keys, trusted) = (file(&read, KEY_STORE)?, file(&read, TRUST_STORE)?);
        if keys.contains("ENCRYPTED PRIVATE KEY") {
            return Err(Error::unsupported(format!(
                "'{KEY_STORE}': an encrypted private key; `openssl pkcs8 -in key.pem -out plain.pem` decrypts it"
            )));
        }
        let own = certificates(KEY_STORE, &keys)?;
        let key = PrivateKeyDer::from_pem_slice(keys.as_bytes())
            .map_err(|error| Error::invalid(format!("'{KEY_STORE}' has no private key: {error}")))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates(TRUST_STORE, &trusted)? {
            roots.add(certificate).map_err(|error| wrong(TRUST_STORE, &error))?;
        }
        let (roots, provider) = (Arc::new(roots), Arc::new(rustls::crypto::ring::default_provider()));
        let verifier = Arc::new(AnyName(
            WebPkiServerVerifier::builder_with_provider(roots.clone(), provider.clone())
                .build()
                .map_err(|error| wrong(TRUST_STORE, &error))?,
        ));
        let clients = WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|error| wrong(TRUST_STORE, &error))?;
        let server = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(KEY_STORE, &error))?
            .with_client_cert_verifier(clients)
            .with_single_cert(own.clone(), key.clone_key())
            .map_err(|error| wrong(KEY_STORE, &error))?;
        let client = client(provider, verifier.clone(), own, key)?;
        Ok(Some(Arc::new(Tls {
            keys,
            trusted,
            verifier,
            acceptor: TlsAcceptor::from(Arc::new(server)),
            connector: TlsConnector::from(Arc::new(client)),
        })))
    }

    fn identity(&self) -> Identity {
        Identity::from_pem(&self.keys, &self.keys)
    }

    /// Of the JobManager's server.
    pub(crate) fn of_server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new().identity(self.identity()).client_ca_root(Certificate::from_pem(&self.trusted))
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

fn client(
    provider: Arc<CryptoProvider>,
    verifier: Arc<AnyName>,
    own: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(KEY_STORE, &error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(own, key)
        .map_err(|error| wrong(KEY_STORE, &error))
}

fn file(read: &Reader<'_>, key: &str) -> Result<String> {
    let path = read.text(key).map(str::trim).filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| {
        Error::invalid(format!("'{ENABLED}' is true, and '{key}' is missing: the path of a PEM file"))
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

/// webpki's verifier, which overlooks the name.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};

        // The name is checked last, when everything else holds.
        match self.0.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
