//! Files of lines, or of any encoding of a program's values: [`TextFileSource`] and [`FileSink`].
//!
//! Both are built on `flott-files`, like SQL's connector `filesystem`: splits with byte offsets for reading,
//! files that appear with their checkpoint for writing. They differ only in their records: here values of a
//! program, there rows of a format.

mod bucket;
mod date_pattern;
mod sink;
mod source;

pub use bucket::{BasePathBucketAssigner, BucketAssigner, BucketContext, DateTimeBucketAssigner};
pub use sink::FileSink;
pub use source::TextFileSource;
