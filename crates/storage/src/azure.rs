//! Azure's Blob Storage, and how it is reached.

use flott_types::{Error, Result};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use std::collections::BTreeMap;

use crate::clients;
use crate::service::Azure;
use crate::store::Client;

/// The key of an account, behind its host, as Hadoop's drivers have it.
const KEY: &str = "fs.azure.account.key.";

/// Whether the settings can be used.
pub(crate) fn check(settings: &BTreeMap<String, String>) -> Result<()> {
    for key in settings.keys().filter(|key| key.starts_with("fs.azure.")) {
        let host = key.strip_prefix(KEY).map(|host| format!("c@{host}"));
        if host.as_deref().and_then(Azure::parse).is_none() {
            return Err(Error::unsupported(format!(
                "'{key}'; of 'fs.azure.*' there is '{KEY}ACCOUNT.dfs.core.windows.net', and what AZURE_* says in the environment"
            )));
        }
    }
    Ok(())
}

/// The client for a container, `container@account.dfs.core.windows.net`.
pub(crate) fn open(settings: &BTreeMap<String, String>, place: &str) -> Result<Client> {
    let Some(Azure { container, account, domain }) = Azure::parse(place) else {
        return Err(Error::internal(format!("'{place}' is no container of Azure's")));
    };
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_account(account)
        .with_container_name(container)
        .with_retry(clients::retries());
    if builder.get_config_value(&AzureConfigKey::Endpoint).is_none() {
        builder = builder.with_endpoint(format!("https://{account}.blob.{domain}"));
    }
    for service in ["dfs", "blob"] {
        if let Some(key) = settings.get(&format!("{KEY}{account}.{service}.{domain}")) {
            builder = builder.with_access_key(key);
        }
    }
    // Whoever writes http:// means it.
    let is_plain =
        builder.get_config_value(&AzureConfigKey::Endpoint).is_some_and(|url| url.starts_with("http://"));
    builder = builder.with_client_options(clients::options().with_allow_http(is_plain));
    if let Some(connector) = clients::connector() {
        builder = builder.with_http_connector(connector);
    }
    let cannot = |error| Error::invalid(format!("the container '{place}' cannot be used")).with_source(error);
    Ok(Client::new(builder.build().map_err(cannot)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_settings_are_named() {
        let check = |key: &str| check(&BTreeMap::from([(key.to_owned(), "x".to_owned())]));
        check("fs.azure.account.key.orders.dfs.core.windows.net").unwrap();
        check("fs.azure.account.key.orders.blob.core.windows.net").unwrap();
        let refused = check("fs.azure.account.auth.type").unwrap_err().to_string();
        assert!(refused.contains("'fs.azure.account.auth.type'; of 'fs.azure.*' there is"), "{refused}");
        assert!(check("fs.azure.account.key.orders").is_err());
    }
}
