"""Small files as PyTorch and Keras write them, and what they hold.

    python containers.py torch
    python containers.py keras
"""

import collections
import pathlib
import sys
import zipfile

import numpy as np
from safetensors.numpy import save_file

from hashed import hashed

FOLDER = pathlib.Path(__file__).parent / "data" / "containers"


def values(name, *shape):
    return hashed(name, int(np.prod(shape)), -2, 2).reshape(shape)


def expect(name, tensors):
    stored = {key: np.array(value, dtype=np.float32, order="C") for key, value in tensors.items()}
    save_file(stored, FOLDER / f"{name}.safetensors")


def make_torch():
    import torch

    shared = torch.from_numpy(values("shared", 4, 6)).float()
    state = collections.OrderedDict()
    state["f32"] = torch.from_numpy(values("f32", 2, 3, 4)).float()
    state["f64"] = torch.from_numpy(values("f64", 5))
    state["f16"] = torch.from_numpy(values("f16", 3, 2)).half()
    state["bf16"] = torch.from_numpy(values("bf16", 7)).bfloat16()
    state["i64"] = torch.tensor(123456789)
    state["u8"] = torch.arange(5, dtype=torch.uint8)
    state["bool"] = torch.tensor([True, False, True])
    state["transposed"] = shared.t()
    state["columns"] = shared[:, 1:5:2]
    state["parameter"] = torch.nn.Parameter(torch.from_numpy(values("parameter", 3)).float())
    state["empty"] = torch.zeros(0, 3)
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    for name, legacy in [("zip", False), ("stream", True)]:
        torch.save(state, FOLDER / f"{name}.pth", _use_new_zipfile_serialization=not legacy)
    nested = {"epoch": 3, "best": np.float64(0.5), "lr": 1e-3, "done": False, "names": ["a", "b"], "state_dict": state}
    torch.save(nested, FOLDER / "nested.pth")
    with zipfile.ZipFile(FOLDER / "zip.pth") as stored, zipfile.ZipFile(
            FOLDER / "deflated.pth", "w", zipfile.ZIP_DEFLATED) as packed:
        for entry in stored.namelist():
            packed.writestr(entry, stored.read(entry))
    expect("torch", {key: value.detach().float().numpy() for key, value in state.items()})


def make_keras():
    import tensorflow as tf

    layers = tf.keras.layers
    model = tf.keras.Sequential([
        layers.InputLayer((8, 8, 3)),
        layers.Conv2D(4, 3, use_bias=False, name="stem_conv"),
        layers.BatchNormalization(name="stem_bn"),
        layers.Activation("swish", name="stem_activation"),
        layers.DepthwiseConv2D(3, use_bias=False, name="block1a_dwconv"),
        layers.GlobalAveragePooling2D(name="avg_pool"),
        layers.Dense(5, name="probs"),
    ])
    held = {}
    for layer in model.layers:
        for weight in layer.weights:
            key = layer.name + "/" + weight.name.rsplit("/", 1)[-1].split(":")[0]
            held[key] = values(key, *weight.shape)
            weight.assign(held[key])
    model.save_weights(FOLDER / "weights.h5")
    model.compile("adam", "mse")
    model.fit(np.zeros((1, 8, 8, 3)), np.zeros((1, 5)), verbose=0)  # the file then holds the optimiser's state too
    for layer in model.layers:
        for weight in layer.weights:
            weight.assign(held[layer.name + "/" + weight.name.rsplit("/", 1)[-1].split(":")[0]])
    model.save(FOLDER / "model.h5")
    expect("keras", held)


FOLDER.mkdir(parents=True, exist_ok=True)
{"torch": make_torch, "keras": make_keras}[sys.argv[1]]()
for path in FOLDER.iterdir():
    path.chmod(0o644)
