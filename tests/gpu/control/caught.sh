#!/usr/bin/env bash
# caught.sh PROGRAM SOURCE FAULT: runs one fault of a control program, in ptxcpu, and demands the report that the remark
# in the source states, of that kernel and at that line; what follows from the fault may be reported as well. `sound` must be silent under all checks.
set -euo pipefail
program=$1 source=$2 fault=$3

fail() {
    printf 'NOT CAUGHT: %s: %s\n%s\n' "$fault" "$1" "${output-}" >&2
    exit 1
}

if grep -qE "// silent: $fault\$" "$source"; then
    output=$(PTXCPU_CHECK=all PTXCPU_STRICT=1 PTXCPU_WARPRACE=1 "$program" "$fault" 2>&1) || fail "expected silence"
    [[ $output == "$fault: cudaSuccess, cudaSuccess" ]] || fail "expected silence"
    echo "silent: $fault"
    exit 0
fi

remark='^([0-9]+):.*// caught( below| without a line|): '$fault' \[([a-z.-]+)\](.*)$'
[[ $(grep -nE "// caught.*: $fault \[" "$source") =~ $remark ]] || fail "$source has no remark about it"
line=${BASH_REMATCH[1]} place=${BASH_REMATCH[2]} kind=${BASH_REMATCH[3]}
read -ra settings <<<"${BASH_REMATCH[4]}"

status=0
output=$(env "${settings[@]}" "$program" "$fault" 2>&1) || status=$?

# What the runtime of a GPU refuses as well is said by ptxcpu, and left to the program's own error check.
if [[ $kind == launch ]]; then
    [[ $output == *"ptxcpu NOTE [launch] "*"$fault("* && $output == *"$fault: cudaErrorInvalid"* ]] ||
        fail "expected a refused launch"
    echo "caught: $fault [$kind]"
    exit 0
fi

case $place in
    " below") where="${source##*/}:$((line + 1)): " ;;
    " without a line") where="?" ;;
    *) where="${source##*/}:$line: " ;;
esac
[[ $status -eq 86 ]] || fail "expected exit status 86, got $status"
reports=$(grep -A1 '^ptxcpu \(ERROR\|WARNING\) \[' <<<"$output" | grep -v '^--$' | paste - -) || true
grep -F "[$kind] " <<<"$reports" | grep -F "$fault(" | grep -qF " at: $where" ||
    fail "expected [$kind] in kernel $fault at $where"
[[ -z $(grep -vF "$fault(" <<<"$reports") ]] || fail "expected reports of $fault alone"
echo "caught: $fault [$kind] at ${where%: }"
