"""A real Apache Flink to compare with: fetched from PyPI, started without scripts, driven through one client process.

`install` brings Java and the jars, `config` writes Flink's configuration, `cluster` starts and stops its two processes, `client` runs SQL scripts on
them, `rest` asks for what became of a job. `python3 benchmarks/flink` runs a script from the command line.
"""
