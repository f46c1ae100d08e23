"""Literals: numbers, texts, times, intervals, and how they are written."""
import itertools
import random

import matrices

NUMBERS = ["0", "007", "1.", ".5", "1.50", "-.5", "1e3", "1E+3", "1e-3", "1.5e0", "-1E-400", "1e400", "1e308", "2147483648", "-2147483649", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "99999999999999999999999999999999999999", "999999999999999999999999999999999999999",
           "0.00000000000000000000000000000000000001", "0.000000000000000000000000000000000000001", "123456789012345678901234567890.123456789", "1_000", "0x1F", "1e", "1.5.2", "1d", "1L", "-0", "-0.0", "-0e0", "+5", "- 5", "+-5", "-(-5)", "1E0 / 3", "10 / 4", "10.0 / 4", "1.10", "00.10", "5 % 3", "-5 % 3", "5.5 % 2", "TRUE", "false", "Unknown", "NULL"]
TEXTS = ["''", "'a''b'", "'a' 'b'", "'a'\n  'b'", "'a\\nb'", "'a\\'", "E'a\\nb'", "_UTF8'a'", "_LATIN1'a'", "N'a'", "U&'\\0041'", "U&'\\00e9\\\\'", "U&'!0041' UESCAPE '!'", "U&'\\D83D\\DE00'", "U&'\\41'", "X'0aFF'", "X'0'", "X'0g'", "x'00' '01'", "b'01'", "\"a\"", "'\t'", "'日本語'", "'a😀'", "'İ' = 'i'", "'a' = 'a '", "'A' < 'a'",
         "'Z' < 'a'", "'é' > 'z'", "'😀' > 'ﬁ'", "'' = ' '", "`a`", "'%'", "'--x'", "'/* x */'", "'a' || 'b' || NULL", "TRIM('  a ') || '.'", "CHAR_LENGTH('a😀')", "UPPER('ß')", "LOWER('İ')", "UPPER('ŉ')", "UPPER('ﬁ')", "LOWER('ΑΣ')", "LOWER('ΣΑ')", "UPPER('ı')", "LOWER('I')", "INITCAP('ǆa éa')", "REVERSE('e\u0301x')", "REVERSE('a😀b')"]
TIMES = [f"{kind} '{text}'" for kind, texts in {
    "DATE": ["2020-02-29", "2021-02-29", "2020-2-9", "0001-01-01", "9999-12-31", "10000-01-01", "0000-01-01", "2020-01-01 ", "2020-01", "20200101", "1582-10-15", "1582-10-04", "-2020-01-01", "2020-13-01", "2020-00-10", "02020-01-01", "2020-04-31", ""],
    "TIME": ["00:00:00", "23:59:59.999", "24:00:00", "12:34", "1:2:3", "12:34:56.1234567", "12:60:00", "12:34:60", "12:34:56 ", "12:34:56.", "-1:00:00"],
    "TIMESTAMP": ["2020-02-29 12:34:56", "2020-02-29 12:34:56.1", "2020-02-29 12:34:56.123456789", "2020-02-29 12:34:56.1234567891", "2020-02-29", "2020-02-29 12:34", "2020-02-29T12:34:56", "2020-02-29 24:00:00", "2020-2-9 1:2:3", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999999", "1969-12-31 23:59:59.5",
                  "2020-02-29 12:34:56.120", "2020-02-29 12:34:56Z", "2020-02-30 00:00:00", "2021-03-14 02:30:00", "1883-11-18 12:03:58", "2020-02-29  12:34:56"],
    "TIMESTAMP WITH LOCAL TIME ZONE": ["2020-02-29 12:34:56"], "TIMESTAMP_LTZ": ["2020-02-29 12:34:56"], "DATETIME": ["2020-02-29 12:34:56"],
}.items() for text in texts]
UNITS = ["SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR", "WEEK", "QUARTER", "SECONDS", "MINUTES", "HOURS", "DAYS", "MONTHS", "YEARS", "WEEKS", "MILLISECOND", "DAY(3)", "SECOND(3)", "SECOND(2, 3)", "DAY TO SECOND", "DAY TO MINUTE", "DAY TO HOUR", "HOUR TO MINUTE", "HOUR TO SECOND", "MINUTE TO SECOND", "YEAR TO MONTH", "DAY TO SECOND(3)",
         "DAY(4) TO SECOND(6)", "MONTH TO DAY", "YEAR(4)", "HOUR(3)", "YEAR(3) TO MONTH"]
QUANTITIES = ["1", "-1", "+1", "0", "99", "100", "1000", "1.5", "0.001", "1.0005", "1 2", "1 02:03:04", "1 02:03:04.567", "-1 02:03:04.567891", "02:03", "02:03:04", "2:3", "1-2", "-1-11", "1-12", "10 25:00:00", "", "x", " 1 ", "1 2:3", "59:59.999", "99999999"]
OF_INTERVAL = ["TIMESTAMP '2020-01-31 00:00:00' + {}", "DATE '2020-01-31' - {}", "{} = {}", "- {}", "{} * 3", "CAST({} AS STRING)"]


def groups(rounds, seed):
    rng = random.Random(f"literals|{seed}")
    yield from matrices.grouped("literals: numbers", [text for number in NUMBERS for text in (number, f"TYPEOF({number})")], 10)
    yield from matrices.grouped("literals: texts", [text for each in TEXTS for text in (each, f"TYPEOF({each})")], 6)
    yield from matrices.grouped("literals: times", [text for each in TIMES for text in (each, f"CAST({each} AS STRING)", f"TYPEOF({each})")], 8)
    intervals = [f"INTERVAL {sign}'{quantity}' {unit}" for quantity, unit in itertools.product(QUANTITIES, UNITS) for sign in (["", "- "] if rng.random() < 0.1 else [""])]
    for unit in UNITS:
        of_unit = [text for text in intervals if text.endswith("' " + unit)]
        yield from matrices.grouped(f"literals: INTERVAL {unit}", of_unit, 7)
    yield from matrices.grouped("literals: with intervals", [rng.choice(OF_INTERVAL).replace("{}", rng.choice(intervals)) for _ in range(120 * rounds)], 6)
