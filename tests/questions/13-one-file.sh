#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Support engineer: send me one file
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# of this machine, whoever runs this, whatever it is allowed
ask record "$work/host.jsonl"
exits 0
[ "$(stat -c %a "$work/host.jsonl")" = 600 ] || not "others may read the recording"
! grep -qE '0x[0-9a-f]{12,}|ffff[0-9a-f]{12}' "$work/host.jsonl" || not "has a kernel address in it"
ask audit --replay "$work/host.jsonl" --format json
[ "$status" -ne 2 ] || not "cannot read its own recording: $(head -n 1 "$work/err")"
holds '.schema == "nosnoop.audit/1"'
cp "$work/out" "$work/first"
ask audit --replay "$work/host.jsonl" --format json
cmp -s "$work/first" "$work/out" || not "two replays differ"

# of another machine: the copy of a recording says what the recording says
ask_of 7.3-qemu --format json
cp "$work/out" "$work/first"
ask record --replay tests/fixtures/7.3-qemu.jsonl "$work/copy.jsonl"
exits 0
ask audit --replay "$work/copy.jsonl" --format json
cmp -s "$work/first" "$work/out" || not "a copied recording says something else"
"$BUILD/nosnoop" record --replay tests/fixtures/7.3-qemu.jsonl - |
	"$BUILD/nosnoop" audit --replay - --format json >"$work/out"
cmp -s "$work/first" "$work/out" || not "a piped recording says something else"

# no half a file is left where it cannot be written
ask record "$work/none/host.jsonl"
exits 2
answered
