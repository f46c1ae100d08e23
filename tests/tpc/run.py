#!/usr/bin/env python3
"""The queries of TPC-H (22) and TPC-DS (103) over small generated data, compared with DuckDB's answers.

usage: run.py [--bin PATH_OF_FLOTT] [--scale S] [--mode batch|streaming ...] [--only tpcds/q1 ...] [--parallelism N] [--timeout S] [--sample]
              [--keep FOLDER] [--plan TIMES]

The data, the queries and DuckDB come from PyPI, into a folder below the cache (README.md). Says of each query whether its result is right, wrong, or
refused and with which message, and how long it took; exit status 0 only if all are right, or known to be otherwise in Flink too (reasons.py).
--plan measures how long EXPLAIN takes instead of running the queries.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


def in_environment():
    """Runs this program again in an environment with the packages of requirements.txt, made when there is none."""
    requirements = (HERE / "requirements.txt").read_text()
    stamp = hashlib.sha256((requirements + sys.version).encode()).hexdigest()[:12]
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
    folder = cache / "flott-tpc" / stamp
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", str(HERE / "requirements.txt")], check=True)
        (folder / "complete").touch()
    python = str(folder / "bin" / "python")
    os.execv(python, [python, *sys.argv])


if sys.prefix == sys.base_prefix:
    in_environment()

import compare  # noqa: E402
import dialect  # noqa: E402
import oracle  # noqa: E402
import reasons  # noqa: E402

Query = collections.namedtuple("Query", "benchmark name sql")


def flott(args, ddl, mode, statement):
    """-> (rows, None, seconds) or (None, what went wrong, seconds)"""
    settings = {"execution.runtime-mode": mode.upper(), "parallelism.default": args.parallelism}
    script = "".join(f"SET '{key}' = '{value}';\n" for key, value in settings.items()) + ddl + statement + ";\n"
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "query.sql"
        path.write_text(script, encoding="utf-8")
        try:
            done = subprocess.run([args.bin, "sql", "-f", str(path), "--output", "jsonl"], cwd=folder, capture_output=True, text=True,
                                  timeout=args.timeout, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return None, f"late: no answer within {args.timeout:.0f} s", time.monotonic() - start
    seconds = time.monotonic() - start
    if done.returncode != 0:
        return None, "refused: " + " ".join(line for line in done.stderr.split("\n") if not line.startswith("[INFO]")), seconds
    rows, problem = changes(done.stdout)
    return rows, problem, seconds


def changes(text):
    """the rows that a changelog leaves, in the order in which they came -> (rows, problem or None)"""
    rows, gone = collections.OrderedDict(), None
    for line in text.split("\n"):
        if not line.startswith('{"'):
            continue
        item = json.loads(line)
        if "columns" in item:
            rows = collections.OrderedDict()
        elif "row" in item:
            row = tuple(item["row"])
            rows[row] = rows.get(row, 0) + (1 if item.get("kind", "+I") in ("+I", "+U") else -1)
            if rows[row] < 0:
                gone = gone or row
    if gone:
        return None, f"wrong: a row is taken back that was not there: {compare.show(gone)}"
    return [row for row, times in rows.items() for _ in range(times)], None


def check(args, db, ddl, query, mode):
    """-> (right, known, wrong, refused or late; what there is to say; seconds)"""
    keys, limit = dialect.order_keys(query.sql)
    # A stream has no order, but for the first rows of one.
    statement = query.sql if mode == "batch" or limit is not None else dialect.without_order(query.sql)
    got, problem, seconds = flott(args, ddl, mode, dialect.flink(statement))
    if problem:
        verdict, _, text = problem.partition(": ")
        reason = reasons.refused(query.benchmark, query.name, mode, text) if verdict == "refused" else None
        return ("known", f"Flink refuses it too: {reason}", seconds) if reason else (verdict, text[:args.width], seconds)
    text = dialect.duckdb(query.sql, db.whole)
    names, want = db.answer(text)
    order = []
    for key in keys if mode == "batch" else []:
        column = int(key) - 1 if key.isdigit() else next((i for i, name in enumerate(names) if name.lower() == key), None)
        if column is None:
            break
        order.append(column)
    everything = None if limit is None or len(want) < limit else db.answer(dialect.without_order(text, keep_limit=False))[1]
    problem = compare.problem(want, got, order, everything, reasons.units(query.benchmark, query.name))
    reason = reasons.nothing(want, got, mode)
    if problem and reason:
        return "known", f"as Flink: {reason}", seconds
    return ("wrong", problem, seconds) if problem else ("right", f"{len(got)} rows", seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.environ.get("FLOTT_BIN", str(HERE.parents[1] / "target" / "debug" / "flott")))
    parser.add_argument("--scale", type=float, default=0.01)
    parser.add_argument("--mode", nargs="*", default=["batch"], choices=["batch", "streaming"])
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--parallelism", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--width", type=int, default=300, help="how much of a message is printed")
    parser.add_argument("--sample", action="store_true", help="only the queries that `make test` runs")
    parser.add_argument("--plan", type=int, default=0, metavar="TIMES", help="measure how long planning takes, over so many times")
    parser.add_argument("--keep", type=pathlib.Path, help="a folder that keeps data and scripts")
    args = parser.parse_args()
    args.bin = str(pathlib.Path(args.bin).resolve())
    print(f"scale {args.scale:g}, {oracle.duckdb.__name__} {oracle.duckdb.__version__}")
    with tempfile.TemporaryDirectory() as temporary:
        return run(args, args.keep or pathlib.Path(temporary))


def run(args, folder):
    good = True
    for benchmark in oracle.GENERATORS:
        chosen = {name.partition("/")[2] for name in args.only if name.partition("/")[0] == benchmark}
        if args.only and not chosen:
            continue
        data = folder / benchmark
        data.mkdir(parents=True, exist_ok=True)
        db = oracle.Oracle(benchmark, args.scale)
        ddl = db.tables(data)
        queries = [Query(benchmark, name, sql) for name, sql in db.queries().items() if not any(chosen) or name in chosen]
        if args.keep:
            (data / "ddl.sql").write_text(ddl)
            for query in queries:
                (data / f"{query.name}.sql").write_text(dialect.flink(query.sql) + ";\n")
        if args.plan:
            planning(args, ddl, queries)
            continue
        for mode in args.mode:
            sample = (reasons.SAMPLE if mode == "batch" else reasons.SAMPLE_OF_STREAMS)[benchmark]
            good &= run_all(args, db, ddl, [query for query in queries if not args.sample or query.name in sample], mode)
    return 0 if good else 1


def run_all(args, db, ddl, queries, mode):
    counts, empty = collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        futures = [pool.submit(check, args, Cursor(db), ddl, query, mode) for query in queries]
        for query, future in zip(queries, futures):
            verdict, text, seconds = future.result()
            counts[verdict] += 1
            empty += text == "0 rows"
            print(f"{query.benchmark}/{query.name:5} {mode:9} {verdict:7} {seconds:6.1f} s  {text}", flush=True)
    verdicts = "".join(f", {counts[verdict]} {verdict}" for verdict in ("known", "wrong", "refused", "late"))
    print(f"{queries[0].benchmark}, {mode}: {counts['right']} of {len(queries)} right ({empty} without rows){verdicts}", flush=True)
    return counts["right"] + counts["known"] == len(queries)


def planning(args, ddl, queries):
    """how long EXPLAIN takes of each query, beside a script that only makes the tables"""
    def seconds(text):
        path = pathlib.Path(folder) / "plan.sql"
        path.write_text(f"SET 'execution.runtime-mode' = 'BATCH';\n{ddl}{text}", encoding="utf-8")
        start = time.monotonic()
        subprocess.run([args.bin, "sql", "-f", str(path)], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        return time.monotonic() - start
    with tempfile.TemporaryDirectory() as folder:
        tables = min(seconds("") for _ in range(5))
        times = []
        for query in queries:
            text = f"EXPLAIN {dialect.flink(query.sql)};\n" * args.plan
            times.append(((seconds(text) - tables) / args.plan * 1000, query.name))
    times.sort(reverse=True)
    print(f"{queries[0].benchmark}: planning takes {times[len(times) // 2][0]:.1f} ms in the median; the longest: "
          + ", ".join(f"{name} {took:.1f} ms" for took, name in times[:8]))


class Cursor:
    """the oracle for one thread"""

    def __init__(self, db):
        self.db = db.db.cursor()
        self.whole = db.whole
        self.db.execute(oracle.AS_IN_FLINK)

    answer = oracle.Oracle.answer


if __name__ == "__main__":
    sys.exit(main())
