"""Damaged and missing files of snapshots, with several checkpoints retained.

Who deletes the manifest of a checkpoint has deleted the checkpoint, and nobody knows any more that it was there: that is a permission as well.

A start that meets the damage may go on where nothing is lost or doubled by it. Where an older checkpoint would have to serve although
output was published since, it is refused and nothing changes, until a person permits it: then no row is missing, and some may come twice.
Where no checkpoint is left that can be used, it stays refused.
"""
from driver import Failure, Job, metadata
from orders import Check, Orders, some_queries

WORDS = ("damaged", "missing", "cannot be used", "cannot be read", "not found", "no such file")
PERMISSION = "execution.state-recovery.allow-older-checkpoint=true"


def run(world):
    rng = world.rng
    orders, queries = Orders(rng), some_queries(rng, "copies", but="totals")
    settings = [("execution.checkpointing.num-retained", rng.choice((2, 3, 5)))]
    job = Job(world, "job", orders.script(queries, settings=settings, seconds=2.0))
    orders.write(job.folder / "in")
    check = Check(orders, queries, job.folder / "out")
    if job.run_for(rng.uniform(0.4, 1.5)):
        return check.whole()
    check.part()
    damaged = damage(world, job.folder / "checkpoints")
    if not damaged:
        job.finish()
        return check.whole()
    gone, options, starts = damaged == "no manifest", (), rng.randrange(1, 4)
    while True:
        before = check.rows()
        job.start(options=options)
        starts -= 1
        status = job.wait(world.moment() if starts > 0 else 120)
        if status == 0:
            break
        if status is None:
            job.kill()
        else:
            job.check_refusal(status, WORDS)
            if check.rows() != before:
                raise Failure("the start was refused, but has changed the output nevertheless")
            if options:
                # Permitted, and refused: there is no checkpoint left to continue from.
                world.counts["nothing to continue from"] += 1
                return None
            options = [PERMISSION]
            world.counts["permissions"] += 1
        if not (options or gone):
            check.part()
    if not (options or gone):
        return check.whole()
    for output, expected in check.pairs:
        if missing := expected - output.rows():
            raise Failure(f"{output.name}: {next(iter(missing))} is missing ({len(missing)} such rows)")
        if unknown := set(output.rows()) - set(expected):
            raise Failure(f"{output.name}: {next(iter(unknown))} is no row of the job")


def damage(world, folder):
    """Damages a file of the newest checkpoint, or of one of those retained. -> what is damaged, or None"""
    rng, found = world.rng, metadata(folder)
    if not found:
        return None
    target = found[-1] if rng.random() < 0.7 else rng.choice(found)
    if rng.random() < 0.4:
        files = [path for path in target.parent.parent.rglob("*.parquet") if path.is_file()]
        target = max(files, key=lambda path: path.stat().st_mtime) if files else target
    data = bytearray(target.read_bytes())
    how = rng.choice(("flip", "cut", "delete"))
    if how == "flip" and data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        target.write_bytes(data)
    elif how == "cut":
        target.write_bytes(data[:rng.randrange(len(data) + 1) // 2])
    else:
        target.unlink()
    world.counts["files damaged"] += 1
    return "no manifest" if not target.exists() and target.name == "_metadata" else "a file"
