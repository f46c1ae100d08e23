"""Flott alone: the same scripts, without Flink."""
from harness import machine, queries
from harness.against_flink import run
from harness.store import pack

# Where no comparison has chosen a number.
EVENTS = 20_000_000


def measure(flott, store, names, rounds):
    for name in names:
        print(f"{name}: {queries.title(name)}", flush=True)
        events = store.section("flink").get(name, {}).get("events", EVENTS)
        runs = [run(flott, name, events) for _ in range(rounds)]
        store.put("flott", name, {"events": events, "parallelism": flott.parallelism, "runs": [pack(each) for each in runs], "machine": machine.describe()})
