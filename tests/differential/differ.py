#!/usr/bin/env python3
"""Run statements from the grammar on a real Flink and on Flott, and list the differences by kind.

usage: differ.py --flink COMMAND --bin FLOTT --work DIR [--rounds N] [--seed S] [--width N] [--areas a,b] [--emit DIR] [--show N]

COMMAND reads lines `R<TAB>script.sql` and writes a JSON object a script (path, columns, rows with their kind first; or phase and chain of errors). Answers of
Flink are kept in DIR/answers.jsonl by statement, so that only new statements are asked. A statement of several expressions that Flink refuses is taken apart.
--emit writes a sample of the statements on which both agree as conformance cases: <area>/diff_<template>_<hash>.sql and .out.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "conformance"))
import grammar  # noqa: E402
import run as conformance  # noqa: E402

DATA = HERE.parent / "conformance" / "functions" / "data"


def key(script):
    return hashlib.sha1(script.encode()).hexdigest()[:16]


def apart(script):
    """The statement's expressions one by one; None for a statement of one."""
    head, _, body = script.rpartition("SELECT\n")
    if not head:
        return None
    tail = ""
    if "\nFROM " in body:
        body, _, rest = body.rpartition("\nFROM ")
        tail = f"\nFROM {rest}"
    items = [item for item in re.split(r",\n(?=  )", body.rstrip(";\n")) if item.strip() != "id"]
    if len(items) < 2:
        return None
    lead = "  id,\n" if tail else ""
    return [head + "SELECT\n" + lead + re.sub(r" AS c\d+$", " AS c1", item) + (tail or ";\n") for item in items]


def ask(command, scripts, answers, store):
    todo = [script for script in dict.fromkeys(scripts) if key(script) not in answers]
    if not todo:
        return
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for script in todo:
            path = pathlib.Path(folder) / f"{key(script)}.sql"
            path.write_text(script, encoding="utf-8")
            names[str(path)] = key(script)
        process = subprocess.Popen([*command.split(), "ask", str(DATA)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        process.stdin.write("".join(f"R\t{path}\n" for path in names))
        process.stdin.close()
        with store.open("a", encoding="utf-8") as out:
            for line in process.stdout:
                if line.startswith('{"path"'):
                    answer = json.loads(line)
                    answer["key"] = names[answer.pop("path")]
                    answers[answer["key"]] = answer
                    out.write(json.dumps(answer) + "\n")
                    out.flush()
        process.wait()


def escape(cell):
    if cell is None:
        return r"\N"
    return cell.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def golden(answer):
    """The text of an .out file."""
    if "columns" not in answer:
        phase = "runtime" if answer["phase"] == "runtime" else "validation"
        gist = " | ".join((entry[1] or entry[0]) for entry in answer["chain"][-2:])
        return f"# error: {phase}\n{' '.join(gist.split())[:200]}\n"
    rows = collections.Counter()
    for kind, *cells in answer["rows"]:
        rows[tuple(cells)] += 1 if kind in ("+I", "+U") else -1
    head = ", ".join(f"{name} {re.sub(r' [*](ROWTIME|PROCTIME)[*]', '', kind)}" for name, kind in answer["columns"])
    lines = sorted(("\t".join(escape(cell) for cell in row) for row in (+rows).elements()), key=lambda line: line.encode())
    return "# columns: " + head + "\n" + "".join(line + "\n" for line in lines)


def compare(script, answer, args):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "case.sql"
        path.write_text(script, encoding="utf-8")
        path.with_suffix(".out").write_text(golden(answer), encoding="utf-8")
        return conformance.run_case(path, DATA, args)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flink", required=True)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--width", type=int, default=5)
    parser.add_argument("--areas")
    parser.add_argument("--emit", type=pathlib.Path)
    parser.add_argument("--emit-each", type=int, default=1, help="at most this many cases of a template")
    parser.add_argument("--show", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--ask-only", action="store_true")
    args = parser.parse_args()
    args.set, args.types, args.timeout = [], False, 60
    args.work.mkdir(parents=True, exist_ok=True)
    store = args.work / "answers.jsonl"
    answers = {}
    if store.exists():
        answers = {answer["key"]: answer for answer in map(json.loads, store.read_text(encoding="utf-8").rstrip("\n").split("\n"))}
    areas = set(args.areas.split(",")) if args.areas else None
    cases = list(grammar.statements(args.rounds, args.seed, args.width, areas))
    ask(args.flink, [script for _, script in cases], answers, store)
    pieces = []
    for kind, script in cases:
        answer = answers.get(key(script))
        parts = apart(script) if answer is not None and "columns" not in answer else None
        pieces.extend((kind, part) for part in parts or [script])
    ask(args.flink, [script for _, script in pieces], answers, store)
    if args.ask_only:
        return
    pieces = [(kind, script) for kind, script in dict((script, kind) for kind, script in pieces).items() for kind, script in [(script, kind)]]
    pieces = [(kind, script) for kind, script in pieces if key(script) in answers and answers[key(script)].get("phase") not in ("timeout", "driver", "setup")]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        results = list(pool.map(lambda piece: compare(piece[1], answers[key(piece[1])], args), pieces))
    failures = collections.defaultdict(list)
    for (kind, script), why in zip(pieces, results):
        if why is not None:
            failures[kind].append((script, why))
    expressions = 0
    for kind, found in sorted(failures.items(), key=lambda item: -len(item[1])):
        print(f"== {kind}: {len(found)}")
        for script, why in found[: args.show]:
            body = " ".join(script.rpartition("SELECT")[2].split())
            print(f"   SELECT {body[:500]}\n      {why[:500]}")
            answer = answers[key(script)]
            if "columns" not in answer:
                print(f"      Flink: {golden(answer).splitlines()[1][:200]}")
    expressions = sum(max(1, len(re.findall(r" AS c\d+", script))) for _, script in pieces)
    differing = sum(len(found) for found in failures.values())
    print(f"seed {args.seed}: {len(pieces)} statements ({expressions} expressions), {differing} differ, of {len(failures)} kinds")
    if args.emit:
        written = collections.Counter()
        for (kind, script), why in zip(pieces, results):
            if why is not None or written[kind] >= args.emit_each:
                continue
            written[kind] += 1
            area, template = kind.split(": ", 1)
            slug = re.sub(r"[^a-z0-9]+", "_", template.lower()).strip("_")[:36].strip("_")
            path = args.emit / area / f"diff_{slug}_{key(script)[:4]}.sql"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(script, encoding="utf-8")
            path.with_suffix(".out").write_text(golden(answers[key(script)]), encoding="utf-8")


if __name__ == "__main__":
    main()
