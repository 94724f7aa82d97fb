#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A host with three VMs: web1 has a device and a VMM that tells KVM, db1 has one and a VMM that
# does not, ci1 has none. Leaves what `nosnoop audit` prints there in the results.
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=off
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

CELL=$RESULTS/demo
mkdir -p "$CELL" /run/cell
load_all
bind 0000:00:02.0 0000:00:03.0
a=$(group_of 0000:00:02.0) b=$(group_of 0000:00:03.0)
vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" map:16M \
	device:0000:00:02.0
vm db1 vm vcpu container "group:$b" "set-container:$b" set-iommu map:16M device:0000:00:03.0
vm ci1 vm vcpu
code=0
COLUMNS=$(cat "$RESULTS/columns") "$LAB_BUILD/nosnoop" audit >"$RESULTS/demo.txt" \
	2>"$RESULTS/demo.err" || code=$?
echo "$code" >"$RESULTS/demo.exit"
teardown
