#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Operator: is guest WBINVD really executed on my host, how often, and how long does each stall?
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask top --replay tests/fixtures/live/flushes.jsonl --format json
exits 0
holds '.schema == "nosnoop.live/1"'
holds '[.vms[] | select(.guest_wbinvd == "executed") | .name] == ["render-farm-07"]'
holds '.vms[] | select(.name == "render-farm-07").wbinvd | .executed_per_second == 289 and
	.cpu_share > 0.79 and .cpu_share < 0.8 and .p50_seconds > 0.001 and .p99_seconds > .p50_seconds'
holds '.vms[] | select(.name == "web1").wbinvd | .executed_per_second == 0 and .exits_per_second == 12'
holds '[.findings[] | select(.rule == "NS003") | .subject.id] == ["pid:3456@70000"]'

# and whether it has been too much for long is told of a recording too: raised, and clear again
ask audit --replay tests/fixtures/live/history-raised.jsonl --format json
exits 1
holds '[.findings[] | select(.rule == "NS003") | .evidence | .peak_per_second, .limit_per_second] == [101, 10]'
holds '[.rules[] | select(.id | IN("NS003", "NS004", "NS008", "NS009", "NS023")) | .status]
	== ["fail", "fail", "fail", "fail", "fail"]'
# at the n-th snapshot of the recording
at() { awk -v n="$1" '{ print } /"rec":"end"/ && ++seen == n { exit }' tests/fixtures/live/history.jsonl >"$work/part.jsonl"; }
rules_at() {
	at "$1"
	ask audit --replay "$work/part.jsonl" --format json
	holds "[.rules[] | select(.id | IN(\"NS003\", \"NS004\", \"NS008\", \"NS009\", \"NS023\")) | .status] == $2"
}
rules_at 1 '["needs_events", "needs_events", "not_applicable", "needs_events", "needs_events"]'
rules_at 2 '["pass", "pass", "not_applicable", "needs_events", "pass"]'
rules_at 3 '["fail", "fail", "not_applicable", "needs_events", "pass"]'
rules_at 4 '["fail", "fail", "fail", "fail", "fail"]'
rules_at 6 '["fail", "fail", "fail", "fail", "fail"]'
rules_at 7 '["pass", "fail", "not_applicable", "fail", "fail"]'
rules_at 8 '["not_applicable", "not_applicable", "not_applicable", "not_applicable", "not_applicable"]'
# a limit of one's own
ask audit --replay tests/fixtures/live/history-raised.jsonl --wbinvd-rate 200 --wbinvd-time 50% --format json
holds '[.rules[] | select(.id == "NS003") | .status] == ["pass"]'
answered
