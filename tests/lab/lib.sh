#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the lab's host side scripts share: where the cache lies, the list of kernels,
# messages, and the exit code that tells "can't run here" from "failed".

# shellcheck disable=SC2034 # used by the scripts that source this file
LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_TOP=$(cd "$LAB_DIR/../.." && pwd)
LAB_CACHE=${NOSNOOP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nosnoop}
LAB_KEYS="6.1 6.12 newest"
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

# build_tools DIR: compiles the lab's own programs, if their sources are newer
build_tools() {
	local t
	mkdir -p "$1"
	exec 8>"$1/.lock"
	flock 8
	for t in labvm kpeek gdbpoke; do
		[ "$1/$t" -nt "$LAB_DIR/$t.c" ] ||
			"${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Werror -o "$1/$t" "$LAB_DIR/$t.c" \
				-lbpf -lpthread || skip "can't compile $t.c (libbpf-dev?)"
	done
	exec 8>&-
}
