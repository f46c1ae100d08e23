"""A cluster of processes: a JobManager, TaskManagers, and what is done to them."""
import os
import re
import signal
import subprocess
import sys
import pathlib
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "kill"), str(TESTS / "services")]
from driver import Failure, until  # noqa: E402
from kafka import free_ports  # noqa: E402

# How soon a process ends that is told to, and how soon one says where it listens.
PATIENCE = 60


class Process:
    """One process and what it says."""

    def __init__(self, binary, folder, name, args, place=None):
        """Its log is in `folder`, and it runs in `place`, or there as well."""
        self.name, self.log = name, folder / f"{name}.log"
        self.command = [str(binary), *args]
        with open(self.log, "ab") as log:
            self.told_from = log.tell()
            self.process = subprocess.Popen(self.command, cwd=place or folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def told(self):
        return self.log.read_bytes()[self.told_from:].decode(errors="replace")

    def says(self, pattern):
        """Waits until it says this. -> the first group"""
        found = []

        def look():
            found[:] = re.findall(pattern, self.told())[:1]
            return bool(found)

        if not until(look, f"{self.name} says {pattern}", self, PATIENCE):
            raise Failure(f"{self.name} has ended:\n{self.told()[-2000:]}")
        return found[0]

    def kill(self):
        """SIGKILL"""
        self.process.kill()
        self.process.wait()

    def freeze(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def end(self):
        """SIGTERM, which it must obey."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"{self.name} did not end on SIGTERM:\n{self.told()[-2000:]}") from None


class Cluster:
    """Processes that find each other on loopback."""

    def __init__(self, binary, folder, options=(), place=None):
        self.binary, self.folder, self.place = binary, folder, place
        self.options = [part for option in options for part in ("-D", option)]
        # Always the same: a JobManager that comes back is where it was.
        (self.rpc, self.rest), self.count = free_ports(2), 0
        self.job_manager, self.task_managers = None, []
        try:
            self.start_job_manager()
        except BaseException:
            self.kill()
            raise

    def start_job_manager(self):
        """At the ports of the cluster."""
        ports = ["-D", f"jobmanager.rpc.port={self.rpc}", "-D", f"rest.port={self.rest}"]
        self.job_manager = Process(self.binary, self.folder, "jobmanager", ["jobmanager", *ports, *self.options], self.place)
        self.job_manager.says(r"JobManager: .*:(\d+)\n")
        self.job_manager.says(r"REST: http://.*:(\d+)\n")

    def start_task_manager(self, slots=2):
        self.count += 1
        args = ["-D", f"jobmanager.rpc.port={self.rpc}", "-D", f"taskmanager.numberOfTaskSlots={slots}", *self.options]
        self.task_managers.append(Process(self.binary, self.folder, f"taskmanager-{self.count}", ["taskmanager", *args], self.place))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.rest}"

    def processes(self):
        return [process for process in [self.job_manager, *self.task_managers] if process]

    def end(self):
        for process in self.processes():
            if process.process.poll() is None:
                process.thaw()
                process.end()

    def kill(self):
        for process in self.processes():
            if process.process.poll() is None:
                process.kill()


class Client(Process):
    """`flott sql --cluster` with a script."""

    def __init__(self, cluster, script, restore=False, options=()):
        args = ["sql", "-q", "--cluster", cluster.url, "-f", str(script)]
        for option in options:
            args += ["-D", option]
        if restore:
            args += ["--restore", "latest"]
        super().__init__(cluster.binary, cluster.folder, "client", args, cluster.place)

    def wait(self, seconds):
        """-> the exit status, or None if it goes on"""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status = self.process.poll()
            if status is not None:
                return status
            time.sleep(0.002)
        return None
