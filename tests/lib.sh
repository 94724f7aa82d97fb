# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh - what the test scripts share. To be sourced. Every suite ends with the line
# "N passed, N failed, N skipped" and exits 1 if something failed.
# shellcheck shell=bash
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$TOP/build}
case $BUILD in
/*) ;;
*) BUILD=$TOP/$BUILD ;;
esac
MAKE=${MAKE:-make}
CLANG=${CLANG:-clang}
export BUILD MAKE CLANG
passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)); }

# fail TEXT...: counts a failure and says what it is
fail() {
	failed=$((failed + 1))
	echo "FAIL: $*"
}

# finish: the suite's last line, and its exit code
finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
}

# check NAME COMMAND...: passes if the command prints nothing; what it prints is what is wrong.
# (A search that finds nothing exits 1: the exit code says nothing here.)
check() {
	local name=$1 found
	shift
	found=$("$@" 2>&1) || :
	if [ -z "$found" ]; then
		pass
	else
		fail "$name"
		printf '%s\n' "$found" | sed 's/^/  /'
	fi
}

# floor FILE: the floor that a source's opening comment names
floor() { sed -n '1,40p' "$1" | grep -o -i 'floor [0-4]' | sed -n '1s/.* //p'; }

# pure_sources: what stands between a recording and its output, and needs no kernel
pure_sources() {
	local file
	for file in src/*.c; do
		case $(floor "$file"):$file in
		[013]:*) echo "$file" ;;
		*:src/recfile*.c | *:src/collect_replay.c) echo "$file" ;;
		esac
	done
}

# sources: every file of the project that is under version control or could be
sources() { git -C "$TOP" ls-files --cached --others --exclude-standard; }
