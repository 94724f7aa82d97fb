#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Hot-plug: the VM was coherent until I plugged the iGPU in; when did it flip, and back?
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask trace --replay tests/fixtures/live/hotplug.jsonl --format json --vm db-primary
exits 0
jq -es 'map(.event) == ["group_attach", "kvm_register", "kvm_unregister", "group_detach"]' \
	"$work/out" >/dev/null || not "the steps are not told in their order"
jq -es 'all(.[]; .vm == "0d6ad7f6-30ac-4b29-9b59-3c0a8a3e4f11")' "$work/out" >/dev/null || not "of another VM"
jq -es '[.[0].time, .[1].time, .[2].time, .[3].time] | . == sort' "$work/out" >/dev/null ||
	not "the times do not rise"
jq -es '.[1] | .registrations == 1 and .rule == "NS002" and .time == "2026-11-23T06:00:15.000000Z"' \
	"$work/out" >/dev/null || not "no edge to non-coherent at 06:00:15"
jq -es '.[2] | .registrations == 0 and .rule == null and .time == "2026-11-23T06:00:25.000000Z"' \
	"$work/out" >/dev/null || not "no edge back at 06:00:25"
jq -es '.[0] | .group == 2 and .device == "0000:00:02.0" and .enforced == false' "$work/out" >/dev/null ||
	not "it is not told which device it was"

ask trace --replay tests/fixtures/live/hotplug.jsonl --event kvm_register,kvm_unregister
exits 0
says 'kvm_register ok db-primary'
says 'registrations now 1, rule NS002'
says 'kvm_unregister ok db-primary'
answered
