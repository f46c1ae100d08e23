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

const NO_STORES: &str = "trust in the certificates of public authorities, without one of the client";
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
        let (urls, users) = addresses(options)?;
        Ok(Registry::new(urls, &credentials(options, users)?))
    }
}

/// The addresses, and the names and passwords in them.
fn addresses(options: &Options<'_>) -> Result<(Vec<String>, Vec<String>)> {
    let (mut urls, mut users) = (Vec::new(), Vec::new());
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
                users.push(user.to_owned());
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
    Ok((urls, users))
}

/// Who asks. What says so and would not be sent is an error.
fn credentials(options: &Options<'_>, mut users: Vec<String>) -> Result<Credentials> {
    let (basic, user) = (options.get(&BASIC_AUTH)?, options.get(&BASIC_AUTH_USER)?);
    let (bearer, token) = (options.get(&BEARER_AUTH)?, options.get(&BEARER_TOKEN)?);
    let (url_key, basic_key) = (options.key(&URL), options.key(&BASIC_AUTH));
    let missing = |key: String| Err(Error::invalid(format!("the option '{key}' is missing")));
    let unsent = |what: String, key: String, source: &str| {
        Err(Error::invalid(format!("{what} is not sent: it needs '{key}' = '{source}'")))
    };
    if basic.is_some() && bearer.is_some() {
        return Err(Error::invalid(format!(
            "'{basic_key}' and '{}' contradict each other: set one of them",
            options.key(&BEARER_AUTH)
        )));
    }
    if !users.is_empty() && basic != Some(Basic::Url) {
        return unsent(format!("the name and password in '{url_key}'"), basic_key, "URL");
    }
    if user.is_some() && basic != Some(Basic::UserInfo) {
        return unsent(format!("'{}'", options.key(&BASIC_AUTH_USER)), basic_key, "USER_INFO");
    }
    if token.is_some() && bearer.is_none() {
        let key = options.key(&BEARER_AUTH);
        return unsent(format!("'{}'", options.key(&BEARER_TOKEN)), key, "STATIC_TOKEN");
    }
    users.dedup();
    match (basic, bearer) {
        (Some(Basic::UserInfo), _) => match user {
            Some(user) => Ok(Credentials::Basic(user)),
            None => missing(options.key(&BASIC_AUTH_USER)),
        },
        (Some(Basic::Url), _) => match (users.pop(), users.is_empty()) {
            (Some(user), true) => Ok(Credentials::Basic(user)),
            (Some(_), false) => Err(options.wrong(&URL, "one name and password for all addresses")),
            (None, _) => {
                Err(options.wrong(&URL, "addresses with a name and a password: http://name:password@host"))
            }
        },
        (None, Some(())) => match token {
            Some(token) => Ok(Credentials::Bearer(token)),
            None => missing(options.key(&BEARER_TOKEN)),
        },
        (None, None) => Ok(Credentials::None),
    }
}
