"""Whole EfficientNets: torchvision's networks with weights that both sides compute, and parameter counts."""

import math
import re

import torch
import torch.nn.functional as F
import torchvision

from blocks import pad_same
from fixture import save
from hashed import hashed as hashed_array

GAIN = 4.5  # keeps the activations of order 1 through all blocks


def hashed(name, count, low, high):
    return torch.from_numpy(hashed_array(name, count, low, high))


def value_of(name, shape):
    """The tensor of karyon's name and shape."""
    count = math.prod(shape)
    kind = name.rsplit(".", 1)[1]
    if "_bn." in name:
        low, high = {"weight": (0.5, 1.5), "bias": (-0.5, 0.5), "running_mean": (-0.2, 0.2), "running_var": (0.5, 1.5)}[kind]
    elif kind == "bias":
        low, high = -0.5, 0.5
    else:
        fan_in = shape[0] * shape[1] if "depthwise" in name else count // shape[0]
        high = math.sqrt(GAIN / fan_in)
        low = -high
    return hashed(name, count, low, high).reshape(shape)


def karyon_name(name, repeats):
    """torchvision's `features.STAGE.BLOCK.block.LAYER...` -> karyon's name, and whether it is squeeze-and-excitation."""
    if name.startswith("classifier.1."):
        return name.replace("classifier.1.", "classifier.")
    stage, rest = re.fullmatch(r"features\.(\d+)\.(.*)", name).groups()
    stage = int(stage)
    if stage in (0, 8):
        layer, tail = rest.split(".")
        return ("stem" if stage == 0 else "head") + ("_bn." if layer == "1" else ".") + tail
    block, layer, rest = re.fullmatch(r"(\d+)\.block\.(\d+)\.(.*)", rest).groups()
    names = ["expand", "depthwise", "se", "project"] if stage > 1 else ["depthwise", "se", "project"]
    layer = names[int(layer)]
    prefix = f"blocks.{sum(repeats[:stage - 1]) + int(block)}."
    if layer == "se":
        return prefix + rest.replace("fc1", "se.reduce").replace("fc2", "se.expand")
    index, tail = rest.split(".")
    return prefix + layer + ("_bn." if index == "1" else ".") + tail


def set_weights(model):
    repeats = [len(model.features[stage]) for stage in range(1, 8)]
    state = {}
    for name, tensor in model.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        ours = karyon_name(name, repeats)
        if tensor.dim() < 4:
            value = value_of(ours, tuple(tensor.shape))
        elif ".depthwise." in ours:
            c, _, kh, kw = tensor.shape
            value = value_of(ours, (kh, kw, c)).permute(2, 0, 1)[:, None]
        elif ".se." in ours:
            value = value_of(ours, tuple(tensor.shape[:2]))[:, :, None, None]
        else:
            o, i, kh, kw = tensor.shape
            value = value_of(ours, (o, kh, kw, i)).permute(0, 3, 1, 2)
        state[name] = value
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing)


def make_same(model, eps):
    """TensorFlow's padding and eps in place of torchvision's."""
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d) and module.kernel_size[0] > 1:
            module.padding = (0, 0)
            module.register_forward_pre_hook(lambda conv, x: pad_same(x[0], conv.kernel_size[0], conv.stride[0]))
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = eps


def sample(tensor, count=96):
    """Elements i * 7919 mod size of the NHWC tensor: spread over pixels and channels."""
    flat = tensor.permute(0, 2, 3, 1).reshape(-1) if tensor.dim() == 4 else tensor.reshape(-1)
    return flat[torch.arange(count) * 7919 % flat.numel()]


def make_encoder(member, same, eps, size):
    model = getattr(torchvision.models, f"efficientnet_{member}")(norm_layer=lambda c: torch.nn.BatchNorm2d(c, eps=eps))
    model = model.double().eval()
    set_weights(model)
    if same:
        make_same(model, eps)
    x = hashed("input", math.prod(size) * 3, -2, 2).reshape(1, *size, 3).permute(0, 3, 1, 2)
    tensors = {}
    with torch.no_grad():
        for index, stage in enumerate(model.features):
            if 2 <= index <= 7:
                tensors[f"expansion.{index}"] = sample(stage[0].block[0](x))
            x = stage(x)
            tensors[f"features.{index}"] = sample(x)
    options = {"same": float(same), "eps": eps, "height": size[0], "width": size[1]}
    save(f"encoder_{member}", tensors, options)


def make_counts():
    counts = {}
    for member in range(8):
        with torch.device("meta"):
            model = getattr(torchvision.models, f"efficientnet_b{member}")()
        counts[f"b{member}"] = torch.tensor([sum(p.numel() for p in model.parameters())], dtype=torch.int32)
    save("encoder_counts", counts)


def make_encoders():
    make_encoder("b0", same=False, eps=1e-5, size=(65, 96))
    make_encoder("b4", same=True, eps=1e-3, size=(96, 70))
    make_counts()
