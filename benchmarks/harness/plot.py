"""A picture of the comparison: for each query a bar, as long as Flott does more events per CPU second than Flink, on a logarithmic scale."""
import math
import pathlib
from xml.sax.saxutils import escape

FILE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "benchmarks-nexmark.svg"

WIDTH = 900
LEFT, RIGHT, TOP, BOTTOM = 300, 70, 64, 44
ROW, BAR = 26, 15
# Readable on white and on dark pages alike.
INK, FAINT, OURS, MEAN = "#57606a", "#8c959f", "#1f6feb", "#bf8700"
GRID = [1, 2, 5, 10, 20, 50, 100, 200]


def write(comparisons, titles, mean, path=FILE):
    """Draws the bars in the order given, and the geometric mean below them."""
    path.write_text(draw(comparisons, titles, mean), encoding="utf-8")


def draw(comparisons, titles, mean):
    height = TOP + ROW * (len(comparisons) + 1) + BOTTOM
    longest = max([2 * mean, 10, *(each.ratios[-1] for each in comparisons)])
    scale = Scale(min([1, *(each.ratios[0] for each in comparisons)]), longest * 1.1)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" font-size="13">',
             text(20, 24, "Nexmark: events per CPU second, Flott over Flink", INK, size=16, weight=600),
             text(20, 44, "bars: median of the pairs; lines: the lowest and the highest pair; logarithmic", FAINT, size=12)]
    bottom = height - BOTTOM
    for value in GRID:
        if scale.low <= value <= scale.high:
            x = scale.x(value)
            parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{bottom}" stroke="{FAINT}" stroke-opacity="0.35"/>')
            parts.append(text(x, bottom + 18, f"{value}×", FAINT, anchor="middle"))
    for index, each in enumerate(comparisons):
        parts += bar(scale, TOP + ROW * index, f"{each.name}  {titles[each.name]}", each.ratio, OURS)
        parts.append(whisker(scale, TOP + ROW * index, each.ratios))
    parts += bar(scale, TOP + ROW * len(comparisons), "geometric mean", mean, MEAN)
    return "\n".join([*parts, "</svg>", ""])


class Scale:
    """From ratios to places."""

    def __init__(self, low, high):
        self.low = low
        self.high = high

    def x(self, value):
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)


def bar(scale, top, label, value, colour):
    origin, end = scale.x(1), scale.x(value)
    y = top + (ROW - BAR) / 2
    return [text(LEFT - 12, top + 17, label, INK, anchor="end"),
            f'<rect x="{min(origin, end):.1f}" y="{y:.1f}" width="{abs(end - origin):.1f}" height="{BAR}" rx="2" fill="{colour}"/>',
            text(WIDTH - 12, top + 17, f"{value:.1f}×", INK, anchor="end", weight=600)]


def whisker(scale, top, ratios):
    y = top + ROW / 2
    return f'<line x1="{scale.x(ratios[0]):.1f}" y1="{y}" x2="{scale.x(ratios[-1]):.1f}" y2="{y}" stroke="{INK}" stroke-width="2"/>'


def text(x, y, content, colour, anchor="start", size=13, weight=400):
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}" font-weight="{weight}">{escape(content)}</text>'
