"""Soft Jaccard and binary cross-entropy from logits, values and gradients."""

import torch
import torch.nn.functional as F

from fixture import Inputs, leaf, save

SMOOTH = 1e-5


def jaccard(logits, target):
    """1 - (I + s) / (U + s), sums over the whole batch: JaccardLoss of Keras segmentation_models, one class."""
    p = torch.sigmoid(logits)
    intersection = (p * target).sum()
    union = (p + target).sum() - intersection
    return 1 - (intersection + SMOOTH) / (union + SMOOTH)


def make_losses():
    inputs = Inputs(40)
    shape = (2, 8, 9, 1)
    logits = inputs.uniform(*shape, low=-6, high=6)
    # Where float32's sigmoid and exp saturate, and exactly 0.
    logits.view(-1)[:8] = torch.tensor([0.0, -0.0, 17.5, -17.5, 40.0, -40.0, 95.0, -95.0])
    hard = (inputs.uniform(*shape) > 0.3).double()
    targets = {"hard": hard, "soft": inputs.uniform(*shape, low=0, high=1), "empty": torch.zeros(*shape).double()}
    tensors = {"logits": logits}
    for name, target in targets.items():
        tensors[f"{name}.target"] = target if name == "soft" else target.to(torch.uint8)
        for loss_name, loss in (("jaccard", jaccard), ("bce", F.binary_cross_entropy_with_logits)):
            x = leaf(logits)
            value = loss(x, target)
            value.backward()
            tensors[f"{name}.{loss_name}"] = value
            tensors[f"{name}.grad_{loss_name}"] = x.grad
    save("losses", tensors, {"smooth": SMOOTH})
