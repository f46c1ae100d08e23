"""Whether two results are the same: the rows, and their order as far as the query determines it."""
import collections
import decimal
import math


def number(cell):
    if isinstance(cell, (decimal.Decimal, float)):
        return cell
    try:
        return decimal.Decimal(cell)
    except (decimal.InvalidOperation, TypeError):
        return None


def same(want, got, units=1):
    """DuckDB's value and the text that Flott prints. A double may differ in its last digits; a decimal of Flink's is rounded where DuckDB goes on as a
    double: it may differ by `units` of its last digit."""
    if want is None or got is None:
        return want is None and got is None
    if isinstance(want, bool):
        return got == str(want).upper()
    if isinstance(want, (decimal.Decimal, float)):
        value = number(got)
        if value is None:
            return False
        if float(want) == float(value) or math.isclose(float(want), float(value), rel_tol=1e-9):
            return True
        digits = got.partition(".")[2]
        return "E" not in got and digits != "" and abs(float(want) - float(value)) <= 1.01 * units * 10.0 ** -len(digits)
    return want == got


def same_row(want, got, units):
    return len(want) == len(got) and all(same(a, b, units) for a, b in zip(want, got))


def key(cell):
    """What cells that may be the same have in common. Numbers near a boundary may fall to two neighbours: see `neighbours`."""
    value = number(cell) if cell is not None else None
    return cell if value is None else None


class Bag:
    """rows to take out one after another"""

    def __init__(self, rows, units):
        self.units = units
        self.groups = collections.defaultdict(list)
        for row in rows:
            self.groups[tuple(map(key, row))].append(row)

    def take(self, got):
        group = self.groups.get(tuple(map(key, got)), [])
        for i, want in enumerate(group):
            if same_row(want, got, self.units):
                del group[i]
                return True
        return False

    def rest(self):
        return [row for group in self.groups.values() for row in group]


def problem(want, got, order, everything=None, units=1):
    """What is wrong with the rows `got`, or None. `order`: columns by which the result is sorted, the first ones of its ORDER BY, or None if nothing is
    known of the order. `everything`: all rows that there would be without LIMIT, when the query has one."""
    if len(want) != len(got):
        return f"{len(got)} rows and not {len(want)}{example(want, got, units)}"
    if order:
        for i, (a, b) in enumerate(zip(want, got)):
            if not all(same(a[column], b[column], units) for column in order):
                return f"row {i + 1} of the order is {show(b)} and not {show(a)}"
    bag = Bag(want if everything is None else everything, units)
    for row in got:
        if not bag.take(row):
            return f"{show(row)} is too much{example(want, got, units)}"
    return None


def example(want, got, units):
    bag = Bag(want, units)
    more = [row for row in got if not bag.take(row)]
    less = bag.rest()
    return "".join([f"; too much: {show(more[0])}" if more else "", f"; missing: {show(less[0])}" if less else ""])


def show(row):
    return "(" + ", ".join("NULL" if cell is None else str(cell) for cell in row) + ")"
