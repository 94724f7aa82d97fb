#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Real-time engineer: my isolated core jittered 14 ms; was it a VM's cache flush?
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

flushes=tests/fixtures/live/jitter.jsonl
ask trace --replay "$flushes" --event wbinvd --min-us 100 --format json
exits 0
[ "$(wc -l <"$work/out")" -eq 2 ] || not "$(wc -l <"$work/out") lines, not 2"
holds '.event == "wbinvd" and .vm_name == "render-farm-07" and .result == "executed" and .duration_ns == 2300000'
jq -es '.[1].duration_ns == 14100000 and .[1].rule == "NS003"' "$work/out" >/dev/null || not "no flush of 14.1 ms"

ask trace --replay "$flushes" --event wbinvd --min-duration 10ms
exits 0
says 'wbinvd executed render-farm-07'
says '14.1 ms'
silent_on '2.3 ms'
answered
