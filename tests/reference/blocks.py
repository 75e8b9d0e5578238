"""MBConv and the U-Net decoder block, written with PyTorch's functions from the papers, forward and backward."""

import torch
import torch.nn.functional as F

from fixture import Inputs, leaf, nhwc, save, weight_layout


def pad_same(x, kernel, stride):
    """TensorFlow's SAME: the odd row or column goes to the bottom and the right."""
    def sides(size):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        return total // 2, total - total // 2
    top, bottom = sides(x.shape[2])
    left, right = sides(x.shape[3])
    return F.pad(x, (left, right, top, bottom))


def pad_symmetric(x, kernel, stride):
    return F.pad(x, ((kernel - 1) // 2,) * 4)


def batch_norm(x, name, params, running, options, training):
    return F.batch_norm(x, running[f"{name}.running_mean"], running[f"{name}.running_var"], params[f"{name}.weight"],
                        params[f"{name}.bias"], training, options["momentum"], options["eps"])


def add_batch_norm(name, channels, inputs, params, running):
    params[f"{name}.weight"] = inputs.uniform(channels, low=0.5, high=1.5)
    params[f"{name}.bias"] = inputs.uniform(channels, low=-0.5, high=0.5)
    running[f"{name}.running_mean"] = inputs.uniform(channels, low=-0.2, high=0.2)
    running[f"{name}.running_var"] = inputs.uniform(channels, low=0.5, high=1.5)


def mbconv_state(inputs, o):
    params, running = {}, {}
    middle, reduced = o["in"] * o["expand"], max(1, o["in"] // 4)
    if o["expand"] != 1:
        params["expand.weight"] = inputs.uniform(middle, o["in"], 1, 1)
        add_batch_norm("expand_bn", middle, inputs, params, running)
    params["depthwise.weight"] = inputs.uniform(middle, 1, o["kernel"], o["kernel"])
    add_batch_norm("depthwise_bn", middle, inputs, params, running)
    params["se.reduce.weight"] = inputs.uniform(reduced, middle, 1, 1)
    params["se.reduce.bias"] = inputs.uniform(reduced)
    params["se.expand.weight"] = inputs.uniform(middle, reduced, 1, 1)
    params["se.expand.bias"] = inputs.uniform(middle)
    params["project.weight"] = inputs.uniform(o["out"], middle, 1, 1, low=-0.5, high=0.5)
    add_batch_norm("project_bn", o["out"], inputs, params, running)
    return params, running


def mbconv(x, p, running, o, training):
    y = x
    if o["expand"] != 1:
        y = F.silu(batch_norm(F.conv2d(y, p["expand.weight"]), "expand_bn", p, running, o, training))
    padded = (pad_same if o["same"] else pad_symmetric)(y, o["kernel"], o["stride"])
    y = F.conv2d(padded, p["depthwise.weight"], stride=o["stride"], groups=y.shape[1])
    y = F.silu(batch_norm(y, "depthwise_bn", p, running, o, training))
    gate = F.conv2d(y.mean((2, 3), keepdim=True), p["se.reduce.weight"], p["se.reduce.bias"])
    gate = F.conv2d(F.silu(gate), p["se.expand.weight"], p["se.expand.bias"])
    y = F.conv2d(y * torch.sigmoid(gate), p["project.weight"])
    y = batch_norm(y, "project_bn", p, running, o, training)
    return y + x if o["stride"] == 1 and o["in"] == o["out"] else y


def decoder_state(inputs, channels_in, channels_out):
    params, running = {}, {}
    params["conv1.weight"] = inputs.uniform(channels_out, channels_in, 3, 3)
    add_batch_norm("bn1", channels_out, inputs, params, running)
    params["conv2.weight"] = inputs.uniform(channels_out, channels_out, 3, 3)
    add_batch_norm("bn2", channels_out, inputs, params, running)
    return params, running


def decoder_block(x, skip, p, running, o, training, kinks=None):
    y = torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skip], 1)
    for conv, bn in (("conv1", "bn1"), ("conv2", "bn2")):
        y = batch_norm(F.conv2d(y, p[f"{conv}.weight"], padding=1), bn, p, running, o, training)
        if kinks is not None:
            kinks.append(y.abs().min().item())
        y = F.relu(y)
    return y


def record(name, block, activations, params, running, options):
    """Runs block(*activations, params, running, training) in both modes, with the gradients of <output, grad_output>."""
    tensors = {key: nhwc(value) for key, value in activations.items()}
    tensors |= {f"param.{key}": weight_layout(key, value) for key, value in params.items()}
    tensors |= {f"running.{key}": value for key, value in running.items()}
    for mode, training in (("", True), ("eval_", False)):
        x = {key: leaf(value) for key, value in activations.items()}
        p = {key: leaf(value) for key, value in params.items()}
        statistics = {key: value.clone() for key, value in running.items()}
        output = block(*x.values(), p, statistics, training)
        if training:
            grad_output = Inputs(99).uniform(*output.shape)
            tensors["grad_output"] = nhwc(grad_output)
        output.backward(grad_output)
        tensors[f"{mode}output"] = nhwc(output)
        tensors |= {f"{mode}grad_{key}": nhwc(value.grad) for key, value in x.items()}
        if training:
            tensors |= {f"grad.{key}": weight_layout(key, value.grad) for key, value in p.items()}
            tensors |= {f"running_after.{key}": value for key, value in statistics.items()}
    save(name, tensors, options)


MBCONVS = {
    "mbconv_skip": dict(expand=6, kernel=3, stride=1, out=8, same=True, eps=1e-3, momentum=0.01, size=(9, 7)),
    # One even and one odd side: SAME and symmetric padding differ on the even one only.
    "mbconv_same": dict(expand=6, kernel=5, stride=2, out=12, same=True, eps=1e-3, momentum=0.01, size=(10, 7)),
    "mbconv_symmetric": dict(expand=6, kernel=3, stride=2, out=8, same=False, eps=1e-5, momentum=0.1, size=(9, 8)),
    "mbconv_expand1": dict(expand=1, kernel=3, stride=1, out=4, same=False, eps=1e-5, momentum=0.1, size=(9, 7)),
}


def make_mbconvs():
    for seed, (name, o) in enumerate(MBCONVS.items()):
        o = {"in": 8} | o
        size = o.pop("size")
        inputs = Inputs(seed)
        params, running = mbconv_state(inputs, o)
        record(name, lambda x, p, r, training: mbconv(x, p, r, o, training), {"input": inputs.uniform(2, o["in"], *size)},
               params, running, o)


def make_decoder_block():
    o = {"in": 6, "skip": 4, "out": 5, "eps": 1e-5, "momentum": 0.1}
    inputs = Inputs(20)
    params, running = decoder_state(inputs, o["in"] + o["skip"], o["out"])
    activations = {"input": inputs.uniform(2, o["in"], 3, 4), "skip": inputs.uniform(2, o["skip"], 6, 8)}
    kinks = []
    record("decoder_block", lambda x, skip, p, r, training: decoder_block(x, skip, p, r, o, training, kinks), activations,
           params, running, o)
    # float32 must not fall on the other side of a ReLU.
    assert min(kinks) > 1e-4, f"expected every ReLU input to be away from 0, got {min(kinks)}: take another seed"
