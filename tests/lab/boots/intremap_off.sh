#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU that does not remap interrupts: VFIO refuses to attach a group to a domain.
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=off,caching-mode=on,snoop-control=on
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:02.0

setup() {
	load_all
	bind "$A"
	name_groups "$A"
}

# The group is owned and sits in the blocking domain: its device can do no DMA at all
cell_unattached() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" fail:EPERM:set-iommu
	audit
}

# The same from a VMM that tells KVM nevertheless
cell_unattached_added() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" fail:EPERM:set-iommu \
		"add:$a"
	audit
}

# The same as it happens: who refused, and why
cell_trace_refused() {
	setup
	trace_start
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" fail:EPERM:set-iommu
	audit
	trace_stop
}

run_cells
