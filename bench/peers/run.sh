#!/usr/bin/env bash
# Times karyon against its peers, one after the other in turn, in one run:
#   bash bench/peers/run.sh [--quick] [--case NAME]... --json FILE
# Installs the peers (PyTorch, ONNX Runtime, OpenVINO, torchstain) from PyPI into build/peers, which nothing else uses.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

case ${1-} in
    -h | --help)
        sed -n '2,4s/^# //p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
esac

bash tools/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release --target bench_step
environment=${KARYON_PEERS-$root/build/peers}
if [[ ! -e $environment/ready ]]; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --upgrade -r bench/peers/requirements.txt
    touch "$environment/ready"
fi
# What each peer's own guide advises for a CPU: no busy neighbours among its threads, memory that is kept, huge pages.
export OMP_NUM_THREADS=${OMP_NUM_THREADS-$(nproc)} GOMP_SPINCOUNT=${GOMP_SPINCOUNT-10000}
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.trim_threshold=17179869184:glibc.malloc.mmap_threshold=17179869184:glibc.malloc.top_pad=67108864
exec "$environment/bin/python" bench/peers/compare.py "$@"
