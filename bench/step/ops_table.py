"""Turns the results of ops.sh into the tables of docs/cpu_ops.md. Fails where an op stays below half of its roof and
ops_reasons.toml does not say why."""

import argparse
import json
import sys
import tomllib
from pathlib import Path
from textwrap import fill

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent.parent / "docs/cpu_ops.md"
BEGIN, END = "<!-- {}: bench/step/ops_table.py -->\n", "<!-- end of {} -->\n"
SLOW = 50


def ratio_text(row):
    if "onednn_ratio" not in row:
        return ""
    if abs(row["onednn_ratio"] - 1) < row["onednn_ratio_spread"]:
        return "?"
    return f"{row['onednn_ratio']:.2f}"


def table(rows):
    lines = ["| op | layer | shape | ms | spread | GFLOP/s | GB/s | bound by | of roof | oneDNN |",
             "|---|---|---|---:|---:|---:|---:|---|---:|---:|"]
    for row in rows:
        roof = "noisy" if row["percent"] is None else f"{row['percent']:.0f} %"
        lines.append(f"| {row['op']} | {row['layer']} | {row['shape']} | {row['ms']:.3g} | {row['spread']:.2f} | {row['gflops']:.0f} "
                     f"| {row['gbs']:.1f} | {row['bound']} | {roof} | {ratio_text(row)} |")
    return "\n".join(lines) + "\n"


def ceilings(results):
    lines = ["| ceiling | measured by | best | median | worst round |", "|---|---|---:|---:|---:|"]
    for name, c in results["ceilings"].items():
        lines.append(f"| {name} | {c['by']} | {c['best']:.0f} {c['unit']} | {c['median']:.0f} | {c['worst']:.0f} |")
    trip, load = results["line_round_trip_ns"], results["load"]
    return "\n".join(lines) + (
        f"\n\n{results['threads']} threads, {results['ceilings']['copy']['rounds']} rounds; load average {load[0]:.1f} at the start, "
        f"{load[1]:.1f} at the end. A cache line takes {trip['median']:.0f} ns from one thread to the other and back "
        f"(nine in ten rounds: {trip['low']:.0f} to {trip['high']:.0f}).\n")


def loader(results):
    rates = results.get("loader")
    if not rates:
        return "Not measured.\n"
    steps = ", ".join(f"{rates[p]['patches_per_second']:.1f} in {p} (the loader is **{rates[p]['loader_times_faster']:.1f} times** as fast)"
                      for p in ("fp32", "bf16"))
    return (f"One worker of the loader makes {rates['loader']['patches_per_second']:.0f} patches a second (spread "
            f"{rates['loader']['spread']:.2f}); a training step consumes {steps}.\n")


def reason_of(row, reasons):
    """The first that fits: `op` begins the op's name, `type` and `layer` are equal where they are given."""
    for index, reason in enumerate(reasons):
        if row["op"].startswith(reason["op"]) and all(reason.get(key, row[key]) == row[key] for key in ("type", "layer")):
            return index
    return None


def below_half(rows, reasons):
    """Each reason once, with the ops that it is for."""
    groups, unexplained = {}, []
    for row in rows:
        if row["percent"] is None or row["percent"] >= SLOW:
            continue
        index = reason_of(row, reasons)
        if index is None:
            unexplained.append(row)
        else:
            groups.setdefault(index, []).append(row)
    if unexplained:
        names = "\n".join(f"  {row['op']}, {row['layer']}, {row['type']}: {row['percent']:.0f} %" for row in unexplained)
        sys.exit(f"ops_table.py: below {SLOW} % of the roof, and no reason in ops_reasons.toml:\n{names}")
    lines = []
    for index, members in sorted(groups.items()):
        ops = {}
        for row in members:
            where = f" of {row['layer']}" if "layer" in reasons[index] else ""
            ops.setdefault(f"{row['op']}{where}, {row['type']}", []).append(row["percent"])
        shown = "; ".join(f"{name} ({min(p):.0f} %)" if len(p) == 1 else f"{name} ({min(p):.0f} to {max(p):.0f} %)"
                          for name, p in ops.items())
        why = " ".join(reasons[index]["why"].split())
        lines.append(fill(f"* **{shown}.** {why}", 120, subsequent_indent="  ") + "\n")
    return "".join(lines) or "None.\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="JSON file of ops.sh")
    results = json.loads(parser.parse_args().results.read_text())
    reasons = tomllib.loads((HERE / "ops_reasons.toml").read_text())["reason"]
    rows = results["ops"]
    parts = {"ceilings": ceilings(results), "loader": loader(results), "below half": below_half(rows, reasons)}
    for name in ("f32", "bf16"):
        parts[name] = table([row for row in rows if row["type"] == name])
    page = PAGE.read_text()
    for name, text in parts.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, rest = page.split(begin)
        page = before + begin + text + end + rest.split(end)[1]
    PAGE.write_text(page)


main()
