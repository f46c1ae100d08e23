//! Writes to hidden files, one open file a directory, and closes them when they are large or old, or a checkpoint comes.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use flott_connector::{Committable, SinkContext};
use flott_types::{Clock, Error, FastMap, Result, Timestamp};

use crate::storage::{self, NewFile};
use crate::{FinishedFile, Progress, WriterId};

/// So many bytes are collected before they are written.
const BUFFER: usize = 64 << 10;

/// When a file in work is closed before its checkpoint. Times are in milliseconds.
#[derive(Clone, PartialEq, Debug)]
pub struct Rolling {
    /// It has so many bytes.
    pub file_size: u64,
    /// It was opened so long ago.
    pub rollover_interval: i64,
    /// Nothing was written to it for so long.
    pub inactivity_interval: i64,
    /// How often the clock is looked at.
    pub check_interval: i64,
}

impl Default for Rolling {
    /// As in Flink's tables: 128 MiB, half an hour; the clock once a minute.
    fn default() -> Self {
        Rolling {
            file_size: 128 << 20,
            rollover_interval: 30 * 60_000,
            inactivity_interval: 30 * 60_000,
            check_interval: 60_000,
        }
    }
}

/// The writer of one subtask. See the crate's header.
pub struct RollingWriter {
    path: PathBuf,
    rolling: Rolling,
    clock: Arc<dyn Clock>,
    id: WriterId,
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

impl RollingWriter {
    /// Writes below a directory. `restored` is what [`RollingWriter::snapshot`] gave: what those writers had begun and not
    /// handed over is removed.
    ///
    /// # Errors
    /// If `restored` cannot be read, or a file not be removed.
    pub fn new(path: PathBuf, rolling: Rolling, context: SinkContext, restored: &[String]) -> Result<Self> {
        let id = WriterId::new(&context);
        remove_leftovers(&path, &id, restored)?;
        Ok(RollingWriter {
            path,
            next_check: context.clock.now() + rolling.check_interval,
            rolling,
            clock: context.clock,
            id,
            open: FastMap::default(),
            finished: Vec::new(),
            next_number: 0,
        })
    }

    /// Appends records to the file of a directory below the path (`""` for the path itself). `encode` is told whether
    /// the file is new, for a header.
    ///
    /// # Errors
    /// If encoding fails or the file cannot be written.
    pub fn write(
        &mut self,
        directory: &str,
        encode: impl FnOnce(&mut Vec<u8>, bool) -> Result<()>,
    ) -> Result<()> {
        let now = self.clock.now();
        let (key, mut file) = match self.open.remove_entry(directory) {
            Some(open) => open,
            None => (directory.to_owned(), self.create(directory, now)?),
        };
        let is_new = file.written == 0 && file.buffer.is_empty();
        encode(&mut file.buffer, is_new)?;
        file.changed = now;
        if file.buffer.len() >= BUFFER {
            file.write_out()?;
        }
        if file.written + file.buffer.len() as u64 >= self.rolling.file_size {
            self.finished.push(file.close()?);
        } else {
            self.open.insert(key, file);
        }
        Ok(())
    }

    fn create(&mut self, directory: &str, now: Timestamp) -> Result<OpenFile> {
        let below = |part| matches!(part, std::path::Component::Normal(_));
        if !Path::new(directory).components().all(below) {
            return Err(Error::data(format!(
                "the directory '{directory}' of a file does not lie below {}",
                self.path.display()
            )));
        }
        let directory = self.path.join(directory);
        let number = self.next_number;
        self.next_number += 1;
        let hidden = directory.join(self.id.hidden(number));
        let visible = directory.join(self.id.visible(number));
        let file = NewFile::create(hidden.clone())?;
        let buffer = Vec::with_capacity(BUFFER);
        Ok(OpenFile { file, hidden, visible, buffer, written: 0, created: now, changed: now })
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.open.values_mut().filter(|file| !file.buffer.is_empty()).try_for_each(OpenFile::write_out)
    }

    /// Closes all files; what a sink writer's `prepare_commit` gives.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn prepare_commit(&mut self) -> Result<Vec<Committable>> {
        let mut open: Vec<OpenFile> = self.open.drain().map(|(_, file)| file).collect();
        open.sort_by(|a, b| a.visible.cmp(&b.visible));
        for file in open {
            self.finished.push(file.close()?);
        }
        Ok(std::mem::take(&mut self.finished))
    }

    /// What a sink writer's `snapshot` gives.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn snapshot(&self) -> Result<Vec<String>> {
        Ok(vec![Progress::new(self.id.clone(), self.next_number).to_text()?])
    }

    /// When `on_time` is to be called.
    pub fn next_time(&self) -> Option<Timestamp> {
        (!self.open.is_empty()).then_some(self.next_check)
    }

    /// Closes files that are old.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn on_time(&mut self, now: Timestamp) -> Result<()> {
        if now < self.next_check {
            return Ok(());
        }
        self.next_check = now + self.rolling.check_interval;
        let rolling = &self.rolling;
        let old = |file: &OpenFile| {
            now - file.created >= rolling.rollover_interval
                || now - file.changed >= rolling.inactivity_interval
        };
        let directories: Vec<String> =
            self.open.iter().filter(|(_, file)| old(file)).map(|(directory, _)| directory.clone()).collect();
        for directory in directories {
            if let Some(file) = self.open.remove(&directory) {
                self.finished.push(file.close()?);
            }
        }
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
fn remove_leftovers(path: &Path, current: &WriterId, restored: &[String]) -> Result<()> {
    let progress = restored.iter().map(|entry| Progress::from_text(entry)).collect::<Result<Vec<_>>>()?;
    if progress.is_empty() {
        return Ok(());
    }
    let left_behind = |name: &str| {
        WriterId::parse_hidden(name).is_some_and(|(writer, number)| {
            progress.iter().any(|progress| progress.leaves_behind(&writer, number, current))
        })
    };
    for file in storage::find(path, &left_behind)? {
        tracing::info!("removing {}, which was not complete at the last checkpoint", file.display());
        storage::remove(&file)?;
    }
    Ok(())
}
