#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An AMD IOMMU (it takes slot 2 for itself). 05.0 and 06.0 are groups of their own. Later kernels
# find a flaw in the emulation's interrupt remapping and turn it off: VFIO then refuses, unless the
# parameter allow_unsafe_interrupts is set.
# append: amd_iommu=on
# qemu: -device amd-iommu,intremap=on
# qemu: -device edu,addr=5 -device e1000e,addr=6
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:05.0

setup() {
	load_all
	bind "$A"
	name_groups "$A"
	unsafe_interrupts "${1:-Y}"
}

# The parameter is not set; whether VFIO refuses is the kernel's to say
cell_amd_safe() {
	setup N
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" try:set-iommu "add:$a"
	var attached "$(grep -c '^ok set-iommu' "$CELL/steps.log" || :)"
	audit
}

cell_amd() {
	setup
	forecast # as it is now, and before anything runs
	trace_start
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	audit
	count_wbinvd web1 1000
	trace_stop
}

cell_amd_no_kvm_vfio() {
	setup
	vm web1 vm vcpu container "group:$a" "set-container:$a" set-iommu map:16M "device:$A"
	audit
}

# The domain's format is said to be v2 (no machine of this lab gets one): one place of the kernel's
# memory is changed, and put back
cell_amd_v2() {
	local bytes
	setup
	var unknown true
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	read -r _ bytes _ < <(place "$a" page_table)
	if [ "${#bytes}" -eq 8 ]; then
		change "$a" page_table 02000000	# PD_MODE_V2
	else
		change "$a" page_table "$(printf %02x $((0x${bytes:0:2} | 8)))"	# PD_IOMMUV2_MASK
	fi
	audit
	restore
}

# The parameter is set, nobody uses VFIO: told, but no more than that
cell_unsafe_interrupts_idle() {
	setup
	audit
	unsafe_interrupts N
}

run_cells
