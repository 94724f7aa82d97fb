#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU: probes that the kernel refuses to attach.
# patience: 900
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=off
# qemu: -device edu,addr=2
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

# doctor [OPTION...]: it exits with 3 if something is missing
doctor() {
	local code=0
	"$LAB_BUILD/nosnoop" doctor --format json "$@" || code=$?
	[ "$code" -eq 0 ] || [ "$code" -eq 3 ]
}

# a_round PROBES: of them (JSON) none can be attached now: their functions are so crowded that the kernel
# takes no program more. What trace and top make of it, and what doctor foretells, is a line of found.
a_round() {
	local functions crowd
	read -ra functions < <(jq -r 'map(.function) | join(" ")' <<<"$1")
	"$LAB_TOOLS/crowd" "${functions[@]}" >/run/cell/crowd &
	crowd=$!
	echo "$crowd" >>/run/cell/pids
	until [ "$(wc -l </run/cell/crowd)" -eq "${#functions[@]}" ]; do
		kill -0 "$crowd"
		pause 0.1
	done
	cat /run/cell/crowd >>"$CELL/crowds"
	"$LAB_BUILD/nosnoop" trace --event probe --duration 1s --format json >/run/cell/off.jsonl
	COLUMNS=400 "$LAB_BUILD/nosnooptop" -b -n 1 >/run/cell/frame
	kill "$crowd"
	wait "$crowd" || :
	doctor --without "$(jq -r 'map(.name) | join(",")' <<<"$1")" >/run/cell/foretold.json
	jq -cn --argjson made "$1" --slurpfile trace /run/cell/off.jsonl --rawfile top /run/cell/frame \
		--slurpfile doctor /run/cell/foretold.json '
		{made: $made | map([.name, .feature]) | sort,
		 doctor: [$doctor[0].checks[] | select(.kind == "probe" and .status == "missing") | [.name, .feature]] | sort,
		 trace: [$trace[] | select((.attached or .absent) | not) | [.probe, (.reason | split(": ")[0])]] | sort,
		 otherwise: [$trace[] | select((.attached or .absent) | not) | .reason | select(contains("E2BIG") | not)],
		 top: $top | [capture("off: (?<names>[a-z_, ]*)").names | gsub(" "; "") | splits(",")] | sort
		}' >>"$CELL/found.jsonl"
}

# Each probe that doctor finds attachable is refused by the kernel once: of each feature one at a time, so
# that what names the feature then is this one
cell_probe_fails() {
	local probes
	load_all
	doctor >/run/cell/doctor.json
	probes=$(jq -c '[.checks[] | select(.kind == "probe" and .status == "ok") |
		{name, feature, function: (.detail | split(" ")[1])}]' /run/cell/doctor.json)
	while read -r round; do
		a_round "$round"
	done < <(jq -c 'group_by(.feature) | . as $all | range(map(length) | max) as $i |
		[$all[][$i] // empty]' <<<"$probes")
	var probes "$(jq -c 'map(.name) | sort' <<<"$probes")"
	var found "$(jq -cs . "$CELL/found.jsonl")"
	audit
}

run_cells
