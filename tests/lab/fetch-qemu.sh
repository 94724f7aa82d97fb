#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-qemu.sh [--refresh]: unpacks trixie's QEMU 10, with the libraries it needs, into the cache
# below qemu-trixie; nothing is installed. It emulates Intel's first-stage page tables, and as a VMM
# inside a lab guest it knows iommufd. `qemu-trixie/qemu ARG...` is it.
# Exit: 0 it is there, 75 the mirror can't be reached (or a program is missing), 1 otherwise.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# unpack DIR: its packages and theirs; apt is told that nothing is installed here
unpack() {
	local dir=$1 deb
	say "downloading qemu-system-x86"
	apt-get install -qq -y --no-install-recommends --download-only qemu-system-x86 >&2 ||
		skip "the mirror can't be reached (apt-get install --download-only failed)"
	for deb in "$LAB_CACHE"/apt/qemu/cache/archives/*.deb; do
		dpkg-deb -x "$deb" "$dir"
		rm "$deb"
	done
	# where a chroot of the guest mounts the guest's own
	mkdir -p "$dir"/{dev,proc,sys,run,tmp}
	ln -sf usr/lib64 "$dir/lib64" # where programs look for their loader
}

# wrapper DIR: by its own loader it runs on this host, whatever libraries the host has
wrapper() {
	cat >"$1/qemu" <<'RUN'
#!/bin/sh
# QEMU of another release, with the loader, libraries, modules and firmware beside this file
d=$(dirname "$(readlink -f "$0")")
lib=$d/usr/lib/x86_64-linux-gnu
export QEMU_MODULE_DIR="$lib/qemu"
exec "$lib/ld-linux-x86-64.so.2" --argv0 qemu-system-x86_64 --library-path "$lib" \
	"$d/usr/bin/qemu-system-x86_64" -L "$d/usr/share/qemu" -L "$d/usr/share/seabios" \
	-L "$d/usr/lib/ipxe/qemu" "$@"
RUN
	chmod +x "$1/qemu"
}

[ $# -eq 0 ] || [ "$*" = --refresh ] || { echo "usage: ${0##*/} [--refresh]" >&2; exit 2; }
dir=$LAB_CACHE/qemu-trixie
mkdir -p "$LAB_CACHE"
exec 9>"$LAB_CACHE/.lock.qemu"
flock 9
if [ $# -eq 0 ] && [ -s "$dir/version" ]; then
	say "$(<"$dir/version") (cached)"
	exit
fi
need apt-get dpkg-deb
private_apt qemu < <(printf '%s\n' "archive trixie" "security trixie-security")
work=$(mktemp -d "$LAB_CACHE/.qemu.XXXXXX")
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
unpack "$work"
wrapper "$work"
"$work/qemu" --version | sed -n 1p >"$work/version"
[ -s "$work/version" ] || die "it does not run here"
rm -rf "$dir"
mv "$work" "$dir"
say "$(<"$dir/version")"
