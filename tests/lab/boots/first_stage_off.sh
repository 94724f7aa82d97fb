#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU in scalable mode with first-stage page tables, without snoop control. It has no
# Snoop bit in its leaves: the PASID entry says whether No Snoop is blocked.
# kernels: newest
# emulator: trixie
# append: intel_iommu=on,sm_on
# qemu: -device intel-iommu,intremap=on,x-scalable-mode=on,x-flts=on,snoop-control=off
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

A=0000:00:02.0

cell_first_stage_off() {
	load_all
	bind "$A"
	name_groups "$A"
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	audit
	count_wbinvd web1 1000
}

run_cells
