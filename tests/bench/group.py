#!/usr/bin/env python3
"""SELECT key, COUNT(*), SUM(v) FROM t GROUP BY key over generated csv: rows per second and peak memory.

usage: group.py [--bin PATH_OF_FLOTT] [--megabytes 100] [--keys 1000000] [--rounds 3] [-D KEY=VALUE ...]

The file is generated once with a fixed seed, in target/bench. The result goes to `blackhole`, so that neither a terminal nor a disk is
measured. Time is wall-clock time of the whole process, start included; the best of the rounds counts.
"""
import argparse
import os
import pathlib
import random
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def generate(path, size, keys):
    """key,value lines; every key about equally often, in no order. -> number of rows"""
    if not path.exists():
        print(f"generating {path}", flush=True)
        rng = random.Random(1)
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half")
        with open(half, "w", encoding="ascii") as file:
            written = 0
            while written < size:
                lines = "".join(f"{rng.randrange(keys)},{rng.randrange(10_000_000)}\n" for _ in range(50_000))
                written += file.write(lines)
        half.rename(path)
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def measure(command):
    """-> (seconds, CPU seconds, peak memory in MB)"""
    started = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    if status != 0:
        sys.exit(f"failed with status {status}: {' '.join(command)}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "target" / "release" / "flott"))
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-D", dest="define", action="append", default=[])
    args = parser.parse_args()
    path = ROOT / "target" / "bench" / f"group-{args.megabytes}mb-{args.keys}.csv"
    rows = generate(path, args.megabytes * 1_000_000, args.keys)
    sql = f"""
        CREATE TABLE t (key BIGINT, v BIGINT) WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'csv',
          'csv.disable-quote-character' = 'true');
        CREATE TABLE nothing (key BIGINT, c BIGINT, s BIGINT) WITH ('connector' = 'blackhole');
        INSERT INTO nothing SELECT key, COUNT(*), SUM(v) FROM t GROUP BY key;"""
    command = [args.bin, "sql", "-q", *(part for option in args.define for part in ("-D", option)), "-e", sql]
    rounds = []
    for number in range(args.rounds):
        seconds, cpu, memory = measure(command)
        rounds.append((seconds, cpu, memory))
        print(f"round {number + 1}: {seconds:.2f} s, {cpu:.2f} CPU s, {memory:.0f} MB", flush=True)
    seconds, cpu, memory = min(rounds)
    print(f"{rows} rows, {args.keys} keys: {rows / seconds / 1e6:.2f} million rows/s, "
          f"{rows / cpu / 1e6:.2f} million rows per CPU second, peak memory {memory:.0f} MB")


if __name__ == "__main__":
    main()
