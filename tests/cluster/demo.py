#!/usr/bin/env python3
"""The example on a cluster of processes: a TaskManager and the JobManager are killed while it runs, and its figures are right.

usage: demo.py [--bin PATH_OF_FLOTT]
"""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from processes import Client, Cluster

from driver import ROOT, TIMEOUT, until  # by way of processes

SCRIPT = ROOT / "examples" / "flights" / "flights.sql"
OUTPUT = ROOT / "target" / "demo"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "target" / "release" / "flott"))
    args = parser.parse_args()
    shutil.rmtree(OUTPUT, ignore_errors=True)
    binary = pathlib.Path(args.bin).resolve()
    logs = pathlib.Path(tempfile.mkdtemp(prefix="flott-demo-"))
    options = ("restart-strategy.type=fixed-delay", "restart-strategy.fixed-delay.attempts=10", "restart-strategy.fixed-delay.delay=100 ms")
    # The paths of the script are relative, and the tasks are where the TaskManagers were started.
    cluster = Cluster(binary, logs, options, place=ROOT)
    try:
        for _ in range(2):
            cluster.start_task_manager()
        print(f"a JobManager and two TaskManagers; REST: {cluster.url}", flush=True)
        client = Client(cluster, SCRIPT, options=["parallelism.default=2"])
        until(lambda: any(OUTPUT.glob("checkpoints/*/chk-*/_metadata")), "a checkpoint", client)
        print("kill -9 of a TaskManager; another one comes", flush=True)
        cluster.task_managers[0].kill()
        cluster.start_task_manager()
        client.wait(1.0)
        print("kill -9 of the JobManager; another one comes, and the job goes on from its last checkpoint", flush=True)
        cluster.job_manager.kill()
        client.wait(TIMEOUT)
        cluster.start_job_manager()
        client = Client(cluster, SCRIPT, restore=True, options=["parallelism.default=2"])
        started = time.monotonic()
        status = client.wait(TIMEOUT)
        if status != 0:
            sys.exit(f"the job ended with {status}:\n{client.told()}")
        print(f"finished {time.monotonic() - started:.1f} s later", flush=True)
        cluster.end()
    finally:
        cluster.kill()
    shutil.rmtree(logs)
    return subprocess.call([sys.executable, ROOT / "examples" / "flights" / "verify.py", "--output", OUTPUT])


if __name__ == "__main__":
    sys.exit(main())
