//! Keys that expire with all their rows.

use arrow::array::ArrayRef;
use flott_state::{KeyedMap, NO_SLOT, SlotColumns};
use flott_types::{Result, Timestamp};

/// Notes that keys are used: those in these slots.
pub(super) fn touch<V: SlotColumns>(map: &mut KeyedMap<V>, keys: &[u32], now: Timestamp) {
    if !map.expires() {
        return;
    }
    for key in keys {
        let entries: Vec<u32> = map.entries_of(*key).collect();
        for entry in entries {
            map.touch(entry, now);
        }
    }
}

/// Forgets those of the keys that have expired.
pub(super) fn forget_expired<V: SlotColumns>(
    map: &mut KeyedMap<V>,
    keys: &[ArrayRef],
    number: usize,
    now: Timestamp,
) -> Result<()> {
    if !map.expires() {
        return Ok(());
    }
    let mut slots = Vec::new();
    map.lookup_keys(keys, number, &mut slots)?;
    for key in slots.into_iter().filter(|key| *key != NO_SLOT) {
        let first = map.entries_of(key).next();
        if first.is_some_and(|entry| map.is_expired(entry, now)) {
            map.remove_key(key);
        }
    }
    Ok(())
}

/// Lets go of some keys that have expired and of which `stays` does not say that they are needed. Returns when to call this
/// again at the latest.
pub(super) fn expire<V: SlotColumns>(
    map: &mut KeyedMap<V>,
    now: Timestamp,
    rows: usize,
    stays: impl FnOnce(&[ArrayRef], usize) -> Result<Vec<bool>>,
) -> Result<Option<Timestamp>> {
    let expired = map.sweep(now, rows);
    if !expired.is_empty() {
        let mut keys: Vec<u32> = expired.iter().map(|entry| map.key_of(*entry)).collect();
        keys.sort_unstable();
        keys.dedup();
        let stays = stays(&map.keys_of(&keys)?, keys.len())?;
        for (key, stays) in keys.into_iter().zip(stays) {
            match stays {
                true => touch(map, &[key], now),
                false => map.remove_key(key),
            }
        }
    }
    Ok(map.wake_at())
}
