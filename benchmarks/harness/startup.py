"""What is there before the first event: time to the first result, memory of an idle cluster, size on disk."""
import os
import pathlib
import subprocess
import time

from flink import client, cluster, config, install
from harness import machine, procfs

QUERY = "SELECT COUNT(*) FROM (VALUES (1), (2)) AS t(a);"
# Until an idle process has settled.
SETTLE_SECONDS = 3
ROUNDS = 5


def measure(binary, store):
    for name, figures in (("Flott", flott(binary)), ("Flink", flink())):
        print(f"{name}: {figures}", flush=True)
        store.put("startup", name, {**figures, "machine": machine.describe()})


def flott(binary):
    return {
        "first_result_seconds": min(first_result_of_flott(binary) for _ in range(ROUNDS)),
        "idle_bytes": idle_memory_of_flott(binary),
        "disk_bytes": pathlib.Path(binary).stat().st_size,
    }


def first_result_of_flott(binary):
    """From the start of the process, its cluster inside, to its end."""
    began = time.monotonic()
    subprocess.run([binary, "sql", "-q", "-e", QUERY], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return round(time.monotonic() - began, 4)


def idle_memory_of_flott(binary):
    """The shell with its cluster, waiting for a statement."""
    with subprocess.Popen([binary, "sql"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(SETTLE_SECONDS)
        resident = procfs.memory(process.pid, "VmRSS")
        process.stdin.close()
        process.wait()
    return resident


def flink():
    home = install.ensure()
    began = time.monotonic()
    with cluster.Cluster(home, config.Settings()) as started, client.Client(home, started.conf) as sql:
        sql.run(QUERY)
        first = time.monotonic() - began
        time.sleep(SETTLE_SECONDS)
        idle = sum(procfs.memory(pid, "VmRSS") for pid in (started.jobmanager, started.taskmanager))
    return {
        # A cluster and a client are started, the query is run.
        "first_result_seconds": round(first, 2),
        "idle_bytes": idle,
        "disk_bytes": sum(path.stat().st_size for path in home.jars.iterdir()) + java_bytes(),
    }


def java_bytes():
    """The Java that runs it."""
    java = pathlib.Path(os.path.realpath(machine.which("java"))).parents[1]
    return sum(path.stat().st_size for path in java.rglob("*") if path.is_file() and not path.is_symlink())
