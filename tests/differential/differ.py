#!/usr/bin/env python3
"""Run statements from the grammar on a real Flink and on Flott, and list the differences by kind.

usage: differ.py --work DIR [--flink COMMAND] [--answers PROGRAM] [--seed S] [--rounds N] [--areas a,b] [--minutes M] [--types] [--emit DIR]

COMMAND is a Flink that reads lines `R<TAB>script.sql` and writes a JSON object for each (`path`, `columns` and `rows` with their kind first; or `phase` and
`chain` of errors); it is called with `ask` behind it. Its answers are kept in DIR/answers.jsonl; without COMMAND only what is there is compared.
PROGRAM is `differential-answers`. After M minutes nothing more is asked; the next run goes on.
DIR/differences.tsv gets each difference: area, template, statement, what differs, and the reason where explained.tsv has one.
--emit writes statements on which both agree, and which differed in DIR/before.tsv (a copy of an earlier differences.tsv), as conformance cases.
"""
import argparse
import collections
import pathlib
import re
import time

import asking
import comparing
import grammar

HERE = pathlib.Path(__file__).resolve().parent


def explained():
    """[(pattern, reason)]: a difference is explained if the pattern is found in `template TAB statement TAB difference`"""
    lines = (HERE / "explained.tsv").read_text(encoding="utf-8").splitlines()
    return [(re.compile(pattern), reason) for pattern, reason in (line.split("\t") for line in lines if line and not line.startswith("#"))]


def statement(group):
    return " ".join((group.items[0] + ("  " + group.after if group.lead else "") if group.items else group.script().rstrip().rpartition(";\n")[2]).split())


def compare(program, answered, types):
    """Yields (statement as a group, answer of Flink, difference or None)."""
    answers = {group.key(): (group, answer) for group, answer in answered}
    flott = asking.Program([program], "{}\n", 1)
    run = flott.run([group for group, _ in answers.values()])
    more = None
    while True:
        try:
            group, got = run.send(more)
        except StopIteration:
            return
        more = None
        want = answers[group.key()][1]
        if "columns" in want and "columns" not in got and len(group.items) > 1:
            # One of them is refused; each on its own tells which.
            more = group.statements()
            answers.update({each.key(): (each, comparing.column(want, at, group.lead)) for at, each in enumerate(more)})
        elif "columns" in want and "columns" in got and len(group.items) > 1:
            for at, each in enumerate(group.statements()):
                flink = comparing.column(want, at, group.lead)
                yield each, flink, comparing.difference(flink, comparing.column(got, at, group.lead), types)
        else:
            yield group, want, comparing.difference(want, got, types)


def emit(folder, found, before):
    """Of each kind of difference that is gone, a few cases."""
    written = collections.Counter()
    for group, flink, difference in found:
        template = group.kind.split(": ", 1)[1]
        if difference is not None or statement(group) not in before or written[group.kind] >= 2:
            continue
        written[group.kind] += 1
        slug = re.sub(r"[^a-z0-9]+", "_", template.lower()).strip("_")[:36].strip("_")
        area = grammar.CASES.get(group.kind.split(":")[0], group.kind.split(":")[0])
        path = folder / group.root / area / f"diff_{slug}_{group.key()[:4]}.sql"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(group.script(), encoding="utf-8")
        if "columns" in flink and group.items:
            flink["columns"][-1][0] = "c1"
        path.with_suffix(".out").write_text(comparing.golden(flink), encoding="utf-8")
    return sum(written.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, required=True)
    parser.add_argument("--flink")
    parser.add_argument("--answers")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--areas")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--types", action="store_true")
    parser.add_argument("--emit", type=pathlib.Path)
    parser.add_argument("--show", type=int, default=2)
    parser.add_argument("--width", type=int, default=40, help="so many expressions are asked at once; 0 leaves the groups as they were generated")
    parser.add_argument("--ask-only", action="store_true")
    parser.add_argument("--count", action="store_true", help="only count the statements")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    groups = list(grammar.groups(args.rounds, args.seed, set(args.areas.split(",")) if args.areas else None))
    if args.count:
        areas = collections.Counter()
        for group in groups:
            areas[group.kind.split(":")[0]] += len(group.statements())
        print("\n".join(f"{area:16} {count}" for area, count in areas.most_common()), f"\n{sum(areas.values())} in {len(groups)} groups")
        return
    if args.answers and args.width:
        groups = asking.regroup(args.answers, groups, args.work / "flott.jsonl", args.width)
        print(f"{len(groups)} groups", flush=True)
    until = time.monotonic() + 60 * args.minutes if args.minutes else None
    answered, asked = asking.ask_flink(args.flink, groups, args.work / "answers.jsonl", until)
    statements = sum(len(group.statements()) for group, _ in answered)
    print(f"{statements} statements have an answer of Flink; {asked} scripts were asked")
    if not args.answers or args.ask_only:
        return
    found = list(compare(args.answers, answered, args.types))
    reasons, failures, why = explained(), collections.defaultdict(list), collections.Counter()
    with (args.work / "differences.tsv").open("w", encoding="utf-8") as out:
        for group, _, difference in found:
            if difference is None:
                continue
            area, template = group.kind.split(": ", 1)
            line = f"{area}\t{template}\t{statement(group)}\t{difference}"
            reason = next((reason for pattern, reason in reasons if pattern.search(line)), None)
            out.write(f"{line}\t{reason or ''}\n".replace("\r", "\\r"))
            if reason:
                why[reason] += 1
            else:
                failures[group.kind].append((statement(group), difference))
    for kind, differences in sorted(failures.items(), key=lambda item: -len(item[1])):
        print(f"== {kind}: {len(differences)}")
        for text, difference in differences[: args.show]:
            print(f"   {text[:400]}\n      {difference[:500]}")
    for reason, count in why.most_common():
        print(f"explained: {count:5} {reason}")
    open_ones = sum(len(differences) for differences in failures.values())
    print(f"seed {args.seed}: {len(found)} statements, {open_ones + sum(why.values())} differ, {open_ones} of them unexplained, of {len(failures)} kinds")
    if args.emit:
        before = {line.split("\t")[2] for line in (args.work / "before.tsv").read_text(encoding="utf-8").splitlines()}
        print(f"{emit(args.emit, found, before)} cases written to {args.emit}")


if __name__ == "__main__":
    main()
