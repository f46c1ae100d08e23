//! TLS: which certificates are trusted, and which the client shows.
//!
//! Certificates and keys are PEM, in files or in the properties themselves. Java's key stores are not read:
//! `openssl pkcs12 -in store.p12 -nodes -out store.pem` turns one into PEM.

use std::sync::Arc;

use flott_types::{Error, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::config::Properties;

/// What both ends must agree on.
#[derive(Clone, Debug)]
pub(crate) struct Tls(pub(crate) Arc<ClientConfig>);

impl Tls {
    /// What the properties say.
    ///
    /// # Errors
    /// What is wrong with them, or with a file they name.
    pub(crate) fn new(properties: &Properties) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = Arc::new(roots(properties)?);
        let broken = |error: &dyn std::fmt::Display| Error::invalid(format!("TLS to Kafka: {error}"));
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
            .build()
            .map_err(|error| broken(&error))?;
        let algorithm = properties.given("ssl.endpoint.identification.algorithm").unwrap_or("https");
        let checks_name = match algorithm {
            "" => false,
            _ if algorithm.eq_ignore_ascii_case("https") => true,
            _ => {
                return Err(properties
                    .wrong("ssl.endpoint.identification.algorithm", "https, or nothing to accept any name"));
            }
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions(properties)?)
            .map_err(|error| broken(&error))?
            // It is webpki's, which may be asked to overlook names.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { inner: verifier, checks_name }));
        let config = match identity(properties)? {
            Some((chain, key)) => config.with_client_auth_cert(chain, key).map_err(|error| broken(&error))?,
            None => config.with_no_client_auth(),
        };
        Ok(Tls(Arc::new(config)))
    }
}

fn versions(properties: &Properties) -> Result<Vec<&'static rustls::SupportedProtocolVersion>> {
    const NAME: &str = "ssl.enabled.protocols";
    let names = properties.text(NAME).unwrap_or("TLSv1.2,TLSv1.3");
    let version = |name: &str| match name.trim() {
        "TLSv1.2" => Ok(&rustls::version::TLS12),
        "TLSv1.3" => Ok(&rustls::version::TLS13),
        _ => Err(properties.wrong(NAME, "TLSv1.2, TLSv1.3, or both with a comma between")),
    };
    names.split(',').map(version).collect()
}

/// Whom the client trusts: those of the properties, or else those that browsers trust.
fn roots(properties: &Properties) -> Result<RootCertStore> {
    let of = Pem { location: "ssl.truststore.location", text: "ssl.truststore.certificates" };
    let mut roots = RootCertStore::empty();
    let Some((place, pem)) = of.read(properties, "ssl.truststore.type")? else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    for certificate in certificates(&place, &pem)? {
        roots.add(certificate).map_err(|error| Error::invalid(format!("{place}: {error}")))?;
    }
    Ok(roots)
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Who the client is, for brokers that ask (`ssl.client.auth`).
fn identity(properties: &Properties) -> Result<Option<Identity>> {
    const TYPE: &str = "ssl.keystore.type";
    let chain = Pem { location: "ssl.keystore.location", text: "ssl.keystore.certificate.chain" };
    let Some((place, pem)) = chain.read(properties, TYPE)? else { return Ok(None) };
    // In a file the key stands beside its certificates.
    let (key_place, key_pem) = match properties.text("ssl.keystore.key") {
        Some(key) => (properties.named("ssl.keystore.key"), key.as_bytes().to_vec()),
        None => (place.clone(), pem.clone()),
    };
    if String::from_utf8_lossy(&key_pem).contains("ENCRYPTED PRIVATE KEY") {
        return Err(Error::unsupported(format!(
            "{key_place}: an encrypted private key is not supported; `openssl pkcs8 -in key.pem -out plain.pem` decrypts it"
        )));
    }
    let key = PrivateKeyDer::from_pem_slice(&key_pem)
        .map_err(|error| Error::invalid(format!("{key_place} has no private key: {error}")))?;
    Ok(Some((certificates(&place, &pem)?, key)))
}

fn certificates(place: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let read: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::invalid(format!("{place} is not PEM: {error}")))?;
    match read.is_empty() {
        true => Err(Error::invalid(format!("{place} has no certificate"))),
        false => Ok(read),
    }
}

/// Where a store may stand: in a file, or as the text of a property.
struct Pem {
    location: &'static str,
    text: &'static str,
}

impl Pem {
    /// The name of the place, for messages, and what is there.
    fn read(&self, properties: &Properties, kind: &str) -> Result<Option<(String, Vec<u8>)>> {
        let (location, text) = (properties.text(self.location), properties.text(self.text));
        if location.is_none() && text.is_none() {
            return Ok(None);
        }
        if properties.text(kind) != Some("PEM") {
            return Err(Error::unsupported(format!(
                "'{}' must be 'PEM': Java's key stores are not supported; `openssl pkcs12 -in store.p12 -nodes -out \
                 store.pem` turns one into PEM",
                properties.named(kind)
            )));
        }
        match (location, text) {
            (Some(_), Some(_)) => Err(Error::invalid(format!(
                "'{}' and '{}' are both set; one is enough",
                properties.named(self.location),
                properties.named(self.text)
            ))),
            (Some(path), None) => match std::fs::read(path) {
                Ok(bytes) => Ok(Some((path.to_owned(), bytes))),
                Err(error) => Err(Error::invalid(format!("{path} cannot be read")).with_source(error)),
            },
            (None, text) => Ok(text.map(|text| (properties.named(self.text), text.as_bytes().to_vec()))),
        }
    }
}

/// webpki's, which overlooks the name of a broker where the user says so.
#[derive(Debug)]
struct Verifier {
    inner: Arc<WebPkiServerVerifier>,
    checks_name: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError::{NotValidForName, NotValidForNameContext};

        // Names are checked last, when everything else holds.
        match self.inner.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }))
                if !self.checks_name =>
            {
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
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
