"""The side of ONNX Runtime or OpenVINO in a comparison: the PyTorch network exported to ONNX, run on the CPU."""

import argparse
import os

import numpy as np
from safetensors.numpy import load_file

from worker import serve


def export(folder, batch):
    path = f"{folder}/network{batch}.onnx"
    if not os.path.exists(path):
        import torch
        from network import Unet, load
        network = load(Unet(), f"{folder}/weights.safetensors").eval()
        torch.onnx.export(network, (torch.zeros(batch, 3, 256, 256),), path, input_names=["x"], output_names=["y"], dynamo=False)
    return path


def onnxruntime_session(path, threads, _):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


def openvino_session(path, threads, precision):
    import openvino
    model = openvino.compile_model(path, "CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY",
                                                 "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32"})
    request = model.create_infer_request()
    return lambda x: request.infer([x])[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["infer"])
    parser.add_argument("folder")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--runtime", choices=["onnxruntime", "openvino"], required=True)
    arguments = parser.parse_args()
    x = np.ascontiguousarray(load_file(f"{arguments.folder}/inputs.safetensors")["x"][: arguments.batch].transpose(0, 3, 1, 2))

    # In a process of its own: PyTorch's memory must not count as the runtime's.
    if (child := os.fork()) == 0:
        export(arguments.folder, arguments.batch)
        os._exit(0)
    os.waitpid(child, 0)
    make = onnxruntime_session if arguments.runtime == "onnxruntime" else openvino_session
    network = make(f"{arguments.folder}/network{arguments.batch}.onnx", int(os.environ.get("OMP_NUM_THREADS", "2")), arguments.precision)

    def run():
        logits = network(x)
        return lambda: logits.transpose(0, 2, 3, 1)

    serve(run)


main()
