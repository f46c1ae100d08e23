//! The connector and the catalog through their public faces, in a warehouse of its own for each test. What other engines make of the
//! tables is in `tests/iceberg` of the repository.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod expired;
mod lake;
mod others;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use flott_batch::{Batch, pretty};
use flott_connector::catalog::{
    CatalogFactory, CatalogObject, Database, Table, TableColumn, TableColumnKind,
};
use flott_connector::conformance::{
    ByHand, SinkUnderTest, SourceUnderTest, check_sink, check_source, commit, commit_restored,
};
use flott_connector::{Sink, Source};
use flott_connector_iceberg::IcebergCatalogFactory;
use flott_types::{CheckpointId, Result, SubtaskIndex, TypeKind};

use lake::Lake;

struct Written(Lake);

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
        Ok(self.0.rows())
    }
}

#[test]
fn the_sink_holds_the_rules() {
    check_sink(&|| Box::new(Written(Lake::new(&[], &[])))).unwrap();
    check_sink(&|| Box::new(Written(Lake::new(&[], &["p"])))).unwrap();
    // Files that are closed with each batch.
    let small = [("write.target-file-size-bytes", "1 b")];
    check_sink(&|| Box::new(Written(Lake::new(&small, &["p"])))).unwrap();
}

struct Read {
    lake: Lake,
    expected: RefCell<Vec<String>>,
    endless: bool,
}

impl SourceUnderTest for Read {
    fn source(&self) -> Result<Arc<dyn Source>> {
        self.lake.source()
    }

    fn texts(&self, batch: Batch) -> Result<Vec<String>> {
        let Batch::Changes(batch) = batch else { panic!("columns are wanted") };
        Ok(pretty::print(&batch, &self.lake.types()).lines().map(str::to_owned).collect())
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
        self.lake.write(&rows.join("\n"));
        expected.extend(rows.clone());
        Ok(Some(rows))
    }
}

#[test]
fn the_source_holds_the_rules() {
    for endless in [false, true] {
        let watched = [
            ("streaming", "true"),
            ("monitor-interval", "1 s"),
            ("starting-strategy", "TABLE_SCAN_THEN_INCREMENTAL"),
        ];
        let lake = Lake::new(if endless { &watched } else { &[] }, &["p"]);
        let expected: Vec<String> =
            (0..12).map(|row| format!("+I {row} x{row} {}", if row < 8 { "one" } else { "two" })).collect();
        expected.chunks(4).for_each(|rows| lake.write(&rows.join("\n")));
        check_source(&Read { lake, expected: RefCell::new(expected), endless }).unwrap();
    }
}

#[test]
fn a_commit_that_is_asked_for_again_adds_nothing() {
    let lake = Lake::new(&[], &[]);
    let first = lake.handed_over(1, "+I 1 a p");
    commit(&*lake.sink(), &first).unwrap();
    let versions = lake.versions();
    commit(&*lake.sink(), &first).unwrap();
    commit_restored(&*lake.sink(), CheckpointId(1), &first).unwrap();
    assert_eq!((lake.rows().len(), lake.versions()), (1, versions));
    // Also when others have committed since.
    lake.write("+I 2 b p");
    commit_restored(&*lake.sink(), CheckpointId(1), &first).unwrap();
    assert_eq!(lake.rows(), ["+I 1 a p", "+I 2 b p"]);
}

#[test]
fn commits_at_the_same_time_all_count() {
    let lake = Lake::new(&[], &[]);
    let all: Vec<_> =
        (0..6).map(|number| lake.handed_over(number + 1, &format!("+I {number} a p"))).collect();
    let sink = lake.sink();
    std::thread::scope(|scope| {
        for handed_over in &all {
            let sink = sink.clone();
            scope.spawn(move || commit(&*sink, handed_over).unwrap());
        }
    });
    assert_eq!(lake.rows().len(), 6);
}

#[test]
fn a_snapshot_of_before_is_read() {
    let lake = Lake::new(&[], &[]);
    lake.write("+I 1 a p");
    let read = |version: usize| {
        let path = lake.directory.path().join(format!("d/t/metadata/v{version}.metadata.json"));
        let text = std::fs::read_to_string(path).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["current-snapshot-id"].to_string()
    };
    let first = read(lake.versions());
    lake.write("+I 2 b p");
    let at = |options: &[(&str, &str)]| {
        let mut other = Lake::new(options, &[]);
        let warehouse = lake.spec.table.options["warehouse"].clone();
        other.spec.table.options.insert("warehouse".to_owned(), warehouse);
        let source = other.source().unwrap();
        let mut splits = ByHand::new(&*source, None, 1, other.clock.clone()).unwrap();
        let mut found = 0;
        while let Some(some) = splits.ask(SubtaskIndex(0)).unwrap() {
            found += some.len();
        }
        found
    };
    assert_eq!((at(&[]), at(&[("snapshot-id", &first)])), (2, 1));
    let error = |options: &[(&str, &str)]| {
        let mut other = Lake::new(options, &[]);
        other.spec.table.options.insert("warehouse".to_owned(), lake.spec.table.options["warehouse"].clone());
        let source = other.source().unwrap();
        ByHand::new(&*source, None, 1, other.clock.clone()).err().unwrap().to_string()
    };
    assert!(error(&[("snapshot-id", "7")]).contains("no snapshot 7"));
    assert!(error(&[("as-of-timestamp", "7")]).contains("as-of-timestamp"));
}

#[test]
fn a_catalog_has_the_tables_of_a_warehouse() {
    let lake = Lake::new(&[], &["p"]);
    lake.write("+I 1 a p");
    let mut registry = Lake::registry();
    registry.register_catalog(Arc::new(IcebergCatalogFactory));
    assert_eq!(IcebergCatalogFactory.name(), "iceberg");
    let options = BTreeMap::from([
        ("type".to_owned(), "iceberg".to_owned()),
        ("warehouse".to_owned(), lake.directory.path().to_str().unwrap().to_owned()),
    ]);
    let mut catalog = registry.catalog("lake", &options).unwrap();
    assert_eq!(catalog.databases().unwrap(), ["d"]);
    assert_eq!(catalog.objects("d").unwrap(), [("t".to_owned(), false)]);
    let Some(CatalogObject::Table(found)) = catalog.object("d", "t").unwrap() else { panic!("a table") };
    let names: Vec<&str> = found.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((names, &found.partition_keys), (vec!["a", "b", "p"], &vec!["p".to_owned()]));
    catalog.create_database("e", Database::default()).unwrap();
    let column = |name: &str, ty: TypeKind| TableColumn {
        name: name.to_owned(),
        kind: TableColumnKind::Physical,
        ty: ty.not_null(),
        comment: None,
    };
    let table = Table { columns: vec![column("x", TypeKind::Int)], ..Table::default() };
    let object = || CatalogObject::Table(Arc::new(table.clone()));
    catalog.create_object("e", "u", object()).unwrap();
    assert!(catalog.create_object("e", "u", object()).unwrap_err().to_string().contains("exists already"));
    let Some(CatalogObject::Table(found)) = catalog.object("e", "u").unwrap() else { panic!("a table") };
    assert_eq!(found.columns, table.columns);
    catalog.drop_object("e", "u").unwrap();
    assert_eq!((catalog.objects("e").unwrap(), catalog.object("e", "u").unwrap()), (Vec::new(), None));
    catalog.drop_database("e").unwrap();
    assert_eq!(catalog.databases().unwrap(), ["d"]);
}

#[test]
fn many_open_files_share_a_row_group() {
    let options = [("write.parquet.row-group-size-bytes", "256 kb")];
    let lake = Lake::new(&options, &["p"]);
    // Nothing that compresses: each partition gets less than a row group.
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        format!("{state:016x}")
    };
    let rows: Vec<String> = (0..20_000)
        .map(|row| format!("+I {row} {}{}{} p{}", random(), random(), random(), row % 10))
        .collect();
    let batches: Vec<String> = rows.chunks(500).map(|rows| rows.join("\n")).collect();
    let handed_over = lake.handed_over_of(1, &batches);
    commit(&*lake.sink(), &handed_over).unwrap();
    assert_eq!(lake.rows().len(), rows.len());
    let groups = lake.row_groups();
    assert_eq!(groups.len(), 10, "{groups:?}");
    assert!(groups.iter().any(|groups| *groups > 1), "{groups:?}");
}
