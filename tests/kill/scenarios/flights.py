"""The example in examples/flights, slowed down so that there is something to kill, at one parallelism or at another each time.

The undisturbed run, which all rounds share, agrees with verify.py, which computes the figures without Flott. Of the print sinks no row may be
missing in the end; that some come twice is their nature.
"""
import collections
import re
import subprocess
import sys

from driver import ROOT, Failure, Job, Output

sys.path.insert(0, str(ROOT / "examples" / "flights"))
import verify  # noqa: E402

SINKS = ("hourly", "aircraft_days")
COLUMNS = 6
RATE = 3000
# Parallelism of each start; the last one applies to all further starts.
PLANS = ([1], [2], [4], [1, 2, 4, 2, 1, 4])


def script(rate):
    """The example, at another pace and with more checkpoints."""
    text = (ROOT / "examples" / "flights" / "flights.sql").read_text(encoding="utf-8")
    for pattern, value in (
        (r"('source\.rate-limit\.rows-per-second' = )'\d+'", str(rate)),
        (r"(SET 'execution\.checkpointing\.interval' = )'[^']+'", "150 ms"),
    ):
        text, count = re.subn(pattern, lambda found, value=value: f"{found.group(1)}'{value}'", text)
        if count != 1:
            raise Failure(f"flights.sql has {count} places that match {pattern}; 1 expected")
    return text


class Flights(Job):
    def __init__(self, world, name, rate):
        # The readers share the rate, and only one of them has something to read.
        super().__init__(world, name, lambda parallelism: script(rate * parallelism))
        (self.folder / "examples").symlink_to(ROOT / "examples")
        self.outputs = {sink: Output(self.folder / "target" / "demo" / sink) for sink in SINKS}

    def printed_rows(self):
        delays = {row for _, row in verify.printed(self.printed, "delays")}
        carriers = {row[0]: row for kind, row in verify.printed(self.printed, "carriers") if kind in ("+I", "+U")}
        return delays, carriers


def undisturbed(world):
    job = Flights(world, "undisturbed", 1_000_000)
    job.finish(parallelism=2)
    if subprocess.run([sys.executable, ROOT / "examples/flights/verify.py", "--output", job.folder / "target" / "demo", "--printed", job.printed],
                      stdout=subprocess.DEVNULL).returncode != 0:
        raise Failure("the undisturbed run is wrong")
    return {sink: output.rows() for sink, output in job.outputs.items()}, job.printed_rows()


def run(world):
    expected, (delays, carriers) = world.common.once("flights", lambda: undisturbed(world))
    plan = world.rng.choice(PLANS)
    job = Flights(world, "job", RATE)
    kills = world.rng.randrange(3, 9)
    for number in range(kills):
        if job.run_for(world.moment(), parallelism=plan[min(number, len(plan) - 1)]):
            break
        for sink, output in job.outputs.items():
            if short := next((row for row in output.rows() if len(row) != COLUMNS), None):
                raise Failure(f"{sink}: {short} is no whole row")
            output.check_part(expected[sink])
    job.finish(parallelism=plan[-1])
    for sink, output in job.outputs.items():
        output.check_whole(expected[sink])
    told = job.printed_rows()
    if delays - told[0] or carriers != told[1]:
        raise Failure("what was printed is not complete")
    names = [path.name.split("-") for output in job.outputs.values() for path in output.files()]
    # part-<job>-<attempt>-<start of the writer>-<subtask>-<number>
    world.counts["processes that committed"] += len(collections.Counter(name[1] for name in names if len(name) > 3))
