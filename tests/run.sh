#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test:
#   bash tests/run.sh [PRESET] [--no-build] [ctest options]   PRESET: release (default), debug, asan
#   bash tests/run.sh gpu [--no-build] [ctest options]        tests of the CUDA kernels, on a GPU, else in ptxcpu
# Tests on real images need the MoNuSeg folder: KARYON_MONUSEG, or ../shared/data/monuseg beside the checkout.
# The last line is 'N passed, N failed'.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

preset=release
case ${1-} in
    -h | --help)
        sed -n '2,6s/^# //p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    release | debug | asan | gpu)
        preset=$1
        shift
        ;;
esac

build=yes
if [[ ${1-} == --no-build ]]; then
    build=no
    shift
fi

bash tools/setup.sh
if command -v ccache >/dev/null; then
    export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_CUDA_COMPILER_LAUNCHER=ccache
fi

runner=()
if [[ $preset == gpu ]]; then
    # shellcheck source=tests/gpu_runner.sh
    source tests/gpu_runner.sh
elif [[ -z ${KARYON_MONUSEG-} && -d $root/../shared/data/monuseg ]]; then
    KARYON_MONUSEG=$(cd "$root/../shared/data/monuseg" && pwd)
    export KARYON_MONUSEG
fi
if [[ $preset != gpu && -z ${KARYON_MONUSEG-} ]]; then
    echo "tests on real images are skipped: set KARYON_MONUSEG to the MoNuSeg folder to run them"
fi

if [[ $build == yes ]]; then
    cmake --preset "$preset"
    cmake --build --preset "$preset"
fi

# Programs that wait for each other's threads in a busy loop slow each other down when they run side by side.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY-passive}
log=$root/build/$preset/ctest.log
status=0
"${runner[@]}" ctest --preset "$preset" --no-tests=error --timeout 900 -j "$(nproc)" "$@" 2>&1 | tee "$log" || status=$?

counts='^[0-9]+% tests passed, ([0-9]+) tests failed out of ([0-9]+)$'
line=$(grep -E "$counts" "$log" | tail -1) || { echo "tests/run.sh: ctest ran no test" >&2; exit 1; }
[[ $line =~ $counts ]]
echo "$((BASH_REMATCH[2] - BASH_REMATCH[1])) passed, ${BASH_REMATCH[1]} failed"
exit "$status"
