//! Certificates for tests.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flott_network::tls::Tls;

fn with(keys: &str) -> Arc<Tls> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = |name: &str| folder.join(name).display().to_string();
    let configuration = BTreeMap::from([
        ("security.ssl.internal.enabled".to_owned(), "true".to_owned()),
        ("security.ssl.internal.keystore".to_owned(), path(keys)),
        ("security.ssl.internal.truststore".to_owned(), path("../../tests/services/tls/ca.pem")),
    ]);
    Tls::parse(&configuration).unwrap().unwrap()
}

/// A process with this certificate, which trusts the authority.
pub fn of(name: &str) -> Arc<Tls> {
    with(&format!("../../tests/services/tls/{name}.pem"))
}

/// One whose certificate the authority has not signed.
pub fn stranger() -> Arc<Tls> {
    with("tests/all/stranger.pem")
}
