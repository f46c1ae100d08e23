//! Small files that show whether their owner is alive.
//!
//! A local one is locked by its owner for as long as that lives (`local_locked`). An object store has no
//! locks: there, who looks has to know which owners have gone.

use bytes::Bytes;
use flott_types::{Error, Result};

use super::local_locked::LocalLockedFile;
use super::objects;
use crate::folder::Folder;
use crate::location::{Location, ObjectLocation};
use crate::runtime::block_on;

/// Such a file, held.
#[derive(Debug)]
pub struct LockedFile(Held);

#[derive(Debug)]
enum Held {
    Local(LocalLockedFile),
    Object(ObjectLocation),
}

impl LockedFile {
    /// Creates a file, and its directory where there are any. The name must not exist.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create(location: &Location, content: &str) -> Result<Self> {
        match location {
            Location::Local(path) => {
                LocalLockedFile::create(path.clone(), content).map(|file| LockedFile(Held::Local(file)))
            }
            Location::Object(object) => {
                let mut file = LockedFile(Held::Object(object.clone()));
                file.replace(content)?;
                Ok(file)
            }
        }
    }

    /// The same; `None` if the name exists. Of several who call this at once, one gets the file.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn claim(location: &Location, content: &str) -> Result<Option<Self>> {
        match location {
            Location::Local(path) => {
                let claimed = LocalLockedFile::claim(path.clone(), content)?;
                Ok(claimed.map(|file| LockedFile(Held::Local(file))))
            }
            Location::Object(object) => {
                let (Some(folder), Some(name)) = (location.parent(), location.name()) else {
                    return Err(Error::internal(format!("{location} is no file")));
                };
                let folder = Folder::create(&folder.to_text()?)?;
                let content = Bytes::copy_from_slice(content.as_bytes());
                let is_new = block_on(folder.put_new(name, content))?;
                Ok(is_new.then(|| LockedFile(Held::Object(object.clone()))))
            }
        }
    }

    /// Takes over a file whose owner has gone. `None` if the owner is alive, or the file does not exist. In an
    /// object store, whoever looks has to know from the content [whether it has gone](LockedFile::shows_its_owner).
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn take(location: &Location) -> Result<Option<Self>> {
        match location {
            Location::Local(path) => {
                Ok(LocalLockedFile::take(path)?.map(|file| LockedFile(Held::Local(file))))
            }
            Location::Object(object) if objects::look(object)?.is_some() => {
                Ok(Some(LockedFile(Held::Object(object.clone()))))
            }
            Location::Object(_) => Ok(None),
        }
    }

    /// Whether the file itself shows that its owner has gone.
    pub fn shows_its_owner(&self) -> bool {
        matches!(self.0, Held::Local(_))
    }

    /// What is in it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&mut self) -> Result<String> {
        match &mut self.0 {
            Held::Local(file) => file.read(),
            Held::Object(object) => {
                let content = objects::get(object)?.unwrap_or_default();
                String::from_utf8(content.into())
                    .map_err(|error| Error::external(format!("{object:?} is not text")).with_source(error))
            }
        }
    }

    /// Replaces the content durably.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn replace(&mut self, content: &str) -> Result<()> {
        match &mut self.0 {
            Held::Local(file) => file.replace(content),
            Held::Object(object) => objects::put(object, Bytes::copy_from_slice(content.as_bytes())),
        }
    }

    /// Removes it, and its directory if nothing else is in there.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(self) -> Result<()> {
        match self.0 {
            Held::Local(file) => file.remove(),
            Held::Object(object) => objects::remove(&object),
        }
    }
}
