"""Records that cannot be read go to a table of their own: every line of the input is in one of the two outputs, once.

Two queries read the table, and it is read once for both: so is what cannot be read of it.
"""
import base64
import collections

from driver import Job, Output
from orders import Orders, show, with_options

COLUMNS = "id INT, k STRING, v INT, ts TIMESTAMP(3)"


def broken(rng, number):
    """A line that is no order, each another one."""
    return rng.choice((
        f"{number},k1,many,2024-01-01 00:00:00",
        f"{number},k1",
        f"{number},k1,1,2024-01-01 00:00:00,more",
        f'{number},"k1"x,1,2024-01-01 00:00:00',
        f"{number},k1,1,yesterday",
    ))


def run(world):
    rng = world.rng
    orders = Orders(rng, rows=rng.choice((400, 1500)))
    job = Job(world, "job", None)
    folder = job.folder / "in"
    folder.mkdir()
    good, bad, size, number = collections.Counter(), collections.Counter(), -(-len(orders.rows) // orders.files), 0
    for file in range(orders.files):
        path, text = folder / f"orders-{file}.csv", ""
        for id, k, v, at in orders.rows[file * size:(file + 1) * size]:
            # Sometimes several in a row.
            while rng.random() < 0.2:
                number += 1
                line = broken(rng, number)
                bad[f"in/{path.name}", str(len(text)), base64.b64encode(line.encode()).decode()] += 1
                text += line + "\n"
            text += f"{id},{k},{v},{show(at)}\n"
            good[str(id), k, str(v)] += 1
        path.write_text(text, encoding="utf-8")
    seconds = 0.8

    def sql(parallelism):
        rate = max(1, int(len(orders.rows) / orders.files / seconds)) * parallelism
        source = [("connector", "filesystem"), ("path", "in"), ("format", "csv"), ("source.rate-limit.rows-per-second", rate)]
        sink = lambda name: with_options([("connector", "filesystem"), ("path", f"out/{name}"), ("format", "csv")])  # noqa: E731
        return (
            "SET 'execution.checkpointing.interval' = '50 ms';\nSET 'execution.checkpointing.dir' = 'checkpoints';\n"
            f"CREATE TABLE src ({COLUMNS}) WITH ({with_options(source)});\n"
            f"CREATE TABLE copies (id INT, k STRING, v INT) WITH ({sink('copies')});\n"
            f"CREATE TABLE even (id INT) WITH ({sink('even')});\n"
            f"CREATE TABLE bad (file_path STRING, file_position BIGINT, record BYTES) WITH ({sink('bad')});\n"
            "EXECUTE STATEMENT SET BEGIN\n"
            "INSERT INTO copies SELECT id, k, v FROM src ERRORS INTO bad WHERE ts IS NOT NULL;\n"
            "INSERT INTO even SELECT id FROM src ERRORS INTO bad AS s WHERE MOD(s.id, 2) = 0;\n"
            "END;\n")

    job.sql = sql
    even = collections.Counter((id,) for id, _, _ in good if int(id) % 2 == 0)
    outputs = [(Output(job.folder / "out" / name), rows) for name, rows in (("copies", good), ("even", even), ("bad", bad))]
    while not job.run_for(world.moment()):
        for output, rows in outputs:
            output.check_part(rows)
    for output, rows in outputs:
        output.check_whole(rows)
    world.counts["unreadable"] += sum(bad.values())
