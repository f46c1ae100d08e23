//! Waiting batches: in memory while they are few, spilled to disk when they are many.
//!
//! A file has no name: the system removes it, however the process ends. It is released when the last of its
//! batches has been taken or dropped, and contains about [`FILE_BYTES`], so that a stream of batches that is
//! never completely read does not keep a file forever.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use flott_types::{Error, Result};
use parking_lot::Mutex;

use crate::collected::CollectedBatch;

/// A file is not added to when it has so many bytes.
const FILE_BYTES: u64 = 256 << 20;

/// A batch that waits.
pub(crate) struct Held {
    pub(crate) rows: usize,
    place: Place,
}

enum Place {
    Memory(CollectedBatch, usize),
    Disk { file: Arc<Mutex<File>>, offset: u64, len: usize },
}

/// Where batches wait.
pub(crate) struct Room {
    /// How many bytes are kept in memory.
    bytes: usize,
    /// In memory now.
    held: usize,
    directory: PathBuf,
    file: Option<(Arc<Mutex<File>>, u64)>,
}

impl Room {
    pub(crate) fn new(bytes: usize, directory: PathBuf) -> Self {
        Room { bytes, held: 0, directory, file: None }
    }

    /// Keeps a batch until it is taken, or dropped with [`Room::forget`].
    pub(crate) fn hold(&mut self, batch: CollectedBatch) -> Result<Held> {
        let (rows, bytes) = (batch.rows(), batch.size());
        if self.held + bytes <= self.bytes {
            self.held += bytes;
            return Ok(Held { rows, place: Place::Memory(batch, bytes) });
        }
        let encoded = batch.into_bytes()?;
        let (file, end) = match self.file.take().filter(|(_, end)| *end < FILE_BYTES) {
            Some(open) => open,
            None => {
                let file = tempfile::tempfile_in(&self.directory).map_err(|error| self.failed(error))?;
                (Arc::new(Mutex::new(file)), 0)
            }
        };
        file.lock().write_all(&encoded).map_err(|error| self.failed(error))?;
        self.file = Some((file.clone(), end + encoded.len() as u64));
        Ok(Held { rows, place: Place::Disk { file, offset: end, len: encoded.len() } })
    }

    /// Gives a batch back; one that was on disk in bytes.
    pub(crate) fn take(&mut self, held: Held) -> Result<CollectedBatch> {
        match held.place {
            Place::Memory(batch, bytes) => {
                self.held -= bytes;
                Ok(batch)
            }
            Place::Disk { file, offset, len } => {
                let mut bytes = vec![0; len];
                let mut open = file.lock();
                let read = open.seek(SeekFrom::Start(offset)).and_then(|_| open.read_exact(&mut bytes));
                // Where the next batch is written.
                let back = read.and_then(|()| open.seek(SeekFrom::End(0)));
                back.map_err(|error| self.failed(error))?;
                Ok(CollectedBatch::of_bytes(held.rows, bytes))
            }
        }
    }

    /// Batches that will never be taken.
    pub(crate) fn forget(&mut self, held: impl IntoIterator<Item = Held>) {
        for held in held {
            if let Place::Memory(_, bytes) = held.place {
                self.held -= bytes;
            }
        }
    }

    fn failed(&self, error: std::io::Error) -> Error {
        let directory = self.directory.display();
        Error::external(format!(
            "rows of a result that wait for their checkpoint cannot be kept in {directory} ('io.tmp.dirs')"
        ))
        .with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use flott_batch::codec::RecordsReader;
    use flott_batch::{Batch, ChangeBatch, Records, RowKind, RowKinds};

    use super::*;

    fn changes(first: i64, kinds: Option<RowKinds>) -> Batch {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(first..first + 3));
        let texts: ArrayRef = Arc::new(StringArray::from_iter([Some("a"), None, Some("ü")]));
        ChangeBatch::new(RecordBatch::try_from_iter([("id", ids), ("s", texts)]).unwrap(), kinds).into()
    }

    #[test]
    fn what_does_not_fit_into_memory_comes_back_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let mut room = Room::new(200, directory.path().to_owned());
        let kinds = || RowKinds::from(vec![RowKind::Insert, RowKind::Delete, RowKind::UpdateAfter]);
        let held: Vec<Held> =
            (0..20).map(|at| room.hold(changes(at, (at % 2 == 0).then(kinds)).into()).unwrap()).collect();
        let on_disk = held.iter().filter(|held| matches!(held.place, Place::Disk { .. })).count();
        assert!((10..20).contains(&on_disk), "{on_disk}");
        assert!(room.held <= 200);
        for (at, held) in (0..).zip(held) {
            let Batch::Changes(back) = room.take(held).unwrap().into_batch(None).unwrap() else {
                panic!("columns were held")
            };
            let Batch::Changes(there) = changes(at, (at % 2 == 0).then(kinds)) else { panic!() };
            assert_eq!((back.columns(), back.kinds()), (there.columns(), there.kinds()));
        }
        assert_eq!(room.held, 0);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "the file has no name");

        let values = || Records::with_timestamps(vec!["x".repeat(500), "y".to_owned()], vec![1, 2]);
        let held = room.hold(Batch::from(values()).into()).unwrap();
        assert!(matches!(held.place, Place::Disk { .. }));
        let reader = Some(RecordsReader::of::<String>());
        let back = room.take(held).unwrap().into_batch(reader).unwrap();
        assert_eq!(back.into_records::<String>().unwrap(), values());

        let one = room.hold(changes(0, None).into()).unwrap();
        let first = room.file.as_ref().map(|(file, _)| Arc::downgrade(file)).unwrap();
        room.file.as_mut().unwrap().1 = FILE_BYTES;
        let rest: Vec<Held> = (0..5).map(|at| room.hold(changes(at, None).into()).unwrap()).collect();
        assert_eq!(first.strong_count(), 0, "a file that is full and read out is given back");
        room.forget(rest);
        room.take(one).unwrap();
        assert_eq!(room.held, 0);
    }
}
