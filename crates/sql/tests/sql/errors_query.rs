//! Wrong queries: the errors and their positions.

use expect_test::expect;

use crate::support::{Shell, check};

fn dialog(script: &str) -> String {
    Shell::with_tables().dialog(script)
}

#[test]
fn unknown_names() {
    check(
        dialog(
            "SELECT * FROM nope;
             SELECT * FROM nodb.t;
             SELECT * FROM nocat.nodb.t;
             SELECT nope FROM t;
             SELECT a, B FROM t;
             SELECT t.nope FROM t;
             SELECT v.* FROM t;
             SELECT a
               FROM t
              WHERE zz > 3;
             SELECT a FROM t GROUP BY zz;
             SELECT a FROM t ORDER BY zz LIMIT 1;
             SELECT FOOBAR(a) FROM t;
             SELECT *",
        ),
        expect![[r#"
            > SELECT * FROM nope
            invalid: Object 'nope' not found at line 1, column 15
            > SELECT * FROM nodb.t
            invalid: Object 'nodb.t' not found at line 1, column 15
            > SELECT * FROM nocat.nodb.t
            invalid: Object 'nocat.nodb.t' not found at line 1, column 15
            > SELECT nope FROM t
            invalid: Column 'nope' not found in any table at line 1, column 8
            > SELECT a, B FROM t
            invalid: Column 'B' not found in any table; did you mean 'b'? at line 1, column 11
            > SELECT t.nope FROM t
            invalid: Column 'nope' not found in table 't' at line 1, column 8
            > SELECT v.* FROM t
            invalid: Column 'v' not found in any table at line 1, column 8
            > SELECT a
                           FROM t
                          WHERE zz > 3
            invalid: Column 'zz' not found in any table at line 3, column 21
            > SELECT a FROM t GROUP BY zz
            invalid: Column 'zz' not found in any table at line 1, column 26
            > SELECT a FROM t ORDER BY zz LIMIT 1
            invalid: Column 'zz' not found in any table at line 1, column 26
            > SELECT FOOBAR(a) FROM t
            invalid: No match found for function signature FOOBAR(INT) at line 1, column 8
            > SELECT *
            invalid: * needs a FROM clause at line 1, column 8
        "#]],
    );
}

#[test]
fn ambiguous_names() {
    check(
        dialog(
            "SELECT a FROM t JOIN u ON t.a = u.a;
             SELECT t.a FROM t JOIN u ON a = 1;
             SELECT t.a FROM t JOIN u USING (b)",
        ),
        expect![[r#"
            > SELECT a FROM t JOIN u ON t.a = u.a
            invalid: Column 'a' is ambiguous at line 1, column 8
            > SELECT t.a FROM t JOIN u ON a = 1
            invalid: Column 'a' is ambiguous at line 1, column 29
            > SELECT t.a FROM t JOIN u USING (b)
            invalid: Column 'b' of USING not found on both sides at line 1, column 24
        "#]],
    );
}

#[test]
fn wrong_types() {
    check(
        dialog(
            "SELECT a + b FROM t;
             SELECT 1 + '1';
             SELECT 1 = '1';
             SELECT NOT a FROM t;
             SELECT a FROM t WHERE a;
             SELECT a FROM t HAVING a;
             SELECT a AND TRUE FROM t;
             SELECT ABS(b) FROM t;
             SELECT UPPER(a) FROM t;
             SELECT UPPER(b, b) FROM t;
             SELECT CASE WHEN a THEN 1 ELSE 2 END FROM t;
             SELECT CASE WHEN a = 1 THEN 1 ELSE DATE '2024-01-01' END FROM t;
             SELECT CAST(d AS DATE) FROM t;
             SELECT CAST(DATE '2024-01-01' AS INT);
             SELECT a || 1 FROM t;
             SELECT b LIKE 3 FROM t;
             SELECT a BETWEEN 'x' AND 'y' FROM t;
             SELECT a IN (1, DATE '2024-01-01') FROM t;
             SELECT t.a FROM t JOIN u ON t.a;
             SELECT t.a FROM t JOIN u ON t.b = u.a;
             SELECT a.f FROM t;
             SELECT a[1] FROM t",
        ),
        expect![[r#"
            > SELECT a + b FROM t
            invalid: Cannot apply '+' to arguments of type '<INT> + <STRING>'. Supported form(s): '<NUMERIC> + <NUMERIC>' | '<DATETIME_INTERVAL> + <DATETIME_INTERVAL>' | '<DATETIME> + <DATETIME_INTERVAL>' | '<DATETIME_INTERVAL> + <DATETIME>' at line 1, column 8
            > SELECT 1 + '1'
            invalid: Cannot apply '+' to arguments of type '<INT> + <CHAR(1)>'. Supported form(s): '<NUMERIC> + <NUMERIC>' | '<DATETIME_INTERVAL> + <DATETIME_INTERVAL>' | '<DATETIME> + <DATETIME_INTERVAL>' | '<DATETIME_INTERVAL> + <DATETIME>' at line 1, column 8
            > SELECT 1 = '1'
            invalid: implicit type conversion between INT and CHAR(1) is not supported in '=': CAST one side to the other's type at line 1, column 8
            > SELECT NOT a FROM t
            invalid: Cannot apply 'NOT' to arguments of type 'NOT(<INT>)'. Supported form(s): 'NOT(<BOOLEAN>)' at line 1, column 8
            > SELECT a FROM t WHERE a
            invalid: a condition must be a BOOLEAN; this one is of type INT at line 1, column 23
            > SELECT a FROM t HAVING a
            invalid: a condition must be a BOOLEAN; this one is of type INT at line 1, column 24
            > SELECT a AND TRUE FROM t
            invalid: Cannot apply 'AND' to arguments of type '<INT> AND <BOOLEAN>'. Supported form(s): '<BOOLEAN> AND <BOOLEAN>' at line 1, column 8
            > SELECT ABS(b) FROM t
            invalid: Cannot apply 'ABS' to arguments of type 'ABS(<STRING>)'. Supported form(s): 'ABS(<NUMERIC>)' at line 1, column 8
            > SELECT UPPER(a) FROM t
            invalid: Cannot apply 'UPPER' to arguments of type 'UPPER(<INT>)'. Supported form(s): 'UPPER(<CHARACTER>)' at line 1, column 8
            > SELECT UPPER(b, b) FROM t
            invalid: Invalid number of arguments to function 'UPPER'. Was expecting 1 arguments at line 1, column 8
            > SELECT CASE WHEN a THEN 1 ELSE 2 END FROM t
            invalid: WHEN takes a BOOLEAN, not INT: compare it with something at line 1, column 8
            > SELECT CASE WHEN a = 1 THEN 1 ELSE DATE '2024-01-01' END FROM t
            invalid: Illegal mixing of types in CASE or COALESCE statement: INT, DATE have no type in common; CAST the values to one type at line 1, column 8
            > SELECT CAST(d AS DATE) FROM t
            invalid: Cast function cannot convert value of type DOUBLE to type DATE at line 1, column 8
            > SELECT CAST(DATE '2024-01-01' AS INT)
            invalid: Cast function cannot convert value of type DATE to type INT at line 1, column 8
            > SELECT a || 1 FROM t
            invalid: Cannot apply '||' to arguments of type '<INT> || <INT>'. Supported form(s): '<STRING> || <STRING>' | '<EQUIVALENT_TYPE> || <EQUIVALENT_TYPE>' at line 1, column 8
            > SELECT b LIKE 3 FROM t
            invalid: Cannot apply 'LIKE' to arguments of type 'LIKE(<STRING>, <INT>)'. Supported form(s): 'LIKE(<STRING>, <STRING>[, <STRING>])' at line 1, column 8
            > SELECT a BETWEEN 'x' AND 'y' FROM t
            append-only: EXPR$0 BOOLEAN
            > SELECT a IN (1, DATE '2024-01-01') FROM t
            invalid: Values in expression list must have compatible types: CAST them to the type of the value before IN at line 1, column 8
            > SELECT t.a FROM t JOIN u ON t.a
            invalid: a condition must be a BOOLEAN; this one is of type INT at line 1, column 29
            > SELECT t.a FROM t JOIN u ON t.b = u.a
            invalid: implicit type conversion between STRING and INT is not supported in '=': CAST one side to the other's type at line 1, column 29
            > SELECT a.f FROM t
            invalid: 'f' is taken from a value of type INT, which has no fields at line 1, column 10
            > SELECT a[1] FROM t
            invalid: Cannot apply 'ITEM' to arguments of type 'ITEM(<INT>, <INT>)'. Supported form(s): '<ARRAY>[<INTEGER>]' | '<MAP>[<ANY>]' | '<ROW>[<CHARACTER>|<INTEGER>]' | '<VARIANT>[<CHARACTER>|<INTEGER>]' at line 1, column 10
        "#]],
    );
}

#[test]
fn aggregates_in_the_wrong_place() {
    check(
        dialog(
            "SELECT a, b FROM t GROUP BY a;
             SELECT a, COUNT(*) FROM t;
             SELECT * FROM t GROUP BY a;
             SELECT a + 1 FROM t GROUP BY a + 2;
             SELECT COUNT(*) FROM t HAVING a > 1;
             SELECT a FROM t WHERE COUNT(*) > 1;
             SELECT SUM(COUNT(*)) FROM t GROUP BY a;
             SELECT COUNT(*) FROM t GROUP BY SUM(a);
             SELECT t.a FROM t JOIN u ON SUM(t.a) = u.a;
             SELECT SUM(b) FROM t;
             SELECT SUM(*) FROM t;
             SELECT SUM(a, c) FROM t;
             SELECT UPPER(DISTINCT b) FROM t;
             SELECT UPPER(b) FILTER (WHERE a > 1) FROM t;
             SELECT SUM(a) FILTER (WHERE a) FROM t;
             SELECT GROUPING(b) FROM t GROUP BY a;
             SELECT a FROM t GROUP BY 1;
             SELECT a, SUM(c) FROM t GROUP BY a ORDER BY b LIMIT 1",
        ),
        expect![[r#"
            > SELECT a, b FROM t GROUP BY a
            invalid: Expression 'b' is not being grouped at line 1, column 1
            > SELECT a, COUNT(*) FROM t
            invalid: Expression 'a' is not being grouped at line 1, column 1
            > SELECT * FROM t GROUP BY a
            invalid: Expression 'b' is not being grouped at line 1, column 1
            > SELECT a + 1 FROM t GROUP BY a + 2
            invalid: Expression 'a' is not being grouped at line 1, column 1
            > SELECT COUNT(*) FROM t HAVING a > 1
            invalid: Expression 'a' is not being grouped at line 1, column 1
            > SELECT a FROM t WHERE COUNT(*) > 1
            invalid: the aggregate COUNT is not allowed here at line 1, column 23
            > SELECT SUM(COUNT(*)) FROM t GROUP BY a
            invalid: the aggregate COUNT is not allowed here at line 1, column 12
            > SELECT COUNT(*) FROM t GROUP BY SUM(a)
            invalid: the aggregate SUM is not allowed here at line 1, column 33
            > SELECT t.a FROM t JOIN u ON SUM(t.a) = u.a
            invalid: the aggregate SUM is not allowed here at line 1, column 29
            > SELECT SUM(b) FROM t
            invalid: Cannot apply 'SUM' to arguments of type 'SUM(<STRING>)'. Supported form(s): 'SUM(<NUMERIC>)' at line 1, column 8
            > SELECT SUM(*) FROM t
            unsupported: the argument '*' in a call of SUM is not supported at line 1, column 8
            > SELECT SUM(a, c) FROM t
            invalid: Cannot apply 'SUM' to arguments of type 'SUM(<INT>, <BIGINT>)'. Supported form(s): 'SUM(<NUMERIC>)' at line 1, column 8
            > SELECT UPPER(DISTINCT b) FROM t
            invalid: DISTINCT belongs to aggregates; UPPER is none at line 1, column 8
            > SELECT UPPER(b) FILTER (WHERE a > 1) FROM t
            invalid: FILTER, WITHIN GROUP and IGNORE NULLS belong to aggregates; UPPER is none at line 1, column 8
            > SELECT SUM(a) FILTER (WHERE a) FROM t
            invalid: a condition must be a BOOLEAN; this one is of type INT at line 1, column 29
            > SELECT GROUPING(b) FROM t GROUP BY a
            invalid: the arguments of GROUPING must be keys of GROUP BY at line 1, column 1
            > SELECT a FROM t GROUP BY 1
            invalid: Expression 'a' is not being grouped at line 1, column 1
            > SELECT a, SUM(c) FROM t GROUP BY a ORDER BY b LIMIT 1
            invalid: Expression 'b' is not being grouped at line 1, column 1
        "#]],
    );
}

#[test]
fn shapes() {
    check(
        dialog(
            "SELECT * FROM (VALUES (1, 2), (3)) AS v (a, b);
             SELECT * FROM (VALUES (1, 2)) AS v (a);
             SELECT * FROM (VALUES (1), ('x')) AS v (a);
             WITH w (x, y) AS (SELECT a FROM t) SELECT * FROM w;
             WITH w AS (SELECT a FROM t) SELECT * FROM w /*+ OPTIONS('rows' = '1') */;
             SELECT a FROM t LIMIT -1;
             SELECT (1 + 2;
             SELECT a FROM t WHERE;
             SELECT a b c FROM t;
             SELEKT a FROM t",
        ),
        expect![[r#"
            > SELECT * FROM (VALUES (1, 2), (3)) AS v (a, b)
            invalid: the rows of VALUES differ in their number of columns
            > SELECT * FROM (VALUES (1, 2)) AS v (a)
            invalid: 1 names for 2 columns at line 1, column 37
            > SELECT * FROM (VALUES (1), ('x')) AS v (a)
            invalid: Values passed to VALUES operator must have compatible types: CAST them to one type at line 1, column 24
            > WITH w (x, y) AS (SELECT a FROM t) SELECT * FROM w
            invalid: 2 names for 1 columns at line 1, column 9
            > WITH w AS (SELECT a FROM t) SELECT * FROM w /*+ OPTIONS('rows' = '1') */
            invalid: OPTIONS hints belong to tables, not to common table expressions at line 1, column 43
            > SELECT a FROM t LIMIT -1
            syntax: Encountered `-`, expected a whole number at line 1, column 23
            > SELECT (1 + 2
            syntax: Encountered the end of the statement, expected `)` at line 1, column 14
            > SELECT a FROM t WHERE
            syntax: Encountered the end of the statement, expected an expression at line 1, column 22
            > SELECT a b c FROM t
            syntax: Encountered `c`, expected the end of the statement at line 1, column 12
            > SELEKT a FROM t
            syntax: Encountered `SELEKT`, expected a statement: SELECT, INSERT, CREATE, ALTER, DROP, SHOW, DESCRIBE, EXPLAIN, USE, SET, RESET, EXECUTE .. at line 1, column 1
        "#]],
    );
}

#[test]
fn connectors_and_options() {
    let mut shell = Shell::with_tables();
    shell.run(
        "CREATE TABLE plain (a INT);
         CREATE TABLE strange (a INT) WITH ('connector' = 'kafkaa');
         CREATE TABLE unreadable (a INT) WITH ('connector' = 'nothing');
         CREATE TABLE wrong (a INT) WITH ('connector' = 'rows', 'colour' = 'red');
         CREATE TABLE bad (a INT) WITH ('connector' = 'rows', 'rows' = 'many');
         CREATE TABLE meta (a INT METADATA FROM 'partition') WITH ('connector' = 'rows');
         CREATE TABLE metatype (a DATE METADATA FROM 'offset') WITH ('connector' = 'rows');
         CREATE TABLE nokey (a INT) WITH ('connector' = 'rows', 'changelog' = 'upsert')",
    );
    check(
        shell.dialog(
            "SELECT * FROM plain;
             SELECT * FROM strange;
             SELECT * FROM unreadable;
             SELECT * FROM wrong;
             SELECT * FROM bad;
             SELECT * FROM meta;
             SELECT * FROM metatype;
             SELECT * FROM nokey;
             SELECT * FROM t /*+ OPTIONS('scan.parallelism' = '0') */;
             SELECT * FROM t /*+ OPTIONS('colour' = 'red') */;
             SELECT * FROM t /*+ BROADCAST(t) */;
             SELECT /*+ NO_SUCH_HINT(t) */ a FROM t;
             SELECT * FROM t /*+ OPTIONS('rows' = '1', 'fields') */",
        ),
        expect![[r#"
            > SELECT * FROM plain
            invalid: table `default_catalog`.`default_database`.`plain` has no option 'connector'; it cannot be read or written: WITH ('connector' = '...') at line 1, column 15
            > SELECT * FROM strange
            invalid: table `default_catalog`.`default_database`.`strange`: there is no connector 'kafkaa'; there are: nothing, rows at line 1, column 15
            > SELECT * FROM unreadable
            invalid: connector 'nothing' cannot be read from (table default_catalog.default_database.unreadable)
            > SELECT * FROM wrong
            invalid: table default_catalog.default_database.wrong has no option 'colour'; it has: changelog, connector, fields, rows, scan.parallelism, sink.parallelism
            > SELECT * FROM bad
            invalid: table default_catalog.default_database.bad: option 'rows' is 'many'; expected a number of rows
            > SELECT * FROM meta
            invalid: Invalid metadata key 'partition' in column 'a' of table `default_catalog`.`default_database`.`meta`; the connector has: offset, timestamp at line 1, column 15
            > SELECT * FROM metatype
            invalid: Cast function cannot convert value of type BIGINT to type DATE at line 1, column 15
            > SELECT * FROM nokey
            invalid: table default_catalog.default_database.nokey is read as an upsert stream and needs a PRIMARY KEY
            > SELECT * FROM t /*+ OPTIONS('scan.parallelism' = '0') */
            invalid: option 'scan.parallelism' is '0'; expected a number above 0
            > SELECT * FROM t /*+ OPTIONS('colour' = 'red') */
            invalid: table default_catalog.default_database.t has no option 'colour'; it has: changelog, connector, fields, rows, scan.parallelism, sink.parallelism
            > SELECT * FROM t /*+ BROADCAST(t) */
            unsupported: the hint BROADCAST behind a table is not supported at line 1, column 21
            > SELECT /*+ NO_SUCH_HINT(t) */ a FROM t
            invalid: there is no hint 'NO_SUCH_HINT' at line 1, column 12
            > SELECT * FROM t /*+ OPTIONS('rows' = '1', 'fields') */
            invalid: the hint OPTIONS takes 'key' = 'value', not 'fields' at line 1, column 21
        "#]],
    );
}
