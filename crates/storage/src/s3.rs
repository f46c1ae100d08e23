//! Stores that speak S3's protocol, and how they are reached.

use std::collections::BTreeMap;

use flott_types::{Error, Result};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3CopyIfNotExists};

use crate::clients;
use crate::store::Client;

/// Whether the settings can be used.
pub(crate) fn check(settings: &BTreeMap<String, String>) -> Result<()> {
    builder(settings, "bucket").map(|_| ())
}

/// The client for a bucket.
pub(crate) fn open(settings: &BTreeMap<String, String>, bucket: &str) -> Result<Client> {
    let built = builder(settings, bucket)?.build();
    let cannot = |error| Error::invalid(format!("the bucket '{bucket}' cannot be used")).with_source(error);
    Ok(Client::new(built.map_err(cannot)?))
}

/// What the environment says, and over that what the settings say.
fn builder(settings: &BTreeMap<String, String>, bucket: &str) -> Result<AmazonS3Builder> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_client_options(clients::options())
        .with_retry(clients::retries())
        .with_copy_if_not_exists(S3CopyIfNotExists::Multipart);
    if let Some(connector) = clients::connector() {
        builder = builder.with_http_connector(connector);
    }
    // Flink's clients for S3 differ in how they write some keys.
    for (keys, config) in [
        (&["s3.endpoint.region", "s3.region"], AmazonS3ConfigKey::Region),
        (&["s3.access.key", "s3.access-key"], AmazonS3ConfigKey::AccessKeyId),
        (&["s3.secret.key", "s3.secret-key"], AmazonS3ConfigKey::SecretAccessKey),
    ] {
        for value in keys.iter().filter_map(|key| settings.get(*key)) {
            builder = builder.with_config(config, value);
        }
    }
    let by_host = match by_path(settings)? {
        Some(by_path) => !by_path,
        None => false,
    };
    builder = builder.with_virtual_hosted_style_request(by_host);
    if let Some(endpoint) = settings.get("s3.endpoint") {
        let Some((scheme, host)) =
            endpoint.split_once("://").filter(|(scheme, _)| scheme.starts_with("http"))
        else {
            return Err(Error::invalid(format!(
                "'s3.endpoint' is '{endpoint}'; expected 'https://HOST' or 'http://HOST:PORT'"
            )));
        };
        let endpoint = if by_host { format!("{scheme}://{bucket}.{host}") } else { endpoint.clone() };
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
    }
    let is_plain = [AmazonS3ConfigKey::Endpoint, AmazonS3ConfigKey::S3Endpoint]
        .iter()
        .any(|key| builder.get_config_value(key).is_some_and(|url| url.starts_with("http://")));
    // Whoever writes http:// means it.
    Ok(if is_plain { builder.with_allow_http(true) } else { builder })
}

/// Whether the bucket is part of the path, or else of the host's name.
fn by_path(settings: &BTreeMap<String, String>) -> Result<Option<bool>> {
    let keys = ["s3.path.style.access", "s3.path-style-access"];
    let Some((key, value)) = keys.iter().find_map(|key| Some((key, settings.get(*key)?))) else {
        return Ok(None);
    };
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(Error::invalid(format!("'{key}' is '{value}'; expected true or false"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(settings: &[(&str, &str)]) -> Result<AmazonS3Builder> {
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        builder(&settings, "orders")
    }

    #[test]
    fn an_endpoint_is_for_all_buckets() {
        let endpoint = |settings: &[(&str, &str)]| {
            built(settings).unwrap().get_config_value(&AmazonS3ConfigKey::S3Endpoint).unwrap()
        };
        let host = ("s3.endpoint", "http://localhost:9000");
        assert_eq!(endpoint(&[host]), "http://localhost:9000");
        assert_eq!(endpoint(&[host, ("s3.path.style.access", "true")]), "http://localhost:9000");
        assert_eq!(endpoint(&[host, ("s3.path-style-access", "false")]), "http://orders.localhost:9000");
    }

    #[test]
    fn wrong_settings_are_named() {
        let refused = |key: &str, value: &str| built(&[(key, value)]).err().unwrap().to_string();
        assert!(refused("s3.endpoint", "localhost:9000").contains("'s3.endpoint' is 'localhost:9000'"));
        assert!(refused("s3.path.style.access", "maybe").contains("expected true or false"));
    }
}
