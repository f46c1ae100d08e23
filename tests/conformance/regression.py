#!/usr/bin/env python3
"""Fail if a conformance case that has passed before passes no longer.

usage: regression.py [--bin PATH_OF_FLOTT] [--jobs N] [--timeout S] [--update]

passing.txt lists the cases that passed, one a line, sorted, waived ones left out: <functions|queries>/<area>/<name>. Only those are run; with --update
all cases are, and those that pass are added. To take a line out is a decision: say why in the commit.
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import run as conformance  # noqa: E402

PASSING = HERE / "passing.txt"


def all_cases():
    """name -> script; without those that are waived"""
    found = {}
    for root in ("functions", "queries"):
        waived = conformance.waivers(HERE / root)
        for path in sorted((HERE / root).rglob("*.sql")):
            if path.with_suffix(".out").exists() and f"{path.parent.name}/{path.stem}" not in waived:
                found[f"{root}/{path.parent.name}/{path.stem}"] = path
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(HERE.parents[1] / "target" / "debug" / "flott"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    args.bin, args.set, args.types = str(pathlib.Path(args.bin).resolve()), [], False
    listed = [line for line in PASSING.read_text().splitlines() if line] if PASSING.exists() else []
    cases = all_cases()
    gone = [name for name in listed if name not in cases]
    names = sorted(cases) if args.update else [name for name in listed if name in cases]

    def outcome(name):
        return conformance.run_case(cases[name], cases[name].parents[1] / "data", args)

    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = dict(zip(names, pool.map(outcome, names)))
    lost = [name for name in listed if results.get(name) is not None]
    for name in lost:
        print(f"LOST {name}: {results[name]}")
    for name in gone:
        print(f"GONE {name}: there is no such case")
    if args.update:
        passed = [name for name, why in results.items() if why is None]
        PASSING.write_text("".join(f"{name}\n" for name in sorted({*passed, *lost})))
        areas = collections.Counter(name.rsplit("/", 1)[0] for name in passed)
        for area, count in sorted(areas.items()):
            total = sum(name.startswith(area + "/") for name in cases)
            print(f"{area:32} {count:4}/{total}")
    passed = sum(why is None for why in results.values())
    print(f"conformance: {passed} of {len(results)} cases passed, {len(lost) + len(gone)} lost")
    return 1 if lost or gone else 0


if __name__ == "__main__":
    sys.exit(main())
