//! The manifest as bytes.

use flott_types::{Error, Result};
use serde::Deserialize;

use super::Manifest;

/// Read before everything else, so that a manifest of another version is told as such and not as a missing field.
#[derive(Deserialize)]
struct Version {
    version: Option<serde_json::Value>,
}

impl Manifest {
    /// As JSON, ready to be written.
    ///
    /// # Errors
    /// If the manifest does not [`validate`](Manifest::validate): nothing that cannot be restored is ever written.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        self.validate()?;
        serde_json::to_vec(self)
            .map_err(|e| Error::internal("a manifest cannot be written as JSON").with_source(e))
    }

    /// Reads and validates a manifest. The caller adds the path by [`Error::context`].
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if it is no JSON, of another version, lacks a field, has an unknown one, or
    /// contradicts itself.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        let version: Version = serde_json::from_slice(bytes)
            .map_err(|e| Error::state("this is not a manifest").with_source(e))?;
        match version.version {
            Some(version) if version == Manifest::VERSION => {}
            Some(version) => {
                return Err(Error::state(format!(
                    "the manifest has version {version}; this build of Flott ({}) reads version {}",
                    env!("CARGO_PKG_VERSION"),
                    Manifest::VERSION
                )));
            }
            None => return Err(Error::state("this is not a manifest: it has no field 'version'")),
        }
        let manifest: Manifest = serde_json::from_slice(bytes)
            .map_err(|e| Error::state("the manifest cannot be read").with_source(e))?;
        manifest.validate()?;
        Ok(manifest)
    }
}
