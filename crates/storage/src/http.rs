//! Files behind any server of HTTP, for reading: whole, or in pieces where the server gives ranges.

use flott_types::{Error, Result};
use object_store::http::HttpBuilder;

use crate::clients;
use crate::store::Client;

/// The client for a host, `https://host:port`.
pub(crate) fn open(host: &str) -> Result<Client> {
    let mut builder = HttpBuilder::new()
        .with_url(host)
        .with_retry(clients::retries())
        // Whoever writes http:// means it.
        .with_client_options(clients::options().with_allow_http(host.starts_with("http://")));
    if let Some(connector) = clients::connector() {
        builder = builder.with_http_connector(connector);
    }
    let cannot = |error| Error::invalid(format!("'{host}' cannot be read from")).with_source(error);
    Ok(Client::reading(builder.build().map_err(cannot)?))
}
