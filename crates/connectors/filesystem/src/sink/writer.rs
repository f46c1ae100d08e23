//! Writes rows to hidden files, one open file a partition.

use std::path::PathBuf;
use std::sync::Arc;

use flott_batch::Batch;
use flott_connector::{Committable, SinkContext, SinkWriter};
use flott_formats::RowEncoder;
use flott_plan::SinkSpec;
use flott_types::{CheckpointId, Clock, Error, FastMap, Result, Timestamp};

use super::file_name::{Progress, WriterId};
use super::{FinishedFile, partitioner};
use crate::config::Config;
use crate::storage::{self, NewFile};

/// So many bytes are collected before they are written.
const BUFFER: usize = 64 << 10;

pub(super) struct FileWriter {
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    id: WriterId,
    encoder: Box<dyn RowEncoder>,
    /// The positions of the columns that are written to files.
    columns: Vec<usize>,
    open: FastMap<String, OpenFile>,
    /// Files that were closed since the last checkpoint.
    finished: Vec<Committable>,
    next_number: u64,
    next_check: Timestamp,
}

struct OpenFile {
    file: NewFile,
    hidden: PathBuf,
    visible: PathBuf,
    buffer: Vec<u8>,
    written: u64,
    created: Timestamp,
    changed: Timestamp,
}

impl FileWriter {
    pub(super) fn new(
        config: Arc<Config>,
        spec: &SinkSpec,
        context: SinkContext,
        restored: &[String],
    ) -> Result<Self> {
        let (columns, schema) = config.file_columns(&spec.table);
        let id = WriterId::new(&context);
        remove_leftovers(&config, &id, restored)?;
        Ok(FileWriter {
            encoder: config.format.encoder(&schema)?,
            next_check: context.clock.now() + config.rolling.check_interval,
            config,
            clock: context.clock,
            id,
            columns,
            open: FastMap::default(),
            finished: Vec::new(),
            next_number: 0,
        })
    }

    fn create(&mut self, directory: &str, now: Timestamp) -> Result<OpenFile> {
        let directory = self.config.path.join(directory);
        let number = self.next_number;
        self.next_number += 1;
        let hidden = directory.join(self.id.hidden(number));
        let visible = directory.join(self.id.visible(number));
        let mut buffer = Vec::with_capacity(BUFFER);
        self.encoder.header(&mut buffer);
        let file = NewFile::create(hidden.clone())?;
        Ok(OpenFile { file, hidden, visible, buffer, written: 0, created: now, changed: now })
    }

    fn close(&mut self, file: OpenFile) -> Result<()> {
        self.finished.push(file.close()?);
        Ok(())
    }
}

impl OpenFile {
    fn write_out(&mut self) -> Result<()> {
        self.file.write(&self.buffer)?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn close(mut self) -> Result<Committable> {
        self.write_out()?;
        self.file.close()?;
        FinishedFile::to_committable(&self.hidden, &self.visible)
    }
}

/// Removes what earlier attempts began after the checkpoint that is restored.
fn remove_leftovers(config: &Config, current: &WriterId, restored: &[String]) -> Result<()> {
    let mut progress = Vec::new();
    for entry in restored {
        let read: Progress = serde_json::from_str(entry).map_err(|error| {
            Error::state(format!("a file writer's state cannot be read: {entry}")).with_source(error)
        })?;
        if read.version != Progress::VERSION {
            return Err(Error::state(format!("a file writer's state has version {}", read.version)));
        }
        progress.push(read);
    }
    if progress.is_empty() {
        return Ok(());
    }
    let left_behind = |name: &str| {
        WriterId::parse_hidden(name).is_some_and(|(writer, number)| {
            progress.iter().any(|progress| progress.leaves_behind(&writer, number, current))
        })
    };
    for file in storage::find(&config.path, &left_behind)? {
        tracing::info!("removing {}, which was not complete at the last checkpoint", file.display());
        storage::remove(&file)?;
    }
    Ok(())
}

impl SinkWriter for FileWriter {
    fn write(&mut self, batch: Batch) -> Result<()> {
        let Batch::Changes(batch) = batch else {
            return Err(Error::internal("the sink filesystem got values instead of columns"));
        };
        let now = self.clock.now();
        for (directory, rows) in partitioner::split(&batch, &self.config.partitioning)? {
            let columns = rows.columns().project(&self.columns);
            let columns = columns.map_err(|error| Error::internal("columns of a sink").with_source(error))?;
            let rows = rows.with_columns(columns);
            let mut file = match self.open.remove(&directory) {
                Some(file) => file,
                None => self.create(&directory, now)?,
            };
            self.encoder.encode(&rows, &mut file.buffer)?;
            file.changed = now;
            if file.buffer.len() >= BUFFER {
                file.write_out()?;
            }
            if file.written + file.buffer.len() as u64 >= self.config.rolling.file_size {
                self.close(file)?;
            } else {
                self.open.insert(directory, file);
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.open.values_mut().filter(|file| !file.buffer.is_empty()).try_for_each(OpenFile::write_out)
    }

    fn prepare_commit(&mut self, _checkpoint: CheckpointId, _end: bool) -> Result<Vec<Committable>> {
        let mut open: Vec<OpenFile> = self.open.drain().map(|(_, file)| file).collect();
        open.sort_by(|a, b| a.visible.cmp(&b.visible));
        for file in open {
            self.close(file)?;
        }
        Ok(std::mem::take(&mut self.finished))
    }

    fn snapshot(&mut self) -> Result<Vec<String>> {
        let progress =
            Progress { version: Progress::VERSION, writer: self.id.clone(), next: self.next_number };
        let progress = serde_json::to_string(&progress);
        Ok(vec![
            progress
                .map_err(|error| Error::internal("a writer's state cannot be written").with_source(error))?,
        ])
    }

    fn next_time(&self) -> Option<Timestamp> {
        (!self.open.is_empty()).then_some(self.next_check)
    }

    fn on_time(&mut self, now: Timestamp) -> Result<()> {
        if now < self.next_check {
            return Ok(());
        }
        self.next_check = now + self.config.rolling.check_interval;
        let rolling = &self.config.rolling;
        let old = |file: &OpenFile| {
            now - file.created >= rolling.rollover_interval
                || now - file.changed >= rolling.inactivity_interval
        };
        let directories: Vec<String> =
            self.open.iter().filter(|(_, file)| old(file)).map(|(directory, _)| directory.clone()).collect();
        for directory in directories {
            if let Some(file) = self.open.remove(&directory) {
                self.close(file)?;
            }
        }
        Ok(())
    }
}
