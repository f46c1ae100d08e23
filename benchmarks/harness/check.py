"""Two builds of Flott, query by query, by turns: what got slower.

The processor's time counts, because it means something on a machine that does other work too; a ratio compares two
neighbouring runs, and of the rounds the one in the middle decides.
"""
import contextlib
import io

from harness import queries
from harness.against_flink import run
from harness.comparison import geometric_mean
from harness.flott_engine import Flott
from harness.measurement import median

# A run is to take about this much of the processor's time, so that the start of the process does not count.
SECONDS = 2.0
FIRST = 200_000
MOST = 100_000_000
# What the middle of the ratios must be beyond to be told, as long as all of them are on that side of 1.
NOTABLE = 0.05


def measure(base, new, parallelism, names, rounds):
    """-> the queries that got slower"""
    base, new = Flott(base, parallelism), Flott(new, parallelism)
    print(f"{'query':6} {'events':>12} {'base':>9} {'new':>9}   new / base (lowest - middle - highest)   memory", flush=True)
    found = {}
    for name in names:
        events = calibrate(lambda events: quiet(base, name, events))
        pairs = [(quiet(base, name, events), quiet(new, name, events)) for _ in range(rounds)]
        found[name] = ratios(pairs)
        print(line(name, events, pairs), flush=True)
    print(f"geometric mean: {geometric_mean([median(each) for each in found.values()]):.2f}")
    slower = [name for name in found if verdict(found[name]) == "slower"]
    print(f"slower: {', '.join(slower)}" if slower else "nothing got slower")
    return slower


def calibrate(run_base):
    """-> a number of events that takes long enough; the first, short run says how many that are"""
    events = FIRST
    for _ in range(3):
        seconds = run_base(events).cpu_seconds
        if seconds >= SECONDS / 2 or events == MOST:
            break
        events = min(MOST, max(FIRST, rounded(events * SECONDS / max(seconds, 0.01))))
    return events


def rounded(number):
    """Two digits, so that a table reads well."""
    number = int(number)
    unit = 10 ** max(len(str(number)) - 2, 0)
    return number // unit * unit


def ratios(pairs):
    """New over base, ascending: of the processor's time, of each pair."""
    return sorted(new.cpu_seconds / base.cpu_seconds for base, new in pairs)


def verdict(found):
    """What ascending ratios say."""
    if median(found) > 1 + NOTABLE and found[0] > 1:
        return "slower"
    if median(found) < 1 - NOTABLE and found[-1] < 1:
        return "faster"
    return ""


def line(name, events, pairs):
    found = ratios(pairs)
    seconds = [median([pair[side].cpu_seconds for pair in pairs]) for side in (0, 1)]
    memory = median([new.peak_bytes / old.peak_bytes for old, new in pairs])
    shown = f"{name:6} {events:>12} {seconds[0]:7.2f} s {seconds[1]:7.2f} s   {found[0]:.2f} - {median(found):.2f} - {found[-1]:.2f}   {memory:5.2f}   {verdict(found)}"
    return shown.rstrip()


def quiet(flott, name, events):
    """A run that prints nothing."""
    with contextlib.redirect_stdout(io.StringIO()):
        return run(flott, name, events)
