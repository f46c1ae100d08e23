"""A consumer that moves committed files away as soon as it sees them: a restore misses nothing, and what was moved does not come again."""
import shutil
import threading

from driver import Job
from orders import Orders, output_of, some_queries


def run(world):
    rng = world.rng
    orders, queries = Orders(rng), some_queries(rng, "copies")
    job = Job(world, "job", orders.script(queries))
    orders.write(job.folder / "in")
    consumer = Consumer(job.folder, queries, world)
    consumer.start()
    try:
        for _ in range(rng.randrange(2, 5)):
            if job.run_for(world.moment()):
                break
        job.finish()
    finally:
        consumer.stop()
    for query in queries:
        output_of(query, job.folder / "taken" / query).check_whole(orders.expected(query))


class Consumer(threading.Thread):
    """Moves files from `out` to `taken`."""

    def __init__(self, folder, queries, world):
        super().__init__()
        self.outputs = [(output_of(query, folder / "out" / query), folder / "taken" / query) for query in queries]
        self.world, self.stopped = world, threading.Event()
        for _, taken in self.outputs:
            taken.mkdir(parents=True)

    def run(self):
        last = False
        while not last:
            last = self.stopped.wait(0.005)
            for output, taken in self.outputs:
                for path in output.files():
                    shutil.move(path, taken / path.name)
                    self.world.counts["files moved away"] += 1

    def stop(self):
        self.stopped.set()
        self.join()
