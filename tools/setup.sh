#!/usr/bin/env bash
# Installs what karyon is built from and is missing here: Debian 12 or later, Ubuntu 24.04 or later.
# Runs as root or by sudo. With everything in place it changes nothing and needs no network.
set -euo pipefail

packages=(
    g++                # the C++20 compiler, with OpenMP
    cmake              # configures the build, runs the tests (ctest)
    ninja-build        # builds
    ccache             # compiles once what several builds have in common
    libdnnl-dev        # oneDNN: dense convolutions and matrix products on the CPU
    libtiff-dev        # TIFF images
    libpng-dev         # PNG images
    libjpeg-dev        # JPEG images
    libpugixml-dev     # XML outlines
    nlohmann-json3-dev # JSON: metrics, --json, the header of safetensors
    libtomlplusplus-dev # TOML: configurations
    libcli11-dev       # the command line
    libfmt-dev         # formatted text
    zlib1g-dev         # PyTorch checkpoints whose zip archive is packed
    libhdf5-dev        # Keras checkpoints (.h5)
    doctest-dev        # the tests
    libbenchmark-dev   # the table of the CPU ops (bench/step/ops.sh)
)

fail() {
    echo "setup: $*" >&2
    exit 1
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    fail "expected Debian or Ubuntu (apt-get), got neither; install by hand what these packages hold: ${packages[*]}"
fi

installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
missing=()
for package in "${packages[@]}"; do
    grep -qxF "$package installed" <<<"$installed" || missing+=("$package")
done
[[ ${#missing[@]} -eq 0 ]] && exit 0

echo "setup: installing ${missing[*]}"
as_root=()
if [[ $(id -u) -ne 0 ]]; then
    command -v sudo >/dev/null ||
        fail "expected root or sudo to install packages, got neither; as root: apt-get install ${missing[*]}"
    as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
"${apt[@]}" update || echo "setup: apt-get update failed; going on with the package lists at hand" >&2
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
    fail "apt-get could not install: ${missing[*]} (its message is above)"
