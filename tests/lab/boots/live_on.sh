#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU with snoop control, seen by nosnoop trace.
# patience: 900
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=on
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:02.0

cell_trace_coherent() {
	load_all
	bind "$A"
	name_groups "$A"
	trace_start
	top_start --snapshot-interval 1s
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	count_wbinvd web1 1000
	audit
	# watched for long enough to be sure
	top_until '[.rules[] | select(.id == "NS003") | .status] == ["pass"]'
	top_stop
	vm_end web1
	trace_stop
}

run_cells
