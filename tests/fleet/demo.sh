#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# demo.sh [--short] [--vms N] [--check COMMAND...]: a fleet on loopback. A real Prometheus, with the
# configuration, rules and alerts that are shipped, scrapes one nosnoop-exporter a host; the hosts are
# recordings (multiply.py says what is changed in them) and, as the last, this machine as an ordinary
# user sees it. Prints which VM on which host is unsafe, which alerts fire, and what it all costs.
#
#   --short    a fleet of some 15 hosts: the test
#   --vms N    hosts of coherent VMs have N of them, not 10 or 100: to see what they cost
#   --check    runs COMMAND once all alerts fire, with the Prometheus's address behind it
#
# Needs prometheus, curl, jq and python3; no root, no network but loopback. Whatever it starts it ends,
# and it gives up after some minutes. Exit: 0 all as it should be, 1 something is not.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../lib.sh
. "$(dirname "$0")/../lib.sh"
cd "$TOP"

short='' vms='' check=() interval=5 patience=120
while [ $# -gt 0 ]; do
	case $1 in
	--short) short=1 interval=3 ;;
	--vms) vms=$2 && shift ;;
	--check) check=("${@:2}") && break ;;
	*) sed -n '3,16s/^# \?//p' "$0" >&2; exit 2 ;;
	esac
	shift
done
for tool in prometheus curl jq python3; do
	command -v "$tool" >/dev/null || { echo "demo.sh: $tool is not installed (make deps)" >&2; exit 2; }
done

work=$(mktemp -d) pids=()
stop() {
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || :
	wait 2>/dev/null || :
	rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM
die() { echo "demo.sh: $*" >&2; exit 1; }

# The fleet: hosts of the whole one, hosts of the short one, arguments of multiply.py.
f=tests/fixtures
fleet="
 4  1 --times ${vms:-100} --live $f/6.1-snoop_on.jsonl
26  4 --times ${vms:-10} --live $f/6.1-snoop_on.jsonl
 6  1 --live $f/7.3-nobody.jsonl
 4  1 --live $f/7.3-qemu.jsonl
 1  1 --live --seconds 600 $f/live/flushes.jsonl
 1  0 --live $f/7.3-no_kvm_vfio.jsonl
 1  1 --live $f/6.1-unattached.jsonl
 1  1 $f/unprivileged.jsonl
 1  1 --live $f/7.3-mixed_domains.jsonl
 1  1 --live $f/hostile-names.jsonl
 1  1 --live $f/6.12-two_vms.jsonl
 1  0 --live $f/6.1-add_before_container.jsonl
 1  1 --live $f/6.1-snoop_on.jsonl"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("0.0.0.0", 0)); print(s.getsockname()[1])')
here=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$here
hosts=0

# start_exporter NAME ARGUMENT...: one host, at an address of its own
start_exporter() {
	local name=$1 address=127.0.50.$hosts:$port
	shift
	"$@" --web.listen-address "$address" >"$work/$name.log" 2>&1 &
	pids+=($!)
	last=$!
	printf -- '- {targets: ["%s"], labels: {instance: %s}}\n' "$address" "$name" >>"$work/nosnoop.targets.yml"
}

start_hosts() {
	local whole few arguments count name
	while read -r whole few arguments; do
		count=${short:+$few}
		for ((i = 0; i < ${count:-$whole}; i++)); do
			hosts=$((hosts + 1))
			name=$(printf 'hv-%03d' "$hosts")
			# shellcheck disable=SC2086 # arguments of several words
			tests/fleet/multiply.py --host "$name" $arguments >"$work/$name.jsonl"
			start_exporter "$name" "$BUILD/nosnoop-exporter" --replay "$work/$name.jsonl"
		done
	done < <(grep . <<<"$fleet")
	gone_pid=$last
	# Nobody's eyes: as root, become nobody, who may not come where the build lies.
	hosts=$((hosts + 1))
	if [ "$(id -u)" = 0 ]; then
		cp "$BUILD/nosnoop-exporter" "$work/exporter" && chmod 0755 "$work" "$work/exporter"
		start_exporter here setpriv --reuid 65534 --regid 65534 --clear-groups "$work/exporter"
	else
		start_exporter here "$BUILD/nosnoop-exporter"
	fi
}

# A host that comes later and changes: Prometheus sees it before and after.
start_late_host() {
	local name=late arguments="--live $f/6.1-snoop_on.jsonl@0 $f/6.1-add_before_iommu.jsonl@$((interval * 5))"
	hosts=$((hosts + 1))
	# shellcheck disable=SC2086
	tests/fleet/multiply.py --host "$name" $arguments >"$work/$name.jsonl"
	start_exporter "$name" "$BUILD/nosnoop-exporter" --replay "$work/$name.jsonl"
}

start_prometheus() {
	sed "s/^\( *\(scrape\|evaluation\)_interval:\).*/\1 ${interval}s/; s/^\( *scrape_timeout:\).*/\1 ${interval}s/" \
		tools/deploy/prometheus/prometheus.yml >"$work/prometheus.yml"
	printf '  - job_name: prometheus\n    static_configs: [{targets: ["%s"]}]\n' "${url#*//}" \
		>>"$work/prometheus.yml"
	cp tools/deploy/prometheus/nosnoop.rules.yml "$work"
	# Nobody waits for a quarter of an hour here.
	sed 's/^\( *\(for\|keep_firing_for\):\) .*/\1 1s/' tools/deploy/prometheus/nosnoop.alerts.yml \
		>"$work/nosnoop.alerts.yml"
	prometheus --config.file "$work/prometheus.yml" --storage.tsdb.path "$work/tsdb" \
		--web.listen-address "${url#*//}" --log.level warn >"$work/prometheus.log" 2>&1 &
	pids+=($!)
	prometheus_pid=$!
}

# query EXPR: its result, as JSON
query() { curl -sS -m 20 --data-urlencode "query=$1" "$url/api/v1/query" | jq '.data.result'; }
# number EXPR: the one number it gives
number() { query "$1" | jq -r '.[0].value[1] // "none"'; }
# give_up WHY: with what the programs said
give_up() {
	tail -qn 3 "$work"/*.log >&2
	echo "firing: $(firing | tr '\n' ' ')" >&2
	die "$1"
}
# wait_for WHAT COMMAND...: until it succeeds
wait_for() {
	local what=$1 end=$((SECONDS + patience)) pid
	shift
	until "$@"; do
		for pid in "${pids[@]}"; do
			kill -0 "$pid" 2>/dev/null || give_up "$what: a program ended"
		done
		[ $SECONDS -lt $end ] || give_up "$what: waited $patience s"
		sleep 0.5
	done
}
ready() { curl -sf -m 5 -o "$work/answer" "$url/-/ready"; }
all_up() { [ "$(number 'sum(up{job="nosnoop"})')" = "$hosts" ]; }
alerts=(CollectorFailed EventsLost ExporterDown FactsUnknown InterruptsNotIsolated ProbeNotAttached RuleFailed
	RuleUnknown VMNonCoherent VMTurnedNonCoherent VMUnsafe WbinvdStorm)
firing() { query 'count by (alertname) (ALERTS{alertstate="firing"})' | jq -r '.[].metric.alertname' | sort; }
all_fire() { ! comm -23 <(printf 'Nosnoop%s\n' "${alerts[@]}") <(firing) | grep -q .; }
# Two scrapes later rates are there, and the fleet's rules have seen the last host.
settled() { [ "$(number 'count(instance_vm:nosnoop_vm_wbinvd_executed:rate5m)')" != none ]; }

table() { column -t -s $'\t' | sed 's/^/  /'; }
start=$SECONDS
start_hosts
start_prometheus
wait_for "Prometheus" ready
wait_for "scrapes of all $hosts hosts" all_up
start_late_host
wait_for "a scrape of the host that came later" all_up
kill "$gone_pid"
wait "$gone_pid" || :
for i in "${!pids[@]}"; do
	[ "${pids[i]}" != "$gone_pid" ] || unset "pids[i]"
done
wait_for "alerts ${alerts[*]}" all_fire
wait_for "rates" settled
echo "$hosts hosts, Prometheus $(number 'prometheus_build_info' >/dev/null && curl -sS "$url/api/v1/status/buildinfo" |
	jq -r .data.version); all alerts fire after $((SECONDS - start)) s (each \"for:\" cut to 1 s)"

unsafe='instance_vm_verdict:nosnoop_vm_verdict:bad{verdict="unsafe"}'
echo
echo "Which VM on which host is unsafe?"
echo "  $unsafe"
query "$unsafe" | jq -r '.[] | [.metric.instance, .metric.vm] | @tsv' | sort | tee "$work/unsafe" | table
# What nosnoop audit says of each recording is the other opinion.
for recording in "$work"/*.jsonl; do
	"$BUILD/nosnoop" audit --format json --replay "$recording" 2>/dev/null |
		jq -r --arg host "$(basename "$recording" .jsonl)" '.vms[] | select(.verdict == "unsafe") | $host' || :
done | sort >"$work/audited"
cut -f 1 "$work/unsafe" | diff "$work/audited" - >"$work/differ" ||
	die "nosnoop audit of the recordings says otherwise (<): $(cat "$work/differ")"
[ -s "$work/unsafe" ] || die "nobody is unsafe"
echo
echo "How many hosts' answers are not complete, and why?"
echo "  count by (cause) (instance_cause:nosnoop_sight:blind)    up{job=\"nosnoop\"} == 0"
{
	query 'count by (cause) (instance_cause:nosnoop_sight:blind)' | jq -r '.[] | [.metric.cause, .value[1]] | @tsv'
	query 'count(up{job="nosnoop"} == 0)' | jq -r '.[] | ["do not answer", .value[1]] | @tsv'
} | sort | table
echo
echo "Alerts that fire"
query 'sort(count by (severity, alertname) (ALERTS{alertstate="firing"}))' |
	jq -r '.[] | [.metric.severity, .metric.alertname, .value[1]] | @tsv' | sort | table
echo
echo "What it costs"
milliseconds() {
	curl -sS -o "$work/answer" -w '%{time_total}' -m 20 --data-urlencode "query=$1" "$url/api/v1/query" |
		awk '{ printf "%.1f", $1 * 1000 }'
}
bytes() { curl -sS -m 20 "$@" "http://127.0.50.1:$port/metrics" | wc -c; }
of_vms=$(number 'count(nosnoop_vm_info{instance="hv-001"})')
rss=$(awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$prometheus_pid/status")
head=$(number prometheus_tsdb_head_series)
job='{job="nosnoop"}'
without_vms="min((scrape_samples_scraped$job unless on (instance) nosnoop_vm_info) > 0)"
of_a_vm='count({__name__=~"nosnoop_(vm|domain|group|device).*",instance="hv-001"})
	/ scalar(count(nosnoop_vm_info{instance="hv-001"}))'
{
	printf 'hosts that answer, VMs\t%s, %s\n' "$(number "sum(up$job)")" "$(number 'count(nosnoop_vm_info)')"
	printf 'series of all exporters\t%s\n' "$(number "sum(scrape_samples_scraped$job)")"
	printf 'series of a host without VMs\t%s\n' "$(number "$without_vms")"
	printf 'series of a coherent VM, its device, group and domain\t%s\n' "$(number "$of_a_vm")"
	printf 'a scrape of hv-001 (%s VMs)\t%s bytes plain, %s gzip\n' "$of_vms" "$(bytes)" "$(bytes -H 'Accept-Encoding: gzip')"
	printf 'time of a scrape, mean and longest\t%.1f ms, %.1f ms\n' \
		"$(number 'avg(avg_over_time(scrape_duration_seconds{job="nosnoop"}[30s])) * 1000')" \
		"$(number 'max(max_over_time(scrape_duration_seconds{job="nosnoop"}[30s])) * 1000')"
	printf 'memory of an exporter, mean\t%.1f MB\n' "$(number 'avg(process_resident_memory_bytes{job="nosnoop"}) / 1e6')"
	printf 'Prometheus: series in memory\t%s\n' "$head"
	printf 'Prometheus: resident memory\t%.1f MB, %.0f bytes a series\n' "$((rss / 1000))e-3" "$((rss / head))"
	printf 'the fleet query; the same of all VMs\t%s ms, %s ms\n' "$(milliseconds "$unsafe")" \
		"$(milliseconds 'nosnoop_vm_verdict{verdict="unsafe"} == 1')"
} | table

[ ${#check[@]} -eq 0 ] || "${check[@]}" "$url"
