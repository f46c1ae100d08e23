//! Storage: files and folders, of snapshots and of tables, on local disks and object stores.
//!
//! Everything that reads or writes a file of a job goes through here, so that there is one way to open a path or URL
//! ([`local_path`], [`Folder::create`], [`Folder::open`]), one set of errors, each with the path in it ([`failed`]), and one idea of what it
//! means that a file is there: **as a whole or not at all, and on the disk before the call returns.**
//!
//! | | for | how |
//! |---|---|---|
//! | [`Folder`] | snapshots, registers, leases | `async`, over the `object_store` crate: a local folder, or the memory of the process |
//! | [`Upload`] | a large file of a folder | written part by part while it is made; its name is taken when it is complete |
//! | [`local`] | files of tables | blocking, on local files: what a source's or sink's thread does between two batches |
//!
//! A file gets its name last: it is written under a temporary one, synced, and then linked or renamed; the folders above are
//! synced too. A name that is taken is not written over unless that is asked for ([`Folder::put`]).
//!
//! # Who waits
//!
//! What is `async` here needs a runtime as soon as a store of the network is behind it (sockets, timers), and a local one hands blocking
//! calls to it. [`block_on`] waits for a future on the calling thread, with the runtime of this crate around it. Threads that may wait
//! use it (a task's thread for snapshots, the job master's); it works within a program's own runtime too.

mod error;
mod folder;
pub mod local;
mod location;
mod runtime;
mod upload;

pub use error::failed;
pub use folder::{Folder, Listing};
pub use location::local_path;
pub use runtime::block_on;
pub use upload::Upload;
