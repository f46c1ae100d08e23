#!/usr/bin/env python3
"""Run conformance cases while things go wrong, and compare with the golden results of Apache Flink all the same.

usage: faults.py [--bin PATH_OF_CONFORMANCE_FAULTS] [--sample N] [--seed N] [--runs KIND,...] [--only SUBSTRING] [--jobs N]
                 [--repeat N] [--timeout S] [-v]

Every case of passing.txt whose answer is rows is run in four ways, each with small batches:

  checked    nothing goes wrong; every operator is watched by the invariant wrapper (as in the other three)
  restored   with checkpoints; the job is stopped or cancelled in the middle and gone on with in a new one
  rescaled   the same, at another parallelism each time
  faults     sources, operators and commits fail

and its rows must be those of Flink: the final ones of a changelog, since batches are cut elsewhere. `faults/` beside this file is the
program that runs them, and its head tells how. With --sample N this many pairs of case and way are chosen by the seed, which is printed;
--repeat runs each pair with this many seeds. A failure prints what runs it again:

  faults.py --only CASE --runs KIND --exact SEED

Exit status 0 only if every pair gives the right rows and something was disturbed at all.
"""
import argparse
import collections
import json
import os
import pathlib
import queue
import random
import re
import select
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import regression  # noqa: E402
import run as conformance  # noqa: E402

KINDS = ("checked", "restored", "rescaled", "faults")
# Small batches cut a small input; a row at a time of a large one would take forever.
SMALL, LARGE = (1, 2, 3, 7, 100), (200, 500, 1000)
LARGE_INPUTS = ("nexmark.json",)
# Cases left out of the ways with restores, and why.
NOT_RESTORED = {
    "functions/valueconstruction/descriptor": "which rows are late is known again only when a watermark has come after the restore, as in Flink",
    "queries/lookup_join/then_window": "which rows are late is known again only when a watermark has come after the restore, as in Flink",
    "queries/window_join_topn/extreme_max_late": "which rows are late is known again only when a watermark has come after the restore, as in Flink",
    "queries/window_join_topn/extreme_min_hop_filtered": "which rows are late is known again only when a watermark has come after the restore, as in Flink",
}


class Worker:
    """A process that runs cases, one after the other."""

    def __init__(self, binary, timeout):
        self.binary, self.timeout, self.process = binary, timeout, None
        self.log = tempfile.TemporaryFile()

    def start(self):
        self.process = subprocess.Popen([self.binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)

    def ask(self, request):
        """-> the answer, one that says why not if the process dies or does not answer; and with it what was logged"""
        self.log.seek(0, os.SEEK_END)
        begin = self.log.tell()
        answer = self.answer(request)
        self.log.seek(begin)
        answer["log"] = self.log.read().decode(errors="replace").splitlines()[-40:]
        return answer

    def answer(self, request):
        if self.process is None:
            self.start()
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], self.timeout)
            line = self.process.stdout.readline() if ready else b""
        except BrokenPipeError:
            ready, line = True, b""
        if line:
            return json.loads(line)
        self.stop()
        return {"failed": f"exit status {self.process_status}" if ready else f"no answer within {self.timeout} s"}

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process_status = self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None


def excluded(sql, kind):
    """Why a case cannot be run so, as far as its files tell; the program leaves out those without a query."""
    first = sql.with_suffix(".out").read_text(encoding="utf-8").split("\n", 1)[0]
    if first.startswith("# error:"):
        return "Flink gives an error and no rows"
    if kind != "checked" and re.search(r"\bRAND(_INTEGER)?\s*\(", sql.read_text(encoding="utf-8")):
        return "random numbers start over with a restart, as in Flink"
    return None


def request(sql, kind, seed):
    script = sql.read_text(encoding="utf-8").replace("${DATA}", str(sql.parents[1] / "data"))
    sizes = LARGE if any(name in script for name in LARGE_INPUTS) else SMALL
    return {"script": script, "run": kind, "seed": seed, "batch": random.Random(seed).choice(sizes)}


def rounded(rows):
    """A deviation of BIGINTs is a double that was cut: above 2^53 its last digits depend on which rows were added up first."""
    cut = lambda cell: f"{float(cell):.12e}" if cell is not None and re.fullmatch(r"-?\d{16,}", cell) else cell  # noqa: E731
    found = collections.Counter()
    for row, count in rows.items():
        found[tuple(map(cut, row))] += count
    return found


def judge(sql, answer):
    """-> why the answer is wrong, or None"""
    if answer.get("failed"):
        return answer["failed"]
    _, _, want = conformance.expected(sql.with_suffix(".out"))
    got, order = collections.Counter(), []
    for kind, cells in answer["rows"]:
        row = tuple(conformance.canonical(cell) for cell in cells)
        if kind in ("+I", "+U"):
            got[row] += 1
            order.append(row)
        else:
            got[row] -= 1
    never = [row for row, count in got.items() if count < 0]
    if never:
        return f"retracted a row that was never emitted: {never[0]}"
    got = +got
    if want != got and re.search(r"\b(STDDEV|VAR)", sql.read_text(encoding="utf-8")):
        want, got = rounded(want), rounded(got)
    if not conformance.matches(want, got):
        missing, extra = list((want - got).elements())[:2], list((got - want).elements())[:2]
        return f"rows differ: wanted {sum(want.values())}, got {sum(got.values())}; missing {missing} extra {extra}"
    ordered = sql.with_suffix(".ordered")
    if ordered.exists():
        lines = ordered.read_text(encoding="utf-8").split("\n")[:-1]
        if [tuple(conformance.canonical(conformance.unescape(cell)) for cell in line.split("\t")) for line in lines] != order:
            return "the rows are right, their order is not"
    return None


def choose(args, rng):
    """-> what to run: (name, script, kind, seed), and the cases that are left out, by reason"""
    cases = regression.all_cases()
    listed = [line for line in regression.PASSING.read_text().splitlines() if line in cases and args.only in line]
    pairs, left_out = [], collections.defaultdict(set)
    for name, kind in ((name, kind) for name in listed for kind in args.runs):
        reason = (kind != "checked" and NOT_RESTORED.get(name)) or excluded(cases[name], kind)
        if reason is None:
            pairs.append((name, cases[name], kind))
        else:
            left_out[reason].add(name)
    if args.sample is not None and args.sample < len(pairs):
        pairs = rng.sample(pairs, args.sample)
    seeds = (lambda: args.exact) if args.exact is not None else (lambda: rng.randrange(1 << 32))
    return [(*pair, seeds()) for pair in pairs for _ in range(args.repeat)], left_out


def run_all(work, args):
    """-> [(name, sql, kind, seed, answer)] in the order in which they came"""
    todo, done, lock = queue.SimpleQueue(), [], threading.Lock()
    for item in work:
        todo.put(item)

    def serve():
        worker = Worker(args.bin, args.timeout)
        try:
            while True:
                name, sql, kind, seed = todo.get_nowait()
                answer = worker.ask(request(sql, kind, seed))
                with lock:
                    done.append((name, sql, kind, seed, answer))
        except queue.Empty:
            worker.stop()

    threads = [threading.Thread(target=serve) for _ in range(args.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(HERE.parents[1] / "target" / "debug" / "conformance-faults"))
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--exact", type=int, help="the seed of a single run, as a failure prints it")
    parser.add_argument("--runs", default=",".join(KINDS))
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=150)
    parser.add_argument("-v", action="store_true", help="tell what was done in the runs that failed")
    args = parser.parse_args()
    args.bin = str(pathlib.Path(args.bin).resolve())
    args.runs = args.runs.split(",")
    started = time.monotonic()
    work, left_out = choose(args, random.Random(args.seed))
    print(f"conformance with faults: seed {args.seed}, {len(work)} runs", flush=True)
    passed, failed = collections.Counter(), []
    sums = {kind: collections.Counter() for kind in KINDS}
    for name, sql, kind, seed, answer in run_all(work, args):
        if answer.get("excluded"):
            left_out[answer["excluded"]].add(name)
            continue
        why = judge(sql, answer)
        if why is None:
            passed[kind] += 1
        else:
            failed.append((kind, name, seed, why, answer.get("events", []) + answer["log"]))
        for what in ("checkpoints", "restores", "failures"):
            sums[kind][what] += answer.get(what, 0)
        sums[kind]["runs"] += 1
    for kind, name, seed, why, events in sorted(failed):
        print(f"FAILED {name}: {why}\n  again: faults.py --only {name} --runs {kind} --exact {seed}")
        for event in events if args.v else []:
            print(f"    {event}")
    for kind in args.runs:
        done = sums[kind]
        print(f"{kind:9} {passed[kind]:4} of {done['runs']:4} passed: {done['checkpoints']} checkpoints, {done['restores']} restores, "
              f"{done['failures']} failures")
    for reason, names in sorted(left_out.items()):
        print(f"left out: {len(names):4} cases: {reason}")
    print(f"{time.monotonic() - started:.0f} s")
    idle = [f"{kind} without {what}" for kind, what in (("restored", "restores"), ("rescaled", "restores"), ("faults", "failures"))
            if sums[kind]["runs"] >= 20 and sums[kind][what] < sums[kind]["runs"] / 3]
    for text in idle:
        print(f"FAILED: {text}: the test does not test what it should")
    return 1 if failed or idle else 0


if __name__ == "__main__":
    sys.exit(main())
