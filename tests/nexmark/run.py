#!/usr/bin/env python3
"""Nexmark in small: every query over the first 100,000 events, compared with what Apache Flink answers over the same events.

usage: run.py [--bin PATH_OF_FLOTT] [--only QUERY ...] [--parallelism N ...] [--timeout S]
       run.py --digest < rows

The queries are those of benchmarks/nexmark/queries. golden/<query>.out has what Flink 2.3.0 answered, as a digest (README.md tells the form), which
the second form makes from rows in the form of the conformance corpus: a row a line, TAB between the columns, NULL as \\N.
"""
import argparse
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NEXMARK = HERE.parents[1] / "benchmarks" / "nexmark"
sys.path.insert(0, str(HERE.parent / "conformance"))
sys.path.insert(1, str(NEXMARK.parent))
import run as conformance  # noqa: E402
from harness import queries as scripts  # noqa: E402

EVENTS = 100_000
# Of equal times (q18) or prices (q19), the one that comes first or last counts: that is always the same with one subtask only.
ONE_SUBTASK = {"q18", "q19"}


def script(query, folder, parallelism, lookup="filesystem"):
    text = (NEXMARK / "ddl.sql").read_text(encoding="utf-8") + (NEXMARK / "queries" / f"{query}.sql").read_text(encoding="utf-8")
    values = {"EVENTS": EVENTS, "RATE": 10_000, "RATE_LIMITED": "false", "BASE_TIME": 1436918400000, "SINK": "blackhole", "OUTPUT": folder,
              "SIDE_INPUT": scripts.side_input(folder), "LOOKUP": lookup}
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", str(value))
    head, insert, select = text.rpartition(f"INSERT INTO nexmark_{query}\n")
    if not insert:
        raise ValueError(f"{query}.sql does not end with an INSERT INTO nexmark_{query}")
    return f"SET 'parallelism.default' = '{parallelism}';\n{head}{select}"


def escape(cell):
    if cell is None:
        return r"\N"
    return cell.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


def digest(rows):
    """rows (each some cells of text, NULL as None) -> the text of a golden file"""
    lines = sorted("\t".join(map(escape, row)).encode() + b"\n" for row in rows)
    return f"rows {len(lines)}\nsha256 {hashlib.sha256(b''.join(lines)).hexdigest()}\n"


def answer(query, parallelism, args):
    """-> (digest, None) or (None, what went wrong)"""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "query.sql"
        path.write_text(script(query, folder, parallelism), encoding="utf-8")
        try:
            done = subprocess.run([args.bin, "sql", "-f", str(path), "--output", "jsonl"], cwd=folder, capture_output=True, text=True,
                                  timeout=args.timeout, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return None, "timeout"
    if done.returncode != 0:
        return None, "failed: " + " ".join(done.stderr.split())[:400]
    columns, rows, _, problem = conformance.actual(done.stdout)
    if problem or columns is None:
        return None, problem or "no result"
    return digest(rows.elements()), None


def check(query, args):
    """-> what is wrong, or None"""
    golden = (HERE / "golden" / f"{query}.out").read_text(encoding="utf-8")
    for parallelism in args.parallelism if query not in ONE_SUBTASK else [1]:
        got, problem = answer(query, parallelism, args)
        if problem is None and got != golden:
            problem = f"Flink has {' '.join(golden.split())}, Flott has {' '.join(got.split())}"
        if problem:
            return f"parallelism {parallelism}: {problem}"
    return None


def queries():
    names = [path.stem for path in NEXMARK.glob("queries/q*.sql") if (HERE / "golden" / f"{path.stem}.out").exists()]
    return sorted(names, key=lambda name: int(name[1:]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.environ.get("FLOTT_BIN", str(HERE.parents[1] / "target" / "debug" / "flott")))
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--parallelism", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("--digest", action="store_true")
    args = parser.parse_args()
    if args.digest:
        rows = [[None if cell == r"\N" else conformance.unescape(cell) for cell in line.rstrip("\n").split("\t")] for line in sys.stdin]
        print(digest(rows), end="")
        return 0
    args.bin = str(pathlib.Path(args.bin).resolve())
    names = args.only or queries()
    failures = 0
    for name in names:
        start = time.monotonic()
        problem = check(name, args)
        failures += problem is not None
        print(f"{name:4} {problem or 'same as Flink'} ({time.monotonic() - start:.1f} s)", flush=True)
    print(f"nexmark: {len(names) - failures} of {len(names)} queries have the results of Flink")
    return 1 if failures or not names else 0


if __name__ == "__main__":
    sys.exit(main())
