//! Keys as the store has them: the key group, then the key's encoded columns, so that they sort by key group.

use std::sync::Arc;

use flott_types::{Error, KeyGroup, Result};
use parking_lot::Mutex;

use super::run::{Run, RunWriter};
use crate::SlotIndex;
use crate::codec::RowCodec;
use crate::cut::runs;

/// How many bytes of a key in the store come before the key itself: its key group.
pub(super) const GROUP: usize = size_of::<KeyGroup>();
/// Keys of about so many bytes are encoded at a time.
const BYTES_AT_ONCE: usize = 16 << 20;

/// The key group and the key of a key of the store.
pub(super) fn parts_of(key: &[u8]) -> Result<(u16, &[u8])> {
    let (group, key) = key
        .split_first_chunk::<GROUP>()
        .ok_or_else(|| Error::internal("a key of spilled state has no key group"))?;
    Ok((u16::from_be_bytes(*group), key))
}

/// Keys, in any order.
#[derive(Default, Debug)]
pub(super) struct StoredKeys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl StoredKeys {
    /// The keys in these slots.
    pub fn of(index: &dyn SlotIndex, codec: &mut RowCodec, slots: &[u32]) -> Result<Self> {
        Self::in_parts(index, codec, slots, BYTES_AT_ONCE)
    }

    /// All of them may be more than fits into columns.
    fn in_parts(index: &dyn SlotIndex, codec: &mut RowCodec, slots: &[u32], most: usize) -> Result<Self> {
        let mut keys = StoredKeys::default();
        for slots in runs(slots, most, |slot| index.bytes_of(slot)) {
            let columns = index.columns(slots)?;
            let groups = index.key_groups(slots, &columns);
            codec.encode(&columns, slots.len())?;
            for (at, group) in groups.iter().enumerate() {
                keys.bytes.extend_from_slice(&group.to_be_bytes());
                keys.push(codec.row(at));
            }
        }
        Ok(keys)
    }

    /// Adds a key, of which the beginning may be there already.
    pub fn push(&mut self, key: &[u8]) {
        self.bytes.extend_from_slice(key);
        self.ends.push(self.bytes.len());
    }

    pub fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }

    /// Their positions in order of the keys.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.ends.len()).collect();
        order.sort_unstable_by(|a, b| self.get(*a).cmp(self.get(*b)));
        order
    }
}

/// Keys that a snapshot leaves out. There may be as many as the table has: who reads the snapshot sorts them,
/// not the task.
#[derive(Debug)]
pub(super) struct Hidden {
    keys: StoredKeys,
    run: Mutex<Option<Arc<Run>>>,
}

impl Hidden {
    pub fn new(keys: StoredKeys) -> Self {
        Hidden { keys, run: Mutex::default() }
    }

    /// A run that deletes them, to be read above others.
    pub fn run(&self, epoch: u64) -> Result<Arc<Run>> {
        let mut known = self.run.lock();
        if let Some(run) = &*known {
            return Ok(run.clone());
        }
        // Nobody asks its filter.
        let mut run = RunWriter::new(None, 0, epoch)?;
        self.keys.order().into_iter().try_for_each(|at| run.add(self.keys.get(at), None, None))?;
        Ok(known.insert(run.finish(None)?).clone())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, StringArray};
    use arrow::datatypes::{DataType, Field, FieldRef};

    use super::*;
    use crate::ColumnIndex;

    #[test]
    fn keys_are_the_same_in_parts_and_sorted_when_they_are_read() {
        let fields: [FieldRef; 1] = [Arc::new(Field::new("k", DataType::Utf8, true))];
        let mut index = ColumnIndex::new(&fields, 1, 128).unwrap();
        let column: ArrayRef = Arc::new(StringArray::from_iter_values((0..100).map(|n| format!("key {n}"))));
        let mut slots = Vec::new();
        index.keys_mut().intern(&[column], 100, &mut slots, |_, _| ()).unwrap();
        let mut codec = RowCodec::new(&fields).unwrap();
        let whole = StoredKeys::of(&index, &mut codec, &slots).unwrap();
        for most in [1, 10, 77] {
            let parts = StoredKeys::in_parts(&index, &mut codec, &slots, most).unwrap();
            assert_eq!((&parts.bytes, &parts.ends), (&whole.bytes, &whole.ends));
        }
        let hidden = Hidden::new(whole);
        let run = hidden.run(7).unwrap();
        assert_eq!((run.entries(), run.epoch()), (100, 7));
        let scan = crate::spill::run::Scan::from(run.clone(), &[]);
        let (mut scan, mut keys) = (scan.unwrap(), Vec::new());
        while let Some(key) = scan.key() {
            keys.push(key.to_vec());
            scan.advance().unwrap();
        }
        assert!(keys.is_sorted() && keys.len() == 100);
        assert!(Arc::ptr_eq(&run, &hidden.run(7).unwrap()), "all states of a snapshot read the same");
    }
}
