#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# export.sh: what a scrape costs. A recording with 1,000 VMs of which 50 have flushed, made of one of
# the fixtures, is served on its own; and this host's real VMs are, if there is /dev/kvm. Prints a
# Markdown table; figures never fail. Needs curl and jq; real VMs need root.
set -euo pipefail
build=${BUILD:-build}
vms=${BENCH_EXPORT_VMS:-1000}
rounds=${BENCH_EXPORT_ROUNDS:-100}
quiet=${BENCH_EXPORT_QUIET:-60}
port=$((30000 + $$ % 10000))
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || :; rm -rf "$work"' EXIT

# A host with many VMs, each with a name and a uuid, of which the first 50 flush.
recording() {
	jq -nc --argjson n "$1" '
	def uuid: "00000000-7b9d-4c55-8f5e-" + (("000000000000" + (. * 2654435761 % 1000000000000 | tostring))[-12:]);
	def source($name): {rec: "source", state: 0, name: $name[], reason: ""};
	{schema: "nosnoop.record/1", tool_version: "bench"},
	{rec: "host", taken_at: 1795413600000000000, unsafe_interrupts: 0, unsafe_noiommu: 0,
	 boot_time: 1795400000000000000, ticks_per_second: 100, pid_namespace_initial: 1, hostname: "hv",
	 boot_id: "6e7b1f6e-9a4f-4a3e-8a56-0c5d2a3f9b11", kernel: "6.12", arch: "x86_64", cpu_vendor: "intel"},
	{rec: "kernel", wbinvd_exiting: 1, criterion_capability: 0, interrupt_remapping: 1, vm_list: 1, group_list: 1},
	source(["kernel.files", "kernel.kvm", "kernel.vfio", "kernel.type1", "kernel.iommu", "sysfs.iommu",
	       "sysfs.groups", "sysfs.pci", "proc", "events.wbinvd", "events.vm", "events.host_flush"]),
	(range(1; $n + 1) |
	 {rec: "vm", vm: ., mm: ., creator: (1000 + .), pid: (1000 + .), start_ticks: 50000, fd: 9, vcpus: 4,
	  noncoherent_dma: (if . <= 50 then 1 else 0 end), vm_type: 0, quirks_disabled: 0, kvm_vfio_devices: 0,
	  complete: 1, comm: "qemu-system-x86"},
	 {rec: "process", pid: (1000 + .), start_ticks: 50000, name_source: 0, comm: "qemu-system-x86",
	  name: "instance-\(("0000000" + tostring)[-8:])", uuid: uuid, vmm: "qemu", cgroup: "/machine.slice/x"}),
	(range(1; 51) |
	 {rec: "counter", vm: ., exits: 700, executed: 700, ignored: 0, timed: 700, elapsed_ns: 9000000,
	  bucket0: 10, bucket1: 90, bucket2: 100, bucket3: 400, bucket4: 50, bucket5: 20, bucket6: 10, bucket7: 10,
	  bucket8: 5, bucket9: 5, sampled: 0}),
	{rec: "end", host: 1, kernel: 1, source: 12, vm: $n, process: $n, counter: 50}'
}

ticks() { awk '{ print ($14 + $15) * 1000 / '"$(getconf CLK_TCK)"' }' "/proc/$pid/stat"; }

# measure WHAT ARGUMENT...: serves, scrapes, prints a row
measure() {
	local what=$1 url=http://127.0.0.1:$port/metrics i plain gzip series before cpu each rss times
	shift
	"$build/nosnoop-exporter" --web.listen-address "127.0.0.1:$port" "$@" 2>"$work/err" &
	pid=$!
	until curl -sf "http://127.0.0.1:$port/-/ready" >/dev/null; do
		kill -0 "$pid" || { cat "$work/err" >&2; exit 1; }
		sleep 0.1
	done
	plain=$(curl -s "$url" | wc -c)
	gzip=$(curl -s -H 'Accept-Encoding: gzip' "$url" | wc -c)
	series=$(curl -s "$url" | grep -vc '^#')
	before=$(ticks)
	times=$(for ((i = 0; i < rounds; i++)); do
		curl -s -o /dev/null -H 'Accept-Encoding: gzip' -w '%{time_total}\n' "$url"
	done | sort -n | awk '{ v[NR] = $1 * 1000 } END {
		i = int(NR * 0.99 + 0.999999)
		printf "%.1f | %.1f", v[int((NR + 1) / 2)], v[i] }')
	each=$(awk -v a="$before" -v b="$(ticks)" -v n="$rounds" 'BEGIN { printf "%.1f", (b - a) / n }')
	before=$(ticks)
	sleep "$quiet"
	cpu=$(awk -v a="$before" -v b="$(ticks)" -v s="$quiet" 'BEGIN { printf "%.0f", (b - a) * 60 / s }')
	rss=$(awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$pid/status")
	echo "| $what | $series | $plain | $gzip | $times | $each | $rss | $cpu |"
	kill "$pid"
	wait "$pid" || :
	pid=
}

echo "| VMs | series | bytes | gzip, bytes | scrape p50, ms | p99, ms | CPU each, ms | peak RSS, MiB | CPU a quiet minute, ms |"
echo "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
recording "$vms" >"$work/host.jsonl"
measure "$vms recorded, 50 flush" --replay "$work/host.jsonl"
if [ "$(id -u)" = 0 ] && [ -c /dev/kvm ] && [ -x "$build/tests/manyvms" ]; then
	coproc many { exec "$build/tests/manyvms" "$vms" 30; }
	read -r -t 120 line <&"${many[0]}"
	[ "$line" = ready ] || { echo "bench: VMs could not be made" >&2; exit 1; }
	measure "$vms real, none flushes"
fi
