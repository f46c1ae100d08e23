"""Statements near those of tests/conformance: words of the last statement are changed for words of the same kind.

A statement that differs from one whose answer is known in one aggregate, unit, join or comparison meets other paths of planner and operators than its
neighbour; most of the words make sense in each other's place.
"""
import pathlib
import random
import re

import asking

KINDS = [
    ["COUNT", "SUM", "AVG", "MIN", "MAX", "STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP", "FIRST_VALUE", "LAST_VALUE", "COLLECT", "ARRAY_AGG"],
    ["SECOND", "MINUTE", "HOUR", "DAY"], ["YEAR", "MONTH", "QUARTER", "WEEK"], ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "FULL OUTER JOIN", "INNER JOIN"], ["ASC", "DESC", "DESC NULLS LAST", "ASC NULLS FIRST"],
    ["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"], ["ROW_NUMBER", "RANK", "DENSE_RANK"], ["TUMBLE", "HOP", "CUMULATE"], ["AND", "OR"], ["LAG", "LEAD"], ["FIRST", "LAST"], ["EXISTS", "NOT EXISTS"], ["IN", "NOT IN"],
    ["UPPER", "LOWER", "REVERSE", "INITCAP", "TRIM", "MD5", "CHAR_LENGTH", "ASCII"], ["ABS", "SIGN", "FLOOR", "CEIL", "ROUND", "SQRT", "EXP", "HEX", "BIN"], ["SIN", "COS", "TAN", "ASIN", "ACOS", "ATAN", "TANH", "COSH", "SINH", "COT", "DEGREES", "RADIANS"],
    ["INT", "BIGINT", "SMALLINT", "TINYINT", "DOUBLE", "FLOAT", "DECIMAL(10, 2)", "STRING", "BOOLEAN", "DATE", "TIME", "TIMESTAMP(3)", "TIMESTAMP_LTZ(3)", "BYTES", "CHAR(5)"], ["CAST", "TRY_CAST"], ["LIKE", "NOT LIKE", "SIMILAR TO"], ["ROLLUP", "CUBE"], ["PRECEDING", "FOLLOWING"], ["ROWS", "RANGE"],
    ["ARRAY_SORT", "ARRAY_DISTINCT", "ARRAY_REVERSE"], ["ARRAY_MAX", "ARRAY_MIN", "CARDINALITY"], ["ARRAY_APPEND", "ARRAY_PREPEND", "ARRAY_REMOVE", "ARRAY_CONTAINS", "ARRAY_POSITION"], ["ARRAY_UNION", "ARRAY_INTERSECT", "ARRAY_EXCEPT", "ARRAY_CONCAT"], ["MAP_KEYS", "MAP_VALUES", "MAP_ENTRIES"],
    ["JSON_VALUE", "JSON_QUERY", "JSON_EXISTS"], ["NULL ON NULL", "ABSENT ON NULL"], ["LPAD", "RPAD"], ["LTRIM", "RTRIM", "BTRIM"], ["STARTSWITH", "ENDSWITH", "INSTR", "REGEXP"], ["GREATEST", "LEAST", "COALESCE", "NULLIF"], ["BITMAP_AND", "BITMAP_OR", "BITMAP_XOR", "BITMAP_ANDNOT"],
    ["BITMAP_AND_AGG", "BITMAP_OR_AGG", "BITMAP_XOR_AGG", "BITMAP_AND_CARDINALITY_AGG", "BITMAP_OR_CARDINALITY_AGG", "BITMAP_XOR_CARDINALITY_AGG"], ["SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "MD5"], ["REGEXP_COUNT", "REGEXP_INSTR", "REGEXP_SUBSTR", "REGEXP_EXTRACT", "REGEXP_EXTRACT_ALL"],
    ["TO_DATE", "TO_TIMESTAMP", "TO_TIMESTAMP_LTZ", "UNIX_TIMESTAMP"], ["DAYOFYEAR", "DAYOFMONTH", "DAYOFWEEK", "HOUR", "MINUTE", "SECOND"], ["IS NULL", "IS NOT NULL", "IS TRUE", "IS UNKNOWN"], ["DISTINCT", "ALL"], ["BETWEEN", "NOT BETWEEN", "BETWEEN SYMMETRIC"],
    ["<", "<=", "=", "<>", ">", ">="], ["+", "-", "*", "/", "%"], ["'1'", "'2'", "'5'", "'10'", "'20'", "'30'"], ["1", "2", "3", "5", "10", "0", "-1", "NULL"],
]
OF = {word: kind for kind in KINDS for word in kind}
TOKEN = re.compile(r"'(?:[^']|'')*'|`[^`]*`|[A-Za-z_][A-Za-z_0-9]*|\d+(?:\.\d+)?|<=|>=|<>|\s+|.", re.S)
# What the clock or chance decides, and statements that leave something behind.
UNSTABLE = re.compile(r"\b(RAND|RAND_INTEGER|UUID|NOW|CURRENT_\w+|LOCALTIME\w*|PROCTIME|UNIX_TIMESTAMP\(\)|INSERT|CREATE FUNCTION|datagen|nexmark|EXPLAIN|SHOW|ML_PREDICT|DESCRIBE)\b", re.I)


def mutate(last, columns, rng):
    tokens = TOKEN.findall(last)
    for _ in range(rng.choice([1, 1, 2])):
        places = [at for at, token in enumerate(tokens) if token in OF or token in columns]
        if not places:
            return None
        at = rng.choice(places)
        tokens[at] = rng.choice(OF[tokens[at]] if tokens[at] in OF else columns)
    return "".join(tokens)


def groups(rounds, seed):
    folder = pathlib.Path(__file__).resolve().parent.parent / "conformance"
    for root in ("queries", "functions"):
        for path in sorted((folder / root).rglob("*.sql")):
            if path.name.startswith("diff_"):
                continue
            text = path.read_text(encoding="utf-8").rstrip().rstrip(";")
            if UNSTABLE.search(text):
                continue
            before, cut, last = text.rpartition(";\n")
            columns = sorted(set(re.findall(r"[(,]\s*([a-z]\w*) (?:INT|BIGINT|STRING|DOUBLE|DECIMAL|TIMESTAMP|DATE|BOOLEAN|FLOAT|SMALLINT|TINYINT|TIME)", before)))
            if root == "functions":
                # Alone among many: the expression that changes.
                items = re.split(r",\n  (?=\S)", last)
                if len(items) > 3:
                    continue
            if "'parallelism.default'" not in before:
                before = "SET 'parallelism.default' = '1';\n" + before
            rng = random.Random(f"mutants|{path.stem}|{seed}")
            made = dict.fromkeys(mutate(last, columns, rng) for _ in range(rounds * (3 if root == "queries" else 1)))
            for text in made:
                if text is not None and text != last:
                    yield asking.Group(f"mutants: {path.parent.name}/{path.stem}", before + cut + text + ";\n", root=root)
