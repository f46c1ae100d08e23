//! Tables and checkpoints on S3 in SQL, against a real server that fails now and then: `make test-services`
//! starts it and says where it is.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::hash::{BuildHasher, RandomState};
use std::process::{Command, Stdio};

/// A place in the bucket that no other test uses.
struct S3 {
    endpoint: String,
    keys: (String, String),
    place: String,
}

impl S3 {
    fn new() -> S3 {
        let given = |name: &str| {
            std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test-services`"))
        };
        let keys = given("FLOTT_S3_KEYS");
        let (access, secret) = keys.split_once(':').unwrap();
        let number = RandomState::new().hash_one("place");
        S3 {
            endpoint: given("FLOTT_S3_UNRELIABLE"),
            keys: (access.to_owned(), secret.to_owned()),
            place: format!("s3://{}/test-{number:016x}", given("FLOTT_S3_BUCKET")),
        }
    }

    /// Runs a script whose INSERTs are waited for. `~` stands for the place.
    fn run(&self, script: &str, options: &[&str]) -> Result<String, String> {
        let head = "SET 'table.dml-sync' = 'true';\nSET 'sql-client.execution.result-mode' = 'tableau';\n";
        let script = format!("{head}{}", script.replace('~', &self.place));
        let mut command = Command::new(env!("CARGO_BIN_EXE_flott"));
        command.args(["sql", "-q", "-e", &script]).current_dir("/").stdin(Stdio::null());
        let (access, secret) = &self.keys;
        for (key, value) in
            [("s3.endpoint", &self.endpoint), ("s3.access-key", access), ("s3.secret-key", secret)]
        {
            command.args(["-D", &format!("{key}={value}")]);
        }
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
    for format in ["csv", "parquet", "avro"] {
        let s3 = S3::new();
        let table = |name: &str, path: &str, columns: &str, more: &str| {
            format!(
                "CREATE TABLE {name} (id BIGINT, name STRING, h STRING{columns}) PARTITIONED BY (h) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = '{format}'{more});\n"
            )
        };
        let commit = ", 'sink.partition-commit.policy.kind' = 'success-file'";
        let written = table("t", "~/t", "", commit);
        s3.run(
            &format!("{written}INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'y/ä%'), (3, 'c', 'x');"),
            &[],
        )
        .unwrap();
        assert_eq!(s3.rows(&format!("{written}SELECT * FROM t;")), ["1 a x", "2 b y/ä%", "3 c x"]);
        let part = table("p", "~/t/h=x*", "", "");
        assert_eq!(s3.rows(&format!("{part}SELECT id FROM p;")), ["1", "3"]);
        let metadata = ", fp STRING METADATA FROM 'file.path', sz BIGINT METADATA FROM 'file.size'";
        let told = table("m", "~/t", metadata, "");
        let places = format!("{told}SELECT DISTINCT SUBSTRING(fp FROM 1 FOR 5), sz > 0 FROM m;");
        assert_eq!(s3.rows(&places), ["s3:// TRUE"]);
        let success = "CREATE TABLE s (line STRING, n STRING METADATA FROM 'file.name') WITH ('connector' = 'filesystem', 'path' = '~/t/h=x/_SUCCESS', 'format' = 'raw');\nSELECT * FROM s;";
        assert_eq!(s3.rows(success).len(), 0, "it is there and empty");
    }
}

#[test]
#[ignore = "needs a server: make test-services"]
fn a_job_stops_with_a_savepoint_and_goes_on() {
    let s3 = S3::new();
    let settings = "SET 'execution.checkpointing.dir' = '~/checkpoints';\nSET 'execution.checkpointing.interval' = '100 ms';\nSET 'pipeline.name' = 'sums';\n";
    let tables = "CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '~/in', 'format' = 'csv');\n\
        CREATE TABLE o (k BIGINT, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '~/out', 'format' = 'csv');\n";
    s3.run(&format!("{tables}INSERT INTO t VALUES (1), (2), (3);"), &[]).unwrap();
    let job = "INSERT INTO o SELECT id, id * 10 FROM t;";
    s3.run(&format!("{settings}{tables}{job}"), &[]).unwrap();
    assert_eq!(s3.rows(&format!("{tables}SELECT * FROM o;")), ["1 10", "2 20", "3 30"]);
    // A finished job leaves nothing to continue from, and says so.
    let again = s3.run(&format!("{settings}{tables}{job}"), &["--restore", "~/checkpoints"]);
    assert!(again.is_err());
}

#[test]
#[ignore = "needs a server: make test-services"]
fn what_is_not_there_is_named() {
    let s3 = S3::new();
    let table = |path: &str| {
        format!(
            "CREATE TABLE t (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv');\nSELECT * FROM t;"
        )
    };
    let told = s3.run(&table("~/nothing"), &[]).unwrap_err();
    assert!(told.contains("there is no object at s3://"), "{told}");
    let told = s3.run(&table("s3://no-such-bucket/a"), &[]).unwrap_err();
    assert!(told.contains("s3://no-such-bucket/a"), "{told}");
    let told = s3.run(&table("~/nothing"), &["-D", "s3.endpoint=127.0.0.1:1"]).unwrap_err();
    assert!(told.contains("'s3.endpoint' is '127.0.0.1:1'"), "{told}");
}
