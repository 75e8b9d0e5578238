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
fi
if [[ -z ${KARYON_MONUSEG-} && -d $root/../shared/data/monuseg ]]; then
    KARYON_MONUSEG=$(cd "$root/../shared/data/monuseg" && pwd)
    export KARYON_MONUSEG
fi
if [[ -z ${KARYON_MONUSEG-} ]]; then
    echo "tests on real images are skipped: set KARYON_MONUSEG to the MoNuSeg folder to run them"
fi

if [[ $build == yes ]]; then
    cmake --preset "$preset"
    cmake --build --preset "$preset"
fi

# Programs that wait for each other's threads in a busy loop slow each other down when they run side by side.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY-passive}
log=$root/build/$preset/ctest.log
counts='^[0-9]+% tests passed, ([0-9]+) tests failed out of ([0-9]+)$'
status=0 passed=0 failed=0
# The first test that launches a kernel in ptxcpu compiles it, which may take minutes.
timeout=$([[ ${runner[0]-} == *ptxcpu ]] && echo 3000 || echo 900)

# run_tests [ctest options]: one pass over the tests; adds to the counts. False where no test was run.
run_tests() {
    local line
    "${runner[@]}" ctest --preset "$preset" --timeout "$timeout" -j "$(nproc)" "$@" 2>&1 | tee "$log" || status=$?
    line=$(grep -E "$counts" "$log" | tail -1) || return 1
    [[ $line =~ $counts ]]
    passed=$((passed + BASH_REMATCH[2] - BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[1]))
}

run_tests "$@" || { echo "tests/run.sh: ctest ran no test" >&2; exit 1; }
# In ptxcpu, the tests of the kernels run again with every check it has, in each of its orders of warps and blocks.
if [[ ${runner[0]-} == *ptxcpu ]]; then
    export PTXCPU_CHECK=all PTXCPU_STRICT=1 PTXCPU_WARPRACE=1 PTXCPU_SEED=1
    for order in fwd rev rand; do
        echo "GPU tests again: all checks, warps and blocks in order $order"
        PTXCPU_ORDER=$order run_tests -LE "control|network" -E '^kernel_table:' "$@" || true
    done
fi
echo "$passed passed, $failed failed"
exit "$status"
