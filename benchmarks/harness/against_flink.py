"""Both engines at the same queries: a new Flink for each query, warmed up, then pairs of runs."""
import dataclasses
import functools

from flink import install
from harness import machine, pairs, queries
from harness.flink_engine import Flink
from harness.queries import Workload
from harness.store import pack


def measure(flott, store, names, settings):
    """Measures each query and stores it. `settings` has parallelism, memory of the TaskManager, and rounds."""
    home = install.ensure()
    for name in names:
        print(f"{name}: {queries.title(name)}", flush=True)
        with Flink(home, settings.parallelism, settings.memory) as flink:
            result = measure_query(flott, flink, name, settings.rounds)
        store.put("flink", name, {**result, "parallelism": settings.parallelism, "memory": settings.memory, "machine": machine.describe()})


def measure_query(flott, flink, name, rounds):
    run_flink = functools.partial(run, flink, name)
    print("  warming Flink up", flush=True)
    events = pairs.calibrate(run_flink)
    measured = pairs.alternate(lambda: run(flott, name, events), lambda: run_flink(events), rounds)
    ratios = sorted(ours.cpu_rate / theirs.cpu_rate for ours, theirs in measured)
    print(f"  ratio of events per CPU second: {', '.join(f'{ratio:.2f}' for ratio in ratios)}", flush=True)
    return {"events": events, "pairs": [[pack(ours), pack(theirs)] for ours, theirs in measured]}


def run(engine, name, events):
    with queries.scratch() as output:
        workload = dataclasses.replace(Workload(events), output=output, side_input=queries.side_input(output), lookup=engine.lookup)
        script = queries.script(name, workload)
        measurement = engine.run(script, events)
    print(f"  {engine.name:5}  {events:>11} events  {measurement}", flush=True)
    return measurement
