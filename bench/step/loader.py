"""Times one worker of the training loader and the training steps that its patches are for, in turn, and adds what came
out to the results of bench_ops."""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent.parent / "build/release/bench/step/bench_step"
ROUNDS, BATCH, BATCHES_A_RUN = 5, 8, 8


class Program:
    def __init__(self, *arguments):
        command = [str(BENCH), *map(str, arguments), "--batch", str(BATCH)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.run()  # what is set up in the first runs

    def run(self):
        """Seconds of one run."""
        self.process.stdin.write("run 1\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{' '.join(self.process.args)} ended with status {self.process.wait()}")
        return json.loads(answer)["ms"][0] / 1000

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def rate(seconds, patches):
    rates = [patches / second for second in seconds]
    quarters = statistics.quantiles(rates, n=4)
    return {"patches_per_second": round(statistics.median(rates), 2),
            "spread": round((quarters[2] - quarters[0]) / statistics.median(rates), 3)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--split", required=True, type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([str(BENCH), "write", folder, "--batch", str(BATCH)], check=True)
        programs = {"loader": Program("load", arguments.data, "--split", arguments.split),
                    "fp32": Program("train", folder, "--precision", "fp32"),
                    "bf16": Program("train", folder, "--precision", "bf16")}
        seconds = {name: [] for name in programs}
        for _ in range(ROUNDS):
            for name, program in programs.items():
                seconds[name].append(program.run())
        for program in programs.values():
            program.close()
    rates = {name: rate(times, BATCH * (BATCHES_A_RUN if name == "loader" else 1)) for name, times in seconds.items()}
    for precision in ("fp32", "bf16"):
        rates[precision]["loader_times_faster"] = round(
            rates["loader"]["patches_per_second"] / rates[precision]["patches_per_second"], 2)
    results = json.loads(arguments.json.read_text())
    results["loader"] = rates
    arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(rates, indent=1))


main()
