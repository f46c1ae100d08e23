"""How long an event takes from its creation to the sink, at a rate that the machine can well keep up with."""
import dataclasses
import re

from harness import machine, queries
from harness.queries import Workload

RATE = 100_000
SECONDS = 20
# The sink `latency` prints a line for each of its subtasks.
LINE = re.compile(r"latency(?::\d+)?> (\d+) rows, p50 (\d+) ms, p99 (\d+) ms, max (\d+) ms, \d+ early")


@dataclasses.dataclass(frozen=True)
class Case:
    """A query into the sink `latency`."""

    title: str
    sql: str
    # Keys of the configuration.
    settings: dict = dataclasses.field(default_factory=dict)


PROJECTION = """
CREATE TABLE measured (auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), `dateTime` TIMESTAMP(3), extra STRING)
  WITH ('connector' = 'latency', 'column' = 'dateTime');
INSERT INTO measured SELECT auction, bidder, 0.908 * price, `dateTime`, extra FROM bid;
"""
WINDOW = """
CREATE TABLE measured (bidder BIGINT, bid_count BIGINT, ended TIMESTAMP(3)) WITH ('connector' = 'latency', 'column' = 'ended');
INSERT INTO measured
SELECT bidder, COUNT(*), window_end FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '1' SECOND)) GROUP BY bidder, window_start, window_end;
"""
CASES = {
    "q1": Case("q1, from the creation of an event", PROJECTION),
    "q12": Case("bids of a user within a second of event time (as q12), from the end of the window", WINDOW),
    "q12-often": Case("the same with a watermark every 10 ms (`pipeline.auto-watermark-interval`; 200 ms is Flink's default)", WINDOW,
                      {"pipeline.auto-watermark-interval": "10 ms"}),
}


def measure(flott, store):
    workload = Workload(RATE * SECONDS, rate=RATE, rate_limited=True, base_time="now")
    for name, case in CASES.items():
        figures = figures_of(flott.print(script(case, workload), case.settings))
        print(f"{name}: {figures}", flush=True)
        store.put("latency", name, {**figures, "title": case.title, "rate": RATE, "machine": machine.describe()})


def script(case, workload):
    # Events come in order, so a window may fire as soon as time has reached its end.
    delay = "- INTERVAL '4' SECOND"
    tables = queries.tables()
    if delay not in tables:
        raise RuntimeError(f"the tables have no watermark with the delay {delay}")
    return workload.fill(tables.replace(delay, "") + case.sql)


def figures_of(printed):
    """The subtask that is worse decides. -> rows, and milliseconds"""
    found = [tuple(map(int, line)) for line in LINE.findall(printed)]
    if not found:
        raise RuntimeError(f"the sink printed no latencies:\n{printed}")
    rows, p50, p99, largest = zip(*found)
    return {"rows": sum(rows), "p50": max(p50), "p99": max(p99), "max": max(largest)}
