#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU without snoop control, seen by nosnoop trace.
# patience: 900
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=off
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

A=0000:00:02.0 B=0000:00:03.0

setup() {
	load_all
	bind "$A" "$B"
	name_groups "$A" "$B"
}

# wait_for_probe NAME [absent]: until the running trace has told that it is attached, or has nothing
# to be attached to
wait_for_probe() {
	await /run/cell/trace.jsonl "\"probe\": ?\"$1\".*\"${2:-attached}\": ?true" "$TRACE_PID"
}

# The modules come after the tool; each of them is followed
cell_trace_modules_later() {
	[ ! -d /sys/module/kvm ] || skip_cell "kvm is loaded already"
	forecast # with neither KVM nor VFIO there: it must hold all the same
	trace_start --event probe,vm_create,group_attach,device_register
	top_start
	load vfio vfio_iommu_type1 vfio_pci
	wait_for_probe device_register
	wait_for_probe group_attach
	load kvm
	wait_for_probe wbinvd
	# the vendor's module tells whether WBINVD exits; by now kvm has been followed without it
	pause 3
	load kvm_amd
	bind "$A"
	name_groups "$A"
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" map:16M
	top_until '.vms[0].guest_wbinvd == "executed"'
	top_stop
	trace_stop
	audit
}

# Both edges of a group that is added and removed while the VM runs, and each WBINVD between
cell_trace_edges() {
	setup
	trace_start
	top_start --snapshot-interval 1s
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A" "add:$a"
	count_wbinvd web1 1000
	audit
	top_until '.vms[0].verdict == "noncoherent"'
	step web1 "del:$a"
	step web1 run:10
	top_until '.vms[0].verdict == "unsafe"'
	step web1 "add:$a"
	top_until '.vms[0].verdict == "noncoherent"'
	top_stop
	vm_end web1
	trace_stop
}

# One probe of a feature is off: what it would show is told from snapshots, the rest as ever; of a
# recording too, which ends with a whole machine. Nothing is unknown for being recorded.
cell_trace_one_probe_off() {
	local again=/run/cell/again.jsonl
	setup
	trace_start --without domain_free --record "$CELL/recorded"
	top_start --snapshot-interval 1s --record "$CELL/top_recorded"
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A" "add:$a"
	audit
	top_until '.vms[0].verdict == "noncoherent"'
	pause 2
	top_stop
	vm_end web1
	trace_stop 3
	"$LAB_BUILD/nosnoop" trace -v --replay "$CELL/recorded" --format json >$again 2>/run/cell/again.err
	var again "$(jq -cs '[.[] | select(.event == "domain_alloc" or .event == "domain_free") | [.event, .basis]]
		| unique' $again)"
	"$LAB_BUILD/nosnoop" audit --replay "$CELL/recorded" >/dev/null 2>>/run/cell/again.err
	var warnings "$(wc -l </run/cell/again.err)"
}

# Two VMs that flush at different rates
cell_trace_two_rates() {
	setup
	top_start --snapshot-interval 1s
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A" "add:$a"
	vm db1 vm kvm-vfio vcpu container "group:$b" "set-container:$b" set-iommu map:16M \
		"device:$B" "add:$b"
	count_begin
	step db1 spin:50000
	step web1 spin
	audit
	top_frames 4
	spun web1
	spun db1
	count_end
	top_stop
}

# One line each, with its time; short ones can be left out
cell_trace_wbinvd() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	trace_start --event wbinvd --vm web1 --count 50
	step web1 run:100
	wait "$TRACE_PID"
	cp /run/cell/trace.jsonl "$CELL"
	"$LAB_BUILD/nosnoop" trace --event wbinvd --min-us 100000000 --duration 2s --format json \
		>/run/cell/none.jsonl 2>/dev/null &
	local pid=$!
	pause 1
	step web1 run:20
	wait "$pid"
	var above_100_seconds "$(wc -l </run/cell/none.jsonl)"
	audit
}

# A file of some time: what happened in it is told, shown and judged from the file alone
cell_record_over_time() {
	local pid i
	setup
	"$LAB_BUILD/nosnoop" record -v --duration 10m --snapshot-interval 2s /run/cell/long.jsonl \
		2>/run/cell/record.err &
	pid=$!
	echo "$pid" >>/run/cell/pids
	# its first snapshots: the probes are attached by then
	for ((i = 0; i < 600; i++)); do
		[ "$(cat /run/cell/.nosnoop-* | grep -c '"rec":"end"')" -lt 2 ] || break
		pause 0.1
	done
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A" "add:$a"
	step web1 spin:20000
	# rules that look back have seen it for long enough
	pause 25
	spun web1
	audit
	step web1 "del:$a"
	pause 3
	kill -TERM "$pid"
	local code=0
	wait "$pid" || code=$?
	var record_exit "$code"
	cp /run/cell/record.err /run/cell/long.jsonl "$CELL"
	"$LAB_BUILD/nosnoop" trace --replay /run/cell/long.jsonl --format json >"$CELL/trace.jsonl"
	"$LAB_BUILD/nosnooptop" -b --format json --speed 0 --replay /run/cell/long.jsonl >"$CELL/top.jsonl"
	"$LAB_BUILD/nosnoop" audit --replay /run/cell/long.jsonl --format json >/run/cell/last.json || :
	var snapshots "$(grep -c '"rec":"end"' /run/cell/long.jsonl)"
	var last "$(jq -c '{verdicts: [.vms[].verdict], ns001: any(.findings[]; .rule == "NS001"),
		needs_events: [.rules[] | select(.outcome == "needs_events")] | length}' /run/cell/last.json)"
}

# As if every entry into a WBINVD were missed: a guest's flush is never taken for one of the host's own
cell_trace_missed_entry() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	trace_start --without wbinvd,wbinvd_emulated --event host_flush
	top_start --without wbinvd,wbinvd_emulated --record /run/cell/top.record
	count_wbinvd web1 50
	top_stop
	trace_stop
	"$LAB_BUILD/nosnoop" trace --replay /run/cell/top.record --event host_flush --format json \
		>/run/cell/replayed
	var recorded "$(jq -cs 'map(.initiator)' /run/cell/replayed)"
	audit
}

# The room for events is one page: losses are counted and told, and snapshots are right
cell_trace_small_buffer() {
	local text
	setup
	"$LAB_BUILD/nosnoop" trace --buffer 4096 --event all >/run/cell/text 2>/dev/null &
	text=$!
	echo "$text" >>/run/cell/pids
	top_start --ring-size 4096 --snapshot-interval 1s
	trace_start --buffer 4096 --event all
	await /run/cell/text host_flush "$text"
	kill -STOP "$TRACE_PID" "$TOP_PID" "$text"
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A" run:200
	# what of state is lost for nosnooptop, which is not told of each WBINVD
	step web1 switch:30
	kill -CONT "$TRACE_PID" "$TOP_PID" "$text"
	audit
	top_until '.vms[0].verdict == "noncoherent" and .vms[0].wbinvd.exits == 200'
	top_stop
	trace_stop 3
	kill -INT "$text"
	wait "$text" || :
	cp /run/cell/text "$CELL/trace.text"
	var told "$(grep -c ' lost ' /run/cell/text || :)"
}

# Kprobes only: modules can be unloaded while they run
cell_trace_no_pin() {
	local module
	setup
	[ -e /sys/module/kvm/initstate ] || skip_cell "kvm is built in"
	trace_start --no-pin
	top_start --no-pin
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A" run:1000
	audit
	vm_end web1
	for module in vfio_iommu_type1 kvm_amd kvm; do
		modprobe -r -d "$LAB_KDIR" $module || :
		[ -d /sys/module/$module ] || echo "$module"
	done >/run/cell/removed
	var removed "$(jq -Rnc '[inputs]' /run/cell/removed)"
	wait_for_probe wbinvd absent
	trace_stop
	top_stop
	load_all
}

# ask EXPRESSION WANTED: what Prometheus answers, once it is that, or after two minutes
ask() {
	local i answer
	for ((i = 0; i < 120; i++)); do
		answer=$(curl -sfG --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query |
			jq -r '[.data.result[].value[1]] | join(" ")') || answer=
		[ "$answer" != "$2" ] || break
		pause 1
	done
	echo "\"$answer\""
}

# A real Prometheus gets the exact count; a VM that ends is gone at the next scrape
cell_export() {
	command -v prometheus >/dev/null || skip_cell "prometheus is not installed"
	setup
	ip link set lo up
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	exporter_start
	var caps "\"$(awk '/^CapEff/ { print $2 }' "/proc/$EXPORTER_PID/status")\""
	printf 'scrape_configs:\n- job_name: nosnoop\n  scrape_interval: 2s\n  static_configs:\n' >/run/cell/prometheus.yml
	printf '  - targets: ["127.0.0.1:10953"]\n' >>/run/cell/prometheus.yml
	prometheus --config.file=/run/cell/prometheus.yml --storage.tsdb.path=/run/cell/tsdb \
		--web.listen-address=127.0.0.1:9090 >"$CELL/prometheus.log" 2>&1 &
	echo "$!" >>/run/cell/pids
	var up "$(ask up 1)"
	count_wbinvd web1 500
	var executed "$(ask 'nosnoop_vm_wbinvd_exits_total{vm="web1",outcome="executed"}' 500)"
	var timed "$(ask 'nosnoop_vm_wbinvd_duration_seconds_count{vm="web1"}' 500)"
	var guest "$(ask 'nosnoop_host_cache_flushes_total{initiator="guest"}' 500)"
	var verdict "$(ask 'count by (verdict) (nosnoop_vm_verdict{verdict="noncoherent"} == 1)' 1)"
	audit
	vm_end web1
	var left "$(curl -sf http://127.0.0.1:10953/metrics | grep -c 'vm="web1"' || :)"
	var gone "$(ask 'nosnoop_vm_info' '')"
	var guest_after "\"$(metric 'nosnoop_host_cache_flushes_total{initiator="guest"}')\""
	kill "$EXPORTER_PID"
	local code=0
	wait "$EXPORTER_PID" || code=$?
	var ended "$code"
	exporter_start
	vm web2 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A" run:7
	var anew "\"$(metric 'nosnoop_vm_wbinvd_exits_total{vm="web2",outcome="executed"}')\""
	var lost "\"$(metric nosnoop_events_lost_total)\""
}

run_cells
