//! The connector of tables that are streams of the program: it tells the planner what the stream is, and is
//! never asked for rows, because the program's graph has operators in its place.

use std::sync::Arc;

use flott_connector::options::SCAN_PARALLELISM;
use flott_connector::{
    AnyOption, Boundedness, Changelog, Connector, EnumeratorContext, Manual, Options, Payload, ReaderContext,
    Required, Sink, SinkContext, SinkWriter, Source, SourceReader, SplitEnumerator, TableContext,
    TableOption,
};
use flott_datastream::planned::{STREAM, STREAM_CONNECTOR};
use flott_plan::{SinkSpec, SourceSpec, TableSpec};
use flott_types::{Error, LogicalType, Result, TypeKind};

/// The metadata column with the timestamps of the stream's records.
pub(super) const ROWTIME: &str = "rowtime";

const NAME: TableOption<String, Required> = TableOption::text(STREAM, "the stream of the program").required();
/// The stream that a table becomes, which is the only one that is written to.
pub(super) const OUT: &str = "out";
/// Which changes the stream has.
pub(super) const CHANGES: TableOption<String> =
    TableOption::text("changelog-mode", "the changes of the stream: insert-only, upsert or retract");
/// Whether the stream ends.
pub(super) const BOUNDED: TableOption<bool> = TableOption::flag("bounded", "whether the stream ends");

/// Streams of the program.
pub(super) struct Streams;

impl Connector for Streams {
    fn name(&self) -> &'static str {
        STREAM_CONNECTOR
    }

    fn manual(&self) -> Manual {
        static OPTIONS: &[&dyn AnyOption] = &[&NAME, &CHANGES, &BOUNDED, &SCAN_PARALLELISM];
        Manual { options: OPTIONS, ..Manual::default() }
    }

    fn source(&self, _: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        options.get(&NAME)?;
        let boundedness = match options.get(&BOUNDED)? {
            Some(true) => Boundedness::Bounded,
            Some(false) | None => Boundedness::Unbounded,
        };
        Ok(Arc::new(Stream(boundedness)))
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        match options.get(&NAME)?.as_str() {
            OUT => Ok(Arc::new(Stream(Boundedness::Unbounded))),
            _ => Err(read_only(&spec.table)),
        }
    }

    fn readable_metadata(&self, _: &TableSpec, _: &Options<'_>) -> Vec<(String, LogicalType)> {
        vec![(ROWTIME.to_owned(), TypeKind::TimestampLtz(3).not_null())]
    }

    /// They are those of the stream.
    fn sends_watermarks(&self, _: &TableSpec, _: &Options<'_>) -> bool {
        true
    }

    fn source_changelog(&self, _: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        changelog(options)
    }

    fn sink_changelog(&self, _: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        changelog(options)
    }
}

fn changelog(options: &Options<'_>) -> Result<Changelog> {
    match options.get(&CHANGES)?.as_deref() {
        None => Ok(Changelog::InsertOnly),
        Some(text) => {
            changelog_of(text).ok_or_else(|| options.wrong(&CHANGES, "insert-only, upsert or retract"))
        }
    }
}

/// How the option says it.
pub(super) fn changelog_text(changelog: Changelog) -> &'static str {
    match changelog {
        Changelog::InsertOnly => "insert-only",
        Changelog::Upsert => "upsert",
        Changelog::Retract => "retract",
    }
}

fn changelog_of(text: &str) -> Option<Changelog> {
    [Changelog::InsertOnly, Changelog::Upsert, Changelog::Retract]
        .into_iter()
        .find(|changelog| changelog_text(*changelog) == text)
}

/// A stream of the program has its records from where it comes from.
pub(super) fn read_only(table: &TableSpec) -> Error {
    Error::invalid(format!("'{}' is a stream and cannot be written to", table.name))
}

struct Stream(Boundedness);

fn not_run() -> Error {
    Error::internal("the table of a stream is run as a source or sink")
}

impl Source for Stream {
    fn boundedness(&self) -> Boundedness {
        self.0
    }

    fn enumerator(&self, _: Option<&Payload>, _: EnumeratorContext) -> Result<Box<dyn SplitEnumerator>> {
        Err(not_run())
    }

    fn reader(&self, _: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Err(not_run())
    }
}

impl Sink for Stream {
    fn writer(&self, _: SinkContext, _: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Err(not_run())
    }
}
