#!/usr/bin/env python3
"""Kill and freeze processes of a cluster at random moments while a job runs, and compare what it has committed with what it should have.

usage: run.py [--bin PATH_OF_FLOTT] [--rounds N] [--seed N] [--exact SEED] [--jobs N] [--keep]

A round is a cluster of a JobManager and two or three TaskManagers, with a job whose rows go between them. TaskManagers are killed (and
others come in their place, or not), frozen until they count as lost and let go on; the JobManager is killed, and a new one continues the
job from its last checkpoint. In half of the rounds there are several JobManagers: the one that leads is killed, or (in half of these) frozen
until another one leads and let go on, which must end it; its client hears nothing of that. What is visible at any moment is part of the result, and in the end it is all of it: no row is lost, none is
there twice. No job may get stuck, and every process ends when it is told to. A failure keeps its folder and prints what runs the round
again: run.py --exact SEED
"""
import argparse
import collections
import concurrent.futures
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

from processes import Client, Cluster

from driver import ROOT, TIMEOUT, Failure, until  # by way of processes
from orders import Check, Orders, some_queries

LIVENESS = ("heartbeat.interval=300 ms", "heartbeat.timeout=3 s")
RESTARTS = (("restart-strategy.type", "fixed-delay"), ("restart-strategy.fixed-delay.attempts", 1000),
            ("restart-strategy.fixed-delay.delay", "50 ms"))


class Round:
    def __init__(self, binary, folder, seed):
        folder.mkdir(parents=True)
        self.folder, self.rng, self.counts = folder, random.Random(seed), collections.Counter()
        rng = self.rng
        self.orders, queries = Orders(rng, rows=2000), some_queries(rng)
        self.orders.write(folder / "in")
        self.check = Check(self.orders, queries, folder / "out")
        parallelism = rng.choice((2, 3, 4))
        script = self.orders.script(queries, seconds=rng.uniform(1.0, 3.0), name="orders", inputs=folder / "in", outputs=folder / "out",
                                    checkpoints=folder / "checkpoints", settings=RESTARTS)
        self.script = folder / "job.sql"
        self.script.write_text(f"SET 'parallelism.default' = '{parallelism}';\n" + script(parallelism), encoding="utf-8")
        codec = rng.choice(("NONE", "LZ4", "ZSTD"))
        self.client, standbys = None, rng.choice((0, 1))
        options = (*LIVENESS, f"taskmanager.network.compression.codec={codec}")
        # Only a frozen leader is waited for. On a busy machine one that is well may not come to renew a short lease.
        self.freezes = bool(standbys) and rng.random() < 0.5
        self.cluster = Cluster(binary, folder, options, standbys=standbys, lease="4 s" if self.freezes else "60 s")
        self.members = rng.choice((2, 3))

    def start(self):
        for _ in range(self.members):
            self.cluster.start_task_manager()
        self.client = Client(self.cluster, self.script)
        if self.cluster.standbys:
            # Whether a job runs that is submitted at the moment when the leader is lost, its client does not know.
            until(lambda: any((self.folder / "checkpoints").glob("*/chk-*/_metadata")), "a checkpoint", self.client)

    def end(self):
        """Nothing of it runs any longer."""
        self.cluster.kill()
        if self.client and self.client.process.poll() is None:
            self.client.kill()

    def alive(self):
        return [manager for manager in self.cluster.task_managers if manager.process.poll() is None]

    def kill_task_manager(self):
        victims = self.alive()
        self.rng.choice(victims).kill()
        self.counts["TaskManagers killed"] += 1
        # Two hold the job, whatever its parallelism.
        if len(victims) <= 2 or self.rng.random() < 0.5:
            time.sleep(self.rng.uniform(0, 0.3))
            self.cluster.start_task_manager()

    def freeze_task_manager(self):
        victim = self.rng.choice(self.alive())
        victim.freeze()
        self.counts["TaskManagers frozen"] += 1
        # The job goes on without it, if there are enough others.
        self.cluster.start_task_manager()
        time.sleep(self.rng.choice((0.5, 3.5)))
        victim.thaw()

    def kill_job_manager(self):
        self.cluster.job_manager.kill()
        self.counts["JobManagers killed"] += 1
        status = self.client.wait(TIMEOUT)
        if status is None:
            raise Failure("the client of a JobManager that is gone does not end")
        self.cluster.start_job_manager()
        self.client = Client(self.cluster, self.script, restore=True)

    def kill_leader(self):
        self.cluster.leader().kill()
        self.counts["leaders killed"] += 1
        self.cluster.leader()

    def freeze_leader(self):
        frozen = self.cluster.leader()
        frozen.freeze()
        self.counts["leaders frozen"] += 1
        try:
            self.cluster.leader(besides=(frozen,))
            # Its successor is at work when it wakes up.
            time.sleep(self.rng.uniform(0, 1.0))
        finally:
            frozen.thaw()
        try:
            status = frozen.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise Failure("a leader that was deposed goes on") from None
        # Whichever it notices first.
        if status != 1 or not any(why in frozen.told() for why in ("no longer leads", "cannot say that it leads")):
            raise Failure(f"a leader that was deposed ended with {status}:\n{frozen.told()[-2000:]}")

    def run(self):
        self.start()
        of_leader = (self.kill_leader,) if self.cluster.standbys else (self.kill_job_manager,)
        of_leader += (self.freeze_leader,) if self.freezes else ()
        for _ in range(self.rng.randrange(2, 5)):
            if self.client.wait(self.rng.uniform(0.2, 1.5)) is not None:
                break
            action = self.rng.choice((self.kill_task_manager,) * 3 + of_leader + (self.freeze_task_manager,))
            action()
            self.check.part()
        status = self.client.wait(TIMEOUT)
        if status is None:
            raise Failure(f"the job is stuck; its client says:\n{self.client.told()[-2000:]}")
        if status != 0:
            raise Failure(f"the client ended with exit status {status}:\n{self.client.told()[-2000:]}")
        self.check.whole()
        # What was not alive for a while may wake up and must change nothing.
        self.cluster.end()
        self.check.whole()


def run_round(folder, seed, args):
    """-> (what was done, why it failed or None)"""
    test = None
    try:
        test = Round(args.bin, folder, seed)
        test.run()
    except Failure as failure:
        return test.counts if test else collections.Counter(), str(failure)
    finally:
        if test:
            test.end()
    if not args.keep:
        shutil.rmtree(folder)
    return test.counts, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "target" / "debug" / "flott"))
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--exact", type=int, help="the seed of a single round, as a failure prints it")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="rounds at a time")
    parser.add_argument("--keep", action="store_true", help="keep the folders also when all is well")
    args = parser.parse_args()
    args.bin = pathlib.Path(args.bin).resolve()
    rng = random.Random(args.seed)
    seeds = [rng.randrange(1 << 32) for _ in range(args.rounds)] if args.exact is None else [args.exact]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flott-cluster-"))
    print(f"cluster kill test: seed {args.seed}, {len(seeds)} rounds, folder {folder}", flush=True)
    started, sums, failed = time.monotonic(), collections.Counter(), 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        work = {pool.submit(run_round, folder / str(number), seed, args): (number, seed) for number, seed in enumerate(seeds)}
        for done in concurrent.futures.as_completed(work):
            number, seed = work[done]
            counts, why = done.result()
            sums += counts
            if why is not None:
                failed += 1
                print(f"FAILED: {why}\n  folder {folder / str(number)}; again: run.py --exact {seed}", flush=True)
    print(", ".join(f"{count} {what}" for what, count in sorted(sums.items())))
    if args.exact is None and sum(sums.values()) < len(seeds):
        failed += 1
        print("FAILED: too little was done: the test does not test what it should")
    print(f"{len(seeds)} rounds, {failed} failed, {time.monotonic() - started:.0f} s")
    if not failed and not args.keep:
        shutil.rmtree(folder)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
