//! Storage: files and folders, of snapshots and of tables, on local disks and object stores.
//!
//! Everything that reads or writes a job's files goes through here, so that there is one way to open a path
//! or URL ([`Location`], [`Folder::create`], [`Folder::open`]), one set of errors, each with the path in it
//! ([`failed`]), and one guarantee: **a file exists as a whole or not at all, and is on the disk before the
//! call returns.**
//!
//! | | for | how |
//! |---|---|---|
//! | [`Folder`] | snapshots, registers, leases | `async`, over the `object_store` crate: a local folder, an object store, or the memory of the process |
//! | [`Upload`] | a large file in a folder | written part by part; it gets its name when it is complete |
//! | [`files`] | files of tables | blocking, on local files and object stores: for a source's or sink's thread between two batches |
//!
//! A file gets its name last: it is written under a temporary name, synced, and then linked or renamed; the
//! folders above are synced too. An existing file is only overwritten on request ([`Folder::put`]). An object
//! becomes visible as a whole anyway.
//!
//! # Who waits
//!
//! The `async` functions need a runtime: network stores for sockets and timers, local ones for blocking
//! calls. [`block_on`] waits for a future on the calling thread, inside this crate's runtime. It is for
//! threads that may wait (a task's snapshot thread, the job master's); it also works inside a program's own
//! runtime.

#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "object-stores")]
mod clients;
mod error;
pub mod files;
mod folder;
#[cfg(feature = "gcs")]
mod gcs;
#[cfg(feature = "http")]
mod http;
mod location;
mod ranges;
mod runtime;
#[cfg(feature = "s3")]
mod s3;
mod service;
mod store;
mod stores;
mod upload;

pub use error::failed;
pub use folder::{Folder, Listing};
pub use location::{Location, ObjectLocation};
pub use runtime::block_on;
pub use stores::configure;
pub use upload::Upload;
