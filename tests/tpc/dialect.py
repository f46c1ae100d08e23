"""From the dialects in which the packages write the queries to Flink's, by rules and not by query; and what a query's text says about the order of
its result."""
import re

# Words that the queries use as names, and that Flink's dialect keeps for itself.
RESERVED = {"value", "year", "returns", "result", "rank", "date", "day", "month", "time", "range", "end", "start", "groups"}
TYPES = {"VARCHAR": "STRING", "HUGEINT": "DECIMAL(38, 0)", "TIMESTAMP": "TIMESTAMP(6)"}
TOKEN = re.compile(r"\s+|--[^\n]*|'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|\d+\.?\d*|\.\d+|\w+|<=|>=|<>|!=|\|\||::|.", re.S)


def column_type(kind):
    return TYPES.get(kind, kind)


def tokens(sql):
    """the text cut into its tokens; white space and comments are one blank"""
    out = [" " if token.isspace() or token.startswith("--") else token for token in TOKEN.findall(sql)]
    return [token for i, token in enumerate(out) if token != " " or i == 0 or out[i - 1] != " "]


def words(parts):
    """the tokens without blanks, each with its depth in parentheses"""
    depth = 0
    for token in parts:
        depth -= token == ")"
        if token != " ":
            yield depth, token
        depth += token == "("


def flink(sql):
    """A query as Flink's dialect has it: names in back quotes, also those that are words of the language there."""
    parts, out = tokens(grouped_by_expressions(days(sql))), []
    for i, token in enumerate(parts):
        before = next((t.lower() for t in reversed(parts[:i]) if t != " "), "")
        after = next((t for t in parts[i + 1:] if t != " "), "")
        if token.startswith('"'):
            token = f"`{token[1:-1]}`"
        elif not token.startswith(("'", "`")):
            # Flink's names differ by case.
            token = token.lower()
        if token in RESERVED and is_name(token, before, after):
            token = f"`{token}`"
        out.append(token)
    return "".join(out).strip()


def duckdb(sql, whole):
    """A query in DuckDB's dialect that means what it means in Flink. `whole` are the columns of whole numbers."""
    parts, out = tokens(sql), []
    for i, token in enumerate(parts):
        argument = [part for part in parts[i + 1:i + 6] if part != " "] + ["", "", ""]
        if token.lower() in ("avg", "stddev_samp") and argument[1] in whole and argument[2] == ")":
            token = f"whole_{token}"
        elif token.lower() == "avg" and not over(parts[i + 1:]):
            token = "flink_avg"
        out.append(token)
    return "".join(out)


def over(parts):
    """whether OVER stands behind the parentheses with which the tokens begin"""
    depth = 0
    for i, token in enumerate(parts):
        depth += (token == "(") - (token == ")")
        if depth == 0 and token != " ":
            return next((t.lower() for t in parts[i + 1:] if t != " "), "") == "over"
    return False


def days(sql):
    """A date plus a number of days is a date plus an interval."""
    return re.sub(r"(\bd_date\s*[+-]\s*)(\d+)\b", r"\1INTERVAL '\2' DAY", sql, flags=re.I)


def typed_nulls(sql, whole):
    """A NULL in a select list has a type: that of the column for which it stands. `whole` are the columns of whole numbers."""
    def typed(found):
        return f"CAST(NULL AS {'INTEGER' if found[1].lower() in whole else 'VARCHAR'}) AS {found[1]}"
    return re.sub(r"(?<!\()\bnull\s+as\s+(\w+)", typed, sql, flags=re.I)


def grouped_by_expressions(sql):
    """GROUP BY takes no name that the SELECT has just given: `SELECT a AS b ... GROUP BY b`."""
    for name in re.findall(r"GROUP\s+BY\s+(\w+)", sql, flags=re.I):
        column = re.search(rf"(\w+)\s+AS\s+{name}\b,[^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*GROUP\s+BY\s+{name}\b", sql, flags=re.I)
        if column:
            sql = re.sub(rf"(GROUP\s+BY\s+){name}\b", rf"\g<1>{column[1]}", sql, flags=re.I)
    return sql


def is_name(token, before, after):
    if before == "as" or before == ".":
        # `CAST(x AS date)` ends with a parenthesis and names a type.
        return not (before == "as" and token in ("date", "time") and after == ")")
    return after != "(" and not after.startswith("'") and token in ("value", "returns", "year", "result") and after.lower() != "from"


def order_keys(sql):
    """The keys of the outermost ORDER BY, as text, and the LIMIT: ([..], count or None)."""
    flat = list(words(tokens(sql)))
    lowered = [token.lower() if depth == 0 else "" for depth, token in flat]
    limit, end = None, len(flat)
    if "limit" in lowered:
        end = len(lowered) - 1 - lowered[::-1].index("limit")
        limit = int(flat[end + 1][1])
    starts = [i for i, token in enumerate(lowered) if token == "order" and lowered[i + 1] == "by"]
    if not starts:
        return [], limit
    keys, key = [], []
    for depth, token in flat[starts[-1] + 2:end] + [(0, ",")]:
        if depth == 0 and token == ",":
            keys.append(key)
            key = []
        else:
            key.append(token.lower())
    return ["".join(strip_order(key)).strip('"`') for key in keys], limit


def strip_order(key):
    while key and key[-1] in ("asc", "desc", "first", "last", "nulls"):
        key = key[:-1]
    # t.name is the column `name` of the result.
    return key[2:] if len(key) == 3 and key[1] == "." else key


def without_order(sql, keep_limit=True):
    """the query without its outermost ORDER BY (and LIMIT)"""
    parts, depth, at, limit = tokens(sql), 0, None, None
    for i, token in enumerate(parts):
        depth += (token == "(") - (token == ")")
        if depth == 0 and token.lower() == "order":
            at = i
        elif depth == 0 and token.lower() == "limit":
            limit = i
    end = len(parts) if limit is None else limit
    kept = parts[:end if at is None else at]
    return "".join(kept + (parts[end:] if keep_limit else []))
