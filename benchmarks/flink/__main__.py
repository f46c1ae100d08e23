"""Runs SQL scripts on its own Flink, and prints the results of SELECTs: one changelog row per line, as Java's Row.toString writes it.

usage: python3 benchmarks/flink [--parallelism 2] [--memory 6g] [-D KEY=VALUE ...] script.sql ...
"""
import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from flink import client, cluster, config, install  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parallelism", type=int, default=2)
    parser.add_argument("--memory", default="6g", help="of the TaskManager")
    parser.add_argument("-D", dest="define", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("scripts", nargs="+", type=pathlib.Path)
    args = parser.parse_args()
    extra = dict(option.split("=", 1) for option in args.define)
    home = install.ensure()
    settings = config.Settings(parallelism=args.parallelism, memory=args.memory, extra=extra)
    with cluster.Cluster(home, settings) as flink, client.Client(home, flink.conf) as sql:
        for script in args.scripts:
            for row in sql.run(script.read_text(encoding="utf-8")).rows:
                print(row)


if __name__ == "__main__":
    main()
