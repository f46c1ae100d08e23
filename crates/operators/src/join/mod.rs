//! Joins of two changelogs.
