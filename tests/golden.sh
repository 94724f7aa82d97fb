#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Replays each recording of tests/fixtures through every renderer and compares the output, byte for
# byte, with tests/expected. JSON must fit its schema, text its width.
#
#	BUILD=build tests/golden.sh [NAME...]     compare; ends with "N passed, N failed, N skipped"
#	UPDATE=1 tests/golden.sh [NAME...]        write tests/expected anew, then look at the diff
set -u
cd "$(dirname "$0")/.." || exit 2
build=${BUILD:-build}
nosnoop=$build/nosnoop
expected=tests/expected
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
export LC_ALL=C.UTF-8 TZ=UTC
unset NO_COLOR

pass() {
	passed=$((passed + 1))
	echo "ok      $1"
}

fail() {
	failed=$((failed + 1))
	echo "FAILED  $1"
	[ -s "$work/why" ] && sed 's/^/        /' "$work/why" | head -n 40
	: >"$work/why"
}

# same NAME FILE: compares $work/FILE with what is expected of it.
same() {
	if [ -n "${UPDATE:-}" ]; then
		mkdir -p "$expected" && cp "$work/$2" "$expected/$2"
	fi
	if [ ! -e "$expected/$2" ]; then
		echo "tests/expected/$2 is missing: UPDATE=1 makes it" >"$work/why"
		fail "$1"
	elif diff -u "$expected/$2" "$work/$2" >"$work/why"; then
		pass "$1"
	else
		fail "$1"
	fi
}

# holds NAME COMMAND...: the command must succeed.
holds() {
	what=$1
	shift
	if "$@" >"$work/why" 2>&1; then
		pass "$what"
	else
		fail "$what"
	fi
}

# replay OUTPUT WIDTH ARGUMENT...: runs an audit, gives its exit status.
replay() {
	output=$1
	width=$2
	shift 2
	COLUMNS=$width "$nosnoop" audit "$@" >"$work/$output" 2>"$work/stderr"
}

audit() {
	fixture=$1
	name=$(basename "$fixture" .jsonl)
	replay "$name.txt" 80 --replay "$fixture" --format text
	echo $? >"$work/$name.exit"
	replay "$name.json" 80 --replay "$fixture" --format json
	status=$?
	[ "$status" = "$(cat "$work/$name.exit")" ] ||
		echo "text exits with $(cat "$work/$name.exit"), json with $status" >>"$work/$name.exit"
	same "$name: text" "$name.txt"
	same "$name: json" "$name.json"
	same "$name: exit status" "$name.exit"
	holds "$name: schema and strict schema" \
		python3 tests/validate.py docs/audit.schema.json "$work/$name.json"
	"$nosnoop" export --once --replay "$fixture" 2>"$work/stderr" |
		sed 's/^nosnoop_build_info{.*}/nosnoop_build_info{}/' >"$work/$name.prom"
	same "$name: metrics" "$name.prom"
	holds "$name: 80 cells" tests/check-width 80 "$work/$name.txt"
	replay wide 200 --replay "$fixture" --format text --color always
	holds "$name: 200 cells, with colours" tests/check-width 200 "$work/wide"
	LC_ALL=C
	replay ascii 80 --replay "$fixture" --format text
	LC_ALL=C.UTF-8
	holds "$name: 80 cells of ASCII" sh -c \
		"tests/check-width 80 '$work/ascii' && ! LC_ALL=C grep -n '[^ -~]' '$work/ascii'"
}

[ -x "$nosnoop" ] || {
	echo "$nosnoop is missing: run make first" >&2
	exit 2
}
if [ $# -gt 0 ]; then
	for name; do
		audit "tests/fixtures/$name.jsonl"
	done
else
	for fixture in tests/fixtures/*.jsonl; do
		[ -e "$fixture" ] && audit "$fixture"
	done
	replay list-rules.txt 80 --list-rules
	same "list of rules" list-rules.txt
	holds "list of rules: 80 cells" tests/check-width 80 "$work/list-rules.txt"
	replay explain.txt 80 --explain NS001
	same "explanation of NS001" explain.txt
	holds "explanation of NS001: 80 cells" tests/check-width 80 "$work/explain.txt"
fi
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
