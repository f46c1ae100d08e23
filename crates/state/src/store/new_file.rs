//! Files of state while they are being written: large ones are uploaded part by part.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use flott_checkpoint::manifest::Summing;
use flott_storage::{Folder, Upload};
use flott_types::Result;

use super::format;

/// One of them.
#[derive(Debug)]
pub(super) struct NewFile {
    pub upload: Upload,
    pub sum: Summing,
}

impl NewFile {
    /// Writes rows.
    pub async fn encode(folder: &Folder, parts: &[RecordBatch]) -> Result<Self> {
        let mut file = NewFile { upload: Upload::new(folder, "parquet"), sum: Summing::default() };
        format::encode(parts, &mut file, async |file: &mut NewFile| file.upload.ready().await).await?;
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
