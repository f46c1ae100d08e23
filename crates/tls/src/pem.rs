//! Certificates and keys as text.

use std::fmt::Display;

use flott_types::{Error, Result};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A store: certificates, perhaps with the private key of the first.
#[derive(Clone)]
pub struct Pem {
    place: String,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for Pem {
    /// Not the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PEM of {}", self.place)
    }
}

impl Pem {
    /// The text of a store. Errors call it by its `place`: an option or a path.
    pub fn new(place: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Pem { place: place.into(), bytes: bytes.into() }
    }

    /// The store in the file that the option `key` names. `by` is the option that asks for it.
    ///
    /// # Errors
    /// If the option is not set, or the file cannot be read.
    pub fn of_option(key: &str, path: Option<&str>, by: &str) -> Result<Self> {
        let path = path.map(str::trim).filter(|path| !path.is_empty());
        let path = path.ok_or_else(|| {
            Error::invalid(format!("'{by}' is true, and '{key}' is missing: the path of a PEM file"))
        })?;
        Ok(Pem::new(format!("'{key}'"), read(format!("'{key}': {path}"), path)?))
    }

    /// The store in a file.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn of_file(path: &str) -> Result<Self> {
        Ok(Pem::new(path, read(path.to_owned(), path)?))
    }

    /// The text as it stands.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What is wrong with the store, as an error that names it.
    pub fn wrong(&self, what: impl Display) -> Error {
        Error::invalid(format!("{}: {what}", self.place))
    }

    /// Its certificates: one at least.
    ///
    /// # Errors
    /// If it has none, or is not PEM.
    pub fn certificates(&self) -> Result<Vec<CertificateDer<'static>>> {
        let read: Vec<_> = CertificateDer::pem_slice_iter(&self.bytes)
            .collect::<Result<_, _>>()
            .map_err(|error| Error::invalid(format!("{} is not PEM: {error}", self.place)))?;
        match read.is_empty() {
            true => Err(Error::invalid(format!("{} has no certificate", self.place))),
            false => Ok(read),
        }
    }

    /// Its certificates, as those that are trusted.
    ///
    /// # Errors
    /// Those of [`Pem::certificates`], or if one of them cannot be trusted.
    pub fn roots(&self) -> Result<RootCertStore> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            roots.add(certificate).map_err(|error| self.wrong(error))?;
        }
        Ok(roots)
    }

    /// Its private key.
    ///
    /// # Errors
    /// If it has none, or only an encrypted one.
    pub fn key(&self) -> Result<PrivateKeyDer<'static>> {
        if String::from_utf8_lossy(&self.bytes).contains("ENCRYPTED PRIVATE KEY") {
            return Err(Error::unsupported(format!(
                "{}: an encrypted private key is not supported; `openssl pkcs8 -in key.pem -out plain.pem` decrypts it",
                self.place
            )));
        }
        PrivateKeyDer::from_pem_slice(&self.bytes)
            .map_err(|error| Error::invalid(format!("{} has no private key: {error}", self.place)))
    }
}

fn read(place: String, path: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::invalid(format!("{place} cannot be read")).with_source(error))
}
