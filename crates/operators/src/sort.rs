//! ORDER BY a time attribute.
