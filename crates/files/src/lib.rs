//! Files for sources and sinks, whatever their content.
//!
//! Reading: [`FileEnumerator`] finds files (a path, a directory with all below it, a glob), watches for new
//! ones, and cuts large files whose records end with the line into splits. [`SplitInput`] reads the bytes of
//! a split from a position. The position of a reader is a byte offset at the start of a record in the
//! uncompressed data, so reading continues exactly where a checkpoint was taken.
//!
//! Writing, exactly once: [`RollingWriter`] writes to hidden files. With every checkpoint the files in
//! progress are closed and handed over; when the checkpoint has completed, [`committer`] renames them to
//! their visible names. So nobody sees a half-written file, or one whose records may be rolled back, a file
//! is never appended to after a restart, and nothing has to be truncated.
//!
//! Small files may wait, still hidden, until several of one writer are merged into one (`waiting`), or those that all
//! writers have written for a checkpoint are merged when it has completed, before any of them is visible ([`Merger`]).
//!
//! Files may also take the place of all that a directory holds, at once when a job has written everything ([`Overwriter`]).
//!
//! Later writers remove the files of earlier ones that are in no checkpoint; `leftovers` explains how these
//! are distinguished from files that may still be committed, and the `ledger` that each writer keeps for this
//! purpose.
//!
//! All input and output is in [`flott_storage::files`].

mod committable;
mod compression;
mod enumerator;
mod input;
mod ledger;
mod leftovers;
mod lz4;
mod merging;
mod name;
mod open_file;
mod overwriting;
mod split;
mod unpublished;
mod waiting;
mod whole;
mod writer;

pub use committable::{FinishedFile, committer};
pub use compression::Compression;
pub use enumerator::{FileEnumerator, Listing};
pub use input::SplitInput;
pub use merging::{Join, Merger, MergerContext};
pub use name::{FileNames, Progress, WriterId};
pub use open_file::Rest;
pub use overwriting::{Overwriter, finish_overwrite};
pub use split::{FileSplit, Position};
pub use waiting::Compaction;
pub use whole::WholeFile;
pub use writer::{Rolling, RollingWriter};
