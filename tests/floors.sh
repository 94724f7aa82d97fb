#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# floors.sh: the order of the sources. Each file of src/ names its floor in its opening comment and
# includes its own floor and lower ones only; what has one place in the tree is nowhere else.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"

# Where a file's name settles its floor, its comment must agree.
named_floor() {
	case $1 in
	util.[ch] | log.[ch] | version.[ch] | newfile.[ch] | recdesc.[ch]) echo 0 ;;
	model.[ch] | model_*.[ch] | fields.[ch] | fields_*.[ch] | rules.[ch] | rules_*.[ch] | metrics.[ch] | \
		metrics_*.[ch]) echo 1 ;;
	collect_*.[ch] | bpf_*.[ch] | probes.[ch] | recfile.[ch] | recfile_*.[ch]) echo 2 ;;
	render.[ch] | render_*.[ch]) echo 3 ;;
	session.[ch] | loop.[ch] | tui.[ch] | tui_*.[ch] | http.[ch] | http_*.[ch] | cli.[ch] | cli_*.[ch])
		echo 4 ;;
	esac
}

# on_floors DIGITS: the sources of these floors
on_floors() {
	local file
	for file in src/*.c; do
		[[ "$1" != *"$(floor "$file")"* ]] || echo "$file"
	done
}

# includes FILE: the names of its own and of foreign headers, without quotes and brackets
own_includes() { sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$1"; }
foreign_includes() { sed -n 's/^#[ \t]*include[ \t]*<\([^>]*\)>.*/\1/p' "$1"; }

# one_file FILE: prints what is wrong with its place
one_file() {
	local file=$1 name mine theirs wanted header
	name=$(basename "$file")
	mine=$(floor "$file")
	wanted=$(named_floor "$name")
	[ -n "$mine" ] || { echo "its opening comment names no floor"; return; }
	[ -z "$wanted" ] || [ "$wanted" = "$mine" ] ||
		echo "says floor $mine, its name means floor $wanted"
	for header in $(own_includes "$file"); do
		case $header in
		*.skel.h) theirs=2 ;;
		record.h) theirs=0 ;;
		*) if [ -f "src/$header" ]; then theirs=$(floor "src/$header"); else theirs=; fi ;;
		esac
		if [ -z "$theirs" ]; then
			echo "includes \"$header\", which is on no floor"
		elif [ "$theirs" -gt "$mine" ]; then
			echo "floor $mine includes \"$header\" of floor $theirs"
		elif [ "$mine" = 3 ] && [ "$theirs" = 2 ]; then
			echo "a renderer includes \"$header\", a source of records (floor 2)"
		fi
	done
	for header in $(foreign_includes "$file"); do
		case $mine:$header in
		[0134]:bpf/* | [01]:pci/* | 3:pci/* | [01]:jansson.h | [012]:libsmartcols* | \
			[0-3]:ncurses* | [0-3]:curses.h | [0-3]:microhttpd.h | [0-3]:yaml.h | \
			[0-3]:gnutls/* | [0-3]:systemd/* | [0-3]:seccomp.h | [0-3]:cap-ng.h | [0-3]:argp.h)
			echo "floor $mine includes <$header>" ;;
		esac
	done
}

for file in src/*.[ch]; do
	check "$file" one_file "$file"
done

# code PATTERN FILE...: lines of code, not of comments, that match
code() {
	local pattern=$1
	shift
	grep -nP "$pattern" "$@" /dev/null | grep -vP '^[^:]*:\d+:\s*(/?\*|//)' || :
}
layout=(bpf/core_compat.bpf.h bpf/compat/*.bpf.h)
others=()
for file in bpf/*.bpf.[ch]; do
	[[ " ${layout[*]} " == *" $file "* ]] || others+=("$file")
done
everything=(bpf/*.[ch] bpf/compat/*.h src/*.[ch] tools/*.c)

check "layout drift lives in core_compat.bpf.h and compat/ alone" \
	code '\b\w+___\w+\b|bpf_core_(field_exists|field_size|enum_value)|__ksym\b' "${others[@]}"
versions='LINUX_KERNEL_VERSION|\bKERNEL_VERSION\b|LINUX_VERSION_CODE'
versions+='|(sscanf|strverscmp|strtou?l+|strn?cmp)\s*\([^;]*release'
check "no kernel version is tested" code "$versions" "${everything[@]}"
bpf_includes() {
	local header
	cat bpf/*.[ch] bpf/compat/*.h | sed -n 's/^#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' | sort -u |
		while read -r header; do
			[ -f "bpf/$header" ] || [ -f "vmlinux/$header" ] || echo "\"$header\""
		done
}
check "bpf/ includes nothing of src/" bpf_includes
# libpci has types of these names, so its collectors cannot poison them.
check "kernel types (u32 and kin) stay in the kernel" code '(?<![\w"])[us](8|16|32|64)\b(?!")' \
	src/*.[ch] tools/*.c
mapfile -t below < <(on_floors 0123)
check "no exit() below floor 4" code '(?<!\w)_?exit\s*\(' "${below[@]}"
mapfile -t silent < <(on_floors 13)
check "floors 1 and 3 never log" code '\bnsn_(log|error|warning|info|debug)\s*\(' "${silent[@]}"
check "renderers have no clock" code \
	'\b(time|clock_gettime|gettimeofday|localtime(_r)?|clock)\s*\(' src/render_*.c

# names: every symbol and function of the tables of src/probes.c
names() {
	sed -n '/nsn_symbol_rows\[/,/^};/s/.*_*(\w\+, "\([a-z0-9_]\+\)".*/\1/p' src/probes.c
	sed -n '/nsn_probe_rows\[\]/,/^};/p' src/probes.c | grep -o '"[a-z0-9_ ]*_[a-z0-9_ ]*"' |
		tr -d '"' | tr ' ' '\n' |
		grep -E '^(kvm|vfio|iommu|iommufd|intel|amd|wbinvd|wbnoinvd|emulator)_' |
		grep -vxE 'vfio_iommu_type1|intel_iommu|amd_iommu|kvm_amd|kvm_intel' # modules
}
traced_elsewhere() {
	local name
	names | sort -u | while read -r name; do
		code "SEC\(\"[^\"]*/$name\"|\"$name\"" bpf/*.[ch] src/*.[ch] tools/*.c |
			grep -v '^src/probes\.c:' || :
	done
}
if [ "$(names | wc -l)" -lt 20 ]; then
	fail "src/probes.c: its tables could not be read by this check"
else
	check "names of kernel functions are in src/probes.c alone" traced_elsewhere
fi

# No globals in renderers: nothing writable in their objects.
writable() {
	local file size
	for file in src/render_*.c; do
		"${CC:-gcc}" -std=gnu11 -D_GNU_SOURCE -Ibpf -Isrc -O1 -c "$file" -o "$BUILD/floors.o"
		size=$(size -A "$BUILD/floors.o" | awk '$1 ~ /^\.(data|bss|data\.rel\.local)$/ { sum += $2 }
			END { print sum + 0 }')
		[ "$size" -eq 0 ] || echo "$file: $size bytes of variables"
	done
}
mkdir -p "$BUILD"
check "renderers have no variables of their own" writable

# Lengths: design's promise that a program's main stays small, and the limit of a file.
long_files() {
	wc -l src/*.[ch] bpf/*.bpf.c tools/*.c | awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines" }'
	wc -l tools/nosnoop*.c | awk '$2 != "total" && $1 >= 100 { print $2 ": " $1 " lines" }'
}
check "files under 500 lines, programs under 100" long_files
finish
