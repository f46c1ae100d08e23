"""One job started a second time while it runs: one process has it, the other is refused, and no row comes twice."""
import time

from driver import Failure, Job
from orders import Check, Orders, some_queries

WORDS = ("already", "runs", "another process")


def run(world):
    rng = world.rng
    orders, queries = Orders(rng), some_queries(rng)
    name = rng.choice((None, "orders"))
    script = orders.script(queries, name=name)
    first, second = Job(world, "job", script), Job(world, "job", script, "second")
    orders.write(first.folder / "in")
    check = Check(orders, queries, first.folder / "out")
    if rng.random() < 0.5:
        first.run_for(world.moment())
        second.starts = 1
    for _ in range(rng.randrange(1, 4)):
        pair = [first, second]
        rng.shuffle(pair)
        pair[0].start()
        time.sleep(rng.choice((0.0, 0.01, 0.3)))
        pair[1].start()
        # One of them is refused at once, whatever the order.
        refused = next_to_end(pair)
        other = pair[1 - pair.index(refused)]
        if refused.process.returncode == 0:
            # It had the job, and finished before the other one looked, which then says so.
            other.end()
            break
        refused.check_refusal(refused.process.returncode, WORDS)
        status = other.wait(world.moment())
        if status is not None:
            other.check_status(status)
        else:
            other.kill()
        check.part()
        first.starts = second.starts = max(first.starts, second.starts)
    first.finish()
    check.whole()


def next_to_end(jobs, timeout=60):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        for job in jobs:
            if job.process.poll() is not None:
                return job
        time.sleep(0.002)
    raise Failure("two processes run one job")
