#!/usr/bin/env python3
"""Run examples/flights unchanged, at several parallelisms, and compare with what verify.py computes without Flott.

usage: run.py [--bin PATH_OF_FLOTT]
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "flights"
TIMEOUT = 180


def run(binary, folder, options):
    """Runs the example in its own folder; returns whether all its figures are right."""
    (folder / "examples").symlink_to(ROOT / "examples")
    printed = folder / "printed.txt"
    command = [str(binary), "sql", "-q", "-f", "examples/flights/flights.sql", *options]
    with open(printed, "wb") as out:
        done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE,
                              timeout=TIMEOUT)
    if done.returncode != 0:
        print(f"exit status {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}")
        return False
    verify = [sys.executable, str(EXAMPLE / "verify.py"), "--output", str(folder / "target" / "demo"),
              "--printed", str(printed)]
    return subprocess.run(verify).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=str(ROOT / "target" / "debug" / "flott"))
    args = parser.parse_args()
    binary = pathlib.Path(args.bin).resolve()
    failed = 0
    for parallelism in (1, 3):
        print(f"demo at parallelism {parallelism}", flush=True)
        with tempfile.TemporaryDirectory(prefix="flott-demo-") as folder:
            failed += not run(binary, pathlib.Path(folder), ["-D", f"parallelism.default={parallelism}"])
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
