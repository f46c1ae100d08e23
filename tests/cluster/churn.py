#!/usr/bin/env python3
"""Many jobs in one session cluster: submitted, seen running, cancelled. Memory and threads of its processes must stay flat.

usage: churn.py [--bin PATH_OF_FLOTT] [--jobs 10000] [--at-once 4]
       churn.py --side-by-side 1000 [--seconds 30]        so many jobs in one process at a time: its memory and CPU
"""
import argparse
import concurrent.futures
import http.client
import json
import pathlib
import shutil
import sys
import tempfile
import threading
import time

from processes import Cluster, Process

from driver import ROOT, until  # by way of processes

TABLES = """
CREATE TABLE numbers (n BIGINT, k INT) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}', 'fields.k.min' = '1', 'fields.k.max' = '10');
CREATE TABLE sums (k INT, s BIGINT) WITH ('connector' = 'blackhole');
"""
JOB = "INSERT INTO sums SELECT k, SUM(n) FROM numbers GROUP BY k"
# What a process may have more after all jobs than after the first tenth of them: caches that fill, pages that the allocator keeps.
MORE_MEMORY, MORE_THREADS = 1.25, 4


class Session:
    """Connection and SQL session of one thread."""

    def __init__(self, port, rate):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.session = self.ask("POST", "/v1/sessions", {"properties": {"parallelism.default": "1"}})["sessionHandle"]
        for statement in TABLES.format(rate=rate).split(";")[:-1]:
            self.ask("POST", f"/v1/sessions/{self.session}/configure-session", {"statement": statement})

    def ask(self, method, path, body=None):
        self.connection.request(method, path, json.dumps(body or {}))
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")
        return json.loads(text) if text else {}

    def submit(self):
        """-> the id of a job"""
        operation = self.ask("POST", f"/v1/sessions/{self.session}/statements", {"statement": JOB})["operationHandle"]
        path = f"/v1/sessions/{self.session}/operations/{operation}"
        token, rows = 0, []
        while not rows:
            page = self.ask("GET", f"{path}/result/{token}?rowFormat=PLAIN_TEXT")
            rows = page["results"]["data"]
            if page["resultType"] == "EOS":
                raise RuntimeError(f"no job: {page}")
            token += 1
        self.ask("DELETE", f"{path}/close")
        return rows[0]["fields"][0]

    def until(self, job, states):
        while True:
            state = self.ask("GET", f"/jobs/{job}/status")["status"]
            if state in states:
                return state
            if state == "FAILED":
                raise RuntimeError(f"job {job} has failed: {self.ask('GET', f'/jobs/{job}/exceptions')}")
            time.sleep(0.002)


def used(process):
    """-> resident kilobytes, threads, CPU seconds of a process"""
    proc = pathlib.Path(f"/proc/{process.process.pid}")
    status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    ticks = (proc / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return int(status["VmRSS"].split()[0]), int(status["Threads"]), sum(map(int, ticks)) / 100


def churn(binary, folder, jobs, at_once):
    cluster = Cluster(binary, folder)
    try:
        cluster.start_task_manager(slots=at_once)
        of_thread = threading.local()

        def session():
            if not hasattr(of_thread, "session"):
                of_thread.session = Session(cluster.rest, rate=100)
            return of_thread.session

        def one(_):
            own = session()
            job = own.submit()
            own.until(job, ("RUNNING",))
            own.ask("PATCH", f"/jobs/{job}?mode=cancel")
            own.until(job, ("CANCELED",))

        until(lambda: "registered" in cluster.job_manager.told(), "the TaskManager is registered", cluster.job_manager)
        processes = {"JobManager": cluster.job_manager, "TaskManager": cluster.task_managers[0]}
        print(f"{'jobs':>6}  " + "  ".join(f"{name + ' MB':>15} {'threads':>7}" for name in processes), flush=True)
        rows, began = [], time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            for tenth in range(1, 11):
                list(pool.map(one, range(jobs // 10)))
                time.sleep(0.5)
                rows.append([used(process)[:2] for process in processes.values()])
                print(f"{jobs // 10 * tenth:>6}  " + "  ".join(f"{kb / 1024:>15.1f} {threads:>7}" for kb, threads in rows[-1]), flush=True)
        print(f"{jobs / (time.monotonic() - began):.1f} jobs per second", flush=True)
        # What is remembered of jobs that have ended is full after the first of them.
        wrong = [name for name, first, last in zip(processes, rows[0], rows[-1])
                 if last[0] > MORE_MEMORY * first[0] or last[1] > first[1] + MORE_THREADS]
        cluster.end()
        return f"not flat: {', '.join(wrong)}" if wrong else None
    finally:
        cluster.kill()


def side_by_side(binary, folder, jobs, seconds):
    process = Process(binary, folder, "local", ["local", "-D", "rest.port=0"])
    try:
        port = int(process.says(r"REST: http://.*:(\d+)\n"))
        empty = used(process)
        session = Session(port, rate=1)
        began = time.monotonic()
        ids = [session.submit() for _ in range(jobs)]
        for job in ids:
            session.until(job, ("RUNNING",))
        started = time.monotonic() - began
        before = used(process)
        time.sleep(seconds)
        after = used(process)
        states = [job["status"] for job in session.ask("GET", "/jobs")["jobs"]]
        print(f"{jobs} jobs, each reading 1 row per second, in one process; started in {started:.1f} s")
        print(f"memory: {empty[0] / 1024:.0f} MB empty, {after[0] / 1024:.0f} MB with them; threads: {after[1]}")
        print(f"CPU: {100 * (after[2] - before[2]) / seconds:.1f} % of a core", flush=True)
        return None if states.count("RUNNING") == jobs else f"{states.count('RUNNING')} jobs run"
    finally:
        process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "target" / "release" / "flott"))
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=4)
    parser.add_argument("--side-by-side", type=int)
    parser.add_argument("--seconds", type=int, default=30)
    args = parser.parse_args()
    binary = pathlib.Path(args.bin).resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flott-churn-"))
    wrong = (side_by_side(binary, folder, args.side_by_side, args.seconds) if args.side_by_side
             else churn(binary, folder, args.jobs, args.at_once))
    if wrong:
        sys.exit(f"{wrong}; logs are in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
