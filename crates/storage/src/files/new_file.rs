//! Files under construction.

use flott_types::{Error, Result};
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::local_new_file::LocalNewFile;
use super::objects;
use crate::error::failed;
use crate::location::{Location, ObjectLocation};
use crate::runtime::block_on;
use crate::store::Client;

/// An object's parts, but for the last, have this size: the least that stores take, since it is held in
/// memory for each file under construction.
const PART: usize = 5 << 20;
/// Stores take no more parts of an object.
const MOST_PARTS: usize = 10_000;

/// What was uploaded, and becomes an object when it is published.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PreparedUpload {
    pub(super) id: String,
    /// What the store calls each part.
    pub(super) parts: Vec<String>,
}

impl PreparedUpload {
    /// One that has no parts yet.
    pub fn begun(id: &str) -> Self {
        PreparedUpload { id: id.to_owned(), parts: Vec::new() }
    }

    /// What the store calls the upload.
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A file under construction. Nobody sees it until it is published.
#[derive(Debug)]
pub struct NewFile(Kind);

#[derive(Debug)]
enum Kind {
    Local(LocalNewFile),
    Object(Upload),
}

impl NewFile {
    /// Whether the process has so many open that one should be parked before another is opened.
    pub fn too_many() -> bool {
        LocalNewFile::too_many()
    }

    /// Creates a file: with its hidden name on a local disk, together with the directories above it, and else
    /// as an upload for its visible name. The name must not exist.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create(hidden: &Location, visible: &Location) -> Result<Self> {
        Ok(NewFile(match (hidden, visible) {
            (Location::Local(path), _) => Kind::Local(LocalNewFile::create(path.clone())?),
            (_, Location::Object(object)) => Kind::Object(Upload::begin(object)?),
            (Location::Object(_), Location::Local(_)) => {
                return Err(Error::internal("a local file with the hidden name of an object"));
            }
        }))
    }

    /// The id of the upload, if it is one: for [`super::abandon`].
    pub fn upload(&self) -> Option<&str> {
        match &self.0 {
            Kind::Local(_) => None,
            Kind::Object(upload) => Some(&upload.prepared.id),
        }
    }

    /// Whether it counts as an open file.
    pub fn is_open(&self) -> bool {
        match &self.0 {
            Kind::Local(file) => file.is_open(),
            Kind::Object(_) => false,
        }
    }

    /// Closes the handle until there is more to write.
    pub fn park(&mut self) {
        match &mut self.0 {
            Kind::Local(file) => file.park(),
            Kind::Object(_) => {}
        }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.0 {
            Kind::Local(file) => file.write(bytes),
            Kind::Object(upload) => upload.write(bytes),
        }
    }

    /// Makes what was written survive a crash. What it returns has to be published with the file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn close(self) -> Result<Option<PreparedUpload>> {
        match self.0 {
            Kind::Local(file) => file.close().map(|()| None),
            Kind::Object(upload) => upload.close().map(Some),
        }
    }
}

#[derive(Debug)]
struct Upload {
    client: Client,
    at: ObjectLocation,
    key: Path,
    prepared: PreparedUpload,
    /// Less than a part.
    pending: Vec<u8>,
}

impl Upload {
    fn begin(at: &ObjectLocation) -> Result<Self> {
        let (client, key) = objects::client(at)?;
        let id = block_on(client.uploads()?.create_multipart(&key));
        let id = id.map_err(|error| failed("begin the upload of", Location::Object(at.clone()), error))?;
        let prepared = PreparedUpload { id, parts: Vec::new() };
        Ok(Upload { client, at: at.clone(), key, prepared, pending: Vec::new() })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.pending.extend_from_slice(bytes);
        while self.pending.len() >= PART {
            let rest = self.pending.split_off(PART);
            let part = std::mem::replace(&mut self.pending, rest);
            self.put(part)?;
        }
        Ok(())
    }

    fn close(mut self) -> Result<PreparedUpload> {
        // An object has at least one part, which may be empty.
        if !self.pending.is_empty() || self.prepared.parts.is_empty() {
            let part = std::mem::take(&mut self.pending);
            self.put(part)?;
        }
        Ok(self.prepared)
    }

    fn put(&mut self, part: Vec<u8>) -> Result<()> {
        let (number, location) = (self.prepared.parts.len(), Location::Object(self.at.clone()));
        if number >= MOST_PARTS {
            return Err(Error::invalid(format!(
                "'{location}' would have more than {MOST_PARTS} parts of {PART} bytes: let files roll earlier"
            )));
        }
        let put =
            block_on(self.client.uploads()?.put_part(&self.key, &self.prepared.id, number, part.into()));
        let part = put.map_err(|error| failed("write", location, error))?;
        self.prepared.parts.push(part.content_id);
        Ok(())
    }
}
