//! SASL: who the client is. PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER.

mod oauth;
mod scram;

use std::time::Duration;

use bytes::Bytes;
use flott_types::Error;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

use crate::config::Properties;
use crate::connection::Connection;
use crate::failure::{Failure, Result};
use oauth::OAuth;
use scram::{Hash, Scram};

/// How the client proves who it is.
#[derive(Clone)]
pub(crate) enum Sasl {
    /// By a password, which the broker is told.
    Plain { user: String, password: String },
    /// By a password, which the broker is not told.
    Scram { hash: Hash, user: String, password: String },
    /// By a token.
    OAuth(OAuth),
}

const PLAIN: &str = "PLAIN";
const SCRAM_SHA_256: &str = "SCRAM-SHA-256";
const SCRAM_SHA_512: &str = "SCRAM-SHA-512";
const OAUTHBEARER: &str = "OAUTHBEARER";

impl std::fmt::Debug for Sasl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Sasl::Plain { user, .. } | Sasl::Scram { user, .. } => {
                write!(f, "{} as {user}", self.mechanism())
            }
            Sasl::OAuth(_) => f.write_str(self.mechanism()),
        }
    }
}

impl Sasl {
    /// What the properties say. A service that is asked for a token has to answer within `timeout`.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn new(properties: &Properties, timeout: Duration) -> flott_types::Result<Self> {
        const NAME: &str = "sasl.mechanism";
        const CONFIG: &str = "sasl.jaas.config";
        let mechanism = properties.text(NAME).unwrap_or("GSSAPI");
        let user = || {
            let config = properties.required(
                CONFIG,
                "it names the user: org.apache.kafka.common.security.plain.PlainLoginModule required username=\"...\" password=\"...\";",
            )?;
            match (jaas(config, "username"), jaas(config, "password")) {
                (Some(user), Some(password)) => Ok((user, password)),
                _ => {
                    Err(Error::invalid(format!("'{CONFIG}' has no username=\"...\" or no password=\"...\"")))
                }
            }
        };
        let scram = |hash| user().map(|(user, password)| Sasl::Scram { hash, user, password });
        match mechanism {
            PLAIN => user().map(|(user, password)| Sasl::Plain { user, password }),
            SCRAM_SHA_256 => scram(Hash::Sha256),
            SCRAM_SHA_512 => scram(Hash::Sha512),
            OAUTHBEARER => {
                let config = properties.text(CONFIG).unwrap_or_default();
                OAuth::new(properties, config, timeout).map(Sasl::OAuth)
            }
            "GSSAPI" => Err(Error::unsupported(format!(
                "'{NAME}' = 'GSSAPI' (Kerberos) is not supported; there are: {PLAIN}, {SCRAM_SHA_256}, {SCRAM_SHA_512}, \
                 {OAUTHBEARER}"
            ))),
            _ => Err(properties.wrong(NAME, "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER")),
        }
    }

    fn mechanism(&self) -> &'static str {
        match self {
            Sasl::Plain { .. } => PLAIN,
            Sasl::Scram { hash: Hash::Sha256, .. } => SCRAM_SHA_256,
            Sasl::Scram { hash: Hash::Sha512, .. } => SCRAM_SHA_512,
            Sasl::OAuth(_) => OAUTHBEARER,
        }
    }
}

/// An option of a login module: `name="value"`, where a backslash takes the next character as it is.
fn jaas(config: &str, name: &str) -> Option<String> {
    let mut rest = config;
    loop {
        let at = rest.find(name)?;
        let before = rest.get(..at)?.chars().next_back();
        rest = rest.get(at + name.len()..)?;
        let value = rest.trim_start().strip_prefix('=').map(str::trim_start);
        let (Some(value), true) = (value, before.is_none_or(char::is_whitespace)) else { continue };
        let Some(quoted) = value.strip_prefix(['"', '\'']) else {
            let end = value.find(|letter: char| letter.is_whitespace() || letter == ';');
            return value.get(..end.unwrap_or(value.len())).map(str::to_owned);
        };
        let quote = value.chars().next()?;
        let (mut text, mut letters) = (String::new(), quoted.chars());
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => text.extend(letters.next()),
                _ if letter == quote => return Some(text),
                _ => text.push(letter),
            }
        }
        return None;
    }
}

/// Tells the broker at the other end of a connection who this is.
pub(crate) fn authenticate(connection: &mut Connection, sasl: &Sasl) -> Result<()> {
    let mechanism = sasl.mechanism();
    let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    let response = connection.call(&handshake)?;
    Failure::check(response.error_code, || {
        let offered: Vec<&str> = response.mechanisms.iter().map(|name| name.as_str()).collect();
        format!("SASL {mechanism}, where the broker has {}", offered.join(", "))
    })?;
    match sasl {
        Sasl::Plain { user, password } => {
            step(connection, format!("\0{user}\0{password}").into_bytes())?;
        }
        Sasl::Scram { hash, user, password } => {
            let scram = Scram::new(*hash, user, password);
            let first = step(connection, scram.first())?;
            let (proof, signature) = scram.last(&first).map_err(Failure::last)?;
            let answer = step(connection, proof)?;
            if answer != signature {
                return Err(Failure::last("the broker does not know the user's password, and says it does"));
            }
        }
        Sasl::OAuth(oauth) => {
            let answer = step(connection, oauth.message()?)?;
            // A broker that does not like the token says why, and waits for a last word.
            if !answer.is_empty() {
                let why = String::from_utf8_lossy(&answer).into_owned();
                return Err(match step(connection, vec![1]) {
                    Err(failure) => failure.context(why),
                    Ok(_) => Failure::last(format!("authentication failed: {why}")),
                });
            }
        }
    }
    Ok(())
}

fn step(connection: &mut Connection, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let request = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(bytes));
    let response = connection.call(&request)?;
    Failure::check(response.error_code, || {
        let said = response.error_message.as_ref().map_or("", |text| text.as_str());
        format!("authentication failed ({said})")
    })?;
    Ok(response.auth_bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::jaas;

    #[test]
    fn users_and_passwords_are_found() {
        let config = "a.b.PlainLoginModule required\n  username=\"al \\\"ice\" password = 'se;cret';";
        assert_eq!(jaas(config, "username").as_deref(), Some("al \"ice"));
        assert_eq!(jaas(config, "password").as_deref(), Some("se;cret"));
        assert_eq!(jaas("x required username=bob password=b;", "password").as_deref(), Some("b"));
        assert_eq!(jaas("x required myusername=\"no\";", "username"), None);
        assert_eq!(jaas("x required username=\"open", "username"), None);
    }
}
