"""What Flink itself does not do, or answers otherwise than DuckDB; asked of a Flink 2.3."""

CHANGES = "OVER of a stream takes no rows that change later, which aggregates' do"
DESCENDING = "OVER of a stream is ordered ascending by time"
SEVERAL = "OVER of a stream has one window in a SELECT"
# Queries that Flink refuses as streams, and why.
REFUSED = {
    "tpcds": {
        "q12": CHANGES, "q20": CHANGES, "q53": CHANGES, "q63": CHANGES, "q89": CHANGES, "q98": CHANGES,
        "q44": DESCENDING, "q67": DESCENDING, "q70": DESCENDING, "q86": DESCENDING,
        "q47": SEVERAL, "q49": SEVERAL, "q57": SEVERAL,
    }
}
# Queries that end with an error over much data, what it says, and why.
FAILING = {"tpcds": {"q75": ("Division by zero", "a decimal divided by zero is an error, and NULL in DuckDB")}}
# Queries whose decimals are less exact than their last digit, and by how many units of it: the quotients of q58 are rounded, then multiplied by 100.
UNITS = {"tpcds": {"q58": 100}}
# The sample that `make test` runs: of each kind of query some that are quick also in a debug build.
SAMPLE = {
    "tpch": ["q2", "q11", "q15", "q16", "q19", "q22"],
    "tpcds": ["q1", "q9", "q12", "q13", "q16", "q18", "q26", "q27", "q28", "q34", "q35", "q36", "q38", "q41", "q44", "q45", "q46", "q48", "q49", "q51", "q53", "q86",
              "q87", "q90", "q94", "q99"],
}
SAMPLE_OF_STREAMS = {"tpch": ["q15", "q16", "q22"], "tpcds": ["q1", "q9", "q18", "q27", "q35", "q38", "q41", "q45", "q87"]}


def refused(benchmark, name, mode, text):
    """why Flink refuses the query, or fails"""
    says, reason = FAILING.get(benchmark, {}).get(name, (None, None))
    if says and says in text:
        return reason
    return REFUSED.get(benchmark, {}).get(name) if mode == "streaming" else None


def units(benchmark, name):
    """by how many units of its last digit a decimal may differ"""
    return UNITS.get(benchmark, {}).get(name, 1)


def nothing(want, got, mode):
    """why there is no row where DuckDB has one"""
    if mode == "streaming" and not got and len(want) == 1 and all(cell is None or cell == 0 for cell in want[0]):
        return "aggregates over no rows at all: a stream has no row of them"
    return None
