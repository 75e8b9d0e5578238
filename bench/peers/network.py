"""The network of bench/step/workload.h in plain PyTorch modules, with karyon's names, so that karyon's weights load."""

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

# B4: repeats, kernel, stride, expand, out (Tan & Le 2019, scaled by width 1.4 and depth 1.8).
STAGES = [(2, 3, 1, 1, 24), (4, 3, 2, 6, 32), (4, 5, 2, 6, 56), (6, 3, 2, 6, 112), (6, 5, 1, 6, 160), (8, 5, 2, 6, 272), (2, 3, 1, 6, 448)]
STEM = 48
SKIPS = [160, 56, 32, 48]
WIDTHS = [256, 128, 64, 32, 16]
EPS = 1e-3


def norm(channels):
    return nn.BatchNorm2d(channels, eps=EPS, momentum=0.1)


def conv(inputs, outputs, kernel=1, stride=1, groups=1, bias=False):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=bias)


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduced):
        super().__init__()
        self.reduce = conv(channels, reduced, bias=True)
        self.expand = conv(reduced, channels, bias=True)

    def forward(self, x):
        return x * torch.sigmoid(self.expand(F.silu(self.reduce(x.mean((2, 3), keepdim=True)))))


class MBConv(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, expand):
        super().__init__()
        middle = inputs * expand
        self.residual = stride == 1 and inputs == outputs
        self.expands = expand != 1
        if self.expands:
            self.expand = conv(inputs, middle)
            self.expand_bn = norm(middle)
        self.depthwise = conv(middle, middle, kernel, stride, middle)
        self.depthwise_bn = norm(middle)
        self.se = SqueezeExcite(middle, max(1, inputs // 4))
        self.project = conv(middle, outputs)
        self.project_bn = norm(outputs)

    def forward(self, x):
        y = F.silu(self.expand_bn(self.expand(x))) if self.expands else x
        y = F.silu(self.depthwise_bn(self.depthwise(y)))
        y = self.project_bn(self.project(self.se(y)))
        return x + y if self.residual else y


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = conv(3, STEM, 3, 2)
        self.stem_bn = norm(STEM)
        self.blocks, self.ends, channels = nn.ModuleList(), [], STEM
        for repeats, kernel, stride, expand, out in STAGES:
            for i in range(repeats):
                self.blocks.append(MBConv(channels, out, kernel, stride if i == 0 else 1, expand))
                channels = out
            self.ends.append(len(self.blocks) - 1)

    def forward(self, x):
        x = F.silu(self.stem_bn(self.stem(x)))
        features = [x]
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in self.ends:
                features.append(x)
        return features


class DecoderStage(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3), norm(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 3), norm(outputs)

    def forward(self, x, skip):
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        if skip is not None:
            x = torch.cat([x, skip], 1)
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


class Unet(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        stages, channels = [], STAGES[-1][-1]
        for i, width in enumerate(WIDTHS):
            stages.append(DecoderStage(channels + (SKIPS[i] if i < 4 else 0), width))
            channels = width
        self.decoder = nn.ModuleDict({"stages": nn.ModuleList(stages)})
        self.output = conv(channels, 1, 3, bias=True)

    def forward(self, x):
        stem, _, quarter, eighth, _, sixteenth, _, y = self.encoder(x)
        for stage, skip in zip(self.decoder["stages"], [sixteenth, eighth, quarter, stem, None]):
            y = stage(y, skip)
        return self.output(y)


def load(network, path):
    """karyon's layouts are [out, kh, kw, in], [kh, kw, channels] and [out, in]; PyTorch's [out, in, kh, kw]."""
    state = network.state_dict()
    loaded = {}
    for name, value in load_file(path).items():
        if name.endswith(".depthwise.weight"):
            value = value.permute(2, 0, 1).unsqueeze(1)
        elif value.ndim == 4:
            value = value.permute(0, 3, 1, 2)
        elif value.ndim == 2:
            value = value[:, :, None, None]
        loaded[name] = value.contiguous()
    missing = {name for name in set(state) ^ set(loaded) if not name.endswith("num_batches_tracked")}
    if missing:
        raise SystemExit(f"expected the same tensors on both sides, got these on one only: {sorted(missing)[:5]}")
    network.load_state_dict(loaded, strict=False)
    return network


def soft_jaccard(logits, target, smooth=1e-5):
    p = torch.sigmoid(logits)
    both = (p * target).sum()
    return 1 - (both + smooth) / (p.sum() + target.sum() - both + smooth)
