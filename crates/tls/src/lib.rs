//! What all of our TLS has in common: stores in PEM, the cryptography, and which certificates are trusted.
//!
//! Java's key stores are not read: `openssl pkcs12 -in store.p12 -nodes -out store.pem` turns one into PEM.

mod pem;
mod trust;

pub use pem::Pem;
pub use trust::{Names, client_verifier, provider, server_verifier};
