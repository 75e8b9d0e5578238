"""Three AMSGrad steps: PyTorch's own optimiser, and Keras' formula."""

import numpy as np
import torch

from fixture import Inputs, save


def as_float32(value):
    """karyon takes its hyperparameters as float32: 1 - 0.999 in float32 is 1.3e-5 off, which is not what is tested."""
    return float(np.float32(value))


LR, BETA1, BETA2 = as_float32(1e-3), as_float32(0.9), as_float32(0.999)
EPS = {"pytorch": as_float32(1e-8), "keras": as_float32(1e-7)}
COUNT = 45


def pytorch_steps(start, gradients):
    param = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([param], lr=LR, betas=(BETA1, BETA2), eps=EPS["pytorch"], amsgrad=True)
    for gradient in gradients:
        param.grad = gradient.clone()
        optimiser.step()
        state = optimiser.state[param]
        yield param.detach().clone(), state["exp_avg"], state["exp_avg_sq"], state["max_exp_avg_sq"]


def keras_steps(start, gradients):
    """keras/src/optimizers/adam.py, update_step: alpha = lr sqrt(1 - b2^t) / (1 - b1^t), eps beside sqrt(vmax)."""
    param, m, v, vmax = start.clone(), *(torch.zeros_like(start) for _ in range(3))
    for t, g in enumerate(gradients, start=1):
        alpha = LR * np.sqrt(1 - BETA2**t) / (1 - BETA1**t)
        m = m + (g - m) * (1 - BETA1)
        v = v + (g * g - v) * (1 - BETA2)
        vmax = torch.maximum(vmax, v)
        param = param - m * alpha / (torch.sqrt(vmax) + EPS["keras"])
        yield param, m, v, vmax


def make_amsgrad():
    inputs = Inputs(60)
    start = inputs.uniform(COUNT)
    start[::3] *= 2.0**-10  # small parameters show the step itself, not their own rounding
    # The second gradient is small, so that v falls and its maximum stands.
    gradients = [scale * inputs.uniform(COUNT) for scale in (1.0, 2.0**-7, 0.5)]
    for gradient in gradients:
        gradient[:9] *= 2.0**-24  # where eps matters, and its place
        gradient[9] = 0
    tensors = {"start": start} | {f"grad.{t}": g for t, g in enumerate(gradients, start=1)}
    final = {}
    for placement, steps in (("pytorch", pytorch_steps), ("keras", keras_steps)):
        for t, state in enumerate(steps(start, gradients), start=1):
            final[placement] = state
            for name, value in zip(("param", "m", "v", "vmax"), state):
                tensors[f"{placement}.{name}.{t}"] = value.clone()
    assert (final["pytorch"][2] < final["pytorch"][3]).any(), "expected the maximum to matter"
    apart = (final["pytorch"][0] - final["keras"][0]).abs().max().item()
    assert apart > 1e-2 * LR, f"expected the place of eps to matter, got parameters {apart} apart"
    save("amsgrad", tensors, {"lr": LR, "beta1": BETA1, "beta2": BETA2, "eps_pytorch": EPS["pytorch"],
                              "eps_keras": EPS["keras"]})
