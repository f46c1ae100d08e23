"""Two or three jobs at once that share a folder of checkpoints and the names of their tables, and perhaps the folder they write to.

Each of them is killed and restored by itself, and in the end each has its own rows, and no other's.
"""
import collections

from driver import Job
from orders import Orders, output_of, some_queries


def run(world):
    rng = world.rng
    checkpoints = world.folder / "checkpoints"
    # Distinguished by name, or by where they write. Without names, one statement that writes to one place is one job.
    one_folder = rng.random() < 0.4
    named = one_folder or rng.random() < 0.4
    queries = ["copies"] if one_folder else some_queries(rng, "copies")
    jobs, expected = [], collections.defaultdict(collections.Counter)
    for number in range(rng.choice((2, 2, 3))):
        orders = Orders(rng, rows=1500, first=number * 100_000)
        outputs = world.folder / ("out" if one_folder else f"out-{number}")
        script = orders.script(queries, name=f"job {number}" if named else None, checkpoints=checkpoints, outputs=outputs)
        job = Job(world, f"job-{number}", script)
        orders.write(job.folder / "in")
        for query in queries:
            expected[outputs / query] += orders.expected(query)
        jobs.append(job)

    def check(whole):
        for folder, rows in expected.items():
            output = output_of(folder.name, folder)
            output.check_whole(rows) if whole else output.check_part(rows)

    open_jobs = list(jobs)
    for job in jobs:
        job.start()
    for _ in range(rng.randrange(3, 7)):
        job = rng.choice(open_jobs)
        status = job.wait(rng.uniform(0.05, 0.6))
        if status is None:
            job.kill()
            check(whole=False)
            job.start()
        else:
            job.check_status(status)
    for job in jobs:
        job.end()
    check(whole=True)
    # They have finished; a job that is started again says so and does nothing.
    rng.choice(jobs).finish()
    check(whole=True)
