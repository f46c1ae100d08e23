//! Process table functions of a program. The answers are those of a real Flink with the same functions.

use flott::Result;
use flott::datastream::{ListState, MapState, ValueState};
use flott::sql::process::{
    Column, OpenContext, ProcessTableFunction, Row, TableArgument, TableContext, Timer, process_table,
};

use crate::Shell;

pub(crate) const ROWS: &str = "\
Bob,1,2024-01-01 00:00:01.000
Alice,2,2024-01-01 00:00:02.000
Bob,3,2024-01-01 00:00:03.500
Cid,4,2024-01-01 00:00:09.000
Alice,5,2024-01-01 00:00:04.000
Bob,6,2024-01-01 00:00:30.000
";

const TABLES: &str = "
    CREATE TEMPORARY TABLE names (name STRING, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH (
        'connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv');
    CREATE TEMPORARY TABLE others (k STRING, amount BIGINT, at_time TIMESTAMP(3), WATERMARK FOR at_time AS at_time) WITH (
        'connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv');
    CREATE TEMPORARY TABLE plain (name STRING, amount INT, ts TIMESTAMP(3)) WITH (
        'connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv');
    CREATE TEMPORARY VIEW counts AS SELECT name, COUNT(*) AS c FROM names GROUP BY name;";

/// Greets each row by itself.
#[derive(Clone, Default)]
struct Hello {
    name: Column<String>,
    limit: Option<i32>,
}

impl ProcessTableFunction for Hello {
    type Out = (String, Option<i64>);

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        self.name = context.column("input", "name")?;
        self.limit = context.argument("limit")?;
        Ok(())
    }

    fn eval(&mut self, row: &Row<'_>, context: &mut TableContext<'_, Self::Out>) -> Result<()> {
        context.collect((row.get(self.name)?, self.limit.map(i64::from)));
        Ok(())
    }
}

/// Numbers the rows of each key, by three kinds of state.
#[derive(Clone, Default)]
struct Memory {
    amount: Column<Option<i64>>,
    count: ValueState<i64>,
    all: ListState<i64>,
    largest: MapState<String, i64>,
}

impl ProcessTableFunction for Memory {
    type Out = String;

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        self.amount = context.column("input", "amount")?;
        self.count = context.value_state("count")?;
        self.all = context.list_state("all")?;
        self.largest = context.map_state("largest")?;
        Ok(())
    }

    fn eval(&mut self, row: &Row<'_>, context: &mut TableContext<'_, String>) -> Result<()> {
        let amount = row.get(self.amount)?.unwrap_or_default();
        let count = self.count.update(context, |count| {
            *count += 1;
            *count
        });
        self.all.add(context, amount);
        let largest = self.largest.get(context, "all").copied().unwrap_or_default().max(amount);
        self.largest.insert(context, "all".to_owned(), largest);
        let all: Vec<String> = self.all.iter(context).map(ToString::to_string).collect();
        context.collect(format!("{count}:{}:{largest}", all.join("+")));
        Ok(())
    }
}

/// Tells of its rows and its timers, of which each row sets one without a name and two with names.
#[derive(Clone, Default)]
struct Timed {
    wait: Option<i64>,
    count: ValueState<i64>,
}

impl ProcessTableFunction for Timed {
    type Out = String;

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        self.wait = context.argument("wait")?;
        self.count = context.value_state("count")?;
        Ok(())
    }

    fn eval(&mut self, _: &Row<'_>, context: &mut TableContext<'_, String>) -> Result<()> {
        self.count.update(context, |count| *count += 1);
        let at = context.time();
        context.collect(format!("row@{}", at.map_or(-1, |at| at % 100_000)));
        if let Some(wait) = self.wait {
            let at = at.unwrap_or_default() + wait;
            context.register_timer(at)?;
            context.register_named_timer("last", at)?;
            context.register_named_timer("b", at)?;
        }
        Ok(())
    }

    fn on_timer(&mut self, timer: &Timer, context: &mut TableContext<'_, String>) -> Result<()> {
        let name = timer.name().unwrap_or("none").to_owned();
        let (at, count) = (timer.time() % 100_000, self.count.get_or_default(context));
        context.collect(format!("{name}@{at}*{count}"));
        Ok(())
    }
}

/// Says of which of two tables a row is.
#[derive(Clone, Default)]
struct Both {
    left: Column<i32>,
    right: Column<i64>,
    seen: ValueState<i64>,
}

impl ProcessTableFunction for Both {
    type Out = (String, i64);

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        self.left = context.column("l", "amount")?;
        self.right = context.column("r", "amount")?;
        self.seen = context.value_state("seen")?;
        Ok(())
    }

    fn eval(&mut self, row: &Row<'_>, context: &mut TableContext<'_, Self::Out>) -> Result<()> {
        self.seen.update(context, |seen| *seen += 1);
        let amount = match row.table() {
            "l" => i64::from(row.get(self.left)?),
            _ => row.get(self.right)?,
        };
        context.collect((row.table().to_owned(), amount));
        Ok(())
    }
}

/// Takes no table.
#[derive(Clone, Default)]
struct Scalars(i32, Option<String>);

impl ProcessTableFunction for Scalars {
    type Out = String;

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        *self = Scalars(context.argument("i")?, context.argument("s")?);
        Ok(())
    }

    fn eval(&mut self, _: &Row<'_>, context: &mut TableContext<'_, String>) -> Result<()> {
        context.collect(format!("{}/{}", self.0, self.1.as_deref().unwrap_or("null")));
        context.collect("again".to_owned());
        Ok(())
    }
}

/// Says how each row changes its table.
#[derive(Clone, Default)]
struct Kinds(Column<i64>);

impl ProcessTableFunction for Kinds {
    type Out = (String, i64);

    fn open(&mut self, context: &mut OpenContext<'_>) -> Result<()> {
        self.0 = context.column_by_position("input", 1)?;
        Ok(())
    }

    fn eval(&mut self, row: &Row<'_>, context: &mut TableContext<'_, Self::Out>) -> Result<()> {
        context.collect((format!("{:?}", row.kind()), row.get(self.0)?));
        Ok(())
    }
}

pub(crate) fn shell() -> (Shell, tempfile::TempDir) {
    let mut shell = Shell::new();
    let env = &mut shell.0;
    let set = || TableArgument::set("input");
    let hello = process_table(Hello::default())
        .table(TableArgument::rows("input"))
        .optional_argument::<i32>("limit")
        .columns(["name", "n"]);
    env.create_temporary_system_function("hello", hello).unwrap();
    env.create_temporary_system_function("memory", process_table(Memory::default()).table(set())).unwrap();
    let optional = process_table(Memory::default()).table(set().optional_partition_by());
    env.create_temporary_system_function("opt_memory", optional).unwrap();
    let through = process_table(Memory::default()).table(set().pass_columns_through());
    env.create_temporary_system_function("through", through).unwrap();
    let timed = || process_table(Timed::default()).table(set()).optional_argument::<i64>("wait");
    env.create_temporary_system_function("timed", timed()).unwrap();
    let required =
        process_table(Timed::default()).table(set().require_on_time()).optional_argument::<i64>("wait");
    env.create_temporary_system_function("required", required).unwrap();
    let both = process_table(Both::default())
        .table(TableArgument::set("l"))
        .table(TableArgument::set("r"))
        .columns(["side", "v"]);
    env.create_temporary_system_function("pair", both).unwrap();
    let scalars = process_table(Scalars::default()).argument::<i32>("i").optional_argument::<String>("s");
    env.create_temporary_system_function("scalars", scalars).unwrap();
    let kinds = process_table(Kinds::default()).table(set().supports_updates());
    env.create_temporary_system_function("kinds", kinds).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("names.csv");
    std::fs::write(&path, ROWS).unwrap();
    shell.ask(&TABLES.replace("{path}", &path.display().to_string())).unwrap();
    (shell, folder)
}

fn columns(shell: &mut Shell, query: &str) -> String {
    shell
        .ask(&format!("DROP TEMPORARY VIEW IF EXISTS asked; CREATE TEMPORARY VIEW asked AS {query}"))
        .unwrap();
    let described = shell.ask_in_order("DESCRIBE asked").unwrap();
    described
        .iter()
        .map(|row| row.split('|').take(2).collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn rows_one_by_one() {
    let (mut shell, _folder) = shell();
    let rows = shell.ask("SELECT * FROM hello(TABLE names, 3)").unwrap();
    assert_eq!(rows, ["Alice|3", "Alice|3", "Bob|3", "Bob|3", "Bob|3", "Cid|3"]);
    for call in ["TABLE names", "input => TABLE names, uid => 'u-1'", "TABLE names, DEFAULT, DEFAULT, 'u-1'"]
    {
        let rows = shell.ask(&format!("SELECT * FROM hello({call}) WHERE name = 'Cid'")).unwrap();
        assert_eq!(rows, ["Cid|"], "{call}");
    }
    let query =
        "SELECT * FROM hello(input => (SELECT ts, 'x' AS name FROM names), on_time => DESCRIPTOR(ts))";
    assert_eq!(columns(&mut shell, query), "name STRING, n BIGINT, rowtime TIMESTAMP(3) *ROWTIME*");
    assert_eq!(shell.ask("SELECT * FROM scalars(1, 'x')").unwrap(), ["1/x", "again"]);
    assert_eq!(shell.ask("SELECT z FROM TABLE(scalars(i => 1)) AS t(z)").unwrap(), ["1/null", "again"]);
}

#[test]
fn rows_of_a_key_share_state() {
    let (mut shell, _folder) = shell();
    for parallelism in [1, 3] {
        shell.ask(&format!("SET 'parallelism.default' = '{parallelism}'")).unwrap();
        let rows = shell.ask("SELECT * FROM memory(TABLE names PARTITION BY name)").unwrap();
        assert_eq!(
            rows,
            ["Alice|1:2:2", "Alice|2:2+5:5", "Bob|1:1:1", "Bob|2:1+3:3", "Bob|3:1+3+6:6", "Cid|1:4:4"]
        );
        let rows =
            shell.ask("SELECT * FROM memory(input => TABLE names PARTITION BY (name, amount), uid => 'm')");
        assert_eq!(rows.unwrap()[0], "Alice|2|1:2:2");
        // Late rows are rows as well. In order, those that the watermark has passed are dropped, whichever key has moved it on.
        let rows = shell.ask("SELECT * FROM memory(input => TABLE names PARTITION BY name ORDER BY (ts, amount DESC)) AS t(k, v)");
        assert_eq!(rows.unwrap(), ["Alice|1:2:2", "Bob|1:1:1", "Bob|2:1+3:3", "Bob|3:1+3+6:6", "Cid|1:4:4"]);
        let rows = shell.ask("SELECT * FROM opt_memory(TABLE names)").unwrap();
        assert_eq!(rows.last().unwrap(), "6:1+2+3+4+5+6:6");
        let rows =
            shell.ask("SELECT name, `EXPR$0` FROM through(TABLE names PARTITION BY name) WHERE amount > 4");
        assert_eq!(rows.unwrap(), ["Alice|2:2+5:5", "Bob|3:1+3+6:6"]);
        let query =
            "SELECT * FROM pair(l => TABLE names PARTITION BY name, r => TABLE others PARTITION BY k)";
        let rows = shell.ask(query).unwrap();
        assert_eq!(
            (rows.len(), rows[0].as_str(), rows[1].as_str()),
            (12, "Alice|Alice|l|2", "Alice|Alice|l|5")
        );
    }
    let through =
        "SELECT * FROM through(input => TABLE names PARTITION BY amount, on_time => DESCRIPTOR(ts))";
    let expected =
        "name STRING, amount INT, ts TIMESTAMP(3) *ROWTIME*, EXPR$0 STRING, rowtime TIMESTAMP(3) *ROWTIME*";
    assert_eq!(columns(&mut shell, through), expected);
    let both = "SELECT * FROM pair(l => TABLE names PARTITION BY name, r => TABLE names PARTITION BY name, on_time => DESCRIPTOR(ts))";
    let expected = "name STRING, name0 STRING, side STRING, v BIGINT, rowtime TIMESTAMP(3) *ROWTIME*";
    assert_eq!(columns(&mut shell, both), expected);
    assert_eq!(shell.ask(both).unwrap().len(), 12);
}

#[test]
fn timers_fire_when_the_watermark_has_reached_them() {
    let (mut shell, _folder) = shell();
    shell.ask("SET 'table.exec.batch-size' = '1'").unwrap();
    let query = |wait: i64| {
        format!(
            "SELECT * FROM timed(input => TABLE names PARTITION BY name, `wait` => {wait}, on_time => DESCRIPTOR(ts))"
        )
    };
    let one = |rows: Vec<String>, name: &str| -> Vec<String> {
        let of = rows.into_iter().filter(|row| row.starts_with(name));
        of.map(|row| row.split('|').nth(1).unwrap().to_owned()).collect()
    };
    // A name is replaced: only its last time fires, and there are two with a time without a name for each row.
    let rows = shell.ask_in_order(&query(1000)).unwrap();
    let expected = [
        "row@2000",
        "none@3000*1",
        "b@3000*1",
        "last@3000*1",
        "row@4000",
        "none@5000*2",
        "b@5000*2",
        "last@5000*2",
    ];
    assert_eq!(one(rows.clone(), "Alice"), expected);
    let expected = [
        "row@1000",
        "row@3500",
        "none@2000*2",
        "none@4500*2",
        "b@4500*2",
        "last@4500*2",
        "row@30000",
        "none@31000*3",
        "b@31000*3",
        "last@31000*3",
    ];
    assert_eq!(one(rows, "Bob"), expected);
    // One that has passed fires with the next watermark.
    let rows = shell.ask_in_order(&query(-100_000)).unwrap();
    assert_eq!(one(rows, "Cid"), ["row@9000", "none@9000*1", "b@9000*1", "last@9000*1"]);
    let rows = shell.ask("SELECT * FROM timed(TABLE names PARTITION BY name)").unwrap();
    assert_eq!(rows[0], "Alice|row@-1");
    // The time of the result is that of the row or of the timer, and can be windowed.
    let windowed = "SELECT COUNT(*) AS n FROM TABLE(TUMBLE(TABLE q, DESCRIPTOR(rowtime), INTERVAL '10' SECOND)) GROUP BY window_start, window_end";
    let rows = shell.ask(&format!("CREATE TEMPORARY VIEW q AS {}; {windowed}", query(1000)));
    assert_eq!(rows.unwrap(), ["15", "3", "4"]);
    let error = shell.ask("SELECT * FROM timed(TABLE names PARTITION BY name, 1000)").unwrap_err();
    assert!(error.contains("timers need a table that is taken as a set"), "{error}");
}

#[test]
fn updates_are_taken_where_the_function_says_so() {
    let (mut shell, _folder) = shell();
    shell.ask("SET 'table.exec.batch-size' = '1'").unwrap();
    let rows = shell.ask("SELECT * FROM kinds(TABLE counts PARTITION BY name) WHERE name <> 'Bob'").unwrap();
    assert_eq!(rows, ["Alice|Insert|1", "Alice|UpdateAfter|2", "Cid|Insert|1"]);
    let error = shell.ask("SELECT * FROM memory(TABLE counts PARTITION BY name)").unwrap_err();
    let expected = "StreamPhysicalProcessTableFunction doesn't support consuming update changes which is produced by node GroupAggregate";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn wrong_calls_are_refused() {
    let (mut shell, _folder) = shell();
    let memory = "memory(input => TABLE names PARTITION BY name";
    for (call, message) in [
        ("hello(TABLE names PARTITION BY name)".to_owned(), "Only tables with set semantics may be partitioned"),
        ("memory(TABLE names)".to_owned(), "Table argument 'input' requires a PARTITION BY clause for parallel processing"),
        (format!("{memory}, uid => 'a b')"), "follows the pattern [a-zA-Z_][a-zA-Z-_0-9]*. But found: a b"),
        (format!("{memory}, on_time => DESCRIPTOR(amount))"), "column 'amount' in table argument 'input' has data type 'INT'"),
        (format!("{memory}, on_time => DESCRIPTOR(nope))"), "Unknown references: [nope]"),
        ("memory(input => TABLE plain PARTITION BY name, on_time => DESCRIPTOR(ts))".to_owned(), "Column 'ts' is not a valid time attribute"),
        ("memory(TABLE names PARTITION BY nope)".to_owned(), "Invalid column 'nope' for PARTITION BY clause. Available columns are: [name, amount, ts]"),
        ("memory(TABLE names PARTITION BY name ORDER BY amount)".to_owned(), "However, column 'amount' has data type 'INT'"),
        ("memory(TABLE names PARTITION BY name ORDER BY ts DESC)".to_owned(), "must be in ascending order"),
        ("required(TABLE names PARTITION BY name)".to_owned(), "Table argument 'input' requires a time attribute"),
        ("scalars()".to_owned(), "the call of scalars lacks the argument 'i'"),
        ("scalars(DEFAULT)".to_owned(), "DEFAULT is only allowed for optional parameters"),
        ("scalars(TRUE)".to_owned(), "the argument 'i' of scalars is BOOLEAN NOT NULL; it takes INT"),
        ("scalars(1, 'x', DEFAULT, DEFAULT, 7)".to_owned(), "one too many"),
        ("pair(l => TABLE names PARTITION BY name, r => TABLE others PARTITION BY amount)".to_owned(), "must match across all involved table arguments"),
        ("pair(l => TABLE names PARTITION BY name, r => TABLE others PARTITION BY k, on_time => DESCRIPTOR(ts))".to_owned(), "Missing time attributes for: [r]"),
        (format!("{memory}) UNION ALL SELECT * FROM memory(TABLE names PARTITION BY (amount, name)) AS t (a, b)"), ""),
    ] {
        let error = shell.ask(&format!("SELECT * FROM {call}")).unwrap_err();
        assert!(error.contains(message), "{call}: {error}");
    }
    let twice = "SELECT * FROM memory(TABLE names PARTITION BY name) UNION ALL SELECT * FROM memory(TABLE others PARTITION BY k)";
    let error = shell.ask(twice).unwrap_err();
    assert!(error.contains("Duplicate unique identifier 'memory' detected"), "{error}");
    // The same call twice is one.
    let same = "SELECT * FROM memory(TABLE names PARTITION BY name) UNION ALL SELECT * FROM memory(TABLE names PARTITION BY name)";
    assert_eq!(shell.ask(same).unwrap().len(), 12);
    let error = shell
        .ask("SET 'execution.runtime-mode' = 'batch'; SELECT * FROM memory(TABLE names PARTITION BY name)");
    assert!(error.unwrap_err().contains("in batch mode is not supported"));
    let plan = shell.ask_in_order(
        "SET 'execution.runtime-mode' = 'streaming';
         EXPLAIN SELECT * FROM timed(input => TABLE names PARTITION BY name, on_time => DESCRIPTOR(ts), `wait` => 7)",
    );
    let plan = plan.unwrap().join("\n");
    let expected = "ProcessTableFunction(invocation=[timed(TABLE(#0) PARTITION BY($0), 7:BIGINT, DESCRIPTOR(ts), 'timed')], uid=[timed], select=[name,EXPR$0,rowtime])";
    assert!(plan.contains(expected), "{plan}");
    let described = shell.ask("DESCRIBE FUNCTION EXTENDED timed").unwrap();
    let signature = "signature|timed(input => {TABLE, SET SEMANTIC TABLE}, wait => BIGINT, on_time => DESCRIPTOR, uid => STRING)";
    assert!(
        described.contains(&signature.to_owned()) && described.contains(&"kind|PROCESS_TABLE".to_owned()),
        "{described:?}"
    );
}

#[test]
fn errors_name_the_function_and_the_row() {
    let (mut shell, _folder) = shell();
    let error = shell.ask("SELECT * FROM pair(l => (SELECT name, CAST(NULL AS INT) AS amount FROM names) PARTITION BY name, r => TABLE others PARTITION BY k)");
    let error = error.unwrap_err();
    assert!(
        error.contains("function 'pair' failed for the arguments (")
            && error.contains("the column 'amount' of 'l' is NULL"),
        "{error}"
    );
    let error = shell.ask("SELECT * FROM hello(TABLE others)").unwrap_err();
    assert!(error.contains("the table 'input' has no column 'name'; it has k, amount, at_time"), "{error}");
    let error = shell
        .ask("SELECT * FROM memory(input => (SELECT name, 'x' AS amount FROM names) PARTITION BY name)")
        .unwrap_err();
    assert!(
        error.contains("the column 'amount' of 'input' is CHAR(1); it cannot be read as BIGINT"),
        "{error}"
    );
}
