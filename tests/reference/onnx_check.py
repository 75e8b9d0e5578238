"""Networks that karyon writes as ONNX, checked by the onnx package and run by ONNX Runtime against karyon's own logits.

    python onnx_check.py TEST_MODELS FOLDER [MODEL]

TEST_MODELS is build/release/tests/test_models; the files are left in FOLDER. MODEL is a checkpoint of karyon train; without
one, networks of random weights are taken.
"""

import os
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

TOLERANCE = 1e-4
program, folder, model = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
folder.mkdir(parents=True, exist_ok=True)
subprocess.run([program, "--test-case=export onnx: files for another runtime*"], check=True, stdout=subprocess.DEVNULL,
               env={**os.environ, "KARYON_ONNX_FOLDER": str(folder), **({"KARYON_ONNX_MODEL": model[0]} if model else {})})
worst = 0
for path in [folder / "trained.onnx"] if model else sorted(set(folder.glob("*.onnx")) - {folder / "trained.onnx"}):
    onnx.checker.check_model(str(path), full_check=True)
    values = load_file(path.with_suffix(".safetensors"))
    expected = values.pop("logits")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    logits, probability = session.run(["logits", "probability"], values)
    apart = np.abs(logits - expected).max() / np.abs(expected).max()
    worst = max(worst, apart, np.abs(probability - 1 / (1 + np.exp(-expected))).max())
    twice = session.run(["logits"], {name: np.concatenate([x, x[..., ::-1]]) for name, x in values.items()})[0]
    worst = max(worst, np.abs(twice[:1] - expected).max() / np.abs(expected).max())
    print(f"{path.name:24} {path.stat().st_size / 1e6:6.1f} MB  logits {logits.shape}, apart {apart:.1e}")
print(f"largest difference: {worst:.1e}")
sys.exit(worst > TOLERANCE)
