"""A job over made-up orders, and what it must give, computed here.

Five queries, of which a round takes some: rows as they are, sums by windows, running sums, totals, and a join of the input with itself. All but the totals
append only, so that what is committed at any moment is part of what is committed in the end.
"""
import collections
import datetime

from driver import Changes, Output

START = datetime.datetime(2024, 1, 1)
WINDOW = 60
QUERIES = {
    "copies": ("id INT, k STRING, v INT", "SELECT id, k, v FROM {src} WHERE v >= 0"),
    "sums": ("k STRING, ws TIMESTAMP(3), n BIGINT, s BIGINT",
             "SELECT k, window_start, COUNT(*), SUM(CAST(v AS BIGINT)) FROM TUMBLE(TABLE {src}, DESCRIPTOR(ts), INTERVAL '60' SECOND) "
             "GROUP BY k, window_start, window_end"),
    "running": ("id INT, k STRING, s BIGINT",
                "SELECT id, k, SUM(CAST(v AS BIGINT)) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM {src}"),
    "totals": ("k STRING, n BIGINT, s BIGINT", "SELECT k, COUNT(*), SUM(CAST(v AS BIGINT)) FROM {src} GROUP BY k"),
    "joined": ("id INT, k STRING, v INT", "SELECT a.id, b.k, b.v FROM {src} AS a JOIN {src} AS b ON a.id = b.id"),
}


class Orders:
    """Rows in some files. `first` is the first id, so that the rows of several jobs can be distinguished."""

    def __init__(self, rng, rows=2500, files=None, first=0):
        self.files = files or rng.choice((1, 1, 3))
        self.rows = [(first + number, f"k{rng.randrange(20)}", rng.randrange(100), START + datetime.timedelta(seconds=number))
                     for number in range(rows)]
        # The rows of one file are in order; several are read in any order, and nothing is late then before all are read.
        self.lag = "'5' SECOND" if self.files == 1 else "'1' DAY"

    def write(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        size = -(-len(self.rows) // self.files)
        for number in range(self.files):
            write_rows(folder / f"orders-{number}.csv", self.rows[number * size:(number + 1) * size])

    def script(self, queries, seconds=1.2, name=None, src="src", sink="sink", inputs="in", outputs="out", checkpoints="checkpoints",
               interval="50 ms", settings=(), source=()):
        """-> a function of the parallelism: readers share the rate, and perhaps only one has something to read"""

        def text(parallelism):
            rate = max(1, int(len(self.rows) / self.files / seconds)) * parallelism
            sets = [("execution.checkpointing.interval", interval), ("execution.checkpointing.dir", checkpoints), *settings]
            if name is not None:
                sets.append(("pipeline.name", name))
            options = [("connector", "filesystem"), ("path", inputs), ("format", "csv"), ("source.rate-limit.rows-per-second", rate), *source]
            parts = [f"SET '{key}' = '{value}';" for key, value in sets]
            parts.append(f"CREATE TABLE {src} (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL {self.lag}) "
                         f"WITH ({with_options(options)});")
            for query in queries:
                format = "debezium-json" if query == "totals" else "csv"
                options = [("connector", "filesystem"), ("path", f"{outputs}/{query}"), ("format", format)]
                parts.append(f"CREATE TABLE {sink}_{query} ({QUERIES[query][0]}) WITH ({with_options(options)});")
            inserts = [f"INSERT INTO {sink}_{query} {QUERIES[query][1].format(src=src)};" for query in queries]
            body = inserts if len(inserts) == 1 else ["EXECUTE STATEMENT SET BEGIN", *inserts, "END;"]
            return "\n".join([*parts, *body]) + "\n"

        return text

    def expected(self, query):
        if query in ("copies", "joined"):
            return collections.Counter((str(id), k, str(v)) for id, k, v, _ in self.rows)
        if query == "running":
            sums, rows = collections.Counter(), collections.Counter()
            for id, k, v, _ in self.rows:
                sums[k] += v
                rows[str(id), k, str(sums[k])] += 1
            return rows
        if query == "totals":
            counts, sums = collections.Counter(k for _, k, _, _ in self.rows), collections.Counter()
            for _, k, v, _ in self.rows:
                sums[k] += v
            return collections.Counter({(k, str(n), str(sums[k])): 1 for k, n in counts.items()})
        groups = collections.defaultdict(list)
        for _, k, v, at in self.rows:
            groups[k, at - datetime.timedelta(seconds=at.timestamp() % WINDOW)].append(v)
        return collections.Counter({(k, show(at), str(len(vs)), str(sum(vs))): 1 for (k, at), vs in groups.items()})


class Check:
    """The outputs of a job and what they must hold."""

    def __init__(self, orders, queries, folder):
        self.pairs = [(output_of(query, folder / query), orders.expected(query)) for query in queries]

    def part(self):
        for output, expected in self.pairs:
            output.check_part(expected)

    def whole(self):
        for output, expected in self.pairs:
            output.check_whole(expected)

    def rows(self):
        return [output.rows() for output, _ in self.pairs]

    def is_whole(self):
        return all(output.rows() == expected for output, expected in self.pairs)


def output_of(query, folder):
    return Changes(folder) if query == "totals" else Output(folder)


def some_queries(rng, *always, but=None):
    """One to three of them, those named among them, and not the one that `but` names."""
    others = [query for query in QUERIES if query not in (*always, but)]
    return [*always, *rng.sample(others, rng.randrange(0 if always else 1, 3))]


def show(at):
    return f"{at:%Y-%m-%d %H:%M:%S}"


def write_rows(path, rows):
    path.write_text("".join(f"{id},{k},{v},{show(at)}\n" for id, k, v, at in rows), encoding="utf-8")


def with_options(options):
    return ", ".join(f"'{key}' = '{value}'" for key, value in options)
