"""How a peer obeys compare.py, as bench_step does: the lines `run N` and `check FILE`, an answer in JSON to each."""

import json
import resource
import sys
import time

import numpy as np
from safetensors.numpy import save_file


def serve(run):
    """run() computes once and returns a function that gives the result as an array."""
    result = None
    for line in sys.stdin:
        command, argument = line.split()
        if command == "run":
            times = []
            for _ in range(int(argument)):
                start = time.perf_counter()
                result = run()
                times.append(1e3 * (time.perf_counter() - start))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
            print(json.dumps({"ms": times, "peak_mb": peak}), flush=True)
        else:
            save_file({"result": np.ascontiguousarray(result(), dtype=np.float32).reshape(-1)}, argument)
            print("{}", flush=True)
