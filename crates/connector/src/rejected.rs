//! Records that cannot be read, for the table of ERRORS INTO.
//!
//! A decoder tells the bad ones from the good ones; whether a bad one fails the job or becomes a row of
//! another table is the reader's business, and the same for every format. What is bad belongs to the same
//! position as what is good: both are emitted before the next snapshot, so a record is in one of the two
//! outputs, once.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, Int32Builder, Int64Builder, MapBuilder, MapFieldNames, RecordBatch,
    StringBuilder, TimestampMicrosecondBuilder,
};
use flott_batch::{ChangeBatch, arrow_type};
use flott_plan::{SourceSpec, errors_schema};
use flott_types::{Error, ErrorKind, Result};

use crate::Format;

/// A header of a message: its name and its value.
pub type Header<'a> = (&'a str, Option<&'a [u8]>);

/// A record that cannot be read.
#[derive(Clone, Copy, Debug)]
pub struct BadRecord<'a> {
    /// Its bytes; of a message those of the value.
    pub bytes: Option<&'a [u8]>,
    /// The key of a message.
    pub key: Option<&'a [u8]>,
    /// Where it is.
    pub place: Place<'a>,
    /// When it was written, in milliseconds since the epoch.
    pub timestamp: Option<i64>,
    /// The headers of a message, each name once; none if they cannot be read.
    pub headers: Option<&'a [Header<'a>]>,
}

/// Where a record is.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// In a partition of a topic.
    Partition {
        /// The topic.
        topic: &'a str,
        /// The number of the partition.
        partition: i32,
        /// The offset of the record.
        offset: i64,
    },
    /// In a file.
    File {
        /// The file.
        path: &'a str,
        /// The byte at which the record begins; of a compressed file, among the decompressed ones.
        position: u64,
    },
}

/// Collects the records that cannot be read, as rows of [`errors_schema`].
pub struct Rejected {
    table: String,
    rows: usize,
    record: BinaryBuilder,
    key: BinaryBuilder,
    reason: StringBuilder,
    table_name: StringBuilder,
    topic: StringBuilder,
    partition: Int32Builder,
    offset: Int64Builder,
    file: StringBuilder,
    position: Int64Builder,
    timestamp: TimestampMicrosecondBuilder,
    headers: MapBuilder<StringBuilder, BinaryBuilder>,
}

impl Rejected {
    /// For a source that is asked for them; `None` if a record that cannot be read fails the job.
    pub fn wanted(spec: &SourceSpec) -> Option<Self> {
        spec.errors.then(|| Rejected {
            table: spec.table.name.clone(),
            rows: 0,
            record: BinaryBuilder::new(),
            key: BinaryBuilder::new(),
            reason: StringBuilder::new(),
            table_name: StringBuilder::new(),
            topic: StringBuilder::new(),
            partition: Int32Builder::new(),
            offset: Int64Builder::new(),
            file: StringBuilder::new(),
            position: Int64Builder::new(),
            timestamp: TimestampMicrosecondBuilder::new().with_timezone(arrow_type::utc()),
            headers: MapBuilder::new(Some(names()), StringBuilder::new(), BinaryBuilder::new()),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Takes a record. An error that is not of the record alone comes back: a registry that is out of reach
    /// makes no record bad.
    ///
    /// # Errors
    /// The error, if it is of another kind than [`ErrorKind::Data`].
    pub fn push(&mut self, record: BadRecord<'_>, error: Error) -> Result<()> {
        if error.kind() != ErrorKind::Data {
            return Err(error);
        }
        self.rows += 1;
        self.record.append_option(record.bytes);
        self.key.append_option(record.key);
        self.reason.append_value(error.message());
        self.table_name.append_value(&self.table);
        let (partition, file) = match record.place {
            Place::Partition { topic, partition, offset } => (Some((topic, partition, offset)), None),
            Place::File { path, position } => {
                (None, Some((path, i64::try_from(position).unwrap_or(i64::MAX))))
            }
        };
        self.topic.append_option(partition.map(|(topic, ..)| topic));
        self.partition.append_option(partition.map(|(_, partition, _)| partition));
        self.offset.append_option(partition.map(|(.., offset)| offset));
        self.file.append_option(file.map(|(path, _)| path));
        self.position.append_option(file.map(|(_, position)| position));
        self.timestamp.append_option(record.timestamp.map(|millis| millis.saturating_mul(1_000)));
        for (name, value) in record.headers.unwrap_or_default() {
            self.headers.keys().append_value(name);
            self.headers.values().append_option(*value);
        }
        let appended = self.headers.append(record.headers.is_some());
        appended.map_err(|error| Error::internal("headers of a record").with_source(error))
    }

    /// The rows since the last call, if there are any.
    ///
    /// # Errors
    /// A defect.
    pub fn finish(&mut self) -> Result<Option<ChangeBatch>> {
        if std::mem::take(&mut self.rows) == 0 {
            return Ok(None);
        }
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.record.finish()),
            Arc::new(self.key.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(self.table_name.finish()),
            Arc::new(self.topic.finish()),
            Arc::new(self.partition.finish()),
            Arc::new(self.offset.finish()),
            Arc::new(self.file.finish()),
            Arc::new(self.position.finish()),
            Arc::new(self.timestamp.finish()),
            Arc::new(self.headers.finish()),
        ];
        let batch = RecordBatch::try_new(arrow_type::schema(errors_schema().iter()), columns)
            .map_err(|error| Error::internal("columns of records that cannot be read").with_source(error))?;
        Ok(Some(ChangeBatch::insert_only(batch)))
    }
}

/// As `arrow_type` names the parts of a map.
fn names() -> MapFieldNames {
    MapFieldNames { entry: "entries".to_owned(), key: "keys".to_owned(), value: "values".to_owned() }
}

/// Refuses ERRORS INTO where the format would leave out what is bad: then there would be two answers.
///
/// # Errors
/// If it does, and ERRORS INTO is asked for.
pub fn check_errors(spec: &SourceSpec, format: &dyn Format) -> Result<()> {
    if spec.errors && format.leaves_out_errors() {
        return Err(Error::invalid(format!(
            "table {}: ERRORS INTO and '{}.ignore-parse-errors' = 'true' exclude each other; leave out one of them",
            spec.table.name,
            format.name()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use flott_plan::{Schema, TableSpec};

    use super::*;

    #[test]
    fn an_error_that_is_not_of_a_record_comes_back() {
        let table = TableSpec {
            name: "t".to_owned(),
            connector: "c".to_owned(),
            options: BTreeMap::new(),
            schema: Schema::default(),
            partition_keys: Vec::new(),
            primary_key: Vec::new(),
        };
        let spec = SourceSpec {
            table,
            projection: Vec::new(),
            paths: Vec::new(),
            metadata: Schema::default(),
            limit: None,
            watermark: None,
            errors: true,
        };
        let mut rejected = Rejected::wanted(&spec).unwrap();
        let place = Place::File { path: "f", position: 3 };
        let record = BadRecord { bytes: Some(b"x"), key: None, place, timestamp: None, headers: None };
        assert!(rejected.push(record, Error::external("the registry is gone")).is_err());
        assert!(rejected.is_empty() && rejected.finish().unwrap().is_none());
        rejected.push(record, Error::data("no number")).unwrap();
        let headers: [Header<'_>; 2] = [("a", Some(b"1")), ("b", None)];
        let message = BadRecord { timestamp: Some(1_500), headers: Some(&headers), ..record };
        rejected.push(message, Error::data("no number")).unwrap();
        let batch = rejected.finish().unwrap().unwrap();
        let types: Vec<_> = errors_schema().iter().map(|(_, ty)| ty.clone()).collect();
        assert_eq!(
            flott_batch::pretty::print(&batch, &types),
            "+I x'78' NULL 'no number' t NULL NULL NULL f 3 NULL NULL\n\
             +I x'78' NULL 'no number' t NULL NULL NULL f 3 1970-01-01T00:00:01.500 {a=x'31',b=NULL}\n"
        );
        assert!(rejected.finish().unwrap().is_none());
    }
}
