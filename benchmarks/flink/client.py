"""Runs SQL scripts on a cluster, through one long-lived Java process: starting a JVM for each script would take longer than many a job."""
import dataclasses
import os
import subprocess

from flink import jvm


@dataclasses.dataclass
class Outcome:
    """What a script gave."""

    # The ids of the jobs of its INSERTs, all finished.
    jobs: list
    # The rows of its SELECTs.
    rows: list


class Client:
    """A `flott.SqlScripts` for as long as a `with` block: a script goes in, its outcome comes out."""

    def __init__(self, home, conf):
        environment = {**os.environ, "FLINK_CONF_DIR": str(conf), "FLINK_LIB_DIR": str(home.jars)}
        command = jvm.command(home, conf, conf.parent / "logs" / "client.log", "flott.SqlScripts", options=["-Xmx1g"])
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def run(self, script):
        """Runs the statements of `script` one after the other, each to its end. -> Outcome"""
        # Java counts UTF-16 units.
        length = len(script.encode("utf-16-le")) // 2
        self.process.stdin.write(f"{length}\n{script}")
        self.process.stdin.flush()
        outcome = Outcome([], [])
        for line in self.process.stdout:
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "job":
                outcome.jobs.append(rest)
            elif kind == "row":
                outcome.rows.append(rest)
            elif kind == "done":
                return outcome
            elif kind == "failed":
                raise RuntimeError(f"Flink: {rest}")
        raise RuntimeError("Flink's client ended unexpectedly")
