#!/usr/bin/env python3
"""Compute the figures of flights.sql without Flott, and compare them with what Flott wrote.

usage: verify.py [--output DIR] [--printed FILE]

--output   the folder with hourly/ and aircraft_days/ (default: target/demo)
--printed  what the job printed: the last row of each carrier, and every line of `delays`, are compared too
Needs nothing but python3. Exit status 0 if every row is right.
"""
import argparse
import collections
import csv
import datetime
import decimal
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
HOUR = datetime.timedelta(hours=1)
GAP = datetime.timedelta(hours=7)


def rounded_average(values):
    """As SQL has it: AVG of a DECIMAL has 6 digits after the point, the cast leaves one, both round half up."""
    if not values:
        return None
    average = decimal.Decimal(sum(values)) / len(values)
    for digits in ("0.000001", "0.1"):
        average = average.quantize(decimal.Decimal(digits), decimal.ROUND_HALF_UP)
    return str(average + 0)  # a DECIMAL knows no -0.0


def show(value):
    """As the csv format writes it: NULL is an empty field."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)


def flights(path):
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            delay = None if row["dep_delay"] == "NA" else int(row["dep_delay"])
            hour = datetime.datetime.strptime(row["time_hour"], "%Y-%m-%dT%H:%M:%SZ")
            yield {
                "departure": hour + datetime.timedelta(minutes=int(row["minute"]) + (delay or 0)),
                "origin": row["origin"],
                "carrier": row["carrier"],
                "tailnum": None if row["tailnum"] == "NA" else row["tailnum"],
                "delay": delay,
                "distance": int(row["distance"]),
                "cancelled": row["dep_time"] == "NA",
            }


def figures(group):
    """count, average delay, largest delay, percentage cancelled"""
    delays = [f["delay"] for f in group if f["delay"] is not None]
    cancelled = rounded_average([100 if f["cancelled"] else 0 for f in group])
    return len(group), rounded_average(delays), max(delays, default=None), cancelled


def hourly(rows):
    groups = collections.defaultdict(list)
    for flight in rows:
        start = flight["departure"].replace(minute=0, second=0)
        groups[start, flight["origin"]].append(flight)
    return [(start, origin, *figures(group)) for (start, origin), group in groups.items()]


def aircraft_days(rows):
    by_aircraft = collections.defaultdict(list)
    for flight in rows:
        if not flight["cancelled"] and flight["tailnum"]:
            by_aircraft[flight["tailnum"]].append(flight)
    for tailnum, legs in by_aircraft.items():
        legs.sort(key=lambda f: f["departure"])
        day = [legs[0]]
        for leg in legs[1:] + [None]:
            if leg is None or leg["departure"] - day[-1]["departure"] > GAP:
                yield (tailnum, day[0]["departure"], day[-1]["departure"], len(day),
                       sum(f["distance"] for f in day), max(f["delay"] for f in day))
                day = []
            day.append(leg)


def carriers(rows):
    groups = collections.defaultdict(list)
    for flight in rows:
        groups[flight["carrier"]].append(flight)
    for carrier, group in groups.items():
        delays = [f["delay"] for f in group if f["delay"] is not None]
        cancelled = sum(f["cancelled"] for f in group)
        yield carrier, cancelled, sum(delay >= 180 for delay in delays), max(delays, default=None)


def delays(hours):
    for start, origin, count, average, _, cancelled in hours:
        late = average is not None and decimal.Decimal(average) >= 60
        if count >= 10 and (late or decimal.Decimal(cancelled) >= 20):
            yield start, origin, count, average, cancelled


def committed(folder):
    """The rows of the visible files of a folder; names that begin with . or _ are not committed."""
    for path in sorted(pathlib.Path(folder).rglob("*")):
        hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            with open(path, newline="", encoding="utf-8") as file:
                yield from (tuple(row) for row in csv.reader(file))


def printed(path, identifier):
    """(kind, row) of each line of one print sink; `identifier:2> +I[a, null]` in the second of several writers."""
    line = re.compile(re.escape(identifier) + r"(?::\d+)?> ([+-][IUD])\[(.*)\]")
    with open(path, encoding="utf-8") as file:
        for found in filter(None, map(line.fullmatch, (text.rstrip("\n") for text in file))):
            cells = found.group(2).split(", ")
            yield found.group(1), tuple("" if cell == "null" else cell.replace("T", " ") if is_time(cell) else cell
                                        for cell in cells)


def is_time(cell):
    return re.match(r"\d{4}-\d\d-\d\dT", cell) is not None


def with_seconds(cell):
    """2013-01-01T10:00 is how a print sink writes a full minute; fractions of zero are left out."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d \d\d:\d\d)(:\d\d)?(?:\.0+)?", cell)
    return found.group(1) + (found.group(2) or ":00") if found else cell


def compare(name, want, got):
    """Both as multisets of rows of text. Whether they are equal."""
    want = collections.Counter(tuple(show(cell) for cell in row) for row in want)
    got = collections.Counter(tuple(with_seconds(cell) for cell in row) for row in got)
    missing, extra = want - got, got - want
    right = not missing and not extra
    print(f"{name:14} {sum(want.values()):6} rows  {'right' if right else 'WRONG'}")
    for title, rows in (("missing", missing), ("not expected", extra)):
        for row, count in sorted(rows.items())[:5]:
            print(f"    {title}: {', '.join(row)}" + (f"  ({count} times)" if count > 1 else ""))
        if len(rows) > 5:
            print(f"    ... and {len(rows) - 5} more {title}")
    return right


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", default="target/demo")
    parser.add_argument("--printed")
    args = parser.parse_args()
    output = pathlib.Path(args.output)
    rows = list(flights(HERE / "data" / "flights_2013_01.csv"))
    hours = hourly(rows)
    results = [
        compare("hourly", hours, committed(output / "hourly")),
        compare("aircraft_days", aircraft_days(rows), committed(output / "aircraft_days")),
    ]
    if args.printed:
        # A restarted job prints again what it had printed since its last snapshot: rows of `delays` may repeat.
        results.append(compare("delays", delays(hours), {row for _, row in printed(args.printed, "delays")}))
        last = {row[0]: row for kind, row in printed(args.printed, "carriers") if kind in ("+I", "+U")}
        results.append(compare("carriers", carriers(rows), last.values()))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
