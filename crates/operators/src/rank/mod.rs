//! Top-N, LIMIT and ORDER BY.
