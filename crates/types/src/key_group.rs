//! Key groups: the unit in which keyed state is spread over subtasks and moved when a job is rescaled.
//!
//! `key -> hash -> key group in [0, max_parallelism) -> subtask`. A subtask owns a contiguous range of key
//! groups. The assignment follows Flink's `KeyGroupRangeAssignment`; the hash itself is ours and fixed
//! forever, because snapshots are laid out by it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::SubtaskIndex;

/// The lowest default for the number of key groups.
pub const DEFAULT_LOWER_BOUND_MAX_PARALLELISM: u32 = 128;
/// The largest possible number of key groups.
pub const UPPER_BOUND_MAX_PARALLELISM: u32 = 32_768;

/// One of `max_parallelism` groups of keys.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct KeyGroup(pub u16);

impl KeyGroup {
    /// The group of a key with the given stable hash.
    #[inline]
    pub fn of_hash(hash: u64, max_parallelism: u32) -> Self {
        // The upper half multiplied into the range: no division on the path of a record.
        KeyGroup((((hash >> 32) * u64::from(max_parallelism)) >> 32) as u16)
    }

    /// The subtask that owns this group.
    #[inline]
    pub fn subtask(self, max_parallelism: u32, parallelism: u32) -> SubtaskIndex {
        SubtaskIndex(u32::from(self.0) * parallelism / max_parallelism)
    }
}

/// An inclusive range of key groups; `first > last` is the empty range.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct KeyGroupRange {
    /// The first group of the range.
    pub first: u16,
    /// The last group of the range.
    pub last: u16,
}

impl KeyGroupRange {
    /// The range that a subtask owns.
    pub fn of_subtask(subtask: SubtaskIndex, max_parallelism: u32, parallelism: u32) -> Self {
        let first = (subtask.0 * max_parallelism).div_ceil(parallelism);
        let end = ((subtask.0 + 1) * max_parallelism).div_ceil(parallelism);
        KeyGroupRange { first: first as u16, last: (end - 1) as u16 }
    }

    /// Every group of a job.
    pub fn all(max_parallelism: u32) -> Self {
        KeyGroupRange { first: 0, last: (max_parallelism - 1) as u16 }
    }

    /// Whether the group lies in the range.
    #[inline]
    pub fn contains(&self, group: KeyGroup) -> bool {
        self.first <= group.0 && group.0 <= self.last
    }

    /// The groups of both ranges; `last` is before `first` if they share none.
    #[must_use]
    pub fn intersection(self, other: KeyGroupRange) -> KeyGroupRange {
        KeyGroupRange { first: self.first.max(other.first), last: self.last.min(other.last) }
    }

    /// Whether the two ranges share a group.
    pub fn overlaps(&self, other: &KeyGroupRange) -> bool {
        self.first.max(other.first) <= self.last.min(other.last)
    }
}

impl fmt::Display for KeyGroupRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// The number of key groups of an operator for which none was set, as Flink computes it: one and a half times
/// the parallelism, rounded up to a power of two, at least 128 and at most 32768.
pub fn default_max_parallelism(parallelism: u32) -> u32 {
    (parallelism + parallelism / 2)
        .next_power_of_two()
        .clamp(DEFAULT_LOWER_BOUND_MAX_PARALLELISM, UPPER_BOUND_MAX_PARALLELISM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_every_group_once_and_agree_with_the_assignment() {
        for max_parallelism in [1, 2, 3, 7, 127, 128, 200, 32_768] {
            for parallelism in [1, 2, 3, 4, 5, 64, 128].into_iter().filter(|p| *p <= max_parallelism) {
                let mut next = 0;
                for subtask in (0..parallelism).map(SubtaskIndex) {
                    let range = KeyGroupRange::of_subtask(subtask, max_parallelism, parallelism);
                    assert_eq!(u32::from(range.first), next);
                    next = u32::from(range.last) + 1;
                    for group in range.first..=range.last {
                        assert_eq!(KeyGroup(group).subtask(max_parallelism, parallelism), subtask);
                    }
                }
                assert_eq!(next, max_parallelism);
            }
        }
    }

    #[test]
    fn default_max_parallelism_is_flinks() {
        assert_eq!(default_max_parallelism(1), 128);
        assert_eq!(default_max_parallelism(85), 128);
        assert_eq!(default_max_parallelism(86), 256);
        assert_eq!(default_max_parallelism(30_000), 32_768);
    }

    #[test]
    fn hashes_spread_over_all_groups() {
        assert_eq!(KeyGroup::of_hash(0, 128), KeyGroup(0));
        assert_eq!(KeyGroup::of_hash(u64::MAX, 128), KeyGroup(127));
        assert_eq!(KeyGroup::of_hash(u64::MAX, 32_768), KeyGroup(32_767));
    }
}
