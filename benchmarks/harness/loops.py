"""The third side: loops written by hand, one thread, over the same events. They show how near Flott comes to what the machine can do."""
import subprocess

from harness import machine, queries
from harness.beside_flink import run
from harness.flott_engine import Flott
from harness.measurement import median
from harness.store import pack

QUERIES = ["q1", "q2", "q11", "q12", "q17"]
EVENTS = 20_000_000


def measure(binary, flott, store, names, rounds):
    """Pairs of Flott at parallelism 1 and the loop."""
    single = Flott(flott.binary, 1)
    for name in names:
        print(f"{name}: {queries.title(name)}", flush=True)
        pairs = [(run(single, name, EVENTS).cpu_seconds, loop(binary, name)) for _ in range(rounds)]
        print(f"  {median([ours / theirs for ours, theirs in pairs]):.2f} times the processor time of the loop", flush=True)
        store.put("loops", name, {"events": EVENTS, "cpu_seconds": [list(pair) for pair in pairs], "machine": machine.describe()})


def loop(binary, name):
    """-> seconds of the processor"""
    told = subprocess.run([binary, "--query", name, "--events", str(EVENTS)], check=True, capture_output=True, text=True).stdout
    _, events, cpu_seconds, result = told.split()
    if int(events) != EVENTS:
        raise RuntimeError(f"the loop of {name} ran over {events} events")
    print(f"  loop   {EVENTS:>11} events  {float(cpu_seconds):6.2f} CPU s  result {result}", flush=True)
    return float(cpu_seconds)
