//! The object stores that this process speaks to: one client for each bucket.
//!
//! How a bucket is reached is a property of the process, as in Flink: its configuration (`s3.endpoint`,
//! `s3.access-key`, ...), and what the environment says (`AWS_ACCESS_KEY_ID`,
//! `GOOGLE_APPLICATION_CREDENTIALS`, `AZURE_CLIENT_ID`, a role of the machine or of the pod). [`configure`] is called by whoever starts a cluster or a session.
//!
//! Requests run on this crate's own runtime, whichever thread waits for them, and are tried again while the
//! server is busy or cannot be reached.

use std::collections::BTreeMap;

use flott_types::{Error, FastMap, Result};
use parking_lot::Mutex;

use crate::service::Service;
use crate::store::Client;

/// What is said by the configuration: the rest by the environment.
const PREFIXES: [&str; 2] = ["s3.", "fs.azure."];

/// Settings, and the clients that were made with them.
#[derive(Default)]
struct Stores {
    settings: BTreeMap<String, String>,
    open: FastMap<String, Client>,
}

static STORES: Mutex<Option<Stores>> = Mutex::new(None);

/// How object stores are reached from now on in this process: those keys of a configuration that are about
/// them. If there are none, nothing changes.
///
/// # Errors
/// If a value cannot be used.
pub fn configure<'a>(configuration: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
    let about =
        configuration.into_iter().filter(|(key, _)| PREFIXES.iter().any(|prefix| key.starts_with(prefix)));
    let settings: BTreeMap<String, String> =
        about.map(|(key, value)| (key.to_owned(), value.trim().to_owned())).collect();
    if settings.is_empty() {
        return Ok(());
    }
    #[cfg(feature = "s3")]
    crate::s3::check(&settings)?;
    #[cfg(feature = "azure")]
    crate::azure::check(&settings)?;
    let mut stores = STORES.lock();
    let stores = stores.get_or_insert_default();
    if stores.settings != settings {
        if !stores.open.is_empty() {
            tracing::warn!("object stores are reached by other settings from now on ('s3.*', 'fs.azure.*')");
        }
        *stores = Stores { settings, open: FastMap::default() };
    }
    Ok(())
}

/// The client for a store: `s3://bucket`, `gs://bucket`, `abfss://container@account...`, `https://host`.
///
/// # Errors
/// If it cannot be set up.
pub(crate) fn open(store: &str) -> Result<Client> {
    let mut stores = STORES.lock();
    let stores = stores.get_or_insert_default();
    if let Some(open) = stores.open.get(store) {
        return Ok(open.clone());
    }
    let client = connect(&stores.settings, store)?;
    stores.open.insert(store.to_owned(), client.clone());
    Ok(client)
}

#[cfg_attr(
    not(any(feature = "s3", feature = "azure")),
    expect(unused_variables, reason = "the others are reached by what the environment says")
)]
fn connect(settings: &BTreeMap<String, String>, store: &str) -> Result<Client> {
    let place = store.split_once("://").map_or(store, |(_, place)| place);
    match Service::of_store(store) {
        #[cfg(feature = "s3")]
        Some(Service::S3) => crate::s3::open(settings, place),
        #[cfg(feature = "gcs")]
        Some(Service::Gcs) => crate::gcs::open(place),
        #[cfg(feature = "azure")]
        Some(Service::Azure) => crate::azure::open(settings, place),
        #[cfg(feature = "http")]
        Some(Service::Http) => crate::http::open(store),
        #[cfg(not(all(feature = "s3", feature = "gcs", feature = "azure", feature = "http")))]
        Some(service) => Err(Error::unsupported(format!(
            "'{place}': this program was built without the feature for {service:?}"
        ))),
        None => Err(Error::internal(format!("'{store}' is no object store"))),
    }
}
