"""Turns the results of compare.py into the table and the chart of docs/performance.md."""

import argparse
import json
import math
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE, CHART = ROOT / "docs/performance.md", ROOT / "docs/images/performance.svg"
BEGIN, END = "<!-- table: bench/peers/report.py -->\n", "<!-- end of table -->\n"


def milliseconds(time):
    return f"{time:.1f}" if time < 100 else f"{time:.0f}"


def table(rows):
    lines = ["| case | peer | karyon ms | peer ms | ratio | spread | karyon MB | peer MB | load |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        if "ours_ms" not in row:
            lines.append(f"| {row['case']} | {row['peer']} | {row['error']} | | | | | | |")
            continue
        peer = f"**{row['peer']}**" if row.get("fastest_peer") else row["peer"]
        ratio = f"{row['ratio']:.2f}" if row["ratio"] else "not told apart"
        lines.append(f"| {row['case']} | {peer} | {milliseconds(row['ours_ms'])} | {milliseconds(row['peer_ms'])} | {ratio} | {row['spread']:.2f} "
                     f"| {row['ours_peak_mb']:.0f} | {row['peer_peak_mb']:.0f} | {row['load']:.1f} |")
    return "\n".join(lines) + "\n"


def chart(rows):
    """A bar for each peer: its time over karyon's, on a logarithmic axis that starts at 1, as fast."""
    bars = [row for row in rows if row.get("ratio")]
    left, width, row_height = 250, 760, 22
    low, high = (extreme([1.0] + [row["ratio"] for row in bars]) for extreme in (min, max))

    def x(ratio):
        return left + 450 * math.log(ratio / low) / math.log(high / low)

    bottom = 30 + len(bars) * row_height
    ticks = [2.0**i for i in range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)]
    parts = [f'<text x="{left}" y="18">time of the peer over the time of karyon, logarithmic</text>']
    for tick in ticks:
        dash = "" if tick == 1 else ' stroke-dasharray="2 4"'
        parts.append(f'<line x1="{x(tick):.1f}" y1="26" x2="{x(tick):.1f}" y2="{bottom}" stroke="#777"{dash}/>'
                     f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    for i, row in enumerate(bars):
        y, start, end = 30 + i * row_height, *sorted((x(1), x(row["ratio"])))
        colour = "#2f6f9f" if row["ratio"] >= 1 else "#b5533c"
        parts.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{row["case"]}, {row["peer"]}</text>'
                     f'<rect x="{start:.1f}" y="{y + 2}" width="{end - start:.1f}" height="{row_height - 6}" fill="{colour}"/>'
                     f'<text x="{end + 5:.1f}" y="{y + 13}">{row["ratio"]:.2f}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 26}" font-family="sans-serif" font-size="12">'
            '<rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="+", type=Path, help="JSON files; of a case and peer that several hold, the last counts")
    arguments = parser.parse_args()
    rows = {}
    for file in arguments.results:
        for row in json.loads(file.read_text())["cases"]:
            rows[row["case"], row["peer"]] = row
    rows = list(rows.values())
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + BEGIN + table(rows) + END + rest.split(END)[1])
    CHART.write_text(chart(rows))


main()
