"""A watched folder to which files are added, while the job runs and while it is down: each row is read once."""
import collections
import os

from driver import Job, Output, until
from orders import Orders, write_rows


def run(world):
    rng = world.rng
    parts = [Orders(rng, rows=rng.randrange(50, 400), files=1, first=number * 100_000) for number in range(6)]
    queries = ["copies", "joined"] if rng.random() < 0.5 else ["copies"]
    job = Job(world, "job", parts[0].script(queries, seconds=0.5, source=[("source.monitor-interval", "50 ms")]))
    folder, written = job.folder / "in", []
    folder.mkdir()

    def add():
        part = parts[len(written)]
        # Under a hidden name first: a file that is seen is complete.
        hidden = folder / f".part-{len(written)}"
        write_rows(hidden, part.rows)
        os.rename(hidden, folder / f"part-{len(written)}.csv")
        written.append(part)

    def expected(query):
        return sum((part.expected(query) for part in written), start=collections.Counter())

    outputs = {query: Output(job.folder / "out" / query) for query in queries}
    add()
    while len(written) < len(parts):
        job.start()
        if rng.random() < 0.6:
            status = job.wait(rng.uniform(0.1, 0.5))
            if status is not None:
                job.check_status(status)
            add()
        status = job.wait(world.moment(1.0))
        if status is not None:
            job.check_status(status)
        job.kill()
        for query, output in outputs.items():
            output.check_part(expected(query))
        if len(written) < len(parts):
            add()
    job.start()
    whole = lambda: all(output.rows() == expected(query) for query, output in outputs.items())  # noqa: E731
    if not until(whole, "the whole output", job):
        job.check_status(job.process.returncode)
    job.kill()
    for query, output in outputs.items():
        output.check_whole(expected(query))
