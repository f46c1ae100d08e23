"""A Flink cluster of one JobManager and one TaskManager, for as long as a `with` block."""
import pathlib
import shutil
import subprocess
import tempfile
import time

from flink import config, jvm
from flink.rest import Rest

START_TIMEOUT = 120
STOP_TIMEOUT = 15


class Cluster:
    """Started on entry, stopped on exit. Its files are in its own folder, which is removed with it."""

    def __init__(self, home, settings):
        self.home = home
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="flott-flink-"))
        for folder in ("tmp", "checkpoints", "logs"):
            (self.work / folder).mkdir()
        port = config.free_port()
        self.conf = config.write(settings, self.work, port)
        self.rest = Rest(port)
        self.processes = {}
        # How long it took until a TaskManager was registered.
        self.start_seconds = None

    def __enter__(self):
        began = time.monotonic()
        try:
            self.launch("jobmanager", "JM", "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint",
                        "--executionMode", "cluster")
            self.launch("taskmanager", "TM", "org.apache.flink.runtime.taskexecutor.TaskManagerRunner", options=["-XX:+UseG1GC"])
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        self.start_seconds = time.monotonic() - began
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes.values()):
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.work, ignore_errors=True)

    @property
    def jobmanager(self):
        """The process id."""
        return self.processes["jobmanager"].pid

    @property
    def taskmanager(self):
        """The process id."""
        return self.processes["taskmanager"].pid

    def launch(self, name, which, main, *arguments, options=()):
        memory, dynamic = jvm.memory_options(self.home, self.conf, which)
        logs = self.work / "logs"
        command = jvm.command(self.home, self.conf, logs / f"{name}.log", main, "--configDir", str(self.conf), *arguments, *dynamic,
                              options=[*options, *memory])
        with open(logs / f"{name}.out", "wb") as out:
            self.processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)

    def wait(self):
        deadline = time.monotonic() + START_TIMEOUT
        while not self.rest.taskmanagers():
            for name, process in self.processes.items():
                if process.poll() is not None:
                    raise RuntimeError(f"Flink's {name} ended at its start:\n{self.log(name)}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"no TaskManager within {START_TIMEOUT} s:\n{self.log('taskmanager')}")
            time.sleep(0.05)

    def log(self, name):
        """The last lines of what a process wrote."""
        lines = []
        for path in (self.work / "logs" / f"{name}.out", self.work / "logs" / f"{name}.log"):
            if path.exists():
                lines += path.read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
        return "\n".join(lines)
