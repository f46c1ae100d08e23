//! Tables of Kafka in SQL, against real brokers: `make test-services` starts them and says where they are.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::process::{Command, Stdio};

/// Names in scripts that no other test uses, and the brokers.
struct Kafka {
    servers: String,
    /// What the names of topics and groups begin with.
    prefix: String,
}

/// What a script left.
struct Told {
    out: String,
    err: String,
}

impl Kafka {
    fn new() -> Kafka {
        let servers = std::env::var("FLOTT_KAFKA");
        let servers =
            servers.unwrap_or_else(|_| panic!("FLOTT_KAFKA names no brokers: run `make test-services`"));
        Kafka { servers, prefix: format!("{:016x}", RandomState::new().hash_one("prefix")) }
    }

    /// `CREATE TABLE`. `~` in options stands for the prefix.
    fn table(&self, name: &str, columns: &str, options: &[(&str, &str)]) -> String {
        let mut text = format!("CREATE TABLE {name} ({columns}) WITH (");
        if !options.iter().any(|(key, _)| *key == "connector") {
            text += "'connector' = 'kafka', ";
        }
        for (key, value) in options {
            write!(text, "'{key}' = '{}', ", value.replace('~', &self.prefix)).unwrap();
        }
        text + &format!("'properties.bootstrap.servers' = '{}');\n", self.servers)
    }

    /// Runs a script whose INSERTs are waited for.
    fn run(&self, script: &str) -> Result<Told, Told> {
        let head = "SET 'table.dml-sync' = 'true';\nSET 'sql-client.execution.result-mode' = 'tableau';\n";
        let script = format!("{head}{script}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_flott"));
        command.args(["sql", "-q", "-e", &script]).current_dir("/").stdin(Stdio::null());
        let output = command.env_remove("FLOTT_CONF_DIR").env_remove("FLOTT_LOG").output().unwrap();
        let told = Told {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        };
        if output.status.success() { Ok(told) } else { Err(told) }
    }

    /// The cells of the rows of a script's queries, in order of their text.
    fn rows(&self, script: &str) -> Vec<String> {
        let told = self.run(script).unwrap_or_else(|told| panic!("{}\n{script}", told.err));
        let rows = told.out.lines().filter_map(|line| line.strip_prefix("| +I |"));
        let cells = |row: &str| row.split('|').map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned();
        let mut rows: Vec<String> = rows.map(cells).collect();
        rows.sort();
        rows
    }

    fn fails(&self, script: &str) -> String {
        self.run(script).err().unwrap_or_else(|| panic!("it does not fail:\n{script}")).err
    }
}

const BEGIN: (&str, &str) = ("scan.startup.mode", "earliest-offset");
const END: (&str, &str) = ("scan.bounded.mode", "latest-offset");

#[test]
#[ignore = "needs brokers: make test-services"]
fn keys_and_values_have_formats_of_their_own() {
    let kafka = Kafka::new();
    let of_key =
        [("topic", "~k"), ("key.format", "json"), ("key.fields", "k_id"), ("key.fields-prefix", "k_")];
    let except = [("value.format", "json"), ("value.fields-include", "EXCEPT_KEY")];
    let columns = "k_id BIGINT, name STRING";
    let written = kafka.table("written", columns, &[&of_key[..], &except].concat());
    let insert = "INSERT INTO written VALUES (1, 'a'), (2, 'b');\n";
    // Both as they are in the topic.
    let raw = [("key.format", "raw"), ("key.fields", "k"), ("value.format", "raw"), except[1], BEGIN, END];
    let seen = kafka.table("seen", "k STRING, v STRING", &[&raw[..], &[("topic", "~k")]].concat());
    let rows = kafka.rows(&format!("{written}{insert}{seen}SELECT * FROM seen;"));
    assert_eq!(rows, [r#"{"id":1} {"name":"a"}"#, r#"{"id":2} {"name":"b"}"#]);
    let read = kafka.table("r", columns, &[&of_key[..], &except, &[BEGIN, END]].concat());
    assert_eq!(kafka.rows(&format!("{read}SELECT * FROM r;")), ["1 a", "2 b"]);
    // What only the value has needs no key to be read.
    assert_eq!(kafka.rows(&format!("{read}SELECT name FROM r;")), ["a", "b"]);

    // Columns that are in both, in another format.
    let of_key = [("topic", "~c"), ("key.format", "csv"), ("key.fields", "id;name"), ("value.format", "csv")];
    let null = ("value.csv.null-literal", "-");
    let columns = "id BIGINT, name STRING, amount INT";
    let table = kafka.table("t", columns, &[&of_key[..], &[null, BEGIN, END]].concat());
    let seen = kafka.table("seen", "k STRING, v STRING", &[&raw[..], &[("topic", "~c")]].concat());
    let insert = "INSERT INTO t VALUES (1, 'a', 10), (2, 'b', CAST(NULL AS INT));\n";
    let rows = kafka.rows(&format!("{table}{insert}{seen}SELECT * FROM seen;"));
    assert_eq!(rows, ["1,a 1,a,10", "2,b 2,b,-"]);
    assert_eq!(kafka.rows(&format!("{table}SELECT * FROM t;")), ["1 a 10", "2 b <NULL>"]);
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn reading_begins_and_ends_where_the_table_says() {
    let kafka = Kafka::new();
    let columns = "id BIGINT, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'";
    let base = [("topic", "~s"), ("format", "json"), ("sink.partitioner", "fixed")];
    let table = |more: &[(&str, &str)]| kafka.table("t", columns, &[&base[..], more].concat());
    let insert = "INSERT INTO t SELECT id, TO_TIMESTAMP_LTZ(id * 1000, 3) FROM (VALUES (1), (2), (3), (4), (5)) AS v (id);\n";
    let script = |more: &[(&str, &str)]| format!("{}SELECT id FROM t;", table(more));
    let at = |mode| ("scan.startup.mode", mode);
    let until = |mode| ("scan.bounded.mode", mode);
    kafka.run(&format!("SET 'parallelism.default' = '1';\n{}{insert}", table(&[]))).ok().unwrap();
    let ends = "partition:0,offset:2;partition:1,offset:0;partition:2,offset:0;partition:3,offset:0";
    type Options<'a> = &'a [(&'a str, &'a str)];
    let cases: &[(Options<'_>, &[&str])] = &[
        (&[BEGIN, END], &["1", "2", "3", "4", "5"]),
        (&[at("latest-offset"), END], &[]),
        (&[at("timestamp"), ("scan.startup.timestamp-millis", "3000"), END], &["3", "4", "5"]),
        (&[at("timestamp"), ("scan.startup.timestamp-millis", "6000"), END], &[]),
        (&[BEGIN, until("timestamp"), ("scan.bounded.timestamp-millis", "3000")], &["1", "2"]),
        (
            &[
                at("specific-offsets"),
                ("scan.startup.specific-offsets", "partition:0,offset:3;partition:1,offset:0"),
                END,
            ],
            &["4", "5"],
        ),
        (&[BEGIN, until("specific-offsets"), ("scan.bounded.specific-offsets", ends)], &["1", "2"]),
    ];
    for (options, expected) in cases {
        assert_eq!(kafka.rows(&script(options)), *expected, "{options:?}");
    }
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn a_group_goes_on_where_it_was() {
    let kafka = Kafka::new();
    let group = [("topic", "~g"), ("format", "json"), ("properties.group.id", "~g"), END];
    let reset = ("properties.auto.offset.reset", "earliest");
    let table = |more: &[(&str, &str)]| kafka.table("t", "id BIGINT", &[&group[..], more].concat());
    let insert = |id: u32| format!("{}INSERT INTO t VALUES ({id});\n", table(&[]));
    // The checkpoint at the end of the input commits offsets.
    let read = format!(
        "SET 'execution.checkpointing.interval' = '1 h';\n{}SELECT id FROM t;",
        table(&[("scan.startup.mode", "group-offsets"), reset])
    );
    kafka.run(&insert(1)).ok().unwrap();
    assert_eq!(kafka.rows(&read), ["1"]);
    assert_eq!(kafka.rows(&read), Vec::<String>::new());
    kafka.run(&insert(2)).ok().unwrap();
    assert_eq!(kafka.rows(&read), ["2"]);
    // Without offsets and without a rule, it is an error.
    let other =
        table(&[("scan.startup.mode", "group-offsets")]).replace("group.id' = '", "group.id' = 'other-");
    let failure = kafka.fails(&format!("{other}SELECT id FROM t;"));
    assert!(failure.contains("auto.offset.reset"), "{failure}");
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn topics_are_named_or_matched() {
    let kafka = Kafka::new();
    let columns = "id BIGINT, topic STRING METADATA VIRTUAL";
    for (number, topic) in ["~-one", "~-two", "~-three"].into_iter().enumerate() {
        let table = kafka.table("t", columns, &[("topic", topic), ("format", "json")]);
        kafka.run(&format!("{table}INSERT INTO t VALUES ({number});")).ok().unwrap();
    }
    let read = |which: (&str, &str)| {
        let table = kafka.table("t", columns, &[which, ("format", "json"), BEGIN, END]);
        kafka.rows(&format!("{table}SELECT id, SUBSTRING(topic, 18) FROM t;"))
    };
    assert_eq!(read(("topic", "~-one;~-two")), ["0 one", "1 two"]);
    assert_eq!(read(("topic-pattern", "~-t.*")), ["1 two", "2 three"]);
    // The whole name matches.
    assert_eq!(read(("topic-pattern", "~-t")), Vec::<String>::new());
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn rows_go_to_the_partitions_that_the_partitioner_says() {
    let kafka = Kafka::new();
    let partitions = |topic: &str, more: &[(&str, &str)]| {
        let base = [("topic", topic), BEGIN, END];
        let columns = "id BIGINT, part INT METADATA FROM 'partition' VIRTUAL";
        let table = kafka.table("t", columns, &[&base[..], more].concat());
        let rows: String =
            (0..40).map(|row| format!("{}({})", if row == 0 { "" } else { ", " }, row % 8)).collect();
        let script = format!(
            "SET 'parallelism.default' = '1';\n{table}INSERT INTO t VALUES {rows};\nSELECT part, COUNT(*), COUNT(DISTINCT id) FROM t GROUP BY part;"
        );
        let told = kafka.run(&script).unwrap_or_else(|told| panic!("{}", told.err)).out;
        // The last counts of each partition.
        let mut counts = std::collections::BTreeMap::new();
        for line in told.lines().filter(|line| line.starts_with("| +")) {
            let cells: Vec<u64> = line.split('|').filter_map(|cell| cell.trim().parse().ok()).collect();
            counts.insert(cells[0], (cells[1], cells[2]));
        }
        counts
    };
    let json = ("format", "json");
    let round = partitions("~r", &[json, ("sink.partitioner", "round-robin")]);
    assert_eq!(round.values().map(|(rows, _)| *rows).collect::<Vec<_>>(), [10, 10, 10, 10]);
    let fixed = partitions("~f", &[json, ("sink.partitioner", "fixed")]);
    assert_eq!(fixed.values().copied().collect::<Vec<_>>(), [(40, 8)]);
    // Rows of a key stay together: each of the eight is in one partition.
    let keyed = partitions("~k", &[("key.format", "json"), ("key.fields", "id"), ("value.format", "json")]);
    assert_eq!(keyed.values().map(|(rows, _)| rows).sum::<u64>(), 40);
    assert_eq!(keyed.values().map(|(_, keys)| keys).sum::<u64>(), 8);
    assert!(keyed.len() > 1, "{keyed:?}");
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn metadata_is_written_and_read() {
    let kafka = Kafka::new();
    let columns = "id BIGINT, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', headers MAP<STRING, BYTES> METADATA, \
                   `offset` BIGINT METADATA VIRTUAL, kind STRING METADATA FROM 'timestamp-type' VIRTUAL";
    let table = kafka.table("t", columns, &[("topic", "~m"), ("format", "json"), BEGIN, END]);
    let rows = kafka.rows(&format!(
        "SET 'table.local-time-zone' = 'UTC';\n{table}INSERT INTO t VALUES \
         (1, TO_TIMESTAMP_LTZ(1700000000123, 3), MAP['from', x'616263']);\n\
         SELECT id, ts, CAST(headers['from'] AS STRING), `offset`, kind FROM t;"
    ));
    assert_eq!(rows, ["1 2023-11-14 22:13:20.123 abc 0 CreateTime"]);
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn the_last_row_of_a_key_counts() {
    let kafka = Kafka::new();
    let upsert =
        [("connector", "upsert-kafka"), ("topic", "~u"), ("key.format", "json"), ("value.format", "json")];
    let columns = "id BIGINT, name STRING, PRIMARY KEY (id) NOT ENFORCED";
    // Changes of a database: a row that is made, deleted, and made again.
    let change = |op: &str, before: &str, after: &str| {
        let row = |name: &str| match name {
            "" => "null".to_owned(),
            name => format!(r#"{{"id":1,"name":"{name}"}}"#),
        };
        format!(r#"{{"before":{},"after":{},"op":"{op}"}}"#, row(before), row(after))
    };
    let messages =
        [change("c", "", "a"), change("d", "a", ""), change("c", "", "b")].map(|text| format!("('{text}')"));
    let log = kafka.table(
        "log",
        "message STRING",
        &[("topic", "~l"), ("format", "raw"), ("sink.partitioner", "fixed")],
    );
    let changes =
        kafka.table("changes", columns, &[("topic", "~l"), ("format", "debezium-json"), BEGIN, END]);
    let parallelism = "SET 'parallelism.default' = '1';\n";
    let insert = format!("INSERT INTO log VALUES {};\n", messages.join(", "));
    let table = kafka.table("u", columns, &upsert);
    kafka
        .run(&format!("{parallelism}{log}{insert}{changes}{table}INSERT INTO u SELECT * FROM changes;"))
        .ok()
        .unwrap();
    let read = kafka.table("r", columns, &[&upsert[..], &[END]].concat());
    assert_eq!(kafka.rows(&format!("{read}SELECT * FROM r;")), ["1 b"]);
    // The deletion is a record without a value, which is no row of other tables.
    let at = "message STRING, pos BIGINT METADATA FROM 'offset' VIRTUAL";
    let seen = kafka.table("seen", at, &[("topic", "~u"), ("format", "raw"), BEGIN, END]);
    let expected = [r#"0 {"id":1,"name":"a"}"#, r#"2 {"id":1,"name":"b"}"#];
    assert_eq!(kafka.rows(&format!("{seen}SELECT pos, message FROM seen;")), expected);

    // What is collected is written once for each key.
    let flush =
        [("topic", "~v"), ("sink.buffer-flush.max-rows", "100"), ("sink.buffer-flush.interval", "1 h")];
    let upsert_v = [upsert[0], upsert[2], upsert[3]];
    let table = kafka.table("v", columns, &[&upsert_v[..], &flush].concat());
    let values: String =
        (0..50).map(|row| format!("{}({}, 'n{row}')", if row == 0 { "" } else { ", " }, row % 5)).collect();
    let raw =
        [("topic", "~v"), ("key.format", "raw"), ("key.fields", "k"), ("value.format", "raw"), BEGIN, END];
    let seen = kafka.table(
        "seen",
        "k STRING, v STRING",
        &[&raw[..], &[("value.fields-include", "EXCEPT_KEY")]].concat(),
    );
    let rows = kafka.rows(&format!(
        "{parallelism}{table}INSERT INTO v VALUES {values};\n{seen}SELECT k, SUBSTRING(v, 8) FROM seen;"
    ));
    let expected: Vec<String> =
        (0..5).map(|id| format!(r#"{{"id":{id}}} "name":"n{}"}}"#, 45 + id)).collect();
    assert_eq!(rows.len(), 5, "{rows:?}");
    assert_eq!(rows.iter().map(|row| row.replace(",", "")).collect::<Vec<_>>(), expected);
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn a_record_without_a_key_is_no_row_of_a_table_with_a_key() {
    let kafka = Kafka::new();
    let keyless = kafka.table("k", "name STRING", &[("topic", "~n"), ("format", "json")]);
    kafka.run(&format!("{keyless}INSERT INTO k VALUES ('nobody');")).ok().unwrap();
    let upsert = [
        ("connector", "upsert-kafka"),
        ("topic", "~n"),
        ("key.format", "json"),
        ("value.format", "json"),
        END,
    ];
    let table = kafka.table("u", "id BIGINT, name STRING, PRIMARY KEY (id) NOT ENFORCED", &upsert);
    let failure = kafka.fails(&format!("{table}SELECT * FROM u;"));
    assert!(failure.contains("the record at offset 0") && failure.contains("has no key"), "{failure}");
}

#[test]
#[ignore = "needs brokers: make test-services"]
fn records_that_cannot_be_read_go_to_another_topic() {
    let kafka = Kafka::new();
    let raw = [("topic", "~in"), ("key.format", "raw"), ("key.fields", "k"), ("value.format", "raw")];
    let written = kafka.table(
        "written",
        "k STRING, v STRING",
        &[&raw[..], &[("value.fields-include", "EXCEPT_KEY")]].concat(),
    );
    let insert = r#"INSERT INTO written VALUES ('1', '{"id":1}'), ('2', '{"id":'), ('x', '{"id":3}'), ('4', '{"id":"four"}'), ('5', '{"id":5}');"#;
    let of_key = [("key.format", "raw"), ("key.fields", "k"), ("value.fields-include", "EXCEPT_KEY")];
    let read = [("topic", "~in"), ("value.format", "json"), BEGIN, END];
    let read = kafka.table(
        "r",
        "k STRING, id INT, `headers` MAP<STRING, BYTES> METADATA",
        &[&read[..], &of_key].concat(),
    );
    let exactly = [("sink.delivery-guarantee", "exactly-once"), ("sink.transactional-id-prefix", "~tx")];
    let bad = "record_key BYTES, record BYTES, reason STRING, table_name STRING, topic STRING, topic_partition INT, topic_offset BIGINT";
    let bad = kafka.table(
        "bad",
        bad,
        &[&[("topic", "~bad"), ("format", "json"), BEGIN, END], &exactly[..]].concat(),
    );
    let script = format!("{written}{insert}{read}{bad}SELECT k, id FROM r ERRORS INTO bad;");
    assert_eq!(kafka.rows(&script), ["1 1", "5 5", "x 3"]);
    let found = "SELECT CAST(record_key AS STRING), CAST(record AS STRING), table_name LIKE '%.r', topic_partition >= 0, topic_offset >= 0, \
                 topic LIKE '%in', CHAR_LENGTH(reason) > 10 FROM bad;";
    let rest = "TRUE TRUE TRUE TRUE TRUE";
    let bad_rows = kafka.rows(&format!("{bad}{found}"));
    assert_eq!(bad_rows, [format!(r#"2 {{"id": {rest}"#), format!(r#"4 {{"id":"four"}} {rest}"#)]);

    // A key that cannot be read makes its record one that cannot.
    let of_key = [("topic", "~in"), ("key.format", "csv"), ("value.format", "json"), BEGIN, END];
    let upserts = [
        ("connector", "upsert-kafka"),
        of_key[0],
        of_key[1],
        of_key[2],
        ("scan.bounded.mode", "latest-offset"),
    ];
    let upserts = kafka.table("u", "k INT PRIMARY KEY NOT ENFORCED, id INT", &upserts);
    let bad = kafka.table(
        "bad",
        "record_key BYTES, reason STRING",
        &[("topic", "~bad2"), ("format", "json"), BEGIN, END],
    );
    let script = format!("{written}{bad}{upserts}SELECT k, id FROM u ERRORS INTO bad;");
    assert_eq!(kafka.rows(&script), ["1 1", "5 5"]);
    assert_eq!(kafka.rows(&format!("{bad}SELECT CAST(record_key AS STRING) FROM bad;")), ["2", "4", "x"]);

    let skipped = kafka.table(
        "s",
        "id INT",
        &[("topic", "~in"), ("format", "json"), ("json.ignore-parse-errors", "true"), BEGIN, END],
    );
    let error = kafka.fails(&format!("{skipped}{bad}SELECT * FROM s ERRORS INTO bad;"));
    assert!(
        error.contains("ERRORS INTO and 'json.ignore-parse-errors' = 'true' exclude each other"),
        "{error}"
    );
}
