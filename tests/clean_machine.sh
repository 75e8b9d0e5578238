#!/usr/bin/env bash
# Shows that the project needs nothing but the distribution: makes a minimal Debian in a folder by debootstrap, clones
# the committed HEAD into it, and runs commands there, as a user would on a fresh machine:
#   bash tests/clean_machine.sh [--suite NAME] [--folder DIR] [COMMAND...]
# COMMANDs default to 'bash tools/demo.sh' and 'bash tests/run.sh'. NAME is a Debian release (this machine's own by
# default). The folder (default /var/tmp/karyon-clean) is made anew, and kept, with its log, to look at.
# Needs root, debootstrap and apt; mirror, keys and proxy are taken from this machine's apt configuration. Nothing of
# this machine is visible in there but /proc, made for it, and 2 files: resolv.conf and hosts.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
    echo "clean_machine: $*" >&2
    exit 1
}

suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
folder=/var/tmp/karyon-clean
while [[ ${1-} == --* ]]; do
    case $1 in
        --suite) suite=${2:?--suite needs a name} ;;
        --folder) folder=${2:?--folder needs a path} ;;
        *) fail "expected --suite or --folder, got $1" ;;
    esac
    shift 2
done
[[ $# -gt 0 ]] || set -- 'bash tools/demo.sh' 'bash tests/run.sh'

[[ $(id -u) -eq 0 ]] || fail "expected root, got user $(id -un)"
for tool in debootstrap apt-get unshare git; do
    command -v "$tool" >/dev/null || fail "expected $tool, got nothing of that name"
done
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "Debian" && $3 == "main" && $1 !~ /security/ {print $1; exit}')
[[ -n $mirror ]] || fail "expected a Debian mirror among apt's sources, got none (apt-get update run?)"
# A folder that is not ours is not removed.
[[ ! -e $folder || -e $folder/.karyon-clean ]] || fail "expected $folder to be absent or made by this script"

rm -rf --one-file-system "$folder"
mkdir -p "$folder"
touch "$folder/.karyon-clean"
echo "clean_machine: a minimal $suite in $folder"
debootstrap --variant=minbase "$suite" "$folder" "$mirror" >"$folder.debootstrap.log" 2>&1 ||
    fail "debootstrap failed: see $folder.debootstrap.log"
cp -L /etc/resolv.conf /etc/hosts "$folder/etc/"
apt-config dump | grep -E '^Acquire::(http|https|Check|ForceIPv)[^ ]* "[^"]+";' \
    >"$folder/etc/apt/apt.conf.d/90from-host" || true
git clone -q --no-hardlinks "$root" "$folder/home/karyon"
echo "clean_machine: $(git -C "$folder/home/karyon" log -1 --format='%h %s')"

for command in "$@"; do
    echo "clean_machine: $command"
    start=$SECONDS
    # /proc goes when the last process in there has ended.
    unshare --mount --pid --fork chroot "$folder" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        bash -c 'mount -t proc proc /proc && cd /home/karyon && eval "$1"' bash "$command" 2>&1 |
        tee -a "$folder/home/log" || fail "failed: $command (log: $folder/home/log)"
    echo "clean_machine: done in $((SECONDS - start)) s: $command"
done
