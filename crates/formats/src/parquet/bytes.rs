//! The bytes of a file, as the library reads and writes them.

use std::io::{self, Read, Write};
use std::sync::Arc;

use bytes::Bytes;
use flott_connector::format::BulkInput;
use parking_lot::Mutex;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// A file as the library reads it.
pub struct Chunks(pub Arc<dyn BulkInput>);

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.0.size()
    }
}

impl ChunkReader for Chunks {
    type T = From;

    fn get_read(&self, start: u64) -> parquet::errors::Result<From> {
        Ok(From { file: self.0.clone(), at: start })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.0.read(start, length).map(Bytes::from).map_err(|error| ParquetError::External(Box::new(error)))
    }
}

/// A file from an offset on.
pub struct From {
    file: Arc<dyn BulkInput>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.file.size().saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = into.len().min(left);
        let Some(into) = into.get_mut(..count) else { return Ok(0) };
        into.copy_from_slice(&self.file.read(self.at, count).map_err(io::Error::other)?);
        self.at += count as u64;
        Ok(count)
    }
}

/// What the library has written.
#[derive(Clone, Default)]
pub struct Out(pub Arc<Mutex<Vec<u8>>>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
