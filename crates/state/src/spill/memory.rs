//! One account of memory for the state of a process.
//!
//! Tables join the account and report what they hold. While all together stay within the budget, nobody gives
//! anything up. Beyond it, the budget is filled like water: what small tables do not use belongs to large
//! ones, and those that hold more than the level is high are asked to shrink to it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flott_types::Error;
use parking_lot::Mutex;

use super::run::disk;

/// What becomes of state that does not fit into memory: `state.backend.type`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Backend {
    /// The job fails with an error that says so.
    Memory,
    /// It goes to files on the local disk.
    #[default]
    LocalDisk,
}

/// How much memory state may use, and where the rest goes.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SpillOptions {
    /// In bytes; `None` for no limit.
    pub budget: Option<usize>,
    /// What becomes of the rest.
    pub backend: Backend,
    /// The folder of temporary files; `None`: what is spilled stays in memory (for tests).
    pub folder: Option<PathBuf>,
}

impl SpillOptions {
    /// What is wrong with the folder, if it may be needed: better known at the start than when memory is
    /// full.
    pub fn folder_error(&self) -> Option<Error> {
        let needed = self.budget.is_some() && self.backend == Backend::LocalDisk;
        let folder = self.folder.as_ref().filter(|_| needed)?;
        tempfile::tempfile_in(folder).err().map(|error| disk(folder, error))
    }
}

/// The account of a process.
#[derive(Default, Debug)]
pub struct StateMemory {
    /// What each table holds.
    tables: Mutex<Vec<Arc<AtomicUsize>>>,
    used: AtomicUsize,
}

/// It is one thing, whatever is in it.
impl PartialEq for StateMemory {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

/// A table's part of the account.
#[derive(Debug)]
pub struct TableMemory {
    account: Arc<StateMemory>,
    options: SpillOptions,
    used: Arc<AtomicUsize>,
}

impl StateMemory {
    /// How many bytes all tables hold.
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// A new table joins.
    pub fn join(self: &Arc<Self>, options: SpillOptions) -> TableMemory {
        let used = Arc::new(AtomicUsize::new(0));
        self.tables.lock().push(used.clone());
        TableMemory { account: self.clone(), options, used }
    }

    /// So much may be used by tables that want more.
    fn level(&self, budget: usize) -> usize {
        let mut used: Vec<usize> =
            self.tables.lock().iter().map(|used| used.load(Ordering::Relaxed)).collect();
        used.sort_unstable();
        let mut rest = budget;
        for (at, used_here) in used.iter().enumerate() {
            let share = rest / (used.len() - at);
            if *used_here > share {
                return share;
            }
            rest -= used_here;
        }
        budget
    }
}

impl TableMemory {
    /// How much memory there is, and where the rest goes.
    pub fn options(&self) -> &SpillOptions {
        &self.options
    }

    /// What the table holds is more than its share, and may not leave memory.
    pub(super) fn too_large(&self, state: Option<&str>, held: usize, share: usize) -> Error {
        let name = state.map_or(String::new(), |state| format!(" '{state}'"));
        let budget = self.options.budget.unwrap_or_default();
        Error::invalid(format!(
            "state{name} holds {held} bytes, its share of the memory for state is {share} bytes, of {budget} \
             ('taskmanager.memory.managed.size'): with 'state.backend.type: hashmap' all state stays in \
             memory. Give the process more memory, or set 'state.backend.type' to 'rocksdb', and what does not fit goes to the local disk"
        ))
    }

    /// Reports what the table holds. Returns how much it may hold if that is too much.
    pub fn report(&mut self, used: usize) -> Option<usize> {
        let before = self.used.swap(used, Ordering::Relaxed);
        self.account.used.fetch_add(used.wrapping_sub(before), Ordering::Relaxed);
        let budget = self.options.budget?;
        if self.account.used() <= budget {
            return None;
        }
        let level = self.account.level(budget);
        (used > level).then_some(level)
    }
}

impl Drop for TableMemory {
    fn drop(&mut self) {
        self.report(0);
        self.account.tables.lock().retain(|used| !Arc::ptr_eq(used, &self.used));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_tables_use_what_small_ones_do_not() {
        let account = Arc::new(StateMemory::default());
        let options = || SpillOptions { budget: Some(100), ..SpillOptions::default() };
        let (mut one, mut two) = (account.join(options()), account.join(options()));
        assert_eq!((one.report(80), two.report(20)), (None, None));
        assert_eq!((two.report(30), one.report(80)), (None, Some(70)));
        assert_eq!(two.report(60), Some(50));
        assert_eq!(one.report(40), None);
        let three: Vec<TableMemory> = (0..8).map(|_| account.join(options())).collect();
        assert_eq!(one.report(90), Some(50), "tables that hold nothing take nothing away");
        drop((two, three));
        assert_eq!((one.report(90), account.used()), (None, 90));
        let mut unlimited = account.join(SpillOptions::default());
        assert_eq!(unlimited.report(usize::MAX / 2), None);
        drop((one, unlimited));
        assert_eq!(account.used(), 0);
    }

    #[test]
    fn a_folder_is_tried_before_it_is_needed() {
        let folder = tempfile::tempdir().unwrap();
        let options = |name: &str| SpillOptions {
            budget: Some(100),
            folder: Some(folder.path().join(name)),
            ..SpillOptions::default()
        };
        assert!(options("").folder_error().is_none());
        let error = options("missing").folder_error().unwrap().to_string();
        assert!(error.contains("missing ('io.tmp.dirs')"), "{error}");
        assert!(SpillOptions { budget: None, ..options("missing") }.folder_error().is_none());
        assert!(SpillOptions { backend: Backend::Memory, ..options("missing") }.folder_error().is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
