#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# iommufd behind an Intel IOMMU with snoop control. 02.0 and 03.0 are groups of their own.
# kernels: iommufd
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=on
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

A=0000:00:02.0 B=0000:00:03.0

setup() {
	load_all
	bind "$A" "$B"
	name_groups "$A" "$B"
}

# By the devices' own files
cell_iommufd_on() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "add:$A" "bind:$A" "attach:$A" map:16M
	audit
	count_wbinvd web1 1000
}

# The group's file, and a context where a container would be
cell_iommufd_group_on() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd "group:$a" "set-iommufd:$a" "add:$a" "device:$A" map:16M
	audit
	count_wbinvd web1 1000
}

# Two devices share a page table; another one lies idle, and is no domain of a group
cell_iommufd_shared_on() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "add:$A" "bind:$A" "attach:$A" \
		"cdev:$B" "add:$B" "bind:$B" "attach:$B" "hwpt-alloc:$B" map:16M
	audit
}

# The unit loses snoop control while a page table that blocks lives: a device that is bound then
# cannot have that one, and gets one that does not block
cell_iommufd_refused_share() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "add:$A" "bind:$A" "attach:$A" map:16M
	flip off
	step web1 "cdev:$B"
	step web1 "bind:$B"
	step web1 "attach:$B"
	audit
	flip on
}

run_cells
