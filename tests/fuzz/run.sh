#!/usr/bin/env bash
# Feeds damaged checkpoints to every reader under the address and undefined-behaviour sanitizers; needs clang++:
#   bash tests/fuzz/run.sh [SECONDS]    for each reader, 600 by default
# The corpora start from tests/reference/data/containers; what is found stays in build/fuzz/READER.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"
seconds=${1:-600}
build=build/fuzz
mkdir -p "$build"

hdf5=$(pkg-config --cflags --libs hdf5 2>/dev/null || true)
readers=()
for source in models/import/{checkpoint,element_type,inflate,mapped_file,pickle,pickle_globals,unpickler,state_dict} \
    models/import/{pytorch_stream_reader,pytorch_zip_reader,safetensors_reader,zip_archive} \
    "models/import/$([[ -n $hdf5 ]] || echo without/)hdf5_reader" \
    tensor/{tensor,allocator,autograd,device,no_cuda,safetensors_header} \
    kernels/{types,elementwise/add,elementwise/fill} tests/fuzz/checkpoint_fuzz; do
    readers+=("$source.cpp")
done
for source in "${readers[@]}"; do
    object=$build/$(tr / _ <<<"$source").o
    [[ $object -nt $source ]] && continue
    # shellcheck disable=SC2086
    ${CXX_LAUNCHER-} clang++ -std=c++20 -g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined \
        -I. ${hdf5} -c "$source" -o "$object"
done
# shellcheck disable=SC2086
clang++ -fsanitize=fuzzer,address,undefined "$build"/*.o -o "$build/checkpoint_fuzz" -lfmt -lz ${hdf5}

containers=tests/reference/data/containers
for reader in safetensors zip stream hdf5; do
    case $reader in
        safetensors) seeds=("$containers/keras.safetensors" "$containers/torch.safetensors") ;;
        zip) seeds=("$containers"/{zip,deflated,nested}.pth) ;;
        stream) seeds=("$containers/stream.pth") ;;
        hdf5) seeds=("$containers/weights.h5") ;;
    esac
    mkdir -p "$build/$reader"
    cp "${seeds[@]}" "$build/$reader"
    echo "$reader: $seconds s"
    "$build/checkpoint_fuzz" -max_total_time="$seconds" -rss_limit_mb=1024 -malloc_limit_mb=512 -timeout=20 \
        -artifact_prefix="$build/$reader-" -print_final_stats=1 "$build/$reader" 2>&1 | tail -n 12
done
