#!/usr/bin/env bash
# Prints the table of the CUDA kernels: what each takes on each architecture, and how it reaches memory at shapes of the
# real network. docs/kernels/README.md says how to read it.
#   bash tools/kernel_table.sh                 prints it
#   bash tools/kernel_table.sh --json FILE     writes it, a list of objects
#   bash tools/kernel_table.sh --update        writes docs/kernels/table.tsv, table.md and registers.tsv
#   bash tools/kernel_table.sh --check         holds it against these and bounds.toml; closes with 'N passed, N failed';
#                                              profiles the cases of docs/kernels/quick_cases.txt, --check-all all of them
# Needs nvcc, and ptxcpu for the profiles: KARYON_PTXCPU, or ../shared/tools/ptxcpu beside the checkout.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

case ${1-} in
    "") arguments=() ;;
    --json) arguments=(--json "$(realpath "${2?--json needs a file}")") ;;
    --update) arguments=(--table docs/kernels/table.tsv --markdown docs/kernels/table.md --registers docs/kernels/registers.tsv) ;;
    --check | --check-all) arguments=(--check docs/kernels) ;;
    *)
        sed -n '2,9s/^# //p' "${BASH_SOURCE[0]}"
        [[ $1 == -h || $1 == --help ]] && exit 0
        exit 2
        ;;
esac

# What is printed is the table alone.
exec 3>&1 1>&2
bash tools/setup.sh
ptxcpu=${KARYON_PTXCPU-$root/../shared/tools/ptxcpu/ptxcpu}
if [[ -z $(command -v nvcc) && ! -x /usr/local/cuda/bin/nvcc && -z ${CUDACXX-} ]]; then
    echo "the kernel table is skipped: nvcc was not found (on PATH, in /usr/local/cuda/bin, or named by CUDACXX)"
    exit 0
fi
if [[ ! -x $ptxcpu ]]; then
    echo "the kernel table is skipped: no ptxcpu (name it by KARYON_PTXCPU)"
    exit 0
fi
if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
fi
for preset in gpu-all gpu; do
    cmake --preset $preset >/dev/null
    cmake --build --preset $preset
done

# One profile for each case, unless it is newer than the program. The checks are on: these are shapes no test has.
# Where only some are asked for, the others are taken from the committed table.
program=$root/build/gpu/tests/gpu_cases
profiles=$root/build/gpu/profiles
mkdir -p "$profiles"
"$ptxcpu" exec "$program" --list >"$profiles/list"
profiled=$profiles/list
if [[ ${1-} == --check ]]; then
    profiled=docs/kernels/quick_cases.txt
    if unknown=$(cut -f 1 "$profiles/list" | grep -vxFf - "$profiled"); then
        echo "quick_cases.txt: expected cases of gpu_cases --list, got $unknown"
        exit 1
    fi
fi
profile_case() {
    local number=$1 name=$2
    if [[ $profiles/$number.json -nt $program ]]; then return; fi
    rm -f "$profiles/$number.json"
    if ! cut -f 1 "$profiled" | grep -qxF -- "$name"; then return; fi
    echo "profile: $name"
    PTXCPU_VERBOSE=1 PTXCPU_PROFILE=$profiles/$number.json "$ptxcpu" exec "$program" --run "$name" \
        >"$profiles/$number.txt" 2>&1 && return
    cat "$profiles/$number.txt"
    rm -f "$profiles/$number.json"
    return 255
}
export -f profile_case
export ptxcpu program profiles profiled
awk -F '\t' '{print NR; print $1}' "$profiles/list" |
    xargs -d '\n' -r -n 2 -P "$(nproc)" bash -c 'profile_case "$@"' profile_case

exec 1>&3
build/gpu/tests/kernel_table/kernel_table --ptxas build/gpu-all --profiles "$profiles" "${arguments[@]}"
