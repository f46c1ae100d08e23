//! The connector itself: from a table's options to a source or sink.

use std::sync::Arc;

use flott_connector::{Connector, Manual, Options, Sink, Source, TableContext};
use flott_plan::{SinkSpec, SourceSpec};
use flott_types::Result;

use crate::options::{self, Config};
use crate::sink::IcebergSink;
use crate::source::IcebergSource;

/// The connector `iceberg`.
#[derive(Debug, Default)]
pub struct IcebergConnector;

impl Connector for IcebergConnector {
    fn name(&self) -> &'static str {
        "iceberg"
    }

    fn manual(&self) -> Manual {
        options::manual()
    }

    fn source(&self, spec: &SourceSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Source>> {
        Ok(Arc::new(IcebergSource::new(Config::new(&spec.table.name, options)?, spec)))
    }

    fn sink(&self, spec: &SinkSpec, options: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(IcebergSink::new(Config::new(&spec.table.name, options)?, spec)?))
    }
}
