"""Queries over time from a grammar: windows, OVER, joins by time, Top-N, deduplication, patterns, nested and updated rows.

The tables are those of tests/conformance/queries/data. A template names its table (`late`, ...) first and has holes of that table: {ts} its time,
{k} something to partition by, {v} a number, {id} what tells rows apart, {x} anything. Rows come in one order (parallelism 1) and watermarks with each
row, so that what is late is the same in both.
"""
import random
import re

import asking

CSV = "'connector' = 'filesystem', 'path' = '${{DATA}}/{0}', 'format' = 'csv', 'csv.null-literal' = 'NULL'"
TABLES = {
    "late": ("id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND", "late.csv", {"ts": ["ts"], "k": ["k", "MOD(id, 2)"], "v": ["v", "id"], "id": ["id"], "x": ["k", "v", "id", "ts"]}),
    "events": ("ev_id BIGINT, user_id INT, kind STRING, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND", "events.csv",
               {"ts": ["ts"], "k": ["kind", "user_id"], "v": ["amount", "user_id"], "id": ["ev_id"], "x": ["kind", "amount", "user_id", "ts", "ev_id"]}),
    "ticks": ("symbol STRING, price INT, volume INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND", "ticks.csv",
              {"ts": ["ts"], "k": ["symbol"], "v": ["price", "volume"], "id": ["volume, symbol"], "x": ["symbol", "price", "volume", "ts"]}),
    "bid": ("bidtime TIMESTAMP(3), price DECIMAL(10, 2), item STRING, supplier STRING, WATERMARK FOR bidtime AS bidtime - INTERVAL '4' SECOND", "bid.csv",
            {"ts": ["bidtime"], "k": ["item", "supplier"], "v": ["price"], "id": ["price, item"], "x": ["item", "supplier", "price", "bidtime"]}),
    "orders": ("order_id INT, cust_id INT, product STRING, qty INT, price DECIMAL(10, 2), status STRING, order_ts TIMESTAMP(3), WATERMARK FOR order_ts AS order_ts - INTERVAL '5' SECOND", "orders.csv",
               {"ts": ["order_ts"], "k": ["product", "status", "cust_id"], "v": ["qty", "price", "cust_id"], "id": ["order_id"], "x": ["product", "status", "qty", "price", "order_ts", "cust_id"]}),
    "logins": ("usr STRING, action STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND", "logins.csv",
               {"ts": ["ts"], "k": ["usr", "action"], "v": ["CHAR_LENGTH(action)"], "id": ["usr, action"], "x": ["usr", "action", "ts"]}),
    "dst": ("ms BIGINT, k STRING, v INT, ts AS TO_TIMESTAMP_LTZ(ms, 3), WATERMARK FOR ts AS ts - INTERVAL '10' SECOND", "dst.csv", {"ts": ["ts"], "k": ["k"], "v": ["v", "MOD(v, 7)"], "id": ["v"], "x": ["k", "v", "ts", "ms"]}),
    "dups": ("id STRING, val INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '10' SECOND", "dups.csv", {"ts": ["ts"], "k": ["id"], "v": ["val"], "id": ["val"], "x": ["id", "val", "ts"]}),
    "scores": ("player STRING, game STRING, score INT, ts TIMESTAMP(3)", "scores.csv", {"ts": ["ts"], "k": ["game", "player"], "v": ["score"], "id": ["score, player"], "x": ["player", "game", "score", "ts"]}),
    "moves": ("seq INT, acc STRING, kind STRING, amt INT", "moves.csv", {"ts": ["seq"], "k": ["acc", "kind"], "v": ["amt", "seq"], "id": ["seq"], "x": ["acc", "kind", "amt", "seq"]}),
    "emp": ("emp_id INT, name STRING, dept_id INT, mgr_id INT, salary INT, hired DATE", "emp.csv", {"ts": ["hired"], "k": ["dept_id", "mgr_id"], "v": ["salary", "mgr_id", "emp_id"], "id": ["emp_id"], "x": ["name", "dept_id", "salary", "hired"]}),
}
EXTRA = {
    "payments": "pay_id INT, order_id INT, amount DECIMAL(10, 2), `method` STRING, pay_ts TIMESTAMP(3), WATERMARK FOR pay_ts AS pay_ts - INTERVAL '5' MINUTE",
    "tx": "tx_id INT, currency STRING, amount DECIMAL(10, 2), tx_ts TIMESTAMP(3), WATERMARK FOR tx_ts AS tx_ts",
    "rates": "currency STRING, rate DECIMAL(10, 4), upd TIMESTAMP(3), WATERMARK FOR upd AS upd",
    "wl": "ts TIMESTAMP(3), num INT, id STRING, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND",
    "wr": "ts TIMESTAMP(3), num INT, id STRING, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND",
    "dept": "dept_id INT, dname STRING, loc STRING",
    "customers": "cust_id INT, name STRING, country STRING, credit DOUBLE, since DATE",
}
FULL = {
    "nest": "CREATE TABLE nest (id INT, tags ARRAY<STRING>, attrs MAP<STRING, INT>, pts ARRAY<ROW<x INT, y STRING>>, nested ROW<a INT, b ROW<c STRING, d DOUBLE>>, bag MULTISET<STRING>) WITH ('connector' = 'filesystem', 'path' = '${DATA}/nested.json', 'format' = 'json');\n",
    "products": "CREATE TABLE products (id INT, name STRING, weight INT, price DECIMAL(10, 2), PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'filesystem', 'path' = '${DATA}/products_dbz.json', 'format' = 'debezium-json');\n",
    "vrates": "CREATE TABLE vrates (currency STRING, rate DECIMAL(10, 4), upd TIMESTAMP(3), WATERMARK FOR upd AS upd, PRIMARY KEY (currency) NOT ENFORCED) WITH ('connector' = 'filesystem', 'path' = '${DATA}/rates_dbz.json', 'format' = 'debezium-json');\n",
    "lrates": "CREATE VIEW lrates AS SELECT currency, rate, upd FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY currency ORDER BY upd DESC) AS rn FROM rates) WHERE rn = 1;\n",
}
NEEDS = {"lrates": ["rates"]}
TIMED = ["late", "events", "ticks", "bid", "orders", "logins", "dst", "dups"]
POOLS = {
    "size": ["INTERVAL '5' SECOND", "INTERVAL '10' SECOND", "INTERVAL '1' MINUTE", "INTERVAL '10' MINUTE", "INTERVAL '1' HOUR", "INTERVAL '30' SECONDS", "INTERVAL '2' MINUTE", "INTERVAL '1' DAY", "INTERVAL '0 00:01:30' DAY TO SECOND", "INTERVAL '1:30' MINUTE TO SECOND"],
    "hop": ["INTERVAL '5' SECOND, INTERVAL '10' SECOND", "INTERVAL '1' MINUTE, INTERVAL '3' MINUTE", "INTERVAL '5' MINUTE, INTERVAL '10' MINUTE", "INTERVAL '10' SECOND, INTERVAL '25' SECOND", "INTERVAL '10' SECOND, INTERVAL '10' SECOND", "INTERVAL '1' HOUR, INTERVAL '1' DAY",
            "INTERVAL '10' SECOND, INTERVAL '5' SECOND"],
    "cum": ["INTERVAL '5' SECOND, INTERVAL '10' SECOND", "INTERVAL '1' MINUTE, INTERVAL '3' MINUTE", "INTERVAL '5' MINUTE, INTERVAL '15' MINUTE", "INTERVAL '10' SECOND, INTERVAL '1' MINUTE", "INTERVAL '10' SECOND, INTERVAL '25' SECOND", "INTERVAL '6' HOUR, INTERVAL '1' DAY"],
    "gap": ["INTERVAL '2' SECOND", "INTERVAL '10' SECOND", "INTERVAL '1' MINUTE", "INTERVAL '5' MINUTE", "INTERVAL '2' HOUR"],
    "off": ["", "", ", INTERVAL '1' SECOND", ", INTERVAL '-3' SECOND", ", INTERVAL '0' SECOND"],
    "agg": ["COUNT(*)", "SUM({v})", "COUNT({v})", "AVG({v})", "MIN({v})", "MAX({v})", "COUNT(DISTINCT {k})", "SUM(DISTINCT {v})", "COUNT(*) FILTER (WHERE {v} > 10)", "MAX({x})", "MIN({x})", "SUM({v}) + COUNT(*)", "STDDEV_POP({v})", "VAR_SAMP({v})",
            "COUNT(DISTINCT {v}) FILTER (WHERE {k} IS NOT NULL)", "AVG(CAST({v} AS DOUBLE))", "FIRST_VALUE({v})", "LAST_VALUE({x})", "LISTAGG(CAST({k} AS STRING))", "MAX(CHAR_LENGTH(CAST({k} AS STRING)))", "ARRAY_AGG({v})", "COLLECT({k})"],
    "hav": ["", "", " HAVING COUNT(*) > 1", " HAVING SUM({v}) > 20", " HAVING MAX({v}) IS NOT NULL AND COUNT(*) < 5"],
    "where": ["", "", " WHERE {v} > 10", " WHERE {k} IS NOT NULL", " WHERE {v} IS NULL OR {v} < 100", " WHERE MOD({v}, 2) = 0"],
    "frame": ["ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "RANGE BETWEEN INTERVAL '3' SECOND PRECEDING AND CURRENT ROW", "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "ROWS 3 PRECEDING",
              "RANGE BETWEEN INTERVAL '1' MINUTE PRECEDING AND CURRENT ROW", "", "RANGE INTERVAL '5' SECOND PRECEDING", "ROWS BETWEEN CURRENT ROW AND CURRENT ROW", "ROWS BETWEEN 0 PRECEDING AND CURRENT ROW", "RANGE BETWEEN INTERVAL '2' HOUR PRECEDING AND CURRENT ROW"],
    "part": ["PARTITION BY {k} ", "PARTITION BY {k} ", ""],
    "join": ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"],
    "inner": ["JOIN", "LEFT JOIN"],
    "dir": ["", " ASC", " DESC"],
    "n": ["1", "2", "3", "5"],
    "rank": ["ROW_NUMBER()", "ROW_NUMBER()", "ROW_NUMBER()", "RANK()", "DENSE_RANK()"],
    "cmp": ["<=", "<", "="],
    "iv": ["1", "5", "10", "60"],
    "skip": ["", "AFTER MATCH SKIP PAST LAST ROW ", "AFTER MATCH SKIP TO NEXT ROW ", "AFTER MATCH SKIP TO FIRST B ", "AFTER MATCH SKIP TO LAST B ", "AFTER MATCH SKIP TO LAST A "],
    "pat": ["A B", "A B+", "A+ B", "A B* C", "A B? C", "A B«2»", "A B«1,3» C", "A+? B", "A B«2,» C", "A* B", "A«2,3»? B", "A B C", "A B+? C", "A«0,2» B"],
    "within": ["", "", " WITHIN INTERVAL '5' SECOND", " WITHIN INTERVAL '1' MINUTE"],
    "zone": ["UTC", "UTC", "America/New_York", "Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe"],
}
WIN = ["TUMBLE(TABLE {t}, DESCRIPTOR({ts}), {size}{off})", "HOP(TABLE {t}, DESCRIPTOR({ts}), {hop}{off})", "CUMULATE(TABLE {t}, DESCRIPTOR({ts}), {cum}{off})", "SESSION(TABLE {t} PARTITION BY {k0}, DESCRIPTOR({ts}), {gap})", "SESSION(TABLE {t}, DESCRIPTOR({ts}), {gap})"]
POOLS["win"] = WIN
POOLS["win3"] = WIN[:3]
POOLS["gw"] = ["TUMBLE({ts}, {size})", "HOP({ts}, {hop})", "SESSION({ts}, {gap})"]
MEASURES = ["A.{v} AS m{i}", "LAST(B.{v}) AS m{i}", "FIRST(A.{x}) AS m{i}", "COUNT(B.{v}) AS m{i}", "SUM(B.{v}) AS m{i}", "AVG(A.{v}) AS m{i}", "LAST(B.{v}, 1) AS m{i}", "FIRST(B.{v}, 1) AS m{i}", "MAX(B.{v}) - MIN(A.{v}) AS m{i}", "MATCH_ROWTIME() AS m{i}", "COUNT(*) AS m{i}",
            "LAST(A.{x}) AS m{i}", "{v} AS m{i}", "SUM({v}) AS m{i}", "FINAL LAST(B.{v}) AS m{i}", "LAST({x}) AS m{i}", "COUNT(A.{x}) + COUNT(B.{x}) AS m{i}", "B.{ts} AS m{i}"]
DEFINES = ["B AS B.{v} > A.{v}", "A AS A.{v} > 10", "B AS B.{v} < 50", "A AS SUM(A.{v}) < 100", "B AS B.{v} > LAST(B.{v}, 1) OR LAST(B.{v}, 1) IS NULL", "B AS COUNT(B.{v}) <= 2", "A AS A.{v} IS NOT NULL, B AS B.{v} > A.{v}", "A AS A.{v} > 5, C AS C.{v} < LAST(B.{v})",
           "B AS B.{v} <> A.{v}, C AS C.{v} > 1", "A AS AVG(A.{v}) < 40, B AS B.{v} > 12", "A AS {v} > 10", "B AS B.{v} > FIRST(A.{v})", "B AS LAST(B.{v}, 2) IS NULL", "A AS MOD(A.{v}, 2) = 0, B AS MOD(B.{v}, 2) = 1"]
W = "window_start, window_end"
T = {
    "window_tvf": [
        f"SELECT {W}, {{agg}} AS a1, {{agg}} AS a2 FROM {{win}}{{where}} GROUP BY {W}{{hav}}",
        f"SELECT {{k}} AS g, {W}, {{agg}} AS a1, {{agg}} AS a2 FROM {{win}}{{where}} GROUP BY {{k}}, {W}{{hav}}",
        f"SELECT {{x}} AS x1, {W}, window_time FROM {{win}}{{where}}",
        f"SELECT {W}, window_time, {{agg}} AS a1 FROM {{win}} GROUP BY {W}, window_time",
        f"SELECT {W}, {{k0}}, COUNT(*) AS c, {{agg}} AS a1 FROM {{win3}} GROUP BY {W}, GROUPING SETS (({{k0}}), ())",
        f"SELECT {W}, {{k0}}, COUNT(*) AS c FROM {{win3}} GROUP BY {W}, ROLLUP ({{k0}})",
        f"SELECT window_start, {{agg}} AS a1 FROM {{win3}} GROUP BY {W}, {{k}}",
        f"VIEW SELECT {{k0}} AS g, window_time AS rt, COUNT(*) AS c FROM {{win3}} GROUP BY {{k0}}, {W}, window_time; SELECT {W}, SUM(c) AS s, COUNT(*) AS n FROM TUMBLE(TABLE q, DESCRIPTOR(rt), INTERVAL '20' MINUTE) GROUP BY {W}",
        f"SELECT g, COUNT(*) AS n, MAX(c) AS m FROM (SELECT {{k}} AS g, {W}, COUNT(*) AS c FROM {{win}} GROUP BY {{k}}, {W}) GROUP BY g",
        f"SELECT COUNT(*) AS c, MIN(window_start) AS s, MAX(window_end) AS e FROM {{win}}{{where}}",
        f"SELECT DISTINCT {W}, {{k0}} FROM {{win3}}",
        f"SELECT {{k0}}, COUNT(*) AS c FROM {{win3}} GROUP BY {{k0}}, window_start",
    ],
    "window_join_topn": [
        f"SELECT {{k0}}, {{v}} AS v1, window_start, rn FROM (SELECT *, {{rank}} OVER (PARTITION BY {W} ORDER BY {{v}}{{dir}}, {{id}}) AS rn FROM {{win3}}{{where}}) WHERE rn {{cmp}} {{n}}",
        f"SELECT {{k0}}, window_end, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {W}, {{k0}} ORDER BY {{v}}{{dir}}, {{id}}) AS rn FROM {{win3}}{{where}}) WHERE rn {{cmp}} {{n}}",
        f"SELECT {{k0}}, {{v}} AS v1, window_start FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {W}, {{k0}} ORDER BY {{ts}}{{dir}}) AS rn FROM {{win3}}) WHERE rn = 1",
        f"SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {W} ORDER BY c{{dir}}, g) AS rn FROM (SELECT {{k0}} AS g, {W}, COUNT(*) AS c, {{agg}} AS a1 FROM {{win3}} GROUP BY {{k0}}, {W})) WHERE rn <= {{n}}",
        "wl+wr SELECT l.id AS i1, r.id AS i2, l.window_start AS s1, r.window_end AS e2 FROM (SELECT * FROM TUMBLE(TABLE wl, DESCRIPTOR(ts), {wsize})) l {join} (SELECT * FROM TUMBLE(TABLE wr, DESCRIPTOR(ts), {wsize})) r ON {wk} l.window_start = r.window_start AND l.window_end = r.window_end{res}",
        "wl+wr SELECT l.id AS i1, r.id AS i2, l.window_start AS s1 FROM (SELECT * FROM HOP(TABLE wl, DESCRIPTOR(ts), INTERVAL '5' SECOND, {wsize})) l {join} (SELECT * FROM HOP(TABLE wr, DESCRIPTOR(ts), INTERVAL '5' SECOND, {wsize})) r ON {wk} l.window_start = r.window_start AND l.window_end = r.window_end{res}",
        "wl+wr SELECT l.s AS s1, l.c AS c1, r.c AS c2 FROM (SELECT window_start AS s, window_end AS e, num, COUNT(*) AS c FROM TUMBLE(TABLE wl, DESCRIPTOR(ts), {wsize}) GROUP BY window_start, window_end, num) l {join} (SELECT window_start AS s, window_end AS e, num, COUNT(*) AS c FROM TUMBLE(TABLE wr, DESCRIPTOR(ts), {wsize}) GROUP BY window_start, window_end, num) r ON l.num = r.num AND l.s = r.s AND l.e = r.e",
        "wl+wr SELECT id, num, window_start FROM (SELECT * FROM TUMBLE(TABLE wl, DESCRIPTOR(ts), {wsize})) l WHERE {not}EXISTS (SELECT * FROM (SELECT * FROM TUMBLE(TABLE wr, DESCRIPTOR(ts), {wsize})) r WHERE {wk} l.window_start = r.window_start AND l.window_end = r.window_end)",
        "wl+wr SELECT id, num FROM (SELECT * FROM TUMBLE(TABLE wl, DESCRIPTOR(ts), {wsize})) l WHERE l.num {not}IN (SELECT num FROM (SELECT * FROM TUMBLE(TABLE wr, DESCRIPTOR(ts), {wsize})) r WHERE l.window_start = r.window_start AND l.window_end = r.window_end)",
    ],
    "legacy_window": [
        "SELECT {gws} AS ws, {gwe} AS we, {agg} AS a1, {agg} AS a2 FROM {t}{where} GROUP BY {gwg}{hav}",
        "SELECT {k} AS g, {gws} AS ws, {agg} AS a1 FROM {t}{where} GROUP BY {k}, {gwg}{hav}",
        "SELECT {gwr} AS rt, {agg} AS a1 FROM {t} GROUP BY {gwg}",
        "SELECT TUMBLE_START(rt, INTERVAL '20' MINUTE) AS ws, SUM(c) AS c FROM (SELECT {gwr} AS rt, COUNT(*) AS c FROM {t} GROUP BY {k}, {gwg}) GROUP BY TUMBLE(rt, INTERVAL '20' MINUTE)",
    ],
    "over": [
        "SELECT {x} AS x1, {agg} OVER ({part}ORDER BY {ts} {frame}) AS o1 FROM {t}{where}",
        "SELECT {x} AS x1, {ts} AS x2, {agg} OVER w AS o1, {agg} OVER w AS o2 FROM {t}{where} WINDOW w AS ({part}ORDER BY {ts} {frame})",
        "SELECT {x} AS x1, ROW_NUMBER() OVER ({part}ORDER BY {ts}) AS o1 FROM {t}{where}",
        "SELECT {x} AS x1, {lag} OVER ({part}ORDER BY {ts}) AS o1 FROM {t}{where}",
        "SELECT g, MAX(o) AS m, COUNT(*) AS n FROM (SELECT {k} AS g, {agg} OVER (PARTITION BY {k} ORDER BY {ts} {frame}) AS o FROM {t}) GROUP BY g",
        "batch SELECT {x} AS x1, {agg} OVER ({part}ORDER BY {ts}, {id} {bframe}) AS o1 FROM {t}{where}",
        "batch SELECT {x} AS x1, {brank} OVER ({part}ORDER BY {v}{dir}, {id}) AS o1 FROM {t}{where}",
    ],
    "topn_dedup": [
        "SELECT {k0}, {v} AS v1, rn FROM (SELECT *, {rank} OVER ({part}ORDER BY {v}{dir}, {id}) AS rn FROM {t}{where}) WHERE rn {cmp} {n}",
        "SELECT {k0}, {x} AS x1 FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {k0} ORDER BY {ts}{dir}) AS rn FROM {t}{where}) WHERE rn = 1",
        "SELECT g, s, rn FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY s{dir}, g) AS rn FROM (SELECT {k0} AS g, {agg} AS a1, SUM({v}) AS s FROM {t} GROUP BY {k0})) WHERE rn {cmp} {n}",
        "SELECT COUNT(*) AS c, SUM({v}) AS s FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY {k0} ORDER BY {v}{dir}, {id}) AS rn FROM {t}{where}) WHERE rn {cmp} {n}",
        "SELECT {k0}, {v} AS v1 FROM {t}{where} ORDER BY {v}{dir}, {id} LIMIT {n}",
        "products SELECT id, weight, rn FROM (SELECT *, {rank} OVER (PARTITION BY weight ORDER BY {pv}{dir}, id) AS rn FROM products) WHERE rn {cmp} {n}",
        "SELECT {k0}, {v} AS v1, rn FROM (SELECT *, ROW_NUMBER() OVER ({part}ORDER BY {v}{dir}, {id}) AS rn FROM {t}) WHERE rn BETWEEN 2 AND {n}",
    ],
    "interval_temporal_lateral": [
        "orders+payments SELECT o.order_id, o.status, p.pay_id FROM orders o {join} payments p ON o.order_id = p.order_id AND p.pay_ts BETWEEN o.order_ts{lo} AND o.order_ts{hi}",
        "orders+payments SELECT o.order_id, p.pay_id FROM orders o {inner} payments p ON o.order_id = p.order_id AND p.pay_ts >= o.order_ts{lo} AND p.pay_ts < o.order_ts{hi} AND {ijres}",
        "wl+wr SELECT l.id AS i1, r.id AS i2 FROM wl l {join} wr r ON l.num = r.num AND r.ts BETWEEN l.ts{slo} AND l.ts{shi}",
        "orders+payments VIEW SELECT o.order_id, p.amount, o.order_ts FROM orders o JOIN payments p ON o.order_id = p.order_id AND p.pay_ts BETWEEN o.order_ts{lo} AND o.order_ts{hi}; SELECT window_start, COUNT(*) AS c, SUM(amount) AS s FROM TUMBLE(TABLE q, DESCRIPTOR(order_ts), {size}) GROUP BY window_start, window_end",
        "tx+vrates SELECT t.tx_id, t.currency, r.rate, t.amount * r.rate AS conv FROM tx AS t {inner} vrates FOR SYSTEM_TIME AS OF t.tx_ts AS r ON t.currency = r.currency{tres}",
        "tx+lrates SELECT t.tx_id, t.currency, r.rate, r.upd FROM tx AS t {inner} lrates FOR SYSTEM_TIME AS OF t.tx_ts AS r ON t.currency = r.currency{tres}",
        "tx+vrates SELECT r.currency, COUNT(*) AS c, SUM(t.amount * r.rate) AS s FROM tx AS t {inner} vrates FOR SYSTEM_TIME AS OF t.tx_ts AS r ON t.currency = r.currency GROUP BY r.currency",
        "nest SELECT id, e.* FROM nest {uj}",
        "nest SELECT id, COUNT(*) AS c FROM nest {uj} GROUP BY id",
        "nest SELECT {nx} AS x1, {nx} AS x2, id FROM nest WHERE {nw}",
        "emp+dept SELECT d.dname, t.name, t.salary FROM dept d, LATERAL (SELECT name, salary FROM emp e WHERE e.dept_id = d.dept_id ORDER BY salary{dir}, emp_id LIMIT {n}) t",
        "emp+dept SELECT d.dname, t.c, t.m FROM dept d {lj} (SELECT COUNT(*) AS c, {eagg} AS m FROM emp e WHERE e.dept_id = d.dept_id) t{lon}",
    ],
    "join": [
        "emp+dept SELECT e.name, d.dname, e.salary FROM emp e {join} dept d ON e.dept_id = d.dept_id{jres}",
        "emp+dept SELECT d.loc, {eagg} AS a1, COUNT(*) AS c FROM emp e {join} dept d ON e.dept_id = d.dept_id GROUP BY d.loc",
        "emp SELECT a.name AS n1, b.name AS n2 FROM emp a {join} emp b ON a.mgr_id = b.emp_id{sres}",
        "orders+payments+customers SELECT c.name, o.order_id, p.pay_id FROM orders o {join} payments p ON o.order_id = p.order_id {join} customers c ON o.cust_id = c.cust_id",
        "products+emp SELECT p.id, p.price, e.name FROM products p {join} emp e ON p.id = e.emp_id{pres}",
        "emp+dept SELECT name FROM emp e WHERE e.dept_id {not}IN (SELECT dept_id FROM dept WHERE {dw})",
        "emp+dept SELECT dname FROM dept d WHERE {not}EXISTS (SELECT 1 FROM emp e WHERE e.dept_id = d.dept_id AND {ew})",
        "orders+customers SELECT c.country, o.product, {oagg} AS a1 FROM orders o {join} customers c ON o.cust_id = c.cust_id GROUP BY c.country, o.product",
        "emp+dept SELECT name, (SELECT dname FROM dept d WHERE d.dept_id = e.dept_id) AS dn FROM emp e WHERE {ew}",
    ],
    "group_agg": [
        "SELECT {k} AS g, {agg} AS a1, {agg} AS a2, {agg} AS a3 FROM {t}{where} GROUP BY {k}{hav}",
        "SELECT {agg} AS a1, {agg} AS a2 FROM {t}{where}",
        "products SELECT weight, {pagg} AS a1, {pagg} AS a2 FROM products GROUP BY weight",
        "products SELECT {pagg} AS a1, {pagg} AS a2 FROM products WHERE {pw}",
        "SELECT c, COUNT(*) AS n FROM (SELECT {k} AS g, COUNT(*) AS c FROM {t}{where} GROUP BY {k}) GROUP BY c",
        "SELECT MAX(s) AS m, MIN(s) AS n, SUM(s) AS t FROM (SELECT {k} AS g, {agg} AS a, SUM({v}) AS s FROM {t} GROUP BY {k})",
        "SELECT {k0}, {k} AS g2, COUNT(*) AS c, GROUPING({k0}) AS gg FROM {t} GROUP BY GROUPING SETS (({k0}), ({k0}, {k}), ())",
    ],
    "match_recognize": [
        "SELECT * FROM {t} MATCH_RECOGNIZE ({mp}ORDER BY {ts} MEASURES {meas} ONE ROW PER MATCH {skip}PATTERN ({pat}){within} DEFINE {def}) AS m",
        "SELECT * FROM {t} MATCH_RECOGNIZE ({mp}ORDER BY {ts} MEASURES {meas} {skip}PATTERN ({pat}) DEFINE {def})",
    ],
}
POOLS.update({
    "wsize": ["INTERVAL '10' SECOND"], "wk": ["l.num = r.num AND", "l.num = r.num AND", "", "l.num < r.num AND"], "res": ["", "", " AND l.id <> 'L2'", " AND r.ts > l.ts"], "not": ["", "NOT "],
    "lag": ["LAG({v}, 1)", "LAG({v})", "LAG({x}, 2)", "LEAD({v})", "LAG({v}, 1, 0)", "LAG({v}, 0)"],
    "bframe": ["ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", "", "ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING", "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING"],
    "brank": ["ROW_NUMBER()", "RANK()", "DENSE_RANK()", "NTILE(3)", "PERCENT_RANK()", "CUME_DIST()", "LAG({v})", "LEAD({v}, 2)", "LAG({v}, 1, -1)"],
    "pv": ["price", "weight", "name"], "lo": ["", " - INTERVAL '1' MINUTE", " + INTERVAL '1' SECOND"], "hi": [" + INTERVAL '1' MINUTE", " + INTERVAL '5' MINUTE", " + INTERVAL '4' SECOND"],
    "slo": [" - INTERVAL '10' SECOND", " - INTERVAL '1' SECOND", ""], "shi": ["", " + INTERVAL '5' SECOND", " + INTERVAL '1.5' SECOND"], "ijres": ["p.amount > 20", "o.qty > 1", "p.amount < o.qty * o.price", "o.status = 'PAID'"],
    "tres": ["", "", " AND r.rate > 1.05", " AND t.amount > 8"],
    "uj": ["CROSS JOIN UNNEST({na}) AS e", "LEFT JOIN UNNEST({na}) AS e ON TRUE", "CROSS JOIN UNNEST({na}) WITH ORDINALITY AS e", ", UNNEST({na}) AS e", "INNER JOIN UNNEST({na}) AS e ON TRUE"], "na": ["tags", "attrs", "pts", "bag", "ARRAY[id, 2]"],
    "nx": ["tags[1]", "attrs['w']", "nested.a", "nested.b.c", "nest.nested.b.d", "CARDINALITY(tags)", "pts[1].y", "CARDINALITY(attrs)", "nested.b", "pts", "bag", "nested.a + 1", "nested", "CARDINALITY(bag)", "nest.nested.b.*"], "nw": ["TRUE", "nested.a IS NOT NULL", "CARDINALITY(tags) > 0", "nested IS NULL", "attrs['w'] = 3"],
    "lj": ["CROSS JOIN LATERAL", "LEFT JOIN LATERAL", ", LATERAL"], "eagg": ["MAX(salary)", "SUM(salary)", "AVG(salary)", "MIN(hired)", "COUNT(mgr_id)", "COUNT(DISTINCT mgr_id)", "MAX(name)"],
    "jres": ["", "", " AND e.salary > 4000", " AND d.loc = 'Zurich'", " AND e.hired < DATE '2017-01-01'"], "sres": ["", " AND a.salary > b.salary", " AND a.emp_id <> 2"], "pres": ["", " AND p.price > 10"],
    "dw": ["TRUE", "loc <> 'Lyon'", "dept_id IS NOT NULL"], "ew": ["salary > 5000", "TRUE", "mgr_id IS NULL", "name LIKE '%a%'"], "oagg": ["SUM(o.qty * o.price)", "COUNT(*)", "AVG(o.price)", "MAX(o.order_ts)", "COUNT(DISTINCT o.status)", "SUM(c.credit)"],
    "pagg": ["COUNT(*)", "SUM(price)", "MAX(price)", "MIN(price)", "AVG(price)", "COUNT(DISTINCT name)", "MAX(name)", "SUM(weight)", "LAST_VALUE(name)", "LISTAGG(name)", "STDDEV_POP(price)", "COUNT(*) FILTER (WHERE price > 10)", "COLLECT(weight)", "SUM(DISTINCT weight)"], "pw": ["TRUE", "price > 10", "weight < 20 OR name IS NULL"],
    "mp": ["PARTITION BY {k0} ", "PARTITION BY {k0} ", ""],
})
# Areas with much to combine in a template.
MORE = {"match_recognize": 8, "over": 2, "legacy_window": 2, "window_tvf": 2}
HOLE = re.compile(r"\{(\w+)\}")


def query(area, template, seed):
    rng = random.Random(f"streams|{template}|{seed}")
    text, names = template, []
    batch = text.startswith("batch ")
    text = text.removeprefix("batch ")
    first, _, rest = text.partition(" ")
    if first not in ("SELECT", "VIEW"):
        names, text = first.split("+"), rest
    pools = dict(POOLS)
    if not names:
        timed = area in ("window_tvf", "window_join_topn", "legacy_window", "match_recognize") or (area == "over" and not batch)
        names = [rng.choice(TIMED if timed else list(TABLES))]
        columns = TABLES[names[0]][2]
        pools.update(columns, t=names, k0=[next(key for key in columns["k"] if "(" not in key)])
    # START, END and ROWTIME repeat the window of GROUP BY.
    window = rng.choice(POOLS["gw"])
    while HOLE.search(window):
        window = HOLE.sub(lambda match: rng.choice(pools[match.group(1)]) if match.group(1) in pools else "0", window)
    kind, _, arguments = window.partition("(")
    alike = {"gwg": window, "gws": f"{kind}_START({arguments}", "gwe": f"{kind}_END({arguments}", "gwr": f"{kind}_ROWTIME({arguments}"}
    alike["lj"] = rng.choice(POOLS["lj"])
    alike["lon"] = " ON TRUE" if alike["lj"].startswith("LEFT") else ""
    alike["meas"] = ", ".join(pick.replace("{i}", str(at)) for at, pick in enumerate(rng.sample(MEASURES, 3)))
    alike["def"] = rng.choice(DEFINES)
    while HOLE.search(text):
        text = HOLE.sub(lambda match: alike.get(match.group(1)) or ("" if match.group(1) == "lon" else rng.choice(pools[match.group(1)])), text)
    if text.startswith("VIEW "):
        view, _, text = text.removeprefix("VIEW ").partition("; ")
        text = f"CREATE VIEW q AS {view};\n{text}"
    text = text.replace("«", "{").replace("»", "}")
    wanted = [need for name in names for need in (*NEEDS.get(name, []), name)]
    ddl = "".join(FULL[name] if name in FULL else f"CREATE TABLE {name} (\n  {TABLES[name][0] if name in TABLES else EXTRA[name]}\n) WITH ({CSV.format(name + '.csv')});\n" for name in wanted)
    settings = [("parallelism.default", "1"), ("pipeline.auto-watermark-interval", "0 ms"), ("table.local-time-zone", rng.choice(POOLS["zone"]) if names[0] == "dst" else "UTC")]
    if batch or (area in ("group_agg", "join", "topn_dedup", "over") and not batch and rng.random() < 0.25):
        settings.append(("execution.runtime-mode", "batch"))
    elif area in ("group_agg", "topn_dedup", "join") and rng.random() < 0.3:
        settings += [("table.exec.mini-batch.enabled", "true"), ("table.exec.mini-batch.allow-latency", "1 s"), ("table.exec.mini-batch.size", "5")]
    return "".join(f"SET '{name}' = '{value}';\n" for name, value in settings) + ddl + text + ";\n"


def groups(rounds, seed):
    for area, templates in T.items():
        for template in templates:
            scripts = dict.fromkeys(query(area, template, f"{seed}.{turn}") for turn in range(rounds * 16 * MORE.get(area, 1)))
            yield from (asking.Group(f"{area}: {template[:60]}", script, root="queries") for script in scripts)
