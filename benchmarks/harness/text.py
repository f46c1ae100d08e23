"""Numbers and tables as the documentation shows them."""


def count(value):
    """12.3 million, 456 thousand."""
    if value >= 1e6:
        return f"{significant(value / 1e6)} M"
    return f"{significant(value / 1e3)} k"


def significant(value):
    """Three significant digits."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def megabytes(value):
    return f"{value / 1e6:,.0f} MB".replace(",", " ")


def seconds(value):
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def table(header, rows):
    """Lines of a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)
