#!/usr/bin/env bash
# Counts how often the MBConv block passes over its expanded tensor on a GPU, fused and as single ops, by the profile of
# ptxcpu (KARYON_PTXCPU, or ../shared/tools/ptxcpu beside the checkout). Needs nvcc.
#   bash tools/block_passes.sh             prints the table
#   bash tools/block_passes.sh --update    writes docs/kernels/block_passes.md
#   bash tools/block_passes.sh --check [--no-build]     holds it against that page and the bounds
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
case ${1-} in
    "") arguments=() ;;
    --update) arguments=(--write docs/kernels/block_passes.md) ;;
    --check) arguments=(--check docs/kernels/block_passes.md) ;;
    *)
        sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}"
        [[ $1 == -h || $1 == --help ]] && exit 0
        exit 2
        ;;
esac
ptxcpu=${KARYON_PTXCPU-$root/../shared/tools/ptxcpu/ptxcpu}
if [[ ! -x $ptxcpu ]]; then
    echo "the passes are not counted: no ptxcpu (name it by KARYON_PTXCPU)"
    exit 0
fi
if [[ ${2-} != --no-build ]]; then
    if command -v ccache >/dev/null; then
        export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
    fi
    cmake --preset gpu >/dev/null
    cmake --build build/gpu --target block_cases block_passes >&2
fi
program=$root/build/gpu/tests/block_cases
profiles=$root/build/gpu/block_profiles
mkdir -p "$profiles"
"$ptxcpu" exec "$program" --list >"$profiles/list"
for number in $(seq "$(wc -l <"$profiles/list")"); do
    [[ $profiles/$number.json -nt $program ]] && continue
    PTXCPU_VERBOSE=1 PTXCPU_PROFILE=$profiles/$number.json "$ptxcpu" exec "$program" --run "$number" \
        >"$profiles/$number.txt" 2>&1 && continue
    cat "$profiles/$number.txt" >&2
    rm -f "$profiles/$number.json"
    exit 1
done
build/gpu/tests/block_passes/block_passes "$profiles" "${arguments[@]}"
