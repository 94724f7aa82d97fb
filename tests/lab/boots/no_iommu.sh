#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine without an IOMMU.
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:02.0

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
