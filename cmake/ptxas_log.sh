#!/usr/bin/env bash
# ptxas_log.sh COMPILER ARGUMENT...: compiles, and moves what ptxas -v says from stderr to OBJECT.ptxas.
set -uo pipefail
object=
for ((i = 1; i < $#; ++i)); do
    if [[ ${!i} == -o ]]; then
        next=$((i + 1))
        object=${!next}
    fi
done
[[ -n $object ]] || exec "$@"

text=$("$@" 2>&1)
status=$?
info='^(ptxas info|    [0-9]+ bytes stack frame)'
grep -E "$info" <<<"$text" >"$object.ptxas"
grep -vE "$info|^\$" <<<"$text" >&2
exit "$status"
