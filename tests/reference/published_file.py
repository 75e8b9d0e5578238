"""The fixture of one published family: values as tensors, names, shapes and options as metadata."""

import json
import pathlib

import numpy as np
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent / "data"


def save_published(name, values, shapes, options):
    # One metadata key: the safetensors library does not order several. Names of one layer stand together, so that the
    # lines compress and differences can be read.
    description = json.dumps({"options": options, "tensors": shapes}, separators=(",", ":"))
    stored = {key: np.ascontiguousarray(value, dtype=np.float32) for key, value in values.items()}
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"published_{name}.safetensors"
    save_file(stored, path, metadata={"published": description})
    path.chmod(0o644)
    print(path.name, path.stat().st_size, flush=True)
