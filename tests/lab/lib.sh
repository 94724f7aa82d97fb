#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the lab's host side scripts share: where the cache lies, the list of kernels, messages, the
# exit code that tells "can't run here" from "failed", and how packages of other suites are read.

# shellcheck disable=SC2034 # used by the scripts that source this file
LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_TOP=$(cd "$LAB_DIR/../.." && pwd)
LAB_CACHE=${NOSNOOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nosnoop}
LAB_FETCHED_KEYS="6.1 6.12 newest"
LAB_BUILT_KEYS="6.12-iommufd newest-iommufd newest-mock"
LAB_KEYS="$LAB_FETCHED_KEYS $LAB_BUILT_KEYS"
LAB_DEFAULT_KEYS="6.1 newest"	# where neither the user nor the boot says otherwise
LAB_QEMU_DIR=$LAB_CACHE/qemu-trixie
LAB_SKIP=75	# EX_TEMPFAIL: the machine lacks something, nothing was tested

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }
skip() { say "$*"; exit "$LAB_SKIP"; }

# need PROGRAM...: ends with LAB_SKIP if one of them is not there
need() {
	local p missing=
	for p; do
		command -v "$p" >/dev/null || missing="$missing $p"
	done
	[ -z "$missing" ] || skip "not installed:$missing"
}

# kernel_is KEY TAG...: whether one of the tags means that kernel: its key, the start of its key (6.12
# means 6.12-iommufd too), or the end of it (iommufd: each that has it)
kernel_is() {
	local key=$1 tag
	shift
	for tag; do
		case $key in
		"$tag" | "$tag"-* | *-"$tag") return 0 ;;
		esac
	done
	return 1
}

# kernels_of BOOT: the kernels that a script of boots/ names in its line "# kernels:", as tags
kernels_of() { sed -n 's/^# kernels: //p' "$LAB_DIR/boots/$1.sh"; }

# planned KEY BOOT ASKED: whether the cells of that boot are meant for that kernel, and wanted on it;
# ASKED is empty if the user named no kernels. One with mock devices has an IOMMU more than others: it is
# for boots that name it so.
planned() {
	local tags
	read -ra tags < <(kernels_of "$2") || :
	[[ $1 != *-mock || "${tags[*]}" == *mock* ]] || return 1
	if [ "${#tags[@]}" -gt 0 ]; then
		kernel_is "$1" "${tags[@]}"
	else
		[ -n "$3" ] || [[ " $LAB_DEFAULT_KEYS " == *" $1 "* ]]
	fi
}

# build_tools: compiles the lab's own programs and prints the folder they are in, one for each state
# of their sources: checkouts that share the cache do not mix theirs up
build_tools() {
	local t dir sum
	sum=$(cat "$LAB_DIR"/*.[ch] | md5sum)
	dir=$LAB_CACHE/lab-tools/${sum:0:12}
	mkdir -p "$dir"
	exec 8>"$dir/.lock"
	flock 8
	for t in "$LAB_DIR"/*.c; do
		t=$(basename "$t" .c)
		[ -x "$dir/$t" ] ||
			"${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Werror -o "$dir/$t" "$LAB_DIR/$t.c" \
				-lbpf -lpthread >&2 || skip "can't compile $t.c (libbpf-dev?)"
	done
	exec 8>&-
	echo "$dir"
}

# mirror LABEL: the base address that this host uses for Debian or Debian-Security
mirror() {
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format '$(LABEL)|$(ORIGIN)|$(CREATED_BY)|$(REPO_URI)' 2>/dev/null |
		awk -F'|' -v l="$1" '$1 == l && $2 == "Debian" && $3 == "Packages" { print $4; exit }'
}

# private_apt NAME: for the suites on stdin ("archive SUITE" or "security SUITE", a line each),
# writes a configuration below the cache, exports APT_CONFIG, and reads the package lists. Reaches
# suites that this host does not use; nothing gets installed.
private_apt() {
	local apt=$LAB_CACHE/apt/$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	local archive security kind suite opt=
	archive=$(mirror Debian) security=$(mirror Debian-Security)
	[ -n "$archive" ] || skip "apt has no Debian mirror here (apt-get indextargets)"
	[ -n "$security" ] || security=${archive%/}-security/
	[ ! -r "$keyring" ] || opt="[signed-by=$keyring] "
	mkdir -p "$apt"/{lists/partial,cache/archives/partial,none}
	: >"$apt/status"
	while read -r kind suite; do
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
	say "$1: reading the package lists"
	apt-get update -qq -o APT::Update::Error-Mode=any >&2 ||
		skip "$1: the mirror can't be reached (apt-get update failed)"
}

# apt_download NAME PACKAGE...: into debs/NAME of the cache, which is empty before
apt_download() {
	local to=$LAB_CACHE/debs/$1
	say "$1: downloading ${*:2}"
	rm -rf "$to"
	mkdir -p "$to"
	(cd "$to" && apt-get download -qq "${@:2}" >&2) ||
		skip "$1: the mirror can't be reached (apt-get download failed)"
}

# kernel_cached KEY: whether that kernel is in the cache; its initramfs is made anew if need be
kernel_cached() {
	local dir=$LAB_CACHE/kernels/$1
	[ -s "$dir/release" ] || return 1
	if [ "$dir/initrd.gz" -nt "$LAB_DIR/mkinitrd.sh" ]; then
		say "$1: $(<"$dir/release") (cached)"
	else
		"$LAB_DIR/mkinitrd.sh" "$dir" "$(<"$dir/release")" "$dir/initrd.gz"
		say "$1: $(<"$dir/release") (cached, new initramfs)"
	fi
}

# kernel_install KEY DIR RELEASE: DIR, with vmlinuz and lib/modules, becomes that kernel
kernel_install() {
	local dir=$LAB_CACHE/kernels/$1
	depmod -b "$2" "$3"
	"$LAB_DIR/mkinitrd.sh" "$2" "$3" "$2/initrd.gz"
	echo "$3" >"$2/release"
	chmod 755 "$2"
	rm -rf "$dir"
	mv "$2" "$dir"
	say "$1: $3"
}
