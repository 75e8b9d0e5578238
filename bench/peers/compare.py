"""Runs karyon and its peers in turn, A B A B, checks that they compute the same, and writes what each took."""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from safetensors.numpy import load_file

HERE = Path(__file__).resolve().parent
BENCH = HERE.parent.parent / "build/release/bench/step/bench_step"
PYTHON = [sys.executable]

# name: kind, precision, batch, peers, tolerance of the result
CASES = {
    "train-fp32": ("train", "fp32", 8, ["torch-eager", "torch-compile"], 1e-3),
    "train-bf16": ("train", "bf16", 8, ["torch-eager", "torch-compile"], 2e-2),
    "infer1-fp32": ("infer", "fp32", 1, ["torch-eager", "torch-compile", "onnxruntime", "openvino"], 1e-3),
    "infer8-fp32": ("infer", "fp32", 8, ["torch-eager", "torch-compile", "onnxruntime", "openvino"], 1e-3),
    "infer1-bf16": ("infer", "bf16", 1, ["torch-eager", "torch-compile", "openvino"], 5e-2),
    "infer8-bf16": ("infer", "bf16", 8, ["torch-eager", "torch-compile", "openvino"], 5e-2),
    "macenko": ("macenko", "fp32", 1, ["torchstain-numpy", "torchstain-torch"], 5e-2),
}


class Worker:
    """A program that obeys `run N` and `check FILE` on its standard input, and answers each with a line of JSON."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True, bufsize=1)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        while answer := self.process.stdout.readline():
            if answer.startswith("{"):
                return json.loads(answer)
        raise RuntimeError(f"{' '.join(map(str, self.process.args))} ended with status {self.process.wait()}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def command_of(program, kind, precision, batch, folder):
    arguments = [kind, str(folder), "--precision", precision, "--batch", str(batch)]
    if program == "karyon":
        return [str(BENCH)] + arguments
    if program.startswith("torch-"):
        return PYTHON + [str(HERE / "torch_worker.py")] + arguments + (["--compile"] if program == "torch-compile" else [])
    if program.startswith("torchstain-"):
        return PYTHON + [str(HERE / "macenko_worker.py")] + arguments + ["--backend", program.removeprefix("torchstain-")]
    return PYTHON + [str(HERE / "graph_worker.py")] + arguments + ["--runtime", program]


def difference(ours, theirs, kind):
    """The largest difference, in units of the largest value; of pictures the mean one, since torchstain takes other
    percentiles of other pixels."""
    error = abs(ours - theirs)
    return float((error.mean() if kind == "macenko" else error.max()) / max(abs(theirs).max(), 1e-30))


def result_of(worker, folder, name):
    file = folder / f"{name}.result.safetensors"
    worker.ask(f"check {file}")
    return load_file(file)["result"]


def turn_of(worker):
    """So many runs that a turn lasts half a second: a core that slept while the other program was at work takes some
    30 ms to reach its speed."""
    return math.ceil(500 / worker.ask("run 3")["ms"][-1])


def compare(case, peer, folder, rounds):
    """Both programs at once in memory, one at a time at work."""
    kind, precision, batch, _, tolerance = CASES[case]
    ours = Worker(command_of("karyon", kind, precision, batch, folder))
    theirs = Worker(command_of(peer, kind, precision, batch, folder))
    try:
        ours.ask("run 1"), theirs.ask("run 1")
        off = difference(result_of(ours, folder, "karyon"), result_of(theirs, folder, peer), kind)
        runs = turn_of(ours), turn_of(theirs)
        times, ratios, loads = ([], []), [], []
        for _ in range(rounds):
            loads.append(os.getloadavg()[0])
            a, b = ours.ask(f"run {runs[0]}"), theirs.ask(f"run {runs[1]}")
            times[0].append(statistics.median(a["ms"]))
            times[1].append(statistics.median(b["ms"]))
            ratios.append(times[1][-1] / times[0][-1])
    finally:
        ours.close(), theirs.close()
    ratio = statistics.median(ratios)
    quarters = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratio, ratio, ratio]
    spread = (quarters[2] - quarters[0]) / ratio
    row = {"case": case, "peer": peer, "ours_ms": statistics.median(times[0]), "peer_ms": statistics.median(times[1]),
           "ratio": ratio, "spread": spread, "ours_peak_mb": a["peak_mb"], "peer_peak_mb": b["peak_mb"],
           "difference": off, "load": statistics.median(loads), "rounds": rounds}
    if off > tolerance:
        row["error"] = f"results differ by {off:.2g} of the largest value, {tolerance:g} is allowed"
    if abs(ratio - 1) < spread:
        row["ratio"] = None  # the spread is larger than the effect
    return row


def versions():
    from importlib.metadata import version
    return {name: version(name) for name in ("torch", "onnxruntime", "openvino", "torchstain", "numpy")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", required=True, type=Path)
    parser.add_argument("--quick", action="store_true", help="few rounds, and no compiled PyTorch, whose compiler takes minutes")
    parser.add_argument("--case", action="append", choices=CASES, help="only this one; may be repeated")
    arguments = parser.parse_args()
    rows = []
    print(f"{'case':12} {'peer':14} {'karyon ms':>10} {'peer ms':>10} {'ratio':>6} {'spread':>7} {'MB':>6} {'peer MB':>8} {'load':>5}")
    with tempfile.TemporaryDirectory() as scratch:
        for case in arguments.case or CASES:
            kind, _, batch, peers, _ = CASES[case]
            rounds = 3 if arguments.quick else 7 if kind == "train" else 15  # the short ones are the more restless
            folder = Path(scratch) / f"{kind}{batch}"
            if not folder.exists():
                subprocess.run([str(BENCH), "write", str(folder), "--batch", str(batch)], check=True)
            for peer in peers:
                if arguments.quick and peer == "torch-compile":
                    continue
                try:
                    row = compare(case, peer, folder, rounds)
                except RuntimeError as error:
                    row = {"case": case, "peer": peer, "error": str(error)}
                rows.append(row)
                if "ours_ms" in row:
                    ratio = f"{row['ratio']:6.2f}" if row["ratio"] else "     ?"
                    print(f"{case:12} {peer:14} {row['ours_ms']:10.1f} {row['peer_ms']:10.1f} {ratio} {row['spread']:7.2f} "
                          f"{row['ours_peak_mb']:6.0f} {row['peer_peak_mb']:8.0f} {row['load']:5.1f}", flush=True)
                if "error" in row:
                    print(f"{case:12} {peer:14} {row['error']}", flush=True)
    for case in {row["case"] for row in rows}:
        timed = [row for row in rows if row["case"] == case and "peer_ms" in row and "error" not in row]
        if timed:
            # Relative to karyon's time of the same minutes: the peers were not timed at once.
            min(timed, key=lambda row: row["peer_ms"] / row["ours_ms"])["fastest_peer"] = True
    temporary = arguments.json.with_suffix(".tmp")
    temporary.write_text(json.dumps({"cases": rows, "threads": int(os.environ["OMP_NUM_THREADS"]), "versions": versions()}, indent=1) + "\n")
    temporary.replace(arguments.json)


main()
