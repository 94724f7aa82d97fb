#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# btf-sets.sh [--build DIR] [--every] [--table] [SUITE...]: runs `nosnoop doctor --btf` over the type
# information of the kernels that the distribution's suites offer, without booting one: of each series
# (6.1, 6.12, ...) and flavour (amd64, cloud-amd64, rt-amd64) the newest release, and of the amd64
# ones the oldest too; --every: all of them. --table: no download, only the table of what the cache
# has. Keeps the BTF and what the doctor said in the cache (btf/RELEASE), and prints a table for
# docs/kernels.md. Needs a network and some minutes a kernel; a suite that the mirror lacks is named.
# Exit: 0 each kernel was examined, 1 one could not be, 75 the mirror can't be reached.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

SUITES="bookworm bookworm-security bookworm-backports trixie trixie-security trixie-backports sid experimental"
MODULES="kvm kvm-amd kvm-intel vfio vfio_iommu_type1 vfio-pci-core vfio-pci iommufd virtio-iommu vhost_vdpa vdpa mdev"
SETS=$LAB_CACHE/btf

build=$LAB_TOP/build every='' only_table=''
while [ $# -gt 0 ]; do
	case $1 in
	--build) build=$2; shift 2 ;;
	--every) every=1; shift ;;
	--table) only_table=1; shift ;;
	-*) sed -n 's/^# //; 3,9p' "$0" >&2; exit 2 ;;
	*) break ;;
	esac
done
[ $# -eq 0 ] || SUITES=$*
[ -x "$build/nosnoop" ] || { say "no $build/nosnoop: build it"; exit 2; }
mkdir -p "$SETS"

# offered: "RELEASE PACKAGE VERSION" of each kernel that apt now knows. From 7.x on linux-binary-*
# has the image, and the modules are in another package.
offered() {
	apt-cache pkgnames linux- |
		grep -E '^linux-(image|binary)-[0-9]+\.[0-9]+\.[0-9][0-9.+a-z-]*-amd64$' |
		grep -Ev -- 'unsigned|-dbg' | while read -r package; do
		apt-cache show --no-all-versions "$package" 2>/dev/null | awk -v p="$package" '
			/^Version: / { version = $2 }
			/^Depends: / { has_modules = /linux-modules-/ }
			/^Installed-Size: / { size = $2 }
			END { if (size > 1000) { r = p; sub(/^linux-(image|binary)-/, "", r)
				print r, p, version } }'
	done | sort -V
}

# chosen: of the list on stdin the newest of each series and flavour, and the oldest of the plain ones
chosen() {
	if [ -n "$every" ]; then
		cat
		return
	fi
	awk '{
		split($1, part, "."); series = part[1] "." part[2]
		flavour = $1 ~ /-cloud-amd64$/ ? 2 : $1 ~ /-rt-amd64$/ ? 3 : 1
		key = series " " flavour
		if (!(key in newest) && flavour == 1) print 4, $0
		newest[key] = flavour " " $0
	} END { for (key in newest) print newest[key] }' | sort -k1,1n -k2,2V |
		cut -d" " -f2- | awk '!seen[$1]++'
}

# unpack_image FILE: the ELF file inside a bzImage, on stdout (Documentation/arch/x86/boot.rst)
unpack_image() {
	local setup offset length start magic tool
	setup=$(od -An -tu1 -j$((0x1f1)) -N1 "$1") offset=$(od -An -tu4 -j$((0x248)) -N4 "$1")
	length=$(od -An -tu4 -j$((0x24c)) -N4 "$1")
	[ "$setup" -ne 0 ] || setup=4
	start=$(((setup + 1) * 512 + offset))
	magic=$(od -An -tx1 -j "$start" -N4 "$1" | tr -d ' ')
	case $magic in
	28b52ffd) tool="zstd -dc" ;;
	fd377a58) tool="xz -dc --single-stream" ;;
	1f8b*) tool="gzip -dc" ;;
	02214c18) tool="lz4 -dc" ;;
	*) say "$1: packed in an unknown way ($magic)"; return 1 ;;
	esac
	need "${tool%% *}"
	# the size of what was packed stands behind it, which some of the tools complain of
	tail -c +$((start + 1)) "$1" | head -c "$length" | $tool 2>/dev/null || :
}

# section FILE OUT: the .BTF section of an ELF file
section() { objcopy --dump-section ".BTF=$2" "$1" /dev/null; }

# extract RELEASE DEB...: what doctor --btf reads, into btf/RELEASE; the packages go
extract() {
	local release=$1 to=$SETS/$1 work deb m file modules
	shift
	work=$(mktemp -d "$SETS/.$release.XXXXXX")
	# shellcheck disable=SC2086 # a list
	read -ra modules < <(printf '*/%s.ko* ' $MODULES)
	for deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work" --wildcards --wildcards-match-slash \
			'*/vmlinuz*' "${modules[@]}" 2>/dev/null || :
	done
	file=$(find "$work" -name 'vmlinuz*' -type f | head -n 1)
	if [ -z "$file" ]; then
		say "$release: no vmlinuz in $*"
		rm -rf "$work"
		return 1
	fi
	mkdir "$work/set"
	unpack_image "$file" >"$work/vmlinux"
	section "$work/vmlinux" "$work/set/vmlinux"
	for m in $MODULES; do
		file=$(find "$work" -name "$m.ko*" -type f | head -n 1)
		case $file in
		'') continue ;;
		*.xz) xz -dc "$file" >"$work/$m.elf" ;;
		*.zst) zstd -qdc "$file" >"$work/$m.elf" ;;
		*) mv "$file" "$work/$m.elf" ;;
		esac
		section "$work/$m.elf" "$work/set/$m.btf" 2>/dev/null || :
		[ -s "$work/set/$m.btf" ] || rm -f "$work/set/$m.btf"
	done
	if [ ! -s "$work/set/vmlinux" ]; then
		say "$release: no BTF in its vmlinux"
		rm -rf "$work"
		return 1
	fi
	rm -rf "$to"
	mv "$work/set" "$to"
	rm -rf "$work"
}

# get RELEASE PACKAGE VERSION: one kernel, unless the cache has it
get() {
	local packages=("$2")
	[ "$(cat "$SETS/$1/version" 2>/dev/null)" != "$3" ] || return 0
	# of the newest the modules are a package of their own
	if apt-cache policy "linux-modules-$1" 2>/dev/null | grep -q 'Candidate: [0-9]'; then
		packages+=("linux-modules-$1")
	fi
	apt_download "btf-$1" "${packages[@]}"
	extract "$1" "$LAB_CACHE/debs/btf-$1"/*.deb
	rm -rf "${LAB_CACHE:?}/debs/btf-$1"
	echo "$3" >"$SETS/$1/version"
}

# table: a line for each kernel in the cache, with what of it would be unknown
table() {
	local release dir
	echo '| kernel | modules with BTF | accessors | probes | unknown, and why |'
	echo '| --- | --- | --- | --- | --- |'
	for release in $(find "$SETS" -mindepth 2 -maxdepth 2 -name doctor.json -printf '%h\n' |
		sed 's,.*/,,' | sort -V); do
		dir=$SETS/$release
		jq -r --arg release "$release" --arg version "$(<"$dir/version")" \
			--arg modules "$(find "$dir" -name '*.btf' | wc -l)" -f "$LAB_DIR/btf-row.jq" \
			"$dir/doctor.json"
	done
}

failed=0
if [ -z "$only_table" ]; then
	need apt-get apt-cache dpkg-deb objcopy jq xz tar
	for suite in $SUITES; do
		case $suite in
		*-security) kind=security ;;
		*) kind=archive ;;
		esac
		(private_apt "btf-$suite" < <(echo "$kind $suite")
		offered >"$SETS/offered.$suite") ||
			{ say "$suite: not on this mirror"; : >"$SETS/offered.$suite"; }
	done
	for suite in $SUITES; do
		sed "s/\$/ $suite/" "$SETS/offered.$suite"
	done | sort -Vu -k1,1 | chosen >"$SETS/chosen"
	say "$(wc -l <"$SETS/chosen") kernels"
	while read -r release package version suite; do
		export APT_CONFIG=$LAB_CACHE/apt/btf-$suite/apt.conf
		if ! (get "$release" "$package" "$version"); then
			failed=$((failed + 1))
			continue
		fi
		code=0
		"$build/nosnoop" doctor --btf "$SETS/$release" --format json \
			>"$SETS/$release/doctor.new" 2>"$SETS/$release/doctor.err" || code=$?
		if [ "$code" -eq 0 ] || [ "$code" -eq 3 ]; then
			mv "$SETS/$release/doctor.new" "$SETS/$release/doctor.json"
		else
			say "$release: the doctor failed: $(tail -n 1 "$SETS/$release/doctor.err")"
			failed=$((failed + 1))
		fi
	done <"$SETS/chosen"
fi
table
[ "$failed" -eq 0 ] || { say "$failed kernels could not be examined"; exit 1; }
