//! The manifest as bytes.

use flott_types::{Error, Result};
use serde::Deserialize;

use super::{Manifest, seal, unseal};

/// Read first, so that a manifest of another version is reported as such and not as a missing field.
#[derive(Deserialize)]
struct Version {
    version: Option<serde_json::Value>,
}

impl Manifest {
    /// As JSON with a checksum, ready to be written.
    ///
    /// # Errors
    /// If the manifest does not [`validate`](Manifest::validate): nothing that cannot be restored is ever
    /// written.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        self.validate()?;
        if self.version != Manifest::VERSION {
            return Err(Error::internal(format!("manifests of version {} are not written", self.version)));
        }
        let json = serde_json::to_vec(self)
            .map_err(|e| Error::internal("a manifest cannot be written as JSON").with_source(e))?;
        seal(&json)
    }

    /// Reads and validates a manifest. The caller adds the path by [`Error::context`].
    ///
    /// # Errors
    /// [`flott_types::ErrorKind::State`] if it is not JSON, does not have its checksum, is of another
    /// version, lacks a field, has an unknown one, or contradicts itself.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        // The checksum first: what else is wrong with damaged bytes says nothing.
        let sealed = unseal(bytes)?;
        let json = sealed.as_deref().unwrap_or(bytes);
        let version: Version = serde_json::from_slice(json)
            .map_err(|e| Error::state("this is not a manifest").with_source(e))?;
        match version.version {
            Some(version) if version == Manifest::VERSION && sealed.is_none() => {
                return Err(Error::state(format!(
                    "it is damaged: a manifest of version {version} begins with its checksum"
                )));
            }
            Some(version) if version == Manifest::VERSION || version == Manifest::WITHOUT_CHECKSUM => {}
            Some(version) => {
                return Err(Error::state(format!(
                    "the manifest has version {version}; this build of Flott ({}) reads versions {} and {}",
                    env!("CARGO_PKG_VERSION"),
                    Manifest::WITHOUT_CHECKSUM,
                    Manifest::VERSION
                )));
            }
            None => return Err(Error::state("this is not a manifest: it has no field 'version'")),
        }
        let manifest: Manifest = serde_json::from_slice(json)
            .map_err(|e| Error::state("the manifest cannot be read").with_source(e))?;
        manifest.validate()?;
        Ok(manifest)
    }
}
