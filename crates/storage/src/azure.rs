//! Azure's Blob Storage, and how it is reached.

use std::collections::BTreeMap;

use flott_types::{Error, Result};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};

use crate::clients;
use crate::service::Azure;
use crate::store::Client;

/// The key of an account, behind its host, as Hadoop's drivers have it.
const KEY: &str = "fs.azure.account.key.";

/// The public cloud, those of China and of the government of the USA, and Fabric: what the environment says of who
/// we are is for them only.
const DOMAINS: [&str; 4] =
    ["core.windows.net", "core.chinacloudapi.cn", "core.usgovcloudapi.net", "fabric.microsoft.com"];

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
    let Some(azure) = Azure::parse(place) else {
        return Err(Error::internal(format!("'{place}' is no container of Azure's")));
    };
    let Azure { container, account, domain } = azure;
    let key = ["dfs", "blob"]
        .iter()
        .find_map(|service| settings.get(&format!("{KEY}{account}.{service}.{domain}")));
    let environment = MicrosoftAzureBuilder::from_env();
    // Whoever says where the server is has not left that to the URL.
    let is_given = environment.get_config_value(&AzureConfigKey::Endpoint).is_some();
    let builder = match (DOMAINS.contains(&domain) || is_given, key) {
        (true, _) => environment,
        (false, Some(_)) => MicrosoftAzureBuilder::new(),
        (false, None) => {
            return Err(Error::invalid(format!(
                "'{place}': {domain} is no domain of Azure's, and the process's credentials are not sent there; set \
                 '{KEY}{account}.dfs.{domain}'"
            )));
        }
    };
    let mut builder =
        builder.with_account(account).with_container_name(container).with_retry(clients::retries());
    if builder.get_config_value(&AzureConfigKey::Endpoint).is_none() {
        builder = builder.with_endpoint(format!("https://{account}.blob.{domain}"));
    }
    if let Some(key) = key {
        builder = builder.with_access_key(key);
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
    fn other_hosts_get_the_credentials_that_are_for_them_and_no_others() {
        let place = "c@account.dfs.example.org";
        let refused = open(&BTreeMap::new(), place).unwrap_err().to_string();
        assert!(refused.contains("example.org is no domain of Azure's"), "{refused}");
        assert!(refused.contains("set 'fs.azure.account.key.account.dfs.example.org'"), "{refused}");
        let key = ("fs.azure.account.key.account.blob.example.org".to_owned(), "a2V5".to_owned());
        open(&BTreeMap::from([key]), place).unwrap();
        // What looks like a part of Azure's name is in the path of another host.
        for place in [
            "c@evil/x.dfs.core.windows.net",
            "c@evil:80?x.dfs.core.windows.net",
            "c@a.dfs.b/core.windows.net",
        ] {
            assert!(Azure::parse(place).is_none(), "{place}");
        }
    }

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
