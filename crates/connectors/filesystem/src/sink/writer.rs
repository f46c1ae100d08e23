//! Encodes rows into the files of their partitions.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use flott_batch::{Batch, WatermarkStatus};
use flott_connector::format::{BulkWriter, FileFormat, RecordEncoder};
use flott_connector::{Committable, Payload, Prepared, SinkContext, SinkWriter};
use flott_files::{FinishedFile, Rest, RollingWriter};
use flott_plan::{Schema, SinkSpec};
use flott_storage::Location;
use flott_types::{CheckpointId, Clock, Error, Result, Timestamp, Watermark};

use super::partitioner;
use super::partitions::HandedOver;
use super::progress::Progress;
use crate::commit::{PartitionCommit, Trigger};
use crate::config::Config;

pub(super) struct FileWriter {
    config: Arc<Config>,
    /// Of a format of records.
    encoder: Option<Box<dyn RecordEncoder>>,
    /// The columns that are in files.
    schema: Schema,
    /// The positions of the columns that are written to files.
    columns: Vec<usize>,
    files: RollingWriter<Begun>,
    clock: Arc<dyn Clock>,
    /// How far it has come.
    progress: Progress,
    /// What it writes takes the place of what is there.
    overwrites: bool,
    /// It is the one that makes the token of an INSERT OVERWRITE, and has not done so.
    makes_token: bool,
}

impl FileWriter {
    pub(super) fn new(
        config: Arc<Config>,
        spec: &SinkSpec,
        context: SinkContext,
        restored: &[Payload],
    ) -> Result<Self> {
        let (columns, schema) = config.file_columns(&spec.table);
        let clock = context.clock.clone();
        let overwrites = spec.overwrite;
        // A checkpoint that is restored holds it, or it was carried out.
        let makes_token = overwrites && context.subtask.0 == 0 && context.restored.is_none();
        let progress = Progress {
            subtask: context.subtask.0,
            writers: context.parallelism,
            watermark: Watermark::MIN.0,
            idle: false,
            ended: false,
        };
        let files = RollingWriter::new(config.path.clone(), config.rolling.clone(), context, restored)?;
        let files = files.with_parts(config.compaction.is_some()).for_the_job(overwrites);
        let encoder = match config.files()? {
            FileFormat::Records(records) => Some(records.encoder(&schema)?),
            FileFormat::Bulk(_) => None,
        };
        Ok(FileWriter { config, encoder, schema, columns, files, clock, progress, overwrites, makes_token })
    }

    /// The partitions of these files, to be committed for the job.
    fn partitions(config: &Config, files: &[Committable], since: Timestamp) -> Result<Vec<Committable>> {
        let Some(commit) = &config.commit else { return Ok(Vec::new()) };
        let directories: BTreeSet<Location> =
            files.iter().map(FinishedFile::directory).collect::<Result<_>>()?;
        let partition = |location: Location| {
            let directory = location.to_text()?;
            let time = match &commit.trigger {
                Trigger::ProcessTime => None,
                Trigger::PartitionTime(time) => {
                    let read = time.of(&config.partitioning.texts(Path::new(&directory)));
                    Some(read.map_err(|error| {
                        error.context(format!("the partition {directory} cannot be committed"))
                    })?)
                }
            };
            HandedOver::Partition { directory, since, time }.to_committable()
        };
        directories.into_iter().map(partition).collect()
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
            let (encoder, config, schema) = (&mut self.encoder, &self.config, &self.schema);
            self.files.write(&directory, |buffer, begun| match encoder {
                Some(encoder) => {
                    if begun.replace(Begun::Records).is_none() {
                        encoder.header(buffer);
                    }
                    encoder.encode(&rows, buffer)
                }
                None => Begun::columns(begun, config, schema)?.write(rows, buffer),
            })?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.files.flush()
    }

    fn watermark(&mut self, watermark: Watermark) -> Result<()> {
        self.progress.watermark = watermark.0;
        Ok(())
    }

    fn watermark_status(&mut self, status: WatermarkStatus) -> Result<()> {
        self.progress.idle = status == WatermarkStatus::Idle;
        Ok(())
    }

    fn prepare_commit(&mut self, _checkpoint: CheckpointId, end: bool) -> Result<Prepared> {
        let files = self.files.prepare_commit(end)?;
        let follows = self.config.commit.as_ref().map(PartitionCommit::follows_progress);
        if follows.is_none() && !self.overwrites {
            return Ok(files);
        }
        let progress = HandedOver::Progress(Progress { ended: end, ..self.progress });
        let progress =
            (self.overwrites || follows == Some(true)).then(|| progress.to_committable()).transpose()?;
        let token = match self.makes_token {
            true => Some(HandedOver::Token(self.files.make_token()?.to_text()?).to_committable()?),
            false => None,
        };
        self.makes_token = false;
        let (config, since) = (self.config.clone(), self.clock.now());
        Ok(Prepared::Later(Box::new(move || {
            let mut all = files.wait()?;
            all.extend(FileWriter::partitions(&config, &all, since)?);
            all.extend(progress);
            all.extend(token);
            Ok(all)
        })))
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

/// Content of a file in progress that is not written yet.
enum Begun {
    Records,
    Columns(Box<dyn BulkWriter>),
}

impl Begun {
    /// The writer of a file's columns, created with the file.
    fn columns<'a>(
        begun: &'a mut Option<Begun>,
        config: &Config,
        schema: &Schema,
    ) -> Result<&'a mut dyn BulkWriter> {
        let begun = match begun {
            Some(begun) => begun,
            None => match config.files()? {
                FileFormat::Records(_) => begun.insert(Begun::Records),
                FileFormat::Bulk(bulk) => begun.insert(Begun::Columns(bulk.writer(schema)?)),
            },
        };
        match begun {
            Begun::Columns(writer) => Ok(&mut **writer),
            Begun::Records => Err(Error::internal("records are written as columns")),
        }
    }
}

impl Rest for Begun {
    fn held(&self) -> usize {
        match self {
            Begun::Records => 0,
            Begun::Columns(writer) => writer.held(),
        }
    }

    fn end(self, out: &mut Vec<u8>) -> Result<()> {
        match self {
            Begun::Records => Ok(()),
            Begun::Columns(writer) => writer.finish(out),
        }
    }
}
