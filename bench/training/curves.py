"""Turns the runs of lite2.sh into the table and the chart of docs/results.md: python3 bench/training/curves.py OUT"""

import argparse
import json
import statistics
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE, CHART = ROOT / "docs/results.md", ROOT / "docs/images/lite2-curves.svg"
BEGIN, END = "<!-- table: bench/training/curves.py -->\n", "<!-- end of table -->\n"
ARMS = {"imagenet": ("ImageNet, fp32", "#2f6f9f"), "imagenet-bf16": ("ImageNet, bf16", "#4a9d6e"),
        "random": ("random, fp32", "#b5533c")}
WIDTH, HEIGHT, LEFT, TOP, GAP = 330, 220, 55, 40, 90
WINDOW = 20  # steps that a point of the loss is the mean of


def read(folder):
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    steps = [line for line in lines if "train_loss" in line]
    losses = [(part[-1]["step"], statistics.mean(line["train_loss"] for line in part))
              for part in (steps[i:i + WINDOW] for i in range(0, len(steps), WINDOW))]
    return {"loss": losses, "dice": [(line["step"], line["validation_dice"]) for line in lines if "validation_dice" in line],
            "seconds": statistics.median(line["seconds"] for line in steps), "test": json.loads((folder / "test.json").read_text())}


def table(runs):
    lines = ["| weights, precision | seed | test Dice, mean of images | pooled | organs seen | not seen | best validation Dice "
             "| last loss |", "|---|---|---|---|---|---|---|---|"]
    for (arm, seed), run in runs.items():
        test = run["test"]
        lines.append(f"| {ARMS[arm][0]} | {seed} | {test['mean_dice']:.4f} | {test['pooled_dice']:.4f} "
                     f"| {test['seen']['mean_dice']:.4f} | {test['unseen']['mean_dice']:.4f} "
                     f"| {max(value for _, value in run['dice']):.4f} | {run['loss'][-1][1]:.3f} |")
    return "\n".join(lines) + "\n"


def axes(left, title, low, high, last, ticks):
    text = [f'<text x="{left}" y="{TOP - 10}" font-weight="bold">{title}</text>']
    for tick in ticks:
        y = TOP + HEIGHT * (high - tick) / (high - low)
        text.append(f'<line x1="{left}" y1="{y:.1f}" x2="{left + WIDTH}" y2="{y:.1f}" stroke="#ddd"/>'
                    f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for step in range(0, last + 1, last // 4):
        text.append(f'<text x="{left + WIDTH * step / last:.1f}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{step}</text>')
    return "".join(text)


def chart(runs):
    last = max(step for run in runs.values() for step, _ in run["loss"])
    panels = [("loss", "training loss, mean of 20 steps", 0.4, 1.2, [0.4, 0.6, 0.8, 1.0, 1.2]),
              ("dice", "validation Dice, 4 images", 0.5, 0.85, [0.5, 0.6, 0.7, 0.8])]
    parts = []
    for index, (key, title, low, high, ticks) in enumerate(panels):
        left = LEFT + index * (WIDTH + GAP)
        parts.append(axes(left, title, low, high, last, ticks))
        for (arm, seed), run in runs.items():
            points = " ".join(f"{left + WIDTH * step / last:.1f},{TOP + HEIGHT * (high - min(max(value, low), high)) / (high - low):.1f}"
                              for step, value in run[key])
            dash = "" if seed == "1" else ' stroke-dasharray="5 3"'
            parts.append(f'<polyline points="{points}" fill="none" stroke="{ARMS[arm][1]}" stroke-width="1.6"{dash}/>')
    bottom = TOP + HEIGHT + 42
    for index, (name, colour) in enumerate(ARMS.values()):
        x = LEFT + index * 170
        parts.append(f'<line x1="{x}" y1="{bottom - 4}" x2="{x + 24}" y2="{bottom - 4}" stroke="{colour}" stroke-width="2"/>'
                     f'<text x="{x + 30}" y="{bottom}">{name}</text>')
    parts.append(f'<text x="{LEFT + 510}" y="{bottom}">full line: seed 1, dashed: seed 2; x: step</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + 2 * WIDTH + GAP + 25}" height="{bottom + 16}" '
            f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>' + "".join(parts) + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the folder that lite2.sh wrote to")
    folder = parser.parse_args().out
    runs = {(arm, seed): read(folder / f"{arm}-{seed}") for arm in ARMS for seed in "12"}
    before, rest = PAGE.read_text().split(BEGIN)
    PAGE.write_text(before + BEGIN + table(runs) + END + rest.split(END)[1])
    CHART.write_text(chart(runs))
    for (arm, seed), run in runs.items():
        print(f"{arm}-{seed}: median step {run['seconds']:.2f} s")


if __name__ == "__main__":
    main()
