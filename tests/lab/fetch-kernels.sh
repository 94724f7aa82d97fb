#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fetch-kernels.sh [--refresh] KEY...: unpacks the distribution's kernels 6.1, 6.12 and newest
# into the cache (vmlinuz, lib/modules, initrd.gz, release), each below kernels/KEY.
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

# mirror LABEL: the base address that this host uses for Debian or Debian-Security
mirror() {
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(LABEL)|$(ORIGIN)|$(CREATED_BY)|$(REPO_URI)' 2>/dev/null |
		awk -F'|' -v l="$1" '$1 == l && $2 == "Debian" && $3 == "Packages" { print $4; exit }'
}

# private_apt KEY: writes the configuration below the cache and exports APT_CONFIG
private_apt() {
	local apt=$LAB_CACHE/apt/$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	local archive security kind suite opt=
	archive=$(mirror Debian) security=$(mirror Debian-Security)
	[ -n "$archive" ] || skip "apt has no Debian mirror here (apt-get indextargets)"
	[ -n "$security" ] || security=${archive%/}-security/
	[ ! -r "$keyring" ] || opt="[signed-by=$keyring] "
	mkdir -p "$apt"/{lists/partial,cache/archives/partial,none}
	: >"$apt/status"
	suites_of "$1" | while read -r kind suite; do
		case $kind in
		archive) echo "deb $opt$archive $suite main" ;;
		security) echo "deb $opt$security $suite main" ;;
		esac
	done >"$apt/sources.list"
	cat >"$apt/apt.conf" <<CONF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/none";
Dir::Etc::preferences "$apt/none/preferences";
Dir::Etc::preferencesparts "$apt/none";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Architecture "amd64";
APT::Architectures { "amd64"; };
APT::Sandbox::User "";
APT::Get::List-Cleanup "true";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "3";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons-small::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11-icons::DefaultEnabled "false";
CONF
	export APT_CONFIG=$apt/apt.conf
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
	if [ -z "$refresh" ] && [ -s "$dir/release" ] && [ -s "$dir/initrd.gz" ] &&
	   [ "$dir/initrd.gz" -nt "$LAB_DIR/mkinitrd.sh" ]; then
		say "$key: $(<"$dir/release") (cached)"
		return
	fi
	if [ -z "$refresh" ] && [ -s "$dir/release" ]; then
		release=$(<"$dir/release")
		"$LAB_DIR/mkinitrd.sh" "$dir" "$release" "$dir/initrd.gz"
		say "$key: $release (cached, new initramfs)"
		return
	fi
	need apt-get apt-cache dpkg-deb depmod
	private_apt "$key"
	say "$key: reading the package lists"
	apt-get update -qq -o APT::Update::Error-Mode=any >&2 ||
		skip "$key: the mirror can't be reached (apt-get update failed)"
	release=$(newest_release "$key")
	[ -n "$release" ] || die "$key: no such kernel in $(suites_of "$key" | tr '\n' ' ')"
	if [ -s "$dir/release" ] && [ "$(<"$dir/release")" = "$release" ]; then
		say "$key: $release is still the newest"
		return
	fi
	mkdir -p "$LAB_CACHE/debs" "$LAB_CACHE/kernels"
	mapfile -t debs < <(debs_of "$release")
	say "$key: downloading ${debs[*]}"
	(cd "$LAB_CACHE/debs" && apt-get download -qq "${debs[@]}" >&2) ||
		skip "$key: the mirror can't be reached (apt-get download failed)"
	work=$(mktemp -d "$LAB_CACHE/kernels/.$key.XXXXXX")
	for deb in "${debs[@]/#/$LAB_CACHE/debs/}"; do
		dpkg-deb -x "$deb"_*.deb "$work"
		rm -f "$deb"_*.deb
	done
	if [ -d "$work/usr/lib/modules" ] && [ ! -e "$work/lib/modules" ]; then
		mkdir -p "$work/lib"
		ln -s ../usr/lib/modules "$work/lib/modules"
	fi
	local image
	for image in "$work/boot/vmlinuz-$release" "$work/lib/modules/$release/vmlinuz"; do
		[ ! -e "$image" ] || ln -sf "${image#"$work/"}" "$work/vmlinuz"
	done
	[ -e "$work/vmlinuz" ] || die "$key: no vmlinuz in ${debs[*]}"
	depmod -b "$work" "$release"
	"$LAB_DIR/mkinitrd.sh" "$work" "$release" "$work/initrd.gz"
	echo "$release" >"$work/release"
	chmod 755 "$work"
	rm -rf "$dir"
	mv "$work" "$dir"
	say "$key: $release"
}

refresh=
[ "${1:-}" != --refresh ] || { refresh=1; shift; }
[ $# -gt 0 ] || usage
for key; do
	suites_of "$key" >/dev/null
done
need busybox cpio gzip xz modprobe
for key; do
	mkdir -p "$LAB_CACHE/kernels"
	# one fetch of a key at a time, whoever asks for it
	exec 9>"$LAB_CACHE/kernels/.lock.$key"
	flock 9
	fetch "$key"
	exec 9>&-
done
