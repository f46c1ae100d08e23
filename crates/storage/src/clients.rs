//! What the clients of all services have in common.

use std::time::Duration;

use object_store::client::SpawnedReqwestConnector;
use object_store::{ClientOptions, RetryConfig};

use crate::runtime;

/// A request is tried again for this long.
const PATIENCE: Duration = Duration::from_secs(60);
const RETRIES: usize = 12;
/// Of one attempt. It moves a few megabytes, or lets the store copy an object.
const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(60);

/// How requests are sent.
pub(crate) fn options() -> ClientOptions {
    // There is one provider in this process; a second call is refused, which does no harm.
    _ = rustls::crypto::ring::default_provider().install_default();
    ClientOptions::new().with_connect_timeout(CONNECT).with_timeout(ANSWER)
}

/// When they are tried again.
pub(crate) fn retries() -> RetryConfig {
    RetryConfig { max_retries: RETRIES, retry_timeout: PATIENCE, ..RetryConfig::default() }
}

/// Sends requests from this crate's own runtime, whoever waits for them.
pub(crate) fn connector() -> Option<SpawnedReqwestConnector> {
    runtime::handle().map(SpawnedReqwestConnector::new)
}
