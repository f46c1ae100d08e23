//! Which keys leave a table, and how they come back.
//!
//! The hand of a clock goes round over the slots: a key that was used since the hand came by last stays for
//! another round. Uses are noted only once the table has exceeded its share of memory: one bit for each
//! record.
//!
//! How many keys may stay follows from what the table holds: when that is more than its share, fewer may; the
//! memory of those that left is used for the next ones. So what the table holds grows no more, but does not
//! shrink either.

use std::mem::take;

use flott_types::{Error, FastSet, Result, Timestamp};

use super::due::Due;
use super::keys::{GROUP, Hidden, StoredKeys};
use super::sweep::Sweep;
use super::{Backend, Fetched, Pairs, Spilled, SpilledSnapshot, SpilledTable, TableMemory};
use crate::bits::Bits;
use crate::codec::RowCodec;
use crate::spill::runs::Runs;
use crate::{KeyedDelta, NO_SLOT, SlotIndex, StateColumn};

/// At most so many keys, and about so many bytes, leave at a time.
const AT_ONCE: usize = 32 << 10;
const BYTES_AT_ONCE: usize = 16 << 20;
/// Or this part of the memory for state.
const AT_ONCE_OF_BUDGET: usize = 16;
/// More deletions than this are written at once.
const DELETIONS: usize = 64 << 10;
/// How much memory a table holds is asked once for as many rows as it has keys, divided by this.
const ROWS_UNCHECKED: usize = 64;
/// What fewer keys hold is not measured more often: that would cost more than what a row does.
const FEW_KEYS: usize = 1_024;
/// It is asked sooner if the rows, as large as those before, may have added the budget divided by this.
const BYTES_UNCHECKED: usize = 64;
/// About how many bytes of memory a deletion that waits has.
const GONE: usize = 64;
/// So much of its share, divided by this, a table has for keys, however much the store's filters take.
const LEAST_OF_SHARE: usize = 4;

/// Of the keys that may be in the table, this part comes back at a time because timers are due, and at least
/// some.
const PARTS_OF_DUE: usize = 8;
const LEAST_DUE: usize = 64;

/// The keys of a table that are not in memory. See the module's header.
pub(crate) struct Cold {
    memory: TableMemory,
    store: Runs,
    codec: RowCodec,
    /// The states by their number in values.
    names: Vec<String>,
    /// By slot: used since the hand came by.
    used: Bits,
    /// By slot: the store has something of the key, which is stale; and that since the last snapshot.
    stale: Bits,
    stale_since: Bits,
    /// Keys that the store has and that are gone.
    gone: FastSet<Box<[u8]>>,
    hand: u32,
    /// So many keys may be in the table; all, before it exceeds its share.
    most: usize,
    /// What the table held when that was decided.
    held: usize,
    has_spilled: bool,
    /// How many rows were interned since room was made.
    rows_since: usize,
    /// What the table held then, and by how much each row had made it grow.
    looked: usize,
    per_row: usize,
    /// Some state cannot leave memory: nothing does, and what there is is only counted.
    stays: bool,
    /// When keys in the store have timers.
    due: Due,
    /// Looks for keys in the store that have expired.
    sweep: Option<Sweep>,
    /// What went wrong where no error can be returned.
    failed: Option<Error>,
}

impl Cold {
    /// For a table over this index, whose keys live this many milliseconds after their last use if they
    /// expire. If it `stays`, no key leaves: what there is is counted, and where nothing may leave memory, too
    /// much is an error.
    pub fn new(index: &dyn SlotIndex, memory: TableMemory, ttl: Option<i64>, stays: bool) -> Result<Self> {
        let mut stays = stays;
        let codec = match RowCodec::new(&index.fields()) {
            Ok(codec) => codec,
            Err(_) => {
                tracing::info!("a state stays in memory: it has keys of a type that cannot leave it");
                stays = true;
                RowCodec::new(&[])?
            }
        };
        if let Some(error) = memory.options().folder_error() {
            tracing::warn!("a job whose state outgrows memory will fail: {error}");
        }
        Ok(Cold {
            store: Runs::new(memory.options().folder.clone()),
            due: Due::new(memory.options().folder.clone()),
            stays,
            memory,
            codec,
            names: Vec::new(),
            used: Bits::default(),
            stale: Bits::default(),
            stale_since: Bits::default(),
            gone: FastSet::default(),
            hand: 0,
            most: usize::MAX,
            held: 0,
            has_spilled: false,
            rows_since: 0,
            looked: 0,
            per_row: 0,
            sweep: ttl.map(Sweep::new),
            failed: None,
        })
    }

    /// Whether a key that is not in the table may be in the store.
    #[inline]
    pub fn has_spilled(&self) -> bool {
        self.has_spilled
    }

    /// Notes that the keys in these slots are used.
    #[inline]
    pub fn note_use(&mut self, slots: &[u32]) {
        self.rows_since = self.rows_since.saturating_add(slots.len());
        if self.most != usize::MAX {
            let found = slots.iter().filter(|slot| **slot != NO_SLOT);
            found.for_each(|slot| _ = self.used.set(*slot));
        }
    }

    /// Whether the table may have become too large. What few rows add is little beside what many keys hold,
    /// unless they are large.
    pub fn wants_room(&self, keys: usize) -> bool {
        let Some(budget) = self.memory.options().budget else { return false };
        self.rows_since.saturating_mul(ROWS_UNCHECKED) >= keys.max(FEW_KEYS)
            || self.rows_since.saturating_mul(self.per_row) >= budget / BYTES_UNCHECKED
    }

    /// Rows were added that were not interned.
    pub fn grew(&mut self) {
        self.rows_since = usize::MAX;
    }

    fn check(&mut self) -> Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn keys_of(&mut self, index: &dyn SlotIndex, slots: &[u32]) -> Result<StoredKeys> {
        StoredKeys::of(index, &mut self.codec, slots)
    }

    /// Brings back what the store has of the keys in these slots, which are new in the table.
    pub fn fetch(
        &mut self,
        index: &dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        new: &[u32],
    ) -> Result<()> {
        if !self.has_spilled || new.is_empty() {
            return Ok(());
        }
        self.check()?;
        let keys = self.keys_of(index, new)?;
        let mut order = keys.order();
        if !self.gone.is_empty() {
            order.retain(|at| {
                let gone = self.gone.remove(keys.get(*at));
                if gone {
                    self.stale.set(new[*at]);
                    self.stale_since.set(new[*at]);
                }
                !gone
            });
        }
        let Cold { store, names, stale, stale_since, .. } = self;
        let sorted: Vec<&[u8]> = order.iter().map(|at| keys.get(*at)).collect();
        let mut fetched = Fetched::new(names);
        let now = store.epoch();
        store.get(&sorted, &mut |at, value, epoch| {
            let slot = new[order[at]];
            stale.set(slot);
            if epoch == now {
                stale_since.set(slot);
            }
            fetched.push(slot, value, epoch < now)
        })?;
        if fetched.slots().is_empty() {
            return Ok(());
        }
        states.iter_mut().try_for_each(|state| state.fetch(&fetched))
    }

    /// Keys are removed from the table: what the store has of them is to be deleted. An error is returned by
    /// the next call that can.
    pub fn remove(&mut self, index: &dyn SlotIndex, slots: &[u32]) {
        if let Err(error) = self.note_gone(index, slots) {
            self.failed.get_or_insert(error);
        }
    }

    fn note_gone(&mut self, index: &dyn SlotIndex, slots: &[u32]) -> Result<()> {
        if self.stale.ones() == 0 {
            return Ok(());
        }
        let stale: Vec<u32> = slots.iter().copied().filter(|slot| self.stale.unset(*slot)).collect();
        if stale.is_empty() {
            return Ok(());
        }
        stale.iter().for_each(|slot| _ = self.stale_since.unset(*slot));
        let keys = self.keys_of(index, &stale)?;
        self.gone.extend((0..stale.len()).map(|at| keys.get(at).into()));
        if self.gone.len() > DELETIONS {
            let pairs = self.with_deletions(&StoredKeys::default(), &[], None, &[]);
            self.store.put(&pairs)?;
        }
        Ok(())
    }

    /// What is spilled, and the deletions that wait.
    fn with_deletions(
        &mut self,
        keys: &StoredKeys,
        order: &[usize],
        spilled: Option<&Spilled<'_>>,
        expiry: &[Timestamp],
    ) -> Pairs {
        let mut gone: Vec<Box<[u8]>> = take(&mut self.gone).into_iter().collect();
        gone.sort_unstable();
        let mut gone = gone.iter().peekable();
        let mut pairs = Pairs::default();
        if let Some(spilled) = spilled {
            spilled.values(expiry, |at, value| {
                let key = keys.get(order[at]);
                while let Some(before) = gone.next_if(|gone| ***gone < *key) {
                    pairs.push(before, None);
                }
                pairs.push(key, Some(value));
            });
        }
        gone.for_each(|gone| pairs.push(gone, None));
        pairs
    }

    /// Lets keys leave if the table, which holds so many bytes, is too large. No slot is in use.
    pub fn make_room(
        &mut self,
        index: &mut dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        held: usize,
    ) -> Result<()> {
        self.check()?;
        let rows = take(&mut self.rows_since).max(1);
        let keys = index.keys_in_use();
        let held = held + self.own_memory();
        self.per_row = held.saturating_sub(self.looked) / rows;
        self.looked = held;
        match self.memory.report(held + self.store.memory()) {
            Some(share) if self.memory.options().backend == Backend::Memory => {
                let name = states.first().map(|state| state.name());
                return Err(self.memory.too_large(name, held, share));
            }
            _ if self.stays => return Ok(()),
            Some(share) if self.most == usize::MAX || held > self.held + self.held / 16 => {
                let for_keys = share.saturating_sub(self.store.memory()).max(share / LEAST_OF_SHARE);
                let fitting = (keys as u128 * for_keys as u128 / held.max(1) as u128) as usize;
                self.most = self.most.min(keys - keys / 8).min(fitting.max(1));
                self.held = held;
            }
            // There is room for all that came.
            None if self.most != usize::MAX && keys > self.most => {
                self.most = keys;
                self.held = held;
            }
            _ => {}
        }
        if keys <= self.most {
            return Ok(());
        }
        // What leaves is in memory several times: as columns, encoded, and as what is written.
        let budget = self.memory.options().budget.unwrap_or(usize::MAX);
        let bytes = (budget / AT_ONCE_OF_BUDGET).min(BYTES_AT_ONCE);
        let at_once = (bytes / (held / keys.max(1)).max(1)).clamp(16, AT_ONCE);
        let mut more = keys - (self.most - self.most / 16);
        while more > 0 {
            let left = self.evict(index, states, more.min(at_once))?;
            if left == 0 {
                break;
            }
            more = more.saturating_sub(left);
        }
        Ok(())
    }

    /// Lets about so many keys leave. Returns how many have.
    fn evict(
        &mut self,
        index: &mut dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        most: usize,
    ) -> Result<usize> {
        let mut slots = self.choose(index, most);
        states.iter_mut().try_for_each(|state| state.retain_settled(&mut slots))?;
        if slots.is_empty() {
            return Ok(0);
        }
        let keys = self.keys_of(index, &slots)?;
        let order = keys.order();
        let sorted: Vec<u32> = order.iter().map(|at| slots[*at]).collect();
        let last =
            |slot: &u32| states.iter().map(|state| state.expiry(*slot)).max().unwrap_or(Timestamp::MAX);
        let expiry: Vec<Timestamp> = sorted.iter().map(last).collect();
        let mut names = take(&mut self.names);
        let mut spilled = Spilled::new(&mut names);
        let read = states.iter_mut().try_for_each(|state| state.spill(&sorted, &mut spilled));
        let pairs = read.map(|()| self.with_deletions(&keys, &order, Some(&spilled), &expiry));
        self.names = names;
        self.store.put(&pairs?)?;
        self.has_spilled = true;
        for state in states.iter() {
            let due = |(at, slot): (usize, &u32)| Some((state.first_due(*slot)?, keys.get(order[at])));
            self.due.add(state.name(), sorted.iter().enumerate().filter_map(due))?;
        }
        states.iter_mut().try_for_each(|state| state.leave(&sorted))?;
        for slot in &sorted {
            self.stale.unset(*slot);
            self.stale_since.unset(*slot);
            index.release(*slot);
        }
        Ok(sorted.len())
    }

    /// Slots whose keys were not used of late, ascending.
    fn choose(&mut self, index: &dyn SlotIndex, most: usize) -> Vec<u32> {
        let end = index.slots_end() as u32;
        let mut slots = Vec::with_capacity(most);
        for _ in 0..2 * u64::from(end) {
            if slots.len() == most {
                break;
            }
            let slot = if self.hand < end { self.hand } else { 0 };
            self.hand = slot + 1;
            if index.is_in_use(slot) && !self.used.unset(slot) {
                slots.push(slot);
            }
        }
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// Brings back some of the keys that have expired, as far as the clock asks for, so that they are removed
    /// like others: their slots, and perhaps others'. `rows` is how many rows have arrived since the last
    /// call.
    pub fn sweep(
        &mut self,
        index: &mut dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        now: Timestamp,
        rows: usize,
    ) -> Vec<u32> {
        self.try_sweep(index, states, now, rows).unwrap_or_else(|error| {
            self.failed.get_or_insert(error);
            // It is told when room is made, which is now.
            self.rows_since = usize::MAX;
            Vec::new()
        })
    }

    fn try_sweep(
        &mut self,
        index: &mut dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        now: Timestamp,
        rows: usize,
    ) -> Result<Vec<u32>> {
        let Some(sweep) = &mut self.sweep else { return Ok(Vec::new()) };
        let expired = sweep.go(&self.store, now, rows)?;
        if expired.is_empty() {
            return Ok(Vec::new());
        }
        self.bring_back(index, states, &expired)
    }

    /// Brings back keys of the store, of which some may be gone or in the table already. Returns the slots of
    /// those that are there.
    fn bring_back(
        &mut self,
        index: &mut dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        stored: &[Vec<u8>],
    ) -> Result<Vec<u32>> {
        let keys = self.codec.decode(stored.iter().map(|key| &key[GROUP..]))?;
        let mut new = Vec::new();
        let slots = index.take_back(&keys, stored.len(), &mut new)?;
        if let Err(error) = self.fetch(index, states, &new) {
            // The next record of such a key must not find a slot without its rows.
            for slot in new.into_iter().filter(|slot| !states.iter().any(|state| state.occupied(*slot))) {
                self.stale.unset(slot);
                self.stale_since.unset(slot);
                index.release(slot);
            }
            return Err(error);
        }
        self.rows_since = self.rows_since.saturating_add(new.len());
        let (used, unused): (Vec<u32>, Vec<u32>) =
            slots.into_iter().partition(|slot| states.iter().any(|state| state.occupied(*slot)));
        // They were gone already.
        let new: FastSet<u32> = new.into_iter().collect();
        let unused: Vec<u32> = unused.into_iter().filter(|slot| new.contains(slot)).collect();
        self.note_gone(index, &unused)?;
        unused.into_iter().for_each(|slot| index.release(slot));
        Ok(used)
    }

    /// Brings back some of the keys whose timers in a state are due, the earliest first. Returns until when
    /// all that are due are in the table: `until`, or less if there are more of them.
    pub fn fetch_due(
        &mut self,
        state: &str,
        index: &mut dyn SlotIndex,
        states: &mut [&mut dyn StateColumn],
        until: Timestamp,
    ) -> Result<Timestamp> {
        let most = (self.most / PARTS_OF_DUE).clamp(LEAST_DUE, AT_ONCE);
        let Some(due) = self.due.of(state) else { return Ok(until) };
        let (keys, until) = due.take(until, most)?;
        if !keys.is_empty() {
            self.bring_back(index, states, &keys)?;
        }
        Ok(until)
    }

    /// The earliest time at which a key that is not in the table may have a timer of a state.
    pub fn first_due(&self, state: &str) -> Option<Timestamp> {
        self.due.first(state)
    }

    /// The latest time to call [`Cold::sweep`] again.
    pub fn wake_at(&self) -> Option<Timestamp> {
        self.sweep.as_ref().filter(|_| self.has_spilled)?.wake_at()
    }

    /// What a snapshot must write of what is in the store, which has rows of these states. `deltas` are those
    /// of the table itself.
    pub fn snapshot(
        &mut self,
        index: &dyn SlotIndex,
        mut tables: Vec<SpilledTable>,
        deltas: &[KeyedDelta],
    ) -> Result<Option<SpilledSnapshot>> {
        if !self.has_spilled {
            return Ok(None);
        }
        self.check()?;
        for table in &mut tables {
            table.full = deltas.iter().any(|delta| delta.full && delta.name == table.name);
        }
        let any_full = tables.iter().any(|table| table.full);
        let view = self.store.view(!any_full);
        let stale = if any_full { &self.stale } else { &self.stale_since };
        let slots: Vec<u32> = stale.iter().collect();
        let mut hidden = None;
        if !view.runs.is_empty() && (!slots.is_empty() || !self.gone.is_empty()) {
            let mut keys = self.keys_of(index, &slots)?;
            self.gone.iter().for_each(|gone| keys.push(gone));
            hidden = Some(Hidden::new(keys));
        }
        let snapshot = SpilledSnapshot::new(view, hidden, self.names.clone(), self.store.epoch(), tables);
        self.store.next_epoch();
        self.stale_since.clear();
        Ok(Some(snapshot))
    }

    fn own_memory(&self) -> usize {
        let bits = self.used.memory() + self.stale.memory() + self.stale_since.memory();
        bits + self.gone.len() * GONE + self.due.memory()
    }

    /// The bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.own_memory() + self.store.memory()
    }
}

impl std::fmt::Debug for Cold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cold({} entries of {} bytes)", self.store.entries(), self.store.bytes())
    }
}
