//! Aggregation OVER (PARTITION BY ... ORDER BY ...).
