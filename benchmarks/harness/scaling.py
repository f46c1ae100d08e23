"""What a second core buys: the stateless queries at parallelism 1 and 2, alternately."""
from harness import machine, pairs, queries
from harness.against_flink import run
from harness.flott_engine import Flott
from harness.measurement import median
from harness.store import pack

EVENTS = 50_000_000


def measure(binary, store, names, rounds):
    one, two = Flott(binary, 1), Flott(binary, 2)
    for name in names:
        print(f"{name}: {queries.title(name)}", flush=True)
        measured = pairs.alternate(lambda name=name: run(one, name, EVENTS), lambda name=name: run(two, name, EVENTS), rounds)
        print(f"  {median([both.rate / single.rate for single, both in measured]):.2f} times the events per second", flush=True)
        store.put("scaling", name, {"events": EVENTS, "pairs": [[pack(single), pack(both)] for single, both in measured], "machine": machine.describe()})
