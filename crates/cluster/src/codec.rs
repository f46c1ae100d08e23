//! Messages as bytes: a version, and MessagePack with names, so that fields that are added later have
//! defaults and unknown fields are ignored.

use flott_batch::copy;
use flott_types::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Of the messages between clients, JobManager and TaskManagers.
pub const MESSAGE_VERSION: u8 = 1;

/// A message in bytes.
///
/// # Errors
/// If it cannot be written: a defect.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>> {
    let refused = |error| Error::internal("a message cannot be written").with_source(error);
    let mut bytes = vec![MESSAGE_VERSION];
    bytes.append(&mut copy::write(message).map_err(refused)?);
    Ok(bytes)
}

/// The message again.
///
/// # Errors
/// If it is of another version, or damaged.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    match bytes.split_first() {
        Some((&MESSAGE_VERSION, message)) => copy::read(message)
            .map_err(|error| Error::external("a message cannot be read").with_source(error)),
        Some((version, _)) => Err(Error::external(format!(
            "a message of version {version} arrived, but this process uses version {MESSAGE_VERSION}: all processes of a cluster \
             must be of one release"
        ))),
        None => Err(Error::external("an empty message arrived")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_refused_and_says_so() {
        let bytes = encode(&("a", 1)).unwrap();
        assert_eq!(decode::<(String, i32)>(&bytes).unwrap(), ("a".to_owned(), 1));
        let mut newer = bytes.clone();
        newer[0] += 1;
        let told = decode::<(String, i32)>(&newer).unwrap_err().to_string();
        assert!(told.contains("version 2"), "{told}");
        assert!(decode::<(String, i32)>(&bytes[..2]).is_err() && decode::<()>(&[]).is_err());
    }
}
