//! Text in, text out: every kind of statement.

mod common;

use common::parsed;
use expect_test::{Expect, expect};

fn check(script: &str, expected: Expect) {
    expected.assert_eq(&parsed(script));
}

#[test]
fn drop_and_rename() {
    check(
        "DROP TABLE t; DROP TEMPORARY TABLE IF EXISTS a.b.c; DROP VIEW v; DROP TEMPORARY VIEW IF EXISTS v;
         DROP DATABASE d; DROP DATABASE IF EXISTS c.d CASCADE; DROP DATABASE d RESTRICT; DROP CATALOG IF EXISTS c;
         DROP TEMPORARY SYSTEM FUNCTION IF EXISTS f; DROP FUNCTION a.f;
         ALTER VIEW v RENAME TO w; ALTER TABLE IF EXISTS t RENAME TO u",
        expect![[r#"
            DropTable(DropRelation { name: [t] })
            DropTable(DropRelation { temporary: true, if_exists: true, name: [a, b, c] })
            DropView(DropRelation { name: [v] })
            DropView(DropRelation { temporary: true, if_exists: true, name: [v] })
            DropDatabase(DropDatabase { name: [d] })
            DropDatabase(DropDatabase { if_exists: true, name: [c, d], cascade: true })
            DropDatabase(DropDatabase { name: [d] })
            DropCatalog(DropCatalog { if_exists: true, name: c })
            DropFunction(DropFunction { temporary: true, system: true, if_exists: true, name: [f] })
            DropFunction(DropFunction { name: [a, f] })
            AlterView(AlterView { name: [v], operation: RenameTo([w]) })
            AlterTable(AlterTable { if_exists: true, name: [t], operation: RenameTo([u]) })
        "#]],
    );
}

#[test]
fn databases_catalogs_functions() {
    check(
        "CREATE DATABASE IF NOT EXISTS c.d COMMENT 'x' WITH ('a' = 'b'); ALTER DATABASE d SET ('a' = 'b', 'c' = 'd');
         CREATE CATALOG c WITH ('type' = 'generic_in_memory'); ALTER CATALOG c SET ('a' = 'b');
         ALTER CATALOG c RESET ('a'); ALTER CATALOG c COMMENT 'x';
         CREATE TEMPORARY SYSTEM FUNCTION IF NOT EXISTS f AS 'a.B' LANGUAGE JAVA USING JAR '/x.jar', JAR '/y.jar';
         CREATE FUNCTION a.b.f AS 'a.B'; ALTER TEMPORARY FUNCTION IF EXISTS f AS 'a.B' LANGUAGE PYTHON",
        expect![[r#"
            CreateDatabase(CreateDatabase { if_not_exists: true, name: [c, d], comment: Some("x"), options: ["a" = "b"] })
            AlterDatabase(AlterDatabase { name: [d], options: ["a" = "b", "c" = "d"] })
            CreateCatalog(CreateCatalog { name: c, options: ["type" = "generic_in_memory"] })
            AlterCatalog(AlterCatalog { name: c, operation: Set(["a" = "b"]) })
            AlterCatalog(AlterCatalog { name: c, operation: Reset(["a"]) })
            AlterCatalog(AlterCatalog { name: c, operation: Comment("x") })
            CreateFunction(CreateFunction { temporary: true, system: true, if_not_exists: true, name: [f], class: "a.B", language: Some(JAVA), resources: [(true, "/x.jar"), (true, "/y.jar")] })
            CreateFunction(CreateFunction { name: [a, b, f], class: "a.B" })
            AlterFunction(AlterFunction { temporary: true, if_exists: true, name: [f], class: "a.B", language: Some(PYTHON) })
        "#]],
    );
}

#[test]
fn create_table() {
    check(
        "CREATE TEMPORARY TABLE IF NOT EXISTS c.d.t (
           id BIGINT NOT NULL COMMENT 'the key',
           `select` STRING,
           m TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL,
           n INT NOT NULL METADATA,
           amount AS price * 2 COMMENT 'twice',
           WATERMARK FOR m AS m - INTERVAL '5' SECOND,
           CONSTRAINT pk PRIMARY KEY (id, n) NOT ENFORCED
         ) COMMENT 'a table' DISTRIBUTED BY HASH (id) INTO 4 BUCKETS PARTITIONED BY (a, b)
         WITH ('connector' = 'print', 'x' = 'it''s')",
        expect![[r#"
            CreateTable(CreateTable { temporary: true, if_not_exists: true, replace: Never, name: [c, d, t], columns: [ColumnDef { name: id, kind: BigInt NOT NULL, comment: Some("the key") }, ColumnDef { name: `select`, kind: String }, ColumnDef { name: m, kind: Metadata { ty: Timestamp(3), key: Some("timestamp"), is_virtual: true } }, ColumnDef { name: n, kind: Metadata { ty: Int NOT NULL } }, ColumnDef { name: amount, kind: Computed { expr: Expr { kind: Binary { first: Expr { kind: Name([price]) }, rest: [(Multiply, Expr { kind: Literal(Number("2")) })] } }, text: "price * 2" }, comment: Some("twice") }], watermark: Some(Watermark { column: [m], expr: Expr { kind: Binary { first: Expr { kind: Name([m]) }, rest: [(Minus, Expr { kind: Literal(Interval(Interval { value: Millis(5000), text: "5", qualifier: IntervalQualifier { first: Second } })) })] } }, text: "m - INTERVAL '5' SECOND" }), primary_key: Some(PrimaryKey { name: Some(pk), columns: [id, n] }), comment: Some("a table"), distribution: Some(Distribution { kind: Some(Hash), columns: [id], buckets: Some(4) }), partitioned_by: [a, b], options: ["connector" = "print", "x" = "it's"] })
        "#]],
    );
    check(
        "CREATE TABLE t (id INT PRIMARY KEY NOT ENFORCED COMMENT 'x', PRIMARY KEY (id) NOT ENFORCED)",
        expect![[r#"
        error: A table has one primary key: list its columns in one PRIMARY KEY (..) at line 1, column 62
    "#]],
    );
    check(
        "CREATE TABLE t (a INT) DISTRIBUTED INTO 3 BUCKETS;
         CREATE TABLE t LIKE s;
         CREATE TABLE t (b INT) WITH ('x' = 'y') LIKE c.s (INCLUDING ALL OVERWRITING OPTIONS EXCLUDING WATERMARKS)",
        expect![[r#"
            CreateTable(CreateTable { replace: Never, name: [t], columns: [ColumnDef { name: a, kind: Int }], distribution: Some(Distribution { buckets: Some(3) }) })
            CreateTable(CreateTable { replace: Never, name: [t], like: Some(LikeTable { source: [s] }) })
            CreateTable(CreateTable { replace: Never, name: [t], columns: [ColumnDef { name: b, kind: Int }], options: ["x" = "y"], like: Some(LikeTable { source: [c, s], options: [LikeOption { strategy: Including, feature: All }, LikeOption { strategy: Overwriting, feature: Options }, LikeOption { strategy: Excluding, feature: Watermarks }] }) })
        "#]],
    );
}

#[test]
fn alter_table() {
    check(
        "ALTER TABLE t RENAME a TO b; ALTER TABLE t RENAME a.b TO c; ALTER TABLE t SET ('a' = 'b'); ALTER TABLE t RESET ('a', 'b');
         ALTER TABLE t ADD a INT; ALTER TABLE t ADD (a INT NOT NULL COMMENT 'x' FIRST, b STRING AFTER a, PRIMARY KEY (a) NOT ENFORCED);
         ALTER TABLE t MODIFY a BIGINT; ALTER TABLE t DROP a; ALTER TABLE t DROP (a, b.c); ALTER TABLE t DROP WATERMARK;
         ALTER TABLE t DROP PRIMARY KEY; ALTER TABLE t DROP CONSTRAINT pk; ALTER TABLE t DROP DISTRIBUTION",
        expect![[r#"
            AlterTable(AlterTable { name: [t], operation: RenameColumn { from: [a], to: b } })
            AlterTable(AlterTable { name: [t], operation: RenameColumn { from: [a, b], to: c } })
            AlterTable(AlterTable { name: [t], operation: Set(["a" = "b"]) })
            AlterTable(AlterTable { name: [t], operation: Reset(["a", "b"]) })
            AlterTable(AlterTable { name: [t], operation: Add(SchemaChange { columns: [(ColumnDef { name: a, kind: Int }, None)] }) })
            AlterTable(AlterTable { name: [t], operation: Add(SchemaChange { columns: [(ColumnDef { name: a, kind: Int NOT NULL, comment: Some("x") }, Some(First)), (ColumnDef { name: b, kind: String }, Some(After(a)))], primary_key: Some(PrimaryKey { columns: [a] }) }) })
            AlterTable(AlterTable { name: [t], operation: Modify(SchemaChange { columns: [(ColumnDef { name: a, kind: BigInt }, None)] }) })
            AlterTable(AlterTable { name: [t], operation: DropColumns([[a]]) })
            AlterTable(AlterTable { name: [t], operation: DropColumns([[a], [b, c]]) })
            AlterTable(AlterTable { name: [t], operation: DropWatermark })
            AlterTable(AlterTable { name: [t], operation: DropPrimaryKey })
            AlterTable(AlterTable { name: [t], operation: DropConstraint(pk) })
            AlterTable(AlterTable { name: [t], operation: DropDistribution })
        "#]],
    );
}

#[test]
fn show_describe_use() {
    check(
        "SHOW TABLES; SHOW TABLES FROM c.d NOT LIKE 'a%'; SHOW VIEWS IN d ILIKE 'x'; SHOW DATABASES; SHOW CATALOGS LIKE 'c%';
         SHOW CURRENT CATALOG; SHOW CURRENT DATABASE; SHOW COLUMNS FROM t LIKE 'a'; SHOW PARTITIONS t;
         SHOW USER FUNCTIONS; SHOW FUNCTIONS IN c.d; SHOW MODULES; SHOW FULL MODULES; SHOW JARS; SHOW JOBS; SHOW PROCEDURES;
         SHOW MODELS; SHOW MATERIALIZED TABLES; SHOW CREATE TABLE a.t; SHOW CREATE VIEW v; SHOW CREATE CATALOG c;
         DESCRIBE t; DESC EXTENDED a.t; DESCRIBE CATALOG EXTENDED c; DESCRIBE DATABASE d; DESCRIBE catalog; DESCRIBE JOB 'x';
         USE d; USE c.d; USE CATALOG c; USE catalog; USE MODULES core, hive",
        expect![[r#"
            Show(Show { target: Tables })
            Show(Show { target: Tables, scope: Some([c, d]), filter: Some(ShowFilter { negated: true, pattern: "a%" }) })
            Show(Show { target: Views, scope: Some([d]), filter: Some(ShowFilter { ignore_case: true, pattern: "x" }) })
            Show(Show { target: Databases })
            Show(Show { target: Catalogs, filter: Some(ShowFilter { pattern: "c%" }) })
            Show(Show { target: CurrentCatalog })
            Show(Show { target: CurrentDatabase })
            Show(Show { target: Columns, scope: Some([t]), filter: Some(ShowFilter { pattern: "a" }) })
            Show(Show { target: Partitions { }, scope: Some([t]) })
            Show(Show { target: Functions { user_only: true } })
            Show(Show { target: Functions { }, scope: Some([c, d]) })
            Show(Show { target: Modules { } })
            Show(Show { target: Modules { full: true } })
            Show(Show { target: Jars })
            Show(Show { target: Jobs })
            Show(Show { target: Procedures })
            Show(Show { target: Models })
            Show(Show { target: MaterializedTables })
            Show(Show { target: CreateTable([a, t]) })
            Show(Show { target: CreateView([v]) })
            Show(Show { target: CreateCatalog(c) })
            Describe(Describe { target: Table([t]) })
            Describe(Describe { target: Table([a, t]), extended: true })
            Describe(Describe { target: Catalog(c), extended: true })
            Describe(Describe { target: Database([d]) })
            Describe(Describe { target: Table([catalog]) })
            Describe(Describe { target: Job("x") })
            Use(Database([d]))
            Use(Database([c, d]))
            Use(Catalog(c))
            Use(Database([catalog]))
            Use(Modules([core, hive]))
        "#]],
    );
}

#[test]
fn settings_jobs_and_the_shell() {
    check(
        "SET; SET 'a.b' = 'c'; SET a.b-c = 1 min; SET execution.runtime-mode = batch; RESET; RESET 'a.b'; RESET a.b-c;
         STOP JOB 'ab12' WITH SAVEPOINT WITH DRAIN; HELP; CLEAR; QUIT; exit",
        expect![[r#"
            Set(None)
            Set(Some("a.b" = "c"))
            Set(Some("a.b-c" = "1 min"))
            Set(Some("execution.runtime-mode" = "batch"))
            Reset(None)
            Reset(Some("a.b"))
            Reset(Some("a.b-c"))
            StopJob(StopJob { job: "ab12", with_savepoint: true, with_drain: true })
            Shell(Help)
            Shell(Clear)
            Shell(Quit)
            Shell(Quit)
        "#]],
    );
}

#[test]
fn unsupported_features_are_known_by_name() {
    check(
        "ADD JAR '/x'; REMOVE JAR '/x'; LOAD MODULE m; UNLOAD MODULE m; COMPILE PLAN 'x' FOR INSERT INTO t SELECT 1;
         EXECUTE PLAN 'x'; COMPILE AND EXECUTE PLAN 'x' FOR STATEMENT SET BEGIN INSERT INTO t SELECT 1; END;
         CREATE MODEL m INPUT (a INT) OUTPUT (b INT) WITH ('x' = 'y'); CREATE MATERIALIZED TABLE t AS SELECT 1;
         CREATE OR ALTER MATERIALIZED TABLE t AS SELECT 1; ANALYZE TABLE t COMPUTE STATISTICS; TRUNCATE TABLE t;
         DELETE FROM t WHERE a = 1; UPDATE t SET a = 1; CALL p(1); DROP MODEL m; CREATE CONNECTION c",
        expect![[r#"
            Unsupported(Unsupported { name: "ADD JAR" })
            Unsupported(Unsupported { name: "REMOVE JAR" })
            LoadModule(LoadModule { name: m })
            UnloadModule(m)
            CompilePlan(CompilePlan { path: "x", statement: Insert(Insert { target: [t], source: Query { body: Select(Select { items: [Expr { expr: Expr { kind: Literal(Number("1")) } }] }) } }) })
            ExecutePlan("x")
            CompilePlan(CompilePlan { path: "x", execute: true, statement: StatementSet(StatementSet { inserts: [Insert { target: [t], source: Query { body: Select(Select { items: [Expr { expr: Expr { kind: Literal(Number("1")) } }] }) } }] }) })
            CreateModel(CreateModel { name: [m], input: [ColumnDef { name: a, kind: Int }], output: [ColumnDef { name: b, kind: Int }], options: ["x" = "y"] })
            CreateMaterializedTable(CreateMaterializedTable { table: CreateTable { replace: Never, name: [t], query: Some(QueryText { query: Query { body: Select(Select { items: [Expr { expr: Expr { kind: Literal(Number("1")) } }] }) }, text: "SELECT 1" }) } })
            CreateMaterializedTable(CreateMaterializedTable { or_alter: true, table: CreateTable { replace: Never, name: [t], query: Some(QueryText { query: Query { body: Select(Select { items: [Expr { expr: Expr { kind: Literal(Number("1")) } }] }) }, text: "SELECT 1" }) } })
            AnalyzeTable(AnalyzeTable { table: [t] })
            ChangeRows(ChangeRows { kind: Truncate, table: [t] })
            ChangeRows(ChangeRows { kind: Delete, table: [t] })
            ChangeRows(ChangeRows { kind: Update, table: [t] })
            Call(CallProcedure { procedure: [p] })
            DropModel(DropRelation { name: [m] })
            Unsupported(Unsupported { name: "CREATE CONNECTION" })
        "#]],
    );
}

#[test]
fn views_and_ctas_keep_the_text_of_their_query() {
    let statements = flott_sql_parser::parse_script(
        "CREATE TEMPORARY VIEW IF NOT EXISTS v (a, b) COMMENT 'x' AS\n  SELECT 1, /* two */ 2 -- end\n;
         CREATE OR REPLACE TABLE t (b, a) WITH ('x' = 'y') AS SELECT a, b FROM s;
         REPLACE TABLE t AS SELECT 1; ALTER VIEW v AS SELECT 3;",
    )
    .unwrap();
    use flott_sql_parser::ast::{AlterViewOperation, Statement};
    let texts: Vec<_> = statements
        .iter()
        .map(|parsed| match &parsed.statement {
            Statement::CreateView(view) => {
                format!("{} {:?} {}", view.query.position, view.columns.len(), view.query.text)
            }
            Statement::CreateTable(table) => {
                let query = table.query.as_ref().unwrap();
                format!(
                    "{} {:?} {:?} {}",
                    query.position,
                    table.replace,
                    table.column_order.len(),
                    query.text
                )
            }
            Statement::AlterView(alter) => match &alter.operation {
                AlterViewOperation::As(query) => query.text.clone(),
                AlterViewOperation::RenameTo(_) => unreachable!(),
            },
            _ => unreachable!(),
        })
        .collect();
    assert_eq!(
        texts,
        [
            "line 2, column 3 2 SELECT 1, /* two */ 2",
            "line 4, column 63 IfExists 2 SELECT a, b FROM s",
            "line 5, column 29 MustExist 0 SELECT 1",
            "SELECT 3",
        ]
    );
}

#[test]
fn inserts_and_statement_sets() {
    use flott_sql_parser::ast::Statement;
    let show = |script: &str| -> Vec<String> {
        let insert = |insert: &flott_sql_parser::ast::Insert| {
            let columns: Vec<_> = insert.columns.iter().map(|c| c.value.clone()).collect();
            let partition: Vec<_> = insert
                .partition
                .iter()
                .map(|p| {
                    format!("{}={}", p.column, p.value.as_ref().map_or("?".to_owned(), |v| v.to_string()))
                })
                .collect();
            let hints: Vec<_> = insert.hints.iter().map(|h| format!("{}{:?}", h.name, h.args)).collect();
            let how = if insert.overwrite { "OVERWRITE" } else { "INTO" };
            format!(
                "{how} {} ({}) [{}] {hints:?} {:?} {}",
                insert.target,
                columns.join(","),
                partition.join(","),
                insert.on_conflict,
                insert.source
            )
        };
        let one = |parsed: &Statement| match parsed {
            Statement::Insert(i) => insert(i),
            Statement::StatementSet(set) => set.inserts.iter().map(insert).collect::<Vec<_>>().join(" + "),
            Statement::Explain(explain) => match &*explain.statement {
                Statement::Insert(i) => format!("{:?} {}", explain.details, insert(i)),
                Statement::StatementSet(set) => format!("{:?} set of {}", explain.details, set.inserts.len()),
                Statement::Query(query) => format!("{:?} {query}", explain.details),
                other => format!("{other:?}"),
            },
            other => format!("{other:?}"),
        };
        flott_sql_parser::parse_script(script).unwrap().iter().map(|p| one(&p.statement)).collect()
    };
    expect![[r#"
        INTO t () [] [] None SELECT 1
        OVERWRITE c.d.t (a,b) [d='1',h=?] [] None VALUES (1, 2)
        INTO t () [] ["OPTIONS[Option(\"k\", \"v\")]"] Some(Deduplicate) (SELECT 1)
        INTO t () [] [] None SELECT ';'
        INTO a () [] [] None SELECT 1 + INTO b () [] [] None SELECT CASE WHEN TRUE THEN 1 END
        INTO a () [] [] None SELECT 1 + INTO b () [] [] None SELECT 2
        [] SELECT 1
        [] INTO t () [] [] None SELECT 1
        [EstimatedCost, ChangelogMode, JsonExecutionPlan, PlanAdvice] SELECT 1
        [] set of 2
        [] set of 1"#]].assert_eq(
        &show(
            "INSERT INTO t SELECT 1;
             INSERT OVERWRITE c.d.t PARTITION (d = '1', h) (a, b) VALUES (1, 2);
             INSERT INTO t /*+ OPTIONS('k' = 'v') */ (SELECT 1) ON CONFLICT DO DEDUPLICATE;
             EXECUTE INSERT INTO t SELECT ';';
             EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT CASE WHEN TRUE THEN 1 END; END;
             BEGIN STATEMENT SET; INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;
             EXPLAIN SELECT 1;
             EXPLAIN PLAN FOR INSERT INTO t SELECT 1;
             EXPLAIN ESTIMATED_COST, CHANGELOG_MODE, JSON_EXECUTION_PLAN, PLAN_ADVICE SELECT 1;
             EXPLAIN STATEMENT SET BEGIN INSERT INTO a SELECT 1; INSERT INTO b SELECT 2; END;
             EXPLAIN PLAN FOR EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END",
        )
        .join("\n"),
    );
}
