"""What the kernel tells of a process."""
import os
import pathlib
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time since the start of the process, all threads together."""
    # The name in parentheses may hold anything; what follows it are numbers.
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory(pid, name):
    """`VmRSS`, memory now, or `VmHWM`, at its highest, in bytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"the kernel does not tell {name} of process {pid}")


def forget_peak(pid):
    """Resets the peak memory."""
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="utf-8")


class Watch:
    """Looks at a process again and again while a `with` block runs, until the process is gone."""

    def __init__(self, interval, look):
        self.interval = interval
        self.look = look
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def run(self):
        try:
            while not self.done.is_set():
                self.look()
                self.done.wait(self.interval)
            self.look()
        except (OSError, RuntimeError):
            # It has ended: nothing is left to be seen.
            pass


class CpuLog(Watch):
    """Notes how much processor time a process has used, to know afterwards what it was at a given moment."""

    def __init__(self, pid):
        super().__init__(0.02, self.note)
        self.pid = pid
        self.entries = []

    def note(self):
        self.entries.append((time.time(), cpu_seconds(self.pid)))

    def at(self, moment):
        """The processor time at a moment of the wall clock, between the two notes around it."""
        before = self.entries[0]
        for after in self.entries:
            if after[0] >= moment:
                share = (moment - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0
                return before[1] + share * (after[1] - before[1])
            before = after
        return before[1]


class PeakLog(Watch):
    """The highest memory of a process that ends. What `wait4` tells instead is at least the memory of the parent, which the child shares until it is a program of its
    own."""

    def __init__(self, pid):
        super().__init__(0.005, self.note)
        self.pid = pid
        self.peak = 0

    def note(self):
        self.peak = max(self.peak, memory(self.pid, "VmHWM"))
