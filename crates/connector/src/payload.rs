//! What a connector stores in checkpoints: private bytes, with the version of their form.
//!
//! Positions and committables outlive the program that writes them. So the version is stored next to the
//! bytes, where a connector cannot forget it, and a reader checks for the versions that it knows
//! ([`Payload::check`]): any other is refused, with both numbers.
//!
//! In a snapshot a payload is JSON: its bytes are text if they are UTF-8, else base64. A bare string is a
//! payload of version 0: payloads were written like that before they had a separate version.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flott_types::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a connector's own, and the version of their form.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Payload {
    version: u32,
    bytes: Vec<u8>,
}

impl Payload {
    /// The version of payloads that were written before they had one. Many say their version in their bytes.
    pub const UNVERSIONED: u32 = 0;

    /// These bytes in this form. Versions begin with 1.
    pub fn new(version: u32, bytes: impl Into<Vec<u8>>) -> Self {
        Payload { version, bytes: bytes.into() }
    }

    /// A value as JSON.
    ///
    /// # Errors
    /// If the value cannot be written.
    pub fn json(version: u32, value: &impl Serialize) -> Result<Self> {
        match serde_json::to_vec(value) {
            Ok(bytes) => Ok(Payload { version, bytes }),
            Err(error) => Err(Error::internal("a connector's state cannot be written").with_source(error)),
        }
    }

    /// The version of the form.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes as text. `what` names them for people.
    ///
    /// # Errors
    /// If they are none.
    pub fn text(&self, what: &str) -> Result<&str> {
        std::str::from_utf8(&self.bytes)
            .map_err(|error| Error::state(format!("{what} cannot be read")).with_source(error))
    }

    /// Refuses versions that the reader does not know. `what` names the payload for people.
    ///
    /// # Errors
    /// If the version is none of these.
    pub fn check(&self, known: &[u32], what: &str) -> Result<()> {
        if known.contains(&self.version) {
            return Ok(());
        }
        let known: Vec<String> = known.iter().map(u32::to_string).collect();
        Err(Error::state(format!(
            "{what} has version {}; this program reads version {}",
            self.version,
            known.join(", ")
        )))
    }

    /// The value, of a payload of one of these versions that is JSON.
    ///
    /// # Errors
    /// If the version is another, or the bytes are no such value.
    pub fn from_json<T: DeserializeOwned>(&self, known: &[u32], what: &str) -> Result<T> {
        self.check(known, what)?;
        serde_json::from_slice(&self.bytes)
            .map_err(|error| Error::state(format!("{what} cannot be read")).with_source(error))
    }

    /// As one piece of bytes that [`Payload::unseal`] takes apart, where nothing else tells the version.
    pub fn seal(&self) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(self.bytes.len() + 5);
        sealed.push(SEAL);
        sealed.extend_from_slice(&self.version.to_le_bytes());
        sealed.extend_from_slice(&self.bytes);
        sealed
    }

    /// What was sealed. Bytes that were not are a payload without a version: text that was written before
    /// there were seals.
    ///
    /// # Errors
    /// If they are cut short.
    pub fn unseal(sealed: &[u8]) -> Result<Self> {
        let Some((&SEAL, rest)) = sealed.split_first() else {
            return Ok(Payload::new(Payload::UNVERSIONED, sealed));
        };
        match rest.split_first_chunk() {
            Some((version, bytes)) => Ok(Payload::new(u32::from_le_bytes(*version), bytes)),
            None => Err(Error::state("a connector's state is truncated")),
        }
    }
}

/// No text begins with it.
const SEAL: u8 = 0;

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "v{} {}", self.version, String::from_utf8_lossy(&self.bytes))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Bare(String),
    Text { version: u32, text: String },
    Bytes { version: u32, base64: String },
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let version = self.version;
        let written = match std::str::from_utf8(&self.bytes) {
            Ok(text) if version == Payload::UNVERSIONED => Written::Bare(text.to_owned()),
            Ok(text) => Written::Text { version, text: text.to_owned() },
            Err(_) => Written::Bytes { version, base64: STANDARD.encode(&self.bytes) },
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::Bare(text) => Payload::new(Payload::UNVERSIONED, text),
            Written::Text { version, text } => Payload::new(version, text),
            Written::Bytes { version, base64 } => {
                Payload::new(version, STANDARD.decode(base64).map_err(serde::de::Error::custom)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_versions_survive() {
        for payload in [
            Payload::new(1, "offset 7"),
            Payload::new(u32::MAX, vec![0xff, 0, 0xfe]),
            Payload::new(3, ""),
            Payload::new(Payload::UNVERSIONED, "{\"version\":1}"),
        ] {
            let written = serde_json::to_string(&payload).unwrap();
            assert_eq!(serde_json::from_str::<Payload>(&written).unwrap(), payload, "{written}");
            assert_eq!(Payload::unseal(&payload.seal()).unwrap(), payload);
        }
    }

    #[test]
    fn what_was_written_before_there_were_versions_is_read() {
        let old: Payload = serde_json::from_str(r#""{\"version\":1,\"next\":4}""#).unwrap();
        assert_eq!((old.version(), old.bytes()), (0, br#"{"version":1,"next":4}"#.as_slice()));
        assert_eq!(Payload::unseal(br#"{"version":1}"#).unwrap(), Payload::new(0, r#"{"version":1}"#));
        assert!(Payload::unseal(&[SEAL, 1, 0]).is_err());
    }

    #[test]
    fn versions_of_the_future_are_refused() {
        let error = Payload::new(9, "{}").from_json::<u32>(&[0, 2], "the split a/b").unwrap_err();
        assert_eq!(error.message(), "the split a/b has version 9; this program reads version 0, 2");
    }
}
