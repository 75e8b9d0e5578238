#!/bin/sh
# Builds the kernels and their tests with oneDNN 3, which has another interface than the oneDNN 2 of Debian 12, and runs
# the convolution cases. Takes the headers and the library from the Python package index; without pip or a network it
# says that it is skipped. A build folder may be named: tests/onednn3.sh [build/onednn3]
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/onednn3}

skip() {
    echo "tests/onednn3.sh: skipped: $1"
    exit 0
}
command -v python3 > /dev/null || skip "python3 is not installed"
python3 -m pip --version > /dev/null 2>&1 || skip "pip is not installed"

mkdir -p "$build/package"
build=$(cd "$build" && pwd)
if [ ! -e "$build/package/unpacked" ]; then
    python3 -m pip download --quiet --no-deps --dest "$build/package" \
        'onednn-cpu-gomp>=2023' 'onednn-devel-cpu-gomp>=2023' || skip "pip could not download onednn-cpu-gomp"
    for wheel in "$build"/package/*.whl; do python3 -m zipfile -e "$wheel" "$build/package"; done
    touch "$build/package/unpacked"
fi
include=$(dirname "$(dirname "$(dirname "$(find "$build/package" -path '*/oneapi/dnnl/dnnl.hpp')")")")
library=$(find "$build/package" -name 'libdnnl.so.3')
echo "oneDNN $(awk '/DNNL_VERSION_(MAJOR|MINOR) / { printf "%s%s", sep, $3; sep = "." }' \
    "$include/oneapi/dnnl/dnnl_version.h")"

cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DKARYON_WERROR=ON -DKARYON_CUDA=OFF \
    -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v ccache || true)" \
    -DOneDNN_INCLUDE_DIR="$include" -DOneDNN_LIBRARY="$library" > "$build/configure.log"
cmake --build "$build" --target test_kernels
"$build/tests/test_kernels" --test-case='*conv*'
