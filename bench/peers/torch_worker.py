"""PyTorch's side of a comparison."""

import argparse

import torch
from safetensors.torch import load_file

from network import Unet, load, soft_jaccard
from worker import serve


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["train", "infer"])
    parser.add_argument("folder")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--compile", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    torch.manual_seed(0)

    inputs = load_file(f"{arguments.folder}/inputs.safetensors")
    x = inputs["x"][: arguments.batch].permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    target = inputs["target"][: arguments.batch].permute(0, 3, 1, 2).float()
    network = load(Unet(), f"{arguments.folder}/weights.safetensors").to(memory_format=torch.channels_last)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "bf16")

    if arguments.kind == "train":
        network.train()
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, eps=1e-4, amsgrad=True, fused=True)
        forward = torch.compile(network) if arguments.compile else network

        def run():
            optimizer.zero_grad()
            with autocast:
                logits = forward(x)
            loss = soft_jaccard(logits.float(), target)
            loss.backward()
            optimizer.step()
            return lambda: loss.detach().reshape(1)
    else:
        network.eval()
        if arguments.precision == "bf16":
            network = network.bfloat16()
            x = x.bfloat16()
        # Batch norm goes into the weights of the convolutions, which stay constant.
        if arguments.compile:
            torch._inductor.config.freezing = True
            forward = torch.compile(network)
        else:
            forward = torch.jit.optimize_for_inference(torch.jit.trace(network, x, check_trace=False))

        def run():
            with torch.inference_mode():
                logits = forward(x)
            return lambda: logits.float().permute(0, 2, 3, 1)

    serve(run)


main()
