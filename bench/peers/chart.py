#!/usr/bin/env python3
"""Draws docs/img/error-epsilon.svg from results.csv: mean error over the union of combinations against epsilon, c17k, both axes logarithmic.

usage: chart.py      writes the picture; colours follow the reader's light or dark theme, lines also differ in dash and mark
"""
import csv
import math
import os
import statistics

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs", "img", "error-epsilon.svg")
DATA, LENGTHS = "c17k", (1, 2, 3)
TOOLS = [("suha", "Suha", "a", ""), ("sds", "Synthetic Data Showcase", "b", "7 4"), ("mst", "MST (SmartNoise, mbi)", "c", "2 3")]
ROWS = [("records", "Synthetic records"), ("aggregates", "Published counts")]
NAMES = {1: "single values", 2: "pairs of values", 3: "triples of values"}
WIDTH, PANEL_W, PANEL_H, LEFT, TOP, GAP_X, GAP_Y = 900, 236, 190, 62, 96, 42, 64
STYLE = """
text{font-family:system-ui,"Segoe UI",Helvetica,Arial,sans-serif;font-size:12px;fill:#333}
.paper{fill:#fff}.title{font-size:16px;font-weight:600}.head{font-weight:600}.small{font-size:11px;fill:#555}.grid{stroke:#ddd;stroke-width:1}.axis{stroke:#888;stroke-width:1}
.line{fill:none;stroke-width:2.2}.a{stroke:#0a6c4e}.b{stroke:#b3421f}.c{stroke:#3d55a8}.fa{fill:#0a6c4e}.fb{fill:#b3421f}.fc{fill:#3d55a8}.bar{stroke-width:1.2;opacity:.6}
@media (prefers-color-scheme:dark){text{fill:#e4e6e8}.paper{fill:#14181c}.small{fill:#aab2b9}.grid{stroke:#2d343a}.axis{stroke:#6b757d}
.a{stroke:#4cc99c}.b{stroke:#f08a62}.c{stroke:#93a9f5}.fa{fill:#4cc99c}.fb{fill:#f08a62}.fc{fill:#93a9f5}}
"""


def read():
    """(tool, what, length) -> {epsilon: [error over seeds]}"""
    found = {}
    with open(os.path.join(HERE, "results.csv"), newline="", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            if row["data"] == DATA and row["error_union"]:
                found.setdefault((row["tool"], row["what"], int(row["at"])), {}).setdefault(float(row["epsilon"]), []).append(float(row["error_union"]))
    return found


def mark(shape, x, y):
    if shape == "a":
        return f'<circle class="fa" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
    if shape == "b":
        return f'<rect class="fb" x="{x - 3.6:.1f}" y="{y - 3.6:.1f}" width="7.2" height="7.2"/>'
    return f'<path class="fc" d="M{x:.1f} {y - 5:.1f}l5 8.6h-10z"/>'


def number(v):
    return f"{v:g}"


class Panel:
    def __init__(self, x, y, epsilons, low, high):
        self.x, self.y = x, y
        self.e0, self.e1 = math.log(min(epsilons)) - 0.15, math.log(max(epsilons)) + 0.15
        self.v0, self.v1 = math.log(low), math.log(high)

    def at(self, epsilon, value):
        return (self.x + PANEL_W * (math.log(epsilon) - self.e0) / (self.e1 - self.e0), self.y + PANEL_H * (1 - (math.log(value) - self.v0) / (self.v1 - self.v0)))

    def frame(self, epsilons, ticks, labels):
        out = []
        for t in ticks:
            _, y = self.at(epsilons[0], t)
            out.append(f'<line class="grid" x1="{self.x}" x2="{self.x + PANEL_W}" y1="{y:.1f}" y2="{y:.1f}"/>')
            if labels:
                out.append(f'<text class="small" x="{self.x - 7}" y="{y + 4:.1f}" text-anchor="end">{number(t)}</text>')
        for e in epsilons:
            x, _ = self.at(e, ticks[0])
            out.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{self.y + PANEL_H}" y2="{self.y + PANEL_H + 4}"/>')
            out.append(f'<text class="small" x="{x:.1f}" y="{self.y + PANEL_H + 17}" text-anchor="middle">{number(e)}</text>')
        out.append(f'<line class="axis" x1="{self.x}" x2="{self.x + PANEL_W}" y1="{self.y + PANEL_H}" y2="{self.y + PANEL_H}"/>')
        return out

    def series(self, points, shape, dash):
        out, path = [], []
        for epsilon, values in sorted(points.items()):
            mean = statistics.mean(values)
            x, y = self.at(epsilon, mean)
            path.append(f"{x:.1f} {y:.1f}")
            if len(values) > 1:
                sd = statistics.stdev(values)
                if 0 < sd < mean:
                    (_, top), (_, bottom) = self.at(epsilon, mean + sd), self.at(epsilon, mean - sd)
                    out.append(f'<line class="bar {shape}" x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{bottom:.1f}"/>')
            out.append(mark(shape, x, y))
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        return [f'<path class="line {shape}"{dashes} d="M{"L".join(path)}"/>'] + out


def seeds(found, tool):
    counts = [len(v) for (t, _, _), points in found.items() if t == tool for v in points.values()]
    return f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"


def legend(found, height):
    out, x = [], LEFT
    for tool, name, shape, dash in TOOLS:
        if not any(t == tool for t, _, _ in found):
            continue
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        count = seeds(found, tool)
        text = f"{name}, {count} seed{'' if count == '1' else 's'}"
        out += [f'<path class="line {shape}"{dashes} d="M{x} 56h34"/>', mark(shape, x + 17, 56), f'<text x="{x + 42}" y="60">{text}</text>']
        x += 70 + 7 * len(text)
    out.append(f'<text class="small" x="{LEFT}" y="{height - 14}">Mean |published - true| over all combinations that either has; missing is 0. Bars: one standard deviation. Logarithmic axes; lower is better.'
               '</text>')
    return out


def main():
    found = read()
    epsilons = sorted({e for points in found.values() for e in points})
    height = TOP + 2 * PANEL_H + GAP_Y + 66
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="t">',
           '<title id="t">Error against epsilon for Suha and its peers on c17k</title>', f"<style>{STYLE}</style>", f'<rect class="paper" width="{WIDTH}" height="{height}" rx="8"/>',
           f'<text class="title" x="{LEFT}" y="32">Error at equal privacy: 17,000 generated records, 26 columns, delta 5.8e-6</text>']
    out += legend(found, height)
    for r, (what, title) in enumerate(ROWS):
        values = [statistics.mean(v) for (t, w, a), points in found.items() if w == what and a in LENGTHS and t in [k[0] for k in TOOLS] for v in points.values()]
        if not values:
            continue
        ticks = [t for t in (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500) if min(values) / 2.6 < t < max(values) * 2.6]
        low, high = min(min(values) * 0.8, ticks[0]), max(max(values) * 1.25, ticks[-1])
        for k, length in enumerate(LENGTHS):
            panel = Panel(LEFT + k * (PANEL_W + GAP_X), TOP + r * (PANEL_H + GAP_Y), epsilons, low, high)
            out.append(f'<text class="head" x="{panel.x}" y="{panel.y - 9}">{title}: {NAMES[length]}</text>')
            out += panel.frame(epsilons, ticks, True)
            for tool, _, shape, dash in TOOLS:
                if (tool, what, length) in found:
                    out += panel.series(found[tool, what, length], shape, dash)
            if r == 1 or what == "records":
                out.append(f'<text class="small" x="{panel.x + PANEL_W / 2}" y="{panel.y + PANEL_H + 32}" text-anchor="middle">epsilon</text>')
    out.append("</svg>")
    os.makedirs(os.path.dirname(OUT), exist_ok=True)
    with open(OUT, "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")
    print(OUT)


main()
