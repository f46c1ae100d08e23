//! Windows that fire.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use flott_operator::Context;
use flott_operator::windows::Slicing;
use flott_state::{KeyIndex, NO_SLOT, SlotColumns};
use flott_types::{Error, FastSet, Result};

use super::{WindowAggregate, key_fields_of};
use crate::accumulate::MergeInto;

/// So many groups, or those that they are added up from, are worked on at a time: they are all in memory.
const AT_ONCE: usize = 4_096;

impl WindowAggregate {
    /// Fires a window whose groups are all in memory.
    pub(super) fn fire_window(&mut self, window: i64, context: &mut Context<'_>) -> Result<()> {
        let Some(slicing) = self.slicing else {
            let slots = self.slices.remove(&window).unwrap_or_default();
            self.emit(&slots, &slots, window, context)?;
            slots.iter().for_each(|slot| self.table.remove(*slot));
            return Ok(());
        };
        if let Some(first) = slicing.accumulating_slice(window) {
            self.accumulate_slice(window, first)?;
            let slots = self.slices.get(&first).cloned().unwrap_or_default();
            self.emit(&slots, &slots, window, context)?;
        } else {
            let parts: Vec<&Vec<u32>> =
                self.slices.range(slicing.start(window) + 1..=window).map(|(_, slots)| slots).collect();
            match parts.as_slice() {
                [] => (),
                [slots] => {
                    let slots = (*slots).clone();
                    self.emit(&slots, &slots, window, context)?;
                }
                _ => {
                    let slots = parts.into_iter().flatten().copied().collect::<Vec<_>>();
                    self.emit_sums(&slots, window, context)?;
                }
            }
        }
        let over = |slice: i64| slicing.accumulating_slice(slice).is_none_or(|first| first == slice);
        while let Some(entry) = self.slices.first_entry().filter(|e| slicing.last_window(*e.key()) <= window)
        {
            debug_assert!(over(*entry.key()), "a slice was left behind");
            let slots = entry.remove();
            slots.iter().for_each(|slot| self.table.remove(*slot));
        }
        let next = slicing.next_window(window);
        let slices = slicing.start(next) + 1..=next;
        let mut has_groups = false;
        for slots in self.slices.range(slices).map(|(_, slots)| slots) {
            has_groups = true;
            let wait = |slot: &&u32| self.table.wanted_at(**slot).is_some_and(|at| at <= window);
            let waiting: Vec<u32> = slots.iter().filter(wait).copied().collect();
            waiting.into_iter().for_each(|slot| self.table.want(slot, next));
        }
        if has_groups {
            self.due.insert(next);
        }
        Ok(())
    }

    /// Moves a slice of a growing window into the window's first slice.
    fn accumulate_slice(&mut self, slice: i64, first: i64) -> Result<()> {
        let from = if slice == first { Vec::new() } else { self.slices.remove(&slice).unwrap_or_default() };
        if from.is_empty() {
            return Ok(());
        }
        let mut keys = self.table.keys_of(&from)?;
        keys.pop();
        keys.push(Arc::new(Int64Array::from(vec![first; from.len()])));
        let (mut to, mut new) = (Vec::new(), Vec::new());
        self.table.intern(&keys, from.len(), &mut to, |slot, _| new.push(slot))?;
        new.iter().for_each(|slot| self.table.want(*slot, slice));
        self.slices.entry(first).or_default().append(&mut new);
        self.table.values_mut().merge(&from, &to, MergeInto::Groups)?;
        self.table.mark_all(&to);
        from.iter().for_each(|slot| self.table.remove(*slot));
        Ok(())
    }

    /// Adds up groups that differ only in the slice and emits the sums.
    fn emit_sums(&mut self, slots: &[u32], window: i64, context: &mut Context<'_>) -> Result<()> {
        let mut keys = self.table.keys_of(slots)?;
        keys.truncate(self.keys.len());
        let fields = key_fields_of(&keys);
        let (mut groups, mut of_group) = (Vec::new(), Vec::new());
        let mut index = KeyIndex::new(&fields)?;
        index.intern(&keys, slots.len(), &mut groups, |_, row| of_group.push(slots[row]))?;
        let base = self.table.slots_end() as u32;
        let sums: Vec<u32> = (0..of_group.len() as u32).map(|group| base + group).collect();
        let to: Vec<u32> = groups.iter().map(|group| base + group).collect();
        let aggregates = self.table.values_mut();
        sums.iter().for_each(|slot| SlotColumns::reset(aggregates, *slot));
        aggregates.merge(slots, &to, MergeInto::Moment)?;
        self.emit(&of_group, &sums, window, context)?;
        let aggregates = self.table.values_mut();
        sums.iter().for_each(|slot| SlotColumns::reset(aggregates, *slot));
        Ok(())
    }

    /// Fires a window of which some groups are not in memory: those that are, and then the others, as many at a
    /// time as there is room for. A group that has fired is wanted later, or is removed.
    pub(super) fn fire_in_parts(&mut self, window: i64, context: &mut Context<'_>) -> Result<()> {
        loop {
            let slots = self.table.fetch_wanted(window)?;
            for slots in slots.chunks((AT_ONCE / self.slices_of_window(window)).max(1)) {
                // Some may have come and gone with others of their key.
                let wait = |slot: &&u32| self.table.wanted_at(**slot).is_some_and(|at| at <= window);
                let slots: Vec<u32> = slots.iter().filter(wait).copied().collect();
                if !slots.is_empty() {
                    self.fire_groups(&slots, window, context)?;
                    self.table.make_room()?;
                }
            }
            if !self.table.wants_more(window) {
                break;
            }
        }
        self.close_window(window);
        Ok(())
    }

    /// How many slices a window consists of.
    fn slices_of_window(&self, window: i64) -> usize {
        let Some(slicing) = self.slicing else { return 1 };
        match slicing.accumulating_slice(window) {
            Some(_) => 2,
            None => self.slices.range(slicing.start(window) + 1..=window).count().max(1),
        }
    }

    /// Forgets the slices that are over, and notes that the next window is due.
    fn close_window(&mut self, window: i64) {
        let Some(slicing) = self.slicing else {
            self.slices.remove(&window);
            return;
        };
        if let Some(first) = slicing.accumulating_slice(window)
            && self.slices.remove(&window).is_some()
        {
            self.slices.entry(first).or_default();
        }
        while let Some(entry) = self.slices.first_entry().filter(|e| slicing.last_window(*e.key()) <= window)
        {
            entry.remove();
        }
        let next = slicing.next_window(window);
        if self.slices.range(slicing.start(next) + 1..=next).next().is_some() {
            self.due.insert(next);
        }
    }

    /// Fires a window for the keys of some groups that wait for it.
    fn fire_groups(&mut self, slots: &[u32], window: i64, context: &mut Context<'_>) -> Result<()> {
        let Some(slicing) = self.slicing else {
            self.emit(slots, slots, window, context)?;
            slots.iter().for_each(|slot| self.table.remove(*slot));
            return Ok(());
        };
        match slicing.accumulating_slice(window) {
            Some(first) => {
                let groups = self.accumulated(slots, window, first)?;
                self.emit(&groups, &groups, window, context)?;
                self.wait_for_next(&groups, &vec![first; groups.len()], slicing, window);
            }
            // The window is a single slice.
            None if slicing.slice_start(window) == slicing.start(window) => {
                self.emit(slots, slots, window, context)?;
                slots.iter().for_each(|slot| self.table.remove(*slot));
            }
            None => {
                let (groups, slices) = self.of_same_keys(slots, slicing, window)?;
                self.emit_sums(&groups, window, context)?;
                self.wait_for_next(&groups, &slices, slicing, window);
            }
        }
        Ok(())
    }

    /// Groups that have fired wait for their next window, or are removed.
    fn wait_for_next(&mut self, groups: &[u32], slices: &[i64], slicing: Slicing, window: i64) {
        let next = slicing.next_window(window);
        for (slot, slice) in groups.iter().zip(slices) {
            match slicing.last_window(*slice) <= window {
                true => self.table.remove(*slot),
                false => self.table.want(*slot, next),
            }
        }
    }

    /// The columns of the keys of groups, without their slices.
    fn plain_keys(&self, slots: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut keys = self.table.keys_of(slots)?;
        keys.truncate(self.keys.len());
        Ok(keys)
    }

    /// The slices of groups.
    pub(super) fn slices_of(&self, slots: &[u32]) -> Result<Vec<i64>> {
        let keys = self.table.keys_of(slots)?;
        let slices = keys.last().and_then(|slices| slices.as_primitive_opt::<Int64Type>());
        let slices = slices.ok_or_else(|| Error::internal("a group without a slice"))?;
        Ok(slices.values().to_vec())
    }

    /// All groups of a window that have the keys of these groups, each once, and their slices.
    fn of_same_keys(&mut self, slots: &[u32], slicing: Slicing, window: i64) -> Result<(Vec<u32>, Vec<i64>)> {
        let keys = self.plain_keys(slots)?;
        let slices = self.slices.range(slicing.start(window) + 1..=window).map(|(slice, _)| *slice);
        let (mut groups, mut of_groups) = (Vec::new(), Vec::new());
        let (mut found, mut seen) = (Vec::new(), FastSet::default());
        for slice in slices.collect::<Vec<i64>>() {
            self.find(&keys, slots.len(), slice, &mut found)?;
            for slot in found.iter().filter(|slot| **slot != NO_SLOT) {
                if seen.insert(*slot) {
                    groups.push(*slot);
                    of_groups.push(slice);
                }
            }
        }
        Ok((groups, of_groups))
    }

    /// Moves what the keys of these groups have in the slice of a growing window into the window's first slice.
    /// Returns their groups there.
    fn accumulated(&mut self, slots: &[u32], window: i64, first: i64) -> Result<Vec<u32>> {
        let mut keys = self.plain_keys(slots)?;
        let mut from = Vec::new();
        self.find(&keys, slots.len(), window, &mut from)?;
        keys.push(Arc::new(Int64Array::from(vec![first; slots.len()])));
        let (mut to, mut new) = (Vec::new(), Vec::new());
        self.table.intern(&keys, slots.len(), &mut to, |slot, _| new.push(slot))?;
        new.into_iter().for_each(|slot| self.table.want(slot, window));
        // Of a key both groups may be among those that wait.
        let mut seen = FastSet::default();
        let pairs = from.into_iter().zip(to).filter(|(_, to)| seen.insert(*to));
        let pairs: Vec<(u32, u32)> = pairs.collect();
        if window != first {
            let moved = pairs.iter().copied().filter(|(from, _)| *from != NO_SLOT);
            let (from, to): (Vec<u32>, Vec<u32>) = moved.unzip();
            self.table.values_mut().merge(&from, &to, MergeInto::Groups)?;
            self.table.mark_all(&to);
            from.iter().for_each(|slot| self.table.remove(*slot));
        }
        Ok(pairs.into_iter().map(|(_, to)| to).collect())
    }

    /// The groups of keys in a slice, or [`NO_SLOT`].
    fn find(&mut self, keys: &[ArrayRef], rows: usize, slice: i64, found: &mut Vec<u32>) -> Result<()> {
        let mut keys = keys.to_vec();
        keys.push(Arc::new(Int64Array::from(vec![slice; rows])));
        self.table.lookup(&keys, rows, found)
    }
}
