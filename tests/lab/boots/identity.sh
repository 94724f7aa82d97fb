#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU with snoop control that the host itself is not translated by (iommu.passthrough):
# its devices sit in identity domains, and VFIO's all the same in domains of their own.
# append: intel_iommu=on iommu.passthrough=1
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=on
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

A=0000:00:02.0 B=0000:00:03.0

setup() {
	load_all
	bind "$A"
	name_groups "$A" "$B"
}

cell_identity_host() {
	setup
	vm web1 vm kvm-vfio vcpu
	audit
}

cell_identity() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	audit
	count_wbinvd web1 1000
}

run_cells
