#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine without an IOMMU.
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:02.0

# A module that comes later is followed by a new start: the exporter has given up the privilege to load
# programs, and asks its unit for one by its exit status
cell_export_modules_later() {
	[ ! -d /sys/module/kvm ] || skip_cell "kvm is loaded already"
	exporter_start
	load kvm kvm_amd
	local i code=0
	for ((i = 0; i < 120; i++)); do
		kill -0 "$EXPORTER_PID" 2>/dev/null || break
		pause 0.5
	done
	wait "$EXPORTER_PID" || code=$?
	var ended "$code"
	exporter_start
	vm web1 vm vcpu run:9
	var exits "\"$(metric 'nosnoop_vm_wbinvd_exits_total{vm="web1",outcome="ignored"}')\""
	load_all
	audit
}

# vfio-pci refuses the device: it is in no group. A VM runs beside it.
cell_no_iommu() {
	load_all
	trace_start
	bind "$A"
	var bound "$([ -e "/sys/bus/pci/devices/$A/driver" ] && echo true || echo false)"
	vm web1 vm kvm-vfio vcpu
	audit
	count_wbinvd web1 100
	trace_stop
}

run_cells
