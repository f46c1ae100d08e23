//! The rules that all sources and sinks must hold.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use flott_batch::{Batch, pretty};
use flott_connector::conformance::{SinkUnderTest, SourceUnderTest, check_sink, check_source};
use flott_connector::{Sink, Source};
use flott_types::{Result, TypeKind};

use crate::table::{Table, client};

fn columns() -> [(&'static str, TypeKind); 2] {
    [("a", TypeKind::BigInt), ("b", TypeKind::STRING)]
}

struct Read {
    table: Table,
    expected: RefCell<Vec<String>>,
    endless: bool,
}

impl Read {
    fn new(options: &[(&str, &str)], endless: bool) -> Self {
        let table = Table::new("source", 3, &columns(), options);
        let read = Read { table, expected: RefCell::default(), endless };
        for partition in 0..3 {
            read.add(partition, 4 - partition);
        }
        read
    }

    fn add(&self, partition: i32, rows: i32) -> Vec<String> {
        let (mut messages, mut texts) = (Vec::new(), Vec::new());
        for row in 0..rows {
            messages.push(format!("{{\"a\": {partition}, \"b\": \"r{row}\"}}"));
            texts.push(format!("+I {partition} r{row}"));
        }
        self.table.put(partition, &messages);
        self.expected.borrow_mut().extend(texts.clone());
        texts
    }
}

impl SourceUnderTest for Read {
    fn source(&self) -> Result<Arc<dyn Source>> {
        self.table.source()
    }

    fn texts(&self, batch: Batch) -> Result<Vec<String>> {
        let Batch::Changes(batch) = batch else { panic!("columns are wanted") };
        Ok(pretty::print(&batch, &self.table.types()).lines().map(str::to_owned).collect())
    }

    fn expected(&self) -> Vec<String> {
        self.expected.borrow().clone()
    }

    fn is_endless(&self) -> bool {
        self.endless
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn grow(&self) -> Result<Option<Vec<String>>> {
        if !self.endless {
            return Ok(None);
        }
        let new = self.table.partitions();
        self.table.grow(new + 1);
        Ok(Some(self.add(new, 2)))
    }
}

const EARLIEST: (&str, &str) = ("scan.startup.mode", "earliest-offset");

#[test]
#[ignore = "needs brokers: make test-services"]
fn the_bounded_source_holds_the_rules() {
    check_source(&Read::new(&[EARLIEST, ("scan.bounded.mode", "latest-offset")], false)).unwrap();
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn the_endless_source_holds_the_rules() {
    let interval = ("scan.topic-partition-discovery.interval", "1 s");
    check_source(&Read::new(&[EARLIEST, interval, ("properties.group.id", "conformance")], true)).unwrap();
}

struct Written(Table);

impl SinkUnderTest for Written {
    fn sink(&self) -> Result<Arc<dyn Sink>> {
        self.0.sink()
    }

    fn batch(&self, number: usize) -> Batch {
        self.0.batch(&(0..3).map(|row| format!("+I {row} b{number}\n")).collect::<String>())
    }

    fn rows(&self, number: usize) -> Vec<String> {
        (0..3).map(|row| format!("{{\"a\":{row},\"b\":\"b{number}\"}}")).collect()
    }

    fn visible(&self) -> Result<Vec<String>> {
        Ok(self.0.values())
    }
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn the_sink_in_transactions_holds_the_rules() {
    let fresh = || {
        let mut table = Table::new("sink", 2, &columns(), &[("sink.delivery-guarantee", "exactly-once")]);
        let prefix = table.topic.clone();
        table.set("sink.transactional-id-prefix", &prefix);
        Box::new(Written(table)) as Box<dyn SinkUnderTest>
    };
    check_sink(&fresh).unwrap();
    assert!(
        client().ending_transactions().unwrap().iter().all(|one| !one.transactional_id.starts_with("sink-"))
    );
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn the_sink_without_transactions_holds_the_rules() {
    for compression in ["none", "zstd"] {
        let options = [("properties.compression.type", compression)];
        check_sink(&|| Box::new(Written(Table::new("plain", 2, &columns(), &options)))).unwrap();
    }
}
