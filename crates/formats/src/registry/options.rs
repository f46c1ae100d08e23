//! The options of formats that have a registry.

use flott_connector::{Options, Required, TableOption};
use flott_types::{Error, Result};

use super::{Credentials, Registry};

pub(crate) const URL: TableOption<String, Required> =
    TableOption::text("url", "the address of the schema registry; several with commas between").required();
pub(crate) const SUBJECT: TableOption<String> = TableOption::text(
    "subject",
    "the subject under which the schema of a sink is registered; of the connector `kafka` it is `<topic>-value` or `<topic>-key`",
);
pub(crate) const SCHEMA: TableOption<String> = TableOption::text(
    "schema",
    "the schema that a sink registers, if it is not to be that of the table; it must have the table's columns",
);
pub(crate) const BASIC_AUTH: TableOption<Basic> = TableOption::word(
    "basic-auth.credentials-source",
    &[("USER_INFO", Basic::UserInfo), ("URL", Basic::Url)],
    "where name and password are: in `basic-auth.user-info`, or in the address",
)
.not_yet(&["SASL_INHERIT"]);
pub(crate) const BASIC_AUTH_USER: TableOption<String> =
    TableOption::text("basic-auth.user-info", "a name and a password, with a colon between");
pub(crate) const BEARER_AUTH: TableOption<()> = TableOption::word(
    "bearer-auth.credentials-source",
    &[("STATIC_TOKEN", ())],
    "where the token is: in `bearer-auth.token`",
)
.not_yet(&["OAUTHBEARER", "SASL_OAUTHBEARER_INHERIT", "CUSTOM"]);
pub(crate) const BEARER_TOKEN: TableOption<String> = TableOption::text("bearer-auth.token", "a token");

const NO_STORES: &str = "the certificates of public authorities count, and none is sent";
pub(crate) const KEYSTORE: TableOption<String> =
    TableOption::refused("ssl.keystore.location", NO_STORES, "the certificate of the client");
pub(crate) const KEYSTORE_PASSWORD: TableOption<String> =
    TableOption::refused("ssl.keystore.password", NO_STORES, "the password of the client's certificate");
pub(crate) const TRUSTSTORE: TableOption<String> =
    TableOption::refused("ssl.truststore.location", NO_STORES, "the certificates that are trusted");
pub(crate) const TRUSTSTORE_PASSWORD: TableOption<String> =
    TableOption::refused("ssl.truststore.password", NO_STORES, "the password of the trusted certificates");

/// `basic-auth.credentials-source`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Basic {
    UserInfo,
    Url,
}

impl Registry {
    /// The registry of a table.
    pub(crate) fn of(options: &Options<'_>) -> Result<Self> {
        let (basic, user) = (options.get(&BASIC_AUTH)?, options.get(&BASIC_AUTH_USER)?);
        let (bearer, token) = (options.get(&BEARER_AUTH)?, options.get(&BEARER_TOKEN)?);
        let missing = |key: String| Error::invalid(format!("the option '{key}' is missing"));
        let mut credentials = match (basic, user, bearer, token) {
            (Some(_), _, Some(()), _) => {
                return Err(Error::invalid(format!(
                    "'{}' and '{}' contradict each other: set one of them",
                    options.key(&BASIC_AUTH),
                    options.key(&BEARER_AUTH)
                )));
            }
            (Some(Basic::UserInfo), None, None, _) => return Err(missing(options.key(&BASIC_AUTH_USER))),
            (Some(Basic::UserInfo), Some(user), None, _) => Credentials::Basic(user),
            (None, _, Some(()), None) => return Err(missing(options.key(&BEARER_TOKEN))),
            (None, _, Some(()), Some(token)) => Credentials::Bearer(token),
            (Some(Basic::Url), ..) | (None, _, None, _) => Credentials::None,
        };
        let mut urls = Vec::new();
        for url in options.get(&URL)?.split(',').map(str::trim).filter(|url| !url.is_empty()) {
            let url = url.trim_end_matches('/');
            let Some((scheme, rest)) =
                url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
            else {
                return Err(options.wrong(&URL, "addresses that begin with http:// or https://"));
            };
            let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
            let host = match host.rsplit_once('@') {
                Some((user, host)) => {
                    if basic == Some(Basic::Url) {
                        credentials = Credentials::Basic(user.to_owned());
                    }
                    host
                }
                None => host,
            };
            let path = path.map(|path| format!("/{path}")).unwrap_or_default();
            urls.push(format!("{scheme}://{host}{path}"));
        }
        if urls.is_empty() {
            return Err(options.wrong(&URL, "the address of a schema registry"));
        }
        Ok(Registry::new(urls, &credentials))
    }
}
