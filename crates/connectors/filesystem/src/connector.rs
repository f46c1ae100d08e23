//! The connector itself: from a table's options to a source or sink.

use std::sync::Arc;

use flott_connector::lookup::options::{ONLY_FULL_CACHE, RELOAD_INTERVAL, RELOAD_STRATEGY};
use flott_connector::lookup::{FullCache, LookupTable};
use flott_connector::options::FORMAT;
use flott_connector::{Changelog, Connector, Manual, Options, Sink, Source, TableContext};
use flott_plan::{LookupSpec, SinkSpec, SourceSpec, TableSpec};
use flott_types::{LogicalType, Result, TypeKind};

use crate::config::Config;
use crate::options;
use crate::sink::FileSink;
use crate::source::FileSource;

/// The connector `filesystem`.
#[derive(Debug, Default)]
pub struct FilesystemConnector;

impl Connector for FilesystemConnector {
    fn name(&self) -> &'static str {
        "filesystem"
    }

    fn manual(&self) -> Manual {
        options::manual()
    }

    fn source(&self, spec: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(FileSource::new(Config::new(&spec.table, options)?, spec)?))
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(FileSink::new(Config::new(&spec.table, options)?, spec)?))
    }

    /// All of it is kept in memory.
    fn lookup(
        &self,
        spec: &LookupSpec,
        options: &Options<'_>,
        _: &TableContext,
    ) -> Result<Arc<dyn LookupTable>> {
        options.get(&ONLY_FULL_CACHE)?;
        options.get(&RELOAD_STRATEGY)?;
        let config = Config::new(&spec.table, options)?;
        let source = |read: &SourceSpec| Ok(Arc::new(FileSource::new(config, read)?) as Arc<dyn Source>);
        Ok(Arc::new(FullCache::of_table(spec, options.get(&RELOAD_INTERVAL)?, source)?))
    }

    fn reports_errors(&self) -> bool {
        true
    }

    fn overwrites(&self) -> bool {
        true
    }

    fn readable_metadata(&self, _: &TableSpec, _: &Options<'_>) -> Vec<(String, LogicalType)> {
        vec![
            ("file.path".to_owned(), TypeKind::STRING.not_null()),
            ("file.name".to_owned(), TypeKind::STRING.not_null()),
            ("file.size".to_owned(), TypeKind::BigInt.not_null()),
            ("file.modification-time".to_owned(), TypeKind::TimestampLtz(3).not_null()),
        ]
    }

    fn source_changelog(&self, _: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        Ok(options.format(&FORMAT)?.changelog())
    }

    fn sink_changelog(&self, _: &TableSpec, options: &Options<'_>) -> Result<Changelog> {
        Ok(options.format(&FORMAT)?.changelog())
    }
}
