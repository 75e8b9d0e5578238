"""Published families of EfficientNet, built by the libraries that publish them: the names and shapes of what they save,
and what they compute from weights that both sides make from those names.

    python published.py torch [NAME...]    # timm, efficientnet_pytorch, efficientnet_lite_pytorch, torchvision, smp
    python published.py keras [NAME...]    # keras.applications, qubvel's efficientnet, segmentation_models
"""

import math
import os
import sys

import numpy as np

from hashed import hashed
from published_file import save_published

GAIN = 4.5  # keeps the activations of order 1 through all blocks
SIZES = [(256, 256), (380, 380), (225, 193)]
UNET_SIZES = [(256, 256), (64, 96)]
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def value_of(name, shape):
    """The tensor of a published name and shape, in the published layout."""
    count = math.prod(shape)
    leaf = name.replace("/", ".").rsplit(".", 1)[1]
    if len(shape) == 1:
        low, high = {"weight": (0.5, 1.5), "gamma": (0.5, 1.5), "running_var": (0.5, 1.5), "moving_variance": (0.5, 1.5),
                     "bias": (-0.5, 0.5), "beta": (-0.5, 0.5), "running_mean": (-0.2, 0.2),
                     "moving_mean": (-0.2, 0.2)}[leaf]
    else:
        keras = leaf.endswith("kernel")
        if leaf == "depthwise_kernel":
            fan_in = shape[0] * shape[1]
        else:
            fan_in = count // (shape[-1] if keras else shape[0])
        high = math.sqrt(GAIN / fan_in)
        low = -high
    return hashed(name, count, low, high).reshape(shape)


def image(height, width):
    """[1, height, width, 3], as the network sees it."""
    return hashed(f"input {height}x{width}", height * width * 3, -2, 2).reshape(1, height, width, 3)


def sample(array, count=64):
    """Elements i * 7919 mod size of the NHWC array."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat[np.arange(count) * 7919 % flat.size]


def wanted(name):
    return len(sys.argv) == 2 or name in sys.argv[2:]


def set_torch_weights(model):
    import torch

    model.eval()
    state = {key: torch.from_numpy(value_of(key, tuple(value.shape))).float() for key, value in model.state_dict().items()
             if not key.endswith("num_batches_tracked")}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing)
    return {key: list(value.shape) for key, value in model.state_dict().items()}


def from_torch(name, model, stages, options, sizes=SIZES):
    """`stages` are the modules behind which a feature is taken."""
    import torch

    if not wanted(name):
        return
    shapes = set_torch_weights(model)
    features = {}
    for index, module in enumerate(stages(model)):
        def keep(module, inputs, output, index=index):
            features[f"stage.{index}"] = sample(output.permute(0, 2, 3, 1).numpy())
        module.register_forward_hook(keep)
    values = {}
    with torch.no_grad():
        for height, width in sizes:
            features.clear()
            logits = model(torch.from_numpy(image(height, width)).float().permute(0, 3, 1, 2))
            values[f"logits.{height}x{width}"] = logits.numpy()[0]
            values.update({f"{key}.{height}x{width}": value for key, value in features.items()})
    save_published(name, values, shapes, options)


def unet_from_torch(name, model, options):
    import torch

    if not wanted(name):
        return
    shapes = set_torch_weights(model.double())
    values = {}
    with torch.no_grad():
        for height, width in UNET_SIZES:
            logits = model(torch.from_numpy(image(height, width)).permute(0, 3, 1, 2))
            values[f"mask.{height}x{width}"] = sample(logits.permute(0, 2, 3, 1).numpy())
    save_published(name, values, shapes, options)


def make_torch():
    import segmentation_models_pytorch as smp
    import timm
    import torch
    import torchvision
    from efficientnet_lite_pytorch import EfficientNet as Lite
    from efficientnet_pytorch import EfficientNet as Lukemelas

    torch.set_num_threads(1)
    last_of_stages = lambda model: list(model.blocks)
    for name, source, member in [("efficientnet_b0", "timm", "b0"), ("tf_efficientnet_b0", "timm-tf", "b0"),
                                 ("efficientnet_lite0", "timm", "lite0"), ("tf_efficientnet_lite2", "timm-tf", "lite2")]:
        from_torch(f"{source}_{member}", timm.create_model(name), last_of_stages, {"source": source, "member": member})
    from_torch("torchvision_b0", torchvision.models.efficientnet_b0(), lambda model: list(model.features)[1:8],
               {"source": "torchvision", "member": "b0"})

    def last_blocks(model):
        """The last block of each stage: the one before the stride or the width changes."""
        blocks = list(model._blocks)
        ends = [i for i in range(len(blocks) - 1) if blocks[i + 1]._block_args.input_filters
                != blocks[i + 1]._block_args.output_filters or blocks[i + 1]._block_args.stride not in (1, [1])]
        return [blocks[i] for i in ends + [len(blocks) - 1]]

    for image_size in (None, 380):
        model = Lukemelas.from_name("efficientnet-b0" if image_size is None else "efficientnet-b4", image_size=image_size)
        member = "b0" if image_size is None else "b4"
        from_torch(f"lukemelas_{member}", model, last_blocks,
                   {"source": "lukemelas", "member": member, "padding_size": image_size or 0},
                   SIZES if image_size is None else [(256, 256)])
    lite = Lite.from_name("efficientnet-lite0", image_size=None)
    from_torch("lukemelas_lite0", lite, last_blocks, {"source": "lukemelas", "member": "lite0"})
    for member in ("b1", "b4"):
        unet_from_torch(f"smp_{member}", smp.Unet(f"efficientnet-{member}", encoder_weights=None),
                        {"source": "lukemelas", "member": member})


def set_keras_weights(model):
    shapes = {}
    for layer in model.layers:
        for weight in layer.weights:
            key = layer.name + "/" + weight.name.rsplit("/", 1)[-1].split(":")[0]
            shapes[key] = list(weight.shape)
            if layer.name == "normalization":
                value = {"mean": MEAN, "variance": STD**2, "count": np.array(0)}[key.split("/")[1]]
                weight.assign(value.reshape(weight.shape))
            else:
                weight.assign(value_of(key, tuple(weight.shape)))
        if layer.name == "normalization":
            layer.finalize_state()  # it computes with copies of its weights
    return shapes


def from_keras(name, build, scaled, options):
    """`scaled`: the network takes levels from 0 to 255 and scales them itself."""
    import tensorflow as tf

    if not wanted(name):
        return
    values = {}
    for height, width in SIZES:
        tf.keras.backend.clear_session()
        model = build((height, width, 3))
        shapes = set_keras_weights(model)
        blocks = [layer.name for layer in model.layers if layer.name.startswith("block")]
        ends = [[block for block in blocks if block.startswith(f"block{stage}")][-1] for stage in range(1, 8)]
        probe = tf.keras.Model(model.inputs, [model.output] + [model.get_layer(end).output for end in ends])
        x = image(height, width)
        outputs = probe((x * STD + MEAN) * 255 if scaled else x, training=False)
        values[f"logits.{height}x{width}"] = outputs[0].numpy()[0]
        for index, output in enumerate(outputs[1:]):
            values[f"stage.{index}.{height}x{width}"] = sample(output.numpy())
    save_published(name, values, shapes, options)


def unet_from_keras(name, build, options):
    import tensorflow as tf

    if not wanted(name):
        return
    values = {}
    for height, width in UNET_SIZES:
        tf.keras.backend.clear_session()
        model = build((height, width, 3))
        shapes = set_keras_weights(model)
        values[f"mask.{height}x{width}"] = sample(model(image(height, width), training=False).numpy())
    save_published(name, values, shapes, options)


def make_keras():
    os.environ["SM_FRAMEWORK"] = "tf.keras"
    import efficientnet.tfkeras as efn
    import segmentation_models as sm
    import tensorflow as tf

    tf.keras.backend.set_floatx("float64")
    from_keras("keras_b0", lambda shape: tf.keras.applications.EfficientNetB0(
        weights=None, input_shape=shape, classifier_activation=None), True, {"source": "keras", "member": "b0"})

    def qubvel(shape):
        model = efn.EfficientNetB0(weights=None, input_shape=shape)
        model.layers[-1].activation = tf.keras.activations.linear
        return tf.keras.Model(model.inputs, model.layers[-1](model.layers[-1].input))

    from_keras("qubvel_b0", qubvel, False, {"source": "qubvel", "member": "b0"})
    unet_from_keras("segmentation_b0", lambda shape: sm.Unet(
        "efficientnetb0", encoder_weights=None, input_shape=shape, activation="linear"), {"source": "qubvel", "member": "b0"})


if __name__ == "__main__":
    {"torch": make_torch, "keras": make_keras}[sys.argv[1]]()
