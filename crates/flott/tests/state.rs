//! Savepoints of real jobs, read as data.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flott::batch::{Batch, pretty};
use flott::cluster::JobClient;
use flott::connector::conformance::{SourceUnderTest, check_source};
use flott::connector::{Source, TableContext};
use flott::plan::{Schema, SourceSpec, TableSpec};
use flott::sql::{Environment, Outcome, parse_script};
use flott::state::{Difference, Savepoint, StateDifference, differences};
use flott::types::{LogicalType, Result, TypeKind};

const GROUPS: usize = 70;

/// A job that sums up the amounts of customers, from files of a folder, and its savepoints.
struct Job {
    folder: tempfile::TempDir,
    environment: Environment,
    client: JobClient,
}

impl Job {
    fn start() -> Job {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let mut environment = Environment::local().unwrap();
        let script = format!(
            "SET 'parallelism.default' = '2';
             CREATE TABLE orders (customer BIGINT, amount INT) WITH ('connector' = 'filesystem', 'path' = '{}',
                 'format' = 'csv', 'source.monitor-interval' = '10 ms');
             CREATE TABLE o (customer BIGINT, total BIGINT, PRIMARY KEY (customer) NOT ENFORCED)
                 WITH ('connector' = 'blackhole');
             INSERT INTO o SELECT customer, SUM(amount) FROM orders GROUP BY customer;",
            folder.path().join("in").display()
        );
        let mut client = None;
        for statement in parse_script(&script).unwrap() {
            if let Outcome::Insert(job) = environment.session.execute(&statement).unwrap() {
                client = Some(environment.cluster.submit(&job.graph).unwrap());
            }
        }
        Job { folder, environment, client: client.unwrap() }
    }

    /// A file appears when it is complete.
    fn put(&self, name: &str, rows: impl Iterator<Item = (usize, i32)>) {
        let text: String = rows.map(|(customer, amount)| format!("{customer},{amount}\n")).collect();
        std::fs::write(self.folder.path().join(name), text).unwrap();
        std::fs::rename(self.folder.path().join(name), self.folder.path().join("in").join(name)).unwrap();
    }

    /// One in which the sums of all customers together are this.
    fn savepoint(&self, total: i64) -> Savepoint {
        let target = self.folder.path().join("savepoints").display().to_string();
        for _ in 0..3_000 {
            // At first not all tasks run.
            let Ok(path) = self.client.trigger_savepoint(Some(&target)) else {
                std::thread::park_timeout(Duration::from_millis(10));
                continue;
            };
            let savepoint = Savepoint::open(&path).unwrap();
            let uid = aggregate(&savepoint);
            let sums = savepoint.rows(&uid, "groups").unwrap();
            let sum = |rows: &arrow::array::RecordBatch| {
                let sums = rows.column_by_name("SUM(orders.amount).sum").unwrap();
                arrow::compute::sum(sums.as_any().downcast_ref::<arrow::array::Int64Array>().unwrap())
                    .unwrap_or(0)
            };
            if sums.iter().map(sum).sum::<i64>() == total {
                return savepoint;
            }
        }
        panic!("the job does not read all files");
    }

    fn rows(&mut self, script: &str) -> Vec<String> {
        let mut rows = Vec::new();
        for statement in parse_script(script).unwrap() {
            if let Outcome::Query(query) = self.environment.session.execute(&statement).unwrap() {
                let client = self.environment.cluster.submit(&query.graph).unwrap();
                let types: Vec<LogicalType> = query.schema.iter().map(|(_, ty)| ty.clone()).collect();
                let results = client.results().unwrap();
                while let Some(batch) = results.next_rows().unwrap() {
                    rows.extend(pretty::print(&batch, &types).lines().map(str::to_owned));
                }
            }
        }
        rows.sort();
        rows
    }
}

#[test]
fn a_table_of_history_becomes_state_that_a_job_goes_on_from() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::create_dir(at("in")).unwrap();
    std::fs::write(at("in/1.csv"), "1,10\n2,20\n1,5\n3,7\n").unwrap();
    let start = |settings: &str, options: &str| {
        let script = format!(
            "{settings}
             CREATE TABLE orders (customer BIGINT, amount INT)
                 WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'csv'{options});
             CREATE TABLE o (customer BIGINT, total BIGINT, PRIMARY KEY (customer) NOT ENFORCED)
                 WITH ('connector' = 'blackhole');
             INSERT INTO o SELECT customer, SUM(amount) FROM orders
                 WHERE customer IN (SELECT c FROM (VALUES (CAST(1 AS BIGINT)), (2)) AS v (c)) GROUP BY customer;",
            at("in")
        );
        let mut environment = Environment::local().unwrap();
        for statement in parse_script(&script).unwrap() {
            if let Outcome::Insert(job) = environment.session.execute(&statement).unwrap() {
                let client = environment.cluster.submit(&job.graph).unwrap();
                return (environment, client);
            }
        }
        panic!("the script has no INSERT")
    };
    let sums = |savepoint: &Savepoint| {
        let rows = savepoint.rows(&aggregate(savepoint), "groups").unwrap();
        let column = |rows: &arrow::array::RecordBatch| {
            let sums = rows.column_by_name("SUM(orders.amount).sum").unwrap().clone();
            sums.as_any().downcast_ref::<arrow::array::Int64Array>().unwrap().values().to_vec()
        };
        let mut sums: Vec<i64> = rows.iter().flat_map(column).collect();
        sums.sort_unstable();
        sums
    };
    let (_environment, client) =
        start(&format!("SET 'execution.savepoint-at-end' = '{}';", at("savepoints")), "");
    client.wait().unwrap();
    let last = client.info().checkpoints.history.into_iter().find(|one| one.kind.is_last()).unwrap();
    let made = Savepoint::open(&last.path.unwrap()).unwrap();
    assert_eq!(sums(&made), [15, 20]);
    // The same table, whose files do not end from now on.
    std::fs::write(at("in/2.csv"), "2,2\n").unwrap();
    let from = format!("SET 'execution.state-recovery.path' = '{}';", made.url());
    let (_environment, client) = start(&from, ", 'source.monitor-interval' = '10 ms'");
    let goes_on = (0..3_000).any(|_| {
        std::thread::park_timeout(Duration::from_millis(10));
        let savepoint = client.trigger_savepoint(Some(&at("savepoints")));
        savepoint.is_ok_and(|path| sums(&Savepoint::open(&path).unwrap()) == [15, 22])
    });
    assert!(goes_on, "{:#?}", client.info());
    client.cancel();
}

fn aggregate(savepoint: &Savepoint) -> String {
    let operators = savepoint.operators();
    operators.into_iter().find(|operator| operator.uid.starts_with("GroupAggregate")).unwrap().uid
}

fn path(savepoint: &Savepoint) -> String {
    savepoint.url().trim_start_matches("file://").to_owned()
}

#[test]
fn the_state_of_a_job_is_a_table() {
    let mut job = Job::start();
    job.put("first", (0..GROUPS).map(|customer| (customer, 1)));
    let savepoint = job.savepoint(GROUPS as i64);
    let table = |columns: &str, options: &str| {
        format!(
            "CREATE TEMPORARY TABLE s ({columns}) WITH ('connector' = 'savepoint', 'state.path' = '{}',
                 'operator.uid' = '{}' {options});",
            path(&savepoint),
            aggregate(&savepoint)
        )
    };
    let sums = table("`orders.customer` BIGINT, `SUM(orders.amount).sum` BIGINT", "");
    let rows = job.rows(&format!(
        "{sums} SELECT `SUM(orders.amount).sum`, COUNT(*), MIN(`orders.customer`) FROM s WHERE `orders.customer` >= 10
         GROUP BY `SUM(orders.amount).sum`; DROP TEMPORARY TABLE s;"
    ));
    assert!(rows.iter().any(|row| row.starts_with('+') && row.ends_with(" 1 60 10")), "{rows:?}");
    // Columns as other types, if their values fit.
    let narrow = table("`orders.customer` INT, `SUM(orders.amount).sum` STRING", ", 'state.name' = 'groups'");
    let rows =
        job.rows(&format!("{narrow} SELECT * FROM s WHERE `orders.customer` = 7; DROP TEMPORARY TABLE s;"));
    assert_eq!(rows, ["+I 7 1"]);
    // What is not there is told, with what is.
    for (columns, options, expected) in [
        (
            "total BIGINT",
            "",
            "has no column 'total'; there are: `orders.customer` BIGINT, `SUM(orders.amount).sum` BIGINT",
        ),
        ("a BIGINT", ", 'state.name' = 'sums'", "has no state 'sums'; there are: groups"),
        ("`orders.customer` BIGINT", ", 'state.nam' = 'groups'", "state.name"),
    ] {
        let script = format!("{} SELECT * FROM s; ", table(columns, options));
        let statements = parse_script(&script).unwrap();
        job.environment.session.execute(&statements[0]).unwrap();
        let error = job.environment.session.execute(&statements[1]).err().unwrap().to_string();
        assert!(error.contains(expected), "{error}");
        job.rows("DROP TEMPORARY TABLE s;");
    }
    // Where the source is.
    let source =
        savepoint.operators().into_iter().find(|operator| operator.uid.starts_with("Source")).unwrap();
    assert!(source.coordinator_bytes > 0);
    let error = Savepoint::open("/nowhere").unwrap_err().to_string();
    assert!(error.contains("there is no snapshot in '/nowhere'"), "{error}");
}

#[test]
fn differences_are_told_row_by_row() {
    let job = Job::start();
    job.put("first", (0..GROUPS).map(|customer| (customer, 1)));
    let first = job.savepoint(GROUPS as i64);
    assert_eq!(differences(&first, &first).unwrap(), []);
    // Ten change, five are new.
    job.put("second", (GROUPS - 10..GROUPS + 5).map(|customer| (customer, 2)));
    let second = job.savepoint(GROUPS as i64 + 30);
    let rows = |differences: &[Difference]| {
        differences
            .iter()
            .find(|difference| difference.state.as_deref() == Some("groups"))
            .unwrap()
            .what
            .clone()
    };
    let found = differences(&first, &second).unwrap();
    assert_eq!(rows(&found), StateDifference::Rows { gone: 0, new: 5, changed: 10, same: 60 });
    let found = differences(&second, &first).unwrap();
    assert_eq!(rows(&found), StateDifference::Rows { gone: 5, new: 0, changed: 10, same: 60 });
}

#[test]
fn what_is_damaged_is_named() {
    let job = Job::start();
    // Enough for files of its own: small ones are in the manifest.
    job.put("first", (0..20_000).map(|customer| (customer * 7919, 1)));
    let savepoint = job.savepoint(20_000);
    let checked = savepoint.check().unwrap();
    assert!(checked.files >= 2 && checked.bytes > 20_000, "{checked:?}");
    let is_file = |path: &Path| !path.ends_with("_metadata") && path.is_file();
    let folder = path(&savepoint);
    let file =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).find(|path| is_file(path));
    let file = file.unwrap();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[1_000] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let error = savepoint.check().unwrap_err().to_string();
    assert!(error.contains(file.file_name().unwrap().to_str().unwrap()), "{error}");
    std::fs::remove_file(&file).unwrap();
    assert!(savepoint.check().unwrap_err().to_string().contains("is missing"));
}

/// The rules are tried at each moment, and there are as many as rows.
const FEW: usize = 13;

struct Rows {
    spec: SourceSpec,
}

impl SourceUnderTest for Rows {
    fn source(&self) -> Result<Arc<dyn Source>> {
        let context = TableContext { batch: true, zone: "UTC".to_owned(), configuration: Default::default() };
        flott::connectors::builtin().source(&self.spec, &context)
    }

    fn texts(&self, batch: Batch) -> Result<Vec<String>> {
        let types: Vec<LogicalType> = self.spec.table.schema.iter().map(|(_, ty)| ty.clone()).collect();
        let Batch::Changes(batch) = batch else { return Ok(Vec::new()) };
        Ok(pretty::print(&batch, &types).lines().map(str::to_owned).collect())
    }

    fn expected(&self) -> Vec<String> {
        (0..FEW).map(|customer| format!("+I {customer} 1")).collect()
    }
}

#[test]
fn the_source_holds_the_rules() {
    let job = Job::start();
    job.put("first", (0..FEW).map(|customer| (customer, 1)));
    let savepoint = job.savepoint(FEW as i64);
    let options = [
        ("connector", "savepoint".to_owned()),
        ("state.path", path(&savepoint)),
        ("operator.uid", aggregate(&savepoint)),
    ];
    let schema = Schema::new(
        ["orders.customer", "SUM(orders.amount).sum"].map(|name| (name, TypeKind::BigInt.nullable())),
    );
    let table = TableSpec {
        name: "c.d.s".to_owned(),
        connector: "savepoint".to_owned(),
        options: options.map(|(key, value)| (key.to_owned(), value)).into(),
        schema,
        partition_keys: Vec::new(),
        primary_key: Vec::new(),
    };
    let spec = SourceSpec {
        projection: vec![0, 1],
        paths: Vec::new(),
        metadata: Schema::default(),
        limit: None,
        watermark: None,
        errors: false,
        table,
    };
    check_source(&Rows { spec }).unwrap();
}
