//! Tables of files that are read and written as wholes: parquet, and avro.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use flott_batch::{Batch, pretty};
use flott_connector::conformance::{SinkUnderTest, SourceUnderTest, check_sink, check_source, commit};
use flott_connector::{Payload, Sink, Source};
use flott_types::{CheckpointId, Result, RowField, TypeKind};

use crate::harness::{Run, Table, sink_context};

fn columns() -> [(&'static str, TypeKind); 3] {
    [("a", TypeKind::BigInt), ("b", TypeKind::STRING), ("dt", TypeKind::STRING)]
}

/// A table whose files rows can be written to.
fn table(options: &[(&str, &str)]) -> Table {
    let mut options = options.to_vec();
    if options.iter().all(|(key, _)| *key != "format") {
        options.push(("format", "parquet"));
    }
    Table::new("t", &columns(), &options).partitioned(&["dt"])
}

/// Writes rows as one checkpoint of a job.
fn write(table: &Table, rows: &[&str]) {
    let sink = table.sink();
    let mut writer = sink.writer(sink_context(table, 0, 0), Vec::<Payload>::new()).unwrap();
    rows.iter().for_each(|rows| writer.write(table.batch(rows)).unwrap());
    let prepared = writer.prepare_commit(CheckpointId(1), true).unwrap();
    commit(&*sink, &prepared.wait().unwrap()).unwrap();
}

/// The rows of a table, sorted.
fn rows(table: &Table) -> Vec<String> {
    let mut lines: Vec<String> = table.rows().lines().map(str::to_owned).collect();
    lines.sort();
    lines
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
        let first = expected.len();
        let rows: Vec<String> = (first..first + 4).map(|row| format!("+I {row} x{row} one")).collect();
        // By a job of its own: files of another name.
        self.table.clock.advance(1_000);
        write(&self.table, &[&rows.join("\n")]);
        expected.extend(rows.clone());
        Ok(Some(rows))
    }
}

#[test]
fn the_source_holds_the_rules() {
    // Row groups of a batch each: reading begins within one, at the start of one, and behind all.
    for (endless, format) in [(false, "parquet"), (true, "parquet"), (false, "avro")] {
        let mut options = vec![("parquet.block.size", "1 b"), ("format", format)];
        options.retain(|(key, _)| *key == "format" || key.starts_with(format));
        options.extend(endless.then_some(("source.monitor-interval", "1 s")));
        let table = table(&options);
        let expected: Vec<String> =
            (0..12).map(|row| format!("+I {row} x{row} {}", if row < 8 { "one" } else { "two" })).collect();
        let batches: Vec<String> = expected.chunks(4).map(|rows| rows.join("\n")).collect();
        write(&table, &batches.iter().map(String::as_str).collect::<Vec<_>>());
        check_source(&Read { table, expected: RefCell::new(expected), endless }).unwrap();
    }
}

struct Written(Table);

impl SinkUnderTest for Written {
    fn sink(&self) -> Result<Arc<dyn Sink>> {
        Ok(self.0.sink())
    }

    fn batch(&self, number: usize) -> Batch {
        self.0.batch(&self.rows(number).join("\n"))
    }

    fn rows(&self, number: usize) -> Vec<String> {
        (0..3).map(|row| format!("+I {row} b{number} p{}", row % 2)).collect()
    }

    fn visible(&self) -> Result<Vec<String>> {
        if !self.0.path("t").exists() { Ok(Vec::new()) } else { Ok(rows(&self.0)) }
    }
}

#[test]
fn the_sink_holds_the_rules() {
    check_sink(&|| Box::new(Written(table(&[])))).unwrap();
    check_sink(&|| Box::new(Written(table(&[("format", "avro")])))).unwrap();
    // Files that are closed with each batch.
    check_sink(&|| Box::new(Written(table(&[("sink.rolling-policy.file-size", "4 b")])))).unwrap();
}

#[test]
fn compressions_are_written_and_read() {
    let mut sizes = BTreeMap::new();
    let many: Vec<String> = (0..500).map(|row| format!("+I {row} {} p", "x".repeat(50))).collect();
    for codec in ["uncompressed", "SNAPPY", "zstd"] {
        let table = table(&[("parquet.compression", codec)]);
        write(&table, &[&many.join("\n")]);
        assert_eq!(table.read().unwrap().text.lines().count(), 500, "{codec}");
        sizes.insert(codec, sizes_below(&table.path("t")));
    }
    assert_ne!(sizes["uncompressed"], sizes["SNAPPY"]);
    assert_ne!(sizes["SNAPPY"], sizes["zstd"]);
}

fn sizes_below(path: &Path) -> u64 {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { sizes_below(&path) } else { path.metadata().unwrap().len() }).sum()
}

#[test]
fn every_type_survives() {
    let columns = [
        ("t", TypeKind::TinyInt),
        ("d", TypeKind::Decimal(10, 2)),
        ("f", TypeKind::Double),
        ("ts", TypeKind::Timestamp(6)),
        ("ltz", TypeKind::TimestampLtz(3)),
        ("day", TypeKind::Date),
        ("time", TypeKind::Time(3)),
        ("bytes", TypeKind::BYTES),
        ("yes", TypeKind::Boolean),
        ("list", TypeKind::Array(Box::new(TypeKind::Int.nullable()))),
    ];
    let table = Table::new("t", &columns, &[("format", "parquet")]);
    let row = "+I -1 12.34 0.5 2020-01-02T03:04:05.678901 2020-01-02T03:04:05.678 2020-01-02 03:04:05.678 x'00ff' true [1,NULL]";
    let nulls = "+I NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL";
    let text =
        pretty::print(&pretty::parse(&format!("{row}\n{nulls}"), &table.types()).unwrap(), &table.types());
    write(&table, &[&text]);
    assert_eq!(table.rows(), text);
}

#[test]
fn columns_are_found_by_name_and_cast_where_nothing_is_lost() {
    let narrow = Table::new("t", &[("a", TypeKind::Int), ("b", TypeKind::STRING)], &[("format", "parquet")]);
    write(&narrow, &["+I 1 x\n+I NULL y"]);
    let read = |columns: &[(&str, TypeKind)]| {
        let mut wide = Table::new("t", columns, &[("format", "parquet")]);
        wide.spec.table.options.insert("path".to_owned(), narrow.path("t").to_str().unwrap().to_owned());
        wide.read().map(|read| read.text).map_err(|error| error.to_string())
    };
    let wider = [("new", TypeKind::Double), ("b", TypeKind::STRING), ("a", TypeKind::BigInt)];
    assert_eq!(read(&wider).unwrap(), "+I NULL x 1\n+I NULL y NULL\n");
    assert_eq!(read(&[("a", TypeKind::TinyInt)]).unwrap(), "+I 1\n+I NULL\n");
    let error = read(&[("b", TypeKind::Int)]).unwrap_err();
    assert!(error.contains("the column 'b' of a file is of type Utf8, which is not read as INT"), "{error}");
    write(&narrow, &["+I 300 z"]);
    let error = read(&[("a", TypeKind::TinyInt)]).unwrap_err();
    assert!(error.contains("the column 'a' of a file is not of type TINYINT"), "{error}");
}

/// Files of pyarrow's with the same rows: of Snappy's compression, with dictionaries; with INT96 timestamps
/// in the first version of the format; with pages of its second version and Zstandard.
#[test]
fn files_of_another_library_are_read() {
    let element = |kind: TypeKind| Box::new(kind.nullable());
    let field =
        |name: &str, kind: TypeKind| RowField { name: name.to_owned(), ty: kind.nullable(), comment: None };
    let columns = [
        ("id", TypeKind::BigInt),
        ("name", TypeKind::STRING),
        ("ts", TypeKind::Timestamp(6)),
        ("ltz", TypeKind::TimestampLtz(3)),
        ("d", TypeKind::Decimal(10, 3)),
        ("day", TypeKind::Date),
        ("list", TypeKind::Array(element(TypeKind::BigInt))),
        ("m", TypeKind::Map(element(TypeKind::STRING), element(TypeKind::Int))),
        ("s", TypeKind::Row(vec![field("x", TypeKind::Int), field("y", TypeKind::STRING)])),
        ("b", TypeKind::BYTES),
        ("f", TypeKind::Double),
        ("l", TypeKind::STRING),
        ("u8", TypeKind::SmallInt),
        ("ok", TypeKind::Boolean),
        ("gone", TypeKind::Int),
    ];
    for file in ["snappy", "int96", "v2"] {
        let mut table = Table::new("t", &columns, &[("format", "parquet")]);
        let path = format!("{}/tests/data/{file}.parquet", env!("CARGO_MANIFEST_DIR"));
        table.spec.table.options.insert("path".to_owned(), path);
        expect_test::expect![[r#"
            +I 1 a 2020-01-02T03:04:05.678901 2020-01-02T03:04:05.000 1.500 2020-01-02 [1,2] {k=1} (1,p) x'0102' 1.5 x 200 TRUE NULL
            +I 2 b NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL NULL
            +I NULL c 1969-12-31T00:00:00.000000 2030-01-01T00:00:00.000 2.250 1960-01-01 [] {} (NULL,q) x'' 2.5 z 1 FALSE NULL
        "#]]
        .assert_eq(&table.rows());
    }
}

#[test]
fn a_file_that_was_replaced_is_refused() {
    let table = table(&[]);
    write(&table, &["+I 1 a p\n+I 2 b p\n+I 3 c p"]);
    let file = std::fs::read_dir(table.path("t/dt=p")).unwrap();
    let file = file.map(|entry| entry.unwrap().path()).find(|path| path.is_file()).unwrap();
    let content = std::fs::read(&file).unwrap();
    let mut run = Run::new(&table, 1, 1).unwrap();
    while run.output.batches == 0 {
        run.step(0).unwrap();
    }
    let mut other = content;
    let last = other.len() - 9;
    other[last] ^= 1;
    std::fs::write(&file, other).unwrap();
    run.restart().unwrap();
    let error = run.all().unwrap_err().to_string();
    assert!(error.contains("is not the one that was found"), "{error}");
    std::fs::write(&file, "no parquet").unwrap();
    assert!(table.read().unwrap_err().to_string().contains("a parquet file cannot be read"));
}

#[test]
fn what_parquet_cannot_hold_is_refused() {
    let error = |kind: TypeKind, options: &[(&str, &str)]| {
        let mut options = options.to_vec();
        options.push(("format", "parquet"));
        Table::new("x", &[("a", kind)], &options).source().err().unwrap().to_string()
    };
    assert!(error(TypeKind::Timestamp(9), &[]).contains("write TIMESTAMP(6)"));
    assert!(error(TypeKind::IntervalDaySecond, &[]).contains("cannot hold column 'a'"));
    assert!(error(TypeKind::Int, &[("parquet.compression", "GZIP")]).contains("not built yet"));
}
