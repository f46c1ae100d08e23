//! Small files of one checkpoint, merged when that has completed and before any of them is visible.
//!
//! Writers hand over their files as parts, which keep their hidden names. The [`Merger`] packs the parts of a checkpoint
//! and a directory into files of a wanted size, writes each such file under a hidden name (or as an upload), makes it
//! visible, and then removes its parts. Which parts come together, and what the file is called, follows from what is
//! handed over, which is the same whenever a checkpoint is asked for; so a merge that was cut off by a crash is done
//! again, and one that was completed is found by its name: it tells the first part and how many there are. Parts are removed only then, so at any moment either all of
//! them exist or the merged file is visible.
//!
//! What a merger has begun it notes in a ledger of its own, so that a later start of the job gives it up.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flott_connector::{CommitOutcome, CommitRequest, GlobalCommitterContext};
use flott_storage::Location;
use flott_storage::files::{self, FileInfo, NewFile, Published};
use flott_types::{CheckpointId, Clock, Error, FastSet, JobId, Result, Succession};
use parking_lot::Mutex;

use crate::committable::{FinishedFile, failed};
use crate::ledger::{Begun, Ledger, Promises};
use crate::leftovers::GoneWriters;
use crate::name::WriterId;
use crate::unpublished::Unpublished;
use crate::waiting::append;

/// How the contents of files become one.
pub trait Join: Send + Sync {
    /// Writes the rows of all these files, in this order.
    ///
    /// # Errors
    /// If one cannot be read, or what `out` says.
    fn join(&self, parts: &[FileInfo], out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()>;
}

/// What a merger has to know.
#[derive(Clone, Debug)]
pub struct MergerContext {
    /// The directory of the table.
    pub root: Location,
    /// How many bytes a merged file is to have; one that is larger already stays as it is.
    pub file_size: u64,
    /// How many files are merged at the same time.
    pub parallelism: usize,
}

/// Merges the files that all writers of a job have handed over as parts.
pub struct Merger {
    context: MergerContext,
    job: JobId,
    succession: Option<Succession>,
    clock: Arc<dyn Clock>,
    begun: Mutex<Option<Own>>,
    /// Whose files it has merged.
    writers: GoneWriters,
    /// What it has merged of groups that are asked for again.
    done: Mutex<FastSet<Location>>,
}

impl fmt::Debug for Merger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Merger").field("context", &self.context).finish_non_exhaustive()
    }
}

/// What it has begun: from the first file on.
struct Own {
    id: WriterId,
    ledger: Ledger,
    next: u64,
    unpublished: Vec<Unpublished>,
}

/// A file that was handed over.
struct Part {
    /// Which of the requests it is.
    at: usize,
    checkpoint: CheckpointId,
    restored: bool,
    hidden: Location,
    visible: Location,
    bytes: u64,
}

impl Merger {
    /// For the sink of a job.
    pub fn new(context: MergerContext, global: &GlobalCommitterContext) -> Self {
        Merger {
            context,
            job: global.job,
            succession: global.succession,
            clock: global.clock.clone(),
            begun: Mutex::new(None),
            writers: GoneWriters::default(),
            done: Mutex::default(),
        }
    }

    /// Merges files, and makes them visible; answers for each part.
    ///
    /// # Errors
    /// If a committable is none of a part.
    pub fn commit(&self, requests: &[&CommitRequest], join: &dyn Join) -> Result<Vec<CommitOutcome>> {
        let mut groups: BTreeMap<(CheckpointId, Option<Location>), Vec<Part>> = BTreeMap::new();
        for (at, request) in requests.iter().copied().enumerate() {
            let (hidden, visible, bytes) = FinishedFile::part(&request.committable)?;
            let group = groups.entry((request.checkpoint, visible.parent())).or_default();
            let CommitRequest { checkpoint, restored, .. } = *request;
            group.push(Part { at, checkpoint, restored, hidden, visible, bytes });
        }
        let (mut bins, mut ends): (Vec<Vec<Part>>, Vec<usize>) = Default::default();
        for mut group in groups.into_values() {
            group.sort_by_cached_key(|part| {
                let name = part.hidden.name().and_then(WriterId::parse_hidden);
                (name.map(|(writer, number)| (writer.order(), number)), part.visible.clone())
            });
            bins.extend(packed(group, self.context.file_size));
            ends.push(bins.len());
        }
        let outcomes = Mutex::new(vec![CommitOutcome::Committed; requests.len()]);
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(bin) = bins.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = self
                    .publish(&bin.iter().collect::<Vec<_>>(), join)
                    .unwrap_or_else(|error| failed(&error));
                let mut outcomes = outcomes.lock();
                bin.iter().for_each(|part| outcomes[part.at] = outcome.clone());
            }
        };
        let others = self.context.parallelism.min(bins.len()).saturating_sub(1);
        std::thread::scope(|scope| {
            (0..others).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        let mut outcomes = outcomes.into_inner();
        let mut rest = bins.as_slice();
        let mut start = 0;
        for end in ends {
            let (group, others) = rest.split_at(end - start);
            (rest, start) = (others, end);
            self.ask_as_one(group, &mut outcomes);
        }
        Ok(outcomes)
    }

    /// If a file of a group is to be tried again, all of them are asked for again: without the others, parts would be
    /// packed in another way, and what is visible already would not be found by its name.
    fn ask_as_one(&self, group: &[Vec<Part>], outcomes: &mut [CommitOutcome]) {
        let parts = || group.iter().flatten();
        let is_retry = |part: &&Part| matches!(outcomes[part.at], CommitOutcome::Retry { .. });
        let retry = parts().find(is_retry).map(|part| outcomes[part.at].clone());
        let mut done = self.done.lock();
        for bin in group {
            let Some(first) = bin.first() else { continue };
            let name = self.merged(&bin.iter().collect::<Vec<_>>());
            match (&retry, &outcomes[first.at]) {
                (None, _) => _ = done.remove(&name),
                (Some(retry), CommitOutcome::Committed | CommitOutcome::AlreadyCommitted) => {
                    done.insert(name);
                    bin.iter().for_each(|part| outcomes[part.at] = retry.clone());
                }
                (Some(_), _) => {}
            }
        }
    }

    /// Where these are merged to.
    fn merged(&self, bin: &[&Part]) -> Location {
        let directory = bin.first().and_then(|part| part.visible.parent());
        merged_name(&directory.unwrap_or_else(|| self.context.root.clone()), bin)
    }

    /// Makes the merged file of these parts visible, and removes them. Idempotent.
    fn publish(&self, bin: &[&Part], join: &dyn Join) -> Result<CommitOutcome> {
        let Some(first) = bin.first() else { return Ok(CommitOutcome::Committed) };
        let directory = first.visible.parent().unwrap_or_else(|| self.context.root.clone());
        let visible = merged_name(&directory, bin);
        if self.done.lock().contains(&visible) {
            // Somebody may have taken it away since.
            return Ok(CommitOutcome::Committed);
        }
        // A part is removed only when the merged file is visible.
        if files::look(&visible)?.is_none() {
            let looked = bin.iter().map(|part| files::look(&part.hidden)).collect::<Result<Vec<_>>>()?;
            let (mut there, mut gone) = (Vec::new(), Vec::new());
            for (part, info) in bin.iter().zip(&looked) {
                if info.is_some() { there.push(*part) } else { gone.push(*part) }
            }
            if !gone.is_empty() {
                // Unless these were asked for before without the others.
                let on_their_own =
                    !there.is_empty() && files::look(&merged_name(&directory, &gone))?.is_some();
                return if on_their_own {
                    self.publish(&there, join)
                } else {
                    Ok(missing(bin, there.len(), &visible))
                };
            }
            let parts: Vec<FileInfo> = looked.into_iter().flatten().collect();
            self.merge(&parts, &directory, &visible, join)?;
        }
        files::sync_directory(&directory)?;
        bin.iter().for_each(|part| self.writers.note(&part.hidden));
        bin.iter().try_for_each(|part| files::remove(&part.hidden))?;
        Ok(CommitOutcome::Committed)
    }

    fn merge(
        &self,
        parts: &[FileInfo],
        directory: &Location,
        visible: &Location,
        join: &dyn Join,
    ) -> Result<()> {
        if let [only] = parts
            && !only.location.is_object()
        {
            // Nothing is to be read.
            return match files::publish(&only.location, visible, None)? {
                Published::Visible => Ok(()),
                Published::Missing => Err(Error::external(format!("{} is gone", only.location))),
            };
        }
        let (hidden, mut file, begun) = self.begin(directory, visible)?;
        let written = match parts {
            [only] => append(&only.location, 0, &mut Vec::new(), &mut |bytes| file.write(bytes)),
            _ => join.join(parts, &mut |bytes| file.write(bytes)),
        };
        let published = written.and_then(|()| file.close()).and_then(|upload| {
            match files::publish(&hidden, visible, upload.as_ref())? {
                Published::Visible => Ok(()),
                Published::Missing => {
                    Err(Error::external(format!("{visible} was ended while it was written")))
                }
            }
        });
        if published.is_err() {
            // If that fails too, the ledger still knows of it.
            _ = begun.discard();
        }
        published
    }

    /// Begins a merged file, which the ledger knows of.
    fn begin(&self, directory: &Location, visible: &Location) -> Result<(Location, NewFile, Unpublished)> {
        let mut begun = self.begun.lock();
        let own = match &mut *begun {
            Some(own) => own,
            None => {
                let id = WriterId::of_merger(self.job, &*self.clock);
                let promises = Promises::new(Vec::new(), self.succession);
                let ledger = Ledger::create(&self.context.root, &id, promises)?;
                begun.insert(Own { id, ledger, next: 0, unpublished: Vec::new() })
            }
        };
        let number = own.next;
        own.next += 1;
        let hidden = directory.join(&own.id.hidden(number));
        let file = NewFile::create(&hidden, visible)?;
        let this = Unpublished::of(&hidden, visible, file.upload());
        Unpublished::keep_waiting(&mut own.unpublished);
        own.unpublished.push(this.clone());
        if let Some(upload) = file.upload() {
            own.ledger.forget_all_but(&own.unpublished);
            let noted =
                own.ledger.begun(Begun { number, visible: visible.clone(), upload: upload.to_owned() });
            if let Err(error) = noted {
                // Nobody would know of it.
                _ = this.discard();
                return Err(error);
            }
        }
        Ok((hidden, file, this))
    }
}

impl Drop for Merger {
    fn drop(&mut self) {
        let removed = match self.begun.get_mut().take() {
            None => Ok(()),
            Some(Own { ledger, mut unpublished, .. }) => {
                Unpublished::keep_waiting(&mut unpublished);
                unpublished.iter().try_for_each(Unpublished::discard).and_then(|()| ledger.remove())
            }
        };
        if let Err(error) = removed.and_then(|()| self.writers.settle(&self.context.root)) {
            tracing::warn!(
                "not all files that were being merged below {} were removed: {error}",
                self.context.root
            );
        }
    }
}

/// The name of what these are merged to.
fn merged_name(directory: &Location, bin: &[&Part]) -> Location {
    let first = bin.first().and_then(|part| part.visible.name()).unwrap_or_default();
    directory.join(&format!("compacted-{}-{first}", bin.len()))
}

/// Files one after the other, until they have the wanted size together.
fn packed(parts: Vec<Part>, file_size: u64) -> Vec<Vec<Part>> {
    let mut bins: Vec<Vec<Part>> = Vec::new();
    let mut held = 0;
    for part in parts {
        match bins.last_mut().filter(|_| held + part.bytes <= file_size) {
            Some(bin) => {
                held += part.bytes;
                bin.push(part);
            }
            None => {
                held = part.bytes;
                bins.push(vec![part]);
            }
        }
    }
    bins
}

/// What is said when neither the merged file nor all of its parts are there.
fn missing(bin: &[&Part], there: usize, visible: &Location) -> CommitOutcome {
    let checkpoint = bin.first().map_or(CheckpointId(0), |part| part.checkpoint);
    if there == 0 && bin.iter().all(|part| part.restored) {
        tracing::warn!(
            "neither the file {visible} of checkpoint {checkpoint} nor what it is merged from exists: it was committed before and has \
             been taken away, or its parts were removed before and their rows are missing in the output"
        );
        return CommitOutcome::AlreadyCommitted;
    }
    CommitOutcome::Failed(format!(
        "output is lost: {visible} does not exist, and of the {} files of checkpoint {checkpoint} that it is merged from there are \
         only {there}",
        bin.len()
    ))
}
