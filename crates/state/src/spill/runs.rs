//! A store of sorted runs: each batch of evicted keys is one, and small ones are merged into larger ones.
//!
//! What a log-structured store has in front of its runs is here already: the operator's table is the buffer
//! of what was written last, and its eviction is the flush. There is no log: a task that fails continues from
//! its checkpoint. So what remains is this file, and a snapshot of the store is a list of shared pointers.
//!
//! Runs are merged by size, on a thread for this, so that a row is rewritten logarithmically often. Runs that
//! were written since the last snapshot are merged only with each other: an incremental snapshot reads just
//! those.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::Duration;

use flott_types::{Error, Result, Timestamp};

use super::merged::Merged;
use super::rows::expiry_of;
use super::run::{Block, Lookup, Run, RunWriter, hash_of};
use super::{OnFound, Pairs, View};

/// With more runs than this, some are merged.
const MANY: usize = 8;
/// With more runs than this, a write waits for merging, and if that fails, so does the write.
const TOO_MANY: usize = 32;
/// A write waits only so long, so that its task can see in between that it is cancelled.
const WAIT: Duration = Duration::from_millis(200);
/// A merge is of at least so many runs.
const LEAST: usize = 4;

/// The store. See the module's header.
pub(crate) struct Runs {
    /// `None`: in memory.
    folder: Option<PathBuf>,
    /// The oldest first.
    runs: Vec<Arc<Run>>,
    epoch: u64,
    merging: Option<Merging>,
    /// Whether keys are looked up, and not only read in order.
    looked_up: bool,
    /// Keys before this are not needed any more.
    from: Vec<u8>,
}

/// Runs that are being merged.
struct Merging {
    first: usize,
    runs: usize,
    done: Receiver<Result<Arc<Run>>>,
    stop: Arc<AtomicBool>,
}

impl Drop for Merging {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Runs {
    /// In files of a folder, or in memory.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Runs { folder, runs: Vec::new(), epoch: 0, merging: None, looked_up: true, from: Vec::new() }
    }

    /// The same for keys that are only read in order: there are no filters.
    pub fn ordered(folder: Option<PathBuf>) -> Self {
        Runs { looked_up: false, ..Runs::new(folder) }
    }

    /// Takes what was merged, and begins to merge what there is much of.
    fn maintain(&mut self) -> Result<()> {
        loop {
            if let Some(merging) = &self.merging {
                let too_many = self.runs.len() > TOO_MANY;
                let done = match too_many {
                    true => merging.done.recv_timeout(WAIT),
                    false => merging.done.try_recv().map_err(|error| match error {
                        TryRecvError::Empty => RecvTimeoutError::Timeout,
                        TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                    }),
                };
                let (first, end) = (merging.first, merging.first + merging.runs);
                match done {
                    Ok(Ok(merged)) => _ = self.runs.splice(first..end, [merged]),
                    Ok(Err(error)) => {
                        self.merging = None;
                        // Nothing is lost: the next write tries it again.
                        return if too_many { Err(error) } else { Ok(()) };
                    }
                    Err(RecvTimeoutError::Timeout) => return Ok(()),
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(Error::internal("the merging of spilled state ended without a result"));
                    }
                }
                self.merging = None;
            }
            let Some((first, end)) = self.worth_merging() else { return Ok(()) };
            self.merge(first, end)?;
        }
    }

    /// The runs to merge, if there are any: among those before the last snapshot, or those since.
    fn worth_merging(&self) -> Option<(usize, usize)> {
        let since = self.runs.partition_point(|run| run.epoch() < self.epoch);
        [(0, since), (since, self.runs.len())].into_iter().find_map(|(first, end)| {
            if end - first <= MANY {
                return None;
            }
            let (mut from, mut total) = (end, 0);
            // The newest, and each older one that is not much larger than all of them.
            while from > first && (end - from < LEAST || self.runs[from - 1].bytes() <= total) {
                from -= 1;
                total += self.runs[from].bytes();
            }
            Some((from, end))
        })
    }

    fn merge(&mut self, first: usize, end: usize) -> Result<()> {
        let runs = self.runs[first..end].to_vec();
        let (from, looked_up) = (self.from.clone(), self.looked_up);
        let (folder, stop) = (self.folder.clone(), Arc::new(AtomicBool::new(false)));
        let (stopped, (result, done)) = (stop.clone(), channel());
        // A deletion has nothing left to hide.
        let keeps_deletions = first > 0;
        // A key of which only rows were left that a snapshot must delete: it has, since.
        let is_known = looked_up && self.runs[end - 1].epoch() < self.epoch;
        let is_over = move |value: &[u8]| is_known && expiry_of(value).is_ok_and(|at| at == Timestamp::MIN);
        let work = move || {
            let folder = folder.as_deref();
            let merged = || {
                let most = runs.iter().map(|run| run.entries() as usize).sum();
                let most = if looked_up { most } else { 0 };
                let epoch = runs.iter().map(|run| run.epoch()).max().unwrap_or_default();
                let mut writer = RunWriter::new(folder, most, epoch)?;
                let mut entries = Merged::new(&runs, &from)?;
                while let Some((key, value, _)) = entries.entry() {
                    let value = value.filter(|value| !is_over(value));
                    if stopped.load(Ordering::Relaxed) {
                        return Err(Error::internal("the merging of spilled state was stopped"));
                    }
                    if keeps_deletions || value.is_some() {
                        writer.add(key, value, folder)?;
                    }
                    entries.advance()?;
                }
                writer.finish(folder)
            };
            // Nobody waits for it any more, perhaps.
            let _ = result.send(merged());
        };
        let spawned = std::thread::Builder::new().name("state merge".to_owned()).spawn(work);
        spawned.map_err(|error| {
            Error::external("there is no thread to merge spilled state").with_source(error)
        })?;
        self.merging = Some(Merging { first, runs: end - first, done, stop });
        Ok(())
    }

    /// Calls `found` with the position, the value and the epoch of each of the keys that is there; the keys
    /// ascend.
    pub fn get(&self, keys: &[&[u8]], found: &mut OnFound<'_>) -> Result<()> {
        let mut open: Vec<(usize, u64)> = keys.iter().map(|key| hash_of(key)).enumerate().collect();
        let mut block = Block::default();
        for (number, run) in self.runs.iter().enumerate().rev() {
            if open.is_empty() {
                break;
            }
            let mut failed = None;
            open.retain(|(at, hash)| {
                if failed.is_some() || !run.may_hold(*hash) {
                    return true;
                }
                let told = run.get(keys[*at], number, &mut block).and_then(|lookup| match lookup {
                    Lookup::Nothing => Ok(true),
                    Lookup::Deleted => Ok(false),
                    Lookup::Value(value) => found(*at, &block.bytes()[value], run.epoch()).map(|()| false),
                });
                told.unwrap_or_else(|error| {
                    failed = Some(error);
                    true
                })
            });
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(())
    }

    /// Writes and deletes keys. If it fails, nothing is changed.
    pub fn put(&mut self, pairs: &Pairs) -> Result<()> {
        if pairs.is_empty() {
            return Ok(());
        }
        let folder = self.folder.as_deref();
        let keys = if self.looked_up { pairs.len() } else { 0 };
        let mut writer = RunWriter::new(folder, keys, self.epoch)?;
        for (key, value) in pairs.iter() {
            writer.add(key, value, folder)?;
        }
        let run = writer.finish(folder)?;
        self.runs.push(run);
        self.maintain()
    }

    /// Keys before this are not read any more. Their place on disk becomes free when all keys of a run are, or
    /// when it is merged.
    pub fn forget_before(&mut self, key: &[u8]) {
        self.from = key.to_vec();
        if self.merging.is_none() {
            self.runs.retain(|run| run.last_key() >= key);
        }
    }

    /// Nothing that is there is read any more.
    pub fn clear(&mut self) {
        self.merging = None;
        self.runs.clear();
        self.from.clear();
    }

    /// What is there now, or has been written in this epoch, to be read on any thread.
    pub fn view(&self, since_last: bool) -> View {
        let in_view = |run: &&Arc<Run>| !since_last || run.epoch() == self.epoch;
        View { runs: self.runs.iter().filter(in_view).cloned().collect() }
    }

    /// A snapshot was taken.
    pub fn next_epoch(&mut self) {
        self.epoch += 1;
    }

    /// How many snapshots have been taken.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// How many entries there are, stale ones included.
    pub fn entries(&self) -> u64 {
        self.runs.iter().map(|run| run.entries()).sum()
    }

    /// How many bytes they have.
    pub fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.bytes()).sum()
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.runs.iter().map(|run| run.memory()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store in memory with so many runs of one key each.
    fn store(runs: usize) -> Runs {
        let mut store = Runs::new(None);
        for at in 0..runs {
            let mut run = RunWriter::new(None, 1, 0).unwrap();
            run.add(&at.to_be_bytes(), Some(b"value"), None).unwrap();
            store.runs.push(run.finish(None).unwrap());
        }
        store
    }

    /// Maintains until nothing is merged any more.
    fn settle(store: &mut Runs) -> Result<()> {
        store.maintain()?;
        while store.merging.is_some() {
            std::thread::yield_now();
            store.maintain()?;
        }
        Ok(())
    }

    #[test]
    fn a_merge_that_fails_is_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Some(folder.path().join("missing"));
        let mut store = store(MANY + 1);
        store.folder = missing.clone();
        settle(&mut store).unwrap();
        assert_eq!(store.runs.len(), MANY + 1);
        store.folder = None;
        settle(&mut store).unwrap();
        assert_eq!((store.runs.len(), store.entries()), (1, MANY as u64 + 1));
        let mut store = self::store(TOO_MANY + 1);
        store.folder = missing;
        assert!(settle(&mut store).unwrap_err().to_string().contains("'io.tmp.dirs'"));
        assert_eq!(store.entries(), TOO_MANY as u64 + 1, "nothing is lost");
    }

    #[test]
    fn a_write_does_not_wait_for_all_of_a_merge() {
        let mut store = store(TOO_MANY + 1);
        let (never, done) = channel();
        store.merging = Some(Merging { first: 0, runs: 8, done, stop: Arc::default() });
        let mut pairs = Pairs::default();
        pairs.push(b"key", Some(b"value"));
        store.put(&pairs).unwrap();
        assert_eq!(store.runs.len(), TOO_MANY + 2);
        drop(never);
    }
}
