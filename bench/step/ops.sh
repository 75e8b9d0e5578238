#!/usr/bin/env bash
# Times every op of the network on the CPU, then the training loader against the training step:
#   bash bench/step/ops.sh --json FILE [--data DIR] [--split FILE]
# DIR: a data set as karyon train takes it, for the loader; else KARYON_MONUSEG, or ../shared/data/monuseg beside the
# checkout. Without one the loader is left out. Minutes in all; idle cores give the figures that mean something.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
json='' data=${KARYON_MONUSEG-$root/../shared/data/monuseg} split=''
while [[ $# -gt 0 ]]; do
    case $1 in
        --json | --data | --split)
            [[ $# -gt 1 ]] || { echo "ops.sh: expected a value after $1" >&2; exit 2; }
            printf -v "${1#--}" %s "$(realpath -m "$2")"
            shift 2
            ;;
        -h | --help)
            sed -n '2,5s/^# //p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *)
            echo "ops.sh: expected --json, --data or --split, got $1" >&2
            exit 2
            ;;
    esac
done
[[ -n $json ]] || { echo "ops.sh: expected --json FILE" >&2; exit 2; }
split=${split:-$data/splits/kumar-train.txt}
mkdir -p "$(dirname "$json")"
cd "$root"

bash tools/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release --target bench_ops bench_step
# As in bench/peers/run.sh: threads that sleep soon, memory that is kept.
export OMP_NUM_THREADS=${OMP_NUM_THREADS-$(nproc)} GOMP_SPINCOUNT=${GOMP_SPINCOUNT-10000}
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=17179869184:glibc.malloc.mmap_threshold=17179869184:glibc.malloc.top_pad=67108864
build/release/bench/step/bench_ops --json "$json.tmp"
if [[ -e $split ]]; then
    python3 bench/step/loader.py --data "$data" --split "$split" --json "$json.tmp"
else
    echo "ops.sh: no data set at $data, the loader is left out (--data)" >&2
fi
mv "$json.tmp" "$json"
