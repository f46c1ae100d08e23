"""Programs of the DataStream API: against hand-written loops over the same data, with checkpoints and without, against Renoir, and word count against Flink's; and what asynchronous requests cost."""
import pathlib
import subprocess
import tempfile

from flink import install, jvm
from harness import machine
from harness.measurement import median

WORDS = 50_000_000
RECORDS = 30_000_000
KEYS = 1_000_000
# Of the keys, those that records still come for when all have been seen: one in a hundred.
HOT = KEYS // 100
# Long enough that a dozen checkpoints fall into it.
CHECKPOINTED = 250_000_000
FLINK_WORDS = 40_000_000
RENOIR_WORDS = 50_000_000
WINDOWED = 50_000_000
WINDOW_KEYS = 100_000
# Ten seconds at the rate of 10,000 requests a second.
REQUESTS = 100_000
WARM_UP = 20_000_000


def measure(binary, store, rounds):
    """Pairs alternately, each stored when it is complete."""
    for name, program, count in (("word count", "words", WORDS), ("keyed process, 1 million keys", "keyed", RECORDS)):
        for parallelism in (1, 2):
            print(f"{name}, parallelism {parallelism}", flush=True)
            pairs = [(run(binary, program, count, parallelism=parallelism), run(binary, program, count, engine="loop")) for _ in range(rounds)]
            keep(store, f"{name}, parallelism {parallelism}", "loop", pairs)
    print("keyed process, a checkpoint every second", flush=True)
    pairs = [(run(binary, "keyed", CHECKPOINTED, hot=HOT, checkpoints=1_000), run(binary, "keyed", CHECKPOINTED, hot=HOT)) for _ in range(rounds)]
    keep(store, "keyed process, a checkpoint every second", "no checkpoints", pairs)


def against_renoir(binary, renoir, store, rounds):
    """Word count with running counts, and counts by key in windows; parallelism 1."""
    for name, program, count, options in (
        ("word count", "words", RENOIR_WORDS, {}),
        (f"windows by {WINDOW_KEYS:,} keys", "windows", WINDOWED, {"keys": WINDOW_KEYS}),
    ):
        print(f"{name} against Renoir", flush=True)
        pairs = [(run(binary, program, count, **options), run(renoir, program, count, **options)) for _ in range(rounds)]
        keep(store, f"{name}, parallelism 1", "Renoir", pairs)


def requests(binary, store, rounds):
    """Asynchronous requests of five milliseconds each, 10,000 a second: how much of a core they take."""
    print("asynchronous requests", flush=True)
    runs = [run(binary, "enrichment", REQUESTS) for _ in range(rounds)]
    print(f"  {100 * median([one['cpu'] / one['wall'] for one in runs]):.0f} % of a core", flush=True)
    store.put("datastream", "asynchronous requests / itself", {"pairs": [(one, one) for one in runs], "machine": machine.describe()})


def against_flink(binary, store, rounds):
    """Word count on Flink, parallelism 1."""
    home = install.ensure()
    print("word count against Flink", flush=True)
    pairs = [(run(binary, "words", FLINK_WORDS), flink(home)) for _ in range(rounds)]
    keep(store, "word count, parallelism 1", "Flink", pairs)


def keep(store, name, other, pairs):
    faster = other in ("Flink", "Renoir")
    ratios = [theirs["cpu"] / ours["cpu"] if faster else ours["cpu"] / theirs["cpu"] for ours, theirs in pairs]
    print(f"  CPU seconds: {median(ratios):.2f} times {'less than' if faster else ''} {other}", flush=True)
    store.put("datastream", f"{name} / {other}", {"pairs": pairs, "machine": machine.describe()})


def run(binary, program, count, **options):
    """-> {"count", "wall", "cpu", "peak_mb"}"""
    arguments = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    told = subprocess.run([binary, program, "--count", str(count), *arguments], check=True, capture_output=True, text=True).stdout
    return figures(told, " ".join(arguments))


def flink(home):
    """-> {"count", "wall", "cpu"}"""
    with tempfile.TemporaryDirectory(prefix="flott-words-") as folder:
        conf = pathlib.Path(folder)
        (conf / "log4j.properties").write_text("rootLogger.level = OFF\n", encoding="utf-8")
        command = jvm.command(home, conf, conf / "words.log", "flott.datastream.WordCount", "1", str(FLINK_WORDS), str(WARM_UP), options=["-Xmx2g", "-XX:+UseG1GC"])
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return figures(told, "Flink")


def figures(told, what):
    words = told.split()
    read = dict(zip(words[::2], words[1::2]))
    result = {"count": int(read["count"]), "wall": float(read["wall"]), "cpu": float(read["cpu"])}
    if "peak_mb" in read:
        result["peak_mb"] = int(read["peak_mb"])
    print(f"  {what:40} {result['count']:>11} in {result['wall']:6.2f} s, {result['cpu']:6.2f} CPU s", flush=True)
    return result
