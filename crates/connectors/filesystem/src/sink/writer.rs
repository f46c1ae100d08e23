//! Encodes rows into the files of their partitions.

use std::sync::Arc;

use flott_batch::Batch;
use flott_connector::format::RecordEncoder;
use flott_connector::{Payload, Prepared, SinkContext, SinkWriter};
use flott_files::RollingWriter;
use flott_plan::SinkSpec;
use flott_types::{CheckpointId, Error, Result, Timestamp};

use super::partitioner;
use crate::config::Config;

pub(super) struct FileWriter {
    config: Arc<Config>,
    encoder: Box<dyn RecordEncoder>,
    /// The positions of the columns that are written to files.
    columns: Vec<usize>,
    files: RollingWriter,
}

impl FileWriter {
    pub(super) fn new(
        config: Arc<Config>,
        spec: &SinkSpec,
        context: SinkContext,
        restored: &[Payload],
    ) -> Result<Self> {
        let (columns, schema) = config.file_columns(&spec.table);
        let files = RollingWriter::new(config.path.clone(), config.rolling.clone(), context, restored)?;
        Ok(FileWriter { encoder: config.records()?.encoder(&schema)?, config, columns, files })
    }
}

impl SinkWriter for FileWriter {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else {
            return Err(Error::internal("the sink filesystem got values instead of columns"));
        };
        for (directory, rows) in partitioner::split(&batch, &self.config.partitioning)? {
            let columns = rows.columns().project(&self.columns);
            let columns = columns.map_err(|error| Error::internal("columns of a sink").with_source(error))?;
            let rows = rows.with_columns(columns);
            let encoder = &mut self.encoder;
            self.files.write(&directory, |buffer, is_new| {
                if is_new {
                    encoder.header(buffer);
                }
                encoder.encode(&rows, buffer)
            })?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.files.flush()
    }

    fn prepare_commit(&mut self, _checkpoint: CheckpointId, _end: bool) -> Result<Prepared> {
        self.files.prepare_commit()
    }

    fn snapshot(&mut self, _: CheckpointId) -> Result<Vec<Payload>> {
        self.files.snapshot()
    }

    fn next_time(&self) -> Option<Timestamp> {
        self.files.next_time()
    }

    fn on_time(&mut self, now: Timestamp) -> Result<()> {
        self.files.on_time(now)
    }
}
