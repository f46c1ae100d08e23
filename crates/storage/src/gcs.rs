//! Google Cloud Storage, and how it is reached: by what the environment says, as Google's own tools do.

use flott_types::{Error, Result};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};

use crate::clients;
use crate::store::Client;

/// The client for a bucket.
pub(crate) fn open(bucket: &str) -> Result<Client> {
    let mut builder =
        GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket).with_retry(clients::retries());
    // Whoever writes http:// means it.
    let is_plain =
        builder.get_config_value(&GoogleConfigKey::BaseUrl).is_some_and(|url| url.starts_with("http://"));
    builder = builder.with_client_options(clients::options().with_allow_http(is_plain));
    if let Some(connector) = clients::connector() {
        builder = builder.with_http_connector(connector);
    }
    let cannot = |error| Error::invalid(format!("the bucket '{bucket}' cannot be used")).with_source(error);
    Ok(Client::new(builder.build().map_err(cannot)?))
}
