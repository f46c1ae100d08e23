#!/usr/bin/env python3
"""Makes the golden files of the queries that run.py compares, by running them on a real Apache Flink (installed where it is missing).

usage: golden.py [QUERY ...]
"""
import collections
import datetime
import re
import sys
import tempfile

import run as nexmark

sys.path.insert(0, str(nexmark.NEXMARK.parent))
from flink import client, cluster, config, install  # noqa: E402

# Those whose results are the same in every run.
QUERIES = ["q0", "q1", "q2", "q3", "q4", "q5", "q7", "q8", "q9", "q10", "q11", "q13", "q14", "q15", "q16", "q17", "q18", "q19", "q20", "q21", "q22"]
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?")


def cells(text):
    """A row as Java prints it -> the cells as the SQL client prints them. No text of Nexmark has a comma or is the word null."""
    return tuple(map(cell, text.split(", ")))


def cell(text):
    if text == "null":
        return None
    if TIMESTAMP.fullmatch(text):
        return datetime.datetime.fromisoformat(text).isoformat(" ", "milliseconds")
    return text


def rows(lines):
    """A changelog -> the rows that are left"""
    left = collections.Counter()
    for line in lines:
        kind, _, rest = line.partition("[")
        left[cells(rest.removesuffix("]"))] += 1 if kind in ("+I", "+U") else -1
    gone = [row for row, count in left.items() if count < 0]
    if gone:
        raise ValueError(f"a row was retracted that had not been there: {gone[0]}")
    return left.elements()


def main():
    home = install.ensure()
    settings = config.Settings(parallelism=1, memory="2g")
    with cluster.Cluster(home, settings) as flink, client.Client(home, flink.conf) as session:
        for query in sys.argv[1:] or QUERIES:
            with tempfile.TemporaryDirectory() as folder:
                answer = nexmark.digest(rows(session.run(nexmark.script(query, folder, 1, "lookup-files")).rows))
            (nexmark.HERE / "golden" / f"{query}.out").write_text(answer, encoding="utf-8")
            print(query, *answer.split(), flush=True)


if __name__ == "__main__":
    main()
