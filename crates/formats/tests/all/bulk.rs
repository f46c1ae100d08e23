//! A file of columns in memory.

use flott_batch::{ChangeBatch, pretty};
use flott_connector::format::BulkInput;
use flott_types::{LogicalType, Result};

use crate::case::Case;

/// Bytes as a file.
pub struct Memory(pub Vec<u8>);

impl BulkInput for Memory {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, offset: u64, bytes: usize) -> Result<Vec<u8>> {
        let found = usize::try_from(offset).ok().and_then(|from| self.0.get(from..from.checked_add(bytes)?));
        found.map(<[u8]>::to_vec).ok_or_else(|| flott_types::Error::internal("beyond the end of a file"))
    }
}

impl Case {
    /// The rows of a file from one on, `step` at once.
    pub fn read_file(&self, file: &[u8], first: u64, projection: &[usize], step: usize) -> Result<String> {
        let bulk = self.format.bulk().unwrap();
        let mut reader = bulk.reader(Box::new(Memory(file.to_vec())), first, &self.schema, projection)?;
        let types: Vec<LogicalType> =
            projection.iter().map(|column| self.schema.columns[*column].ty.clone()).collect();
        let mut text = String::new();
        while let Some(batch) = reader.read(step)? {
            assert!(batch.num_rows() > 0, "there is at least one row");
            text.push_str(&pretty::print(&batch, &types));
        }
        Ok(text)
    }

    /// All rows and columns of a file.
    pub fn read_whole(&self, file: &[u8]) -> Result<String> {
        self.read_file(file, 0, &(0..self.schema.len()).collect::<Vec<_>>(), 1_000)
    }

    /// A file of rows, in batches of this many.
    pub fn write_file(&self, rows: &str, step: usize) -> Vec<u8> {
        let batch = pretty::parse(rows, &self.types()).unwrap();
        let mut writer = self.format.bulk().unwrap().writer(&self.schema).unwrap();
        let mut out = Vec::new();
        for first in (0..batch.physical_rows()).step_by(step) {
            let count = step.min(batch.physical_rows() - first);
            let part = ChangeBatch::insert_only(batch.columns().slice(first, count));
            writer.write(part, &mut out).unwrap();
        }
        writer.finish(&mut out).unwrap();
        out
    }
}
