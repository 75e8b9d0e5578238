#!/usr/bin/env bash
# table.sh KERNEL_TABLE BROKEN_ACCESS SOURCE NVCC: makes the kernel table of the cases of broken_access and demands that its
# check names, of each case, the figures that the remark in the source states, and no others.
set -euo pipefail
kernel_table=$1 program=$2 source=$3 nvcc=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$nvcc" -std=c++20 -lineinfo -gencode 'arch=compute_80,code=[sm_80,sm_86]' -Xptxas -v -c "$source" -o "$work/object" \
    2>"$work/object.ptxas"
"$program" --list >"$work/list"
number=0
while IFS=$'\t' read -r name _; do
    number=$((number + 1))
    PTXCPU_VERBOSE=1 PTXCPU_PROFILE=$work/$number.json "$program" --run "$name" >"$work/$number.txt" 2>&1 ||
        { cat "$work/$number.txt"; exit 1; }
done <"$work/list"

# Held against itself, so that what fails are the bounds.
make() { "$kernel_table" --ptxas "$work" --profiles "$work" "$@"; }
make --table "$work/table.tsv" --registers "$work/registers.tsv"
: >"$work/bounds.toml"
make --check "$work" >"$work/report" && { echo "NOT CAUGHT: the table passes"; exit 1; }

failed=0
while IFS=$'\t' read -r name _; do
    got=$(sed -nE "s/^kernel table: $name: $name: ([a-z_]+): .*/\1/p" "$work/report" | sort -u | paste -sd' ')
    expected=$(sed -nE "s/.*caught: $name \[([a-z_ ]+)\].*/\1/p" "$source")
    if [[ -n $expected && $got == "$expected" ]]; then
        echo "caught: $name [$expected]"
    elif [[ -z $got ]] && grep -q "// silent: $name\$" "$source"; then
        echo "silent: $name"
    else
        echo "NOT CAUGHT: $name: expected [$expected], got [$got]"
        failed=1
    fi
done <"$work/list"
[[ $failed -eq 0 ]] || cat "$work/report"
exit "$failed"
