//! Aggregation OVER (PARTITION BY ... ORDER BY ...): being written here, with `sort` (TemporalSort, ORDER BY of bounded input).
