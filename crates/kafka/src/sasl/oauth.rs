//! OAUTHBEARER: a token from elsewhere tells who the client is.
//!
//! The token comes from a service that knows the client by a secret (the grant `client_credentials`), and is
//! used until most of its time is over; or from a file, which is read for each connection, because somebody
//! else renews it. A connection lives on with an old token until the broker closes it, and then there is a new
//! connection with a new one.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flott_types::clock::SystemClock;
use flott_types::{Clock, Error};
use parking_lot::Mutex;
use serde::Deserialize;

use super::jaas;
use crate::config::Properties;
use crate::failure::{Failure, Result};

const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";

/// So much of what a service says of an error is told.
const TOLD: usize = 300;

/// Where tokens come from. Clones share what is cached.
#[derive(Clone)]
pub(crate) struct OAuth(Arc<Inner>);

struct Inner {
    origin: Origin,
    /// `extension_*`, as they are sent.
    extensions: String,
    clock: SystemClock,
    cached: Mutex<Option<Token>>,
}

enum Origin {
    File(String),
    Service { url: String, client: String, secret: String, scope: Option<String>, agent: ureq::Agent },
}

struct Token {
    text: String,
    /// By then there should be a new one.
    until: u64,
}

/// What the service answers.
#[derive(Deserialize)]
struct Answer {
    access_token: String,
    /// In seconds.
    expires_in: Option<u64>,
}

impl OAuth {
    pub(super) fn new(properties: &Properties, config: &str, timeout: Duration) -> flott_types::Result<Self> {
        let why = "the service that tells tokens, as https://..., or a file with one, as file:///...";
        let url = properties.required(ENDPOINT, why)?;
        let origin = if let Some(path) = url.strip_prefix("file://") {
            Origin::File(path.to_owned())
        } else if url.starts_with("https://") || url.starts_with("http://") {
            warn_of_plain_text(url);
            let (Some(client), Some(secret)) = (jaas(config, "clientId"), jaas(config, "clientSecret"))
            else {
                return Err(Error::invalid(
                    "'sasl.jaas.config' has no clientId=\"...\" or no clientSecret=\"...\"",
                ));
            };
            let agent = ureq::Agent::config_builder()
                .timeout_global(Some(timeout))
                .http_status_as_error(false)
                .build()
                .new_agent();
            Origin::Service { url: url.to_owned(), client, secret, scope: jaas(config, "scope"), agent }
        } else {
            return Err(properties.wrong(ENDPOINT, "https://..., http://... or file:///..."));
        };
        let extensions = extensions(config);
        let (clock, cached) = (SystemClock::new(), Mutex::default());
        Ok(OAuth(Arc::new(Inner { origin, extensions, clock, cached })))
    }

    /// The client's first and only message.
    pub(super) fn message(&self) -> Result<Vec<u8>> {
        Ok(format!("n,,\x01auth=Bearer {}\x01{}\x01", self.token()?, self.0.extensions).into_bytes())
    }

    fn token(&self) -> Result<String> {
        let inner = &*self.0;
        match &inner.origin {
            Origin::File(path) => {
                let text = std::fs::read_to_string(path);
                let text = text
                    .map_err(|error| Failure::last(format!("the token in {path} cannot be read: {error}")))?;
                Ok(text.trim().to_owned())
            }
            Origin::Service { url, client, secret, scope, agent } => {
                // One asks, the others wait for what it gets.
                let mut cached = inner.cached.lock();
                if let Some(token) = cached.as_ref().filter(|token| inner.clock.nanos() < token.until) {
                    return Ok(token.text.clone());
                }
                let answer = ask(agent, url, client, secret, scope.as_deref())?;
                let seconds = answer.expires_in.unwrap_or(0);
                // As Java's client does, a new one is asked for when four fifths of the time are over.
                let until = inner.clock.nanos().saturating_add(seconds.saturating_mul(800_000_000));
                *cached = Some(Token { text: answer.access_token.clone(), until });
                Ok(answer.access_token)
            }
        }
    }
}

/// The client's secret is in the request.
fn warn_of_plain_text(url: &str) {
    let host = url.strip_prefix("http://").and_then(|rest| rest.split(['/', ':']).next());
    if host.is_some_and(|host| host != "localhost" && !host.starts_with("127.")) {
        tracing::warn!("'{ENDPOINT}' is {url}: the client's secret is sent to it without encryption");
    }
}

/// Asks once. A service that cannot be reached, or has trouble of its own, may be asked again.
fn ask(agent: &ureq::Agent, url: &str, client: &str, secret: &str, scope: Option<&str>) -> Result<Answer> {
    let credentials = BASE64_STANDARD.encode(format!("{client}:{secret}"));
    let form = [("grant_type", "client_credentials")].into_iter().chain(scope.map(|scope| ("scope", scope)));
    let request = agent
        .post(url)
        .header("authorization", format!("Basic {credentials}"))
        .header("accept", "application/json");
    let mut response = request.send_form(form).map_err(|error| match error {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Failure::last(format!("{url}: {error}")),
        error => Failure::lost(format!("{url}: {error}")),
    })?;
    let status = response.status();
    let text = response.body_mut().read_to_string();
    let text = text.map_err(|error| Failure::lost(format!("{url}: {error}")))?;
    if !status.is_success() {
        let said: String = text.trim().chars().take(TOLD).collect();
        let message = format!("{url} gives no token: {status}: {said}");
        return Err(match status.is_server_error() || status.as_u16() == 429 {
            true => Failure::lost(message),
            false => Failure::last(message),
        });
    }
    // What it says is not told: there may be a token in it.
    serde_json::from_str(&text).map_err(|_| Failure::last(format!("{url} answers without an 'access_token'")))
}

/// `extension_NAME="value"` of a login module, as they are sent to the broker.
fn extensions(config: &str) -> String {
    let names = config.split("extension_").skip(1).filter_map(|rest| rest.split('=').next());
    names
        .filter_map(|name| {
            let value = jaas(config, &format!("extension_{}", name.trim()))?;
            Some(format!("{}={value}\x01", name.trim()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_token_and_extensions() {
        let folder = std::env::temp_dir().join(format!("flott-oauth-{}", std::process::id()));
        std::fs::write(&folder, "first\n").unwrap();
        let url = format!("file://{}", folder.display());
        let properties = Properties::new([(ENDPOINT.to_owned(), url)].into(), "");
        let config = "x.LoginModule required extension_traceId=\"7\" extension_logicalCluster='lc';";
        let oauth = OAuth::new(&properties, config, Duration::from_secs(1)).unwrap();
        let expected = "n,,\x01auth=Bearer first\x01traceId=7\x01logicalCluster=lc\x01\x01";
        assert_eq!(String::from_utf8(oauth.message().unwrap()).unwrap(), expected);
        // Somebody has renewed it.
        std::fs::write(&folder, "second").unwrap();
        assert!(String::from_utf8(oauth.message().unwrap()).unwrap().contains("Bearer second\x01"));
        std::fs::remove_file(&folder).unwrap();
        assert!(oauth.message().unwrap_err().to_string().contains("cannot be read"));
    }
}
