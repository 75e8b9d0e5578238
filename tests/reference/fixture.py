"""Seeded inputs and the layout of the fixture files."""

import pathlib

import torch
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent / "data"


class Inputs:
    """Random float64 tensors that float32 holds exactly, so that both sides start from the same numbers."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def uniform(self, *shape, low=-1.0, high=1.0):
        values = torch.rand(*shape, generator=self.generator, dtype=torch.float64)
        return (low + (high - low) * values).float().double()


def leaf(tensor):
    return tensor.clone().requires_grad_()


def nhwc(tensor):
    """Activations and dense weights: [N,C,H,W] -> [N,H,W,C], [O,I,kh,kw] -> [O,kh,kw,I]."""
    return tensor.permute(0, 2, 3, 1)


def depthwise(tensor):
    """[C,1,kh,kw] -> [kh,kw,C]."""
    return tensor[:, 0].permute(1, 2, 0)


def matrix(tensor):
    """A 1x1 convolution of squeeze-and-excitation: [O,I,1,1] -> [O,I]."""
    return tensor[:, :, 0, 0]


def weight_layout(name, tensor):
    if tensor.dim() < 4:
        return tensor
    if name.startswith("se."):
        return matrix(tensor)
    return depthwise(tensor) if name.startswith("depthwise") else nhwc(tensor)


def save(name, tensors, options=None):
    """Floats become F32, integers keep their type; options become scalars named `option.NAME`.

    The one metadata key keeps the bytes reproducible: the safetensors library does not order several.
    """
    tensors = dict(tensors)
    for key, value in (options or {}).items():
        tensors[f"option.{key}"] = torch.tensor(value, dtype=torch.float64)
    stored = {}
    for key, value in tensors.items():
        value = value.detach()
        stored[key] = (value.float() if value.is_floating_point() else value).contiguous()
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.safetensors"
    save_file(stored, path, metadata={"source": f"PyTorch {torch.__version__}, float64"})
    path.chmod(0o644)
