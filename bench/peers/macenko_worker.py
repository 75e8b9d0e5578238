"""torchstain's side of a comparison: Macenko normalisation of one picture."""

import argparse

import numpy as np
from safetensors.numpy import load_file

from worker import serve


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

    def run():
        normalised, _, _ = normalizer.normalize(picture, stains=False)
        return lambda: np.asarray(normalised)

    serve(run)


main()
