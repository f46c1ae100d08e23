//! The windows of an operator, each with a slot.
//!
//! A key has a slot too, in a [`KeyTable`], and its windows are a list linked through their slots, the latest
//! first. So a record costs one hash lookup, for its key; its window is then mostly the first of the list. If
//! a record belongs to several windows, the search for one continues where the previous one was found.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::FieldRef;
use flott_state::{Index, Stored};
use flott_types::{Result, Timestamp};

use crate::types::Window;
use flott_function::state::{Key, KeyTable};
use flott_values::ColumnCodec;

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// A window of a key.
pub(super) struct Entry<W> {
    pub window: W,
    /// The slot of the key; [`NONE`] if the entry is free.
    pub key: u32,
    /// The next window of the key, an earlier one.
    next: u32,
    /// The window exists: something has arrived and it is not over yet.
    pub live: bool,
    /// When it is checked; see [`Ends`](flott_operator::windows::Ends).
    pub queued: Option<Timestamp>,
}

/// The windows of all keys.
pub(super) struct WindowTable<K, W> {
    pub keys: KeyTable<K>,
    /// By slot of a key: its latest window.
    heads: Vec<u32>,
    entries: Vec<Entry<W>>,
    free: Vec<u32>,
    /// Keys whose last window was removed.
    pub bare: Vec<u32>,
    codec: ColumnCodec<W>,
}

impl<K: Key, W: Window> WindowTable<K, W> {
    pub fn new(max_parallelism: u32) -> Result<Self> {
        Ok(WindowTable {
            keys: KeyTable::new(max_parallelism)?,
            heads: Vec::new(),
            entries: Vec::new(),
            free: Vec::new(),
            bare: Vec::new(),
            codec: ColumnCodec::for_keys("window")?,
        })
    }

    /// Makes room for all keys. Call it when keys were added, before their windows are accessed.
    pub fn grow(&mut self) {
        self.heads.resize(self.keys.end() as usize, NONE);
    }

    #[inline]
    pub fn entry(&self, slot: u32) -> &Entry<W> {
        &self.entries[slot as usize]
    }

    #[inline]
    pub fn entry_mut(&mut self, slot: u32) -> &mut Entry<W> {
        &mut self.entries[slot as usize]
    }

    /// The slot of a window, which is created if necessary. The search begins at `hint`, a window of the same
    /// key, if that is a later one.
    #[inline]
    pub fn intern(&mut self, key: u32, window: &W, hint: u32) -> u32 {
        let mut before = NONE;
        if let Some(entry) = self.entries.get(hint as usize)
            && entry.window > *window
        {
            before = hint;
        }
        let mut at = self.after(key, before);
        while at != NONE {
            let entry = &self.entries[at as usize];
            match entry.window.cmp(window) {
                std::cmp::Ordering::Equal => return at,
                std::cmp::Ordering::Less => break,
                std::cmp::Ordering::Greater => (before, at) = (at, entry.next),
            }
        }
        self.insert(key, window, before, at)
    }

    #[inline]
    fn after(&self, key: u32, before: u32) -> u32 {
        if before == NONE { self.heads[key as usize] } else { self.entries[before as usize].next }
    }

    fn link(&mut self, key: u32, before: u32, slot: u32) {
        match before {
            NONE => self.heads[key as usize] = slot,
            before => self.entries[before as usize].next = slot,
        }
    }

    #[cold]
    fn insert(&mut self, key: u32, window: &W, before: u32, next: u32) -> u32 {
        let entry = Entry { window: window.clone(), key, next, live: false, queued: None };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.entries[slot as usize] = entry;
                slot
            }
            None => {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
        };
        self.link(key, before, slot);
        slot
    }

    fn unlink(&mut self, slot: u32) {
        let (key, next) = (self.entries[slot as usize].key, self.entries[slot as usize].next);
        let (mut before, mut at) = (NONE, self.heads[key as usize]);
        while at != slot && at != NONE {
            (before, at) = (at, self.entries[at as usize].next);
        }
        self.link(key, before, next);
    }

    /// Replaces the window of a slot.
    pub fn rename(&mut self, slot: u32, window: &W) {
        let key = self.entries[slot as usize].key;
        self.unlink(slot);
        let (mut before, mut at) = (NONE, self.heads[key as usize]);
        while at != NONE && self.entries[at as usize].window > *window {
            (before, at) = (at, self.entries[at as usize].next);
        }
        let entry = &mut self.entries[slot as usize];
        entry.window = window.clone();
        entry.next = at;
        self.link(key, before, slot);
    }

    /// Frees the slot of a window.
    pub fn remove(&mut self, slot: u32) {
        let key = self.entries[slot as usize].key;
        if key == NONE {
            return;
        }
        self.unlink(slot);
        let entry = &mut self.entries[slot as usize];
        (entry.key, entry.live, entry.queued) = (NONE, false, None);
        self.free.push(slot);
        if self.heads[key as usize] == NONE {
            self.bare.push(key);
        }
    }

    /// Whether the key has windows, even if they are over.
    pub fn has_windows(&self, key: u32) -> bool {
        self.heads.get(key as usize).is_some_and(|head| *head != NONE)
    }

    /// The slots of a key's existing windows.
    pub fn live(&self, key: u32) -> impl Iterator<Item = u32> + '_ {
        let next = |slot: u32| (slot != NONE).then_some(slot);
        let all = std::iter::successors(next(self.heads[key as usize]), move |slot| {
            next(self.entries[*slot as usize].next)
        });
        all.filter(|slot| self.entries[*slot as usize].live)
    }

    /// All slots that are in use.
    pub fn slots(&self) -> impl Iterator<Item = u32> + use<K, W> {
        let used = self.entries.iter().enumerate().filter(|(_, entry)| entry.key != NONE);
        used.map(|(slot, _)| slot as u32).collect::<Vec<_>>().into_iter()
    }
}

/// In snapshots a window has its own columns, separate from the key, which alone decides the key group.
impl<K: Key, W: Window> Index for WindowTable<K, W> {
    fn fields(&self) -> Vec<FieldRef> {
        let mut fields = self.keys.fields();
        fields.push(self.codec.field().clone());
        fields
    }

    fn slots_end(&self) -> usize {
        self.entries.len()
    }

    fn partition_columns(&self) -> usize {
        self.keys.partition_columns()
    }

    fn columns(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let keys: Vec<u32> = slots.iter().map(|slot| self.entry(*slot).key).collect();
        let mut columns = self.keys.columns(&keys)?;
        columns.push(self.codec.encode(slots.iter().map(|slot| &self.entry(*slot).window))?);
        Ok(columns)
    }

    fn key_groups(&self, slots: &[u32], _: &[ArrayRef]) -> Vec<u16> {
        slots.iter().map(|slot| self.keys.key_group(self.entry(*slot).key)).collect()
    }

    fn restore(&mut self, rows: &RecordBatch) -> Result<Vec<u32>> {
        let stored = Stored::of(rows, self.codec.field())
            .map_err(|error| error.context("it is not the state of windows"))?;
        let keys = self.keys.restore(rows)?;
        let windows = self.codec.decode_stored(&stored.field, &stored.column)?;
        self.grow();
        Ok(keys.into_iter().zip(&windows).map(|(key, window)| self.intern(key, window, NONE)).collect())
    }
}
