#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# fleet.sh: what is shipped in tools/deploy, held against what reads it: Prometheus rules and alerts by
# promtool, units by systemd-analyze, the dashboard's queries and the alerts by a real Prometheus that
# scrapes exporters run on recordings, manifests and image file by what must hold of them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$TOP"
deploy=tools/deploy
EXPOSURE_MOST=2.5

for program in nosnoop nosnooptop nosnoop-exporter; do
	[ -x "$BUILD/$program" ] || { echo "$BUILD/$program is missing: run make first" >&2; exit 2; }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# skip COUNT WHAT WHY
skip() {
	skipped=$((skipped + $1))
	echo "skip  $2: $3"
}

# quietly COMMAND...: its output only if it fails
quietly() { "$@" >"$work/output" 2>&1 || { cat "$work/output"; echo "exit code $?"; }; }

# ---- Prometheus ----

# An alert that pages somebody without a word of what to do is worse than none.
annotated() {
	python3 - "$deploy/prometheus/nosnoop.alerts.yml" <<-'END'
		import sys, yaml
		for group in yaml.safe_load(open(sys.argv[1]))["groups"]:
		    for rule in group["rules"]:
		        for name in ("summary", "description", "runbook_url"):
		            if not rule.get("annotations", {}).get(name):
		                print(rule["alert"], "has no", name)
		        severity = rule.get("labels", {}).get("severity")
		        if severity not in ("critical", "warning", "info", "{{ $labels.severity }}"):
		            print(rule["alert"], "has no severity")
	END
}
# slugs FILE: the anchors of its headings, as they are made from them
slugs() { sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'; }
runbooks() {
	local file anchor
	grep -oE 'runbook_url: [^ ]+' "$deploy/prometheus/nosnoop.alerts.yml" | sed 's/.*: //' | sort -u |
		while IFS='#' read -r file anchor; do
			if [ ! -f "$file" ]; then
				echo "$file is not there"
			elif [ -n "$anchor" ] && ! slugs "$file" | grep -qxF -- "$anchor"; then
				echo "$file has no heading of the anchor $anchor"
			fi
		done
}
# Each alert has a test in which it fires and one in which it does not.
tested() {
	local alert tests=tests/fleet/alerts.test.yml
	sed -n 's/^ *- alert: //p' "$deploy/prometheus/nosnoop.alerts.yml" | while read -r alert; do
		grep -qE "eval_time: [0-9a-z]+, alertname: $alert\}" $tests || echo "$alert is never silent in a test"
		grep -A1 -E "^ *alertname: $alert$" $tests | grep -q exp_alerts || echo "$alert never fires in a test"
	done
}
config() {
	cp "$deploy"/prometheus/*.yml "$work" && echo '[]' >"$work/nosnoop.targets.yml"
	quietly promtool check config "$work/prometheus.yml"
}
check "each alert has severity, summary, description, runbook" annotated
check "runbooks lead somewhere" runbooks
check "each alert has its tests" tested
if command -v promtool >/dev/null; then
	check "promtool check rules" quietly promtool check rules "$deploy"/prometheus/nosnoop.{rules,alerts}.yml
	check "promtool check config" config
	check "promtool test rules: recording rules" quietly promtool test rules tests/fleet/recording.test.yml
	check "promtool test rules: alerts" quietly promtool test rules tests/fleet/alerts.test.yml
else
	skip 4 "rules" "promtool is not installed (make deps)"
fi

# ---- units ----

exposure_of() {
	local unit=$1 exposure
	exposure=$(systemd-analyze security --no-pager --offline=true "$unit" | tee "$work/security" |
		sed -n 's/.*Overall exposure level for .*: \([0-9.]*\) .*/\1/p')
	echo "  $(basename "$unit"): exposure ${exposure:-unknown}, at most $EXPOSURE_MOST" >&3
	[ -n "$exposure" ] || cat "$work/security"
	awk -v is="${exposure:-10}" -v most=$EXPOSURE_MOST 'BEGIN { exit is > most }' || grep '✗' "$work/security"
}
# What the units start is not installed here; everything else that verify says is wrong.
verify() {
	mkdir -p "$work/units"
	sed "s|/usr/sbin/|$work/units/|; /^Documentation=/d" "$1" >"$work/units/$(basename "$1")"
	printf '#!/bin/sh\n' | tee "$work/units/nosnoop" >"$work/units/nosnoop-exporter"
	chmod +x "$work"/units/nosnoop{,-exporter}
	SYSTEMD_UNIT_PATH="$work/units:" systemd-analyze verify --man=false "$work/units/$(basename "$1")" 2>&1 || :
}
# The collector reads what these would hide; the exporter would start, and see next to nothing.
hides() { grep -nE '^(ProtectKernelTunables|ProtectKernelLogs|PrivateUsers|ProtectProc|ProcSubset)=' "$1"; }
exec 3>&1
units=("$deploy"/systemd/*.service "$deploy"/systemd/*.socket "$deploy"/systemd/*.timer)
if command -v systemd-analyze >/dev/null; then
	mkdir -p "$work/units" && cp "${units[@]}" "$work/units"
	for unit in "${units[@]}"; do
		check "systemd-analyze verify $unit" verify "$unit"
	done
	for unit in "$deploy"/systemd/*.service; do
		check "systemd-analyze security $unit" exposure_of "$unit"
		check "$unit hides nothing that is read" hides "$unit"
	done
else
	skip $((${#units[@]} + 4)) "units" "systemd-analyze is not installed (make deps)"
fi

# ---- dashboard, manifests, image ----

capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$deploy/systemd/nosnoop-exporter.service" | sed 's/CAP_//g')
manifests() {
	# shellcheck disable=SC2086 # a list
	"$deploy/kubernetes/prometheusrule.sh" | tests/fleet/manifests.py "$deploy/kubernetes" $capabilities
}
rule_resource() {
	"$deploy/kubernetes/prometheusrule.sh" | python3 -c 'import sys, yaml
print(yaml.safe_dump({"groups": yaml.safe_load(sys.stdin)["spec"]["groups"]}))' >"$work/resource.yml"
	quietly promtool check rules "$work/resource.yml"
}
check "dashboard: structure and names" tests/fleet/dashboard.py "$deploy/grafana/nosnoop.json" docs/metrics.md \
	"$deploy/prometheus/nosnoop.rules.yml"
check "Kubernetes manifests" manifests
if command -v promtool >/dev/null; then
	check "PrometheusRule" rule_resource
else
	skip 1 "PrometheusRule" "promtool is not installed (make deps)"
fi

# The packages that the programs are linked with are those that the image installs.
image_packages() {
	local listed package needed
	listed=$(tr -d '\\\n' <"$deploy/container/Containerfile" |
		sed 's/.*--no-install-recommends *\([a-z0-9 .-]*\) && *rm.*/\1/')
	needed=$(readelf -d "$BUILD/nosnoop-exporter" "$BUILD/nosnoop" "$BUILD/nosnooptop" |
		sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | sort -u | while read -r library; do
		dpkg-query -S "*/$library" 2>/dev/null | sed -n '1s/[:,].*//p'
	done | sort -u | grep -v '^libc6$')
	for package in $needed; do
		[[ " $listed " == *" $package "* ]] || echo "$package is linked and not in the Containerfile"
	done
	for package in $listed; do
		grep -qxF "$package" <<<"$needed" || echo "$package is in the Containerfile and not linked"
	done
}
if command -v dpkg-query >/dev/null; then
	check "the image has what the programs need" image_packages
else
	skip 1 "the image" "no dpkg here"
fi

# ---- a fleet ----

if command -v prometheus >/dev/null; then
	if tests/fleet/demo.sh --short --check tests/fleet/ask.sh >"$work/demo" 2>&1; then
		pass
	else
		fail "tests/fleet/demo.sh --short"
	fi
	sed 's/^/  /' "$work/demo"
else
	skip 1 "a fleet" "prometheus is not installed (make deps)"
fi
finish
