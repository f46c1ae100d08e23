//! Files of state while they are being written: large ones are uploaded part by part.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use flott_checkpoint::manifest::Summing;
use flott_storage::{Folder, Upload};
use flott_types::Result;

use super::format::{self, Layout};

/// One of them.
#[derive(Debug)]
pub(super) struct NewFile {
    pub upload: Upload,
    pub sum: Summing,
    /// How many bytes its rows are as columns in memory, if it has rows.
    pub unpacked: Option<u64>,
}

impl NewFile {
    /// An empty one.
    pub fn new(folder: &Folder) -> Self {
        NewFile { upload: Upload::new(folder, "parquet"), sum: Summing::default(), unpacked: None }
    }

    /// Writes rows.
    pub async fn encode(folder: &Folder, parts: &[RecordBatch], layout: Layout) -> Result<Self> {
        let mut file = NewFile::new(folder);
        let ready = async |file: &mut NewFile| file.upload.ready().await;
        file.unpacked = Some(format::encode(parts, layout, &mut file, ready).await?);
        Ok(file)
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sum.add(bytes);
        self.upload.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
