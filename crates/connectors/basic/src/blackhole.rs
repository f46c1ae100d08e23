//! `blackhole`: discards rows.

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
            summary: "Discards rows.",
            details: "\
A sink for measurements.
It accepts every kind of change.",
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
        Ok(Changelog::Upsert)
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

#[cfg(test)]
mod tests {
    use flott_batch::pretty;
    use flott_connector::conformance::{SinkUnderTest, check_sink};
    use flott_types::TypeKind;

    use super::*;

    struct Nothing;

    impl SinkUnderTest for Nothing {
        fn sink(&self) -> Result<Arc<dyn Sink>> {
            Ok(Arc::new(Blackhole))
        }

        fn batch(&self, _: usize) -> Batch {
            let kinds = "+I 1\n-U 1\n+U 2\n-D 2";
            Batch::Changes(pretty::parse(kinds, &[TypeKind::Int.nullable()]).unwrap())
        }

        fn rows(&self, _: usize) -> Vec<String> {
            Vec::new()
        }

        fn visible(&self) -> Result<Vec<String>> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn it_takes_everything_and_shows_nothing() {
        check_sink(&|| Box::new(Nothing)).unwrap();
    }
}
