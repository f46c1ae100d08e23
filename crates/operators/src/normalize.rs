//! From upserts to a full changelog.
