//! Keys that expire together with all their rows.

use flott_state::{GroupedRows, RowColumn, SharedIndex, SlotColumns};
use flott_types::Timestamp;

/// Notes that the keys in these slots are used.
pub(super) fn touch<V: SlotColumns>(rows: &mut RowColumn<GroupedRows<V>>, slots: &[u32], now: Timestamp) {
    if rows.ttl().is_none() {
        return;
    }
    for slot in slots {
        let entries: Vec<u32> = rows.entries_of(*slot).collect();
        for entry in entries {
            rows.touch(entry, now);
        }
    }
}

/// Forgets those of the keys that have expired, and returns them.
pub(super) fn forget_expired<V: SlotColumns>(
    rows: &mut RowColumn<GroupedRows<V>>,
    index: &mut SharedIndex,
    slots: &[u32],
    now: Timestamp,
) -> Vec<u32> {
    if rows.ttl().is_none() {
        return Vec::new();
    }
    let expired = |slot: &u32| rows.entries_of(*slot).next().is_some_and(|entry| rows.is_expired(entry, now));
    let mut gone: Vec<u32> = slots.iter().copied().filter(expired).collect();
    gone.sort_unstable();
    gone.dedup();
    index.freed().extend(gone.iter().filter(|slot| rows.remove_key(**slot)));
    gone
}

/// Removes some expired keys, except those that `stays` says are still needed. Returns the removed ones.
pub(super) fn expire<V: SlotColumns>(
    rows: &mut RowColumn<GroupedRows<V>>,
    index: &mut SharedIndex,
    now: Timestamp,
    number: usize,
    stays: impl Fn(u32) -> bool,
) -> Vec<u32> {
    let mut keys: Vec<u32> = rows.sweep(now, number).into_iter().map(|entry| rows.key_of(entry)).collect();
    keys.sort_unstable();
    keys.dedup();
    let (kept, gone): (Vec<u32>, Vec<u32>) = keys.into_iter().partition(|slot| stays(*slot));
    touch(rows, &kept, now);
    index.freed().extend(gone.iter().filter(|slot| rows.remove_key(**slot)));
    gone
}
