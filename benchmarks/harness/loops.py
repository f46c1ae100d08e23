"""The third side: hand-written loops, one thread, over the same events. They show how close Flott comes to the hardware."""
import subprocess

from harness import machine, queries
from harness.against_flink import run
from harness.flott_engine import Flott
from harness.measurement import median
from harness.queries import Workload
from harness.store import pack

QUERIES = ["q1", "q2", "q3", "q4", "q5", "q7", "q8", "q9", "q11", "q12", "q17", "q18"]
EVENTS = 50_000_000


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
    told = subprocess.run([binary, name, "--events", str(EVENTS), "--rate", str(Workload.rate)], check=True, capture_output=True, text=True).stdout
    words = told.split()
    figures = dict(zip(words[::2], words[1::2]))
    print(f"  loop   {EVENTS:>11} events  {float(figures['wall']):6.2f} s  {float(figures['cpu']):6.2f} CPU s  {figures['rows']} rows", flush=True)
    return float(figures["cpu"])
