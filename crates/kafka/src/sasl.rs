//! SASL: who the client is. PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512.

mod scram;

use bytes::Bytes;
use flott_types::Error;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

use crate::config::Properties;
use crate::connection::Connection;
use crate::failure::{Failure, Result};
use scram::{Hash, Scram};

/// A user, and how the user is proved.
#[derive(Clone)]
pub(crate) struct Sasl {
    mechanism: Mechanism,
    user: String,
    password: String,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Mechanism {
    Plain,
    Scram(Hash),
}

impl std::fmt::Debug for Sasl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} as {}", self.mechanism.name(), self.user)
    }
}

impl Mechanism {
    fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Scram(Hash::Sha256) => "SCRAM-SHA-256",
            Mechanism::Scram(Hash::Sha512) => "SCRAM-SHA-512",
        }
    }
}

impl Sasl {
    pub(crate) fn new(properties: &Properties) -> flott_types::Result<Self> {
        const NAME: &str = "sasl.mechanism";
        let mechanism = match properties.text(NAME).unwrap_or("GSSAPI") {
            "PLAIN" => Mechanism::Plain,
            "SCRAM-SHA-256" => Mechanism::Scram(Hash::Sha256),
            "SCRAM-SHA-512" => Mechanism::Scram(Hash::Sha512),
            other @ ("GSSAPI" | "OAUTHBEARER") => {
                return Err(Error::unsupported(format!(
                    "'{NAME}' = '{other}' is not built yet; there are: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"
                )));
            }
            _ => return Err(properties.wrong(NAME, "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")),
        };
        let config = properties.required(
            "sasl.jaas.config",
            "it names the user: org.apache.kafka.common.security.plain.PlainLoginModule required username=\"...\" password=\"...\";",
        )?;
        let (Some(user), Some(password)) = (jaas(config, "username"), jaas(config, "password")) else {
            return Err(Error::invalid("'sasl.jaas.config' has no username=\"...\" or no password=\"...\""));
        };
        Ok(Sasl { mechanism, user, password })
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
    let mechanism = sasl.mechanism.name();
    let handshake = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    let response = connection.call(&handshake)?;
    Failure::check(response.error_code, || {
        let offered: Vec<&str> = response.mechanisms.iter().map(|name| name.as_str()).collect();
        format!("SASL {mechanism}, where the broker has {}", offered.join(", "))
    })?;
    match sasl.mechanism {
        Mechanism::Plain => {
            step(connection, format!("\0{}\0{}", sasl.user, sasl.password).into_bytes())?;
        }
        Mechanism::Scram(hash) => {
            let scram = Scram::new(hash, &sasl.user, &sasl.password);
            let first = step(connection, scram.first())?;
            let (proof, signature) = scram.last(&first).map_err(Failure::last)?;
            let answer = step(connection, proof)?;
            if answer != signature {
                return Err(Failure::last("the broker does not know the user's password, and says it does"));
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
