"""From one topic of Kafka to another, on both engines and one broker, and what reading alone costs.

Records are JSON of a kilobyte. What is counted is the processor's time of the engine, not that of the broker.
"""
import pathlib
import sys
import tempfile

from flink import install
from harness import machine, pairs
from harness.flink_engine import Flink
from harness.store import pack

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "services"))
from kafka import Kafka  # noqa: E402

CONNECTOR = ("org.apache.flink", "flink-sql-connector-kafka", "5.0.0-2.2")
ROWS = 2_000_000
WARM_UP = 2
COLUMNS = "id BIGINT, customer BIGINT, price DOUBLE, city STRING, note STRING"
# With names and digits this makes a kilobyte.
TEXT = 880
GUARANTEES = {"at least once": "'sink.delivery-guarantee' = 'at-least-once'", "exactly once": "'sink.delivery-guarantee' = 'exactly-once'"}


def measure(flott, store, settings):
    home = install.ensure()
    home.add(install.maven(*CONNECTOR))
    with tempfile.TemporaryDirectory(prefix="flott-kafka-bench-") as folder, Kafka(pathlib.Path(folder) / "kafka", 1) as kafka:
        topics = Topics(kafka)
        print(f"writing {ROWS} records", flush=True)
        flott.run(topics.fill(), ROWS)
        with Flink(home, settings.parallelism, settings.memory) as flink:
            for _ in range(WARM_UP):
                flink.run(topics.copy("at least once"), ROWS)
            for name in GUARANTEES:
                measured = pairs.alternate(lambda: run(flott, topics.copy(name)), lambda: run(flink, topics.copy(name)), settings.rounds)
                keep(store, settings, name, measured)
            measured = pairs.alternate(lambda: run(flott, topics.read()), lambda: run(flink, topics.read()), settings.rounds)
            keep(store, settings, "read, and thrown away", measured)
            measured = pairs.alternate(lambda: run(flott, topics.read("raw")), lambda: run(flink, topics.read("raw")), settings.rounds)
            keep(store, settings, "the client alone: bytes are not decoded", measured)


def run(engine, script):
    measurement = engine.run(script, ROWS)
    print(f"  {engine.name:5}  {measurement}", flush=True)
    return measurement


def keep(store, settings, name, measured):
    ratios = sorted(ours.cpu_rate / theirs.cpu_rate for ours, theirs in measured)
    print(f"{name}: ratio of rows per CPU second: {', '.join(f'{ratio:.2f}' for ratio in ratios)}", flush=True)
    result = {"events": ROWS, "pairs": [[pack(ours), pack(theirs)] for ours, theirs in measured]}
    store.put("kafka", name, {**result, "parallelism": settings.parallelism, "machine": machine.describe()})


class Topics:
    """Scripts over the topics of a broker; each run writes to a topic of its own."""

    def __init__(self, kafka):
        self.kafka = kafka
        self.copies = 0

    def table(self, name, topic, columns, *options):
        given = [f"'connector' = 'kafka', 'topic' = '{topic}', 'properties.bootstrap.servers' = '{self.kafka.bootstrap}'", *options]
        return f"CREATE TEMPORARY TABLE {name} ({columns}) WITH ({', '.join(given)});\n"

    def read_table(self, columns, text_format):
        begin_and_end = "'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset'"
        committed = "'properties.isolation.level' = 'read_committed'"
        return "DROP TEMPORARY TABLE IF EXISTS i;\n" + self.table("i", "input", columns, begin_and_end, committed, f"'format' = '{text_format}'")

    def fill(self):
        source = f"CREATE TEMPORARY TABLE g ({COLUMNS}) WITH ('connector' = 'datagen', 'number-of-rows' = '{ROWS}', 'fields.id.kind' = 'sequence', " \
            f"'fields.id.start' = '1', 'fields.id.end' = '{ROWS}', 'fields.city.length' = '12', 'fields.note.length' = '{TEXT}');\n"
        return source + self.table("o", "input", COLUMNS, "'format' = 'json', 'sink.partitioner' = 'round-robin'") + "INSERT INTO o SELECT * FROM g;\n"

    def copy(self, guarantee):
        self.copies += 1
        topic = f"output-{self.copies}"
        # Brokers allow a quarter of an hour, and Flink asks for an hour.
        exactly = f"'sink.transactional-id-prefix' = '{topic}', 'properties.transaction.timeout.ms' = '600000'"
        sink = self.table("o", topic, COLUMNS, "'format' = 'json'", GUARANTEES[guarantee], exactly)
        return f"{self.read_table(COLUMNS, 'json')}DROP TEMPORARY TABLE IF EXISTS o;\n{sink}INSERT INTO o SELECT * FROM i;\n"

    def read(self, text_format="json"):
        columns = COLUMNS if text_format == "json" else "message BYTES"
        sink = f"DROP TEMPORARY TABLE IF EXISTS b;\nCREATE TEMPORARY TABLE b ({columns}) WITH ('connector' = 'blackhole');\n"
        return f"{self.read_table(columns, text_format)}{sink}INSERT INTO b SELECT * FROM i;\n"
