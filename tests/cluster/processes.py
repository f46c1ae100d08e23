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
    """Processes that find each other on loopback; with `standbys` JobManagers beside the one that leads, whose lease lasts that long."""

    def __init__(self, binary, folder, options=(), place=None, standbys=0, lease="60 s"):
        self.binary, self.folder, self.place, self.standbys = binary, folder, place, standbys
        if standbys:
            options = (*options, "high-availability.type=filesystem", f"high-availability.storageDir={folder / 'ha'}",
                       f"high-availability.filesystem.lease-duration={lease}")
        self.options = [part for option in options for part in ("-D", option)]
        # Always the same: a JobManager that comes back is where it was.
        (self.rpc, self.rest), self.count = free_ports(2), 0
        self.job_managers, self.task_managers = [], []
        try:
            for _ in range(1 + standbys):
                self.start_job_manager()
        except BaseException:
            self.kill()
            raise

    @property
    def job_manager(self):
        """The last that was started."""
        return self.job_managers[-1]

    def start_job_manager(self):
        """At the ports of the cluster, if there is only one."""
        ports = ["-D", "rest.port=0"] if self.standbys else ["-D", f"jobmanager.rpc.port={self.rpc}", "-D", f"rest.port={self.rest}"]
        name = f"jobmanager-{len(self.job_managers) + 1}" if self.standbys else "jobmanager"
        self.job_managers.append(Process(self.binary, self.folder, name, ["jobmanager", *ports, *self.options], self.place))
        if not self.standbys:
            self.job_manager.says(r"JobManager: .*:(\d+)\n")
        self.job_manager.says(r"REST: http://.*:(\d+)\n")

    def leader(self, besides=()):
        """Waits until a JobManager leads that is none of these. Those that have ended are replaced."""
        found = []

        def look():
            alive = [process for process in self.job_managers if process.process.poll() is None and process not in besides]
            for _ in range(len(alive), 1 + self.standbys - len(besides)):
                self.start_job_manager()
            found[:] = [process for process in alive if "leads the cluster" in process.told()][-1:]
            return bool(found)

        until(look, "a JobManager leads the cluster", timeout=PATIENCE)
        return found[0]

    def start_task_manager(self, slots=2):
        self.count += 1
        port = [] if self.standbys else ["-D", f"jobmanager.rpc.port={self.rpc}"]
        args = [*port, "-D", f"taskmanager.numberOfTaskSlots={slots}", *self.options]
        self.task_managers.append(Process(self.binary, self.folder, f"taskmanager-{self.count}", ["taskmanager", *args], self.place))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.rest}"

    def processes(self):
        return [*self.job_managers, *self.task_managers]

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
        at = ["--cluster", *cluster.options] if cluster.standbys else ["--cluster", cluster.url]
        args = ["sql", "-q", *at, "-f", str(script)]
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
