//! The rules that all sources must hold.

use std::sync::Arc;

use flott_batch::Batch;
use flott_connector::Source;
use flott_connector::conformance::{SourceUnderTest, check_source};
use flott_plan::SourceSpec;
use flott_types::{Error, Result, TypeKind};

use crate::support::{Run, lines, row, source, table};

/// Events, and those of one reader that is not disturbed.
struct Events {
    spec: SourceSpec,
    expected: Vec<String>,
}

impl Events {
    /// With so many columns as tell events apart: the suite reads them a few hundred times.
    fn new(options: &[(&str, &str)]) -> Self {
        let number = || TypeKind::BigInt;
        let columns = [
            ("event_type", TypeKind::Int.nullable()),
            ("person", row(&[("id", number())])),
            ("auction", row(&[("id", number())])),
            ("bid", row(&[("auction", number()), ("price", number()), ("dateTime", TypeKind::Timestamp(3))])),
        ];
        let spec = table(&columns, options);
        let expected = Run::default().read(&spec).lines();
        Events { spec, expected }
    }
}

impl SourceUnderTest for Events {
    fn source(&self) -> Result<Arc<dyn Source>> {
        source(&self.spec)
    }

    fn texts(&self, batch: Batch) -> Result<Vec<String>> {
        let Batch::Changes(batch) = batch else { return Err(Error::internal("columns are wanted")) };
        Ok(lines(batch.columns()))
    }

    fn expected(&self) -> Vec<String> {
        self.expected.clone()
    }

    /// A block has a thousand events: with fewer in a batch there are moments within one.
    fn batch_size(&self) -> usize {
        300
    }
}

#[test]
fn the_source_holds_the_rules() {
    check_source(&Events::new(&[("events.num", "2500")])).unwrap();
}
