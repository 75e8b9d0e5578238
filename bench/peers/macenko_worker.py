"""torchstain's side of a comparison: Macenko normalisation of one picture."""

import argparse
import json
import resource
import sys
import time

import numpy as np
from safetensors.numpy import load_file, save_file


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["macenko"])
    parser.add_argument("folder")
    parser.add_argument("--precision")
    parser.add_argument("--batch")
    parser.add_argument("--backend", choices=["numpy", "torch"], required=True)
    arguments = parser.parse_args()
    picture = load_file(f"{arguments.folder}/inputs.safetensors")["picture"]

    import torchstain
    normalizer = torchstain.normalizers.MacenkoNormalizer(backend=arguments.backend)
    if arguments.backend == "torch":
        import torch
        torch.set_num_threads(2)
        picture = torch.from_numpy(picture).permute(2, 0, 1)
    result = None
    for line in sys.stdin:
        command, argument = line.split()
        if command == "run":
            times = []
            for _ in range(int(argument)):
                start = time.perf_counter()
                result, _, _ = normalizer.normalize(picture, stains=False)
                times.append(1e3 * (time.perf_counter() - start))
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
            print(json.dumps({"ms": times, "peak_mb": peak}), flush=True)
        else:
            save_file({"result": np.asarray(result, dtype=np.float32).reshape(-1)}, argument)
            print("{}", flush=True)


main()
