#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Security reviewer: prove on 500 hosts that no assigned device may bypass snooping
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask_of 6.1-snoop_on --format json --fail-on warning
exits 0
holds '.schema == "nosnoop.audit/1" and .result == {status: "clean", exit_code: 0, fail_on: "warning"}'
holds '[.rules[].id] == [range(1; 24) | "NS" + ("00" + tostring)[-3:]]'
holds '[.vms[].paths[].blocks_nosnoop] == [true]'
holds '.unknown == [] and .truncated == [] and .lost == {events: 0, records: 0}'

ask_of 7.3-no_kvm_vfio --format json --fail-on warning
exits 1
holds '.result.status == "findings" and .findings[0].rule == "NS001"'

# a host that could not be read proves nothing
ask_of unprivileged --format json --fail-on warning
exits 3
holds '.result.status == "unknown" and (.unknown | length) > 0'
holds '[.unknown[].reason] | all(length > 0)'

# and neither does one whose recording broke off
head -n 20 tests/fixtures/6.1-snoop_on.jsonl >"$work/broken.jsonl"
ask audit --replay "$work/broken.jsonl" --format json
exits 3
head -c 2000 tests/fixtures/6.1-snoop_on.jsonl >"$work/cut.jsonl"
ask audit --replay "$work/cut.jsonl" --format json
exits 2
[ ! -s "$work/out" ] || not "prints a verdict on a recording that is no recording"
answered
