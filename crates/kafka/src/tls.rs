//! TLS: which certificates are trusted, and which the client shows.
//!
//! Certificates and keys are PEM, in files or in the properties themselves.

use std::sync::Arc;

use flott_tls::{Names, Pem};
use flott_types::{Error, Result};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

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
        let broken = |error: &dyn std::fmt::Display| Error::invalid(format!("TLS to Kafka: {error}"));
        let algorithm = properties.given("ssl.endpoint.identification.algorithm").unwrap_or("https");
        let names = match algorithm {
            "" => Names::Any,
            _ if algorithm.eq_ignore_ascii_case("https") => Names::Checked,
            _ => {
                return Err(properties
                    .wrong("ssl.endpoint.identification.algorithm", "https, or nothing to accept any name"));
            }
        };
        let verifier =
            flott_tls::server_verifier(roots(properties)?, names).map_err(|error| broken(&error))?;
        let config = ClientConfig::builder_with_provider(flott_tls::provider())
            .with_protocol_versions(&versions(properties)?)
            .map_err(|error| broken(&error))?
            // It is webpki's, which may be asked to overlook names.
            .dangerous()
            .with_custom_certificate_verifier(verifier);
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
    let of = Store { location: "ssl.truststore.location", text: "ssl.truststore.certificates" };
    match of.read(properties, "ssl.truststore.type")? {
        Some(pem) => pem.roots(),
        None => Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()),
    }
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Who the client is, for brokers that ask (`ssl.client.auth`).
fn identity(properties: &Properties) -> Result<Option<Identity>> {
    const TYPE: &str = "ssl.keystore.type";
    let chain = Store { location: "ssl.keystore.location", text: "ssl.keystore.certificate.chain" };
    let Some(pem) = chain.read(properties, TYPE)? else { return Ok(None) };
    // In a file the key stands beside its certificates.
    let key = match properties.text("ssl.keystore.key") {
        Some(key) => Pem::new(properties.named("ssl.keystore.key"), key).key()?,
        None => pem.key()?,
    };
    Ok(Some((pem.certificates()?, key)))
}

/// Where a store may stand: in a file, or as the text of a property.
struct Store {
    location: &'static str,
    text: &'static str,
}

impl Store {
    fn read(&self, properties: &Properties, kind: &str) -> Result<Option<Pem>> {
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
            (Some(path), None) => Pem::of_file(path).map(Some),
            (None, text) => Ok(text.map(|text| Pem::new(properties.named(self.text), text))),
        }
    }
}
