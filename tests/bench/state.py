#!/usr/bin/env python3
"""State larger than memory: what it costs, and whether the process stays within its memory.

usage: state.py [--bin FLOTT] [--keys 300000] [--part 10] [--queries group,join,latest,top] [--rounds 1] [--against FLOTT]
       state.py --within 256 [--bin FLOTT] [--megabytes 1000]

The first form runs each query twice: with all state in memory, and with the memory for state that is one PARTth of it (10: a tenth). It
tells rows per CPU second of both, how long checkpoints took, the peak of resident memory, and how many bytes were written to the local
disk for each byte of state that is there at the end (merging files rewrites them; checkpoints count too). `--against` is another build of
Flott: the runs in memory take turns with it, which shows what resident state pays.

The second form runs GROUP BY over MEGABYTES of state in a process that gets no more than so many megabytes of memory from the system
(a control group, or where there is none RLIMIT_DATA), and fails if the result is wrong, if resident memory exceeds the limit, or if no checkpoint completes.

Keys come in no order. Results go to files, of which the sums are compared with those that Python computes.
"""
import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSES = 3
SHUFFLE = [7919, 104729]

TABLES = """
SET 'execution.checkpointing.interval' = '2 s';
SET 'execution.checkpointing.min-pause' = '1 s';
SET 'execution.checkpointing.timeout' = '10 min';
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{last}');
CREATE TABLE results (op STRING, a BIGINT, b BIGINT, c BIGINT) WITH (
  'connector' = 'filesystem', 'path' = '{folder}/out', 'format' = 'csv');
CREATE VIEW rows_of_keys AS SELECT MOD(id * {shuffle}, {keys}) AS k, id, REPEAT(MD5(CAST(id AS STRING)), {width}) AS text FROM numbers;
"""

# Each ends in a single row, so that what is measured is the state before it, and what it says can be computed.
QUERIES = {
    "group": """CREATE VIEW answer AS SELECT COUNT(*) AS a, SUM(n) AS b, SUM(len) AS c FROM (
        SELECT k, COUNT(*) AS n, CHAR_LENGTH(MAX(text)) AS len FROM rows_of_keys GROUP BY k);""",
    "join": """CREATE TABLE others (id BIGINT) WITH ('connector' = 'datagen',
        'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{last}');
      CREATE VIEW answer AS SELECT COUNT(*) AS a, SUM(l.id) AS b, SUM(CHAR_LENGTH(text)) AS c
        FROM rows_of_keys l JOIN (SELECT MOD(id * {other}, {keys}) AS k, id FROM others) r ON l.k = r.k;""",
    "latest": """CREATE VIEW answer AS SELECT COUNT(*) AS a, SUM(id) AS b, SUM(CHAR_LENGTH(text)) AS c FROM (
        SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY id DESC) AS n FROM rows_of_keys) WHERE n = 1);""",
    "top": """CREATE VIEW answer AS SELECT COUNT(*) AS a, SUM(id) AS b, SUM(CHAR_LENGTH(text)) AS c FROM (
        SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY text) AS n FROM rows_of_keys) WHERE n <= 2);""",
}
INSERT = "INSERT INTO results SELECT op, a, b, c FROM TO_CHANGELOG(input => TABLE answer);"


def expected(query, keys, width):
    """The single row of a query's answer. `top` chooses by a digest: only its count is known without computing all digests."""
    rows = keys * (1 if query == "join" else PASSES)
    letters = 32 * width
    if query == "group":
        return keys, rows, letters * keys
    if query == "join":
        return keys, keys * (keys - 1) // 2, letters * keys
    if query == "latest":
        # The last pass has each key once.
        return keys, sum(range(rows - keys, rows)), letters * keys
    return 2 * keys, None, 2 * letters * keys


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def ask(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return json.load(response)


class Group:
    """Processes that get no more than so much memory: a group of the system's, or where none can be made, a limit of each of them."""

    def __init__(self, limit, folder=None):
        self.limit, self.folder = limit, folder

    @staticmethod
    def of(limit):
        for root, file in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
            folder = pathlib.Path(root, f"flott-state-{os.getpid()}")
            try:
                folder.mkdir()
                (folder / file).write_text(str(limit))
                return Group(limit, folder)
            except OSError:
                if folder.is_dir():
                    folder.rmdir()
        return Group(limit)

    def join(self):
        if self.folder:
            (self.folder / "cgroup.procs").write_text(str(os.getpid()))
        else:
            resource.setrlimit(resource.RLIMIT_DATA, (self.limit, self.limit))

    def remove(self):
        if self.folder:
            self.folder.rmdir()


class Run:
    """One query in a cluster of its own: how long, how much, and what it answered."""

    def __init__(self, binary, query, keys, width, memory=None, limit=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="flott-state-"))
        try:
            self.run(binary, query, keys, width, memory, limit)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, binary, query, keys, width, memory, limit):
        rows = keys * (1 if query == "join" else PASSES)
        values = {"last": rows - 1, "keys": keys, "width": width, "folder": self.folder, "shuffle": SHUFFLE[0], "other": SHUFFLE[1]}
        sql = self.folder / "job.sql"
        sql.write_text((TABLES + QUERIES[query] + INSERT).format(**values))
        (self.folder / "tmp").mkdir()
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        options = [f"rest.port={port}", f"io.tmp.dirs={self.folder}/tmp", f"execution.checkpointing.dir={self.folder}/chk",
                   "parallelism.default=1", "jobmanager.rpc.port=0"]
        options.append(f"taskmanager.memory.managed.size={memory} b" if memory else "state.backend.type=hashmap")
        defines = [part for option in options for part in ("-D", option)]
        group = Group.of(limit) if limit else None
        bounds = group.join if group else None
        with open(self.folder / "log", "wb") as log:
            process = subprocess.Popen([binary, "local", *defines], stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=bounds)
        try:
            self.wait_for(url, process)
            started = time.monotonic()
            client = subprocess.Popen([binary, "sql", "--cluster", url, "-q", *defines, "-f", sql], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                self.watch(url, process)
            finally:
                client.kill()
                client.wait()
            self.seconds = time.monotonic() - started
            self.written = int(next(line for line in open(f"/proc/{process.pid}/io") if line.startswith("write_bytes")).split()[1])
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                _, _, usage = os.wait4(process.pid, 0)
                process.returncode = 0
            if group:
                group.remove()
        self.cpu, self.peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10
        self.rows = rows * (2 if query == "join" else 1)
        self.answer = self.last_row()
        wanted = expected(query, keys, width)
        if any(want not in (None, got) for want, got in zip(wanted, self.answer)):
            sys.exit(f"{query}: {self.answer} instead of {wanted}")

    def wait_for(self, url, process):
        deadline = time.monotonic() + 60
        while True:
            try:
                return ask(f"{url}/overview")
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"the cluster did not start:\n{(self.folder / 'log').read_text()}")
                time.sleep(0.05)

    def watch(self, url, process):
        """Until the job has finished; how large spilled files and checkpoints became."""
        self.spilled, self.checkpoints = 0, []
        while True:
            if process.poll() is not None:
                sys.exit(f"the cluster ended with {process.returncode}:\n{(self.folder / 'log').read_text()[-2500:]}")
            try:
                jobs = ask(f"{url}/jobs/overview")["jobs"]
            except OSError:
                # It has just ended, or has much to do.
                time.sleep(0.5)
                continue
            self.spilled = max(self.spilled, self.on_disk(process.pid))
            for job in jobs:
                history = ask(f"{url}/jobs/{job['jid']}/checkpoints").get("history", [])
                known = {each["id"]: each for each in history if each["status"] == "COMPLETED"}
                self.checkpoints = list({**dict(self.checkpoints), **known}.items())
            if jobs and all(job["state"] in ("FINISHED", "FAILED", "CANCELED") for job in jobs):
                if any(job["state"] != "FINISHED" for job in jobs):
                    failure = ask(f"{url}/jobs/{jobs[0]['jid']}/exceptions")
                    sys.exit(f"the job failed: {json.dumps(failure)[:2000]}")
                return
            time.sleep(0.2)

    def on_disk(self, pid):
        """The bytes of files that have no name."""
        size = 0
        for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.readlink(link).startswith(f"{self.folder}/tmp/"):
                    size += os.stat(link).st_size
            except OSError:
                continue
        return size

    def last_row(self):
        """What the changes add up to."""
        counts = {}
        for path in (self.folder / "out").iterdir():
            if path.name.startswith((".", "_")):
                continue
            for line in path.read_text().splitlines():
                kind, _, row = line.partition(",")
                counts[row] = counts.get(row, 0) + (1 if kind in ("INSERT", "UPDATE_AFTER") else -1)
        left = [row for row, count in counts.items() if count]
        if len(left) != 1:
            sys.exit(f"{len(left)} rows are left of the result, not one")
        return tuple(int(value) for value in left[0].split(","))

    def slowest_checkpoint(self):
        return max((each["end_to_end_duration"] for _, each in self.checkpoints), default=0)


def mb(size):
    return f"{size / 1e6:.0f} MB"


def bench(args):
    print("| query | keys | rows | state | memory for it | rows per CPU s, in memory | spilled | slowest checkpoint, in memory | spilled "
          "| peak of memory, in memory | spilled | on disk | written, for each byte of state |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for query in args.queries.split(","):
        empty = Run(args.bin, query, 10, args.width)
        resident, others, spilled = [], [], []
        for _ in range(args.rounds):
            if args.against:
                others.append(Run(args.against, query, args.keys, args.width))
            resident.append(Run(args.bin, query, args.keys, args.width))
        state = min(run.peak for run in resident) - empty.peak
        for _ in range(args.rounds):
            spilled.append(Run(args.bin, query, args.keys, args.width, memory=max(state // args.part, 1)))
        rate = lambda runs: f"{max(run.rows / run.cpu for run in runs) / 1e3:.0f} k"
        slowest = lambda runs: f"{max(run.slowest_checkpoint() for run in runs)} ms"
        peak = lambda runs: mb(max(run.peak for run in runs))
        print(f"| {query} | {args.keys} | {resident[0].rows} | {mb(state)} | {mb(state // args.part)} | {rate(resident)} | {rate(spilled)} | "
              f"{slowest(resident)} | {slowest(spilled)} | {peak(resident)} | {peak(spilled)} | {mb(spilled[0].spilled)} | "
              f"{spilled[0].written / state:.1f} |", flush=True)
        if others:
            ratio = max(run.rows / run.cpu for run in resident) / max(run.rows / run.cpu for run in others)
            print(f"<!-- {query}, in memory: {ratio:.3f} of the rows per CPU second of {args.against} -->", flush=True)


def within(args):
    width = 30
    keys = args.megabytes * 1_000_000 // (32 * width + 40)
    limit = args.within << 20
    run = Run(args.bin, "group", keys, width, memory=limit // 8, limit=limit)
    told = f"{keys} keys of {mb(32 * width * keys)} text within {args.within} MB: peak of resident memory {mb(run.peak)}, {mb(run.spilled)} " \
           f"on disk, {len(run.checkpoints)} checkpoints, the slowest {run.slowest_checkpoint()} ms, {run.seconds:.0f} s"
    if run.peak > limit or not run.checkpoints or run.spilled < 32 * width * keys // 2:
        sys.exit(f"failed: {told}")
    print(told)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "target" / "release" / "flott"))
    parser.add_argument("--against")
    parser.add_argument("--keys", type=int, default=300_000)
    parser.add_argument("--width", type=int, default=2, help="texts have 32 letters times this")
    parser.add_argument("--part", type=int, default=10)
    parser.add_argument("--queries", default=",".join(QUERIES))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--within", type=int, help="megabytes of memory of the process")
    parser.add_argument("--megabytes", type=int, default=1_000)
    args = parser.parse_args()
    within(args) if args.within else bench(args)


if __name__ == "__main__":
    main()
