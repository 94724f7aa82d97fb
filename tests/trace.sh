#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# trace.sh: nosnoop trace as its users see it: options, exit codes, lines that fit their schema, on
# recordings and on this machine, whatever can be traced here. What it sees is the lab's to test.
set -uo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP" || exit 2
export LC_ALL=C.UTF-8
unset NO_COLOR

nosnoop=$BUILD/nosnoop
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -x "$nosnoop" ] || { fail "$nosnoop is not there: run make first"; finish; }

# trace CODE NAME OPTION...: runs it; its exit code must be CODE
trace() {
	local want=$1 name=$2 code=0
	shift 2
	timeout 60 "$nosnoop" trace "$@" >"$work/out" 2>"$work/err" || code=$?
	if [ "$code" -eq "$want" ]; then
		pass
	else
		fail "$name: exit code $code instead of $want: $(tail -n 1 "$work/err")"
	fi
}
# says NAME FILE PATTERN
says() {
	if grep -qE -- "$3" "$work/$2"; then pass; else fail "$1: no '$3' in: $(head -n 3 "$work/$2")"; fi
}

trace 2 "an event that is none" --event group_attach,nonsense
says "an event that is none" err "no event 'nonsense'; there are: domain_alloc"
trace 2 "an empty list" --event ,
trace 2 "a probe that is none" --without wbinvd,nonsense
says "a probe that is none" err "no probe 'nonsense'"
trace 2 "no time" --duration soon
trace 2 "no number" --count 0
trace 2 "a buffer that is no power of 2" --buffer 5000
trace 2 "an argument" group_attach
trace 2 "no such recording" --replay "$work/none"

# Two snapshots: between them a VM goes. The recording has no events, so they are told by difference.
still=tests/fixtures/four-verdicts.jsonl
{
	cat "$still"
	tail -n +2 "$still"
} >"$work/twice.jsonl"
trace 0 "a recording" --replay "$work/twice.jsonl"
says "a recording" out "^TIME .*EVENT"
trace 0 "a recording, JSON" --replay "$work/twice.jsonl" --format json --event all
is_two() {
	[ "$(jq -s '[.[] | select(.event == "snapshot")] | length' "$work/out")" = 2 ] ||
		cat "$work/out"
}
check "both snapshots are told" is_two
live=tests/fixtures/live/history.jsonl
trace 0 "a recording's duration" --replay "$live" --format json --event snapshot --duration 15s
all=$(wc -l <"$work/out")
trace 0 "all of it" --replay "$live" --format json --event snapshot
check "--duration ends a replay early" [ "$all" -lt "$(wc -l <"$work/out")" ]
head -n -20 "$live" >"$work/cut.jsonl"
trace 0 "a recording that was cut off" --replay "$work/cut.jsonl"
says "a recording that was cut off" err "the recording has no end"
trace 0 "a recording, recorded" --replay "$work/twice.jsonl" --record "$work/copy.jsonl"
trace 0 "its copy" --replay "$work/copy.jsonl" --format json --event all
check "both snapshots are in the copy" is_two
trace 0 "a recording, one line" --replay "$work/twice.jsonl" --format json --event all --count 1
one_line() { [ "$(wc -l <"$work/out")" -eq 1 ] || wc -l "$work/out"; }
check "--count" one_line

validate() {
	python3 - "$1" <<'PYTHON'
import json
import sys

import jsonschema

schema = json.load(open("docs/trace.schema.json"))
schema["additionalProperties"] = False
for number, line in enumerate(open(sys.argv[1]), 1):
    for error in jsonschema.Draft202012Validator(schema).iter_errors(json.loads(line)):
        print(number, error.message)
PYTHON
}

# This machine: whatever it has, every probe is told of, on or off and why
trace 0 "this machine" --format json --event probe --duration 1s
check "schema, strict" validate "$work/out"
silent_probes() {
	jq -r 'select(.event == "probe") | .probe' "$work/out" | sort >"$work/told"
	"$nosnoop" doctor --format json | jq -r '.checks[] | select(.kind == "probe") | .name' |
		sort | comm -3 - "$work/told"
}
check "doctor and trace tell of the same probes" silent_probes
reasons() {
	jq -c 'select(.event == "probe" and (.attached | not) and ((.reason // "") |
		test("^[a-z_]+: .") | not))' "$work/out"
}
check "each probe that is off says why" reasons
trace 0 "a probe left off" --format json --event probe --duration 1s --without wbinvd,kvm_file
left_off() {
	jq -r 'select(.probe == "wbinvd" or .probe == "kvm_file") | select(.attached or
		(.reason | test("left off") | not)) | .probe' "$work/out"
}
check "--without" left_off

# each_probe: with each probe left off in turn, doctor, trace and top name the feature that it was
each_probe() {
	local name feature
	"$nosnoop" doctor --format json |
		jq -r '.checks[] | select(.kind == "probe") | "\(.name) \(.feature)"' >"$work/probes"
	[ -s "$work/probes" ] || echo "doctor lists no probe"
	while read -r name feature; do
		"$nosnoop" doctor --without "$name" --format json >"$work/doctor"
		jq -e --arg name "$name" --arg feature "$feature" '.checks[] |
			select(.kind == "probe" and .name == $name) | .feature == $feature and
			.status == "missing" and .detail == "left off by --without"' \
			"$work/doctor" >/dev/null || echo "$name: doctor does not miss $feature"
		"$nosnoop" trace --event probe --count 40 --duration 300ms --format json \
			--without "$name" >"$work/told" 2>/dev/null
		jq -es --arg name "$name" --arg feature "$feature" 'any(.[]; .probe == $name and
			(.attached | not) and .reason == "\($feature): left off by --without")' \
			"$work/told" >/dev/null || echo "$name: trace does not say that $feature is off"
		COLUMNS=300 "$BUILD/nosnooptop" -b -n 1 --without "$name" 2>/dev/null |
			grep -qE "^VMs .* off: (.*, )?$feature(,| *$)" ||
			echo "$name: top does not say that $feature is off"
	done <"$work/probes"
}
check "each probe's feature is named where it is off" each_probe
for program in "$nosnoop doctor" "$nosnoop trace" "$BUILD/nosnooptop -b -n 1"; do
	$program --without wbinvd,nonsense >/dev/null 2>"$work/err"
	code=$?
	if [ "$code" -eq 2 ] && grep -q "no probe 'nonsense'" "$work/err"; then
		pass
	else
		fail "$program --without nonsense: exit code $code"
	fi
done

"$nosnoop" trace >"$work/out" 2>"$work/err" &
pid=$!
for ((i = 0; i < 100 && ! $(wc -l <"$work/out"); i++)); do sleep 0.1; done
sleep 1
kill -INT "$pid"
code=0
wait "$pid" || code=$?
if [ "$code" -eq 0 ]; then
	pass
else
	fail "SIGINT: exit code $code"
fi
"$nosnoop" trace --duration 60s 2>/dev/null | head -n 1 >/dev/null
case ${PIPESTATUS[0]} in
0 | 141 | 2) pass ;;
*) fail "a reader that goes: exit code ${PIPESTATUS[0]}" ;;
esac
finish
