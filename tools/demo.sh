#!/usr/bin/env bash
# The whole job on made-up data: installs what is missing, builds, makes a synthetic H&E set, trains a small network for
# at most 4 minutes, segments and scores images that it has not seen. The last line is the path of a picture:
# input | truth | prediction | overlay.
#   bash tools/demo.sh [--out DIR] [--minutes M]        DIR: build/demo by default, made anew
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

out=$root/build/demo
minutes=3.5
while [[ $# -gt 0 ]]; do
    case $1 in
        --out) out=$(realpath -m "${2:?--out needs a folder}") ;;
        --minutes) minutes=${2:?--minutes needs a number} ;;
        *)
            sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}"
            [[ $1 == -h || $1 == --help ]] && exit 0
            exit 2
            ;;
    esac
    shift 2
done

cd "$root"
bash tools/setup.sh
cmake --preset release
cmake --build --preset release --target karyon
karyon=$root/build/release/karyon

# Only what an earlier demo left is removed.
if [[ -e $out && ! -e $out/.karyon-demo ]]; then
    echo "demo: expected $out to be absent or made by an earlier demo, got something else" >&2
    exit 1
fi
rm -rf "$out"
mkdir -p "$out"
touch "$out/.karyon-demo"

echo "demo: a synthetic set"
"$karyon" synth --out "$out/data" --images 16 --size 384 --seed 1
train=$out/data/splits/train.txt test=$out/data/splits/test.txt

echo "demo: training for at most $minutes minutes"
"$karyon" train --preset fast --data "$out/data" --split "$train" --out "$out/run" --max-minutes "$minutes" --seed 1

echo "demo: masks and overlays of the 4 images held back"
inputs=()
while read -r name _; do inputs+=("$out"/data/images/"$name".*); done <"$test"
"$karyon" predict --model "$out/run/best.safetensors" --out "$out/predictions" "${inputs[@]}"
"$karyon" evaluate --model "$out/run/best.safetensors" --data "$out/data" --split "$test" --panel "$out/panel.png"
echo "$out/panel.png"
