//! The object stores that this process speaks to: one client for each bucket.
//!
//! How a bucket is reached is a property of the process, as in Flink: its configuration (`s3.endpoint`,
//! `s3.access-key`, ...), and what the environment says (`AWS_ACCESS_KEY_ID`, a role of the machine or of the
//! pod). [`configure`] is called by whoever starts a cluster or a session.
//!
//! Requests run on this crate's own runtime, whichever thread waits for them, and are tried again while the
//! server is busy or cannot be reached.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_types::{FastMap, Result};
use parking_lot::Mutex;

#[cfg(feature = "s3")]
use crate::s3;
use crate::store::Store;

/// Of URLs of objects. Flink has several clients for S3 and calls the second one `s3a`.
pub(crate) const SCHEMES: [&str; 2] = ["s3", "s3a"];

/// Settings, and the clients that were made with them.
#[derive(Default)]
struct Stores {
    settings: BTreeMap<String, String>,
    open: FastMap<String, Arc<dyn Store>>,
}

static STORES: Mutex<Option<Stores>> = Mutex::new(None);

/// How object stores are reached from now on in this process: those keys of a configuration that are about
/// them. If there are none, nothing changes.
///
/// # Errors
/// If a value cannot be used.
pub fn configure<'a>(configuration: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
    let about = configuration.into_iter().filter(|(key, _)| key.starts_with("s3."));
    let settings: BTreeMap<String, String> =
        about.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect();
    if settings.is_empty() {
        return Ok(());
    }
    s3::check(&settings)?;
    let mut stores = STORES.lock();
    let stores = stores.get_or_insert_default();
    if stores.settings != settings {
        if !stores.open.is_empty() {
            tracing::warn!("object stores are reached by other settings from now on ('s3.*')");
        }
        *stores = Stores { settings, open: FastMap::default() };
    }
    Ok(())
}

/// The client for a bucket, `s3://bucket`.
///
/// # Errors
/// If it cannot be set up.
pub(crate) fn open(store: &str) -> Result<Arc<dyn Store>> {
    let mut stores = STORES.lock();
    let stores = stores.get_or_insert_default();
    if let Some(open) = stores.open.get(store) {
        return Ok(open.clone());
    }
    let bucket = store.split_once("://").map_or(store, |(_, bucket)| bucket);
    let client = s3::open(&stores.settings, bucket)?;
    stores.open.insert(store.to_owned(), client.clone());
    Ok(client)
}

/// The program was built without it.
#[cfg(not(feature = "s3"))]
mod s3 {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use flott_types::{Error, Result};

    use crate::store::Store;

    pub(super) fn check(_: &BTreeMap<String, String>) -> Result<()> {
        Ok(())
    }

    pub(super) fn open(_: &BTreeMap<String, String>, bucket: &str) -> Result<Arc<dyn Store>> {
        Err(Error::unsupported(format!(
            "the bucket '{bucket}': this program was built without the feature 's3'"
        )))
    }
}
