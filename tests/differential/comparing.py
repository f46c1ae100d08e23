"""What differs between an answer of Flink and one of Flott."""
import collections
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))
import run as conformance  # noqa: E402


def rows(answer):
    """The rows in the end; None if one left that had not come."""
    found = collections.Counter()
    for kind, *cells in answer["rows"]:
        found[tuple(conformance.canonical(cell) for cell in cells)] += 1 if kind in ("+I", "+U") else -1
    return None if min(found.values(), default=0) < 0 else +found


def column(answer, at, lead):
    """The answer of one expression of a group."""
    pick = ([0] if lead else []) + [at + (1 if lead else 0)]
    return {"columns": [answer["columns"][index] for index in pick], "rows": [[kind, *(cells[index] for index in pick)] for kind, *cells in answer["rows"]]}


def of_type(text):
    return re.sub(r" [*](ROWTIME|PROCTIME)[*]", "", text)


def difference(flink, flott, types):
    """A text, or None. Both are errors, or have the same rows."""
    if flott.get("panic"):
        return "PANIC"
    if "columns" not in flink:
        return None if "columns" not in flott else f"Flink refuses it ({gist(flink)}); Flott: {sample(rows(flott))}"
    if "columns" not in flott:
        return f"Flott refuses it ({flott['error'][:300]}); Flink: {sample(rows(flink))}"
    want, got = rows(flink), rows(flott)
    if got is None:
        return "Flott retracts a row that was never there"
    if want is not None and not conformance.matches(want, got):
        return f"rows: Flink {sample(want - got)}, Flott {sample(got - want)}"
    if types:
        left, right = ([[name, of_type(kind)] for name, kind in answer["columns"]] for answer in (flink, flott))
        if left != right:
            pairs = [f"{a[0]} {a[1]} / {b[0]} {b[1]}" for a, b in zip(left, right) if a != b]
            return f"types: Flink / Flott {', '.join(pairs)}"
    return None


def sample(found):
    if found is None:
        return "(rows that leave twice)"
    return f"{sum(found.values())}: " + ", ".join(str(row) for row in list(found.elements())[:3])[:300]


def gist(answer):
    return " | ".join(" ".join((message or kind).split())[:160] for kind, message in answer["chain"][-2:])[:300]


def escape(cell):
    return r"\N" if cell is None else cell.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def golden(answer):
    """The text of an .out file."""
    if "columns" not in answer:
        phase = "runtime" if answer["phase"] == "runtime" else "validation"
        last = " | ".join((entry[1] or entry[0]) for entry in answer["chain"][-2:])
        return f"# error: {phase}\n{' '.join(last.split())[:200]}\n"
    found = collections.Counter()
    for kind, *cells in answer["rows"]:
        found[tuple(cells)] += 1 if kind in ("+I", "+U") else -1
    head = ", ".join(f"{name} {of_type(kind)}" for name, kind in answer["columns"])
    lines = sorted(("\t".join(escape(cell) for cell in row) for row in (+found).elements()), key=lambda line: line.encode())
    return "# columns: " + head + "\n" + "".join(line + "\n" for line in lines)
