//! Writes to hidden files, one in progress per directory, and closes them when they are large or old, or at a
//! checkpoint. Not all files in progress need to be open: see [`NewFile`].

use std::path::{Component, Path};
use std::sync::Arc;

use flott_connector::{Payload, Prepared, SinkContext};
use flott_storage::Location;
use flott_storage::files::{self, NewFile};
use flott_types::{Clock, Error, FastMap, Result, Succession, Timestamp};

use crate::committable::FinishedFile;
use crate::ledger::{Begun, Ledger, Promises};
use crate::leftovers::{self, Promised};
use crate::name::{FileNames, Progress, WriterId};
use crate::open_file::{Due, OpenFile, Rest};
use crate::overwriting::finish_overwrite;
use crate::unpublished::Unpublished;
use crate::waiting::{Compaction, Waiting, WaitingFile};

/// This many bytes are collected before they are written.
const BUFFER: usize = 64 << 10;

/// When a file in progress is closed before its checkpoint. Times are in milliseconds.
#[derive(Clone, PartialEq, Debug)]
pub struct Rolling {
    /// It has this many bytes.
    pub file_size: u64,
    /// It was opened this long ago.
    pub rollover_interval: i64,
    /// Nothing was written to it for this long.
    pub inactivity_interval: i64,
    /// How often the clock is checked.
    pub check_interval: i64,
}

impl Default for Rolling {
    /// As for Flink's tables: 128 MiB, half an hour; the clock is checked once a minute.
    fn default() -> Self {
        Rolling {
            file_size: 128 << 20,
            rollover_interval: 30 * 60_000,
            inactivity_interval: 30 * 60_000,
            check_interval: 60_000,
        }
    }
}

/// The writer of one subtask. See the crate's header. `R` is what each file still has to write when it is
/// closed.
pub struct RollingWriter<R = ()> {
    path: Location,
    rolling: Rolling,
    names: FileNames,
    compaction: Option<Compaction>,
    /// Files are parts, which the job merges.
    are_parts: bool,
    /// Files become visible with all others of the job.
    for_the_job: bool,
    /// Files that were closed at earlier checkpoints, and are to be merged.
    waiting: Waiting,
    clock: Arc<dyn Clock>,
    id: WriterId,
    succession: Option<Succession>,
    /// From the first file on.
    ledger: Option<Ledger>,
    /// The jobs that the restored checkpoint belongs to.
    follows: Vec<String>,
    /// Hidden files of dead writers that others will commit.
    promised: Vec<Promised>,
    /// Own files that were handed over and may not be visible yet.
    handed_over: Vec<Unpublished>,
    open: FastMap<String, OpenFile<R>>,
    /// Files that were closed since the last checkpoint.
    finished: Vec<WaitingFile>,
    next_number: u64,
    next_check: Timestamp,
    /// Counts flushes, to find the file in progress that was written to last.
    turn: u64,
}

impl<R: Rest + 'static> RollingWriter<R> {
    /// Writes below a directory. `restored` is what [`RollingWriter::snapshot`] returned. Files of earlier
    /// writers that can no longer be committed are removed.
    ///
    /// # Errors
    /// If `restored` cannot be read, or a file not be removed.
    pub fn new(path: Location, rolling: Rolling, context: SinkContext, restored: &[Payload]) -> Result<Self> {
        // It is part of checkpoints.
        path.to_text()?;
        finish_overwrite(&path)?;
        let id = WriterId::new(&context);
        let restored = restored.iter().map(Progress::from_payload).collect::<Result<Vec<_>>>()?;
        let promised =
            leftovers::remove(&path, &id, context.succession, context.restored.is_some(), &restored)?;
        let mut follows: Vec<String> =
            restored.iter().map(|progress| progress.writer().job.clone()).collect();
        follows.sort();
        follows.dedup();
        let waiting = restored.iter().flat_map(|progress| progress.waiting().iter().cloned());
        Ok(RollingWriter {
            names: FileNames::default(),
            compaction: None,
            are_parts: false,
            for_the_job: false,
            succession: context.succession,
            waiting: Waiting::restored(waiting),
            ledger: None,
            follows,
            promised,
            handed_over: Vec::new(),
            turn: 0,
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

    /// With these names for visible files.
    #[must_use]
    pub fn with_names(mut self, names: FileNames) -> Self {
        self.names = names;
        self
    }

    /// Files are handed over when several can be merged into one, by appending them to each other.
    #[must_use]
    pub fn with_compaction(mut self, compaction: Option<Compaction>) -> Self {
        self.compaction = compaction;
        self
    }

    /// Files are handed over as parts: they keep their hidden names until the job has merged those of a checkpoint
    /// ([`crate::Merger`]).
    #[must_use]
    pub fn with_parts(mut self, are_parts: bool) -> Self {
        self.are_parts = are_parts;
        self
    }

    /// Files are handed over for the job, which makes them visible in the place of others ([`crate::Overwriter`]).
    #[must_use]
    pub fn for_the_job(mut self, for_the_job: bool) -> Self {
        self.for_the_job = for_the_job;
        self
    }

    /// Makes an empty hidden file, which is handed over: the caller puts it into the next checkpoint.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn make_token(&mut self) -> Result<Location> {
        self.keep_ledger()?;
        let token = self.path.join(&self.id.hidden(self.next_number));
        self.next_number += 1;
        files::touch(&token)?;
        self.handed_over.push(Unpublished::Hidden(token.clone()));
        if let Some(ledger) = &mut self.ledger {
            ledger.hand_over(self.next_number, &self.handed_over)?;
        }
        Ok(token)
    }

    /// Whether files are read again before they are visible. An upload that is not complete cannot be read, so in an
    /// object store they are objects then, with hidden names.
    fn reads_hidden(&self) -> bool {
        self.are_parts || self.compaction.is_some()
    }

    /// Appends records to the file of a directory below the path (`""` for the path itself). `encode` gets
    /// the rest of the file, which is `None` for a new file: then it creates the rest, and writes a header if
    /// there is one.
    ///
    /// # Errors
    /// If encoding fails or the file cannot be written.
    pub fn write(
        &mut self,
        directory: &str,
        encode: impl FnOnce(&mut Vec<u8>, &mut Option<R>) -> Result<()>,
    ) -> Result<()> {
        let now = self.clock.now();
        let (key, mut file) = match self.open.remove_entry(directory) {
            Some(open) => open,
            None => (directory.to_owned(), self.create(directory, now)?),
        };
        encode(&mut file.buffer, &mut file.rest)?;
        file.changed = now;
        if file.buffer.len() >= BUFFER {
            self.make_room(&file);
            self.turn += 1;
            file.write_out(self.turn)?;
        }
        let held = file.rest.as_ref().map_or(0, Rest::held);
        if file.written + (file.buffer.len() + held) as u64 >= self.rolling.file_size {
            self.finished.push(file.close()?);
        } else {
            self.open.insert(key, file);
        }
        Ok(())
    }

    fn create(&mut self, directory: &str, now: Timestamp) -> Result<OpenFile<R>> {
        let below = |part| matches!(part, Component::Normal(_));
        if !Path::new(directory).components().all(below) {
            return Err(Error::data(format!(
                "the directory '{directory}' of a file is not below {}",
                self.path
            )));
        }
        self.keep_ledger()?;
        if NewFile::too_many() {
            self.park_half();
        }
        let directory = self.path.join(directory);
        let number = self.next_number;
        self.next_number += 1;
        let hidden = directory.join(&self.id.hidden(number));
        let visible = directory.join(&self.id.visible(&self.names, number));
        let object = if self.reads_hidden() { &hidden } else { &visible };
        let file = self.begin(number, &hidden, object)?;
        let part = (self.reads_hidden() && file.upload().is_some()).then(Arc::default);
        self.turn += 1;
        let (buffer, turn) = (Vec::new(), self.turn);
        let rest = None;
        Ok(OpenFile {
            file,
            rest,
            hidden,
            visible,
            part,
            buffer,
            written: 0,
            created: now,
            changed: now,
            turn,
        })
    }

    /// Begins a file, which is to be this object if it is to be one. The ledger knows of it then.
    fn begin(&mut self, number: u64, hidden: &Location, object: &Location) -> Result<NewFile> {
        let file = NewFile::create(hidden, object)?;
        if let (Some(upload), Some(ledger)) = (file.upload(), &mut self.ledger) {
            let (upload, visible) = (upload.to_owned(), object.clone());
            if let Err(error) =
                ledger.begun(Begun { number, visible: visible.clone(), upload: upload.clone() })
            {
                // Nobody would know of it.
                _ = Unpublished::Upload { visible, id: upload }.discard();
                return Err(error);
            }
        }
        Ok(file)
    }

    /// From the first file on there is a ledger.
    fn keep_ledger(&mut self) -> Result<()> {
        if self.ledger.is_none() {
            let promises = Promises::new(self.follows.clone(), self.succession);
            self.ledger = Some(Ledger::create(&self.path, &self.id, promises)?);
        }
        Ok(())
    }

    /// Called before a file is flushed that may be parked.
    fn make_room(&mut self, file: &OpenFile<R>) {
        if !file.file.is_open() && NewFile::too_many() {
            self.park_half();
        }
    }

    /// Parks the least recently written half of the open files, so that not every newly opened file has to
    /// look for one to park.
    fn park_half(&mut self) {
        let open = |file: &&mut OpenFile<R>| file.file.is_open();
        let mut turns: Vec<u64> = self.open.values_mut().filter(open).map(|file| file.turn).collect();
        if turns.is_empty() {
            return;
        }
        let middle = turns.len() / 2;
        let (_, limit, _) = turns.select_nth_unstable(middle);
        let limit = *limit;
        for file in self.open.values_mut().filter(|file| file.turn <= limit) {
            file.file.park();
        }
    }

    /// Writes out what is buffered.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.turn += 1;
        for file in self.open.values_mut().filter(|file| !file.buffer.is_empty()) {
            let was_parked = !file.file.is_open();
            file.write_out(self.turn)?;
            if was_parked && NewFile::too_many() {
                file.file.park();
            }
        }
        Ok(())
    }

    /// Hands over all files, or those that have waited long enough to be merged; the result of a sink writer's
    /// `prepare_commit`. They are flushed, closed and merged later. At the `end` of the input none waits.
    ///
    /// # Errors
    /// If what was written is not known to the ledger.
    pub fn prepare_commit(&mut self, end: bool) -> Result<Prepared> {
        let mut open: Vec<OpenFile<R>> = self.open.drain().map(|(_, file)| file).collect();
        open.sort_by(|a, b| a.visible.cmp(&b.visible));
        leftovers::settle(&self.path, &mut self.promised)?;
        Unpublished::keep_waiting(&mut self.handed_over);
        let finished = std::mem::take(&mut self.finished);
        if finished.is_empty() && open.is_empty() && self.waiting.is_empty() {
            return Ok(Prepared::default());
        }
        self.handed_over.extend(finished.iter().map(WaitingFile::unpublished));
        self.handed_over.extend(open.iter().map(OpenFile::unpublished));
        let new = finished.into_iter().chain(open.iter().map(OpenFile::waits));
        new.for_each(|file| self.waiting.add(file));
        let due = self.due(end)?;
        // Before the files are announced: from here on a checkpoint may contain them. A file that fails to be
        // closed is in none; the next attempt removes it.
        if let Some(ledger) = &mut self.ledger {
            ledger.hand_over(self.next_number, &self.handed_over)?;
        }
        let for_the_job = self.for_the_job;
        Ok(Prepared::Later(Box::new(move || {
            let mut uploads = FastMap::default();
            for file in open {
                let WaitingFile { visible, upload, .. } = file.close()?;
                uploads.extend(upload.map(|upload| (visible, upload)));
            }
            let committables = due.into_iter().map(|due| due.committable(&mut uploads));
            match for_the_job {
                true => committables.map(|one| one.map(|one| FinishedFile::replacing(&one))).collect(),
                false => committables.collect(),
            }
        })))
    }

    /// What is handed over now.
    fn due(&mut self, end: bool) -> Result<Vec<Due>> {
        let groups = self.waiting.due(self.compaction.as_ref(), end);
        if self.compaction.is_none() {
            let due = if self.are_parts { Due::Part } else { Due::One };
            return Ok(groups.into_iter().flatten().map(due).collect());
        }
        let mut due = Vec::with_capacity(groups.len());
        for mut files in groups {
            let is_object = files.iter().any(|file| file.hidden.is_object());
            if files.len() == 1 && !is_object {
                due.extend(files.pop().map(Due::One));
                continue;
            }
            self.keep_ledger()?;
            let number = self.next_number;
            self.next_number += 1;
            let directory = files.first().and_then(|file| file.visible.parent());
            let directory = directory.as_ref().unwrap_or(&self.path);
            let hidden = directory.join(&self.id.hidden(number));
            let visible = directory.join(&format!("compacted-{}", self.id.visible(&self.names, number)));
            let merged = self.begin(number, &hidden, &visible)?;
            self.handed_over.push(Unpublished::of(&hidden, &visible, merged.upload()));
            due.push(Due::Merged { files, merged, hidden, visible });
        }
        Ok(due)
    }

    /// The result of a sink writer's `snapshot`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn snapshot(&self) -> Result<Vec<Payload>> {
        let waiting = self.waiting.all().cloned().collect();
        let progress = Progress::new(self.id.clone(), self.next_number).with_waiting(waiting);
        Ok(vec![progress.to_payload()?])
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
        let old = |file: &OpenFile<R>| {
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

impl<R> Drop for RollingWriter<R> {
    /// Files that were not handed over can never be committed. What an error here leaves behind, the next
    /// writer removes.
    fn drop(&mut self) {
        let open = self.open.drain().map(|(_, file)| file.unpublished());
        let mut never_handed_over = open.chain(self.finished.drain(..).map(|file| file.unpublished()));
        let removed = never_handed_over.try_for_each(|file| file.discard());
        let settled = removed.and_then(|()| leftovers::settle(&self.path, &mut self.promised));
        Unpublished::keep_waiting(&mut self.handed_over);
        let done = settled.and_then(|()| match self.ledger.take() {
            None => Ok(()),
            Some(ledger) if self.handed_over.is_empty() => ledger.remove(),
            // Who publishes the last of them looks for it.
            Some(mut ledger) => ledger.hand_over(self.next_number, &self.handed_over),
        });
        if let Err(error) = done {
            tracing::warn!("not all hidden files below {} were removed: {error}", self.path);
        }
    }
}
