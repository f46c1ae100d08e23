"""Whether the generator in Java and the one in Rust make the same events: the same lines for the same options, from the table of either engine's side."""
import datetime
import json
import subprocess

from flink import install
from harness import queries

EPOCH = datetime.datetime(1970, 1, 1)
# Events from a place to a place, and the options that are not as usual.
CASES = [
    (0, 5_000, {}),
    (0, 5_000, {"seed": 42}),
    (0, 5_000, {"seed": -9223372036854775808, "first-event.rate": 10_000_000, "next-event.rate": 10_000_000}),
    (61_234, 66_234, {"seed": 7}),
    (1_000_000, 1_003_000, {"seed": 123456789, "base-time": 0, "first-event.rate": 999, "next-event.rate": 999}),
    (0, 5_000, {"out-of-order.group-size": 100}),
    (2_500, 9_500, {"out-of-order.group-size": 3_000, "seed": 3}),
    (0, 5_000, {"person.proportion": 7, "auction.proportion": 5, "bid.proportion": 11, "person.avg-size": "40b", "auction.avg-size": "1kb",
                "bid.avg-size": "33b"}),
    (0, 2_000, {"bid.avg-size": "64kb", "auction.avg-size": "64kb"}),
    (0, 5_000, {"auction.hot-ratio.sellers": 1, "bid.hot-ratio.auctions": 100, "bid.hot-ratio.bidders": 3, "bid.proportion": 0}),
]
FIELDS = {
    "person": ["id", "name", "emailAddress", "creditCard", "city", "state", "dateTime", "extra"],
    "auction": ["id", "itemName", "description", "initialBid", "reserve", "dateTime", "expires", "seller", "category", "extra"],
    "bid": ["auction", "bidder", "price", "channel", "url", "dateTime", "extra"],
}
TIMES = {"dateTime", "expires"}


def compare(binary):
    """Complains about the first event that differs. -> whether all are the same"""
    home = install.ensure()
    good = True
    for first, end, options in CASES:
        text = " ".join(f"{key}={value}" for key, value in options.items()) or "defaults"
        theirs = from_java(home, first, end, options)
        for parallelism in (1, 2):
            ours = from_flott(binary, end, options, parallelism)
            # Events in the order of their number have one order only.
            wrong = difference(ours[first:], theirs) if parallelism == 1 else difference(sorted(ours), sorted(from_java(home, 0, end, options)))
            print(f"events {first} to {end}, {text}, parallelism {parallelism}: {wrong or 'the same'}", flush=True)
            good = good and not wrong
    for count, digest, options in digests():
        found = fnv(from_java(home, 0, count, options))
        print(f"{count} events, {options or 'defaults'}: digest {found} {'as written down' if found == digest else 'is not ' + digest}", flush=True)
        good = good and found == digest
    return good


def difference(ours, theirs):
    """-> what differs, or nothing"""
    for place, (our, their) in enumerate(zip(ours, theirs)):
        if our != their:
            return f"the event at {place} differs\n  Rust: {our}\n  Java: {their}"
    return "" if len(ours) == len(theirs) else f"{len(ours)} events in Rust, {len(theirs)} in Java"


def from_java(home, first, end, options):
    given = [f"{key}={value}" for key, value in options.items()]
    return run(["java", "-cp", home.classpath(), "flott.nexmark.PrintEvents", str(first), str(end), *given]).splitlines()


def from_flott(binary, count, options, parallelism):
    table = queries.tables().partition(";")[0].partition(") WITH (")[0]
    given = {"connector": "nexmark", "events.num": count, **options}
    with_options = ", ".join(f"'{key}' = '{value}'" for key, value in given.items())
    columns = ", ".join(["event_type", *(f"nexmark.{kind}.`{field}`" for kind, fields in FIELDS.items() for field in fields)])
    statements = f"{table}) WITH ({with_options}); SELECT {columns} FROM nexmark;"
    printed = run([binary, "sql", "-q", "--output", "jsonl", "-D", f"parallelism.default={parallelism}", "-e", statements])
    rows = (json.loads(line) for line in printed.splitlines())
    return [line(entry["row"]) for entry in rows if "row" in entry]


def line(row):
    """A row of all fields of all kinds as a line: the type of the event, then its own fields."""
    kind = int(row[0])
    begin = 1 + sum(len(fields) for fields in list(FIELDS.values())[:kind])
    names = list(FIELDS.values())[kind]
    values = row[begin:begin + len(names)]
    others = row[1:begin] + row[begin + len(names):]
    if any(value is not None for value in others):
        return f"fields of other events are not NULL: {row}"
    return "\t".join([str(kind), *(millis(value) if name in TIMES else value for name, value in zip(names, values))])


def millis(text):
    moment = datetime.datetime.fromisoformat(text)
    return str((moment - EPOCH) // datetime.timedelta(milliseconds=1))


def digests():
    """What is written down for programs that cannot be here. -> (number of events, hash, options)"""
    for entry in (queries.FOLDER / "digests.tsv").read_text(encoding="utf-8").splitlines():
        count, digest, *options = entry.split("\t")
        yield int(count), digest, dict(option.split("=", 1) for option in options)


def fnv(lines):
    """The 64-bit FNV-1a hash of the lines."""
    hashed = 0xCBF29CE484222325
    for byte in "".join(f"{each}\n" for each in lines).encode():
        hashed = (hashed ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{hashed:016x}"


def run(command):
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, encoding="utf-8").stdout
