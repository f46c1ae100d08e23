//! Adds the rows of a batch to a side, and takes away those that it retracts.

use arrow::array::ArrayRef;
use flott_batch::{ChangeBatch, RowKind};
use flott_state::SharedIndex;
use flott_types::{Error, Result, Timestamp};

use super::side::{Layout, Side};
use crate::support::Changelog;

/// What happened to the rows of a batch.
#[derive(Default)]
pub(super) struct Absorbed {
    /// The entry of each row; empty if rows are not kept.
    pub entries: Vec<u32>,
    /// For each row: how many matches its entry had, if the entry was there before; otherwise -1.
    pub known: Vec<i64>,
    /// Rows that retract a missing row.
    pub ignored: Vec<bool>,
    /// Whether there are updates: a -U directly before a +U that takes its place under the same key. By row whether it is
    /// the second half; empty if there are none.
    pub replaces: Vec<bool>,
    /// Entries that may be gone.
    gone: Vec<u32>,
}

impl Absorbed {
    /// For rows that are not kept.
    pub fn let_through(rows: usize) -> Self {
        Absorbed { known: vec![-1; rows], ignored: vec![false; rows], ..Absorbed::default() }
    }

    /// Whether a row is the second half of an update in place.
    #[inline]
    pub fn replaces(&self, row: usize) -> bool {
        self.replaces.get(row).copied().unwrap_or(false)
    }
}

/// What a batch makes of each entry that it touches.
#[derive(Default)]
pub(super) struct Latest {
    batch: u32,
    /// By entry: the batch that touched it last, and the number of its net change there.
    of: Vec<(u32, u32)>,
}

/// What a batch makes of an entry.
struct Net {
    entry: u32,
    /// The slot of its key.
    key: u32,
    /// Whether it has a row from before the batch, and how many matches that has.
    stored: bool,
    known: i64,
    /// The row of the batch that retracts the stored one.
    retraction: Option<u32>,
    /// Its last row in the batch.
    after: Option<u32>,
}

impl Latest {
    fn begin(&mut self) {
        self.batch = self.batch.wrapping_add(1);
        if self.batch == 0 {
            self.of.clear();
            self.batch = 1;
        }
    }

    /// The number of the net change of an entry, which is `next` if the batch has not touched it before.
    #[inline]
    fn number(&mut self, entry: u32, next: usize) -> usize {
        if entry as usize >= self.of.len() {
            self.of.resize(entry as usize + 1, (0, 0));
        }
        let (batch, number) = &mut self.of[entry as usize];
        if std::mem::replace(batch, self.batch) != self.batch {
            *number = next as u32;
        }
        *number as usize
    }
}

impl Side {
    /// Adds the rows of a batch, whose keys are in these slots, or takes them away. Rows that are gone stay until
    /// [`Side::forget`]. Of rows with a unique key the batch and the slots become those of its net changes.
    pub fn absorb(
        &mut self,
        batch: ChangeBatch,
        keys: &mut Vec<u32>,
        index: &SharedIndex,
        now: Timestamp,
    ) -> Result<(ChangeBatch, Absorbed)> {
        let rest = self.columns.rest(batch.columns().columns());
        match self.layout {
            Layout::Counted => {
                let absorbed = self.count_rows(&batch, keys, &rest, now)?;
                Ok((batch, absorbed))
            }
            Layout::Appended(_) => {
                let absorbed = self.append(&batch, keys, &rest)?;
                Ok((batch, absorbed))
            }
            Layout::Unique => self.put(batch, keys, &rest, index, now),
        }
    }

    fn count_rows(
        &mut self,
        batch: &ChangeBatch,
        keys: &[u32],
        rest: &[ArrayRef],
        now: Timestamp,
    ) -> Result<Absorbed> {
        let rows = batch.physical_rows();
        let mut absorbed = Absorbed::default();
        let mut fresh = Vec::new();
        self.rows.intern(keys, rest, &mut absorbed.entries, |entry, _| fresh.push(entry))?;
        absorbed.known.reserve(rows);
        absorbed.ignored.reserve(rows);
        fresh.sort_unstable();
        for (row, entry) in absorbed.entries.iter().copied().enumerate() {
            let at = entry as usize;
            let mut is_new = !fresh.is_empty() && fresh.binary_search(&entry).is_ok();
            let expired = !is_new && self.rows.is_expired(entry, now);
            is_new |= expired;
            self.rows.touch(entry, now);
            let values = self.rows.values_mut();
            let known =
                values.matches.as_ref().filter(|_| !is_new).map_or(-1, |matches| matches.values()[at]);
            let count =
                values.count.as_mut().ok_or_else(|| Error::internal("rows of a join are not counted"))?;
            let count = &mut count.values_mut()[at];
            if expired {
                *count = 0;
            }
            let adds = batch.kind(row).is_addition();
            let ignored = !adds && *count <= 0;
            if !ignored {
                *count += if adds { 1 } else { -1 };
                self.rows.mark(entry);
            }
            absorbed.known.push(known);
            absorbed.ignored.push(ignored);
        }
        let gone = absorbed.entries.iter().copied().filter(|entry| self.count(*entry) == 0);
        absorbed.gone = gone.collect();
        Ok(absorbed)
    }

    fn append(&mut self, batch: &ChangeBatch, keys: &[u32], rest: &[ArrayRef]) -> Result<Absorbed> {
        if batch.kinds().is_some_and(|kinds| kinds.iter().any(|kind| !kind.is_addition())) {
            return Err(Error::internal("a retraction where only insertions were planned for"));
        }
        let Layout::Appended(next) = &mut self.layout else {
            return Err(Error::internal("rows of a join do not only append"));
        };
        let numbers = Side::numbers(next, keys.len());
        let mut absorbed = Absorbed::let_through(keys.len());
        self.rows.intern(keys, &[numbers], &mut absorbed.entries, |_, _| ())?;
        let all: Vec<u32> = (0..keys.len() as u32).collect();
        self.rows.values_mut().rest.set_rows(&absorbed.entries, rest, &all)?;
        Ok(absorbed)
    }

    /// Each row takes the place of the one that its unique key has. Gives the net change of each key, with the slots
    /// of the join's keys.
    fn put(
        &mut self,
        batch: ChangeBatch,
        keys: &mut Vec<u32>,
        rest: &[ArrayRef],
        index: &SharedIndex,
        now: Timestamp,
    ) -> Result<(ChangeBatch, Absorbed)> {
        let of = |places: &[usize]| places.iter().map(|at| rest[*at].clone()).collect::<Vec<_>>();
        let (identity, payload) = (of(&self.identity), of(&self.payload));
        let Side { rows, latest, .. } = self;
        let (mut entries, mut fresh) = (Vec::new(), Vec::new());
        rows.intern(keys, &identity, &mut entries, |entry, _| fresh.push(entry))?;
        fresh.sort_unstable();
        latest.begin();
        let mut changes: Vec<Net> = Vec::new();
        for (row, entry) in entries.into_iter().enumerate() {
            let number = latest.number(entry, changes.len());
            if number == changes.len() {
                let stored = fresh.binary_search(&entry).is_err() && !rows.is_expired(entry, now);
                rows.touch(entry, now);
                let matches = rows.values().matches.as_ref().filter(|_| stored);
                let known = matches.map_or(-1, |matches| matches.values()[entry as usize]);
                changes.push(Net { entry, key: keys[row], stored, known, retraction: None, after: None });
            }
            let Some(change) = changes.get_mut(number) else { continue };
            let adds = batch.kind(row).is_addition();
            if !adds && change.after.is_none() && change.retraction.is_none() {
                change.retraction = Some(row as u32);
            }
            change.after = adds.then_some(row as u32);
        }
        let new = batch.columns().columns();
        // Stored rows that nobody retracts.
        let silent = |change: &&Net| change.stored && change.retraction.is_none();
        let silent: Vec<u32> = changes.iter().filter(silent).map(|change| change.entry).collect();
        let old = if silent.is_empty() { Vec::new() } else { self.rows_of(index.keys(), &silent)? };
        let (mut log, mut absorbed, mut olds) = (Changelog::default(), Absorbed::default(), 0..);
        keys.clear();
        let mut push = |change: &Net, kind, (source, row): (usize, u32), known, replaces| {
            log.push(kind, source, row as usize);
            absorbed.entries.push(change.entry);
            absorbed.known.push(known);
            absorbed.replaces.push(replaces);
            keys.push(change.key);
        };
        for change in &changes {
            let before = match change.retraction {
                _ if !change.stored => None,
                Some(row) => Some((NEW, row)),
                None => olds.next().map(|row| (OLD, row)),
            };
            match (before, change.after) {
                (None, None) => (),
                (None, Some(row)) => push(change, RowKind::Insert, (NEW, row), -1, false),
                (Some(before), None) => push(change, RowKind::Delete, before, change.known, false),
                (Some(before), Some(row)) => {
                    push(change, RowKind::UpdateBefore, before, change.known, false);
                    push(change, RowKind::UpdateAfter, (NEW, row), change.known, true);
                }
            }
        }
        absorbed.ignored = vec![false; keys.len()];
        absorbed.gone =
            changes.iter().filter(|change| change.after.is_none()).map(|change| change.entry).collect();
        let full = match old.is_empty() {
            true => log.build(&batch.schema(), &[new])?,
            false => log.build(&batch.schema(), &[new, &old])?,
        };
        let kept = changes.iter().filter_map(|change| Some((change.entry, change.after?)));
        let (kept, last): (Vec<u32>, Vec<u32>) = kept.unzip();
        self.rows.values_mut().rest.set_rows(&kept, &payload, &last)?;
        self.rows.mark_all(&kept);
        Ok((full, absorbed))
    }

    /// Removes the rows of a batch that are gone.
    pub fn forget(&mut self, absorbed: &Absorbed, freed: &mut Vec<u32>) {
        for entry in &absorbed.gone {
            if self.rows.is_live(*entry) {
                freed.extend(self.rows.remove(*entry));
            }
        }
    }
}

/// The sources of net changes: the batch, and the stored rows that it replaces.
const NEW: usize = 0;
const OLD: usize = 1;
