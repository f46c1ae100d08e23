//! A file in progress, and what is handed over of files that are closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flott_connector::Committable;
use flott_storage::Location;
use flott_storage::files::{self, NewFile, PreparedUpload, Published};
use flott_types::{Error, FastMap, Result, Timestamp};

use crate::committable::FinishedFile;
use crate::unpublished::Unpublished;
use crate::waiting::{WaitingFile, merge};

/// Content of a file in progress that is written when the file is closed.
pub trait Rest: Send {
    /// About how many bytes that is.
    fn held(&self) -> usize {
        0
    }

    /// Appends it: nothing follows.
    ///
    /// # Errors
    /// If it cannot be written.
    fn end(self, out: &mut Vec<u8>) -> Result<()>;
}

/// Files of records have none.
impl Rest for () {
    fn end(self, _: &mut Vec<u8>) -> Result<()> {
        Ok(())
    }
}

/// A file in progress.
pub(crate) struct OpenFile<R> {
    pub(crate) file: NewFile,
    /// `None` until the first records.
    pub(crate) rest: Option<R>,
    pub(crate) hidden: Location,
    pub(crate) visible: Location,
    /// It is an upload for an object with the hidden name, which is to be read before anything is visible: whether
    /// that is complete.
    pub(crate) part: Option<Arc<AtomicBool>>,
    pub(crate) buffer: Vec<u8>,
    pub(crate) written: u64,
    pub(crate) created: Timestamp,
    pub(crate) changed: Timestamp,
    /// The turn of its last flush.
    pub(crate) turn: u64,
}

impl<R> OpenFile<R> {
    pub(crate) fn unpublished(&self) -> Unpublished {
        let (hidden, id) = (self.hidden.clone(), self.file.upload());
        match (&self.part, id) {
            (Some(complete), Some(id)) => {
                Unpublished::Part { hidden, id: id.to_owned(), complete: complete.clone() }
            }
            _ => Unpublished::of(&hidden, &self.visible, id),
        }
    }
}

impl<R: Rest> OpenFile<R> {
    pub(crate) fn write_out(&mut self, turn: u64) -> Result<()> {
        self.file.write(&self.buffer)?;
        self.turn = turn;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// As it waits for its checkpoint.
    pub(crate) fn waits(&self) -> WaitingFile {
        let held = self.rest.as_ref().map_or(0, Rest::held);
        let bytes = self.written + (self.buffer.len() + held) as u64;
        let (hidden, visible) = (self.hidden.clone(), self.visible.clone());
        let upload = self.file.upload().filter(|_| self.part.is_none()).map(PreparedUpload::begun);
        WaitingFile { hidden, visible, upload, bytes, checkpoints: 0 }
    }

    pub(crate) fn close(mut self) -> Result<WaitingFile> {
        let waits = self.waits();
        if let Some(rest) = self.rest.take() {
            rest.end(&mut self.buffer)?;
        }
        self.write_out(self.turn)?;
        let upload = self.file.close()?;
        let (Some(complete), Some(prepared)) = (self.part, &upload) else {
            return Ok(WaitingFile { upload, ..waits });
        };
        let hidden = &waits.hidden;
        if files::publish(hidden, hidden, Some(prepared))? == Published::Missing {
            return Err(Error::external(format!("the store has ended the upload of {hidden}")));
        }
        complete.store(true, Ordering::Release);
        Ok(waits)
    }
}

/// What is handed over.
pub(crate) enum Due {
    One(WaitingFile),
    /// Of the job, which merges it.
    Part(WaitingFile),
    Merged {
        files: Vec<WaitingFile>,
        merged: NewFile,
        hidden: Location,
        visible: Location,
    },
}

impl Due {
    /// The file, merged if it is to be; with the upload of one that was closed only now.
    pub(crate) fn committable(self, uploads: &mut FastMap<Location, PreparedUpload>) -> Result<Committable> {
        match self {
            Due::One(WaitingFile { hidden, visible, upload, .. }) => {
                let upload = uploads.remove(&visible).or(upload);
                FinishedFile::to_committable(&hidden, &visible, upload.as_ref(), [])
            }
            Due::Part(WaitingFile { hidden, visible, bytes, .. }) => {
                FinishedFile::to_part(&hidden, &visible, bytes)
            }
            Due::Merged { files, merged, hidden, visible } => merge(&files, merged, &hidden, &visible),
        }
    }
}
