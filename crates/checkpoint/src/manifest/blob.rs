//! Bytes and checksums, as they are written in JSON.

use std::fmt;
use std::ops::Deref;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flott_types::{Error, Result};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{FileLocation, StateFile};

/// Opaque bytes. Cheap to clone; base64 (standard alphabet, padded) in JSON.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Blob(pub Bytes);

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Blob(bytes.into())
    }
}

impl From<Bytes> for Blob {
    fn from(bytes: Bytes) -> Self {
        Blob(bytes)
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.len() {
            0..=32 => write!(f, "b\"{}\"", self.escape_ascii()),
            len => write!(f, "b\"{}...\" ({len} bytes)", self[..16].escape_ascii()),
        }
    }
}

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        match STANDARD.decode(text.as_bytes()) {
            Ok(bytes) => Ok(bytes.into()),
            Err(error) => Err(D::Error::custom(format!("bytes are not base64: {error}"))),
        }
    }
}

/// XXH3 (64 bits) of a file's bytes; 16 hexadecimal digits in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Checksum(pub u64);

impl Checksum {
    /// The checksum of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Checksum(xxh3_64(bytes))
    }
}

/// Computes the checksum of bytes that come in parts.
#[derive(Clone, Default)]
pub struct Summing(Xxh3);

impl Summing {
    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all that were added.
    pub fn checksum(&self) -> Checksum {
        Checksum(self.0.digest())
    }
}

impl fmt::Debug for Summing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}...", self.checksum())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        match u64::from_str_radix(&text, 16) {
            Ok(sum) if text.len() == 16 => Ok(Checksum(sum)),
            _ => Err(D::Error::custom(format!("'{text}' is not a checksum (16 hexadecimal digits)"))),
        }
    }
}

impl StateFile {
    /// Compares bytes that were read with what the manifest says of them.
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`], naming the file, if size or checksum differ.
    pub fn verify(&self, bytes: &[u8]) -> Result<()> {
        let name = match &self.location {
            FileLocation::Inline(_) => "a state file within the manifest",
            FileLocation::File { path, .. } => path.as_str(),
        };
        if bytes.len() as u64 != self.size() {
            return Err(Error::state(format!(
                "'{name}' is damaged: it has {} bytes, the manifest says {}",
                bytes.len(),
                self.size()
            )));
        }
        let found = Checksum::of(bytes);
        if found != self.checksum {
            return Err(Error::state(format!(
                "'{name}' is damaged: its checksum is {found}, the manifest says {}",
                self.checksum
            )));
        }
        Ok(())
    }
}
