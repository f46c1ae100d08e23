"""Tables of Iceberg, with pyiceberg on the other side: it reads what Flott has written, and Flott reads what it has written.

Then rounds of kill -9: rows go into a partitioned table while the job is killed at random moments and goes on from its last checkpoint, at any parallelism; and a
second job watches that table and is killed as well. In the end pyiceberg must find each row once in both.

    python3 tests/iceberg/run.py --bin target/debug/flott [--rounds 3] [--seed 7]

pyiceberg comes from PyPI, into a folder of its own.
"""

import argparse
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
TIMEOUT = 180
ROWS = 20_000


def with_packages():
    """Runs this again where the packages are."""
    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "flott" / "iceberg-test"
    python = folder / "bin" / "python"
    stamp = folder / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(HERE / "requirements.txt")], check=True)
        stamp.write_text(wanted)
    os.execv(python, [str(python), *sys.argv, "--packages"])


class Failure(Exception):
    """The test has found something."""


def same(what, expected, found):
    if expected != found:
        raise Failure(f"{what}: expected {str(expected)[:1500]}\n  found {str(found)[:1500]}")


class World:
    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.warehouse = folder / "lake"
        folder.mkdir(parents=True)

    def start(self, text, name, options=()):
        (self.folder / f"{name}.sql").write_text(text, encoding="utf-8")
        log = open(self.folder / f"{name}.log", "ab")
        return subprocess.Popen([str(self.binary), "sql", "-q", "-f", f"{name}.sql", *options], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def run(self, text, name="script"):
        if self.start(text, name).wait(TIMEOUT) != 0:
            raise Failure(f"{name}: {self.told(name)}")

    def told(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")[-2500:]

    def rows(self, query, setup=""):
        done = subprocess.run(
            [str(self.binary), "sql", "-q", "--output", "csv", "-e", setup + query], cwd=self.folder, capture_output=True, text=True, timeout=TIMEOUT
        )
        if done.returncode != 0:
            raise Failure(f"{query}: {done.stderr[-2000:]}")
        return sorted(done.stdout.splitlines()[1:])

    def catalog(self):
        return f"CREATE CATALOG lake WITH ('type' = 'iceberg', 'catalog-type' = 'hadoop', 'warehouse' = '{self.warehouse}');\nUSE CATALOG lake;\n"

    def table(self, name, database="default"):
        """As pyiceberg sees it."""
        from pyiceberg.table import StaticTable

        metadata = self.warehouse / database / name / "metadata"
        version = int((metadata / "version-hint.text").read_text())
        return StaticTable.from_metadata(str(metadata / f"v{version}.metadata.json"))


def types(world):
    """Each type, NULL in each, and what partitions are made of."""
    columns = """b BOOLEAN, i INT, l BIGINT, small SMALLINT, f FLOAT, d DOUBLE, amount DECIMAL(20, 3), on_day DATE, t TIME, ts TIMESTAMP(3), ltz TIMESTAMP_LTZ(6),
      s STRING, bin BYTES, arr ARRAY<INT>, m MAP<STRING, INT>, r ROW<a INT, b STRING>"""
    values = """(TRUE, 1, CAST(9000000000 AS BIGINT), CAST(-3 AS SMALLINT), CAST(1.5 AS FLOAT), CAST(2.25 AS DOUBLE), CAST(12345.678 AS DECIMAL(20, 3)), DATE '2024-02-29',
      TIME '12:34:56', TIMESTAMP '2024-02-29 12:34:56.789', CAST(TIMESTAMP '2024-02-29 12:34:56.123456' AS TIMESTAMP_LTZ(6)), 'eins', x'00ff',
      ARRAY[1, 2], MAP['k', 7], ROW(5, 'fünf'))"""
    nulls = ", ".join(
        f"CAST(NULL AS {kind})"
        for kind in ("BOOLEAN", "INT", "BIGINT", "SMALLINT", "FLOAT", "DOUBLE", "DECIMAL(20, 3)", "DATE", "TIME", "TIMESTAMP(3)", "TIMESTAMP_LTZ(6)", "STRING", "BYTES", "ARRAY<INT>", "MAP<STRING, INT>", "ROW<a INT, b STRING>")
    )
    world.run(
        world.catalog() + "SET 'table.dml-sync' = 'true';\nSET 'table.local-time-zone' = 'UTC';\n"
        f"CREATE TABLE kinds ({columns});\nINSERT INTO kinds VALUES {values};\nINSERT INTO kinds SELECT {nulls};\n"
    )
    table = world.table("kinds")
    found = table.scan().to_arrow().to_pylist()
    same("rows of all types", 2, len(found))
    (row,) = (row for row in found if row["i"] is not None)
    (empty,) = (row for row in found if row["i"] is None)
    same("NULLs", {None}, set(map(str, empty.values())) and {value for value in empty.values() if not isinstance(value, (list, dict))} | {None})
    import datetime
    import decimal

    expected = {
        "b": True, "i": 1, "l": 9_000_000_000, "small": -3, "f": 1.5, "d": 2.25, "amount": decimal.Decimal("12345.678"), "on_day": datetime.date(2024, 2, 29),
        "t": datetime.time(12, 34, 56), "ts": datetime.datetime(2024, 2, 29, 12, 34, 56, 789000),
        "ltz": datetime.datetime(2024, 2, 29, 12, 34, 56, 123456, tzinfo=datetime.timezone.utc),
        "s": "eins", "bin": b"\x00\xff", "arr": [1, 2], "m": [("k", 7)], "r": {"a": 5, "b": "fünf"},
    }  # fmt: skip
    for name, value in expected.items():
        got = row[name]
        if isinstance(got, datetime.datetime) and got.tzinfo is not None:
            got = got.astimezone(datetime.timezone.utc)
        same(f"the column {name}", value, got)
    # With bounds, which other engines pass files over by.
    same("a file is passed over by its bounds", 0, len(list(table.scan(row_filter="i > 100").plan_files())))
    same("a file is found by its bounds", 1, len(list(table.scan(row_filter="i = 1").plan_files())))
    summary = table.current_snapshot().summary
    same("the operation", "append", summary.operation.value)
    same("the sum of rows", "2", summary["total-records"])
    same("read again", ['1,eins,"[1, 2]","(5, fünf)",12:34:56'], [line for line in world.rows("SELECT i, s, arr, r, t FROM kinds;", world.catalog()) if line.startswith("1,")])
    same("count", ["2"], world.rows("SET 'execution.runtime-mode' = 'batch'; SELECT COUNT(*) FROM kinds;", world.catalog())[-1:])


def foreign(world):
    """Tables that pyiceberg has made: partitioned in every way, of several schemas, read and added to."""
    import pyarrow as pa
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform
    from pyiceberg.types import LongType, NestedField, StringType, TimestampType

    import datetime

    catalog = SqlCatalog("other", uri=f"sqlite:///{world.folder}/catalog.db", warehouse=f"file://{world.folder}/other")
    catalog.create_namespace("default")
    schema = Schema(NestedField(1, "id", LongType(), required=False), NestedField(2, "name", StringType(), required=False), NestedField(3, "at", TimestampType(), required=False))
    spec = PartitionSpec(
        PartitionField(1, 1000, BucketTransform(4), "id_bucket"), PartitionField(3, 1001, DayTransform(), "at_day"), PartitionField(2, 1002, IdentityTransform(), "name"),
    )  # fmt: skip
    table = catalog.create_table("default.mixed", schema, location=str(world.warehouse / "default" / "mixed"), partition_spec=spec)

    def row(number):
        return {"id": number, "name": f"n{number % 3}", "at": datetime.datetime(2023, 12, 31, 22, 30) + datetime.timedelta(hours=number)}

    table.append(pa.Table.from_pylist([row(number) for number in range(20)], schema=schema.as_arrow()))

    def hand_over(table):
        """To the catalog of folders."""
        metadata = world.warehouse / "default" / "mixed" / "metadata"
        path = pathlib.Path(table.metadata_location.removeprefix("file://"))
        (metadata / "v1.metadata.json").write_bytes(path.read_bytes())
        (metadata / "version-hint.text").write_text("1")

    hand_over(table)
    same("rows of pyiceberg", [f"{number},n{number % 3}" for number in range(20)], sorted(world.rows("SELECT id, name FROM mixed;", world.catalog()), key=lambda line: int(line.split(",")[0])))
    with table.update_schema() as update:
        update.rename_column("name", "title")
        update.add_column("more", LongType())
    table.append(pa.Table.from_pylist([{"id": 100, "title": "new", "at": row(1)["at"], "more": 5}], schema=table.schema().as_arrow()))
    hand_over(table)
    found = world.rows("SELECT id, title, more FROM mixed WHERE id IN (3, 100);", world.catalog())
    same("a renamed and a new column", ["100,new,5", "3,n0,"], found)
    # A reader of partitions finds rows only if Flott has put them where they belong.
    world.run(
        world.catalog() + "SET 'table.dml-sync' = 'true';\n"
        "INSERT INTO mixed VALUES (200, 'flott', TIMESTAMP '2024-01-01 07:00:00', 1), (201, 'flott', TIMESTAMP '1969-12-31 23:00:00', CAST(NULL AS BIGINT)), (CAST(NULL AS BIGINT), CAST(NULL AS STRING), CAST(NULL AS TIMESTAMP(6)), 3);\n"
    )
    ours = world.table("mixed")
    same("all rows", 24, len(ours.scan().to_arrow()))
    for condition, expected in (("id = 200", [200]), ("id = 201", [201]), ("title = 'flott'", [200, 201]), ("at < '1970-01-01T00:00:00'", [201]), ("at = '2024-01-01T07:00:00'", [200]), ("id is null", [None])):
        found = ours.scan(row_filter=condition).to_arrow()["id"].to_pylist()
        same(condition, expected, sorted(number for number in found if number is None or number >= 200) if expected != [None] else found)
    planned = [task.file.file_path for task in ours.scan(row_filter="at < '1970-01-01T00:00:00'").plan_files()]
    same("files of one partition", 1, len(planned))


def refused(world):
    for statement, told in (
        ("CREATE TABLE x (a INT, p AS PROCTIME());", "not physical"),
        ("CREATE VIEW x AS SELECT 1;", "catalog of Iceberg tables"),
        ("CREATE TABLE x (a TIMESTAMP(9));", "cannot hold"),
    ):
        done = subprocess.run([str(world.binary), "sql", "-q", "-e", world.catalog() + statement], cwd=world.folder, capture_output=True, text=True, timeout=TIMEOUT)
        if done.returncode == 0 or told not in done.stderr + done.stdout:
            raise Failure(f"{statement} is not refused with '{told}': {done.stdout[-500:]} {done.stderr[-500:]}")


def killed(world, seed):
    """Rows go from files into a table, and from that table, which is watched, into another one."""
    rng = random.Random(seed)
    (world.folder / "rows").mkdir()
    for part in range(4):
        numbers = range(part * ROWS // 4, (part + 1) * ROWS // 4)
        (world.folder / "rows" / f"{part}.csv").write_text("".join(f"{number},{number % 3}\n" for number in numbers))
    common = "SET 'table.dml-sync' = 'true';\nSET 'execution.checkpointing.interval' = '200 ms';\nSET 'restart-strategy.type' = 'none';\n"
    lake = "'connector' = 'iceberg', 'catalog-type' = 'hadoop', 'warehouse' = 'lake', 'catalog-database' = 'default'"
    first = common + "SET 'execution.checkpointing.dir' = 'checkpoints';\nSET 'pipeline.name' = 'first';\n"
    first += f"""CREATE TABLE incoming (id BIGINT, part STRING) WITH ('connector' = 'filesystem', 'path' = 'rows', 'format' = 'csv', 'source.rate-limit.rows-per-second' = '4000');
CREATE TABLE lake_rows (id BIGINT, part STRING) PARTITIONED BY (part) WITH ({lake});
INSERT INTO lake_rows SELECT * FROM incoming;
"""
    second = common + "SET 'execution.checkpointing.dir' = 'checkpoints';\nSET 'pipeline.name' = 'second';\n"
    second += f"""CREATE TABLE lake_rows (id BIGINT, part STRING) WITH ({lake}, 'streaming' = 'true', 'monitor-interval' = '100 ms', 'starting-strategy' = 'TABLE_SCAN_THEN_INCREMENTAL');
CREATE TABLE copied (id BIGINT, part STRING) WITH ({lake});
INSERT INTO copied SELECT * FROM lake_rows;
"""
    running, started, kills = {}, {"first": 0, "second": 0}, rng.randrange(3, 7)
    deadline = time.monotonic() + TIMEOUT

    def start(name):
        options = ["-D", f"parallelism.default={rng.choice((1, 2, 4))}"] + (["--restore", "latest"] if started[name] else [])
        started[name] += 1
        running[name] = world.start(first if name == "first" else second, name, tuple(options))

    def count(name):
        try:
            table = world.table(name)
        except FileNotFoundError:
            return 0
        snapshot = table.current_snapshot()
        return int(snapshot.summary["total-records"]) if snapshot else 0

    start("first")
    done = 0
    try:
        while True:
            if time.monotonic() > deadline:
                raise Failure(f"not done within {TIMEOUT} s: {count('lake_rows')} and {count('copied')} of {ROWS}\n{world.told('first')}\n{world.told('second')}")
            if "second" not in running and (world.warehouse / "default" / "lake_rows" / "metadata" / "version-hint.text").exists():
                start("second")
            time.sleep(rng.uniform(0.1, 1.2))
            for name in list(running):
                status = running[name].poll()
                if status not in (None, 0, -9):
                    raise Failure(f"{name} ended with {status}: {world.told(name)}")
            if kills and running:
                name = rng.choice(sorted(running))
                if running[name].poll() is None:
                    running[name].kill()
                    running[name].wait()
                    kills, done = kills - 1, done + 1
                    start(name)
            if not kills and count("lake_rows") >= ROWS and count("copied") >= ROWS and running["first"].poll() == 0:
                break
        # What would be written twice had time to be.
        time.sleep(1)
    finally:
        for process in running.values():
            if process.poll() is None:
                process.kill()
                process.wait()
    for name in ("lake_rows", "copied"):
        found = world.table(name).scan().to_arrow()
        same(f"rows of {name}", sorted((number, str(number % 3)) for number in range(ROWS)), sorted(zip(found["id"].to_pylist(), found["part"].to_pylist())))
    return done


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", type=pathlib.Path, required=True)
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--packages", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if not given.packages:
        with_packages()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flott-iceberg-"))
    failed = 0

    def one(name, run):
        nonlocal failed
        begin = time.monotonic()
        try:
            told = run(World(given.bin.resolve(), folder / name.replace(" ", "-")))
            print(f"iceberg: {name}: passed after {time.monotonic() - begin:.0f} s{f' ({told} kills)' if told else ''}", flush=True)
        except (Failure, subprocess.SubprocessError) as failure:
            failed += 1
            print(f"iceberg: {name}: FAILED: {failure}\n  its files are in {folder}", flush=True)

    one("types", types)
    one("tables of pyiceberg", foreign)
    one("what is refused", refused)
    for number in range(given.rounds):
        seed = given.seed + number
        one(f"kill, seed {seed}", lambda world, seed=seed: killed(world, seed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
