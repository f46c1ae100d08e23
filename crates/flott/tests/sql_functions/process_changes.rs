//! Process table functions whose results change. The answers are those of a real Flink with the same functions.

use flott::Result;
use flott::batch::RowKind;
use flott::sql::process::{
    ChangelogMode, Column, OpenContext, ProcessTableFunction, Row, TableArgument, TableContext, process_table,
};

use crate::Shell;
use crate::process::shell;

/// Gives what it takes, with what it is to give.
#[derive(Clone, Default)]
struct Give(Column<Option<i64>>);

impl ProcessTableFunction for Give {
    type Out = (Option<i64>, String);

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        self.0 = context.column_by_position("r", 1)?;
        Ok(())
    }

    fn eval(&mut self, row: &Row<'_>, context: &mut TableContext<'_, Self::Out>) -> Result<()> {
        let mode = context.changelog_mode();
        if row.kind() == RowKind::Delete && mode.key_only_deletes {
            return context.collect_delete();
        }
        let kinds = [(true, "I"), (mode.update_before, "UB"), (mode.updates, "UA"), (mode.deletes, "D")];
        let kinds: Vec<&str> = kinds.iter().filter(|(there, _)| *there).map(|(_, kind)| *kind).collect();
        context.collect_change(row.kind(), (row.get(self.0)?, kinds.join("/")))
    }
}

/// Says what it takes.
#[derive(Clone, Default)]
struct Seen(Column<Option<i64>>);

impl ProcessTableFunction for Seen {
    type Out = String;

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        self.0 = context.column_by_position("r", 1)?;
        Ok(())
    }

    fn eval(&mut self, row: &Row<'_>, context: &mut TableContext<'_, String>) -> Result<()> {
        let value = row.get(self.0)?.map_or("null".to_owned(), |value| value.to_string());
        context.collect(format!("{}{value}", row.kind().symbol()));
        Ok(())
    }
}

fn changing() -> (Shell, tempfile::TempDir) {
    let (mut shell, folder) = shell();
    let env = &mut shell.0;
    let set = || TableArgument::set("r").supports_updates();
    let before = || TableArgument::set("r").require_update_before();
    let adaptive =
        process_table(Give::default()).table(set()).columns(["c", "mode"]).changelog(|context| match context
            .required()
        {
            required if required.update_before => ChangelogMode::all(),
            required => ChangelogMode::upsert(required.key_only_deletes),
        });
    let retract = process_table(Give::default())
        .table(before())
        .columns(["c", "mode"])
        .changelog(|_| ChangelogMode::all());
    let upsert = process_table(Give::default())
        .table(set())
        .columns(["c", "mode"])
        .changelog(|context| ChangelogMode::upsert(context.required().key_only_deletes));
    let by_key = process_table(Give::default())
        .table(set())
        .changelog(|_| ChangelogMode::upsert(true))
        .columns(["c", "mode"]);
    let of_rows = |mode: ChangelogMode| {
        let rows = process_table(Give::default()).table(TableArgument::rows("r").supports_updates());
        rows.changelog(move |_| mode).columns(["c", "mode"])
    };
    let through = process_table(Give::default()).table(set().pass_columns_through());
    let through_changes = process_table(Give::default())
        .table(TableArgument::set("r").pass_columns_through())
        .changelog(|_| ChangelogMode::all());
    let updates_only = process_table(Give::default())
        .table(set())
        .changelog(|_| ChangelogMode { deletes: false, ..ChangelogMode::all() });
    let seen = |argument: TableArgument| process_table(Seen::default()).table(argument).columns(["seen"]);
    env.create_temporary_system_function("adaptive", adaptive).unwrap();
    env.create_temporary_system_function("retract", retract).unwrap();
    env.create_temporary_system_function("ups", upsert).unwrap();
    env.create_temporary_system_function("by_key", by_key).unwrap();
    env.create_temporary_system_function("of_rows", of_rows(ChangelogMode::all())).unwrap();
    env.create_temporary_system_function("upserts_of_rows", of_rows(ChangelogMode::upsert(false))).unwrap();
    env.create_temporary_system_function("passing", through).unwrap();
    env.create_temporary_system_function("passing_changes", through_changes).unwrap();
    env.create_temporary_system_function("updates_only", updates_only).unwrap();
    env.create_temporary_system_function("seen", seen(set())).unwrap();
    env.create_temporary_system_function("seen_before", seen(before())).unwrap();
    env.create_temporary_system_function("seen_full", seen(set().require_full_delete())).unwrap();
    env.create_temporary_system_function("seen_rows", seen(TableArgument::rows("r").supports_updates()))
        .unwrap();
    let tables = "
        SET 'table.exec.batch-size' = '1';
        CREATE TEMPORARY VIEW per_count AS SELECT c, COUNT(*) AS n FROM counts GROUP BY c;
        CREATE TEMPORARY VIEW of_bob AS SELECT c, COUNT(*) AS n FROM counts WHERE name = 'Bob' GROUP BY c;
        CREATE TEMPORARY TABLE target (name STRING, c BIGINT, mode STRING, PRIMARY KEY (name) NOT ENFORCED) WITH ('connector' = 'blackhole');
        CREATE TEMPORARY TABLE other_key (name STRING, c BIGINT, mode STRING, PRIMARY KEY (mode) NOT ENFORCED) WITH ('connector' = 'blackhole');";
    shell.ask(tables).unwrap();
    (shell, folder)
}

/// The operators at the end of a plan, with what they emit.
fn modes(shell: &mut Shell, statement: &str) -> String {
    let plan = shell.ask_in_order(&format!("EXPLAIN CHANGELOG_MODE {statement}")).unwrap().join("\n");
    let physical = plan.split("== Optimized Physical Plan ==").nth(1).unwrap();
    let physical = physical.split("== Optimized Execution Plan ==").next().unwrap();
    let operator = |line: &str| {
        let line = line.trim_start_matches([' ', '+', '-', '|', ':']);
        let (name, mode) = (line.split('(').next()?, line.split("changelogMode=").nth(1)?);
        let counts = name != "Exchange" && (name != "Calc" || line.contains("where="));
        counts.then(|| format!("{name} {}", mode.trim_end_matches(')')))
    };
    physical.lines().filter_map(operator).skip(1).take(4).collect::<Vec<_>>().join(" <- ")
}

#[test]
fn updates_are_found_by_the_partition_where_it_is_the_key() {
    let (mut shell, _folder) = changing();
    let bob = |shell: &mut Shell, query: &str| {
        shell.ask_in_order(&format!("SELECT seen FROM {query} WHERE name = 'Bob'"))
    };
    let of_counts = "(r => TABLE counts PARTITION BY name)";
    assert_eq!(bob(&mut shell, &format!("seen{of_counts}")).unwrap(), ["+I1", "+U2", "+U3"]);
    assert_eq!(
        bob(&mut shell, &format!("seen_before{of_counts}")).unwrap(),
        ["+I1", "-U1", "+U2", "-U2", "+U3"]
    );
    // Rows that are partitioned by another column leave and join keys.
    let rows = shell.ask_in_order("SELECT * FROM seen(r => TABLE counts PARTITION BY c)").unwrap();
    assert_eq!(rows, ["1|+I1", "1|+I1", "1|-U1", "2|+U2", "1|+I1", "1|-U1", "2|+U2", "2|-U2", "3|+U3"]);
    let rows = shell
        .ask_in_order("SELECT * FROM seen_rows(r => (SELECT * FROM counts WHERE name = 'Bob'))")
        .unwrap();
    assert_eq!(rows, ["+I1", "-U1", "+U2", "-U2", "+U3"]);
    // Deletions.
    let one = |shell: &mut Shell, table: &str| {
        shell.ask_in_order(&format!("SELECT seen FROM {table} PARTITION BY c) WHERE c = 2"))
    };
    let changes = ["+I1", "+U2", "+U1"];
    assert_eq!(one(&mut shell, "seen(r => TABLE per_count").unwrap(), changes);
    assert_eq!(one(&mut shell, "seen_full(r => TABLE per_count").unwrap(), changes);
}

#[test]
fn a_function_gives_what_is_needed_of_it() {
    let (mut shell, _folder) = changing();
    let of_counts = "(r => TABLE counts PARTITION BY name)";
    // A client and aggregates need what a row was.
    let query = format!("SELECT c, mode FROM retract{of_counts} WHERE name = 'Alice'");
    let rows = shell.ask_in_order(&query).unwrap();
    assert_eq!(rows, ["1|I/UB/UA/D", "-U|1|I/UB/UA/D", "+U|2|I/UB/UA/D"]);
    let query = "SELECT c, mode FROM of_rows(r => (SELECT * FROM counts WHERE name = 'Alice'))";
    let rows = shell.ask_in_order(query).unwrap();
    assert_eq!(rows, ["1|I/UB/UA/D", "-U|1|I/UB/UA/D", "+U|2|I/UB/UA/D"]);
    for parallelism in [1, 2] {
        shell.ask(&format!("SET 'parallelism.default' = '{parallelism}'")).unwrap();
        let rows = shell.ask_in_order(&format!("SELECT SUM(c) FROM retract{of_counts}")).unwrap();
        assert!(rows.last().unwrap().ends_with('6'), "{rows:?}");
        // A function that is partitioned by the key does not, and takes deletions by the key.
        for of in
            ["adaptive(r => TABLE per_count PARTITION BY c)", "ups(r => TABLE per_count PARTITION BY c)"]
        {
            let query =
                format!("SELECT seen FROM seen(r => (SELECT c, c0 FROM {of}) PARTITION BY c) WHERE c = 2");
            let rows = shell.ask_in_order(&query).unwrap();
            assert!(
                rows.last().unwrap().ends_with('1') && rows.iter().all(|row| row.starts_with('+')),
                "{rows:?}"
            );
        }
    }
    shell.ask("SET 'parallelism.default' = '1'").unwrap();
    // Deletions have the key alone, or all columns.
    for (taker, deleted) in [("seen", "null"), ("seen_full", "1")] {
        let query = format!(
            "SELECT c, seen FROM {taker}(r => (SELECT c, c0 FROM ups(r => TABLE of_bob PARTITION BY c)) PARTITION BY c)"
        );
        let expected = [
            "1|+I1".to_owned(),
            format!("1|-D{deleted}"),
            "2|+I1".to_owned(),
            format!("2|-D{deleted}"),
            "3|+I1".to_owned(),
        ];
        assert_eq!(shell.ask(&query).unwrap(), expected);
    }
    let insert = |function: &str| format!("INSERT INTO target SELECT * FROM {function}{of_counts}");
    for (statement, expected) in [
        (insert("adaptive"), "ProcessTableFunction [I,UA,D] <- GroupAggregate [I,UA]"),
        (insert("ups"), "ProcessTableFunction [I,UA,D] <- GroupAggregate [I,UA]"),
        (
            format!("{} WHERE c > 1", insert("adaptive")),
            "Calc [I,UB,UA,D] <- ProcessTableFunction [I,UB,UA,D] <- GroupAggregate [I,UA]",
        ),
        (
            format!("SELECT name, MAX(c) FROM adaptive{of_counts} GROUP BY name"),
            "GroupAggregate [I,UA,D] <- ProcessTableFunction [I,UB,UA,D] <- GroupAggregate [I,UA]",
        ),
        (
            format!("SELECT * FROM seen(r => (SELECT * FROM ups{of_counts}) PARTITION BY name)"),
            "ProcessTableFunction [I] <- ProcessTableFunction [I,UA,D] <- GroupAggregate [I,UA]",
        ),
    ] {
        let found = modes(&mut shell, &statement);
        assert!(found.starts_with(expected), "{statement}: {found}");
    }
}

#[test]
fn what_a_function_cannot_give_is_refused() {
    let (mut shell, _folder) = changing();
    let of_counts = "(r => TABLE counts PARTITION BY name)";
    let timed = "(r => TABLE names PARTITION BY name, on_time => DESCRIPTOR(ts))";
    let last = "SELECT name, amount, ts FROM (
        SELECT *, ROW_NUMBER() OVER (PARTITION BY name ORDER BY ts DESC) AS rn FROM names) WHERE rn = 1";
    let on_time = "Time operations using the `on_time` argument are currently not supported for PTFs that consume or produce updates.";
    for (query, message) in [
        (format!("SELECT * FROM ups{of_counts}"), "the function 'ups' gives updates without UPDATE_BEFORE"),
        (format!("SELECT COUNT(*) FROM ups{of_counts}"), "the function 'ups' gives updates without UPDATE_BEFORE"),
        (format!("EXPLAIN INSERT INTO other_key SELECT * FROM ups{of_counts} ON CONFLICT DO DEDUPLICATE"), "gives updates without UPDATE_BEFORE"),
        (format!("EXPLAIN INSERT INTO target SELECT * FROM by_key{of_counts} WHERE c > 1"), "gives updates without UPDATE_BEFORE"),
        ("SELECT * FROM seen_full(r => (SELECT * FROM by_key(r => TABLE counts PARTITION BY name)) PARTITION BY name)".to_owned(), "the function 'by_key' gives deletions by the key alone"),
        ("SELECT * FROM upserts_of_rows(r => TABLE counts)".to_owned(), "PTFs that take table arguments with row semantics don't support upsert output. Table argument 'r' of function 'upserts_of_rows' must use set semantics."),
        (format!("SELECT * FROM passing{of_counts}"), "Signatures with updating inputs must not pass columns through."),
        ("SELECT * FROM passing_changes(r => TABLE names PARTITION BY name)".to_owned(), "Pass-through columns are not supported for PTFs that produce updates."),
        (format!("SELECT * FROM retract{timed}"), on_time),
        (
            format!("SELECT * FROM seen{timed}").replace("TABLE names", &format!("({last})")),
            on_time,
        ),
        ("SELECT * FROM updates_only(r => TABLE of_bob PARTITION BY c)".to_owned(), "a row of the kind -D was given, and the function declares +I, -U, +U"),
    ] {
        let error = shell.ask(&query).unwrap_err();
        assert!(error.contains(message), "{query}: {error}");
    }
    // A table that takes updates and has none may have a time.
    let rows = shell.ask(&format!("SELECT seen FROM seen{timed} WHERE name = 'Cid'")).unwrap();
    assert_eq!(rows, ["+I4"]);
}

#[test]
fn which_rows_are_late_does_not_depend_on_what_a_key_has_had() {
    let (mut shell, folder) = changing();
    let path = folder.path().join("late.csv");
    let times = [
        ("a", 1.0),
        ("a", 10.0),
        ("a", 20.0),
        ("b", 5.0),
        ("b", 19.5),
        ("a", 8.0),
        ("b", 25.0),
        ("b", 19.0),
        ("c", 30.0),
    ];
    let rows = (1..).zip(times).map(|(n, (key, at))| format!("{key},{n},2024-01-01 00:00:{at:06.3}\n"));
    std::fs::write(&path, rows.collect::<String>()).unwrap();
    let late = format!(
        "CREATE TEMPORARY TABLE late (name STRING, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH (
            'connector' = 'filesystem', 'path' = '{}', 'format' = 'csv')",
        path.display()
    );
    shell.ask(&late).unwrap();
    let rows = shell.ask("SELECT * FROM memory(input => TABLE late PARTITION BY name ORDER BY ts)").unwrap();
    assert_eq!(rows, ["a|1:1:1", "a|2:1+2:2", "a|3:1+2+3:3", "b|1:7:7", "c|1:9:9"]);
}

#[test]
fn arguments_are_constants() {
    let (mut shell, _folder) = changing();
    for argument in ["1 + 2", "CAST('3' AS INT)", "CHAR_LENGTH('abc')"] {
        let rows =
            shell.ask(&format!("SELECT * FROM hello(TABLE names, {argument}) WHERE name = 'Cid'")).unwrap();
        assert_eq!(rows, ["Cid|3"], "{argument}");
    }
    // What is another value each time is computed once, when the query is planned: the plan has it.
    for (argument, least) in [("RAND_INTEGER(1000) + 1", 1), ("CAST(EXTRACT(YEAR FROM NOW()) AS INT)", 2026)]
    {
        let query = format!("SELECT DISTINCT n FROM hello(TABLE names, {argument})");
        let rows = shell.ask(&query).unwrap();
        assert!(rows.len() == 1 && rows[0].parse::<i64>().unwrap() >= least, "{argument}: {rows:?}");
        let plan = shell.ask_in_order(&format!("EXPLAIN {query}")).unwrap().join("\n");
        assert!(
            plan.contains("hello(TABLE(#0), ") && !plan.contains("RAND") && !plan.contains("NOW"),
            "{plan}"
        );
    }
    let later = flott::sql::async_scalar(|x: i32| async move { Ok(x) });
    shell.0.create_temporary_system_function("later", later).unwrap();
    let error = shell.ask("SELECT * FROM hello(TABLE names, later(1))").unwrap_err();
    assert!(error.contains("the argument 'limit' of hello is a constant"), "{error}");
}
