"""SIGKILL of Flott and of brokers while rows go from Kafka to Kafka, exactly once.

Each round fills topics, then starts a job that joins, aggregates in windows, sums up and ranks, kills it and brokers at random moments, and
lets it continue from its last checkpoint, at any parallelism. In the end Kafka's own consumer reads what is committed: it must be what plain
Python computes, and Kafka's own tools must find no transaction open.

    python3 tests/services/kafka_kill.py --bin target/debug/flott --rounds 20 [--seed 7]
"""

import argparse
import collections
import concurrent.futures
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kafka import Kafka, ServiceError  # noqa: E402

# What has not happened by then never will.
TIMEOUT = 240
ORDERS, ITEMS, WINDOW_SECONDS = 30_000, 40, 10
# The consumer ends after so many milliseconds without a row: long enough for it to be told of a new coordinator.
CONSUMER_PATIENCE = 40_000


class Failure(Exception):
    """The test has found something."""


class Round:
    def __init__(self, kafka: Kafka, binary: Path, folder: Path, seed: int):
        self.kafka, self.binary, self.folder, self.seed = kafka, binary, folder, seed
        self.rng = random.Random(seed)
        self.name = f"r{seed}-{os.getpid()}"
        self.counts: collections.Counter = collections.Counter()
        folder.mkdir(parents=True)

    def topic(self, name: str) -> str:
        return f"{self.name}-{name}"

    def table(self, name: str, columns: str, *options: str, connector: str = "kafka") -> str:
        given = [f"'connector' = '{connector}'", f"'topic' = '{self.topic(name)}'", f"'properties.bootstrap.servers' = '{self.kafka.bootstrap}'"]
        given += ["'format' = 'json'"] if connector == "kafka" else ["'key.format' = 'json'", "'value.format' = 'json'"]
        return f"CREATE TABLE {name} ({columns}) WITH ({', '.join([*given, *options])});\n"

    def exact(self, name: str) -> tuple[str, str]:
        return "'sink.delivery-guarantee' = 'exactly-once'", f"'sink.transactional-id-prefix' = '{self.topic(name)}'"

    def run(self) -> None:
        self.fill()
        self.breaking = threading.Event()
        with concurrent.futures.ThreadPoolExecutor(max_workers=1) as threads:
            breaker = threads.submit(self.break_brokers)
            try:
                self.kill_the_job()
            finally:
                self.breaking.set()
            # What went wrong there is told before what follows from it.
            breaker.result()
        self.check()

    def fill(self) -> None:
        """Rows are in order of time in each partition."""
        rng = self.rng
        self.orders = [(number, rng.randrange(ITEMS), rng.randrange(1, 100), number // 100) for number in range(ORDERS)]
        for name in ("orders", "items"):
            (self.folder / name).mkdir()
        with open(self.folder / "orders" / "rows.json", "w", encoding="utf-8") as rows:
            for number, item, amount, second in self.orders:
                rows.write(json.dumps({"id": number, "item": item, "amount": amount, "ts": self.time(second)}) + "\n")
        with open(self.folder / "items" / "rows.json", "w", encoding="utf-8") as rows:
            for item in range(ITEMS):
                rows.write(json.dumps({"item": item, "name": f"item {item}"}) + "\n")
        files = "CREATE TABLE {0}_file ({1}) WITH ('connector' = 'filesystem', 'path' = '{0}', 'format' = 'json');\n"
        small = "'properties.max.request.size' = '1500'"
        plain = "id BIGINT, item BIGINT, amount BIGINT, ts TIMESTAMP(3)"
        text = "SET 'table.dml-sync' = 'true';\nSET 'parallelism.default' = '1';\n"
        text += files.format("orders", plain) + self.table("orders", plain, small, "'sink.partitioner' = 'round-robin'")
        text += files.format("items", "item BIGINT, name STRING") + self.table("items", "item BIGINT, name STRING", small)
        text += "INSERT INTO orders SELECT * FROM orders_file;\nINSERT INTO items SELECT * FROM items_file;\n"
        status = self.start(text, "fill", ()).wait(TIMEOUT)
        if status != 0:
            raise Failure(f"topics cannot be filled: {self.told('fill')}")

    @staticmethod
    def time(second: int) -> str:
        return f"2024-01-01 {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"

    def job(self) -> str:
        read = ("'scan.startup.mode' = 'earliest-offset'", "'scan.bounded.mode' = 'latest-offset'", f"'properties.group.id' = '{self.name}'")
        # Little at a time, so that there is a middle to be killed in.
        slow = ("'properties.max.partition.fetch.bytes' = '1000'", "'properties.fetch.max.bytes' = '1000'")
        orders = "id BIGINT, item BIGINT, amount BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts"
        text = "SET 'table.dml-sync' = 'true';\nSET 'execution.checkpointing.interval' = '150 ms';\n"
        text += f"SET 'execution.checkpointing.dir' = '{self.folder / 'checkpoints'}';\nSET 'pipeline.name' = '{self.name}';\n"
        text += "SET 'restart-strategy.type' = 'fixed-delay';\nSET 'restart-strategy.fixed-delay.attempts' = '1000';\n"
        text += "SET 'restart-strategy.fixed-delay.delay' = '100 ms';\n"
        text += self.table("orders", orders, *read, *slow) + self.table("items", "item BIGINT, name STRING", *read)
        text += self.table("joined", "id BIGINT, name STRING", *self.exact("joined"))
        text += self.table("windows", "begins TIMESTAMP(3), item BIGINT, cnt BIGINT, amount BIGINT", *self.exact("windows"), "'properties.compression.type' = 'lz4'")
        totals = "item BIGINT, total BIGINT, PRIMARY KEY (item) NOT ENFORCED"
        text += self.table("totals", totals, *self.exact("totals"), connector="upsert-kafka")
        ranks = "rn BIGINT, item BIGINT, total BIGINT, PRIMARY KEY (rn) NOT ENFORCED"
        text += self.table("ranks", ranks, *self.exact("ranks"), connector="upsert-kafka")
        return text + f"""EXECUTE STATEMENT SET BEGIN
INSERT INTO joined SELECT o.id, i.name FROM orders AS o JOIN items AS i ON o.item = i.item;
INSERT INTO windows SELECT window_start, item, COUNT(*), SUM(amount)
  FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '{WINDOW_SECONDS}' SECOND)) GROUP BY window_start, window_end, item;
INSERT INTO totals SELECT item, SUM(amount) FROM orders GROUP BY item;
INSERT INTO ranks SELECT rn, item, total FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY total DESC, item) AS rn FROM (SELECT item, SUM(amount) AS total FROM orders GROUP BY item)) WHERE rn <= 3;
END;
"""

    def start(self, text: str, name: str, options: tuple[str, ...]) -> subprocess.Popen:
        (self.folder / f"{name}.sql").write_text(text, encoding="utf-8")
        command = [str(self.binary), "sql", "-q", "-f", f"{name}.sql", *options]
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
                status = process.wait(rng.uniform(0.5, 5.0) if kills else TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                if not kills:
                    raise Failure(f"the job does not end within {TIMEOUT} s:\n{self.told('job')}") from None
                kills -= 1
                self.counts["kills of the job"] += 1
                continue
            if status != 0:
                raise Failure(f"the job ended with status {status}:\n{self.told('job')}")
            return

    def break_brokers(self) -> None:
        """One broker at a time, so that two of three are always there."""
        rng = random.Random(self.seed + 1)
        while not self.breaking.wait(rng.uniform(1.0, 5.0)):
            broker = rng.choice(self.kafka.brokers)
            broker.kill()
            self.counts["kills of brokers"] += 1
            self.breaking.wait(rng.uniform(0.2, 2.0))
            self.kafka.restart(broker)
            # The next one may go when this one has caught up.
            time.sleep(3)

    def committed(self, name: str) -> list[tuple[str | None, str]]:
        """Keys and values of what Kafka's own consumer reads."""
        command = [*self.kafka.tool("consumer.ConsoleConsumer"), "--bootstrap-server", self.kafka.bootstrap, "--topic", self.topic(name)]
        command += ["--isolation-level", "read_committed", "--from-beginning", "--timeout-ms", str(CONSUMER_PATIENCE)]
        command += ["--property", "print.key=true", "--property", "key.separator=\t"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT)
        rows = [line.split("\t", 1) for line in done.stdout.splitlines()]
        if "Processed a total of" not in done.stderr or any(len(row) != 2 for row in rows):
            raise Failure(f"the consumer says: {done.stdout[-500:]} {done.stderr[-500:]}")
        return [(key, value) for key, value in rows]

    def check(self) -> None:
        names = {item: f"item {item}" for item in range(ITEMS)}
        joined = collections.Counter((number, names[item]) for number, item, _, _ in self.orders)
        windows: collections.Counter = collections.Counter()
        totals: collections.Counter = collections.Counter()
        for _, item, amount, second in self.orders:
            start = self.time(second // WINDOW_SECONDS * WINDOW_SECONDS)
            windows[start, item, "count"] += 1
            windows[start, item, "amount"] += amount
            totals[item] += amount
        of_windows = {(start, item): (windows[start, item, "count"], windows[start, item, "amount"]) for start, item, _ in windows}
        expected = collections.Counter((*key, *value) for key, value in of_windows.items())
        ranks = sorted(totals.items(), key=lambda total: (-total[1], total[0]))[:3]
        topics = ("joined", "windows", "totals", "ranks")
        with concurrent.futures.ThreadPoolExecutor(len(topics)) as threads:
            read = dict(zip(topics, threads.map(self.committed, topics), strict=True))
        values = {name: [json.loads(value) for _, value in rows if value != "null"] for name, rows in read.items()}
        compare("joined", joined, collections.Counter((row["id"], row["name"]) for row in values["joined"]))
        compare("windows", expected, collections.Counter((row["begins"][:19], row["item"], row["cnt"], row["amount"]) for row in values["windows"]))
        compare("totals", dict(totals), {row["item"]: row["total"] for row in values["totals"]})
        compare("ranks", {rank + 1: total for rank, total in enumerate(ranks)}, {row["rn"]: (row["item"], row["total"]) for row in values["ranks"]})
        listed = subprocess.run([*self.kafka.tool("TransactionsCommand"), "--bootstrap-server", self.kafka.bootstrap, "list"], capture_output=True, text=True, timeout=TIMEOUT)
        ours = [line for line in listed.stdout.splitlines() if line.startswith(self.name)]
        open_ones = [line for line in ours if "Ongoing" in line or "Prepare" in line]
        if not ours or open_ones:
            raise Failure(f"transactions are open: {open_ones or listed}")
        self.counts["transactions"] += len(ours)


def compare(name: str, expected: object, found: object) -> None:
    if expected == found:
        return
    if isinstance(expected, collections.Counter):
        less, more = expected - found, found - expected
        raise Failure(f"{name}: {len(less)} rows are missing, such as {list(less.items())[:3]}; {len(more)} are too many, such as {list(more.items())[:3]}")
    raise Failure(f"{name} is {str(found)[:500]} and should be {str(expected)[:500]}")


def rounds(kafka: Kafka, binary: Path, folder: Path, count: int, seed: int) -> int:
    """-> how many have failed"""
    failed = 0
    for number in range(count):
        started = time.monotonic()
        one = Round(kafka, binary, folder / f"round-{seed + number}", seed + number)
        try:
            one.run()
            told = ", ".join(f"{count} {what}" for what, count in one.counts.items())
            print(f"kafka kill: seed {one.seed}: passed after {time.monotonic() - started:.0f} s ({told})", flush=True)
        except (Failure, ServiceError, subprocess.SubprocessError) as failure:
            failed += 1
            print(f"kafka kill: seed {one.seed}: FAILED: {failure}\n  again with: --rounds 1 --seed {one.seed}; its files are in {one.folder}", flush=True)
    print(f"{count - failed} passed, {failed} failed", flush=True)
    return failed


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bin", type=Path, required=True)
    arguments.add_argument("--rounds", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    given = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="flott-kafka-kill-"))
    # A stop is an exception, so that brokers are stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Kafka(folder / "kafka") as kafka:
            return 1 if rounds(kafka, given.bin.resolve(), folder, given.rounds, given.seed) else 0
    except ServiceError as error:
        print(f"services: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
