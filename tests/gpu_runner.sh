# Sourced by run.sh: sets `runner` to what the GPU tests are started with, or ends saying why they are skipped.
# ptxcpu executes the PTX of a program on the CPU: KARYON_PTXCPU, or ../shared/tools/ptxcpu beside the checkout.

gpu_skip() {
    echo "all GPU tests ($(grep -c TEST_CASE tests/gpu/*.cpp | awk -F: '{n += $NF} END {print n}')) are skipped: $*"
    exit 0
}

if [[ -z $(command -v nvcc) && ! -x /usr/local/cuda/bin/nvcc && -z ${CUDACXX-} ]]; then
    gpu_skip "nvcc was not found (on PATH, in /usr/local/cuda/bin, or named by CUDACXX)"
fi
ptxcpu=${KARYON_PTXCPU-$root/../shared/tools/ptxcpu/ptxcpu}
if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then
    echo "GPU tests run on $(nvidia-smi -L | head -1)"
    set -- -LE ptxcpu "$@"
elif [[ -x $ptxcpu ]]; then
    echo "no GPU here: GPU tests run in $ptxcpu"
    runner=("$ptxcpu" exec)
else
    gpu_skip "no GPU here, and no ptxcpu (name it by KARYON_PTXCPU)"
fi
