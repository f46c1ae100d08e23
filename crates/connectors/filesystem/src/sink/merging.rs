//! How the small files of a table become larger ones: records are copied, columns are read and written anew.

use std::sync::Arc;

use flott_connector::format::{BulkFormat, FileFormat, RecordFormat};
use flott_files::{FileSplit, Join, WholeFile};
use flott_plan::Schema;
use flott_storage::files::{self, FileInfo};
use flott_types::{Error, Result};

use crate::config::Config;

/// Rows that are read at once.
const ROWS: usize = 8 << 10;
/// Bytes that are copied at once.
const CHUNK: usize = 256 << 10;

/// Joins the files of a table.
pub(super) struct JoinFiles {
    config: Arc<Config>,
    /// The columns that are in files.
    schema: Schema,
}

impl JoinFiles {
    pub(super) fn new(config: Arc<Config>, schema: Schema) -> Self {
        JoinFiles { config, schema }
    }

    /// Records one after the other; what a file begins with is written once.
    fn records(
        &self,
        format: &dyn RecordFormat,
        parts: &[FileInfo],
        out: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut header = Vec::new();
        format.encoder(&self.schema)?.header(&mut header);
        let mut chunk = vec![0; CHUNK];
        out(&header)?;
        for part in parts {
            let mut file = files::open(&part.location, header.len() as u64)?;
            loop {
                match file.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(read) => out(&chunk[..read])?,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(files::failed("read", &part.location, error)),
                }
            }
        }
        Ok(())
    }

    fn columns(
        &self,
        format: &dyn BulkFormat,
        parts: &[FileInfo],
        out: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut writer = format.writer(&self.schema)?;
        let all: Vec<usize> = (0..self.schema.len()).collect();
        let mut bytes = Vec::new();
        for part in parts {
            let (file, _) = WholeFile::open(&FileSplit::new(part, 0, part.size)?)?;
            let in_file = |error: Error| error.context(format_args!("file {}", part.location));
            let mut reader = format.reader(Box::new(file), 0, &self.schema, &all).map_err(in_file)?;
            while let Some(rows) = reader.read(ROWS).map_err(in_file)? {
                writer.write(rows, &mut bytes)?;
                if !bytes.is_empty() {
                    out(&bytes)?;
                    bytes.clear();
                }
            }
        }
        writer.finish(&mut bytes)?;
        out(&bytes)
    }
}

impl Join for JoinFiles {
    fn join(&self, parts: &[FileInfo], out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        match self.config.files()? {
            FileFormat::Records(format) => self.records(format, parts, out),
            FileFormat::Bulk(format) => self.columns(format, parts, out),
        }
    }
}
