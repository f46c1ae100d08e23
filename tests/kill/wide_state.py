#!/usr/bin/env python3
"""Much wide state in one subtask: checkpointed, killed, restored, and right.

Two jobs, one after the other, each with about this many megabytes of text in the state of one subtask:

- `max`: the greatest text of each key in one window, which fires at the end;
- `join`: a regular join; one side is wide, the other asks for its rows one by one.

A text begins with a name that Python can compute, goes on with noise, so that nothing makes it small, and ends with the digest of it
all. Each job is killed with SIGKILL, now and then while a checkpoint is under way, and goes on with `--restore latest`, which may not lose or
double a row: the output is that of a few lines of Python, and every text is whole. Peaks of memory are told, and how they compare with
the state.

    tests/kill/wide_state.py --bin target/release/flott --megabytes 5000
"""
import argparse
import collections
import hashlib
import pathlib
import random
import shutil
import sys
import tempfile
import threading
import time

from driver import Failure, Job, Output, World

OPTIONS = """
SET 'execution.checkpointing.interval' = '{interval} s';
SET 'execution.checkpointing.timeout' = '60 min';
SET 'execution.checkpointing.min-pause' = '{interval} s';
SET 'execution.checkpointing.dir' = 'chk';
SET 'execution.checkpointing.tolerable-failed-checkpoints' = '0';
SET 'restart-strategy.type' = 'none';
SET 'pipeline.name' = 'wide';
CREATE TABLE numbers (id BIGINT, noise STRING, ts AS TO_TIMESTAMP_LTZ(id, 3), WATERMARK FOR ts AS ts) WITH (
  'connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{last}',
  'fields.noise.length' = '{noise}', 'rows-per-second' = '{rate}');
CREATE VIEW wide AS
  SELECT MOD(id * 7919, {keys}) AS k, id, ts, name || noise || MD5(name || noise) AS payload
  FROM (SELECT *, MD5(CAST(id AS STRING)) AS name FROM numbers);
"""

MAX = """
CREATE TABLE results (k BIGINT, n BIGINT, letters BIGINT, name STRING, whole BOOLEAN) WITH (
  'connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
INSERT INTO results
  SELECT k, n, letters, LEFT(p, 32), MD5(LEFT(p, CHAR_LENGTH(p) - 32)) = RIGHT(p, 32) FROM (
    SELECT k, COUNT(*) AS n, SUM(CHAR_LENGTH(payload)) AS letters, MAX(payload) AS p
    FROM TABLE(TUMBLE(TABLE wide, DESCRIPTOR(ts), INTERVAL '30' DAY)) GROUP BY window_start, window_end, k);
"""

JOIN = """
CREATE TABLE asked (id BIGINT) WITH (
  'connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{last}',
  'rows-per-second' = '{rate}');
CREATE TABLE results (k BIGINT, letters BIGINT, name STRING, whole BOOLEAN) WITH (
  'connector' = 'filesystem', 'path' = 'out', 'format' = 'csv');
INSERT INTO results
  SELECT id, CHAR_LENGTH(p), LEFT(p, 32), MD5(LEFT(p, CHAR_LENGTH(p) - 32)) = RIGHT(p, 32) FROM (
    SELECT w.id, w.payload AS p FROM wide w JOIN asked a ON w.id = {last} - a.id);
"""


def name(number):
    return hashlib.md5(str(number).encode()).hexdigest()


class Max:
    """Each key has two texts, of which one stays."""

    title, per_key, sql = "max", 2, MAX

    @staticmethod
    def expected(keys, letters):
        groups = collections.defaultdict(list)
        for number in range(2 * keys):
            groups[number * 7919 % keys].append(number)
        rows = collections.Counter()
        for key, numbers in groups.items():
            rows[(str(key), str(len(numbers)), str(letters * len(numbers)), max(map(name, numbers)), "true")] += 1
        return rows


class Join:
    """Each text is a separate row."""

    title, per_key, sql = "join", 1, JOIN

    @staticmethod
    def expected(keys, letters):
        return collections.Counter((str(n), str(letters), name(n), "true") for n in range(keys))


class Peak:
    """The most memory that a process has had, looked at while it lives."""

    def __init__(self, job):
        self.job, self.most, self.stopped = job, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.stopped.wait(0.05):
            try:
                status = pathlib.Path(f"/proc/{self.job.process.pid}/status").read_text()
            except OSError:
                return
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    self.most = max(self.most, int(line.split()[1]) // 1024)

    def stop(self):
        self.stopped.set()
        self.thread.join()
        return self.most


def manifests(job):
    """The checkpoints that are complete."""
    return set((job.folder / "chk").rglob("_metadata"))


def snapshots(job):
    """Bytes of snapshots on disk; files may vanish in the meantime."""
    sizes = 0
    for path in (job.folder / "chk").rglob("*"):
        try:
            sizes += path.stat().st_size
        except FileNotFoundError:
            continue
    return sizes


def wait_for(job, holds, what, seconds):
    end = time.monotonic() + seconds
    while not holds():
        if job.process.poll() is not None:
            return False
        if time.monotonic() > end:
            raise Failure(f"{what} has not happened within {seconds} s:\n{job.told()[-2000:]}")
        time.sleep(0.02)
    return True


def run(kind, world, options):
    letters = options.kilobytes * 1024
    keys = max(10, options.megabytes * 1024 // options.kilobytes)
    rows = keys * kind.per_key
    # About this many seconds of rows, so that some checkpoints are taken in the meantime.
    rate = max(1, rows // options.seconds)
    script = (OPTIONS + kind.sql).format(
        interval=options.interval, last=rows - 1, rate=rate, keys=keys, noise=letters - 64)
    job = Job(world, kind.title, script)
    output = Output(job.folder / "out")
    expected = kind.expected(keys, letters)
    state = keys * options.kilobytes // 1024
    print(f"{kind.title}: {rows} rows of {options.kilobytes} KB, {state} MB of state", flush=True)
    highest = 0
    for number in range(options.kills + 1):
        before = manifests(job)
        begin = time.monotonic()
        job.start(parallelism=1)
        peak = Peak(job)
        try:
            if number < options.kills:
                done = lambda: manifests(job) - before
                alive = wait_for(job, done, "a checkpoint", options.timeout)
                if alive:
                    # Behind it, or in the middle of the next one.
                    job.wait(world.rng.uniform(0, 2 * options.interval))
                if job.kill():
                    print(f"  killed {time.monotonic() - begin:.0f} s after the start, {snapshots(job) >> 20} MB of snapshots", flush=True)
                else:
                    job.check_status(job.process.returncode)
            else:
                status = job.wait(options.timeout)
                if status is None:
                    raise Failure(f"{kind.title} did not end within {options.timeout} s:\n{job.told()[-2000:]}")
                job.check_status(status)
                print(f"  ended {time.monotonic() - begin:.0f} s after the start", flush=True)
        finally:
            if job.process.poll() is None:
                job.kill()
            most = peak.stop()
        print(f"  peak of memory: {most} MB, {most / state:.1f} times the state", flush=True)
        highest = max(highest, most)
        output.check_part(expected)
    output.check_whole(expected)
    print(f"{kind.title}: right after {world.counts['kills']} kills; {highest} MB at most, {highest / state:.1f} times the state", flush=True)
    if options.most and highest > options.most * state:
        raise Failure(f"{kind.title} took {highest} MB for {state} MB of state")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True, type=pathlib.Path)
    parser.add_argument("--megabytes", type=int, default=300, help="of state")
    parser.add_argument("--kilobytes", type=int, default=100, help="of one text")
    parser.add_argument("--seconds", type=int, default=30, help="for all rows, if nothing else takes time")
    parser.add_argument("--interval", type=int, default=3, help="seconds between checkpoints")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--timeout", type=int, default=3_600)
    parser.add_argument("--most", type=float, default=0, help="fail if the memory is more than this many times the state")
    parser.add_argument("--only", choices=["max", "join"])
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = random.randrange(1 << 32) if options.seed is None else options.seed
    print(f"--seed {seed}", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flott-wide-"))
    try:
        for kind in (Max, Join):
            if options.only in (None, kind.title):
                world = World(options.bin.resolve(), folder / kind.title, seed, None)
                run(kind, world, options)
                shutil.rmtree(folder / kind.title)
    except Failure as failure:
        print(f"{failure}\nsee {folder}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
