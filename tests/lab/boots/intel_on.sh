#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU with snoop control. 02.0 and 03.0 are groups of their own. The last cells change
# the capability under the running kernel, as no hardware does: they make domain and capability
# disagree, which on real machines takes two different IOMMUs.
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

cell_snoop_on() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	audit
	count_wbinvd web1 1000
}

cell_snoop_on_no_kvm_vfio() {
	setup
	vm web1 vm vcpu container "group:$a" "set-container:$a" set-iommu map:16M "device:$A"
	audit
}

cell_two_groups_on() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "group:$b" "set-container:$a" set-iommu \
		"set-container:$b" "add:$a" "add:$b" map:16M "device:$A" "device:$B"
	audit
}

# KVM 6.1 looks at the container when the group is added, and finds no domain in it yet
cell_add_before_iommu() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" "add:$a" set-iommu \
		map:16M "device:$A"
	audit
	count_wbinvd web1 100
}

# Attached while the unit could, added to KVM when it could not any more
cell_domain_blocks_unit_cannot() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A"
	flip off
	step web1 "add:$a"
	audit
	flip on
}

# Two domains of both kinds in one container
cell_mixed_domains() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "group:$b" "set-container:$a" set-iommu \
		map:16M "device:$A"
	flip off
	step web1 "set-container:$b"
	step web1 "device:$B"
	step web1 "add:$a"
	step web1 "add:$b"
	audit
	flip on
}

# Attached while the unit could not, added to KVM when it could
cell_unit_can_domain_does_not() {
	setup
	flip off
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A"
	flip on
	step web1 "add:$a"
	audit
	count_wbinvd web1 100
}

run_cells
