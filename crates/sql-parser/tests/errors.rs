//! Errors have a position, and say what to write instead.

use expect_test::{Expect, expect};
use flott_sql_parser::{parse_script, parse_type};

fn check(cases: &[&str], expected: Expect) {
    let mut text = String::new();
    for case in cases {
        let error = match parse_script(case) {
            Ok(_) => "ACCEPTED".to_owned(),
            Err(error) => format!(
                "{}:{} {}{}",
                error.line,
                error.column,
                if error.unsupported { "unsupported: " } else { "" },
                error.message
            ),
        };
        text += &format!("{case}\n  {error}\n");
    }
    expected.assert_eq(&text);
}

#[test]
fn words_and_strings() {
    check(
        &[
            "SELECT 'abc",
            "SELECT `abc",
            "SELECT \"abc\"",
            "SELECT 1 /* x",
            "SELECT ``",
            "SELECT x'abc'",
            "SELECT x'zz'",
            "SELECT U&'\\12'",
            "SELECT U&'a' UESCAPE '!!'",
            "SELECT _KLINGON'a'",
            "SELECT 'a' 'b'",
            "SELECT 1 != 2",
            "SELECT a::INT",
            "SELECT a -> b",
            "SELECT $$a$$",
            "SELECT @a",
            "SELECT ?",
            "SELECT :a",
            "SELECT a && b",
            "SELECT a & b",
            "SELECT a << 1",
        ],
        expect![[r#"
            SELECT 'abc
              1:8 The string that starts here has no closing quote
            SELECT `abc
              1:8 The name that starts here has no closing backtick
            SELECT "abc"
              1:8 Encountered `"`: strings are in single quotes ('text'), names in backticks (`name`)
            SELECT 1 /* x
              1:10 The comment that starts here has no `*/`
            SELECT ``
              1:8 A name cannot be empty
            SELECT x'abc'
              1:8 x'abc' needs an even number of hexadecimal digits
            SELECT x'zz'
              1:8 x'zz' needs an even number of hexadecimal digits
            SELECT U&'\12'
              1:8 Unicode escape `\` needs four hexadecimal digits, or + and six
            SELECT U&'a' UESCAPE '!!'
              1:22 UESCAPE takes one character
            SELECT _KLINGON'a'
              1:8 Unknown character set `KLINGON`: write _UTF8'text' or just 'text'
            SELECT 'a' 'b'
              1:12 Encountered the string 'b', expected the end of the statement
            SELECT 1 != 2
              1:10 Bang equal '!=' is not allowed: write `<>`
            SELECT a::INT
              1:9 Encountered `::`: write CAST(x AS type)
            SELECT a -> b
              1:10 Encountered `->`, which Flink's SQL does not know
            SELECT $$a$$
              ACCEPTED
            SELECT @a
              1:8 Encountered `@`, which Flink's SQL does not know
            SELECT ?
              1:8 Encountered `?`, expected an expression
            SELECT :a
              1:8 Encountered `:`, expected an expression
            SELECT a && b
              1:10 Encountered `&&`, which Flink's SQL does not know
            SELECT a & b
              1:10 Encountered `&`, which Flink's SQL does not know
            SELECT a << 1
              1:11 Encountered `<`, expected an expression
        "#]],
    );
}

#[test]
fn expressions() {
    check(
        &[
            "SELECT",
            "SELECT 1,\n  FROM t",
            "SELECT (1 + 2",
            "SELECT a.select FROM t",
            "SELECT 1 AS order",
            "SELECT 1 AS 'x'",
            "SELECT INTERVAL 1 DAY",
            "SELECT INTERVAL 'x' DAY",
            "SELECT INTERVAL '100' DAY",
            "SELECT INTERVAL '1' FORTNIGHT",
            "SELECT INTERVAL '1' MONTH TO DAY",
            "SELECT INTERVAL '1-13' YEAR TO MONTH",
            "SELECT INTERVAL '1:60' HOUR TO MINUTE",
            "SELECT CAST(a AS FOO)",
            "SELECT CAST(a AS INT NOT NULL)",
            "SELECT CAST(a, INT)",
            "SELECT EXTRACT(FOO FROM a)",
            "SELECT TIMESTAMPADD(a, 1, b)",
            "SELECT MAP['a']",
            "SELECT COUNT(DISTINCT *)",
            "SELECT $cast(1)",
            "SELECT a ILIKE 'x'",
            "SELECT a RLIKE 'x'",
            "SELECT a IS EMPTY",
            "SELECT a IS 5",
            "SELECT a AT TIME ZONE 'UTC'",
            "SELECT a MEMBER OF b",
            "SELECT ARRAY(SELECT 1)",
            "SELECT a[1:2]",
            "SELECT JSON_VALUE(a, '$' EMPTY ON EMPTY)",
            "SELECT JSON_OBJECT('a', 1)",
            "SELECT SUM(a) OVER (ORDER BY b ROWS 1)",
            "SELECT SUM(a) OVER (ORDER BY b GROUPS 1 PRECEDING)",
            "SELECT CASE END",
            "SELECT (a).*",
            "SELECT CASE WHEN a THEN 1",
        ],
        expect![[r#"
            SELECT
              1:7 Encountered the end of the statement, expected an expression
            SELECT 1,
              FROM t
              2:3 Encountered the reserved word `FROM`, expected an expression; in backticks (`FROM`) it can be a name
            SELECT (1 + 2
              1:14 Encountered the end of the statement, expected `)`
            SELECT a.select FROM t
              1:10 Encountered the reserved word `select`, expected a name; in backticks (`select`) it can be a name
            SELECT 1 AS order
              1:13 Encountered the reserved word `order`, expected a name; in backticks (`order`) it can be a name
            SELECT 1 AS 'x'
              1:13 Encountered the string 'x', expected a name
            SELECT INTERVAL 1 DAY
              1:17 Encountered `1`, expected a string in single quotes
            SELECT INTERVAL 'x' DAY
              1:17 Illegal interval literal format 'x' for INTERVAL DAY
            SELECT INTERVAL '100' DAY
              1:17 Illegal interval literal format '100' for INTERVAL DAY
            SELECT INTERVAL '1' FORTNIGHT
              1:21 Encountered `FORTNIGHT`, expected a unit: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE or SECOND
            SELECT INTERVAL '1' MONTH TO DAY
              1:21 There is no interval MONTH TO DAY
            SELECT INTERVAL '1-13' YEAR TO MONTH
              1:17 Illegal interval literal format '1-13' for INTERVAL YEAR TO MONTH
            SELECT INTERVAL '1:60' HOUR TO MINUTE
              1:17 Illegal interval literal format '1:60' for INTERVAL HOUR TO MINUTE
            SELECT CAST(a AS FOO)
              1:18 Unknown type `FOO`
            SELECT CAST(a AS INT NOT NULL)
              1:18 CAST takes a type without NOT NULL: the result is nullable if the operand is
            SELECT CAST(a, INT)
              1:14 Encountered `,`, expected AS
            SELECT EXTRACT(FOO FROM a)
              1:16 Encountered `FOO`, expected a unit of time: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, DOW, DOY, EPOCH ..
            SELECT TIMESTAMPADD(a, 1, b)
              1:21 Encountered `a`, expected a unit of time: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, DOW, DOY, EPOCH ..
            SELECT MAP['a']
              1:8 MAP[..] needs a value for every key: MAP['k1', v1, 'k2', v2]
            SELECT COUNT(DISTINCT *)
              1:23 Encountered `*`, expected an expression
            SELECT $cast(1)
              1:8 Unknown function `$cast`: function names do not start with $
            SELECT a ILIKE 'x'
              1:10 There is no operator ILIKE, RLIKE or REGEXP: write LOWER(a) LIKE 'b' or REGEXP(a, 'b')
            SELECT a RLIKE 'x'
              1:10 There is no operator ILIKE, RLIKE or REGEXP: write LOWER(a) LIKE 'b' or REGEXP(a, 'b')
            SELECT a IS EMPTY
              1:10 unsupported: IS EMPTY of multisets is not supported
            SELECT a IS 5
              1:13 Encountered `5`, expected NULL, TRUE, FALSE, UNKNOWN, DISTINCT FROM or JSON behind IS
            SELECT a AT TIME ZONE 'UTC'
              1:10 There is no AT TIME ZONE: write CONVERT_TZ(..), or CAST to TIMESTAMP_LTZ
            SELECT a MEMBER OF b
              1:10 unsupported: MEMBER OF and SUBMULTISET OF are not supported
            SELECT ARRAY(SELECT 1)
              1:8 unsupported: ARRAY(query) is not supported: write ARRAY_AGG or ARRAY[..]
            SELECT a[1:2]
              1:11 Encountered `:`, expected `]`
            SELECT JSON_VALUE(a, '$' EMPTY ON EMPTY)
              1:26 Encountered `EMPTY`, expected RETURNING, NULL, ERROR, DEFAULT or `)`
            SELECT JSON_OBJECT('a', 1)
              1:23 Encountered `,`, expected VALUE
            SELECT SUM(a) OVER (ORDER BY b ROWS 1)
              1:38 Encountered `)`, expected PRECEDING or FOLLOWING
            SELECT SUM(a) OVER (ORDER BY b GROUPS 1 PRECEDING)
              1:32 Encountered `GROUPS`, expected `)`
            SELECT CASE END
              1:13 Encountered the reserved word `END`, expected an expression; in backticks (`END`) it can be a name
            SELECT (a).*
              1:11 unsupported: `.*` after an expression is not supported: name the fields
            SELECT CASE WHEN a THEN 1
              1:26 Encountered the end of the statement, expected END
        "#]],
    );
}

#[test]
fn queries() {
    check(
        &[
            "SELECT TOP 2 a FROM t",
            "SELECT a INTO b FROM t",
            "SELECT DISTINCT ON (a) b FROM t",
            "SELECT a FROM t GROUP BY ALL",
            "SELECT a FROM t GROUP BY a WITH ROLLUP",
            "SELECT a FROM t CLUSTER BY a",
            "SELECT a FROM t LIMIT 1, 2",
            "SELECT a FROM t LIMIT a",
            "SELECT a FROM t LIMIT 1 BY a",
            "SELECT a FROM t FOR UPDATE",
            "SELECT a FROM t FETCH FIRST 1 ROW WITH TIES",
            "SELECT a FROM t ORDER BY a NULLS MIDDLE",
            "SELECT * EXCEPT (a) FROM t",
            "SELECT * FROM a JOIN b",
            "SELECT * FROM a LEFT SEMI JOIN b ON TRUE",
            "SELECT * FROM a CROSS APPLY b",
            "SELECT * FROM a ASOF JOIN b ON TRUE",
            "SELECT * FROM a NATURAL b",
            "SELECT * FROM t AS value",
            "SELECT * FROM (SELECT a FROM (SELECT 1 AS x,) AS y) AS z",
            "SELECT * FROM a AS b MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS TRUE)",
            "SELECT * FROM a MATCH_RECOGNIZE (PATTERN (A{3,2}) DEFINE A AS TRUE)",
            "SELECT * FROM a MATCH_RECOGNIZE (MEASURES A.x PATTERN (A) DEFINE A AS TRUE)",
            "SELECT * FROM a AS b /*+ OPTIONS('a'='b') */",
            "SELECT * FROM a /*+ OPTIONS('a'='b' */",
            "SELECT * FROM (SELECT 1) /*+ OPTIONS('a'='b') */",
            "SELECT * FROM LATERAL t",
            "SELECT * FROM t TABLESAMPLE (10)",
            "SELECT * FROM f(DISTINCT 1)",
            "SELECT 1 UNION BY NAME SELECT 2",
            "SELECT 1 MINUS SELECT 2",
            "FROM t SELECT a",
            "WITH a AS SELECT 1 SELECT 2",
            "(SELECT 1",
            "VALUES ()",
            "SELECT 1 SETTINGS a = 1",
            "SELECT 1 FROM t LATERAL VIEW explode(a) b",
        ],
        expect![[r#"
            SELECT TOP 2 a FROM t
              1:12 Encountered `2`, expected the end of the statement
            SELECT a INTO b FROM t
              1:10 Encountered `INTO`, expected FROM; to write to a table put INSERT INTO before SELECT
            SELECT DISTINCT ON (a) b FROM t
              1:17 Encountered the reserved word `ON`, expected an expression; in backticks (`ON`) it can be a name
            SELECT a FROM t GROUP BY ALL
              1:29 Encountered the end of the statement, expected an expression
            SELECT a FROM t GROUP BY a WITH ROLLUP
              1:28 Encountered `WITH`, expected the end of the statement
            SELECT a FROM t CLUSTER BY a
              1:25 Encountered `BY`, expected the end of the statement
            SELECT a FROM t LIMIT 1, 2
              1:24 Encountered `,`, expected LIMIT count OFFSET start
            SELECT a FROM t LIMIT a
              1:23 Encountered `a`, expected a whole number
            SELECT a FROM t LIMIT 1 BY a
              1:25 Encountered `BY`, expected the end of the statement
            SELECT a FROM t FOR UPDATE
              1:21 Encountered `UPDATE`, expected SYSTEM_TIME
            SELECT a FROM t FETCH FIRST 1 ROW WITH TIES
              1:35 Encountered `WITH`, expected ONLY
            SELECT a FROM t ORDER BY a NULLS MIDDLE
              1:34 Encountered `MIDDLE`, expected FIRST or LAST
            SELECT * EXCEPT (a) FROM t
              1:18 Encountered `a`, expected SELECT, VALUES, TABLE or a query in parentheses
            SELECT * FROM a JOIN b
              1:17 A join needs a condition (ON, USING or NATURAL); write CROSS JOIN for all pairs
            SELECT * FROM a LEFT SEMI JOIN b ON TRUE
              1:22 Encountered `SEMI`, expected JOIN; a semi or anti join is written with [NOT] EXISTS or [NOT] IN
            SELECT * FROM a CROSS APPLY b
              1:17 Encountered `CROSS`, expected the end of the statement
            SELECT * FROM a ASOF JOIN b ON TRUE
              1:17 unsupported: ASOF JOIN is not supported
            SELECT * FROM a NATURAL b
              1:25 Encountered `b`, expected JOIN; a semi or anti join is written with [NOT] EXISTS or [NOT] IN
            SELECT * FROM t AS value
              1:20 Encountered the reserved word `value`, expected a name; in backticks (`value`) it can be a name
            SELECT * FROM (SELECT a FROM (SELECT 1 AS x,) AS y) AS z
              1:45 Encountered `)`, expected an expression
            SELECT * FROM a AS b MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS TRUE)
              1:22 MATCH_RECOGNIZE comes directly after the table, the alias after its closing parenthesis
            SELECT * FROM a MATCH_RECOGNIZE (PATTERN (A{3,2}) DEFINE A AS TRUE)
              1:44 A quantifier is {n}, {n,}, {,m} or {n,m} with n up to m
            SELECT * FROM a MATCH_RECOGNIZE (MEASURES A.x PATTERN (A) DEFINE A AS TRUE)
              1:47 Encountered `PATTERN`, expected AS
            SELECT * FROM a AS b /*+ OPTIONS('a'='b') */
              1:22 Encountered `/*+`, expected the end of the statement
            SELECT * FROM a /*+ OPTIONS('a'='b' */
              1:37 Encountered `*/`, expected `)`
            SELECT * FROM (SELECT 1) /*+ OPTIONS('a'='b') */
              1:26 Encountered `/*+`, expected the end of the statement
            SELECT * FROM LATERAL t
              1:23 Encountered `t`, expected a table function or a subquery after LATERAL
            SELECT * FROM t TABLESAMPLE (10)
              1:29 Encountered `(`, expected BERNOULLI or SYSTEM
            SELECT * FROM f(DISTINCT 1)
              1:15 A table function takes neither DISTINCT nor ORDER BY
            SELECT 1 UNION BY NAME SELECT 2
              1:16 Encountered `BY`, expected SELECT, VALUES, TABLE or a query in parentheses
            SELECT 1 MINUS SELECT 2
              1:16 Encountered `SELECT`, expected the end of the statement
            FROM t SELECT a
              1:1 Encountered `FROM`, expected a statement: SELECT, INSERT, CREATE, ALTER, DROP, SHOW, DESCRIBE, EXPLAIN, USE, SET, RESET, EXECUTE ..
            WITH a AS SELECT 1 SELECT 2
              1:11 Encountered `SELECT`, expected `(`
            (SELECT 1
              1:10 Encountered the end of the statement, expected `)`
            VALUES ()
              1:9 Encountered `)`, expected an expression
            SELECT 1 SETTINGS a = 1
              1:19 Encountered `a`, expected the end of the statement
            SELECT 1 FROM t LATERAL VIEW explode(a) b
              1:17 Encountered `LATERAL`, expected the end of the statement
        "#]],
    );
}

#[test]
fn statements() {
    check(
        &[
            "FOO BAR",
            "SELECT 1;\n\n  SELEC 2; SELECT 3",
            "SELECT 1; 'x'",
            "CREATE TABLE t",
            "CREATE TABLE t (a)",
            "CREATE TABLE t (a INT",
            "CREATE TABLE t (a INT,)",
            "CREATE TABLE t (select INT)",
            "CREATE TABLE t (a INTERVAL DAY)",
            "CREATE TABLE t (a RAW)",
            "CREATE TABLE t (a INT UNIQUE)",
            "CREATE TABLE t (a INT DEFAULT 1)",
            "CREATE TABLE t (a INT, UNIQUE (a) NOT ENFORCED)",
            "CREATE TABLE t (a INT, PRIMARY KEY (a))",
            "CREATE TABLE t (a INT, PRIMARY KEY (a, a) NOT ENFORCED)",
            "CREATE TABLE t (a INT PRIMARY KEY)",
            "CREATE TABLE t (a INT, WATERMARK FOR a AS a, WATERMARK FOR a AS a)",
            "CREATE TABLE t (a INT) WITH (a = 'b')",
            "CREATE TABLE t (a INT) WITH ('a' = 1)",
            "CREATE TABLE t (a INT) LIKE s (OVERWRITING ALL)",
            "CREATE TABLE t (a INT) LIKE s (INCLUDING ALL EXCLUDING ALL)",
            "CREATE TABLE t (a, b) LIKE s",
            "CREATE OR REPLACE TABLE t (a INT)",
            "CREATE OR REPLACE VIEW v AS SELECT 1",
            "CREATE TEMPORARY DATABASE d",
            "CREATE VIEW v",
            "CREATE INDEX i",
            "DROP t",
            "ALTER TABLE t FROB",
            "ALTER TABLE t ADD",
            "ALTER TABLE t RENAME a",
            "INSERT t SELECT 1",
            "INSERT INTO t",
            "INSERT INTO t (a) (b) SELECT 1",
            "EXECUTE STATEMENT SET BEGIN SELECT 1; END",
            "EXECUTE STATEMENT SET BEGIN END",
            "EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1; SELECT 2",
            "BEGIN",
            "EXPLAIN DROP TABLE t",
            "SHOW FOO",
            "SHOW COLUMNS",
            "SHOW TABLES NOT 'a'",
            "SHOW JOBS LIKE 'a'",
            "DESCRIBE",
            "SET a",
            "SET 'a' =",
            "SET a b = c",
            "STOP JOB x",
            "QUIT now",
            "USE CATALOG",
        ],
        expect![[r#"
            FOO BAR
              1:1 Encountered `FOO`, expected a statement: SELECT, INSERT, CREATE, ALTER, DROP, SHOW, DESCRIBE, EXPLAIN, USE, SET, RESET, EXECUTE ..
            SELECT 1;

              SELEC 2; SELECT 3
              3:3 Encountered `SELEC`, expected a statement: SELECT, INSERT, CREATE, ALTER, DROP, SHOW, DESCRIBE, EXPLAIN, USE, SET, RESET, EXECUTE ..
            SELECT 1; 'x'
              1:11 Encountered the string 'x', expected a statement
            CREATE TABLE t
              ACCEPTED
            CREATE TABLE t (a)
              1:19 A column needs a type: only CREATE TABLE .. AS query may list bare names
            CREATE TABLE t (a INT
              1:22 Encountered the end of the statement, expected `)`
            CREATE TABLE t (a INT,)
              1:23 Encountered `)`, expected a name
            CREATE TABLE t (select INT)
              1:17 Encountered the reserved word `select`, expected a name; in backticks (`select`) it can be a name
            CREATE TABLE t (a INTERVAL DAY)
              1:19 A column cannot have an INTERVAL type: store a number, or use intervals in expressions only
            CREATE TABLE t (a RAW)
              1:19 unsupported: The type RAW is not supported
            CREATE TABLE t (a INT UNIQUE)
              1:23 Encountered `UNIQUE`, expected `)`
            CREATE TABLE t (a INT DEFAULT 1)
              1:23 Encountered `DEFAULT`, expected `)`
            CREATE TABLE t (a INT, UNIQUE (a) NOT ENFORCED)
              1:24 Encountered `UNIQUE`, expected a column, WATERMARK FOR or PRIMARY KEY; other constraints do not exist
            CREATE TABLE t (a INT, PRIMARY KEY (a))
              1:24 A primary key is not enforced, and must be declared so: write PRIMARY KEY .. NOT ENFORCED
            CREATE TABLE t (a INT, PRIMARY KEY (a, a) NOT ENFORCED)
              1:40 The primary key names `a` twice
            CREATE TABLE t (a INT PRIMARY KEY)
              1:23 A primary key is not enforced, and must be declared so: write PRIMARY KEY .. NOT ENFORCED
            CREATE TABLE t (a INT, WATERMARK FOR a AS a, WATERMARK FOR a AS a)
              1:46 Multiple WATERMARK declarations are not supported
            CREATE TABLE t (a INT) WITH (a = 'b')
              1:30 Encountered `a`, expected a string in single quotes
            CREATE TABLE t (a INT) WITH ('a' = 1)
              1:36 Encountered `1`, expected a string in single quotes
            CREATE TABLE t (a INT) LIKE s (OVERWRITING ALL)
              1:32 OVERWRITING ALL is not possible: use INCLUDING or EXCLUDING
            CREATE TABLE t (a INT) LIKE s (INCLUDING ALL EXCLUDING ALL)
              1:46 ALL is said twice
            CREATE TABLE t (a, b) LIKE s
              1:23 A column needs a type: only CREATE TABLE .. AS query may list bare names
            CREATE OR REPLACE TABLE t (a INT)
              ACCEPTED
            CREATE OR REPLACE VIEW v AS SELECT 1
              ACCEPTED
            CREATE TEMPORARY DATABASE d
              1:18 Encountered `DATABASE`, expected TABLE, VIEW, DATABASE, CATALOG, MODEL or FUNCTION
            CREATE VIEW v
              1:14 Encountered the end of the statement, expected AS
            CREATE INDEX i
              1:8 Encountered `INDEX`, expected TABLE, VIEW, DATABASE, CATALOG, MODEL or FUNCTION
            DROP t
              1:6 Encountered `t`, expected TABLE or VIEW or FUNCTION or DATABASE or CATALOG or MODEL
            ALTER TABLE t FROB
              1:15 Encountered `FROB`, expected RENAME or SET or RESET or ADD or MODIFY or DROP
            ALTER TABLE t ADD
              1:18 Encountered the end of the statement, expected a name
            ALTER TABLE t RENAME a
              1:23 Encountered the end of the statement, expected TO
            INSERT t SELECT 1
              1:8 Encountered `t`, expected INTO or OVERWRITE
            INSERT INTO t
              1:14 Encountered the end of the statement, expected SELECT, VALUES, TABLE or a query in parentheses
            INSERT INTO t (a) (b) SELECT 1
              1:20 Encountered `b`, expected SELECT, VALUES, TABLE or a query in parentheses
            EXECUTE STATEMENT SET BEGIN SELECT 1; END
              1:29 Encountered `SELECT`, expected INSERT or END
            EXECUTE STATEMENT SET BEGIN END
              ACCEPTED
            EXECUTE STATEMENT SET BEGIN INSERT INTO t SELECT 1; SELECT 2
              1:53 Encountered `SELECT`, expected INSERT or END
            BEGIN
              1:6 Encountered the end of the statement, expected STATEMENT
            EXPLAIN DROP TABLE t
              1:9 Encountered `DROP`, expected PLAN FOR, RESTORE, ESTIMATED_COST, CHANGELOG_MODE, JSON_EXECUTION_PLAN, PLAN_ADVICE, a query, INSERT or STATEMENT SET
            SHOW FOO
              1:6 Encountered `FOO`, expected CATALOGS, DATABASES, TABLES, VIEWS, COLUMNS, FUNCTIONS, PROCEDURES, MODELS, MODULES, JARS, JOBS, CONNECTIONS, PARTITIONS, CURRENT .. or CREATE ..
            SHOW COLUMNS
              1:13 Encountered the end of the statement, expected FROM or IN
            SHOW TABLES NOT 'a'
              1:17 Encountered the string 'a', expected LIKE or ILIKE
            SHOW JOBS LIKE 'a'
              1:11 Encountered `LIKE`, expected the end of the statement
            DESCRIBE
              1:9 Encountered the end of the statement, expected a name
            SET a
              1:6 Encountered the end of the statement, expected `=`
            SET 'a' =
              1:10 Encountered the end of the statement, expected a value
            SET a b = c
              1:5 `a b` is no key: write SET 'key' = 'value'
            STOP JOB x
              1:10 Encountered `x`, expected a string in single quotes
            QUIT now
              1:1 Encountered `QUIT`, expected a statement: SELECT, INSERT, CREATE, ALTER, DROP, SHOW, DESCRIBE, EXPLAIN, USE, SET, RESET, EXECUTE ..
            USE CATALOG
              ACCEPTED
        "#]],
    );
}

#[test]
fn types() {
    let mut text = String::new();
    for ty in [
        "CHAR(0)",
        "VARCHAR(2147483648)",
        "DECIMAL(39)",
        "DECIMAL(5, 6)",
        "DECIMAL(0, 0)",
        "TIMESTAMP(10)",
        "TIME(3) WITH TIME ZONE",
        "TIME WITH LOCAL TIME ZONE",
        "TIMESTAMP WITH TIME ZONE",
        "ARRAY",
        "ARRAY<INT",
        "MAP<INT>",
        "ROW<a>",
        "ROW<select INT>",
        "RAW('a', 'b')",
        "STRUCTURED<a INT>",
        "REAL",
        "my_type",
        "INT INT",
        "'x'",
        "INTERVAL DAY TO YEAR",
        "INTERVAL DAY(11)",
    ] {
        let error = parse_type(ty).map_or_else(|error| error.to_string(), |ty| format!("ACCEPTED {ty}"));
        text += &format!("{ty}: {error}\n");
    }
    expect![[r#"
        CHAR(0): A length must be between 1 and 2147483647, not 0 at line 1, column 6
        VARCHAR(2147483648): A length must be between 1 and 2147483647, not 2147483648 at line 1, column 9
        DECIMAL(39): DECIMAL(39, 0): the precision must be between 1 and 38, the scale between 0 and the precision at line 1, column 9
        DECIMAL(5, 6): DECIMAL(5, 6): the precision must be between 1 and 38, the scale between 0 and the precision at line 1, column 9
        DECIMAL(0, 0): DECIMAL(0, 0): the precision must be between 1 and 38, the scale between 0 and the precision at line 1, column 9
        TIMESTAMP(10): A time's precision must be between 0 and 9, not 10 at line 1, column 11
        TIME(3) WITH TIME ZONE: The type TIME WITH TIME ZONE is not supported: write TIMESTAMP_LTZ at line 1, column 1
        TIME WITH LOCAL TIME ZONE: The type TIME WITH LOCAL TIME ZONE is not supported at line 1, column 1
        TIMESTAMP WITH TIME ZONE: The type TIMESTAMP WITH TIME ZONE is not supported: write TIMESTAMP_LTZ at line 1, column 1
        ARRAY: Encountered the end of the statement, expected `<` at line 1, column 6
        ARRAY<INT: Encountered the end of the statement, expected `>` at line 1, column 10
        MAP<INT>: 2 type arguments expected, found 1 at line 1, column 4
        ROW<a>: Encountered `>`, expected a type at line 1, column 6
        ROW<select INT>: Encountered the reserved word `select`, expected a name; in backticks (`select`) it can be a name at line 1, column 5
        RAW('a', 'b'): The type RAW is not supported at line 1, column 1
        STRUCTURED<a INT>: Encountered `a`, expected the name of a class in quotes at line 1, column 12
        REAL: Flink has no type REAL: write FLOAT at line 1, column 1
        my_type: Unknown type `my_type` at line 1, column 1
        INT INT: Encountered `INT`, expected the end of the statement at line 1, column 5
        'x': Encountered the string 'x', expected a type at line 1, column 1
        INTERVAL DAY TO YEAR: There is no interval DAY TO YEAR at line 1, column 10
        INTERVAL DAY(11): An interval's leading precision must be between 1 and 10, its fraction between 0 and 9 at line 1, column 14
    "#]].assert_eq(&text);
}

#[test]
fn errors_become_the_common_error() {
    let kind = |sql: &str| flott_types::Error::from(parse_script(sql).unwrap_err()).kind();
    assert_eq!(kind("SELECT"), flott_types::ErrorKind::Invalid);
    assert_eq!(kind("CREATE TABLE t (a RAW)"), flott_types::ErrorKind::Unsupported);
    let error = flott_types::Error::from(parse_script("SELECT 1,\n FROM t").unwrap_err());
    assert!(error.message().ends_with("at line 2, column 2"), "{error}");
}
