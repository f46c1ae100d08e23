//! The rules that all sources and sinks must hold.

use std::cell::RefCell;
use std::sync::Arc;

use flott_batch::{Batch, pretty};
use flott_connector::conformance::{SinkUnderTest, SourceUnderTest, check_sink, check_source};
use flott_connector::{Sink, Source};
use flott_types::{Result, TypeKind};

use crate::harness::Table;

fn columns() -> [(&'static str, TypeKind); 2] {
    [("a", TypeKind::BigInt), ("b", TypeKind::STRING)]
}

struct Read {
    table: Table,
    expected: RefCell<Vec<String>>,
    endless: bool,
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

    fn grow(&self) -> Result<Option<Vec<String>>> {
        if !self.endless {
            return Ok(None);
        }
        let mut expected = self.expected.borrow_mut();
        let number = expected.len() + 1;
        let rows: Vec<String> = (number..number + 4).map(|number| format!("+I {number} x")).collect();
        let lines: String = (number..number + 4).map(|number| format!("{number},x\n")).collect();
        self.table.put(&format!("t/{number}.csv"), lines);
        expected.extend(rows.clone());
        Ok(Some(rows))
    }
}

#[test]
fn the_source_holds_the_rules() {
    for (endless, options) in [
        (false, vec![]),
        (true, vec![("source.monitor-interval", "1 s")]),
        (false, vec![("source.rate-limit.rows-per-second", "1000")]),
    ] {
        let table = Table::new("t", &columns(), &options);
        table.put("t/1.csv", "1,a\n2,b\n3,c\n4,d\n");
        table.put("t/2.csv", "5,e\n6,f\n7,g\n8,h\n9,i");
        table.put("t/3.csv", "10,j\n");
        let expected = (1..=10).zip('a'..).map(|(number, letter)| format!("+I {number} {letter}"));
        let expected = RefCell::new(expected.collect());
        check_source(&Read { table, expected, endless }).unwrap();
    }
}

struct Written(Table);

impl SinkUnderTest for Written {
    fn sink(&self) -> Result<Arc<dyn Sink>> {
        Ok(self.0.sink())
    }

    fn batch(&self, number: usize) -> Batch {
        self.0.batch(
            &self
                .rows(number)
                .iter()
                .map(|row| format!("+I {}\n", row.replace(',', " ")))
                .collect::<String>(),
        )
    }

    fn rows(&self, number: usize) -> Vec<String> {
        (0..3).map(|row| format!("{row},b{number}")).collect()
    }

    fn visible(&self) -> Result<Vec<String>> {
        let files = self.0.files().into_iter().filter(|(name, _)| !name.contains("/."));
        Ok(files.flat_map(|(_, text)| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect())
    }
}

#[test]
fn the_sink_holds_the_rules() {
    check_sink(&|| Box::new(Written(Table::new("t", &columns(), &[])))).unwrap();
    let options = [("sink.rolling-policy.file-size", "4 b")];
    check_sink(&|| Box::new(Written(Table::new("t", &columns(), &options)))).unwrap();
}

/// Rows of a partition each, with its success file: of which there is one, however often it is written.
struct Partitioned(Written);

impl SinkUnderTest for Partitioned {
    fn sink(&self) -> Result<Arc<dyn Sink>> {
        self.0.sink()
    }

    fn batch(&self, number: usize) -> Batch {
        self.0.batch(number)
    }

    fn rows(&self, number: usize) -> Vec<String> {
        let rows = (0..3).map(|row| format!("{row} of t/b=b{number}"));
        rows.chain([format!("t/b=b{number} is complete")]).collect()
    }

    fn visible(&self) -> Result<Vec<String>> {
        let files = self.0.0.files().into_iter().filter(|(name, _)| !name.contains("/."));
        let rows = files.flat_map(|(name, text)| {
            let (directory, file) = name.rsplit_once('/').unwrap();
            match file {
                "_SUCCESS" => vec![format!("{directory} is complete")],
                _ => text.lines().map(|line| format!("{line} of {directory}")).collect(),
            }
        });
        Ok(rows.collect())
    }
}

#[test]
fn the_sink_that_commits_partitions_holds_the_rules() {
    let options = [("sink.partition-commit.policy.kind", "success-file")];
    let table = || Table::new("t", &columns(), &options).partitioned(&["b"]);
    check_sink(&|| Box::new(Partitioned(Written(table())))).unwrap();
}

#[test]
fn the_sink_that_merges_files_holds_the_rules() {
    for size in ["1 mb", "9 b"] {
        let options = [
            ("auto-compaction", "true"),
            ("sink.rolling-policy.file-size", "4 b"),
            ("compaction.file-size", size),
        ];
        check_sink(&|| Box::new(Written(Table::new("t", &columns(), &options)))).unwrap();
        let options = [&options[..], &[("sink.partition-commit.policy.kind", "success-file")]].concat();
        let table = || Table::new("t", &columns(), &options).partitioned(&["b"]);
        check_sink(&|| Box::new(Partitioned(Written(table())))).unwrap();
    }
}
