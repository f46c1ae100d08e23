//! Files of JSON with a version, and names of anything as names of files.
//!
//! In names of files all but letters, digits, `_` and `-` is `=` and two hexadecimal digits for each byte.

use flott_storage::{Folder, block_on};
use flott_types::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// How files of objects end.
const OBJECT: &str = ".json";
/// How files of functions end.
const FUNCTION: &str = ".function";
/// How files of models end.
const MODEL: &str = ".model";
/// The version of the files.
const VERSION: u32 = 1;

/// The content of a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Versioned<T> {
    version: u32,
    content: T,
}

/// The content of a file, if there is one.
pub(super) fn read<T: DeserializeOwned>(folder: &Folder, name: &str) -> Result<Option<T>> {
    let Some(bytes) = block_on(folder.get(name))? else { return Ok(None) };
    let damaged = |error| {
        let url = folder.url_of(name);
        Error::invalid(format!("the file {url} of the catalog cannot be read")).with_source(error)
    };
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let Head { version } = serde_json::from_slice(&bytes).map_err(damaged)?;
    if version != VERSION {
        return Err(Error::unsupported(format!(
            "the file {} of the catalog has version {version}; this build reads version {VERSION}",
            folder.url_of(name)
        )));
    }
    serde_json::from_slice(&bytes).map(|read: Versioned<T>| Some(read.content)).map_err(damaged)
}

fn text<T: Serialize>(content: &T) -> Result<Vec<u8>> {
    serde_json::to_vec_pretty(&Versioned { version: VERSION, content })
        .map_err(|error| Error::internal("cannot write the catalog").with_source(error))
}

/// Writes a new file; returns whether it was new.
pub(super) fn create<T: Serialize>(folder: &Folder, name: &str, content: &T) -> Result<bool> {
    block_on(folder.put_new(name, text(content)?.into()))
}

/// Writes a file, in place of one that is there.
pub(super) fn replace<T: Serialize>(folder: &Folder, name: &str, content: &T) -> Result<()> {
    block_on(folder.put(name, text(content)?.into()))
}

/// The object of which this is the file, if it is one's.
pub(super) fn named(file: &str) -> Option<String> {
    file.strip_suffix(OBJECT).and_then(decoded)
}

/// The file of an object of any name.
pub(super) fn file_of(name: &str) -> String {
    encoded(name) + OBJECT
}

/// The function of which this is the file, if it is one's.
pub(super) fn named_function(file: &str) -> Option<String> {
    file.strip_suffix(FUNCTION).and_then(decoded)
}

/// The file of a function of any name.
pub(super) fn file_of_function(name: &str) -> String {
    encoded(name) + FUNCTION
}

/// The model of which this is the file, if it is one's.
pub(super) fn named_model(file: &str) -> Option<String> {
    file.strip_suffix(MODEL).and_then(decoded)
}

/// The file of a model of any name.
pub(super) fn file_of_model(name: &str) -> String {
    encoded(name) + MODEL
}

/// A name of anything as the name of a file.
pub(super) fn encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            // `_database` is no database's and no object's.
            b'_' if encoded.is_empty() => encoded.push_str("=5F"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("={byte:02X}")),
        }
    }
    encoded
}

/// The name, if it is that of a file of ours.
pub(super) fn decoded(encoded: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((plain, behind)) = rest.split_once('=') {
        bytes.extend_from_slice(plain.as_bytes());
        let (digits, behind) = behind.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}
