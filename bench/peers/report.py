"""Turns the results of compare.py into the table and the chart of docs/performance.md."""

import argparse
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE, CHART = ROOT / "docs/performance.md", ROOT / "docs/images/performance.svg"
BEGIN, END = "<!-- table: bench/peers/report.py -->\n", "<!-- end of table -->\n"


def table(rows):
    lines = ["| case | peer | karyon ms | peer ms | ratio | spread | karyon MB | peer MB | load |",
             "|---|---|---:|---:|---:|---:|---:|---:|---:|"]
    for row in rows:
        if "ours_ms" not in row:
            lines.append(f"| {row['case']} | {row['peer']} | {row['error']} | | | | | | |")
            continue
        peer = f"**{row['peer']}**" if row.get("fastest_peer") else row["peer"]
        ratio = f"{row['ratio']:.2f}" if row["ratio"] else "not told apart"
        lines.append(f"| {row['case']} | {peer} | {row['ours_ms']:.0f} | {row['peer_ms']:.0f} | {ratio} | {row['spread']:.2f} "
                     f"| {row['ours_peak_mb']:.0f} | {row['peer_peak_mb']:.0f} | {row['load']:.1f} |")
    return "\n".join(lines) + "\n"


def chart(rows):
    """A bar for each peer: its time over karyon's; 1 is as fast."""
    bars = [row for row in rows if row.get("ratio")]
    left, width, height = 230, 760, 22
    unit = 480 / max([2.0] + [row["ratio"] for row in bars])
    bars_text = []
    for i, row in enumerate(bars):
        y = 30 + i * height
        length = row["ratio"] * unit
        colour = "#2f6f9f" if row["ratio"] >= 1 else "#b5533c"
        bars_text.append(f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{row["case"]}, {row["peer"]}</text>'
                         f'<rect x="{left}" y="{y + 2}" width="{length:.1f}" height="{height - 6}" fill="{colour}"/>'
                         f'<text x="{left + length + 5:.1f}" y="{y + 13}">{row["ratio"]:.2f}</text>')
    bottom = 34 + len(bars) * height
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom + 10}" font-family="sans-serif" font-size="12">'
            f'<rect width="100%" height="100%" fill="white"/><text x="{left}" y="18">time of the peer over the time of karyon</text>'
            + "".join(bars_text)
            + f'<line x1="{left + unit}" y1="26" x2="{left + unit}" y2="{bottom}" stroke="#333" stroke-dasharray="4 3"/></svg>\n')


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
