"""What every scenario works with: jobs that are started, killed and restored, and the rows that they have committed."""
import collections
import csv
import json
import os
import pathlib
import random
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What has not happened by then never will.
TIMEOUT = 120


class Failure(Exception):
    """The test has found something."""


class World:
    """One round: its folder, its chance, and what was done in it."""

    def __init__(self, binary, folder, seed, common):
        self.binary, self.folder, self.seed = binary, folder, seed
        self.rng = random.Random(seed)
        self.counts = collections.Counter()
        # What several rounds share: see `Common`.
        self.common = common
        folder.mkdir(parents=True)

    def moment(self, longest=1.5):
        """When to kill, in seconds after the start: often early, while the job is being restored."""
        return self.rng.uniform(0.0, 0.4) if self.rng.random() < 0.3 else self.rng.uniform(0.4, longest)


class Job:
    """One script in its own folder, across all its processes."""

    def __init__(self, world, name, sql, script="job"):
        self.world, self.name, self.sql = world, name, sql
        self.folder = world.folder / name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.script, self.printed, self.errors = (self.folder / f"{script}{end}" for end in (".sql", ".printed.txt", ".errors.txt"))
        self.starts, self.process, self.told_from = 0, None, 0
        # State that can leave memory does so at once.
        self.tight = world.rng.random() < 0.5

    def start(self, parallelism=None, restore=True, options=()):
        """Starts a process; `sql` may be a function of the parallelism."""
        parallelism = parallelism or self.world.rng.choice((1, 2, 4))
        text = self.sql(parallelism) if callable(self.sql) else self.sql
        self.script.write_text(text, encoding="utf-8")
        command = [str(self.world.binary), "sql", "-q", "-f", self.script.name, "-D", f"parallelism.default={parallelism}"]
        for option in options:
            command += ["-D", option]
        if self.tight:
            command += ["-D", "taskmanager.memory.managed.size=4kb"]
        if restore and self.starts > 0:
            command += ["--restore", "latest"]
        self.starts += 1
        with open(self.printed, "ab") as out, open(self.errors, "ab") as errors:
            out.write(b"\n")  # a killed process may have left half a line
            errors.write(f"--- start {self.starts}: {' '.join(command[3:])}\n".encode())
            out.flush()
            errors.flush()
            self.told_from = errors.tell()
            self.process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=errors)

    def told(self):
        """What the last process wrote to standard error."""
        return self.errors.read_bytes()[self.told_from:].decode(errors="replace")

    def kill(self):
        """SIGKILL; says whether the process was still there."""
        alive = self.process.poll() is None
        self.process.kill()
        self.process.wait()
        self.world.counts["kills"] += alive
        return alive

    def wait(self, seconds):
        """-> the exit status, or None if the process continues"""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def check_status(self, status):
        if status != 0:
            raise Failure(f"{self.name} ended with exit status {status}:\n{self.told()[-2000:]}")

    def run_for(self, seconds, **how):
        """Starts it and kills it after this long. -> whether it has ended by itself before"""
        self.start(**how)
        status = self.wait(seconds)
        if status is not None:
            self.check_status(status)
            return True
        self.kill()
        return False

    def finish(self, **how):
        """Starts it and waits for its end."""
        self.start(**how)
        self.end()

    def end(self):
        status = self.wait(TIMEOUT)
        if status is None:
            self.kill()
            raise Failure(f"{self.name} did not end within {TIMEOUT} s")
        self.check_status(status)

    def refused(self, what, **how):
        """Starts it, which must fail and say one of these words; nothing else counts as a refusal."""
        self.start(**how)
        status = self.wait(TIMEOUT)
        if status is None:
            self.kill()
            raise Failure(f"{self.name} was to be refused ({what}), and runs")
        self.check_refusal(status, what)

    def check_refusal(self, status, what):
        told = self.told().lower()
        if status == 0:
            raise Failure(f"{self.name} was to be refused ({what}), and ended with exit status 0:\n{told[-2000:]}")
        if not any(word in told for word in what):
            raise Failure(f"{self.name} was refused, but the message says none of {what}:\n{told[-2000:]}")
        self.world.counts["refusals"] += 1


class Output:
    """The files of a sink."""

    def __init__(self, folder, name=None):
        self.folder, self.name = pathlib.Path(folder), name or pathlib.Path(folder).name

    def files(self):
        """The visible ones: names that begin with . or _ are not committed."""
        found = []
        # Folders may vanish while a job runs, which os.walk passes over.
        for folder, folders, files in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith((".", "_"))]
            found += [pathlib.Path(folder, name) for name in files if not name.startswith((".", "_"))]
        yield from sorted(found)

    def rows(self):
        """The rows of all visible files; none may end within a row."""
        rows = collections.Counter()
        for path in self.files():
            try:
                text = path.read_text(encoding="utf-8")
            except FileNotFoundError:
                continue  # moved away since
            if text and not text.endswith("\n"):
                raise Failure(f"{path} ends within a row")
            rows.update(tuple(row) for row in csv.reader(text.splitlines()))
        return rows

    def check_part(self, expected):
        """What is visible is part of what is expected."""
        more = self.rows() - expected
        if more:
            row, count = next(iter(more.items()))
            raise Failure(f"{self.name}: {row} is visible {count} times too often ({len(more)} such rows)")

    def check_whole(self, expected):
        """What is visible is what is expected."""
        self.check_part(expected)
        less = expected - self.rows()
        if less:
            row, count = next(iter(less.items()))
            raise Failure(f"{self.name}: {row} is missing {count} times ({len(less)} such rows)")


class Changes(Output):
    """The files of a sink that takes changes of rows by their first column, as debezium-json: what remains when they are applied."""

    def rows(self):
        rows = collections.Counter()
        for path in self.files():
            text = path.read_text(encoding="utf-8")
            if text and not text.endswith("\n"):
                raise Failure(f"{path} ends within a row")
            for line in text.splitlines():
                change = json.loads(line)
                for side, sign in (("before", -1), ("after", 1)):
                    if change[side] is not None:
                        rows[tuple(str(value) for value in change[side].values())] += sign
        return collections.Counter({row: count for row, count in rows.items() if count})

    def check_part(self, expected):
        """What is visible at any moment: one row for a key, and no retraction of what was not there."""
        rows = self.rows()
        keys = collections.Counter(row[0] for row in rows)
        wrong = next((row for row, count in rows.items() if count != 1 or keys[row[0]] != 1), None)
        if wrong:
            raise Failure(f"{self.name}: {wrong} is there {rows[wrong]} times, its key has {keys[wrong[0]]} rows")

    def check_whole(self, expected):
        self.check_part(expected)
        if self.rows() != expected:
            raise Failure(f"{self.name}: {next(iter((expected - self.rows()).keys()), 'a row')} is missing")


def until(holds, what, job=None, timeout=TIMEOUT):
    """Waits until something holds. -> whether it does; False only if the process of the job has ended before"""
    end = time.monotonic() + timeout
    while not holds():
        if job is not None and job.process.poll() is not None:
            return holds()
        if time.monotonic() > end:
            raise Failure(f"{what} has not happened within {timeout} s")
        time.sleep(0.002)
    return True


def metadata(folder):
    """The manifests below a folder, oldest first."""
    return sorted(pathlib.Path(folder).rglob("_metadata"), key=os.path.getmtime)
