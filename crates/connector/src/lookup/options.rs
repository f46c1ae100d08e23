//! Options of lookup tables, under Flink's names. A connector lists those that it reads.

use flott_types::Result;

use super::CacheLimits;
use crate::{Options, TableOption, WithDefault};

/// Which rows are kept in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LookupCache {
    /// None.
    None,
    /// Those that were found last: [`PartialCache`](super::PartialCache).
    Partial,
    /// All: [`FullCache`](super::FullCache).
    Full,
}

/// `lookup.cache`, for a connector that has all kinds.
pub const LOOKUP_CACHE: TableOption<LookupCache, WithDefault> = TableOption::word(
    "lookup.cache",
    &[("NONE", LookupCache::None), ("PARTIAL", LookupCache::Partial), ("FULL", LookupCache::Full)],
    "which rows of a lookup table are cached in memory",
)
.in_any_case()
.or("NONE");

/// `lookup.cache`, for a connector that only reads whole tables.
pub const ONLY_FULL_CACHE: TableOption<LookupCache, WithDefault> = TableOption::word(
    "lookup.cache",
    &[("FULL", LookupCache::Full)],
    "which rows of a lookup table are cached in memory",
)
.in_any_case()
.not_yet(&["NONE", "PARTIAL"])
.or("FULL");

/// `lookup.full-cache.reload-strategy`
pub const RELOAD_STRATEGY: TableOption<(), WithDefault> = TableOption::word(
    "lookup.full-cache.reload-strategy",
    &[("PERIODIC", ())],
    "when a fully cached table is reloaded",
)
.in_any_case()
.not_yet(&["TIMED"])
.or("PERIODIC");

/// `lookup.full-cache.periodic-reload.interval`, in milliseconds.
pub const RELOAD_INTERVAL: TableOption<i64> = TableOption::positive_duration(
    "lookup.full-cache.periodic-reload.interval",
    "a fully cached table is reloaded when it is older than this; without it, it is loaded once",
);

/// `lookup.partial-cache.max-rows`
pub const MAX_ROWS: TableOption<u64, WithDefault> = TableOption::number(
    "lookup.partial-cache.max-rows",
    1,
    u64::MAX,
    "the maximum number of cached rows; the least recently used are evicted first",
)
.or("100000");

/// `lookup.partial-cache.expire-after-access`, in milliseconds.
pub const EXPIRE_AFTER_ACCESS: TableOption<i64> = TableOption::positive_duration(
    "lookup.partial-cache.expire-after-access",
    "rows are evicted when they were not used for this long",
);

/// `lookup.partial-cache.expire-after-write`, in milliseconds.
pub const EXPIRE_AFTER_WRITE: TableOption<i64> = TableOption::positive_duration(
    "lookup.partial-cache.expire-after-write",
    "rows are evicted this long after they were loaded",
);

/// `lookup.partial-cache.cache-missing-key`
pub const CACHE_MISSING_KEY: TableOption<bool, WithDefault> =
    TableOption::flag("lookup.partial-cache.cache-missing-key", "whether keys without rows are cached too")
        .or("true");

impl CacheLimits {
    /// What a table's options say. The connector lists [`MAX_ROWS`], [`EXPIRE_AFTER_ACCESS`],
    /// [`EXPIRE_AFTER_WRITE`] and [`CACHE_MISSING_KEY`].
    ///
    /// # Errors
    /// What is wrong with the options.
    pub fn of(options: &Options<'_>) -> Result<Self> {
        Ok(CacheLimits {
            max_rows: options.get(&MAX_ROWS)?,
            expire_after_access: options.get(&EXPIRE_AFTER_ACCESS)?,
            expire_after_write: options.get(&EXPIRE_AFTER_WRITE)?,
            missing_keys: options.get(&CACHE_MISSING_KEY)?,
        })
    }
}
