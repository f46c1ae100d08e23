#!/usr/bin/env python3
"""A keyed shuffle between two processes against the same one within a process, by turns.

usage: exchange.py --bin PATH_OF_FLOTT [--rows N] [--rounds N] [--codec NONE|LZ4|ZSTD]

The bids of Nexmark, about 200 bytes each, go by their bidder to two subtasks that aggregate them. Within a process, both subtasks are in it and rows move by
pointer; between processes, there are two TaskManagers with a slot each, and half of the rows go from one to the other over loopback.
CPU time is that of all processes; for the cluster, of JobManager, TaskManagers and client while the job runs.
"""
import argparse
import os
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "cluster"))
from processes import Client, Cluster, Process  # noqa: E402

SCRIPT = """SET 'parallelism.default' = '2';
SET 'table.optimizer.agg-phase-strategy' = 'ONE_PHASE';
CREATE TABLE nexmark (
  event_type INT,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP(3), extra STRING>
) WITH ('connector' = 'nexmark', 'events.num' = '{rows}', 'rate.limited' = 'false');
CREATE TABLE snk (bidder BIGINT, n BIGINT, price BIGINT, url STRING, extra STRING) WITH ('connector' = 'blackhole');
INSERT INTO snk SELECT bid.bidder, COUNT(*), MAX(bid.price), MAX(bid.url), MAX(bid.extra) FROM nexmark WHERE event_type = 2 GROUP BY bid.bidder;
"""


def cpu(processes):
    """Seconds of user and system time so far."""
    total = 0
    for process in processes:
        fields = pathlib.Path(f"/proc/{process.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def finish(process):
    """-> seconds, CPU seconds of this process alone"""
    started = time.monotonic()
    _, status, usage = os.wait4(process.process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(process.told())
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--codec", default="NONE")
    args = parser.parse_args()
    binary = pathlib.Path(args.bin).resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "job.sql").write_text(SCRIPT.format(rows=args.rows), encoding="utf-8")
        cluster = Cluster(binary, folder, [f"taskmanager.network.compression.codec={args.codec}"])
        try:
            for _ in range(2):
                cluster.start_task_manager(slots=1)
                cluster.task_managers[-1].says(r"TaskManager: (.*)\n")
            measured = {"one process": [], "two processes": []}
            for _ in range(args.rounds):
                alone = Process(binary, folder, "alone", ["sql", "-q", "-f", "job.sql"])
                measured["one process"].append(finish(alone))
                before = cpu(cluster.processes())
                wall, own = finish(Client(cluster, "job.sql"))
                measured["two processes"].append((wall, own + cpu(cluster.processes()) - before))
        finally:
            cluster.kill()
    print(f"{args.rows} events, {args.rounds} rounds, codec {args.codec}: medians")
    figures = {}
    for name, runs in measured.items():
        wall, used = (statistics.median(run[at] for run in runs) for at in (0, 1))
        figures[name] = (wall, used)
        print(f"  {name:14} {wall:7.2f} s  {used:7.2f} CPU s  {args.rows / used / 1e6:6.2f} million events per CPU second")
    (wall, used), (wall_two, used_two) = figures["one process"], figures["two processes"]
    print(f"  between processes: {wall_two / wall:.2f} times the time, {used_two / used:.2f} times the CPU time")


if __name__ == "__main__":
    main()
