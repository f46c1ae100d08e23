"""The queries of Nexmark as scripts for either engine."""
import dataclasses
import pathlib
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "nexmark"

# Those that the bars are set for, in the order of the tables.
BARRED = ["q0", "q1", "q2", "q11", "q12", "q14", "q15", "q16", "q17", "q21", "q22"]
# One row in, at most one row out, no state and no exchange.
STATELESS = ["q0", "q1", "q2", "q14", "q21", "q22"]


@dataclasses.dataclass(frozen=True)
class Workload:
    """What the placeholders of a script are filled with."""

    events: int
    # Events for each second of event time: as in the public benchmark.
    rate: int = 10_000_000
    rate_limited: bool = False
    base_time: str = "1436918400000"
    sink: str = "blackhole"
    # Where q10 writes to.
    output: str = "/nonexistent"
    # What q13 looks up: a file, and the connector that the engine reads it with.
    side_input: str = "/nonexistent"
    lookup: str = "filesystem"

    def fill(self, text):
        values = {"EVENTS": self.events, "RATE": self.rate, "RATE_LIMITED": str(self.rate_limited).lower(), "BASE_TIME": self.base_time, "SINK": self.sink,
                  "OUTPUT": self.output, "SIDE_INPUT": self.side_input, "LOOKUP": self.lookup}
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", str(value))
        return text


def names():
    """All of them, by number."""
    return sorted((path.stem for path in (FOLDER / "queries").glob("q*.sql")), key=number)


def number(name):
    return int(name.removeprefix("q"))


def script(name, workload):
    """The tables and the query, complete."""
    return workload.fill(tables() + (FOLDER / "queries" / f"{name}.sql").read_text(encoding="utf-8"))


def tables():
    return (FOLDER / "ddl.sql").read_text(encoding="utf-8")


def side_input(folder):
    """Writes what q13 looks up. -> its path"""
    path = pathlib.Path(folder) / "side_input.csv"
    path.write_text("".join(f"{key},side input {key}\n" for key in range(10_000)), encoding="utf-8")
    return str(path)


def scratch():
    """A folder for what a query writes, for as long as a `with` block."""
    return tempfile.TemporaryDirectory(prefix="flott-nexmark-")


def title(name):
    """What the comment at the head of the query says, up to its first colon."""
    first = (FOLDER / "queries" / f"{name}.sql").read_text(encoding="utf-8").splitlines()[0]
    return first.removeprefix("-- ").partition(":")[0].rstrip(".")
