"""The results, kept as JSON next to the benchmarks: a run of some queries replaces their results and leaves the others."""
import dataclasses
import json
import pathlib

from harness.measurement import Measurement

FILE = pathlib.Path(__file__).resolve().parents[1] / "results" / "nexmark.json"


class Store:
    """Sections by name, each a dictionary."""

    def __init__(self, path=FILE):
        self.path = path
        self.content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    def section(self, name):
        return self.content.setdefault(name, {})

    def put(self, section, key, value):
        """Remembers, and writes at once: a run that is interrupted keeps what it has."""
        self.section(section)[key] = value
        self.path.parent.mkdir(parents=True, exist_ok=True)
        half = self.path.with_suffix(".half")
        half.write_text(json.dumps(self.content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        half.rename(self.path)


def pack(measurement):
    """For JSON."""
    return {**dataclasses.asdict(measurement), "seconds": round(measurement.seconds, 3), "cpu_seconds": round(measurement.cpu_seconds, 3)}


def unpack(value):
    return Measurement(**value)
