#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# unit.sh [--sanitize] [NAME...]: builds and runs the unit tests, all of tests/unit/test_*.c unless
# named. --sanitize: the same with gcc's address and undefined-behaviour sanitizers, in
# $BUILD/sanitize.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"

mkdir -p "$BUILD"
make_log=$BUILD/unit.make.log
make_arguments=("BUILD=$BUILD")
if [ "${1:-}" = --sanitize ]; then
	shift
	BUILD=$BUILD/sanitize
	make_arguments=("BUILD=$BUILD" "CC=gcc"
		"CFLAGS=-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all")
fi
names=("$@")
[ $# -gt 0 ] || for source in tests/unit/test_*.c; do
	names+=("$(basename "$source" .c)")
done

# run NAME: one program; its TAP lines are counted against its plan, so that a crash is a failure
run() {
	local program=$BUILD/tests/$1 log=$BUILD/tests/$1.log status=0 planned ok skip
	CMOCKA_MESSAGE_OUTPUT=TAP timeout 300 "$program" >"$log" 2>&1 </dev/null || status=$?
	planned=$(sed -n 's/^\s*1\.\.\([0-9]*\).*/\1/p' "$log" | head -n 1)
	skip=$(grep -c '^ok .*# SKIP' "$log" || :)
	ok=$(($(grep -c '^ok ' "$log" || :) - skip))
	passed=$((passed + ok)) skipped=$((skipped + skip))
	planned=${planned:-1}
	if [ $((ok + skip)) -lt "$planned" ]; then
		failed=$((failed + planned - ok - skip))
		echo "FAIL: $1 (exit code $status, log: $log)"
		grep -A 6 -E '^not ok|ERROR|runtime error' "$log" | head -n 60 || tail -n 20 "$log"
	elif [ "$status" -ne 0 ]; then
		fail "$1: exit code $status after its last test (log: $log)"
		tail -n 40 "$log"
	fi
}

# One by one, so that a test that does not build is one failure and not the end of all.
for name in "${names[@]}"; do
	if $MAKE -s "${make_arguments[@]}" "$BUILD/tests/$name" >"$make_log" 2>&1; then
		run "$name"
	else
		fail "$name does not build"
		tail -n 20 "$make_log"
	fi
done
finish
