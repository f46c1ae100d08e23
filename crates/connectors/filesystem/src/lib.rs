//! The connector `filesystem`: tables that are files.
//!
//! # Reading
//!
//! The path is a file, a directory (read with its subdirectories; names that begin with `.` or `_` are
//! hidden) or a glob. Partition columns come from directory names (`dt=2024-01-01/hr=10`). Files are assigned
//! in the order of their names, large ones in pieces of 32 MiB where the format allows it: json and raw
//! always, csv only with quotes disabled, because a quoted field may hold line ends. A reader's position is a
//! byte offset at the start of a record (in the uncompressed data), so reading continues exactly where the
//! checkpoint was taken. Files whose extension is that of a compression (`flott_files::Compression`) are
//! decompressed and read in one piece. A file with a header or a footer (avro, parquet) is read by one reader,
//! whose position is a number of rows.
//!
//! With `source.monitor-interval` the directory is watched for new files and the source never ends. A file
//! must be complete when it appears, and is read once.
//!
//! If a file has changed since a checkpoint: one that has grown is read to its former end; one that has
//! become shorter or was replaced is refused (`flott_files::SplitInput` has the rules). A byte order mark at
//! the start of csv and json is skipped.
//!
//! One option is not Flink's: `source.rate-limit.rows-per-second` limits the rows per second of all readers
//! together, for demonstrations and for tests that need a slow source.
//!
//! # Writing: exactly once
//!
//! A writer writes to hidden files. With every checkpoint the files in progress are closed and handed over;
//! when the checkpoint has completed they are renamed to their visible names. So readers never see a
//! half-written file, or one whose rows may be rolled back, a file is never appended to after a restart, and
//! nothing has to be truncated. This is what Flink does for bulk formats; for row formats such as csv Flink
//! keeps a file open over several checkpoints, so that its files may be larger and appear later. The rolling
//! policy's limits make files smaller, not larger.
//!
//! Files in a restored checkpoint may have been committed before, and then removed by a consumer: a warning
//! says so, and they are skipped. Hidden files that can no longer be in any checkpoint are removed when the
//! writer ends, or by the next writer to the directory; while the job runs, a folder `.writers` next to the
//! files records which those are.
//!
//! There may be many partitions: not all files in progress are open at a time.
//!
//! On S3 a file in progress is an upload in parts, which is completed when its checkpoint has completed: see
//! `docs/operations/object-stores.md`.
//!
//! # Partitions
//!
//! With `sink.partition-commit.policy.kind` a partition is committed: a success file in it says that it is complete. This is done once for all
//! writers by the sink's global committer (`sink/partitions.rs`), after the writers' files of a checkpoint have become visible: at once, after a
//! delay, or when the watermark of all writers has passed the time in the partition's name. Partitions whose time has not come are part of
//! checkpoints. At the end of the input all are committed.
//!
//! # INSERT OVERWRITE
//!
//! In batch mode. The files of all writers wait until these have ended, and then take the place of what the table holds, or of
//! what the partitions hold that they are in (`sink/overwriting.rs`, `flott_files::Overwriter`).
//!
//! # Not built yet, refused by name
//!
//! HDFS, INSERT OVERWRITE of a table with compaction, policies of partition commit other than success files.

mod catalog;
mod commit;
mod config;
mod connector;
mod options;
mod partition;
mod partition_time;
mod sink;
mod source;

pub use catalog::{FileCatalogStore, FilesystemCatalogFactory};
pub use connector::FilesystemConnector;
