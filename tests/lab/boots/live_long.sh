#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU without snoop control: what must hold however often it is done. Fewer times unless
# all were asked for (run.sh --full).
# patience: 1800
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=off
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:02.0

setup() {
	load_all
	bind "$A"
	name_groups "$A"
}

passthrough() {
	vm "$1" vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A" "add:$a"
}

# Executed or ignored: the guest flushes on one CPU while the group leaves and comes back on the
# other, in the midst of WBINVDs too; the vCPU moves to the other CPU now and then
cell_trace_switch() {
	setup
	trace_start
	top_start --snapshot-interval 1s
	passthrough web1
	count_begin
	step web1 spin
	step web1 switch:50
	spun web1
	count_end
	audit
	top_stop
	vm_end web1
	trace_stop
}

# VMs in a row, each gone before the next comes, at addresses that others had before
cell_trace_many_vms() {
	local n
	load_all
	n=$(often 100 1000)
	trace_start --event vm_create,vm_destroy,lost
	count_begin
	taskset -c 1 "$LAB_TOOLS/labvm" "churn:$n" >"$CELL/steps.log"
	count_end
	var pids "$(awk '$1 == "vm" { print $2 }' "$CELL/steps.log" | jq -cs .)"
	var n "$n"
	trace_stop 2
	audit
}

# Killed at any moment of its life, nosnoop trace and nosnooptop leave nothing behind
cell_trace_killed() {
	local i n ids=$LAB_TOOLS/bpfids bad=0 most=0 now pid
	setup
	passthrough web1
	step web1 spin:10000
	audit
	n=$(often 6 50)
	# the kernel takes its time with what the audit had
	"$ids" >/run/cell/before
	until pause 2 && "$ids" -w /run/cell/before 0; do
		"$ids" >/run/cell/before
	done
	for ((i = 0; i < n; i++)); do
		if [ $((i % 3)) -eq 0 ]; then
			# in the midst of its start
			"$LAB_BUILD/nosnoop" trace >/dev/null 2>&1 &
			pid=$!
			pause "$((i % 4)).$((i * 7 % 10))"
		elif [ $((i % 2)) -eq 0 ]; then
			trace_start --event all
			pid=$TRACE_PID
		else
			top_start
			pid=$TOP_PID
		fi
		now=$("$ids" | wc -l)
		[ "$now" -le "$most" ] || most=$now
		kill -9 "$pid"
		wait "$pid" || :
		"$ids" -w /run/cell/before 5 >>"$CELL/left" || bad=$((bad + 1))
	done
	step web1 stop
	var kills "$i"
	var n "$n"
	var most "$most"
	var bad "$bad"
}

# in_state STATE: from now on on the way to it; twice: it is reached. race.py reads it.
in_state() { echo "$EPOCHREALTIME $1" >>/run/cell/phases; }

# to STATE COMMAND...: what leads to that state, and some time in it
to() {
	in_state "$1"
	"${@:2}"
	in_state "$1"
	pause "$((RANDOM % 2)).$((RANDOM % 10))"
}

# One VM's life, and the modules unloaded behind it
race_once() {
	to no_passthrough/0 vm web1 vm kvm-vfio vcpu
	to unattached/0 step web1 container
	to unattached/0 step web1 "group:$a"
	to unattached/0 step web1 "set-container:$a"
	to unsafe/0 step web1 set-iommu
	to unsafe/0 step web1 map:16M
	to noncoherent/1 step web1 "add:$a"
	to unsafe/0 step web1 "del:$a"
	to noncoherent/1 step web1 "add:$a"
	in_state none,noncoherent/1,unsafe/0,unattached/0,no_passthrough/0
	kill -9 "$VM_PID"
	wait "$VM_PID" || :
	rm -f /run/cell/web1.*
	in_state none
	in_state none
	for module in vfio_iommu_type1 kvm_amd; do
		# what looks at it holds it for a moment
		modprobe -r -d "$LAB_KDIR" $module 2>/dev/null || continue
		reloads=$((reloads + 1))
		pause 0.3
		load $module
	done
}

audits() {
	local begin
	while :; do
		begin=$EPOCHREALTIME
		"$LAB_BUILD/nosnoop" audit --format json 2>>/run/cell/audits.err |
			jq -c . >/run/cell/one || :
		echo "$begin $EPOCHREALTIME $(cat /run/cell/one)" >>/run/cell/audits
	done
}

# Snapshots taken while all of it changes: each verdict was true at some instant
cell_trace_race() {
	local end reloads=0 frames=()
	setup
	in_state none
	in_state none
	audits &
	echo $! >>/run/cell/pids
	("$LAB_BUILD/nosnooptop" --no-pin -b --format json -d 500ms --snapshot-interval 1s \
		2>/run/cell/top.err & echo $! >>/run/cell/pids; wait) |
		"$LAB_DIR/race.py" stamp >/run/cell/frames &
	end=$((SECONDS + $(often 20 60)))
	# longer where that brings too few to tell anything
	while [ "$SECONDS" -lt "$end" ] || { [ "${#frames[@]}" -lt 12 ] && [ "$SECONDS" -lt $((end + 100)) ]; }; do
		race_once
		mapfile -t frames </run/cell/frames
	done
	var reloads "$reloads"
	var audits "$("$LAB_DIR/race.py" check /run/cell/phases /run/cell/audits)"
	var frames "$("$LAB_DIR/race.py" check /run/cell/phases /run/cell/frames)"
	cp /run/cell/{phases,audits,frames,audits.err} "$CELL"
	passthrough web2
	audit
}

run_cells
