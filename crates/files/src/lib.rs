//! Files as sources and sinks have them; what is in them is others' business.
//!
//! Reading: [`FileEnumerator`] finds files (a path, a directory with all below it, a glob), watches for new ones, and cuts large
//! files whose records end with the line into splits. [`SplitInput`] gives the bytes of a split from a position on.
//! The position of a reader is a byte offset at the start of a record in the uncompressed data, so reading goes on exactly where a
//! checkpoint was taken.
//!
//! Writing, exactly once: [`RollingWriter`] writes to hidden files. With every checkpoint the files in progress are closed and
//! handed over; when the checkpoint has completed, [`committer`] renames them to their visible names. So nobody sees a half-written
//! file or one whose records may be taken back, a file is never appended to after a restart, and nothing has to be
//! truncated.
//!
//! What a writer leaves that no checkpoint holds is removed by those that come after it; `leftovers` says how that is told from what
//! may still be committed. A writer keeps a `ledger` beside its files for that.
//!
//! All input and output is in [`flott_storage::local`].

mod committable;
mod compression;
mod enumerator;
mod input;
mod ledger;
mod leftovers;
mod name;
mod split;
mod whole;
mod writer;

pub use committable::{FinishedFile, committer};
pub use compression::Compression;
pub use enumerator::{FileEnumerator, Listing};
pub use input::SplitInput;
pub use name::{Progress, WriterId};
pub use split::{FileSplit, Position};
pub use whole::WholeFile;
pub use writer::{Rest, Rolling, RollingWriter};
