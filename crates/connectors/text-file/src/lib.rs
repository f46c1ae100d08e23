//! Files of lines, or of whatever a program makes of its values: [`TextFileSource`] and [`FileSink`].
//!
//! Both stand on `flott-files`, as the connector `filesystem` of SQL does: splits with byte offsets for reading, files that appear
//! with their checkpoint for writing. What is left is what differs: here records are values of a program, there rows of a format.

mod sink;
mod source;

pub use sink::FileSink;
pub use source::TextFileSource;
