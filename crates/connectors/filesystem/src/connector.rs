//! The connector itself: from a table's options to a source or sink.

use std::sync::Arc;

use flott_connector::{Changelog, Connector, Options, Sink, Source, TableContext};
use flott_formats::Format;
use flott_plan::{SinkSpec, SourceSpec, TableSpec};
use flott_types::{Error, LogicalType, Result, TypeKind};

use crate::config::Config;
use crate::sink::FileSink;
use crate::source::FileSource;

/// The connector `filesystem`.
#[derive(Debug, Default)]
pub struct FilesystemConnector;

impl Connector for FilesystemConnector {
    fn name(&self) -> &'static str {
        "filesystem"
    }

    fn source(&self, spec: &SourceSpec, _context: &TableContext) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(FileSource::new(Config::new(&spec.table)?, spec)?))
    }

    fn sink(&self, spec: &SinkSpec, context: &TableContext) -> Result<Arc<dyn Sink>> {
        if spec.overwrite && !context.batch {
            return Err(Error::invalid(format!(
                "table {}: INSERT OVERWRITE works in batch mode only: SET 'execution.runtime-mode' = 'batch'",
                spec.table.name
            )));
        }
        Ok(Arc::new(FileSink::new(Config::new(&spec.table)?, spec)?))
    }

    fn readable_metadata(&self, _spec: &TableSpec) -> Vec<(String, LogicalType)> {
        vec![
            ("file.path".to_owned(), TypeKind::STRING.not_null()),
            ("file.name".to_owned(), TypeKind::STRING.not_null()),
            ("file.size".to_owned(), TypeKind::BigInt.not_null()),
            ("file.modification-time".to_owned(), TypeKind::TimestampLtz(3).not_null()),
        ]
    }

    fn source_changelog(&self, spec: &TableSpec) -> Changelog {
        changelog(spec)
    }

    fn sink_changelog(&self, spec: &TableSpec) -> Changelog {
        changelog(spec)
    }
}

/// The format's; a mistake in the options is said when the source or sink is made.
fn changelog(spec: &TableSpec) -> Changelog {
    let mut options = Options::new(&spec.name, &spec.options);
    let Some(name) = options.text("format") else {
        return Changelog::InsertOnly;
    };
    Format::new(name, &mut options, &format!("{name}."))
        .map_or(Changelog::InsertOnly, |format| format.changelog())
}
