//! Tables and checkpoints on object stores in SQL, against servers that fail now and then: `make test-services`
//! starts them and says where they are.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::hash::{BuildHasher, RandomState};
use std::process::{Command, Stdio};

/// A place in a store that no other test uses.
struct Store {
    options: Vec<String>,
    place: String,
}

impl Store {
    /// One in each store.
    fn all() -> Vec<Store> {
        let given = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test-services`"))
        };
        let keys = given("FLOTT_S3_KEYS");
        let (access, secret) = keys.split_once(':').unwrap();
        let options = [
            format!("s3.endpoint={}", given("FLOTT_S3_UNRELIABLE")),
            format!("s3.access-key={access}"),
            format!("s3.secret-key={secret}"),
            format!(
                "fs.azure.account.key.devstoreaccount1.dfs.core.windows.net={}",
                given("FLOTT_AZURE_KEY")
            ),
        ];
        let store = |store: &str| {
            let number = RandomState::new().hash_one("place");
            Store { options: options.to_vec(), place: format!("{store}/test-{number:016x}") }
        };
        given("FLOTT_STORES").split(' ').map(store).collect()
    }

    /// Runs a script whose INSERTs are waited for. `~` stands for the place.
    fn run(&self, script: &str, options: &[&str]) -> Result<String, String> {
        let head = "SET 'table.dml-sync' = 'true';\nSET 'sql-client.execution.result-mode' = 'tableau';\n";
        let script = format!("{head}{}", script.replace('~', &self.place));
        let mut command = Command::new(env!("CARGO_BIN_EXE_flott"));
        command.args(["sql", "-q", "-e", &script]).current_dir("/").stdin(Stdio::null());
        self.options.iter().for_each(|option| _ = command.args(["-D", option]));
        let output =
            command.args(options).env_remove("FLOTT_CONF_DIR").env_remove("FLOTT_LOG").output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// The cells of the rows of a script's queries, in order of their text.
    fn rows(&self, script: &str) -> Vec<String> {
        let told = self.run(script, &[]).unwrap_or_else(|told| panic!("{told}\n{script}"));
        let cells = |row: &str| row.split('|').map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned();
        let mut rows: Vec<String> =
            told.lines().filter_map(|line| line.strip_prefix("| +I |")).map(cells).collect();
        rows.sort();
        rows
    }
}

#[test]
#[ignore = "needs a server: make test-services"]
fn tables_are_written_and_read() {
    for (format, store) in ["csv", "parquet", "avro"]
        .iter()
        .flat_map(|format| Store::all().into_iter().map(move |store| (format, store)))
    {
        let table = |name: &str, path: &str, columns: &str, more: &str| {
            format!(
                "CREATE TABLE {name} (id BIGINT, name STRING, h STRING{columns}) PARTITIONED BY (h) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = '{format}'{more});\n"
            )
        };
        let commit = ", 'sink.partition-commit.policy.kind' = 'success-file'";
        let written = table("t", "~/t", "", commit);
        store
            .run(
                &format!("{written}INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'y/ä%'), (3, 'c', 'x');"),
                &[],
            )
            .unwrap();
        assert_eq!(store.rows(&format!("{written}SELECT * FROM t;")), ["1 a x", "2 b y/ä%", "3 c x"]);
        let part = table("p", "~/t/h=x*", "", "");
        assert_eq!(store.rows(&format!("{part}SELECT id FROM p;")), ["1", "3"]);
        let metadata = ", fp STRING METADATA FROM 'file.path', sz BIGINT METADATA FROM 'file.size'";
        let told = table("m", "~/t", metadata, "");
        let places = format!("{told}SELECT DISTINCT fp LIKE '~/t/h=%', sz > 0 FROM m;");
        assert_eq!(store.rows(&places), ["TRUE TRUE"]);
        let success = "CREATE TABLE s (line STRING, n STRING METADATA FROM 'file.name') WITH ('connector' = 'filesystem', 'path' = '~/t/h=x/_SUCCESS', 'format' = 'raw');\nSELECT * FROM s;";
        assert_eq!(store.rows(success).len(), 0, "it is there and empty");
    }
}

#[test]
#[ignore = "needs a server: make test-services"]
fn tables_are_overwritten() {
    for store in Store::all() {
        let batch = "SET 'execution.runtime-mode' = 'batch';\n";
        let table = "CREATE TABLE t (id BIGINT, h STRING) WITH ('connector' = 'filesystem', 'path' = '~/o', 'format' = 'csv');
             CREATE TABLE p (id BIGINT, h STRING) PARTITIONED BY (h) WITH ('connector' = 'filesystem', 'path' = '~/p', 'format' = 'csv');\n";
        let rows = |name: &str| store.rows(&format!("{table}SELECT * FROM {name};"));
        let run = |statement: &str| store.run(&format!("{batch}{table}{statement};"), &[]).unwrap();
        run("INSERT INTO t VALUES (1, 'a'), (2, 'b')");
        run("INSERT OVERWRITE t SELECT id + 10, h FROM t");
        assert_eq!(rows("t"), ["11 a", "12 b"]);
        run("INSERT INTO p VALUES (1, 'a'), (2, 'b')");
        run("INSERT OVERWRITE p VALUES (3, 'b'), (4, 'c')");
        assert_eq!(rows("p"), ["1 a", "3 b", "4 c"]);
        run("INSERT OVERWRITE p PARTITION (h = 'a') SELECT id FROM p WHERE id < 0");
        assert_eq!(rows("p"), ["3 b", "4 c"]);
    }
}

#[test]
#[ignore = "needs a server: make test-services"]
fn tables_of_googles_store_are_read() {
    let place = std::env::var("FLOTT_GCS")
        .unwrap_or_else(|_| panic!("FLOTT_GCS is not set: run `make test-services`"));
    let store = Store { options: Vec::new(), place };
    let table = |path: &str| {
        format!(
            "CREATE TABLE t (id BIGINT, name STRING, fp STRING METADATA FROM 'file.path') WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv');\nSET 'execution.runtime-mode' = 'batch';\n"
        )
    };
    let row = |path: &str, query: &str| {
        let told = store.run(&format!("{}{query}", table(path)), &[]).unwrap();
        told.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let all = row("~", "SELECT COUNT(*), MIN(id), MAX(id), MAX(fp) = '~/day=2/part-5.csv' FROM t;");
    assert!(all.contains("| 120000 | 60000 | 179999 | TRUE |"), "{all}");
    let one = row("~/day=1/*3.csv", "SELECT COUNT(*), SUM(id) FROM t;");
    assert!(one.contains(&format!("| 30000 | {} |", (90_000..120_000u64).sum::<u64>())), "{one}");
    let told = store.run(&format!("{}SELECT * FROM t;", table("~/day=3")), &[]).unwrap_err();
    assert!(told.contains(&format!("there is no object at {}/day=3", store.place)), "{told}");
}

#[test]
#[ignore = "needs a server: make test-services"]
fn a_job_that_has_finished_leaves_its_rows() {
    Store::all().iter().for_each(a_job_in);
}

fn a_job_in(store: &Store) {
    let settings = "SET 'execution.checkpointing.dir' = '~/checkpoints';\nSET 'execution.checkpointing.interval' = '100 ms';\nSET 'pipeline.name' = 'sums';\n";
    let tables = "CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '~/in', 'format' = 'csv');\n\
        CREATE TABLE o (k BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '~/out', 'format' = 'csv');\n";
    store.run(&format!("{tables}INSERT INTO t VALUES (1), (2), (3);"), &[]).unwrap();
    let job = "INSERT INTO o SELECT id, id * 10 FROM t;";
    store.run(&format!("{settings}{tables}{job}"), &[]).unwrap();
    assert_eq!(store.rows(&format!("{tables}SELECT * FROM o;")), ["1 10", "2 20", "3 30"]);
    // A finished job leaves nothing to continue from, and says so.
    let again = store.run(&format!("{settings}{tables}{job}"), &["--restore", "~/checkpoints"]);
    assert!(again.is_err());
}

#[test]
#[ignore = "needs a server: make test-services"]
fn what_is_not_there_is_named() {
    Store::all().iter().for_each(what_is_not_there_in);
}

fn what_is_not_there_in(store: &Store) {
    let table = |path: &str| {
        format!(
            "CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv');\nSELECT * FROM t;"
        )
    };
    let told = store.run(&table("~/nothing"), &[]).unwrap_err();
    assert!(told.contains(&format!("there is no object at {}/nothing", store.place)), "{told}");
    let told = store.run(&table("s3://no-such-bucket/a"), &[]).unwrap_err();
    assert!(told.contains("s3://no-such-bucket/a"), "{told}");
    let told = store.run(&table("~/nothing"), &["-D", "s3.endpoint=127.0.0.1:1"]).unwrap_err();
    assert!(told.contains("'s3.endpoint' is '127.0.0.1:1'"), "{told}");
}
