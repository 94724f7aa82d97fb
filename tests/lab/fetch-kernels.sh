#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-kernels.sh [--refresh] KEY...: unpacks the distribution's kernels 6.1, 6.12 and newest
# into the cache (vmlinuz, lib/modules, initrd.gz, release), each below kernels/KEY; "all" is each
# key there is. Those with IOMMUFD are built from source: it calls build-kernel.sh for them.
# A private apt configuration reaches suites that this host does not use; nothing is installed.
# Exit: 0 all there, 75 the mirror can't be reached (or a program is missing), 1 any other failure.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

usage() { echo "usage: ${0##*/} [--refresh] KEY...   (KEY: $LAB_KEYS)" >&2; exit 2; }

# suites_of KEY: "archive SUITE" or "security SUITE", a line each
suites_of() {
	case $1 in
	6.1) printf '%s\n' "archive bookworm" "security bookworm-security" ;;
	6.12) printf '%s\n' "security bookworm-security" "archive trixie" \
		"security trixie-security" ;;
	newest) printf '%s\n' "archive trixie-backports" "archive sid" ;;
	*) usage ;;
	esac
}

# pattern_of KEY: which packages hold such a kernel's image; the part after the
# second "-" is the release. From 7.x on linux-image-* is empty and linux-binary-* has it.
pattern_of() {
	case $1 in
	6.1) echo '^linux-image-6\.1\.[0-9][0-9.+a-z-]*-amd64$' ;;
	6.12) echo '^linux-image-6\.12\.[0-9][0-9.+a-z]*-amd64$' ;;
	newest) echo '^linux-(image|binary)-[0-9]+\.[0-9][0-9.+a-z]*-amd64$' ;;
	esac
}

# newest_release KEY: the highest release among the packages that apt now knows
newest_release() {
	apt-cache pkgnames linux- | grep -E "$(pattern_of "$1")" |
		grep -Ev -- '-(rt|cloud)-amd64$|unsigned|-dbg' |
		sed -E 's/^linux-(image|binary)-//' | sort -uV | tail -n 1
}

# debs_of RELEASE: the packages to unpack
debs_of() {
	if apt-cache show --no-all-versions "linux-binary-$1" >/dev/null 2>&1; then
		printf '%s\n' "linux-binary-$1" "linux-modules-$1"
		# linux-base-RELEASE has modules.order, modules.builtin and the configuration
		if apt-cache show --no-all-versions "linux-base-$1" >/dev/null 2>&1; then
			echo "linux-base-$1"
		fi
	else
		echo "linux-image-$1"
	fi
}

fetch() {
	local key=$1 dir=$LAB_CACHE/kernels/$1 release debs deb work
	if [ -z "$refresh" ] && kernel_cached "$key"; then
		return
	fi
	need apt-get apt-cache dpkg-deb depmod
	private_apt "$key" < <(suites_of "$key")
	release=$(newest_release "$key")
	[ -n "$release" ] || die "$key: no such kernel in $(suites_of "$key" | tr '\n' ' ')"
	if [ -s "$dir/release" ] && [ "$(<"$dir/release")" = "$release" ]; then
		say "$key: $release is still the newest"
		return
	fi
	mapfile -t debs < <(debs_of "$release")
	apt_download "$key" "${debs[@]}"
	work=$(mktemp -d "$LAB_CACHE/kernels/.$key.XXXXXX")
	for deb in "$LAB_CACHE/debs/$key"/*.deb; do
		dpkg-deb -x "$deb" "$work"
	done
	rm -r "${LAB_CACHE:?}/debs/$key"
	if [ -d "$work/usr/lib/modules" ] && [ ! -e "$work/lib/modules" ]; then
		mkdir -p "$work/lib"
		ln -s ../usr/lib/modules "$work/lib/modules"
	fi
	local image
	for image in "$work/boot/vmlinuz-$release" "$work/lib/modules/$release/vmlinuz"; do
		[ ! -e "$image" ] || ln -sf "${image#"$work/"}" "$work/vmlinuz"
	done
	[ -e "$work/vmlinuz" ] || die "$key: no vmlinuz in ${debs[*]}"
	kernel_install "$key" "$work" "$release"
}

refresh=
[ "${1:-}" != --refresh ] || { refresh=1; shift; }
[ $# -gt 0 ] || usage
# shellcheck disable=SC2086 # a list
[ "$*" != all ] || set -- $LAB_KEYS
for key; do
	kernel_is "$key" iommufd mock || suites_of "$key" >/dev/null
done
need busybox cpio gzip xz modprobe
for key; do
	if kernel_is "$key" iommufd mock; then
		"$LAB_DIR/build-kernel.sh" ${refresh:+--refresh} "$key"
		continue
	fi
	mkdir -p "$LAB_CACHE/kernels"
	# one fetch of a key at a time, whoever asks for it
	exec 9>"$LAB_CACHE/kernels/.lock.$key"
	flock 9
	fetch "$key"
	exec 9>&-
done
