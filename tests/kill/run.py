#!/usr/bin/env python3
"""Kill jobs with SIGKILL at random moments, restore them, and compare what they have committed with what they should have.

usage: run.py [--bin PATH_OF_FLOTT] [--rounds N] [--seed N] [--only SCENARIO,...] [--exact SEED] [--jobs N] [--keep]

A round is a job, or several, in its own folder: killed some times, started again with `--restore latest`, and let finish at
last. What is visible at any moment is whole rows, each of them one of the undisturbed job, none too often; in the end they
are exactly those. `scenarios/` has what rounds consist of, one file each: alternately, or those that --only names. What each does follows from
the seed, which is printed; what a process is doing when it dies does not, of course. A failure keeps its folder and prints what
runs the round again:

  run.py --only SCENARIO --exact SEED
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

import scenarios
from driver import ROOT, Failure, World


class Common:
    """What rounds share: computed by the first that wants it."""

    def __init__(self):
        self.lock, self.found = threading.Lock(), {}

    def once(self, name, compute):
        with self.lock:
            if name not in self.found:
                self.found[name] = compute()
            return self.found[name]


def run_round(name, scenario, folder, seed, args, common):
    """-> (what was done, why it failed or None)"""
    world = World(args.bin, folder, seed, common)
    try:
        scenario.run(world)
    except Failure as failure:
        return world.counts, str(failure)
    if not args.keep:
        shutil.rmtree(folder)
    return world.counts, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "target" / "debug" / "flott"))
    parser.add_argument("--rounds", type=int, default=2 * len(scenarios.NAMES))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--only", default=",".join(scenarios.NAMES))
    parser.add_argument("--exact", type=int, help="the seed of a single round, as a failure prints it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="rounds at a time")
    parser.add_argument("--keep", action="store_true", help="keep the folders also when all is well")
    args = parser.parse_args()
    args.bin = pathlib.Path(args.bin).resolve()
    names = args.only.split(",")
    loaded, common, rng = scenarios.load(names), Common(), random.Random(args.seed)
    seeds = [rng.randrange(1 << 32) for _ in range(args.rounds)] if args.exact is None else [args.exact]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flott-kill-"))
    print(f"kill test: seed {args.seed}, {len(seeds)} rounds, folder {folder}", flush=True)
    started, rounds, sums, failed = time.monotonic(), collections.Counter(), collections.defaultdict(collections.Counter), 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        work = {}
        for number, seed in enumerate(seeds):
            name = names[number % len(names)]
            round_folder = folder / f"{number}-{name}"
            work[pool.submit(run_round, name, loaded[name], round_folder, seed, args, common)] = (name, seed, round_folder)
        for done in concurrent.futures.as_completed(work):
            name, seed, round_folder = work[done]
            counts, why = done.result()
            rounds[name] += 1
            sums[name] += counts
            if why is not None:
                failed += 1
                print(f"FAILED {name}: {why}\n  folder {round_folder}; again: run.py --only {name} --exact {seed}", flush=True)
    for name in names:
        told = ", ".join(f"{count} {what}" for what, count in sorted(sums[name].items()))
        print(f"{name:9} {rounds[name]:4} rounds: {told}")
    kills = sum(counts["kills"] for counts in sums.values())
    if args.exact is None and kills < len(seeds):
        failed += 1
        print(f"FAILED: only {kills} kills: the test does not test what it should")
    print(f"{len(seeds)} rounds, {kills} kills, {failed} failed, {time.monotonic() - started:.0f} s")
    if not failed and not args.keep:
        shutil.rmtree(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
