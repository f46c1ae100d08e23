//! How files are compressed.

use std::path::Path;

use flott_types::{Error, Result};

/// How a file is compressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Compression {
    /// `.gz`, `.gzip`
    Gzip,
    /// `.deflate`
    Deflate,
}

impl Compression {
    /// The compression that a file's extension indicates, as in Flink.
    ///
    /// # Errors
    /// If the extension is of an unsupported compression.
    pub fn of(path: &Path) -> Result<Option<Compression>> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_ascii_lowercase();
        match ending.as_str() {
            "gz" | "gzip" => Ok(Some(Compression::Gzip)),
            "deflate" => Ok(Some(Compression::Deflate)),
            "bz2" | "xz" | "zst" | "zstd" | "lz4" | "snappy" => Err(Error::unsupported(format!(
                "the file {}: the compression '{ending}' is not built yet; there are: gz, gzip, deflate",
                path.display()
            ))),
            _ => Ok(None),
        }
    }
}
