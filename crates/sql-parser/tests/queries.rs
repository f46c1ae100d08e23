//! Text in, text out: queries as their tree prints. What is printed reads back as the same tree.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::parsed;
use expect_test::{Expect, expect};
use flott_sql_parser::ast::{Expr, ExprKind};

fn check(script: &str, expected: Expect) {
    let printed = parsed(script);
    expected.assert_eq(&printed);
    assert_eq!(parsed(&printed.replace('\n', ";\n")), printed);
}

#[test]
fn literals() {
    check(
        "SELECT 1, 1.5, .5, 5., 1e3, 1.5E-3, 'it''s', U&'\\00e4', U&'!00e4' UESCAPE '!', E'a\\tb\\'c', x'0aFF', _UTF8'x', TRUE, FALSE, NULL, UNKNOWN;
         SELECT 'a'\n 'b' -- continued\n 'c';
         SELECT DATE '2020-01-01', TIME '10:00:00', TIMESTAMP '2020-01-01 00:00:00.5';
         SELECT INTERVAL '1' DAY, INTERVAL -'1-2' YEAR TO MONTH, INTERVAL '100' DAY(3), INTERVAL '1 02:03:04.5' DAY TO SECOND(3), INTERVAL '3.25' SECOND(2, 3)",
        expect![[r#"
            SELECT 1, 1.5, .5, 5., 1e3, 1.5E-3, 'it''s', 'ä', 'ä', 'a	b''c', x'0aFF', 'x', TRUE, FALSE, NULL, CAST(NULL AS BOOLEAN)
            SELECT 'abc'
            SELECT DATE '2020-01-01', TIME '10:00:00', TIMESTAMP '2020-01-01 00:00:00.5'
            SELECT INTERVAL '1' DAY, INTERVAL -'1-2' YEAR TO MONTH, INTERVAL '100' DAY(3), INTERVAL '1 02:03:04.5' DAY TO SECOND(3), INTERVAL '3.25' SECOND(2, 3)
        "#]],
    );
}

#[test]
fn operators() {
    check(
        "SELECT 1 + 2 * 3 - -4 / 5 % 6 || 'x';
         SELECT NOT a = b AND c OR d IS NOT NULL AND e <> f;
         SELECT a BETWEEN 1 AND 2 AND b NOT BETWEEN ASYMMETRIC 1 + 1 AND 3, a BETWEEN SYMMETRIC 2 AND 1;
         SELECT a LIKE 'x%' ESCAPE '!', a NOT LIKE b || 'c', a SIMILAR TO 'x', a NOT SIMILAR TO 'x' ESCAPE '\\';
         SELECT a IN (1, 2), a NOT IN (SELECT b FROM t), (a, b) IN ((1, 2), (3, 4)), a IN ((SELECT 1) UNION (SELECT 2));
         SELECT a IS TRUE, a IS NOT FALSE, a IS UNKNOWN, a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b + 1, a = b IS TRUE;
         SELECT a = ANY (SELECT 1), a <> ALL (SELECT 1), a < SOME (SELECT 1), EXISTS (SELECT 1), NOT EXISTS (SELECT 1);
         SELECT a IS JSON, a IS NOT JSON OBJECT, (a, b) OVERLAPS (c, d)",
        expect![[r#"
            SELECT 1 + 2 * 3 - -4 / 5 % 6 || 'x'
            SELECT NOT a = b AND c OR d IS NOT NULL AND e <> f
            SELECT a BETWEEN 1 AND 2 AND b NOT BETWEEN 1 + 1 AND 3, a BETWEEN SYMMETRIC 2 AND 1
            SELECT a LIKE 'x%' ESCAPE '!', a NOT LIKE b || 'c', a SIMILAR TO 'x', a NOT SIMILAR TO 'x' ESCAPE '\'
            SELECT a IN (1, 2), a NOT IN (SELECT b FROM t), (a, b) IN ((1, 2), (3, 4)), a IN ((SELECT 1) UNION (SELECT 2))
            SELECT a IS TRUE, a IS NOT FALSE, a IS UNKNOWN, a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b + 1, a = b IS TRUE
            SELECT a = SOME (SELECT 1), a <> ALL (SELECT 1), a < SOME (SELECT 1), EXISTS (SELECT 1), NOT EXISTS (SELECT 1)
            SELECT a IS JSON, a IS NOT JSON OBJECT, (a, b) OVERLAPS (c, d)
        "#]],
    );
}

/// Every operator with its operands in parentheses.
fn tree(expr: &Expr) -> String {
    let chain = |operands: &[Expr], word: &str| {
        let operands = operands.iter().map(tree);
        operands.reduce(|left, right| format!("({left} {word} {right})")).unwrap()
    };
    match &expr.kind {
        ExprKind::And(operands) => chain(operands, "AND"),
        ExprKind::Or(operands) => chain(operands, "OR"),
        ExprKind::Binary { first, rest } => rest
            .iter()
            .fold(tree(first), |left, (op, right)| format!("({left} {} {})", op.as_str(), tree(right))),
        ExprKind::Name(_) | ExprKind::Literal(_) => expr.to_string(),
        ExprKind::InList { operand, list, .. } => format!("({} IN ({}))", tree(operand), tree(&list[0])),
        _ => {
            // The node with its operands replaced in its text, from the last to the first.
            let mut text = expr.to_string();
            let mut end = text.len();
            for child in expr.children().into_iter().rev() {
                let (plain, bracketed) = (child.to_string(), format!("({child})"));
                let plain = if text[..end].contains(&bracketed) { bracketed } else { plain };
                let at = text[..end].rfind(&plain).unwrap();
                text.replace_range(at..at + plain.len(), &tree(child));
                end = at;
            }
            format!("({text})")
        }
    }
}

#[test]
fn precedence() {
    for (expr, expected) in [
        ("a + b * c || d - e", "((a + ((b * c) || d)) - e)"),
        ("- a * b", "((-a) * b)"),
        ("NOT a = b AND c OR d", "(((NOT (a = b)) AND c) OR d)"),
        ("NOT a IS NULL", "(NOT (a IS NULL))"),
        ("a = b IS NOT TRUE", "((a = b) IS NOT TRUE)"),
        ("a IS NOT DISTINCT FROM b AND c", "((a IS NOT DISTINCT FROM b) AND c)"),
        ("a + 1 BETWEEN b AND c + 1 AND d", "(((a + 1) BETWEEN b AND (c + 1)) AND d)"),
        ("a LIKE b || 'x' = c", "((a LIKE (b || 'x')) = c)"),
        ("a < b + 1 AND NOT b IN (1) OR c", "(((a < (b + 1)) AND (NOT (b IN (1)))) OR c)"),
        ("a - b - c", "((a - b) - c)"),
        ("a OR b AND c OR d", "((a OR (b AND c)) OR d)"),
    ] {
        assert_eq!(tree(&flott_sql_parser::parse_expression(expr).unwrap()), expected, "{expr}");
    }
}

#[test]
fn names_and_access() {
    check(
        "SELECT a, t.a, c.d.t.a, `select`.`x``y`, t.*, c.d.t.*, *, pts[1].y, t.m['k'], (r).f.g, f(x).y[2], ARRAY[1, 2][1], MAP['a', 1, 'b', 2], ARRAY[], ROW(1), ROW(1, 'a'), (1, 'a'), MULTISET[1] FROM t",
        expect![[r#"
            SELECT a, t.a, c.d.t.a, `select`.`x``y`, t.*, c.d.t.*, *, pts[1].y, t.m['k'], (r).f.g, f(x).y[2], ARRAY[1, 2][1], MAP['a', 1, 'b', 2], ARRAY[], ROW(1), (1, 'a'), (1, 'a'), MULTISET[1] FROM t
        "#]],
    );
}

#[test]
fn functions() {
    check(
        "SELECT COUNT(*), COUNT(DISTINCT a, b), SUM(ALL a) FILTER (WHERE b > 1), LISTAGG(a, ',') WITHIN GROUP (ORDER BY b DESC NULLS LAST), db.f(1), f();
         SELECT CAST(a AS DECIMAL(10, 2)), TRY_CAST(a AS ROW<x INT NOT NULL, y ARRAY<STRING>>), CAST(a AS INTERVAL DAY TO SECOND);
         SELECT EXTRACT(DAY FROM t), FLOOR(t TO MINUTE), CEIL(a), CEILING(t TO MONTH), POSITION('a' IN b), POSITION('a' IN b FROM 2);
         SELECT SUBSTRING(a FROM 1 FOR 2), SUBSTRING(a, 1), SUBSTR(a, 1, 2), OVERLAY(a PLACING 'x' FROM 1 FOR 2), TRIM(a), TRIM(BOTH FROM a), TRIM(LEADING 'x' FROM a), TRIM('x' FROM a);
         SELECT TIMESTAMPADD(DAY, 1, t), TIMESTAMPDIFF(SQL_TSI_HOUR, a, b), CURRENT_TIMESTAMP, CURRENT_DATE, LOCALTIME, NOW(), YEAR(t), LEFT(a, 2), IF(a, 1, 2);
         SELECT CASE WHEN a THEN 1 ELSE 2 END, CASE a WHEN 1, 2 THEN 'x' END, COALESCE(a, b), NULLIF(a, b);
         SELECT f(a => 1, b => DEFAULT), f(TABLE t PARTITION BY (a, b) ORDER BY c DESC, 1), f(DATA => TABLE (SELECT 1) PARTITION BY a), f((SELECT 1) PARTITION BY a), f(MODEL m)",
        expect![[r#"
            SELECT COUNT(*), COUNT(DISTINCT a, b), SUM(ALL a) FILTER (WHERE b > 1), LISTAGG(a, ',') WITHIN GROUP (ORDER BY b DESC NULLS LAST), db.f(1), f()
            SELECT CAST(a AS DECIMAL(10, 2)), TRY_CAST(a AS ROW<`x` INT NOT NULL, `y` ARRAY<STRING>>), CAST(a AS INTERVAL DAY TO SECOND)
            SELECT EXTRACT(DAY FROM t), FLOOR(t TO MINUTE), CEIL(a), CEIL(t TO MONTH), POSITION('a' IN b), POSITION('a' IN b FROM 2)
            SELECT SUBSTRING(a FROM 1 FOR 2), SUBSTRING(a FROM 1), SUBSTR(a, 1, 2), OVERLAY(a PLACING 'x' FROM 1 FOR 2), TRIM(a), TRIM(BOTH FROM a), TRIM(LEADING 'x' FROM a), TRIM('x' FROM a)
            SELECT TIMESTAMPADD(DAY, 1, t), TIMESTAMPDIFF(HOUR, a, b), CURRENT_TIMESTAMP, CURRENT_DATE, LOCALTIME, NOW(), YEAR(t), LEFT(a, 2), IF(a, 1, 2)
            SELECT CASE WHEN a THEN 1 ELSE 2 END, CASE a WHEN 1, 2 THEN 'x' END, COALESCE(a, b), NULLIF(a, b)
            SELECT f(a => 1, b => DEFAULT), f(TABLE t PARTITION BY (a, b) ORDER BY (c DESC), 1), f(DATA => TABLE (SELECT 1) PARTITION BY (a)), f(TABLE (SELECT 1) PARTITION BY (a)), f(MODEL m)
        "#]],
    );
}

#[test]
fn windows() {
    check(
        "SELECT SUM(a) OVER (PARTITION BY b ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), MIN(a) OVER (ORDER BY ts RANGE INTERVAL '1' DAY PRECEDING), ROW_NUMBER() OVER w, LAG(a, 1) IGNORE NULLS OVER (w ORDER BY c), SUM(a) OVER (ORDER BY b RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
         FROM t WINDOW w AS (PARTITION BY b), v AS (ORDER BY a) QUALIFY ROW_NUMBER() OVER w = 1",
        expect![[r#"
            SELECT SUM(a) OVER (PARTITION BY b ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), MIN(a) OVER (ORDER BY ts RANGE INTERVAL '1' DAY PRECEDING), ROW_NUMBER() OVER w, LAG(a, 1) IGNORE NULLS OVER (w ORDER BY c), SUM(a) OVER (ORDER BY b RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM t WINDOW w AS (PARTITION BY b), v AS (ORDER BY a) QUALIFY ROW_NUMBER() OVER w = 1
        "#]],
    );
}

#[test]
fn relations() {
    check(
        "SELECT * FROM a, b AS x (c, d), (SELECT 1) y, LATERAL (SELECT 2) AS z;
         SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x, y) RIGHT OUTER JOIN d ON TRUE FULL JOIN e ON TRUE CROSS JOIN f NATURAL JOIN g INNER JOIN h ON TRUE;
         SELECT * FROM (a JOIN b ON TRUE) CROSS JOIN (c), ((SELECT 1) UNION ALL (SELECT 2)) AS u;
         SELECT * FROM o JOIN r FOR SYSTEM_TIME AS OF o.ts AS r ON o.c = r.c;
         SELECT * FROM a errors, t /*+ OPTIONS('a' = 'b') */ errors into c.bad /*+ OPTIONS('c' = 'd') */ AS x, u ERRORS INTO bad;
         SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) AS w;
         SELECT * FROM TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' MINUTE) AS w (a, b);
         SELECT * FROM t, LATERAL TABLE(f(a)) AS x (b), UNNEST(c) WITH ORDINALITY AS y (d, o), f(1);
         SELECT * FROM t LEFT JOIN LATERAL TABLE(f(a)) AS x (b) ON TRUE CROSS JOIN UNNEST(c) AS y;
         SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (a, b), t TABLESAMPLE BERNOULLI (10) REPEATABLE (1);
         SELECT * FROM t PIVOT (SUM(a) AS s FOR b IN ('x' AS x, 'y')) AS p;
         SELECT * FROM t UNPIVOT INCLUDE NULLS (v FOR n IN (a, b AS 'bb')) AS u",
        expect![[r#"
            SELECT * FROM a, b AS x (c, d), (SELECT 1) AS y, LATERAL (SELECT 2) AS z
            SELECT * FROM a JOIN b ON a.x = b.x LEFT JOIN c USING (x, y) RIGHT JOIN d ON TRUE FULL JOIN e ON TRUE CROSS JOIN f NATURAL JOIN g JOIN h ON TRUE
            SELECT * FROM (a JOIN b ON TRUE) CROSS JOIN c, ((SELECT 1) UNION ALL (SELECT 2)) AS u
            SELECT * FROM o JOIN r FOR SYSTEM_TIME AS OF o.ts AS r ON o.c = r.c
            SELECT * FROM a AS errors, t /*+ OPTIONS('a' = 'b') */ ERRORS INTO c.bad /*+ OPTIONS('c' = 'd') */ AS x, u ERRORS INTO bad
            SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) AS w
            SELECT * FROM TABLE(TUMBLE(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '1' MINUTE)) AS w (a, b)
            SELECT * FROM t, LATERAL TABLE(f(a)) AS x (b), UNNEST(c) WITH ORDINALITY AS y (d, o), TABLE(f(1))
            SELECT * FROM t LEFT JOIN LATERAL TABLE(f(a)) AS x (b) ON TRUE CROSS JOIN UNNEST(c) AS y
            SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (a, b), t TABLESAMPLE BERNOULLI (10) REPEATABLE (1)
            SELECT * FROM t PIVOT (SUM(a) AS s FOR b IN ('x' AS x, 'y')) AS p
            SELECT * FROM t UNPIVOT INCLUDE NULLS (v FOR n IN (a, b AS 'bb')) AS u
        "#]],
    );
}

#[test]
fn match_recognize() {
    check(
        "SELECT * FROM t MATCH_RECOGNIZE (
           PARTITION BY a ORDER BY ts MEASURES FIRST(A.x) AS x, FINAL LAST(B.x) AS y ONE ROW PER MATCH AFTER MATCH SKIP TO FIRST B
           PATTERN (A B+? (C | D)* E{2,3} F{,4}? G{1,}) WITHIN INTERVAL '1' HOUR SUBSET S = (A, B) DEFINE A AS A.x > 1, B AS TRUE) AS m (a, b)",
        expect![[r#"
            SELECT * FROM t MATCH_RECOGNIZE (PARTITION BY a ORDER BY ts MEASURES FIRST(A.x) AS x, FINAL LAST(B.x) AS y ONE ROW PER MATCH AFTER MATCH SKIP TO FIRST B PATTERN (A B+? (C | D)* E{2,3} F{0,4}? G+) WITHIN INTERVAL '1' HOUR SUBSET S = (A, B) DEFINE A AS A.x > 1, B AS TRUE) AS m (a, b)
        "#]],
    );
}

#[test]
fn grouping_sets_and_order() {
    check(
        "SELECT a FROM t WHERE b GROUP BY a, ROLLUP (b, (c, d)), CUBE (e), GROUPING SETS ((a, b), a, ()), () HAVING COUNT(*) > 1 ORDER BY a DESC NULLS FIRST, 2 LIMIT 10 OFFSET 5;
         SELECT DISTINCT a FROM t ORDER BY a OFFSET 5 ROWS FETCH NEXT 3 ROWS ONLY; SELECT ALL a FROM t LIMIT ALL;
         WITH x AS (SELECT 1), y (a, b) AS (SELECT 1, 2) SELECT * FROM x, y; WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r;
         SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4 UNION DISTINCT (SELECT 5 ORDER BY 1 LIMIT 1); VALUES (1, 'a'), ROW (2, 'b'), 3; TABLE c.t;
         (SELECT 1) UNION ALL (SELECT 2) ORDER BY 1",
        expect![[r#"
            SELECT a FROM t WHERE b GROUP BY a, ROLLUP ((b), (c, d)), CUBE ((e)), GROUPING SETS ((a, b), (a), ()), () HAVING COUNT(*) > 1 ORDER BY a DESC NULLS FIRST, 2 LIMIT 10 OFFSET 5
            SELECT DISTINCT a FROM t ORDER BY a LIMIT 3 OFFSET 5
            SELECT a FROM t
            WITH x AS (SELECT 1), y (a, b) AS (SELECT 1, 2) SELECT * FROM x, y
            WITH RECURSIVE r AS (SELECT 1) SELECT * FROM r
            SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4 UNION (SELECT 5 ORDER BY 1 LIMIT 1)
            VALUES (1, 'a'), (2, 'b'), (3)
            SELECT * FROM c.t
            (SELECT 1) UNION ALL (SELECT 2) ORDER BY 1
        "#]],
    );
}

#[test]
fn json() {
    check(
        "SELECT JSON_VALUE(j, '$.a' RETURNING INT NULL ON EMPTY DEFAULT -1 ON ERROR), JSON_QUERY(j, '$' RETURNING ARRAY<STRING> WITH CONDITIONAL ARRAY WRAPPER EMPTY OBJECT ON EMPTY ERROR ON ERROR), JSON_EXISTS(j, '$' UNKNOWN ON ERROR);
         SELECT JSON_OBJECT('a' VALUE 1, KEY 'b' VALUE 2, 'c' : 3 ABSENT ON NULL), JSON_OBJECT(), JSON_ARRAY(1, 'a' NULL ON NULL), JSON_ARRAY(), JSON_OBJECTAGG(KEY k VALUE v NULL ON NULL), JSON_ARRAYAGG(v ABSENT ON NULL) FILTER (WHERE TRUE)",
        expect![[r#"
            SELECT JSON_VALUE(j, '$.a' RETURNING INT NULL ON EMPTY DEFAULT -1 ON ERROR), JSON_QUERY(j, '$' RETURNING ARRAY<STRING> WITH CONDITIONAL WRAPPER EMPTY OBJECT ON EMPTY ERROR ON ERROR), JSON_EXISTS(j, '$' UNKNOWN ON ERROR)
            SELECT JSON_OBJECT(KEY 'a' VALUE 1, KEY 'b' VALUE 2, KEY 'c' VALUE 3 ABSENT ON NULL), JSON_OBJECT(), JSON_ARRAY(1, 'a' NULL ON NULL), JSON_ARRAY(), JSON_OBJECTAGG(KEY k VALUE v NULL ON NULL), JSON_ARRAYAGG(v ABSENT ON NULL) FILTER (WHERE TRUE)
        "#]],
    );
}
