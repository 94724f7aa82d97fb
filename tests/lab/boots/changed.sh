#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# States that no kernel gets into by itself, or only with hardware that the emulation lacks: each
# cell changes one place in the memory of the running kernel, through QEMU's gdb stub, and puts it
# back. 02.0 and 03.0 are groups of their own, behind an Intel IOMMU with snoop control.
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=on
# qemu: -device e1000e,addr=2 -device edu,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:03.0 B=0000:00:02.0

setup() {
	load_all
	bind "$A"
	name_groups "$A" "$B"
}

vm_with() {	# BDF GROUP
	vm web1 vm kvm-vfio vcpu container "group:$2" "set-container:$2" set-iommu "add:$2" \
		map:16M "device:$1"
}

# The IOMMU driver of a host device is called i915, whose device flushes by itself
cell_host_nosnoop() {
	load kvm kvm_amd e1000e
	[ -e "/sys/bus/pci/devices/$B/driver" ] || echo "$B" >/sys/bus/pci/drivers_probe
	b=$(group_of "$B")
	var b "$b"
	local name
	name=$(bytes_of i915)00
	change "$b" driver_name "$name"
	change "$b" driver_folder "$name"
	audit
	restore
	var after "\"$(driver_of "/sys/bus/pci/devices/$B")\""
}

# vfio-pci asks whether the device's IOMMU has cache-coherent DMA; intel_iommu_capable() says no
cell_registration_refused() {
	load_all
	trace_start
	top_start
	change_code intel_iommu_capable
	bind "$A"
	restore
	var bound "$([ -e "/sys/bus/pci/devices/$A/driver" ] && echo true || echo false)"
	audit
	# the snapshot that follows the event: how soon depends on what one costs here
	top_until '[.findings[].rule] == ["NS008"]'
	top_stop
	trace_stop
}

# VFIO was told that No Snoop is blocked, the driver's flag says that it is not
cell_flags_disagree() {
	setup
	var unknown true
	vm_with "$A" "$a"
	change_bit "$a" force_snooping
	audit
	restore
}

# The group's owner is gone while VFIO has its domain
cell_no_owner() {
	setup
	vm_with "$A" "$a"
	change "$a" owner 0000000000000000
	audit
	restore
}

# The IOMMU core has the group in another group's domain than VFIO
cell_split_group() {
	setup
	var unknown true
	bind "$B"
	vm_with "$A" "$a"
	vm db1 vm kvm-vfio vcpu container "group:$b" "set-container:$b" set-iommu "add:$b" \
		map:16M "device:$B"
	change "$a" domain "$(place "$b" domain | cut -d' ' -f2)"
	audit
	restore
}

# A domain that blocks although VFIO was refused it; a device whose unit cannot comes later. The newest
# kernel shares the domain with it; where it is refused it gets one of its own
cell_later_device() {
	setup
	bind "$B"
	flip off
	vm web1 vm kvm-vfio vcpu container "group:$a" "group:$b" "set-container:$a" set-iommu \
		map:16M "device:$A"
	change_bit "$a" force_snooping
	trace_start
	step web1 "set-container:$b"
	restore
	step web1 "device:$B"
	step web1 "add:$a"
	step web1 "add:$b"
	audit
	trace_stop
	flip on
}

run_cells
