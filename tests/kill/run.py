#!/usr/bin/env python3
"""Kill the flights job with SIGKILL at random moments, restore it each time, and compare what it committed.

usage: run.py [--bin PATH_OF_FLOTT] [--kills N] [--seed N] [--rate ROWS_PER_SECOND] [--keep]

A run starts examples/flights/flights.sql in a folder of its own, slowed down so that there is something to kill, kills the process,
starts it again with `--restore latest`, and so on; at last it lets the job finish. One run after the other, at parallelism 1, 2 and
4, and with another parallelism after each kill, until there were N kills (default 32). What is checked:

- after every kill: what is visible holds whole rows, each of them one of the undisturbed run, none too often;
- in the end: the rows of each file sink are exactly those of the undisturbed run; of the print sinks no row is missing;
- the undisturbed run itself agrees with verify.py, which computes the figures without Flott;
- the test tests something: jobs were restored from checkpoints, and more than one process committed rows.

The seed is printed. The moments of the kills follow from it; what the process is doing then does not, of course.
"""
import argparse
import collections
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples" / "flights"))
import verify  # noqa: E402

SINKS = ("hourly", "aircraft_days")
COLUMNS = {"hourly": 6, "aircraft_days": 6}
CHECKPOINT_INTERVAL = "150 ms"
TIMEOUT = 180
# Parallelism of each start; the last goes on for all starts that follow.
PLANS = {"parallelism 1": [1], "parallelism 2": [2], "parallelism 4": [4], "rescaled": [1, 2, 4, 2, 1, 4]}


class Failure(Exception):
    pass


def script(rate):
    """The example, at another pace and with more checkpoints."""
    text = (ROOT / "examples" / "flights" / "flights.sql").read_text(encoding="utf-8")
    for pattern, value in (
        (r"('source\.rate-limit\.rows-per-second' = )'\d+'", str(rate)),
        (r"(SET 'execution\.checkpointing\.interval' = )'[^']+'", CHECKPOINT_INTERVAL),
    ):
        text, count = re.subn(pattern, lambda found, value=value: f"{found.group(1)}'{value}'", text)
        if count != 1:
            raise Failure(f"flights.sql has {count} places that match {pattern}; 1 expected")
    return text


class Job:
    """One job in a folder of its own, over all its processes."""

    def __init__(self, binary, folder, rate):
        self.binary, self.folder = binary, folder
        folder.mkdir(parents=True)
        (folder / "examples").symlink_to(ROOT / "examples")
        self.rate = rate
        self.output = folder / "target" / "demo"
        self.printed, self.errors = folder / "printed.txt", folder / "errors.txt"

    def checkpoints(self):
        return sorted(self.output.glob("checkpoints/**/_metadata"))

    def start(self, parallelism):
        command = [str(self.binary), "sql", "-q", "-f", "flights.sql", "-D", f"parallelism.default={parallelism}"]
        restored = bool(self.checkpoints())
        if restored:
            command += ["--restore", "latest"]
        # The readers share the rate, and only one of them has something to read.
        (self.folder / "flights.sql").write_text(script(self.rate * parallelism), encoding="utf-8")
        with open(self.printed, "ab") as out, open(self.errors, "ab") as errors:
            out.write(b"\n")  # a killed process may have left half a line
            out.flush()
            process = subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=errors)
        return process, restored

    def check_end(self, code):
        if code != 0:
            told = self.errors.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise Failure(f"the job ended with exit status {code}:\n{told}")

    def finish(self, parallelism=2):
        process, restored = self.start(parallelism)
        try:
            self.check_end(process.wait(TIMEOUT))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failure(f"the job did not end within {TIMEOUT} s") from None
        return restored

    def rows(self, sink):
        return collections.Counter(verify.committed(self.output / sink))

    def committers(self):
        """How many processes committed files: part-<job>-<attempt>-<start of the writer>-<subtask>-<number>."""
        names = [path.name.split("-") for sink in SINKS for path in (self.output / sink).glob("part-*")]
        return len({name[1] for name in names if len(name) > 3})

    def check_visible(self, expected):
        """What is visible is whole, and nothing that the undisturbed run does not have."""
        for sink in SINKS:
            for path in (self.output / sink).rglob("[!._]*"):
                data = path.read_bytes() if path.is_file() else b""
                if data and not data.endswith(b"\n"):
                    raise Failure(f"{path} ends within a row")
            rows = self.rows(sink)
            short = next((row for row in rows if len(row) != COLUMNS[sink]), None)
            if short:
                raise Failure(f"{sink}: {short} is no whole row")
            extra = rows - expected[sink]
            if extra:
                row, count = next(iter(extra.items()))
                raise Failure(f"{sink}: {', '.join(row)} is visible {count} times too often ({len(extra)} such rows)")


def moment(rng):
    """When to kill, in seconds after the start: often early, while the job is being restored."""
    return rng.uniform(0.0, 0.4) if rng.random() < 0.3 else rng.uniform(0.4, 1.6)


def disturbed(job, plan, kills, rng, expected):
    """Kills and restores; then lets the job finish. -> (kills, restores)"""
    killed = restores = 0
    while killed < kills:
        parallelism = plan[min(killed, len(plan) - 1)]
        process, restored = job.start(parallelism)
        restores += restored
        try:
            job.check_end(process.wait(moment(rng)))
            return killed, restores  # it was done before we came
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        job.check_visible(expected)
    restores += job.finish(plan[-1])
    return killed, restores


def run(args, folder):
    rng = random.Random(args.seed)
    started = time.monotonic()
    whole = Job(args.bin, folder / "undisturbed", 1_000_000)
    whole.finish()
    expected = {sink: whole.rows(sink) for sink in SINKS}
    if subprocess.run([sys.executable, ROOT / "examples/flights/verify.py", "--output", whole.output,
                       "--printed", whole.printed]).returncode != 0:
        raise Failure("the undisturbed run is wrong")
    total = restored = committers = number = 0
    while total < args.kills:
        name, plan = list(PLANS.items())[number % len(PLANS)]
        job = Job(args.bin, folder / f"run-{number}", args.rate)
        kills = min(-(-args.kills // len(PLANS)), args.kills - total)
        killed, restores = disturbed(job, plan, kills, rng, expected)
        for sink in SINKS:
            if not verify.compare(sink, expected[sink].elements(), job.rows(sink).elements()):
                raise Failure(f"{name}: the committed rows differ; see {job.folder}")
        missing = printed(whole, "delays") - printed(job, "delays")
        if missing or last_rows(job) != last_rows(whole):
            raise Failure(f"{name}: what was printed is not complete; see {job.folder}")
        print(f"ok {name}: {killed} kills, {restores} restores, files of {job.committers()} processes, "
              f"{time.monotonic() - started:.0f} s", flush=True)
        total, restored, number = total + killed, restored + restores, number + 1
        committers = max(committers, job.committers())
        if number > 4 * len(PLANS):
            raise Failure(f"only {total} kills in {number} runs: the job is over too soon; lower --rate")
    if restored < total // 2:
        raise Failure(f"{restored} restores after {total} kills: the test does not test what it should")
    if committers < 2:
        raise Failure("no run had files of two processes: the test does not test what it should")
    print(f"{total} kills, {restored} restores from a checkpoint: every row is there, and once")


def printed(job, identifier):
    return {row for _, row in verify.printed(job.printed, identifier)}


def last_rows(job):
    return {row[0]: row for kind, row in verify.printed(job.printed, "carriers") if kind in ("+I", "+U")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "target" / "debug" / "flott"))
    parser.add_argument("--kills", type=int, default=32)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--rate", type=int, default=3000, help="rows per second")
    parser.add_argument("--keep", action="store_true", help="keep the folder also when all is well")
    args = parser.parse_args()
    args.bin = pathlib.Path(args.bin).resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flott-kill-"))
    print(f"kill test: seed {args.seed}, folder {folder}", flush=True)
    try:
        run(args, folder)
    except Failure as failure:
        print(f"FAILED (seed {args.seed}, folder kept: {folder}): {failure}")
        return 1
    if not args.keep:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
