#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A virtio IOMMU: it cannot block No Snoop, and remaps no interrupts. 02.0 and 03.0 are groups of
# their own.
# qemu: -device virtio-iommu-pci,addr=1
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:02.0

setup() {
	[ -n "$(ls /sys/class/iommu)" ] || skip_cell "this kernel has no virtio-iommu"
	load_all
	bind "$A"
	name_groups "$A"
	unsafe_interrupts "${1:-Y}"
}

cell_virtio_refused() {
	setup N
	trace_start
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" fail:EPERM:set-iommu
	audit
	trace_stop
}

cell_virtio() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	audit
	count_wbinvd web1 1000
}

cell_virtio_no_kvm_vfio() {
	setup
	vm web1 vm vcpu container "group:$a" "set-container:$a" set-iommu map:16M "device:$A"
	audit
	count_wbinvd web1 1000
}

run_cells
