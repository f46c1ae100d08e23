#!/usr/bin/env python3
"""Nexmark, measured. Results are kept in benchmarks/results/nexmark.json and written into docs/benchmarks.md.

usage: run.py COMMAND [--queries q0,q1] [--rounds 3] [--parallelism 2] [--memory 6g] [--bin PATH_OF_FLOTT] [--base PATH_OF_FLOTT]

  nexmark    Flott alone, all queries
  flink      Flott and a real Flink in pairs, the queries that have a bar; installs Flink where it is missing
  loops      loops written by hand over the same events
  scaling    Flott at parallelism 1 and 2
  latency    from an event's creation to the sink, at 100,000 events/s
  startup    time to the first result, idle memory, size on disk, of both engines
  datastream programs of the DataStream API, and the same by hand
  datastream-renoir  word count and windows by key beside Renoir
  datastream-requests  what 10,000 asynchronous requests a second cost
  datastream-flink  word count with the DataStream API of both engines
  kafka      from one topic of Kafka to another, Flott and a real Flink in pairs
  check      two builds of Flott query by query, by turns: what got slower; --base is the other binary
  generators whether the generators in Java and in Rust make the same events
  report     writes docs/benchmarks.md again from what was measured before
"""
import argparse
import pathlib
import sys

from harness import alone, against_flink, check, datastream, generators, kafka, latency, loops, queries, report, scaling, startup
from harness.flott_engine import ROOT, Flott
from harness.store import Store


def parse():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=True)
    parser.add_argument("command", choices=["nexmark", "flink", "loops", "scaling", "latency", "startup", "datastream", "datastream-flink", "datastream-renoir", "datastream-requests", "kafka", "generators", "check", "report"])
    parser.add_argument("--queries", default="", help="separated by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parallelism", type=int, default=2)
    parser.add_argument("--memory", default="6g", help="of Flink's TaskManager")
    parser.add_argument("--bin", default=str(ROOT / "target" / "release" / "flott"))
    parser.add_argument("--base", default="", help="for check: the binary to compare with")
    parser.add_argument("--datastream", default=str(ROOT / "target" / "release" / "datastream-bench"))
    parser.add_argument("--renoir", default=str(ROOT / "target" / "renoir" / "release" / "renoir-bench"))
    parser.add_argument("--loops", default=str(ROOT / "target" / "release" / "loops"))
    return parser.parse_args()


def chosen(text, default):
    """The requested queries."""
    names = [name for name in text.split(",") if name] or default
    unknown = [name for name in names if name not in queries.names()]
    if unknown:
        sys.exit(f"there is no query {', '.join(unknown)}; there are {', '.join(queries.names())}")
    return names


def main():
    args = parse()
    store = Store()
    if args.command not in ("report", "loops", "datastream", "datastream-flink", "datastream-renoir", "datastream-requests") and not pathlib.Path(args.bin).exists():
        sys.exit(f"{args.bin} is not there; build it: cargo build --release --package flott-cli")
    if args.command == "check":
        if not pathlib.Path(args.base).is_file():
            sys.exit("check compares with another binary: pass --base (make bench-check BASE=...)")
        sys.exit(bool(check.measure(args.base, args.bin, args.parallelism, chosen(args.queries, queries.names()), args.rounds)))
    flott = Flott(args.bin, args.parallelism)
    if args.command == "nexmark":
        alone.measure(flott, store, chosen(args.queries, queries.names()), args.rounds)
    elif args.command == "flink":
        against_flink.measure(flott, store, chosen(args.queries, queries.BARRED), args)
    elif args.command == "loops":
        loops.measure(args.loops, flott, store, chosen(args.queries, loops.QUERIES), args.rounds)
    elif args.command == "scaling":
        scaling.measure(args.bin, store, chosen(args.queries, queries.STATELESS), args.rounds)
    elif args.command == "latency":
        latency.measure(flott, store)
    elif args.command == "startup":
        startup.measure(args.bin, store)
    elif args.command == "datastream":
        datastream.measure(args.datastream, store, args.rounds)
    elif args.command == "datastream-flink":
        datastream.against_flink(args.datastream, store, args.rounds)
    elif args.command == "datastream-renoir":
        datastream.against_renoir(args.datastream, args.renoir, store, args.rounds)
    elif args.command == "datastream-requests":
        datastream.requests(args.datastream, store, args.rounds)
    elif args.command == "kafka":
        kafka.measure(flott, store, args)
    elif args.command == "generators":
        sys.exit(0 if generators.compare(args.bin) else "the generators differ")
    print(report.write(store))


if __name__ == "__main__":
    main()
