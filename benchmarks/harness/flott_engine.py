"""Runs a script on Flott: one process that begins and ends with it."""
import os
import pathlib
import subprocess
import tempfile
import time

from harness import procfs
from harness.measurement import Measurement

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Flott:
    """A built binary, and how it is configured."""

    name = "Flott"
    lookup = "filesystem"

    def __init__(self, binary, parallelism):
        self.binary = binary
        self.parallelism = parallelism

    def command(self, script_file, checkpoints, more=()):
        settings = {
            "parallelism.default": self.parallelism,
            "execution.checkpointing.interval": "30s",
            "execution.checkpointing.dir": checkpoints,
            # As for Flink.
            "execution.checkpointing.checkpoints-after-tasks-finish.enabled": "false",
            **dict(more),
        }
        return [self.binary, "sql", "-q", *(part for key, value in settings.items() for part in ("-D", f"{key}={value}")), "-f", script_file]

    def run(self, script, events):
        """-> Measurement of the whole process, its start and the planning included"""
        with tempfile.TemporaryDirectory(prefix="flott-bench-") as scratch:
            file = pathlib.Path(scratch) / "query.sql"
            file.write_text(script, encoding="utf-8")
            began = time.monotonic()
            process = subprocess.Popen(self.command(str(file), f"{scratch}/checkpoints"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            with procfs.PeakLog(process.pid) as memory:
                _, status, usage = os.wait4(process.pid, 0)
                seconds = time.monotonic() - began
            process.returncode = os.waitstatus_to_exitcode(status)
        if status != 0:
            raise RuntimeError(f"flott failed with status {process.returncode}")
        return Measurement(events, seconds, usage.ru_utime + usage.ru_stime, memory.peak)

    def print(self, script, settings=()):
        """-> what the script prints, with more keys of the configuration"""
        with tempfile.TemporaryDirectory(prefix="flott-bench-") as scratch:
            file = pathlib.Path(scratch) / "query.sql"
            file.write_text(script, encoding="utf-8")
            ran = subprocess.run(self.command(str(file), f"{scratch}/checkpoints", settings), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
        return ran.stdout
