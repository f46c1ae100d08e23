//! State that does not fit into memory.
//!
//! A slot of a table is a frame of a cache. What a table cannot keep in memory leaves it key by key: the rows
//! of all its states for a key become the value of that key in a store, and the slot is free. When the key
//! comes again, its rows come back before the operator sees the slot.
//!
//! - **A key is either in the table or in the store.** What the store has of a key that is in the table is
//!   stale: the next eviction of the key replaces it, its removal deletes it, and a snapshot of the store
//!   leaves it out.
//! - **A row remembers what a checkpoint must do with it**: whether the last snapshot has it, and whether it
//!   changed since. So an incremental checkpoint writes the rows that changed, wherever they are; it reads
//!   only what was written to the store since the last one.
//! - **The store is scratch.** The truth is the checkpoint. Nothing is synced, and nothing is left when the
//!   process ends, however it ends.
//! - **Nothing is paid before it is needed.** A table that has never exceeded its share of memory tests a
//!   flag and multiplies two numbers for each batch.
//!
//! | file | what |
//! |---|---|
//! | `cold` | which keys leave, and how they come back |
//! | `handle` | what the owner of an index has of it |
//! | `due` | keys with timers that are due |
//! | `wanted` | when an operator without timers wants its keys |
//! | `sweep` | keys that have expired |
//! | `keys`, `rows` | a key, and the rows of a key, as bytes |
//! | `snapshot` | the rows in the store as parts of a snapshot |
//! | `memory` | how much memory there is, and who may use how much of it |
//! | `runs`, `run`, `merged`, `filter` | the store: sorted runs in files, or in memory |

mod cold;
mod due;
mod filter;
mod handle;
mod keys;
mod memory;
mod merged;
mod rows;
mod run;
mod runs;
mod snapshot;
mod sweep;
mod wanted;

use std::sync::Arc;

use flott_types::Result;

pub(crate) use cold::Cold;
pub use handle::Spill;
pub use memory::{Backend, SpillOptions, StateMemory, TableMemory};
pub use rows::{Fetched, RowState, Spilled};
pub(crate) use run::Run;
pub use snapshot::{SpilledParts, SpilledSnapshot, SpilledTable};
pub use wanted::WantedAt;

/// Keys with values or deletions, in order of the keys.
#[derive(Default, Debug)]
pub(crate) struct Pairs {
    bytes: Vec<u8>,
    /// The ends of each key and its value; the same place if it is deleted.
    ends: Vec<(usize, Option<usize>)>,
}

impl Pairs {
    /// Adds a key that is greater than the one before.
    pub fn push(&mut self, key: &[u8], value: Option<&[u8]>) {
        self.bytes.extend_from_slice(key);
        let end = self.bytes.len();
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.ends.push((end, value.map(|_| self.bytes.len())));
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let mut start = 0;
        self.ends.iter().map(move |(key, value)| {
            let first = std::mem::replace(&mut start, value.unwrap_or(*key));
            (&self.bytes[first..*key], value.map(|end| &self.bytes[*key..end]))
        })
    }
}

/// Called with the position of a key, its value, and its epoch.
pub(crate) type OnFound<'a> = dyn FnMut(usize, &[u8], u64) -> Result<()> + 'a;

/// What a store held at some time.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The oldest first.
    pub runs: Vec<Arc<Run>>,
}
