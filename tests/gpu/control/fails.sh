#!/usr/bin/env bash
# fails.sh PROGRAM SOURCE NAME: runs one op of broken_ops and demands the failure that the remark in the source states,
# or silence. A failure that shows in another order of blocks and warps must not show in the plain one: else that order
# would prove nothing.
set -euo pipefail
program=$1 source=$2 name=$3

fail() {
    printf 'NOT CAUGHT: %s: %s\n%s\n' "$name" "$1" "${output-}" >&2
    exit 1
}
run() {
    status=0
    output=$(env "$@" "$program" "$name" 2>&1) || status=$?
}

if grep -qE "silent: $name\$" "$source"; then
    run PTXCPU_CHECK=all PTXCPU_STRICT=1
    [[ $status -eq 0 && -z $output ]] || fail "expected silence"
    echo "silent: $name"
    exit 0
fi

remark='caught: '$name' \[([^]]+)\](.*)$'
[[ $(grep -E "caught: $name \[" "$source") =~ $remark ]] || fail "$source has no remark about it"
text=${BASH_REMATCH[1]}
read -ra settings <<<"PTXCPU_THREADS=1 ${BASH_REMATCH[2]}"

if [[ ${settings[*]} == *PTXCPU_ORDER* ]]; then
    run "${settings[@]}" PTXCPU_ORDER=fwd
    [[ $status -eq 0 && -z $output ]] || fail "expected silence in the plain order"
fi
run "${settings[@]}"
[[ $status -eq 1 && $output == "$name: "*"$text"* ]] || fail "expected exit status 1 and \"$text\""
echo "caught: $name [$text] ${settings[*]:1}"
