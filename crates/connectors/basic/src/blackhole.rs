//! `blackhole`: takes rows and forgets them.

use std::sync::Arc;

use flott_batch::Batch;
use flott_connector::{
    Changelog, Connector, Manual, Options, Payload, Sink, SinkContext, SinkWriter, TableContext,
};
use flott_plan::{SinkSpec, TableSpec};
use flott_types::Result;

/// The connector `blackhole`.
#[derive(Debug, Default)]
pub struct BlackholeConnector;

impl Connector for BlackholeConnector {
    fn name(&self) -> &'static str {
        "blackhole"
    }

    fn manual(&self) -> Manual {
        Manual {
            summary: "Takes rows and forgets them.",
            details: "A sink, to measure with. It takes every kind of change.",
            example: "CREATE TABLE nowhere (id BIGINT, item STRING) WITH (
  'connector' = 'blackhole'
);",
            options: &[],
        }
    }

    fn sink(&self, _: &SinkSpec, _: &Options<'_>, _: &TableContext) -> Result<Arc<dyn Sink>> {
        Ok(Arc::new(Blackhole))
    }

    fn sink_changelog(&self, _: &TableSpec, _: &Options<'_>) -> Result<Changelog> {
        Ok(Changelog::Retract)
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
