//! Collected rows as they travel: by pointer within a process, as bytes where they are written.

use std::fmt;
use std::sync::Arc;

use flott_batch::Batch;
use flott_batch::codec::{Decoder, Encoder, RecordsReader};
use flott_checkpoint::Attempt;
use flott_types::{CheckpointId, Error, JobId, Result};
use parking_lot::Mutex;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::messages::TaskManagerId;
use crate::programs::Piece;

/// Who collects, for which job.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CollectorId {
    /// Where its task is.
    pub task_manager: TaskManagerId,
    /// The job.
    pub job: JobId,
    /// The attempt.
    pub attempt: Attempt,
    /// Its subtask; a job collects at one operator.
    pub subtask: u32,
}

/// What a task that collects has to say.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FromCollector {
    /// Rows.
    Rows(CollectedBatch),
    /// All rows so far belong to this checkpoint.
    Sealed(CheckpointId),
}

/// What a client finds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Fetched {
    /// These batches.
    Batches(Vec<CollectedBatch>),
    /// Nothing within the time.
    NotYet,
    /// There are no more.
    End,
    /// The result is not complete, and this is why.
    Failed(String),
}

/// Rows.
#[derive(Clone)]
pub struct CollectedBatch {
    rows: usize,
    content: Content,
}

#[derive(Clone)]
enum Content {
    /// In this process. Whoever takes it has it; that is at most one.
    Here(Arc<Mutex<Option<Batch>>>),
    /// As [`flott_batch::codec`] writes it, by itself.
    Bytes(Vec<u8>),
}

impl CollectedBatch {
    /// As it was written.
    pub(crate) fn of_bytes(rows: usize, bytes: Vec<u8>) -> Self {
        CollectedBatch { rows, content: Content::Bytes(bytes) }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// About how much memory it takes.
    pub(crate) fn size(&self) -> usize {
        match &self.content {
            Content::Here(batch) => batch.lock().as_ref().map_or(0, Batch::bytes),
            Content::Bytes(bytes) => bytes.len(),
        }
    }

    /// As bytes.
    pub(crate) fn into_bytes(self) -> Result<Vec<u8>> {
        match self.content {
            Content::Here(batch) => Encoder::default().encode(batch.lock().take().ok_or_else(gone)?),
            Content::Bytes(bytes) => Ok(bytes),
        }
    }

    /// The rows. Records that were written are read by who knows their type.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn into_batch(self, records: Option<RecordsReader>) -> Result<Batch> {
        match self.content {
            Content::Here(batch) => batch.lock().take().ok_or_else(gone),
            Content::Bytes(bytes) => Decoder::new(records).decode(&bytes),
        }
    }
}

impl From<Batch> for CollectedBatch {
    fn from(batch: Batch) -> Self {
        CollectedBatch { rows: batch.num_rows(), content: Content::Here(Arc::new(Mutex::new(Some(batch)))) }
    }
}

impl fmt::Debug for CollectedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows", self.rows)
    }
}

fn gone() -> Error {
    Error::internal("collected rows were taken twice")
}

impl Serialize for CollectedBatch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes = match &self.content {
            Content::Here(batch) => match &*batch.lock() {
                Some(batch) => batch.try_clone().and_then(|batch| Encoder::default().encode(batch)),
                None => Err(gone()),
            },
            Content::Bytes(bytes) => Ok(bytes.clone()),
        };
        (self.rows as u64, Piece(bytes.map_err(S::Error::custom)?)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CollectedBatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (rows, Piece(bytes)) = <(u64, Piece)>::deserialize(deserializer)?;
        let rows = usize::try_from(rows).map_err(D::Error::custom)?;
        Ok(CollectedBatch::of_bytes(rows, bytes))
    }
}
