#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Distribution's CI: do these probes still attach to kernel N?
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask doctor --format json
[ "$status" = 0 ] || [ "$status" = 3 ] || exits 0
holds '.schema == "nosnoop.doctor/1"'
rows=$(grep -c '^	PROBE("' src/probes.c)
holds "[.checks[] | select(.kind == \"probe\")] | length == $rows and $rows > 20"
holds '[.checks[] | select(.kind == "probe")] | all(has("name") and has("detail") and has("feature"))'
holds '[.checks[] | select(.status == "missing")] | all((.detail | length) > 0)'
holds '(.result.exit_code == 0) == ([.checks[] | select(.status | IN("missing", "unchecked"))] == [])'
holds ".result.exit_code == $status"

# a kernel that does not run here; one without anything is refused
mkdir "$work/empty"
ask doctor --btf "$work/empty"
exits 2
if [ -r /sys/kernel/btf/vmlinux ]; then
	mkdir "$work/kernel"
	cp /sys/kernel/btf/vmlinux "$work/kernel/"
	ask doctor --btf "$work/kernel" --format json
	[ "$status" = 0 ] || [ "$status" = 3 ] || exits 0
	holds '.from != null and .kernel == null and ([.checks[] | select(.kind == "privilege")] == [])'
	holds '[.checks[] | select(.kind == "accessor" and .name == "nsn_file_release") | .status] == ["ok"]'
	holds "[.checks[] | select(.kind == \"probe\")] | length == $rows"
fi
answered
