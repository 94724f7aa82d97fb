#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# iommufd's mock devices: nested page tables, PASIDs and accesses, which no emulated IOMMU has. The
# mock IOMMU has no way to block No Snoop. Beside it an Intel IOMMU with snoop control, and 02.0
# in a group of its own.
# kernels: newest-mock
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=on
# qemu: -device e1000e,addr=2
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:02.0

setup() {
	load_all
	bind "$A"
	var a "$(group_of "$A")"
	var unknown true	# what the mock IOMMU's unit can do, which no driver of ours has
}

# mocks NAME...: $v.NAME_device and $v.NAME_group of each mock device, in the order of their making
mocks() {
	local name device
	for device in /sys/bus/iommufd_mock/devices/*; do
		name=$1
		shift
		var "${name}_device" "\"${device##*/}\""
		var "${name}_group" "$(group_of "${device##*/}")"
	done
}

# A guest's own table, nested in one of iommufd's; beside it a device on the IOAS itself
cell_iommufd_nested() {
	setup
	vm web1 vm vcpu iommufd ioas-alloc mock:n table-parent:p table-nested:t mock-attach:t mock:m map:1M
	mocks n m
	audit
}

# A device without PASIDs beside a real one, whose domain blocks
cell_iommufd_beside_mock() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "add:$A" "bind:$A" "attach:$A" mock:m map:1M
	mocks m
	audit
}

# detach PASID...: a mock device that ends before its PASIDs do would leave them to the group
detach() {
	local pasid
	for pasid; do
		step web1 "pasid-detach:$pasid"
	done
}

# PASIDs 5 and 11 in page tables of their own, 7 in that of the device, 9 in one that is nested, 70
# (another node of the kernel's array) in that of 5
cell_iommufd_pasid() {
	setup
	vm web1 vm vcpu iommufd ioas-alloc mock-pasid:m table-pasid:a mock-attach:a table-pasid:b \
		pasid-attach:5:b pasid-attach:7:a table-parent:p table-nested-pasid:t pasid-attach:9:t \
		table-pasid:c pasid-attach:11:c pasid-attach:70:b map:1M
	mocks m
	audit
	detach 5 7 9 11 70
}

# They come and go: 5 is replaced, 6 is detached
cell_iommufd_pasid_changed() {
	setup
	trace_start
	vm web1 vm vcpu iommufd ioas-alloc mock-pasid:m table-pasid:a mock-attach:a table-pasid:b \
		table-pasid:c pasid-attach:5:b pasid-attach:6:b map:1M pasid-replace:5:c pasid-detach:6
	mocks m
	audit
	detach 5
	trace_stop
}

# A PASID's domain that says it shares a process's page table
cell_iommufd_pasid_sva() {
	setup
	vm web1 vm vcpu iommufd ioas-alloc mock-pasid:m table-pasid:a mock-attach:a table-pasid:b \
		pasid-attach:5:b map:1M
	mocks m
	set -- /sys/bus/iommufd_mock/devices/*
	change "$(group_of "${1##*/}")" pasid5.type 10000000
	audit
	restore
	detach 5
}

# The kernel's own access to a context's memory, without a device
cell_iommufd_access() {
	setup
	vm web1 vm vcpu iommufd ioas-alloc access:x map:1M
	audit
}

# Such an access in a context that no VM's memory is mapped in
cell_iommufd_access_idle() {
	setup
	vm web1 vm vcpu iommufd ioas-alloc access:x
	audit
}

run_cells
