//! Tables of files that are looked up.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use flott_connector::conformance::{LookupUnderTest, check_lookup};
use flott_connector::lookup::LookupTable;
use flott_plan::LookupSpec;
use flott_types::{Result, TypeKind};

use crate::harness::{Table, registry};

/// Names by number and land, in files of a land each.
struct Names(Table);

impl Names {
    fn new(options: &[(&str, &str)]) -> Self {
        let columns = [("id", TypeKind::BigInt), ("name", TypeKind::STRING), ("land", TypeKind::STRING)];
        let table = Table::new("t", &columns, options).partitioned(&["land"]);
        table.put("t/land=de/1.csv", "1,Anna\n2,Bert\n2,Berta\n");
        table.put("t/land=at/1.csv", "1,Resi\n");
        table.put("t/land=at/2.csv", "2,Sepp\n");
        Names(table)
    }

    fn spec(&self) -> LookupSpec {
        LookupSpec {
            table: self.0.spec.table.clone(),
            keys: vec![2, 0],
            projection: vec![1],
            model: false,
            function: None,
        }
    }

    fn error(&self) -> String {
        registry().lookup(&self.spec(), &self.0.context()).err().unwrap().to_string()
    }
}

impl LookupUnderTest for Names {
    fn table(&self) -> Result<Arc<dyn LookupTable>> {
        registry().lookup(&self.spec(), &self.0.context())
    }

    fn keys(&self) -> RecordBatch {
        let field = |name: &str, ty| Field::new(name, ty, false);
        let schema = Schema::new(vec![field("land", DataType::Utf8), field("id", DataType::Int64)]);
        let lands = StringArray::from(vec!["de", "de", "at", "at", "ch", "at"]);
        let numbers = Int64Array::from(vec![1, 2, 1, 2, 1, 3]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(lands), Arc::new(numbers)]).unwrap()
    }

    fn expected(&self) -> Vec<Vec<String>> {
        [&["Anna"][..], &["Bert", "Berta"], &["Resi"], &["Sepp"], &[], &[]]
            .map(|names| names.iter().map(|name| (*name).to_owned()).collect())
            .to_vec()
    }

    fn texts(&self, rows: &RecordBatch) -> Result<Vec<String>> {
        assert_eq!(rows.num_columns(), 1, "the columns of the projection, and no keys");
        let names = rows.column(0).as_string::<i32>();
        Ok((0..rows.num_rows()).map(|row| names.value(row).to_owned()).collect())
    }
}

#[test]
fn a_table_that_is_looked_up_holds_the_rules() {
    check_lookup(&Names::new(&[])).unwrap();
    let options = [
        ("lookup.cache", "full"),
        ("lookup.full-cache.periodic-reload.interval", "1 h"),
        ("csv.allow-comments", "true"),
    ];
    check_lookup(&Names::new(&options)).unwrap();
}

#[test]
fn what_cannot_be_looked_up_is_refused() {
    let error = |options: &[(&str, &str)]| Names::new(options).error();
    assert!(error(&[("lookup.cache", "PARTIAL")]).contains("'PARTIAL' is not built yet; there is: FULL"));
    assert!(error(&[("source.monitor-interval", "1 s")]).contains("cannot be looked up"));
    assert!(error(&[("lookup.full-cache.periodic-reload.interval", "0 s")]).contains("above 0"));
    assert!(error(&[("lookup.cach", "FULL")]).contains("did you mean 'lookup.cache'?"));
}
