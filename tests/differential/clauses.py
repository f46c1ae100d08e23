"""Queries from a grammar: clauses and their combinations over two small tables, in batch and as streams.

A template is a query with holes. The tables have NULLs, equal rows and equal keys, so that joins, groups and set operations meet them.
What depends on the order in which rows come is not written: rows that are cut off by LIMIT or a frame are ordered by all that they are told apart by.
"""
import random
import re

import asking

TABLES = """CREATE VIEW l (id, k, s, n, d) AS VALUES
  (1, 1, 'a', 10, DATE '2020-01-01'), (2, 1, 'b', -5, DATE '2020-02-29'), (3, 2, CAST(NULL AS STRING), 0, DATE '1969-12-31'), (4, CAST(NULL AS INT), 'a', 7, CAST(NULL AS DATE)),
  (5, 3, '', CAST(NULL AS INT), DATE '2020-01-01'), (6, 3, 'ß', 2147483647, DATE '9999-12-31'), (7, CAST(NULL AS INT), CAST(NULL AS STRING), CAST(NULL AS INT), CAST(NULL AS DATE)), (8, 2, 'b', 10, DATE '2020-01-01');
CREATE VIEW r (id, k, s, n, b) AS VALUES
  (1, 1, 'a', CAST(10 AS BIGINT), TRUE), (2, 1, 'B', CAST(3 AS BIGINT), FALSE), (3, 2, CAST(NULL AS STRING), CAST(-5 AS BIGINT), CAST(NULL AS BOOLEAN)), (4, CAST(NULL AS INT), 'b', CAST(0 AS BIGINT), TRUE),
  (5, 4, 'x', CAST(NULL AS BIGINT), FALSE), (6, 2, 'b', CAST(10 AS BIGINT), TRUE);
"""
POOLS = {
    "lc": ["l.id", "l.k", "l.s", "l.n", "l.d"],
    "rc": ["r.id", "r.k", "r.s", "r.n", "r.b"],
    "c": ["id", "k", "s", "n"],
    "x": ["k", "n", "id", "n + k", "k * 2", "ABS(n)", "CASE WHEN k > 1 THEN n ELSE id END", "COALESCE(k, -1)", "NULLIF(k, 2)", "CHAR_LENGTH(s)", "MOD(id, 3)"],
    "join": ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"],
    "inner": ["JOIN", "LEFT JOIN"],
    "on": ["l.k = r.k", "l.s = r.s", "l.k = r.k AND l.s = r.s", "l.k = r.k AND l.n < r.n", "l.id = r.id", "l.n = r.n", "l.k IS NOT DISTINCT FROM r.k", "l.k = r.k AND r.b", "l.k = r.k AND l.id > 2",
           "UPPER(l.s) = UPPER(r.s)", "l.k + 1 = r.k", "l.k = r.k OR (l.k IS NULL AND r.k IS NULL)"],
    "w": ["k > 1", "k = 1 OR n > 5", "s IS NOT NULL", "NOT (k = 2)", "n BETWEEN -5 AND 10", "s IN ('a', 'b')", "s LIKE '_'", "k IN (1, CAST(NULL AS INT))", "k NOT IN (1, 3)", "n IS DISTINCT FROM 10",
          "(k > 1) IS NOT TRUE", "(k = 2 AND n > 0) IS UNKNOWN", "s <> '' AND k < 3", "TRUE", "k <> n", "id % 2 = 0", "s SIMILAR TO '[a-c]'"],
    "jw": ["l.k > 1", "r.n > 0 OR r.n IS NULL", "l.s IS NOT NULL", "r.b IS NOT TRUE", "l.n + r.n > 5", "l.id <> r.id", "r.k IS NULL", "l.k IN (1, 2) AND r.s IS NOT NULL"],
    "agg": ["COUNT(*)", "COUNT(n)", "COUNT(DISTINCT s)", "SUM(n)", "SUM(DISTINCT k)", "AVG(n)", "MIN(s)", "MAX(n)", "MAX(s)", "SUM(n) FILTER (WHERE k > 1)", "COUNT(*) FILTER (WHERE s IS NULL)", "MIN(k) + MAX(k)",
            "SUM(CAST(n AS DECIMAL(12, 2)))", "VAR_POP(k)", "STDDEV_SAMP(id)", "COUNT(DISTINCT k) + COUNT(DISTINCT s)", "CAST(AVG(CAST(n AS DOUBLE)) AS DECIMAL(12, 3))"],
    "g": ["k", "s", "k, s", "MOD(id, 3)", "k > 1", "COALESCE(s, '?')", "s, MOD(id, 2)"],
    "h": ["COUNT(*) > 1", "SUM(n) IS NOT NULL", "MAX(id) > 3", "COUNT(DISTINCT s) <= 1", "MIN(n) < 0 OR COUNT(*) = 2", "COUNT(k) = 0"],
    "gs": ["GROUPING SETS ((k), (s), ())", "ROLLUP (k, s)", "CUBE (k, s)", "GROUPING SETS ((k, s), k)", "k, ROLLUP (s)", "GROUPING SETS (k, ROLLUP (s))", "DISTINCT ROLLUP (k), CUBE (k, s)", "GROUPING SETS ((k, s), (k), (k))"],
    "set": ["UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"],
    "cols": ["k", "s", "k, s", "id, k", "k, n", "s, k"],
    "ob": ["k, id", "n DESC, id", "s NULLS LAST, id DESC", "k DESC NULLS FIRST, id", "id", "s DESC, n, id", "ABS(n), id"],
    "lim": ["LIMIT 3", "LIMIT 2 OFFSET 1", "OFFSET 4 ROWS", "FETCH FIRST 4 ROWS ONLY", "LIMIT 0", "OFFSET 2 ROWS FETCH NEXT 10 ROWS ONLY", "LIMIT 100"],
    "q": ["EXISTS (SELECT 1 FROM r WHERE r.k = l.k)", "NOT EXISTS (SELECT 1 FROM r WHERE r.s = l.s AND r.n > 0)", "k IN (SELECT k FROM r)", "k NOT IN (SELECT k FROM r WHERE k IS NOT NULL)", "k NOT IN (SELECT k FROM r)",
          "n > (SELECT AVG(n) FROM r)", "n = (SELECT MAX(n) FROM r WHERE r.k = l.k)", "(k, s) IN (SELECT k, s FROM r)", "n > ALL (SELECT n FROM r WHERE n IS NOT NULL)", "n >= SOME (SELECT n FROM r)",
          "EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND r.n < l.n)", "s IN (SELECT s FROM r WHERE r.k = l.k)", "(SELECT COUNT(*) FROM r WHERE r.k = l.k) > 1", "k = 2 OR EXISTS (SELECT 1 FROM r WHERE r.id = l.id)",
          "s NOT IN (SELECT s FROM r WHERE s IS NOT NULL) AND id > 1"],
    "sq": ["(SELECT MAX(n) FROM r)", "(SELECT COUNT(*) FROM r WHERE r.k = l.k)", "(SELECT SUM(n) FROM r WHERE r.s = l.s)", "EXISTS (SELECT 1 FROM r WHERE r.k = l.k)", "k IN (SELECT k FROM r)", "(SELECT MIN(s) FROM r WHERE r.k = l.k AND r.n > 0)"],
    "over": ["ROW_NUMBER() OVER (PARTITION BY {p} ORDER BY {ob})", "RANK() OVER (PARTITION BY {p} ORDER BY k)", "DENSE_RANK() OVER (ORDER BY s)", "SUM(n) OVER (PARTITION BY {p})", "SUM(n) OVER (PARTITION BY {p} ORDER BY {ob})",
             "COUNT(*) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)", "LAG(n, 1, 0) OVER (PARTITION BY {p} ORDER BY id)", "LEAD(s) OVER (ORDER BY id)", "MAX(n) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
             "FIRST_VALUE(s) OVER (PARTITION BY {p} ORDER BY id)", "LAST_VALUE(n) OVER (PARTITION BY {p} ORDER BY id)", "NTILE(3) OVER (ORDER BY id)", "AVG(n) OVER (PARTITION BY {p} ORDER BY id ROWS UNBOUNDED PRECEDING)",
             "SUM(id) OVER (ORDER BY k RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)", "MIN(s) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)", "PERCENT_RANK() OVER (ORDER BY id)"],
    "p": ["k", "s", "k, s", "MOD(id, 2)"],
    "ar": ["ARRAY[id, k]", "ARRAY[s, 'z']", "ARRAY[1, 2]", "MAP['a', n]", "ARRAY[ROW(id, s)]", "SPLIT('a,b', ',')"],
}
T = [
    "SELECT {lc}, {rc}, l.id AS i1, r.id AS i2 FROM l {join} r ON {on}",
    "SELECT l.id AS i1, r.id AS i2, {lc} AS x FROM l {join} r ON {on} WHERE {jw}",
    "SELECT {lc} AS g1, COUNT(*) AS c, SUM(r.n) AS sn FROM l {join} r ON {on} GROUP BY {lc}",
    "SELECT a.id AS i1, b.id AS i2, r.id AS i3 FROM l AS a {inner} l AS b ON a.k = b.n {inner} r ON b.k = r.k",
    "SELECT * FROM l JOIN r USING (k) WHERE l.id < 6 AND r.id > 1",
    "SELECT k, s FROM l NATURAL JOIN (SELECT k, s FROM r) AS q",
    "SELECT {g}, {agg} AS a1, {agg} AS a2 FROM l GROUP BY {g}",
    "SELECT {agg} AS a1, {agg} AS a2, {agg} AS a3 FROM l WHERE {w}",
    "SELECT k, s, {agg} AS a1, GROUPING(k) AS g1, GROUPING_ID(k, s) AS g2 FROM l GROUP BY {gs}",
    "SELECT k, s, {agg} AS a1 FROM l WHERE {w} GROUP BY {gs} HAVING {h}",
    "SELECT k, {agg} AS a1 FROM l GROUP BY k HAVING {h}",
    "SELECT k, {agg} AS a1 FROM (SELECT k, MOD(id, 3) AS id, MAX(s) AS s, SUM(n) AS n FROM l GROUP BY k, MOD(id, 3)) AS q GROUP BY k",
    "SELECT DISTINCT {cols} FROM l WHERE {w}",
    "SELECT {x} AS x1, {x} AS x2, id FROM l WHERE {w}",
    "SELECT {cols} FROM l {set} SELECT {cols} FROM r",
    "SELECT {cols} FROM l WHERE {w} {set} SELECT {cols} FROM r {set} SELECT {cols} FROM l WHERE {w}",
    "SELECT {cols} FROM l {set} (SELECT {cols} FROM r {set} SELECT {cols} FROM l)",
    "SELECT COUNT(*) AS c FROM (SELECT {cols} FROM l {set} SELECT {cols} FROM r) AS q",
    "SELECT id, k, s, n FROM l ORDER BY {ob} {lim}",
    "SELECT COUNT(*) AS c, SUM(id) AS si FROM (SELECT * FROM l WHERE {w} ORDER BY {ob} {lim}) AS q",
    "SELECT id, {sq} AS x FROM l",
    "SELECT id, k, s FROM l WHERE {q}",
    "SELECT id, CASE WHEN {q} THEN 'y' ELSE 'n' END AS x FROM l",
    "SELECT {g}, {agg} AS a1 FROM l WHERE {q} GROUP BY {g}",
    "SELECT id FROM l WHERE {q} AND {w}",
    "SELECT id FROM l WHERE {q} OR {w}",
    "SELECT id, {over} AS o1 FROM l",
    "SELECT id, {over} AS o1, {over} AS o2 FROM l WHERE {w}",
    "SELECT id, k FROM l QUALIFY ROW_NUMBER() OVER (PARTITION BY {p} ORDER BY {ob}) <= 2",
    "SELECT id, k, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {p} ORDER BY {ob}) AS rn FROM l) AS q WHERE rn <= 2",
    "SELECT id, k FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {p} ORDER BY {ob}) AS rn FROM l) AS q WHERE rn = 1",
    "SELECT id, e.* FROM l CROSS JOIN UNNEST({ar}) AS e",
    "SELECT id, e.* FROM l LEFT JOIN UNNEST({ar}) AS e ON TRUE WHERE {w}",
    "SELECT l.id, q.m FROM l, LATERAL (SELECT MAX(n) AS m FROM r WHERE r.k = l.k) AS q",
    "SELECT l.id, q.n FROM l LEFT JOIN LATERAL (SELECT n FROM r WHERE r.k = l.k AND r.n > 0) AS q ON TRUE",
    "WITH a AS (SELECT k, {agg} AS x FROM l GROUP BY k), b AS (SELECT k, COUNT(*) AS y FROM r GROUP BY k) SELECT a.k, x, y FROM a {join} b ON a.k = b.k",
    "SELECT k, {agg} AS a1 FROM (SELECT id, k, s, n FROM l UNION ALL SELECT id, k, s, n FROM r) AS q GROUP BY k HAVING {h}",
    "SELECT q.* FROM (SELECT id, n, CAST(k AS BIGINT) AS k FROM l) UNPIVOT (v FOR name IN (n, k)) AS q",
    "VALUES ({v}, {v}), ({v}, {v})",
    "SELECT * FROM (VALUES ({v}), ({v}), ({v})) AS t (x)",
]
POOLS["v"] = ["1", "2.5", "CAST(NULL AS INT)", "'a'", "'abc'", "TRUE", "DATE '2020-01-01'", "1E0", "CAST(1 AS TINYINT)", "NULL", "9223372036854775807", "TIMESTAMP '2020-01-01 00:00:00'", "ARRAY[1]", "ROW(1, 'x')"]
HOLE = re.compile(r"\{(\w+)\}")


def query(template, seed):
    """A script of one filling. Holes of columns that must correspond are filled alike."""
    rng = random.Random(f"clauses|{template}|{seed}")
    alike = {name: rng.choice(POOLS[name]) for name in ("g", "cols", "lc")}
    text = template
    while HOLE.search(text):
        text = HOLE.sub(lambda match: alike.get(match.group(1)) or rng.choice(POOLS[match.group(1)]), text)
    mode = "SET 'execution.runtime-mode' = 'batch';\n" if rng.random() < 0.5 else ""
    return mode + "SET 'table.local-time-zone' = 'UTC';\n" + TABLES + text + ";\n"


def groups(rounds, seed):
    for template in T:
        for script in dict.fromkeys(query(template, f"{seed}.{turn}") for turn in range(rounds)):
            yield asking.Group(f"clauses: {template}", script)
