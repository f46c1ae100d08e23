"""Statements from a grammar: functions, operators, casts and clauses over edge values.

A template is an expression with holes, `LPAD({s}, {i}, {s})`. A hole is filled by a literal of its kind from POOLS, or by a column of a table of
tests/conformance/functions/data (TABLES), so that both folded and computed calls are tried. Everything follows from the seed.
"""
import itertools
import random
import re

import asking
import clauses
import literals
import matrices
import mutants
import streams

S = ["''", "'abc'", "'Hello World'", "' x '", "'10'", "'-1.5'", "'a😀b'", "'straße'", "'İIıi'", "'ǆ ŉ ﬁ'", "'e' || U&'\\0301'", "'a,b,,c'", "'TRUE'",
     "CAST(NULL AS STRING)", "CAST('ab' AS CHAR(4))", "CAST('abcdef' AS VARCHAR(3))", "'%_\\'", "'2020-02-29'", "'ΑΣ'", "'\t'", "'aXbXc'"]
POOLS = {
    "s": S,
    "c": ["'a'", "','", "''", "'X'", "'ab'", "' '", "'😀'", "CAST(NULL AS STRING)"],
    "i": ["0", "1", "-1", "2", "3", "5", "10", "100", "-3", "2147483647", "-2147483648", "CAST(NULL AS INT)"],
    "k": ["0", "1", "2", "3", "4", "-1", "-2", "7", "20", "CAST(NULL AS INT)"],
    "n": ["0", "1", "-7", "127", "2147483647", "CAST(5 AS TINYINT)", "CAST(-300 AS SMALLINT)", "9223372036854775807", "1.5", "-2.55", "0.00", "12345678901234567890.123",
          "CAST('123.45' AS DECIMAL(10, 2))", "1E0", "-2.5E-3", "1E308", "CAST('NaN' AS DOUBLE)", "CAST('Infinity' AS DOUBLE)", "CAST('-0.0' AS DOUBLE)", "CAST(1.5 AS FLOAT)",
          "CAST(NULL AS INT)", "CAST(NULL AS DOUBLE)", "99999999999999999999999999999999999999", "0.5", "2.5", "CAST(-0.5 AS DECIMAL(3,1))"],
    "b": ["TRUE", "FALSE", "CAST(NULL AS BOOLEAN)"],
    "dt": ["DATE '2020-02-29'", "DATE '1970-01-01'", "DATE '1582-10-10'", "DATE '0001-01-01'", "DATE '9999-12-31'", "DATE '1969-12-31'", "DATE '2024-12-30'", "CAST(NULL AS DATE)"],
    "tm": ["TIME '00:00:00'", "TIME '23:59:59'", "TIME '12:34:56'", "CAST(NULL AS TIME)", "TIME '10:20:30.123'"],
    "ts": ["TIMESTAMP '2020-02-29 12:34:56.789'", "TIMESTAMP '1970-01-01 00:00:00'", "TIMESTAMP '1969-12-31 23:59:59.999'", "TIMESTAMP '0001-01-01 00:00:01'",
           "TIMESTAMP '9999-12-31 23:59:59.999'", "TIMESTAMP '2021-03-14 02:30:00'", "TIMESTAMP '2000-06-15 06:07:08.090100200'", "CAST(NULL AS TIMESTAMP(3))", "TIMESTAMP '1500-03-01 01:02:03'"],
    "lz": ["TO_TIMESTAMP_LTZ(0, 3)", "TO_TIMESTAMP_LTZ(1582979696789, 3)", "TO_TIMESTAMP_LTZ(-1, 3)", "TO_TIMESTAMP_LTZ(1615717800, 0)", "CAST(NULL AS TIMESTAMP_LTZ(3))"],
    "ai": ["ARRAY[1, 2, 3]", "ARRAY[3, 1, 2, 1]", "ARRAY[CAST(NULL AS INT), 1]", "ARRAY_REMOVE(ARRAY[1], 1)", "CAST(NULL AS ARRAY<INT>)", "ARRAY[1, NULL, 1]"],
    "as": ["ARRAY['a', 'b', 'a']", "ARRAY['z', CAST(NULL AS STRING), '']", "ARRAY['Hello', 'é', '😀']", "CAST(NULL AS ARRAY<STRING>)", "ARRAY['']"],
    "m": ["MAP['k1', 1, 'k2', 2]", "MAP['a', CAST(NULL AS INT)]", "CAST(NULL AS MAP<STRING, INT>)", "MAP['', 0, 'k1', 5]"],
    "r": ["ROW(1, 'a')", "ROW(CAST(NULL AS INT), 'b')", "ROW(2, CAST(NULL AS STRING))"],
    "j": ["'{\"a\": 1, \"b\": {\"c\": [1, 2.50, null, \"x\"]}}'", "'[1, 2, {\"a\": true}]'", "'\"str\"'", "'12.30'", "'null'", "'bad'", "''", "'{}'", "CAST(NULL AS STRING)",
          "'{\"a\": \"é😀\\n\", \"a b\": 1e3}'", "'[[1],[2,[3]]]'", "'{\"a\":null}'", "'true'"],
    "p": ["'$'", "'$.a'", "'lax $.a'", "'strict $.a'", "'$.b.c'", "'lax $.b.c[1]'", "'$.b.c[0]'", "'$[0]'", "'lax $[2].a'", "'$.*'", "'$..a'", "'strict $.x'", "'lax $.x.y'", "'$[*]'", "'$[\"a b\"]'", "'lax $.b.c[*]'"],
    "re": ["'a'", "'[a-z]+'", "'(\\w+) (\\w+)'", "'^.'", "'\\d+'", "''", "'(b|c)?'", "'('", "'[^a]*$'", "'(?i)HELLO'", "'l+'", "CAST(NULL AS STRING)"],
    "like": ["'%'", "'a%'", "'%o%'", "'_'", "'__'", "'H%d'", "''", "'%\\%'", "CAST(NULL AS STRING)", "'_bc'"],
    "fmt": ["'yyyy-MM-dd HH:mm:ss'", "'yyyy/MM/dd'", "'HH:mm:ss.SSS'", "'EEE, d MMM yyyy'", "'yy-M-d h:m:s a'", "'D w E'", "'yyyyMMddHHmmss'", "'G uuuu-MM'", "'''x'' yyyy'", "'QQQ'", "'SSSSSS'", "'EEEE MMMM'", "'e'", "'kk KK'"],
    "u": ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"],
    "xu": ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "DOW", "DOY", "ISODOW", "ISOYEAR", "EPOCH", "DECADE", "CENTURY", "MILLENNIUM", "MICROSECOND", "NANOSECOND"],
    "fu": ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "DECADE", "CENTURY", "MILLENNIUM"],
    "iv": ["INTERVAL '1' DAY", "INTERVAL '-1 02:03:04.567' DAY TO SECOND", "INTERVAL '90' MINUTE", "INTERVAL '1.5' SECOND", "INTERVAL '0' HOUR", "INTERVAL '5' SECONDS"],
    "im": ["INTERVAL '1' MONTH", "INTERVAL '-2' YEAR", "INTERVAL '1-11' YEAR TO MONTH", "INTERVAL '13' MONTHS"],
    "by": ["X'00ff'", "X''", "X'68656c6c6f'", "CAST(NULL AS BYTES)", "CAST('é' AS BYTES)", "X'616263'"],
    "url": ["'http://user:pw@host.org:8080/path/p.php?k1=v1&k2=&k3=a%20b#Ref1'", "'https://a.b'", "'bad'", "''", "'ftp://[::1]/x?y=z'", "CAST(NULL AS STRING)", "'http://h?q'"],
    "up": ["'HOST'", "'PATH'", "'QUERY'", "'REF'", "'PROTOCOL'", "'AUTHORITY'", "'FILE'", "'USERINFO'", "'host'"],
    "v": ["PARSE_JSON('{\"a\": [1, \"x\", {\"b\": 1.50}], \"k\": null}')", "TRY_PARSE_JSON('bad')", "PARSE_JSON('[1, 2, null]')", "PARSE_JSON('1e5')", "PARSE_JSON('\"s\"')", "PARSE_JSON('null')"],
    "bmp": ["BITMAP_BUILD(ARRAY[1, 2, 3])", "BITMAP_BUILD(ARRAY[3, -1, 100000])", "BITMAP_BUILD(CAST(NULL AS ARRAY<INT>))", "BITMAP_BUILD(ARRAY_REMOVE(ARRAY[1], 1))"],
    "cast": ["BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(12, 3)", "DECIMAL(3, 1)", "CHAR(8)", "VARCHAR(4)", "STRING", "DATE", "TIME", "TIMESTAMP(3)",
             "TIMESTAMP(0)", "TIMESTAMP(9)", "TIMESTAMP_LTZ(3)", "BYTES", "BINARY(4)", "VARBINARY(2)"],
    "str2t": ["'2020-02-29'", "'12:34:56'", "'2020-02-29 12:34:56'", "'2020-02-29 12:34:56.123456789'", "'2020-2-9'", "'2021-02-29'", "'1:2:3'", "'0000-00-00'", "'10000-01-01'", "'2020-02-29T12:34:56Z'",
              "'  2020-02-29 '", "'1500-01-01 00:00:00'", "'x'", "''", "'2020'", "'2020-02'", "'25:00:00'", "'12:34'", "'-0001-01-01'"],
    "str2n": ["'0'", "' 42 '", "'-1'", "'+5'", "'1.5'", "'1e3'", "'NaN'", "'Infinity'", "'-inf'", "'0x10'", "'1_000'", "''", "'128'", "'99999999999'", "'true'", "'T'", "'yes'", "'.5'", "'5.'", "'1f'", "'1d'", "'٣'"],
    "any": ["1", "'a'", "TRUE", "1.50", "1E0", "DATE '2020-02-29'", "TIMESTAMP '2020-02-29 12:34:56'", "CAST(NULL AS INT)", "ARRAY[1, 2]", "ROW(1, 'x')", "MAP['a', 1]", "X'0a'", "TIME '01:02:03'", "INTERVAL '1' DAY"],
    "zone": ["'UTC'", "'America/Los_Angeles'", "'Asia/Shanghai'", "'GMT+08:00'", "'+02:00'", "'bad'", "'Europe/Berlin'", "CAST(NULL AS STRING)"],
}

T = {}


def add(area, *templates):
    T.setdefault(area, []).extend(templates)


add("string", "CHAR_LENGTH({s})", "CHARACTER_LENGTH({s})", "UPPER({s})", "LOWER({s})", "POSITION({c} IN {s})", "PRINTF({c}, {any})", "PRINTF('%s|%d|%5.2f', {s}, {i}, {d})", "PRINTF('%05d %x', {i}, {i})",
    "PRINTF('%d', {s})", "TRIM({s})", "TRIM(BOTH {c} FROM {s})", "TRIM(LEADING {c} FROM {s})", "TRIM(TRAILING {c} FROM {s})", "LTRIM({s})", "LTRIM({s}, {c})", "RTRIM({s})", "RTRIM({s}, {c})", "BTRIM({s})",
    "BTRIM({s}, {c})", "REPEAT({s}, {k})", "REGEXP_REPLACE({s}, {re}, {c})", "OVERLAY({s} PLACING {c} FROM {k})", "OVERLAY({s} PLACING {c} FROM {k} FOR {k})", "STARTSWITH({s}, {c})", "ENDSWITH({s}, {c})",
    "SUBSTRING({s} FROM {k})", "SUBSTRING({s} FROM {k} FOR {k})", "SUBSTRING({s}, {k})", "SUBSTR({s}, {k})", "SUBSTR({s}, {k}, {k})", "REPLACE({s}, {c}, {c})", "REGEXP_COUNT({s}, {re})", "REGEXP_EXTRACT({s}, {re})",
    "REGEXP_EXTRACT({s}, {re}, {k})", "REGEXP_EXTRACT_ALL({s}, {re})", "REGEXP_EXTRACT_ALL({s}, {re}, {k})", "REGEXP_INSTR({s}, {re})", "REGEXP_SUBSTR({s}, {re})", "TRANSLATE({s}, {c}, {c})", "TRANSLATE({s}, 'abc', 'xy')",
    "INITCAP({s})", "CONCAT({s}, {s})", "CONCAT({s}, {c}, {s})", "CONCAT_WS({c}, {s}, {s})", "LPAD({s}, {k}, {c})", "RPAD({s}, {k}, {c})", "FROM_BASE64({s})", "FROM_BASE64(TO_BASE64({s}))", "TO_BASE64({s})", "ASCII({s})",
    "CHR({i})", "CHR({n})", "DECODE(ENCODE({s}, 'UTF-8'), 'UTF-8')", "ENCODE({s}, 'UTF-16LE')", "ENCODE({s}, 'ISO-8859-1')", "DECODE({by}, 'US-ASCII')", "INSTR({s}, {c})", "LEFT({s}, {k})", "RIGHT({s}, {k})", "LOCATE({c}, {s})",
    "LOCATE({c}, {s}, {k})", "URL_DECODE({s})", "URL_ENCODE({s})", "URL_DECODE({url})", "INET_ATON({s})", "INET_ATON('127.0.0.1')", "INET_NTOA({i})", "PARSE_URL({url}, {up})", "PARSE_URL({url}, 'QUERY', 'k1')", "REGEXP({s}, {re})",
    "REVERSE({s})", "SPLIT_INDEX({s}, {c}, {k})", "SPLIT_INDEX({s}, {k}, {k})", "STR_TO_MAP({s})", "STR_TO_MAP('a=1,b=2,c', ',', '=')", "STR_TO_MAP({s}, {c}, {c})", "JSON_QUOTE({s})", "JSON_UNQUOTE({s})", "JSON_UNQUOTE({j})",
    "ELT({k}, {s}, {c})", "ELT({k}, {by}, {by})", "{s} || {s}", "{s} || {c} || {s}", "SPLIT({s}, {c})", "MD5({s})", "SHA1({s})", "SHA2({s}, 256)", "SHA2({s}, {i})", "HEX({s})", "UNHEX({s})", "BIN({i})", "IS_ALPHA({s})", "IS_DECIMAL({s})",
    "IS_DIGIT({s})", "HASH_CODE({any})")
add("arithmetic", "+ {n}", "- {n}", "{n} + {n}", "{n} - {n}", "{n} * {n}", "{n} / {n}", "{n} % {n}", "MOD({n}, {n})", "POWER({n}, {n})", "ABS({n})", "SQRT({n})", "LN({n})", "LOG10({n})", "LOG2({n})", "LOG({n})", "LOG({n}, {n})", "EXP({n})",
    "CEIL({n})", "CEILING({n})", "FLOOR({n})", "SIN({n})", "SINH({n})", "COS({n})", "TAN({n})", "TANH({n})", "COT({n})", "ASIN({n})", "ACOS({n})", "ATAN({n})", "ATAN2({n}, {n})", "COSH({n})", "DEGREES({n})", "RADIANS({n})", "SIGN({n})",
    "ROUND({n}, {k})", "ROUND({n})", "TRUNCATE({n}, {k})", "TRUNCATE({n})", "BIN({n})", "HEX({n})", "RAND_INTEGER(1)", "GREATEST({n}, {n})", "LEAST({n}, {n}, {n})", "CAST({n} AS {cast})", "TRY_CAST({n} AS {cast})", "PI() * {n}",
    "TYPEOF({n} + {n})", "TYPEOF({n} * {n})", "TYPEOF({n} / {n})", "TYPEOF(ROUND({n}, 1))", "TYPEOF({n} % {n})")
add("comparison", "{n} = {n}", "{n} <> {n}", "{n} < {n}", "{n} >= {n}", "{s} = {s}", "{s} < {s}", "{s} > {c}", "{dt} < {ts}", "{ts} = {ts}", "{ts} >= {lz}", "{lz} = {ts}", "{tm} < {tm}", "{b} = {b}", "{b} > {b}", "{n} IS DISTINCT FROM {n}", "{s} IS NOT DISTINCT FROM {s}",
    "{n} BETWEEN {n} AND {n}", "{n} NOT BETWEEN {n} AND {n}", "{n} BETWEEN SYMMETRIC {n} AND {n}", "{s} BETWEEN {c} AND {s}", "{s} LIKE {like}", "{s} NOT LIKE {like}", "{s} LIKE 'a!%' ESCAPE '!'", "{s} SIMILAR TO {re}", "{s} SIMILAR TO 'a.*|H%'",
    "{s} NOT SIMILAR TO '(a|b)%'", "{n} IN ({n}, {n})", "{n} NOT IN ({n}, {n})", "{s} IN ({c}, {s}, 'abc')", "{n} IN (1, NULL, 2)", "{dt} IN (DATE '2020-02-29', DATE '1970-01-01')", "{by} = {by}", "{by} < {by}", "{ai} = {ai}", "{r} = {r}", "{m} = {m}",
    "{as} = {as}", "{n} IS NULL", "{s} IS NOT NULL", "'10' > {n}", "{dt} = '2020-02-29'", "{ts} > '2020-01-01 00:00:00'", "{r} <> {r}", "{iv} = {iv}", "{iv} < {iv}")
add("logical", "{b} AND {b}", "{b} OR {b}", "NOT {b}", "{b} IS TRUE", "{b} IS NOT TRUE", "{b} IS FALSE", "{b} IS UNKNOWN", "{b} IS NOT UNKNOWN", "({n} > 0) AND {b}", "NOT ({s} = {c}) OR {b}")
add("conditional", "CASE {n} WHEN 1 THEN {s} WHEN 2 THEN {c} ELSE 'z' END", "CASE WHEN {b} THEN {n} ELSE {n} END", "CASE WHEN {n} > 1 THEN {s} END", "NULLIF({n}, {n})", "NULLIF({s}, {s})", "COALESCE({n}, {n})", "COALESCE({s}, {c}, 'z')", "IF({b}, {n}, {n})",
    "IF({b}, {s}, {c})", "IFNULL({n}, {n})", "IFNULL({s}, {c})", "GREATEST({s}, {s})", "LEAST({s}, {c})", "GREATEST({dt}, {dt})", "LEAST({ts}, {ts})", "GREATEST({n}, {n}, {n})", "COALESCE({dt}, {dt})", "IF({n} > 0, {ts}, {ts})", "COALESCE({ai}, {ai})",
    "TYPEOF(COALESCE({n}, {n}))", "TYPEOF(CASE WHEN {b} THEN {n} ELSE {n} END)", "TYPEOF(IF({b}, {s}, {c}))")
add("temporal", "EXTRACT({xu} FROM {ts})", "EXTRACT({xu} FROM {dt})", "EXTRACT({xu} FROM {tm})", "EXTRACT({xu} FROM {lz})", "EXTRACT({u} FROM {iv})", "EXTRACT({u} FROM {im})", "YEAR({dt})", "QUARTER({dt})", "MONTH({ts})", "WEEK({dt})", "WEEK({ts})", "DAYOFYEAR({ts})",
    "DAYOFMONTH({dt})", "DAYOFWEEK({ts})", "HOUR({ts})", "MINUTE({tm})", "SECOND({ts})", "FLOOR({ts} TO {fu})", "CEIL({ts} TO {fu})", "FLOOR({dt} TO {fu})", "CEIL({dt} TO {fu})", "FLOOR({tm} TO {fu})", "CEIL({tm} TO {fu})", "FLOOR({lz} TO {fu})", "CEIL({lz} TO {fu})",
    "({ts}, {iv}) OVERLAPS ({ts}, {iv})", "({dt}, {dt}) OVERLAPS ({dt}, {iv})", "DATE_FORMAT({ts}, {fmt})", "DATE_FORMAT({lz}, {fmt})", "DATE_FORMAT({str2t}, {fmt})", "DATE_FORMAT({ts}, {fmt})", "TIMESTAMPADD({u}, {k}, {ts})", "TIMESTAMPADD({u}, {k}, {dt})",
    "TIMESTAMPADD({u}, {k}, {lz})", "TIMESTAMPADD({u}, {k}, {tm})", "TIMESTAMPDIFF({u}, {ts}, {ts})", "TIMESTAMPDIFF({u}, {dt}, {ts})", "TIMESTAMPDIFF({u}, {dt}, {dt})", "TIMESTAMPDIFF({u}, {lz}, {lz})", "CONVERT_TZ({str2t}, {zone}, {zone})",
    "CONVERT_TZ('2021-03-14 02:30:00', {zone}, {zone})", "FROM_UNIXTIME({i})", "FROM_UNIXTIME({i}, {fmt})", "UNIX_TIMESTAMP({str2t})", "UNIX_TIMESTAMP({str2t}, 'yyyy-MM-dd')", "TO_DATE({str2t})", "TO_DATE({str2t}, 'yyyy-MM-dd')", "TO_DATE('29/02/2020', 'dd/MM/yyyy')",
    "TO_TIMESTAMP_LTZ({i})", "TO_TIMESTAMP_LTZ({i}, 0)", "TO_TIMESTAMP_LTZ({i}, 3)", "TO_TIMESTAMP_LTZ({n}, 3)", "TO_TIMESTAMP_LTZ({str2t})", "TO_TIMESTAMP_LTZ({str2t}, 'yyyy-MM-dd HH:mm:ss')", "TO_TIMESTAMP_LTZ({str2t}, 'yyyy-MM-dd HH:mm:ss', {zone})",
    "TO_TIMESTAMP({str2t})", "TO_TIMESTAMP({str2t}, 'yyyy-MM-dd HH:mm:ss')", "TO_TIMESTAMP({str2t}, {fmt})", "{dt} + {iv}", "{dt} - {iv}", "{dt} + {im}", "{ts} + {iv}", "{ts} - {im}", "{ts} + {im}", "{tm} + {iv}", "{lz} + {iv}", "{lz} - {im}", "{iv} + {iv}",
    "{im} - {im}", "{iv} * {k}", "- {iv}", "{ts} - {iv} - {iv}", "TYPEOF({ts} + {iv})", "CAST({ts} AS {cast})", "CAST({dt} AS {cast})", "CAST({tm} AS {cast})", "CAST({lz} AS {cast})", "CAST({iv} AS STRING)", "CAST({im} AS STRING)", "TRY_CAST({ts} AS {cast})",
    "TRY_CAST({str2t} AS DATE)", "TRY_CAST({str2t} AS TIME)", "TRY_CAST({str2t} AS TIMESTAMP(3))", "TRY_CAST({str2t} AS TIMESTAMP(9))", "TRY_CAST({str2t} AS TIMESTAMP_LTZ(3))", "CAST({str2t} AS TIMESTAMP(3))", "CAST({str2t} AS DATE)", "{ts}", "{iv}", "{im}",
    "CAST(CAST({ts} AS TIMESTAMP_LTZ(3)) AS STRING)", "TIMESTAMPDIFF({u}, {ts}, {lz})", "CEIL({ts} TO {u})", "UNIX_TIMESTAMP(CAST({ts} AS STRING))", "CAST({iv} AS INT)", "CAST({k} AS INTERVAL DAY)", "CAST({im} AS INT)", "CAST({im} AS {cast})", "CAST({iv} AS {cast})")
add("conversion", "TRY_CAST({s} AS {cast})", "CAST({s} AS {cast})", "TRY_CAST({str2n} AS {cast})", "CAST({str2n} AS {cast})", "TRY_CAST({by} AS {cast})", "CAST({by} AS {cast})", "CAST({b} AS {cast})", "CAST({ai} AS STRING)", "CAST({as} AS STRING)", "CAST({m} AS STRING)",
    "CAST({r} AS STRING)", "CAST({ai} AS ARRAY<STRING>)", "CAST({ai} AS ARRAY<DOUBLE>)", "TRY_CAST({as} AS ARRAY<INT>)", "CAST({m} AS MAP<STRING, STRING>)", "CAST({r} AS ROW<x BIGINT, y STRING>)", "CAST(ARRAY[{r}, {r}] AS STRING)", "CAST(MAP['k', {ai}] AS STRING)",
    "TYPEOF({any})", "TYPEOF({any}, TRUE)", "TYPEOF(CAST({n} AS {cast}))", "CAST(ARRAY[{ai}] AS STRING)", "CAST({any} AS STRING)", "CAST({any} AS VARCHAR(3))", "CAST({any} AS CHAR(6))", "CAST(ROW({n}, {dt}, {b}) AS STRING)")
add("collection", "CARDINALITY({ai})", "CARDINALITY({m})", "{ai}[{k}]", "{ai}[1]", "{as}[2]", "{m}[{c}]", "{m}['k1']", "ELEMENT(ARRAY[{n}])", "ARRAY_APPEND({ai}, {i})", "ARRAY_APPEND({as}, {s})", "ARRAY_CONTAINS({ai}, {i})", "ARRAY_CONTAINS({as}, {s})", "ARRAY_DISTINCT({ai})",
    "ARRAY_DISTINCT({as})", "ARRAY_POSITION({ai}, {i})", "ARRAY_POSITION({as}, {c})", "ARRAY_PREPEND({ai}, {i})", "ARRAY_PREPEND({as}, {c})", "ARRAY_REMOVE({ai}, {i})", "ARRAY_REMOVE({as}, {c})", "ARRAY_REVERSE({ai})", "ARRAY_SLICE({ai}, {k})", "ARRAY_SLICE({ai}, {k}, {k})",
    "ARRAY_SORT({ai})", "ARRAY_SORT({as})", "ARRAY_SORT({ai}, {b})", "ARRAY_SORT({ai}, {b}, {b})", "ARRAY_UNION({ai}, {ai})", "ARRAY_UNION({as}, {as})", "ARRAY_CONCAT({ai}, {ai})", "ARRAY_CONCAT({ai})", "ARRAY_EXCEPT({ai}, {ai})", "ARRAY_INTERSECT({as}, {as})", "ARRAY_MAX({ai})",
    "ARRAY_MIN({as})", "ARRAY_JOIN({as}, {c})", "ARRAY_JOIN({as}, {c}, {c})", "MAP_KEYS({m})", "MAP_VALUES({m})", "MAP_ENTRIES({m})", "MAP_UNION({m}, {m})", "MAP_FROM_ARRAYS({as}, {as})", "MAP_FROM_ARRAYS(ARRAY['a','b'], {ai})", "ARRAY[{n}, {n}]", "ARRAY[{s}, {c}]",
    "MAP[{s}, {n}]", "MAP[{c}, {s}, 'k', {c}]", "ROW({n}, {s}, {dt})", "({n}, {s})", "ARRAY[ROW({i}, {s})]", "ROW({i}, {s}).f0", "CARDINALITY(ARRAY[{n}])", "TYPEOF(ARRAY[{n}, {n}])", "TYPEOF(MAP[{s}, {n}])", "ARRAY_CONTAINS(ARRAY[{n}, {n}], {n})", "ARRAY_MAX(ARRAY[{n}, {n}])", "ARRAY_SORT(ARRAY[{n}, {n}, {n}])",
    "ARRAY_DISTINCT(ARRAY[{n}, {n}])")
add("json", "{j} IS JSON", "{j} IS JSON OBJECT", "{j} IS NOT JSON ARRAY", "{j} IS JSON SCALAR", "JSON_EXISTS({j}, {p})", "JSON_EXISTS({j}, {p} TRUE ON ERROR)", "JSON_EXISTS({j}, {p} UNKNOWN ON ERROR)", "JSON_VALUE({j}, {p})", "JSON_VALUE({j}, {p} RETURNING INT)", "JSON_VALUE({j}, {p} RETURNING BOOLEAN)",
    "JSON_VALUE({j}, {p} RETURNING DOUBLE)", "JSON_VALUE({j}, {p} DEFAULT 'd' ON EMPTY DEFAULT 'e' ON ERROR)", "JSON_VALUE({j}, {p} ERROR ON EMPTY)", "JSON_VALUE({j}, {p} ERROR ON ERROR)", "JSON_QUERY({j}, {p})", "JSON_QUERY({j}, {p} WITH CONDITIONAL WRAPPER)", "JSON_QUERY({j}, {p} WITH UNCONDITIONAL WRAPPER)",
    "JSON_QUERY({j}, {p} EMPTY ARRAY ON EMPTY EMPTY OBJECT ON ERROR)", "JSON_QUERY({j}, {p} RETURNING ARRAY<STRING>)", "JSON_QUERY({j}, {p} RETURNING ARRAY<STRING> WITH WRAPPER)", "JSON_OBJECT('k' VALUE {any})", "JSON_OBJECT('k' VALUE {n}, 'l' VALUE {s})", "JSON_OBJECT(KEY 'k' VALUE {s} ABSENT ON NULL)", "JSON_OBJECT('o' VALUE JSON_ARRAY({n}, {s}))",
    "JSON_ARRAY({n}, {s}, {b})", "JSON_ARRAY({any}, {any})", "JSON_ARRAY({n}, {s} NULL ON NULL)", "JSON_STRING({any})", "JSON_STRING({n})", "JSON_STRING({s})", "JSON_STRING({m})", "JSON_STRING({as})", "JSON_STRING({r})", "JSON_OBJECT('j' VALUE JSON('{{\"x\": 1.10}}'))", "JSON_ARRAY(JSON('[1, 2.50]'), {k})",
    "JSON_STRING({dt})", "JSON_STRING({ts})", "JSON_STRING({by})", "JSON_QUOTE({s})", "JSON_UNQUOTE({s})")
add("variant", "{v}", "{v}['a']", "{v}[1]", "{v}['k'] IS NULL", "JSON_STRING({v})", "TRY_PARSE_JSON({j})", "TRY_PARSE_JSON({j})['a']", "PARSE_JSON({j})", "TYPEOF({v})", "{v} = {v}", "TRY_PARSE_JSON({j}, TRUE)", "{v}['a'][3]['b']", "CAST({v} AS {cast})", "JSON_STRING(TRY_PARSE_JSON({j}))")
add("bitmap", "{bmp}", "BITMAP_AND({bmp}, {bmp})", "BITMAP_OR({bmp}, {bmp})", "BITMAP_XOR({bmp}, {bmp})", "BITMAP_ANDNOT({bmp}, {bmp})", "BITMAP_CARDINALITY({bmp})", "BITMAP_TO_ARRAY({bmp})", "BITMAP_TO_BYTES({bmp})", "BITMAP_TO_STRING({bmp})", "BITMAP_FROM_BYTES(BITMAP_TO_BYTES({bmp}))", "BITMAP_BUILD({ai})",
    "CAST({bmp} AS STRING)", "TRY_CAST({bmp} AS {cast})", "{bmp} = {bmp}", "TYPEOF({bmp})", "BITMAP_CARDINALITY(BITMAP_BUILD({ai}))")

add("hashfunctions", "MD5({s})", "SHA1({s})", "SHA224({s})", "SHA256({s})", "SHA384({s})", "SHA512({s})", "SHA2({s}, 256)", "SHA2({s}, {k})", "SHA2({s}, 224)", "SHA2({s}, CAST(NULL AS INT))", "SHA2({s}, 512)", "SHA2({s}, 384)", "MD5({by})", "SHA1(CAST({s} AS VARCHAR(3)))")
add("valueconstruction", "OBJECT_OF('C', 'a', {n}, 'b', {s})", "OBJECT_OF('C')", "OBJECT_OF('C', 'a', {any})", "TYPEOF(OBJECT_OF('C', 'a', {n}))", "OBJECT_OF('C', 'a', {n}).a", "OBJECT_OF('C', 'a', OBJECT_OF('D', 'b', {s}))", "ROW({n}, {s})", "ROW()", "ROW({ai}, {m})", "({n}, ({s}, {b}))", "ARRAY[{any}]", "ARRAY[{dt}, {dt}]",
    "ARRAY[{ts}, {ts}]", "MAP[{n}, {s}]", "MAP['k', {any}]", "MAP[{dt}, {n}]", "ARRAY[{by}]", "ARRAY[{iv}]", "ARRAY[{m}]", "ARRAY[{lz}]", "ARRAY[{tm}, {tm}]", "MAP['k', {r}]", "ARRAY[{b}, {b}]", "CAST(ARRAY[{n}] AS ARRAY<STRING>)", "ARRAY[{s}, NULL]", "ARRAY[]", "MAP[]", "ARRAY[{n}, {s}]")
add("valuemodification", "OBJECT_UPDATE(OBJECT_OF('C', 'a', {n}, 'b', {s}), 'a', {n})", "OBJECT_UPDATE(OBJECT_OF('C', 'a', {n}), 'z', {n})", "OBJECT_UPDATE(OBJECT_OF('C', 'a', {n}, 'b', {s}), 'a', {n}, 'b', {c})", "OBJECT_UPDATE({r}, 'f0', {n})", "OBJECT_UPDATE(OBJECT_OF('C', 'a', {n}), 'a', {s})",
    "OBJECT_UPDATE(OBJECT_OF('C', 'a', {n}), 'a', CAST(NULL AS INT))")
add("valueaccess", "{r}.f0", "ROW({n}, {s}).f1", "{ai}[CARDINALITY({ai})]", "{m}[{s}]", "ARRAY[{r}][1].f1", "MAP['k', {ai}]['k'][1]", "ARRAY[ARRAY[{n}]][1][1]", "ROW({n}, ROW({s}, {b})).f1.f0", "CAST(ROW({n}, {s}) AS ROW<x DOUBLE, y STRING>).x", "{ai}[0]", "{ai}[-1]", "{ai}[{i}]", "{as}[1] || {s}")
add("context", "CURRENT_DATABASE()", "E()", "PI()", "TYPEOF(CURRENT_DATE)", "TYPEOF(CURRENT_TIME)", "TYPEOF(LOCALTIME)", "TYPEOF(LOCALTIMESTAMP)", "TYPEOF(CURRENT_TIMESTAMP)", "TYPEOF(NOW())", "TYPEOF(CURRENT_ROW_TIMESTAMP())", "TYPEOF(PROCTIME())", "TYPEOF(UUID())", "TYPEOF(RAND())", "TYPEOF(RAND({i}))", "TYPEOF(RAND_INTEGER(5))", "CHAR_LENGTH(UUID())",
    "RAND(5)", "RAND_INTEGER(5, 100)", "RAND_INTEGER({i}, 10)", "CURRENT_DATE = CAST(CURRENT_TIMESTAMP AS DATE)", "CURRENT_DATE()", "CURRENT_TIMESTAMP(3)", "LOCALTIME(0)", "NOW(3)", "TYPEOF(UNIX_TIMESTAMP())", "CAST(LOCALTIMESTAMP AS STRING) LIKE '____-__-__ %'", "TYPEOF(CURRENT_DATE + INTERVAL '1' DAY)", "TYPEOF(CURRENT_TIMESTAMP - INTERVAL '1' HOUR)")
AGGS = ["COUNT(*)", "COUNT({x})", "COUNT(DISTINCT {x})", "SUM({n})", "SUM(DISTINCT {n})", "AVG({n})", "AVG(DISTINCT {n})", "MAX({x})", "MIN({x})", "STDDEV_POP({n})", "STDDEV_SAMP({n})", "VAR_POP({n})", "VAR_SAMP({n})", "VARIANCE({n})", "COLLECT({x})", "COLLECT(DISTINCT {x})",
        "FIRST_VALUE({x})", "LAST_VALUE({x})", "LISTAGG({st})", "LISTAGG({st}, '|')", "LISTAGG(DISTINCT {st})", "ARRAY_AGG({x})", "ARRAY_AGG(DISTINCT {x})", "JSON_ARRAYAGG({x})", "JSON_ARRAYAGG({x} NULL ON NULL)", "PERCENTILE({n}, 0.5)", "PERCENTILE({n}, ARRAY[0.0, 0.25, 1.0])",
        "SUM({n}) FILTER (WHERE id > 3)", "COUNT(*) FILTER (WHERE b)", "MAX({x}) FILTER (WHERE id < 5)", "BITMAP_BUILD_AGG(i)", "BITMAP_BUILD_CARDINALITY_AGG(i)", "BITMAP_OR_AGG(BITMAP_BUILD(ARRAY[i]))", "SUM({n}) + COUNT(*)", "CAST(AVG({n}) AS INT)", "TYPEOF(SUM({n}))", "TYPEOF(AVG({n}))",
        "ARRAY_AGG({x} IGNORE NULLS)", "MAX({n}) - MIN({n})", "JSON_OBJECTAGG('k' VALUE {x})", "COUNT({x}, {x})"]
BITMAP_AGGS = ["BITMAP_BUILD_AGG(v)", "BITMAP_BUILD_CARDINALITY_AGG(v)", "BITMAP_AND_AGG(BITMAP_BUILD(ARRAY[v, 5]))", "BITMAP_OR_AGG(BITMAP_BUILD(ARRAY[v]))", "BITMAP_XOR_AGG(BITMAP_BUILD(ARRAY[v, 1]))", "BITMAP_AND_CARDINALITY_AGG(BITMAP_BUILD(ARRAY[v, 5]))",
               "BITMAP_OR_CARDINALITY_AGG(BITMAP_BUILD(ARRAY[v]))", "BITMAP_XOR_CARDINALITY_AGG(BITMAP_BUILD(ARRAY[v, 1]))", "BITMAP_OR_AGG(CASE WHEN v > 1 THEN BITMAP_BUILD(ARRAY[v]) END)", "BITMAP_AND_AGG(CASE WHEN v > 1 THEN BITMAP_BUILD(ARRAY[v, 5]) END)",
               "BITMAP_BUILD_AGG(v) FILTER (WHERE v > 0)", "BITMAP_BUILD_AGG(DISTINCT v)", "BITMAP_TO_ARRAY(BITMAP_BUILD_AGG(v))", "BITMAP_CARDINALITY(BITMAP_OR_AGG(BITMAP_BUILD(ARRAY[v, 7])))", "BITMAP_BUILD_AGG(CAST(v AS BIGINT))", "BITMAP_BUILD_AGG(CAST(v AS SMALLINT))", "BITMAP_OR_AGG(v)"]
BITMAP_DDL = "CREATE TABLE bm (\n  id INT, g STRING, v INT\n) WITH (\n  'connector' = 'filesystem', 'path' = '${DATA}/bm.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'\n);\n"
AGG_N = ["ti", "si", "i", "bi", "f", "d", "dc"]
AGG_X = AGG_N + ["s", "b", "dt", "ts", "tm"]

TABLES = {
    "nums": ("id INT, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), db DECIMAL(38, 10)", "csv", {"n": ["ti", "si", "i", "bi", "f", "d", "dc", "db"], "i": ["i", "si"], "d": ["d"], "any": ["d", "dc", "bi"]}),
    "fps": ("id INT, f FLOAT, d DOUBLE", "csv", {"n": ["f", "d"], "d": ["d"]}),
    "pairs": ("id INT, a INT, b INT, s STRING, t STRING", "csv", {"i": ["a", "b"], "k": ["a"], "n": ["a", "b"], "s": ["s", "t"], "c": ["t"], "any": ["s"]}),
    "strs": ("id INT, s STRING, t STRING, n INT", "json", {"s": ["s", "t"], "c": ["t"], "k": ["n"], "i": ["n"]}),
    "times": ("id INT, dt DATE, tm TIME, ts0 TIMESTAMP(0), ts3 TIMESTAMP(3), ts6 TIMESTAMP(6), ts9 TIMESTAMP(9), lz TIMESTAMP_LTZ(3)", "csv", {"dt": ["dt"], "tm": ["tm"], "ts": ["ts0", "ts3", "ts3", "ts6", "ts9"], "lz": ["lz"], "any": ["dt", "ts3", "tm"]}),
    "bools": ("id INT, a BOOLEAN, b BOOLEAN", "csv", {"b": ["a", "b"]}),
    "coll": ("id INT, ai ARRAY<INT>, sa ARRAY<STRING>, da ARRAY<DOUBLE>, mi MAP<STRING, INT>, r ROW<a INT, b STRING, c ROW<x INT, y ARRAY<INT>>>, aa ARRAY<ARRAY<INT>>", "json", {"ai": ["ai", "aa[1]"], "as": ["sa"], "m": ["mi"], "any": ["r", "aa", "mi", "da"]}),
    "jsons": ("id INT, j STRING", "json", {"j": ["j"], "s": ["j"]}),
    "urls": ("id INT, u STRING", "json", {"url": ["u"]}),
    "caststr": ("id INT, s STRING", "json", {"s": ["s"], "str2t": ["s"], "str2n": ["s"]}),
}
POOLS["d"] = ["1.5E0", "CAST('NaN' AS DOUBLE)", "-0.005E0", "CAST(NULL AS DOUBLE)", "1E10"]
HOLE = re.compile(r"\{(\w+)\}")


def fill(template, rng, columns):
    """-> the expression, and whether it contains a column"""
    used = False

    def choose(match):
        nonlocal used
        kind = match.group(1)
        if kind in columns and rng.random() < 0.7:
            used = True
            return rng.choice(columns[kind])
        return rng.choice(POOLS[kind])

    filled = HOLE.sub(choose, template.replace("{{", "\0").replace("}}", "\1"))
    return filled.replace("\0", "{").replace("\1", "}"), used


def ddl(name):
    columns, form, _ = TABLES[name]
    null = ", 'csv.null-literal' = 'NULL'" if form == "csv" else ""
    return f"CREATE TABLE {name} (\n  {columns}\n) WITH (\n  'connector' = 'filesystem', 'path' = '${{DATA}}/{name}.{form}', 'format' = '{form}'{null}\n);\n"


# Where cases of an area belong.
CASES = {"types": "comparison", "clauses": "select", "mutants": "select", "context": "temporal"}
AGG_DDL = ("CREATE TABLE agg (\n  id INT, g STRING, ti TINYINT, si SMALLINT, i INT, bi BIGINT, f FLOAT, d DOUBLE, dc DECIMAL(10, 2), s STRING, b BOOLEAN, dt DATE, ts TIMESTAMP(3), tm TIME\n) WITH (\n"
           "  'connector' = 'filesystem', 'path' = '${DATA}/agg.csv', 'format' = 'csv', 'csv.null-literal' = 'NULL'\n);\n")
HEAD = "SET 'table.local-time-zone' = 'UTC';\n"
HEAD_LA = "SET 'table.local-time-zone' = 'America/Los_Angeles';\n"


def of_template(area, template, seed, width):
    """Groups of fillings of one template: over literals, and over each table that has columns for it."""
    rng = random.Random(f"{area}|{template}|{seed}")
    kinds = set(HOLE.findall(template))
    tables = [name for name, (_, _, columns) in TABLES.items() if kinds & set(columns)]
    rng.shuffle(tables)
    for name in [None, *tables[:2]]:
        expressions = []
        for _ in range(6 * width):
            text, used = fill(template, rng, TABLES[name][2] if name else {})
            if (used or not name) and text not in expressions:
                expressions.append(text)
            if len(expressions) == width or not kinds:
                break
        head = HEAD_LA if area == "temporal" and rng.random() < 0.25 else HEAD
        if expressions and name:
            yield asking.Group(f"{area}: {template}", head + ddl(name), tuple(expressions), f"\nFROM {name};\n", "id")
        elif expressions:
            yield asking.Group(f"{area}: {template}", head, tuple(expressions))


def aggregates(template, seed, width):
    """Groups of calls of one aggregate, over all rows and by a key."""
    pick = {"n": AGG_N, "x": AGG_X, "st": ["s", "g"]}
    for by in ("", "g"):
        for mode in ("", "SET 'execution.runtime-mode' = 'batch';\n"):
            rng = random.Random(f"agg|{template}|{seed}|{by}|{mode}")
            calls = list(dict.fromkeys(HOLE.sub(lambda match: rng.choice(pick[match.group(1)]), template) for _ in range(3 * width)))[:width]
            tail = f"\nFROM agg GROUP BY {by};\n" if by else "\nFROM agg;\n"
            yield asking.Group(f"aggregate: {template}", mode + HEAD + AGG_DDL, tuple(calls), tail, by)


def groups(rounds, seed, areas=None):
    """All groups of an area come before those of the next; the seed determines them."""
    def wanted(area):
        return not areas or area in areas
    for area, templates in T.items():
        if wanted(area):
            for turn in range(rounds):
                for template in templates:
                    yield from of_template(area, template, f"{seed}.{turn}", 10)
    if wanted("aggregate"):
        for template in AGGS:
            yield from aggregates(template, seed, 6)
        for mode, by, tail in itertools.product(("", "SET 'execution.runtime-mode' = 'batch';\n"), ("", "g"), ("", " WHERE v IS NOT NULL", " WHERE v > 100", " WHERE id < 0")):
            after = f"\nFROM bm{tail}{' GROUP BY g' if by else ''};\n"
            yield asking.Group("bitmapagg: bitmaps", mode + HEAD + BITMAP_DDL, tuple(BITMAP_AGGS), after, by)
    if wanted("literals"):
        yield from literals.groups(rounds, seed)
    if wanted("cast_matrix"):
        yield from matrices.casts(rounds, seed)
    if wanted("types"):
        yield from matrices.arguments(T, rounds, seed)
    if wanted("clauses"):
        yield from clauses.groups(12 * rounds, seed)
    if wanted("streams"):
        yield from streams.groups(rounds, seed)
    if wanted("mutants"):
        yield from mutants.groups(rounds, seed)
