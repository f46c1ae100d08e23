"""Whole matrices: each edge value cast to each type, and each argument of each function as each type.

Most of the second are refused: what is refused is part of the language, too. An argument is put into the template of a function in place of the one that
fits; the others stay as they fit.
"""
import pathlib
import random
import re

import asking

HEAD = "SET 'table.local-time-zone' = 'UTC';\n"
VALUES = {
    "BOOLEAN": ["TRUE", "FALSE", "CAST(NULL AS BOOLEAN)"],
    "TINYINT": ["CAST(127 AS TINYINT)", "CAST(-128 AS TINYINT)", "CAST(0 AS TINYINT)", "CAST(NULL AS TINYINT)"],
    "SMALLINT": ["CAST(32767 AS SMALLINT)", "CAST(-32768 AS SMALLINT)", "CAST(200 AS SMALLINT)"],
    "INT": ["2147483647", "-2147483648", "0", "1", "-1", "300", "86400", "CAST(NULL AS INT)"],
    "BIGINT": ["9223372036854775807", "CAST('-9223372036854775808' AS BIGINT)", "CAST(65 AS BIGINT)", "4294967296", "253402300800"],
    "FLOAT": ["CAST('NaN' AS FLOAT)", "CAST('Infinity' AS FLOAT)", "CAST(1.5 AS FLOAT)", "CAST('3.4028235E38' AS FLOAT)", "CAST('-0.0' AS FLOAT)", "CAST('1.4E-45' AS FLOAT)", "CAST(16777217 AS FLOAT)", "CAST(0.1 AS FLOAT)"],
    "DOUBLE": ["CAST('NaN' AS DOUBLE)", "CAST('-Infinity' AS DOUBLE)", "1.5E0", "-2.5E0", "1.7976931348623157E308", "4.9E-324", "CAST('-0.0' AS DOUBLE)", "1E7", "1.0E-3", "123456789.987E0", "2.5E-5", "9.999999E6", "1E21"],
    "DECIMAL": ["99999999999999999999999999999999999999", "0.5", "-2.5", "12345.678", "CAST(0.00001 AS DECIMAL(5, 5))", "1.0", "0.00", "-0.005", "127.5", "128.4", "9223372036854775808", "1234567890123456789.5", "CAST(NULL AS DECIMAL(10, 2))", "100.00"],
    "CHAR": ["'a'", "''", "CAST('ab' AS CHAR(4))", "'Straße'", "'a😀b'", "'İı'", "' 42 '", "'e\u0301'"],
    "NUMERAL": ["'0'", "'42'", "'-1'", "'+5'", "'1.5'", "'1e3'", "'1.5E-3'", "'NaN'", "'Infinity'", "'-Infinity'", "'0x10'", "'128'", "'32768'", "'2147483648'", "'9223372036854775808'", "'.5'", "'5.'", "'-.5'", "'1f'", "'1 2'", "'٣'", "'00012'", "'-0'", "'1,5'", "'--1'",
                "'99999999999999999999999999999999999999'", "'0.000000000000000000000000000000000000001'"],
    "TRUTH": ["'true'", "'TRUE'", "'t'", "'T'", "'yes'", "'Y'", "'1'", "'on'", "'false'", "'F'", "'no'", "'n'", "'off'", "' true '", "'tru'"],
    "DAY": ["'2020-02-29'", "'2020-2-9'", "'2021-02-29'", "'2020-02-29 12:34:56'", "'2020-02-29T12:34:56'", "'2020'", "'2020-02'", "'0001-01-01'", "'9999-12-31'", "'10000-01-01'", "'-0001-01-01'", "'1582-10-10'", "'20200229'", "' 2020-02-29 '", "'2020-13-01'", "'2020-02-29x'", "'02020-02-29'"],
    "HOUR": ["'12:34:56'", "'1:2:3'", "'12:34'", "'12'", "'24:00:00'", "'23:59:60'", "'12:34:56.789'", "'12:34:56.7891234567'", "'T12:34:56'", "'12:34:56Z'", "' 12:34:56 '", "'12:60:00'"],
    "MOMENT": ["'2020-02-29 12:34:56.123456789'", "'2020-02-29 12:34:56.1'", "'2020-02-29 12:34'", "'2020-02-29 12'", "'2020-02-29T12:34:56Z'", "'2020-02-29 12:34:56+02:00'", "'1969-12-31 23:59:59.999'", "'2021-03-14 02:30:00'", "'2020-02-29 25:00:00'", "'2020-2-9 1:2:3'",
               "'0000-01-01 00:00:00'", "'1500-03-01 00:00:00'", "'2020-02-29  12:34:56'", "'2020-02-29 12:34:56.'", "'99999-01-01 00:00:00'", "'2020-02-29 12:34:56 UTC'"],
    "VARCHAR": ["CAST('abcdef' AS VARCHAR(3))", "CAST('hello' AS STRING)", "CAST(NULL AS STRING)"],
    "BINARY": ["X'00ff'", "X''", "X'68656c6c6f'", "CAST(X'6162' AS BINARY(4))", "CAST(X'616263' AS VARBINARY(2))", "CAST('é' AS BYTES)", "CAST(NULL AS BYTES)", "X'c328'"],
    "DATE": ["DATE '2020-02-29'", "DATE '1970-01-01'", "DATE '1969-12-31'", "DATE '0001-01-01'", "DATE '9999-12-31'", "DATE '1582-10-10'", "CAST(NULL AS DATE)"],
    "TIME": ["TIME '00:00:00'", "TIME '23:59:59'", "TIME '12:34:56.789'", "CAST(NULL AS TIME)"],
    "TIMESTAMP": ["TIMESTAMP '2020-02-29 12:34:56.789'", "TIMESTAMP '1970-01-01 00:00:00'", "TIMESTAMP '1969-12-31 23:59:59.999999999'", "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'", "TIMESTAMP '2020-02-29 12:34:56'", "CAST(TIMESTAMP '2020-01-01 00:00:00.5' AS TIMESTAMP(0))",
                  "CAST(NULL AS TIMESTAMP(3))"],
    "LTZ": ["TO_TIMESTAMP_LTZ(0, 3)", "TO_TIMESTAMP_LTZ(1582979696789, 3)", "TO_TIMESTAMP_LTZ(-1, 3)", "CAST(TIMESTAMP '2021-03-14 10:00:00.123456' AS TIMESTAMP_LTZ(6))", "CAST(NULL AS TIMESTAMP_LTZ(3))"],
    "INTERVAL": ["INTERVAL '1' DAY", "INTERVAL '-1 02:03:04.567' DAY TO SECOND", "INTERVAL '90' MINUTE", "INTERVAL '1.5' SECOND", "INTERVAL '0' HOUR", "INTERVAL '1' MONTH", "INTERVAL '-2' YEAR", "INTERVAL '1-11' YEAR TO MONTH", "INTERVAL '999' DAY(3)"],
    "ARRAY": ["ARRAY[1, 2, NULL]", "ARRAY['1', 'x']", "ARRAY[ARRAY[1.5, 2.0]]", "ARRAY[1E0, 2.5E0]", "ARRAY[DATE '2020-01-01']", "CAST(NULL AS ARRAY<INT>)", "ARRAY[ROW(1, 'a'), ROW(2, CAST(NULL AS STRING))]", "ARRAY[TRUE]"],
    "MAP": ["MAP['a', 1, 'b', CAST(NULL AS INT)]", "MAP[1, 'x']", "MAP['k', ARRAY[1]]", "MAP[DATE '2020-01-01', 1.50]"],
    "ROW": ["ROW(1, 'a')", "ROW(1, 'a', TRUE)", "ROW(CAST(NULL AS INT), ROW(2.5, 'x'))", "ROW('1', '2')", "(1, 'b')"],
    "VARIANT": ["PARSE_JSON('1')", "PARSE_JSON('\"s\"')", "PARSE_JSON('[1, 2.5]')", "PARSE_JSON('true')", "PARSE_JSON('{\"a\": null}')"],
    "BITMAP": ["BITMAP_BUILD(ARRAY[1, 3])", "BITMAP_BUILD(CAST(NULL AS ARRAY<INT>))"],
}
TYPES = ["BOOLEAN", "TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL(10, 2)", "DECIMAL(5, 5)", "DECIMAL(38, 0)", "DECIMAL(3, 1)", "CHAR(3)", "CHAR(30)", "VARCHAR(3)", "VARCHAR(30)", "STRING", "BINARY(3)", "VARBINARY(3)", "BYTES", "DATE", "TIME", "TIME(3)", "TIMESTAMP(0)", "TIMESTAMP(3)",
         "TIMESTAMP(9)", "TIMESTAMP_LTZ(0)", "TIMESTAMP_LTZ(3)", "TIMESTAMP_LTZ(9)", "INTERVAL DAY TO SECOND(3)", "INTERVAL YEAR TO MONTH", "ARRAY<INT>", "ARRAY<STRING>", "ARRAY<DECIMAL(5, 1)>", "MAP<STRING, STRING>", "MAP<INT, BIGINT>", "ROW<x INT, y STRING>", "ROW<x STRING, y STRING>", "MULTISET<INT>", "VARIANT", "BITMAP"]

# An argument of each type.
TYPED = ["TRUE", "CAST(1 AS TINYINT)", "1", "CAST(1 AS BIGINT)", "CAST(1.5 AS FLOAT)", "1E0", "1.5", "'a'", "CAST('1' AS STRING)", "X'0a'", "DATE '2020-02-29'", "TIME '01:02:03'", "TIMESTAMP '2020-02-29 12:34:56'", "TO_TIMESTAMP_LTZ(0, 3)", "INTERVAL '1' DAY", "INTERVAL '1' MONTH",
         "ARRAY[1]", "ARRAY['a']", "MAP['a', 1]", "ROW(1, 'a')", "PARSE_JSON('1')", "BITMAP_BUILD(ARRAY[1])", "NULL", "CAST(NULL AS INT)"]
FITS = {"s": "'abc'", "c": "'a'", "i": "2", "k": "1", "n": "1.5", "b": "TRUE", "dt": "DATE '2020-02-29'", "tm": "TIME '12:34:56'", "ts": "TIMESTAMP '2020-02-29 12:34:56'", "lz": "TO_TIMESTAMP_LTZ(0, 3)", "ai": "ARRAY[1, 2]", "as": "ARRAY['a', 'b']", "m": "MAP['a', 1]", "r": "ROW(1, 'a')", "d": "1.5E0",
        "j": "'{\"a\": 1}'", "p": "'$.a'", "re": "'a'", "like": "'a%'", "fmt": "'yyyy-MM-dd'", "u": "DAY", "xu": "DAY", "fu": "DAY", "iv": "INTERVAL '1' DAY", "im": "INTERVAL '1' MONTH", "by": "X'0a'", "url": "'http://h/p?q=1'", "up": "'HOST'", "v": "PARSE_JSON('[1]')", "bmp": "BITMAP_BUILD(ARRAY[1])",
        "cast": "STRING", "str2t": "'2020-02-29'", "str2n": "'1'", "any": "1", "zone": "'UTC'"}
WORDS = {"u", "xu", "fu", "cast", "p"}
HOLE = re.compile(r"\{(\w+)\}")


def grouped(kind, items, width):
    items = list(dict.fromkeys(items))
    for at in range(0, len(items), width):
        yield asking.Group(kind, HEAD, tuple(items[at:at + width]))


def accepted():
    """{(source, target)} of the casts that Flink accepts"""
    lines = (pathlib.Path(__file__).resolve().parent.parent / "conformance" / "cast_matrix.tsv").read_text(encoding="utf-8").splitlines()
    return {tuple(line.split("\t")[:2]) for line in lines if line.split("\t")[2:3] == ["ok"]}


def source_of(name, value):
    if name == "INTERVAL":
        return "INTERVAL_MONTH" if "MONTH" in value or "YEAR" in value else "INTERVAL_DAY"
    return {"LTZ": "TIMESTAMP_LTZ", "NUMERAL": "CHAR", "TRUTH": "CHAR", "DAY": "CHAR", "HOUR": "CHAR", "MOMENT": "CHAR"}.get(name, name)


def target_of(kind):
    if kind.startswith("INTERVAL"):
        return "INTERVAL_MONTH" if "YEAR" in kind else "INTERVAL_DAY"
    return re.split("[(<]", kind)[0]


def casts(rounds, seed):
    """Each value to each type that Flink casts it to, and one value of each type to each of the others."""
    rng, known = random.Random(f"casts|{seed}"), accepted()
    for name, values in VALUES.items():
        fine = [(value, kind) for value in values for kind in TYPES if (source_of(name, value), target_of(kind)) in known]
        # What fails is found by halving, so texts are asked a few at a time.
        yield from grouped(f"cast_matrix: TRY_CAST of {name}", [f"TRY_CAST({value} AS {kind})" for value, kind in fine], 40)
        some = [pair for pair in fine if rounds > 1 or rng.random() < 0.3]
        yield from grouped(f"cast_matrix: CAST of {name}", [f"CAST({value} AS {kind})" for value, kind in some], 4 if source_of(name, "") == "CHAR" else 16)
        others = [f"{rng.choice(['CAST', 'TRY_CAST'])}({rng.choice(values)} AS {kind})" for kind in TYPES if (source_of(name, values[0]), target_of(kind)) not in known]
        yield from grouped(f"cast_matrix: refused of {name}", others, 8)


def arguments(templates, rounds, seed):
    rng = random.Random(f"types|{seed}")
    seen = set()
    for area, those in templates.items():
        for template in those:
            holes = [hole for hole in HOLE.findall(template.replace("{{", "").replace("}}", ""))]
            shape = HOLE.sub("_", template)
            if not holes or "CAST(" in template or "TYPEOF" in template or (area, shape) in seen or len(template) > 70:
                continue
            seen.add((area, shape))
            items = []
            for place, hole in enumerate(holes):
                if hole in WORDS:
                    continue
                for typed in TYPED if rounds > 1 else rng.sample(TYPED, 12):
                    at = -1

                    def fill(match):
                        nonlocal at
                        at += 1
                        return typed if at == place else FITS[match.group(1)]

                    items.append(HOLE.sub(fill, template.replace("{{", "\0").replace("}}", "\1")).replace("\0", "{").replace("\1", "}"))
            yield from grouped(f"types: {template}", items, 8)
