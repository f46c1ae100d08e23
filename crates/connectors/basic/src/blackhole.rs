//! `blackhole`: takes rows and forgets them.

use std::sync::Arc;

use flott_batch::Batch;
use flott_connector::{Changelog, Connector, Options, Payload, Sink, SinkContext, SinkWriter, TableContext};
use flott_plan::{SinkSpec, TableSpec};
use flott_types::Result;

/// The connector `blackhole`.
#[derive(Debug, Default)]
pub struct BlackholeConnector;

impl Connector for BlackholeConnector {
    fn name(&self) -> &'static str {
        "blackhole"
    }

    fn sink(&self, spec: &SinkSpec, _context: &TableContext) -> Result<Arc<dyn Sink>> {
        let mut options = Options::new(&spec.table.name, &spec.table.options);
        options.text("property-version");
        options.finish()?;
        Ok(Arc::new(Blackhole))
    }

    fn sink_changelog(&self, _spec: &TableSpec) -> Changelog {
        Changelog::Retract
    }
}

struct Blackhole;

impl Sink for Blackhole {
    fn writer(&self, _context: SinkContext, _restored: Vec<Payload>) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(Blackhole))
    }
}

impl SinkWriter for Blackhole {
    fn write(&mut self, _batch: Batch) -> Result<()> {
        Ok(())
    }
}
