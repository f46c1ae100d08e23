"""Kills between the last checkpoint and the exit: everything is committed, and the process dies before it has cleared up.

The job has been started several times before, so that there is something to clear up. Started once more, it may do nothing, or only
clear up: not a row comes again.
"""
from driver import Failure, Job, until
from orders import Check, Orders, some_queries


def run(world):
    rng = world.rng
    orders, queries = Orders(rng, rows=rng.choice((200, 1000))), some_queries(rng)
    job = Job(world, "job", orders.script(queries, seconds=0.4))
    orders.write(job.folder / "in")
    check = Check(orders, queries, job.folder / "out")
    for _ in range(rng.randrange(3)):
        job.run_for(rng.uniform(0.1, 0.5))
        check.part()
    for _ in range(rng.randrange(1, 4)):
        job.start()
        if until(check.is_whole, "the end", job):
            job.wait(rng.choice((0.0, 0.001, 0.003, 0.01)))
            world.counts["kills at the end"] += job.kill()
        else:
            job.check_status(job.process.returncode)
            raise Failure(f"the job has ended without all its rows:\n{job.told()[-2000:]}")
        check.whole()
    job.finish()
    check.whole()
