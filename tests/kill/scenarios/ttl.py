"""Restores with `table.exec.state.ttl` switched on and off: as long as nothing is old enough to expire, it makes no difference."""
from driver import Job
from orders import Check, Orders, some_queries


def run(world):
    rng = world.rng
    orders, queries = Orders(rng), some_queries(rng, *rng.sample(("running", "joined", "totals"), rng.choice((1, 2))))
    job = Job(world, "job", orders.script(queries))
    orders.write(job.folder / "in")
    check = Check(orders, queries, job.folder / "out")
    on = rng.random() < 0.5
    for _ in range(rng.randrange(2, 5)):
        if job.run_for(world.moment(), options=ttl(rng, on)):
            break
        check.part()
        on = not on
    job.finish(options=ttl(rng, on))
    check.whole()


def ttl(rng, on):
    return [f"table.exec.state.ttl={rng.choice(('1 h', '2 d'))}"] if on else []
