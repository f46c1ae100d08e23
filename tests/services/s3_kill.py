"""SIGKILL of Flott while rows go from S3 to S3, exactly once, with checkpoints on S3 and a server that fails now and then.

Each round writes a table of csv files to a bucket, then starts a job that copies its rows into partitions and the large ones into another table, kills it at random
moments, and lets it continue from its last checkpoint, at any parallelism. In the end the objects that are visible must hold exactly what plain Python
computes, and nothing may be left of uploads and of what writers note of them.

    python3 tests/services/s3_kill.py --bin target/debug/flott --rounds 20 [--seed 7]
"""

import argparse
import collections
import csv
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kafka import ServiceError  # noqa: E402
from kafka_kill import Failure, compare  # noqa: E402
from s3 import ACCESS, BUCKET, SECRET, S3, Unreliable  # noqa: E402

# What has not happened by then never will.
TIMEOUT = 240
ROWS, HOURS = 6_000, 6


class Round:
    def __init__(self, s3: S3, binary: Path, folder: Path, seed: int):
        self.s3, self.binary, self.folder, self.seed = s3, binary, folder, seed
        self.rng = random.Random(seed)
        self.name = f"r{seed}-{os.getpid()}"
        self.counts: collections.Counter = collections.Counter()
        # In every other round the small files of a checkpoint are merged before they are visible.
        self.merging = seed % 2 == 0
        self.before = set(s3.uploads())
        folder.mkdir(parents=True)

    def run(self) -> None:
        rng = self.rng
        self.orders = [(number, rng.randrange(HOURS), rng.randrange(100)) for number in range(ROWS)]
        (self.folder / "orders").mkdir()
        with open(self.folder / "orders" / "rows.csv", "w", encoding="utf-8", newline="") as rows:
            csv.writer(rows).writerows((number, self.time(number, hour), amount) for number, hour, amount in self.orders)
        with Unreliable(self.s3.endpoint, self.seed, 0.05) as unreliable:
            self.endpoint = unreliable.endpoint
            self.fill()
            self.kill_the_job()
            self.counts["failed requests"] += unreliable.failed
        self.check()

    @staticmethod
    def time(number: int, hour: int) -> str:
        return f"2024-01-01 {hour:02}:{number % 60:02}:00"

    def table(self, name: str, columns: str, *options: str, place: str = "", partitions: str = "") -> str:
        path = place or f"s3://{BUCKET}/{self.name}/{name}"
        given = ", ".join(["'connector' = 'filesystem'", f"'path' = '{path}'", "'format' = 'csv'", *options])
        return f"CREATE TABLE {name} ({columns}) {partitions} WITH ({given});\n"

    def fill(self) -> None:
        columns = "id BIGINT, ts TIMESTAMP(0), amount BIGINT"
        text = "SET 'table.dml-sync' = 'true';\nSET 'parallelism.default' = '1';\n" + self.table("rows_here", columns, place="orders")
        text += self.table("orders", columns, "'sink.rolling-policy.file-size' = '20kb'") + "INSERT INTO orders SELECT * FROM rows_here;\n"
        if self.start(text, "fill", ()).wait(TIMEOUT) != 0:
            raise Failure(f"the bucket cannot be filled: {self.told('fill')}")

    def job(self) -> str:
        text = "SET 'table.dml-sync' = 'true';\nSET 'execution.checkpointing.interval' = '200 ms';\n"
        text += f"SET 'execution.checkpointing.dir' = 's3://{BUCKET}/{self.name}/checkpoints';\nSET 'pipeline.name' = '{self.name}';\n"
        text += "SET 'restart-strategy.type' = 'fixed-delay';\nSET 'restart-strategy.fixed-delay.attempts' = '1000';\n"
        text += "SET 'restart-strategy.fixed-delay.delay' = '100 ms';\n"
        # Slowly, so that there is a middle to be killed in.
        text += self.table("orders", "id BIGINT, ts TIMESTAMP(0), amount BIGINT", "'source.rate-limit.rows-per-second' = '900'")
        merging = ("'auto-compaction' = 'true'", "'sink.rolling-policy.file-size' = '1kb'", "'compaction.file-size' = '1mb'") if self.merging else ()
        text += self.table("copied", "id BIGINT, amount BIGINT, h STRING", *merging, partitions="PARTITIONED BY (h)")
        text += self.table("large_ones", "h STRING, amount BIGINT")
        return text + """EXECUTE STATEMENT SET BEGIN
INSERT INTO copied SELECT id, amount, DATE_FORMAT(ts, 'HH') FROM orders;
INSERT INTO large_ones SELECT DATE_FORMAT(ts, 'HH'), amount FROM orders WHERE amount > 90;
END;
"""

    def start(self, text: str, name: str, options: tuple[str, ...]) -> subprocess.Popen:
        (self.folder / f"{name}.sql").write_text(text, encoding="utf-8")
        settings = {"s3.endpoint": self.endpoint, "s3.access-key": ACCESS, "s3.secret-key": SECRET}
        command = [str(self.binary), "sql", "-q", "-f", f"{name}.sql", *options]
        command += [part for key, value in settings.items() for part in ("-D", f"{key}={value}")]
        with open(self.folder / f"{name}.log", "ab") as log:
            log.write(f"--- {' '.join(options)}\n".encode())
            log.flush()
            return subprocess.Popen(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def told(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-2500:]

    def kill_the_job(self) -> None:
        rng, starts = self.rng, 0
        kills = rng.randrange(2, 5)
        while True:
            options = ["-D", f"parallelism.default={rng.choice((1, 2, 4))}"] + (["--restore", "latest"] if starts else [])
            process = self.start(self.job(), "job", tuple(options))
            starts += 1
            try:
                status = process.wait(rng.uniform(0.5, 4.0) if kills else TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                if not kills:
                    raise Failure(f"the job does not end within {TIMEOUT} s:\n{self.told('job')}") from None
                kills -= 1
                self.counts["kills"] += 1
                continue
            if status != 0:
                raise Failure(f"the job ended with status {status}:\n{self.told('job')}")
            return

    def visible(self, table: str) -> list[tuple[Path, list[str]]]:
        """The rows of a table as they lie behind the server."""
        folder = self.s3.folder / "buckets" / BUCKET / self.name / table
        found = []
        for path in sorted(folder.rglob("*")):
            hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
            if path.is_file() and not hidden:
                with open(path, encoding="utf-8", newline="") as rows:
                    found += [(path, row) for row in csv.reader(rows)]
        return found

    def check(self) -> None:
        copied = collections.Counter((int(row[0]), int(row[1]), path.parent.name) for path, row in self.visible("copied"))
        compare("copied", collections.Counter((number, amount, f"h={hour:02}") for number, hour, amount in self.orders), copied)
        large = collections.Counter((f"{hour:02}", amount) for _, hour, amount in self.orders if amount > 90)
        compare("large_ones", large, collections.Counter((row[0], int(row[1])) for _, row in self.visible("large_ones")))
        folder = self.s3.folder / "buckets" / BUCKET / self.name
        left = [path for path in self.s3.uploads() if path not in self.before]
        left += [str(path) for path in folder.rglob("*") if path.is_file() and (".writers" in path.parts or path.name.startswith(".part-"))]
        if left:
            raise Failure(f"{len(left)} parts of uploads and notes of them are left: {left[:5]}")
        merged = sum(path.name.startswith("compacted-") for path in folder.rglob("*"))
        if bool(merged) != self.merging:
            raise Failure(f"{merged} files were merged")


def rounds(s3: S3, binary: Path, folder: Path, count: int, seed: int) -> int:
    """-> how many have failed"""
    failed = 0
    for number in range(count):
        started = time.monotonic()
        one = Round(s3, binary, folder / f"s3-round-{seed + number}", seed + number)
        try:
            one.run()
            told = ", ".join(f"{count} {what}" for what, count in one.counts.items())
            print(f"s3 kill: seed {one.seed}: passed after {time.monotonic() - started:.0f} s ({told})", flush=True)
        except (Failure, ServiceError, subprocess.SubprocessError) as failure:
            failed += 1
            print(f"s3 kill: seed {one.seed}: FAILED: {failure}\n  again with: --rounds 1 --seed {one.seed}; its files are in {one.folder}", flush=True)
    print(f"{count - failed} passed, {failed} failed", flush=True)
    return failed


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", type=Path, required=True)
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    given = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="flott-s3-kill-"))
    # A stop is an exception, so that the server is stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with S3(folder / "s3") as s3:
            return 1 if rounds(s3, given.bin.resolve(), folder, given.rounds, given.seed) else 0
    except ServiceError as error:
        print(f"services: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
