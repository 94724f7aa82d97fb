# SPDX-License-Identifier: GPL-2.0-or-later
# lib.sh - how a question is put and its answer held against what it must be. To be sourced.
#
# A script puts one question by one command, then calls the checks below. It passes if all of them
# do; each that does not says so. answered ends it.
# shellcheck shell=bash
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$TOP" || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
export LC_ALL=C.UTF-8 TZ=UTC COLUMNS=400
unset NO_COLOR
status='' wrong=0

# ask ARGUMENT...: runs nosnoop; its output is in $work/out, its messages in $work/err
ask() {
	status=0
	"$BUILD/nosnoop" "$@" >"$work/out" 2>"$work/err" || status=$?
}

# ask_of FIXTURE ARGUMENT...: runs an audit of that recording
ask_of() {
	local fixture=tests/fixtures/$1.jsonl
	shift
	[ -e "$fixture" ] || echo "no $fixture"
	ask audit --replay "$fixture" "$@"
}

not() {
	wrong=$((wrong + 1))
	echo "  $*"
}

exits() { [ "$status" -eq "$1" ] || not "exit status $status, expected $1: $(head -n 1 "$work/err")"; }

# says TEXT: the output has it, whatever the blanks and line ends between its words
says() {
	tr -s '[:space:]' ' ' <"$work/out" | grep -qF -- "$1" || not "does not say: $1"
}

silent_on() { ! tr -s '[:space:]' ' ' <"$work/out" | grep -qF -- "$1" || not "says: $1"; }

# holds JQ...: the expression is true of the JSON output (all of it as one text)
holds() { jq -es ".[0] | $1" "$work/out" >/dev/null 2>&1 || not "does not hold: $1"; }

# answered: the end of a script
answered() { exit $((wrong > 0)); }
