//! The DataStream API: jobs over values of users' own types.
//!
//! [`codec`] turns such values into columns of snapshots, so that state stays readable by other tools and by later versions
//! of the types, and hashes keys. Neither is on the path of a record but the hash, which costs a few nanoseconds.

pub mod codec;
