//! Columnar files such as Parquet: their metadata is at the end, so a file is written as a whole and read
//! with random access.

use flott_batch::ChangeBatch;
use flott_plan::Schema;
use flott_types::Result;

/// Files that are read and written as wholes. A position in one is a number of rows.
pub trait BulkFormat {
    /// Reads the physical columns `schema` from a file, from a row on, and produces the columns at the
    /// positions `projection`.
    ///
    /// # Errors
    /// If the format cannot hold a column, or the file is none of the format.
    fn reader(
        &self,
        file: Box<dyn BulkInput>,
        first_row: u64,
        schema: &Schema,
        projection: &[usize],
    ) -> Result<Box<dyn BulkReader>>;

    /// Writes the columns `schema` into a new file.
    ///
    /// # Errors
    /// If the format cannot hold a column, or is for reading only.
    fn writer(&self, schema: &Schema) -> Result<Box<dyn BulkWriter>>;

    /// Whether the format can hold these columns.
    ///
    /// # Errors
    /// If it cannot.
    fn check(&self, schema: &Schema) -> Result<()>;
}

/// A file that is read anywhere.
pub trait BulkInput: Send + Sync {
    /// Its bytes.
    fn size(&self) -> u64;

    /// This many bytes from an offset on.
    ///
    /// # Errors
    /// If they cannot be read, or are not there.
    fn read(&self, offset: u64, bytes: usize) -> Result<Vec<u8>>;
}

/// Reads a file of columns.
pub trait BulkReader: Send {
    /// The next rows, at most this many, at least one; `None` at the end of the file.
    ///
    /// # Errors
    /// What cannot be read.
    fn read(&mut self, max_rows: usize) -> Result<Option<ChangeBatch>>;
}

/// Writes a file of columns.
pub trait BulkWriter: Send {
    /// Takes the selected rows of a batch. Bytes that are complete are appended to `out`.
    ///
    /// # Errors
    /// What cannot be written.
    fn write(&mut self, batch: ChangeBatch, out: &mut Vec<u8>) -> Result<()>;

    /// How many bytes it holds that are not in `out` yet, about.
    fn held(&self) -> usize;

    /// There are no more rows: appends the rest of the file.
    ///
    /// # Errors
    /// What cannot be written.
    fn finish(self: Box<Self>, out: &mut Vec<u8>) -> Result<()>;
}
