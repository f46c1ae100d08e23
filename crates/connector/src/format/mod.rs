//! Formats: rows from bytes and bytes from rows.
//!
//! A [`FormatFactory`] is found by the name in `'format' = '...'` and creates a [`Format`] from a table's
//! options. The process is set up with a registry of formats ([`Formats`]); register your own in addition to
//! the built-in ones.
//!
//! What a format can be used for follows from what it provides:
//!
//! | | for | reads | writes |
//! |---|---|---|---|
//! | [`Format::messages`] | queues: a message is a record | [`MessageDecoder`] | [`MessageEncoder`] |
//! | [`Format::records`] | files that are records, one after the other | [`RecordDecoder`] | [`RecordEncoder`] |
//! | [`Format::bulk`] | files of columns, read and written as wholes | [`BulkReader`] | [`BulkWriter`] |
//!
//! They parse straight into arrow columns, and only into the requested ones.
//!
//! No input may cause a panic. A record that cannot be read is an error that names line, column and text, or
//! is counted ([`Decoder::take_skipped`]) if the user prefers that. After such an error (and only one of the
//! kind `Data`) a decoder is as it was before the record and may go on: what becomes of the record is up to
//! whoever reads ([`crate::Rejected`]).

mod bulk;
mod decode;
mod encode;
mod registry;

use std::fmt;

use flott_plan::Schema;
use flott_types::{Error, Result};

pub use bulk::{BulkFormat, BulkInput, BulkReader, BulkWriter};
pub use decode::{Decoder, MessageDecoder, Progress, RecordDecoder, Unreadable};
pub use encode::{MessageEncoder, RecordEncoder};
pub use registry::{FormatFactory, Formats};

use crate::Changelog;

/// A format with its options, checked. Made when a statement is planned, and again in every task.
pub trait Format: Send + Sync + fmt::Debug {
    /// Its name.
    fn name(&self) -> &'static str;

    /// The kinds of changes that records stand for.
    fn changelog(&self) -> Changelog {
        Changelog::InsertOnly
    }

    /// Whether a record that cannot be read is left out, because the table's options say so.
    fn leaves_out_errors(&self) -> bool {
        false
    }

    /// The format of a message, if it can be one.
    fn messages(&self) -> Option<&dyn MessageFormat> {
        None
    }

    /// The format of files that are records, one after the other, if it can be one.
    fn records(&self) -> Option<&dyn RecordFormat> {
        None
    }

    /// The format of files of columns, if it can be one.
    fn bulk(&self) -> Option<&dyn BulkFormat> {
        None
    }
}

/// What is said where a format gives nothing for a purpose.
fn is_not_for(format: &dyn Format, purpose: &str) -> Error {
    Error::invalid(format!("the format '{}' is not for {purpose}", format.name()))
}

impl dyn Format {
    /// The format of messages.
    ///
    /// # Errors
    /// If it is none.
    pub fn for_messages(&self) -> Result<&dyn MessageFormat> {
        self.messages().ok_or_else(|| is_not_for(self, "messages"))
    }

    /// The format of files of records.
    ///
    /// # Errors
    /// If it is none.
    pub fn for_records(&self) -> Result<&dyn RecordFormat> {
        self.records().ok_or_else(|| is_not_for(self, "files of records"))
    }

    /// The format of files, of whichever kind.
    ///
    /// # Errors
    /// If it is none.
    pub fn for_files(&self) -> Result<FileFormat<'_>> {
        let bulk = || self.bulk().map(FileFormat::Bulk);
        let found = self.records().map(FileFormat::Records).or_else(bulk);
        found.ok_or_else(|| is_not_for(self, "files"))
    }
}

/// How a format has files.
pub enum FileFormat<'a> {
    /// As records, one after the other.
    Records(&'a dyn RecordFormat),
    /// As columns.
    Bulk(&'a dyn BulkFormat),
}

/// Messages, each of which is a record; or several, where the format has it so.
pub trait MessageFormat {
    /// Reads records of the physical columns `schema` and produces the columns at the positions `projection`.
    ///
    /// # Errors
    /// If the format cannot hold a column.
    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn MessageDecoder>>;

    /// Writes rows of the columns `schema`.
    ///
    /// # Errors
    /// If the format cannot hold a column, or is for reading only.
    fn encoder(&self, schema: &Schema) -> Result<Box<dyn MessageEncoder>>;
}

/// Files that are records, one after the other, and can be read from where one begins.
pub trait RecordFormat {
    /// Whether a file is text, so that a byte order mark may stand at its head.
    fn is_text(&self) -> bool;

    /// Whether every line end in a file ends a record, so that a file may be read from the middle.
    fn is_splittable(&self) -> bool;

    /// As [`MessageFormat::decoder`].
    ///
    /// # Errors
    /// If the format cannot hold a column.
    fn decoder(&self, schema: &Schema, projection: &[usize]) -> Result<Box<dyn RecordDecoder>>;

    /// As [`MessageFormat::encoder`].
    ///
    /// # Errors
    /// If the format cannot hold a column, or is for reading only.
    fn encoder(&self, schema: &Schema) -> Result<Box<dyn RecordEncoder>>;
}
