"""Inputs that are replaced while the job is down.

A file of which a part was read, and which is another now, is refused and not read on: with the old file in its place again, all is as if nothing had
happened. A file that was read to its end may be what it likes, and so may one of which nothing was read yet.
"""
import os
import shutil

from driver import Job, metadata
from orders import Check, Orders, some_queries

WORDS = ("orders-",)


def run(world):
    rng = world.rng
    orders, queries = Orders(rng, files=rng.choice((1, 1, 2))), some_queries(rng, "copies")
    job = Job(world, "job", orders.script(queries, seconds=2.0))
    folder = job.folder / "in"
    orders.write(folder)
    check = Check(orders, queries, job.folder / "out")
    for _ in range(rng.randrange(1, 4)):
        if job.run_for(rng.uniform(0.4, 1.3)):
            break
        check.part()
        if not metadata(job.folder / "checkpoints"):
            continue  # nothing was read yet, as far as anybody knows
        known = [path for path in sorted(folder.glob("*.csv")) if was_read(path, check.rows()[0])]
        if not known:
            continue
        path = rng.choice(known)
        kept = job.folder / "kept.csv"
        shutil.copy2(path, kept)
        how = rng.choice(("shorter", "same size", "gone"))
        replace(path, how)
        world.counts[f"inputs replaced ({how})"] += 1
        before = check.rows()
        job.start()
        status = job.wait(world.moment())
        if status is None:
            # It has not come so far, or does not need the file.
            job.kill()
        elif status != 0:
            job.check_refusal(status, WORDS)
        shutil.copy2(kept, path)
        check.part()
        if status == 0 and before != check.rows():
            break
    job.finish()
    check.whole()


def was_read(path, copies):
    """Whether rows of a file are visible. A file of which none were read is read as it is then, and a warning says so."""
    with path.open(encoding="utf-8") as file:
        return any(tuple(line.split(",")[:3]) in copies for line in file)


def replace(path, how):
    """Another file in its place: other rows under ids that no other row has."""
    lines = path.read_text(encoding="utf-8").splitlines()
    path.unlink()
    if how == "gone":
        return
    others = ["9" + line[1:] for line in lines]
    if how == "shorter":
        others = others[:len(others) // 4]
    path.write_text("".join(f"{line}\n" for line in others), encoding="utf-8")
    now = path.stat().st_mtime
    os.utime(path, (now + 5, now + 5))
