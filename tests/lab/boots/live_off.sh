#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU without snoop control, seen by nosnoop trace.
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=off
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

A=0000:00:02.0 B=0000:00:03.0

setup() {
	load_all
	bind "$A" "$B"
	a=$(group_of "$A") b=$(group_of "$B")
	var a "$a"
	var b "$b"
}

# wait_for_probe NAME: until the running trace has told that it is attached
wait_for_probe() {
	local i
	for ((i = 0; i < 600; i++)); do
		! grep -qE "\"probe\": ?\"$1\".*\"attached\": ?true" /run/cell/trace.jsonl || return 0
		sleep 0.1
	done
	echo "the probe $1 was not attached" >&2
	return 1
}

# The modules come after the tool; each of them is followed
cell_trace_modules_later() {
	[ ! -d /sys/module/kvm ] || skip_cell "kvm is loaded already"
	trace_start --event probe,vm_create,group_attach,device_register
	load kvm kvm_amd
	wait_for_probe wbinvd
	load vfio vfio_iommu_type1 vfio_pci
	wait_for_probe device_register
	wait_for_probe group_attach
	bind "$A"
	a=$(group_of "$A")
	var a "$a"
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" map:16M
	trace_stop
	audit
}

# Both edges of a group that is added and removed while the VM runs, and each WBINVD between
cell_trace_edges() {
	setup
	trace_start
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A" "add:$a"
	count_wbinvd web1 1000
	audit
	step web1 "del:$a"
	step web1 run:10
	step web1 "add:$a"
	vm_end web1
	trace_stop
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
	sleep 1
	step web1 run:20
	wait "$pid"
	var above_100_seconds "$(wc -l </run/cell/none.jsonl)"
	audit
}

# The room for events is one page: losses are counted and told, and snapshots are right
cell_trace_small_buffer() {
	setup
	trace_start --buffer 4096 --event all
	kill -STOP "$TRACE_PID"
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A" run:200
	kill -CONT "$TRACE_PID"
	audit
	trace_stop 3
}

# Killed in the middle: nothing stays behind
cell_trace_killed() {
	setup
	bpf_ids() { { { bpftool prog show; bpftool map show; bpftool link show; } 2>/dev/null |
		grep -o '^[0-9]*:' || :; } | sort; find /sys/fs/bpf -mindepth 1; }
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A" spin
	audit
	bpf_ids >/run/cell/before
	local i ok=true during=0
	for i in 1 2 3; do
		trace_start --event all
		during=$(bpf_ids | wc -l)
		kill -9 "$TRACE_PID"
		wait "$TRACE_PID" || :
		sleep 5
		bpf_ids >/run/cell/after
		cmp /run/cell/before /run/cell/after || ok=false
	done
	var during "$during"
	var same "$ok"
}

# Kprobes only: modules can be unloaded while it runs
cell_trace_no_pin() {
	setup
	trace_start --no-pin
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A" run:1000
	audit
	vm_end web1
	sleep 1
	var kvm_amd_users "$(cat /sys/module/kvm/refcnt)"
	modprobe -r -d "$LAB_KDIR" vfio_iommu_type1 && var removed true
	trace_stop 3
	load vfio_iommu_type1
}

run_cells
