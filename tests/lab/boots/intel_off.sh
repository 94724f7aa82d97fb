#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# An Intel IOMMU without snoop control, interrupts remapped. 02.0 and 03.0 are groups of their
# own; 04.0 is a root port with a PCI bridge and two devices behind it, all of them one group.
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=off
# qemu: -device edu,addr=2 -device e1000e,addr=3
# qemu: -device pcie-root-port,id=rp1,addr=4,chassis=1,slot=1
# qemu: -device pcie-pci-bridge,id=br1,bus=rp1,addr=0
# qemu: -device e1000,bus=br1,addr=1 -device e1000,bus=br1,addr=2
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

A=0000:00:02.0 B=0000:00:03.0

setup() {
	load_all
	bind "$A" "$B"
	name_groups "$A" "$B"
}

# Neither KVM nor VFIO was ever loaded: nothing to find, and nothing unknown about it
cell_no_modules() {
	[ ! -d /sys/module/kvm ] || skip_cell "kvm is built in"
	audit
}

cell_no_device() {
	setup
	vm web1 vm kvm-vfio vcpu
	audit
	count_wbinvd web1 1000
}

# 150 VMs and a ring buffer of 4 KiB, which their records fill more than twice over
cell_small_ring() {
	local i steps=()
	setup
	for ((i = 0; i < 150; i++)); do
		steps+=(vm)
	done
	vm many "${steps[@]}"
	AUDIT=$LAB_BUILD/small-ring/nosnoop audit
}

cell_snoop_off() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	audit
	count_wbinvd web1 1000
}

# The audit starts long after the VM, which has run before
cell_older_than_tool() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A" run:100
	pause 2
	audit
}

cell_no_kvm_vfio() {
	setup
	vm web1 vm vcpu container "group:$a" "set-container:$a" set-iommu map:16M "device:$A"
	audit
	count_wbinvd web1 1000
}

# A root port, a bridge behind it, two devices behind that: one group
cell_bridge() {
	local bus d1 d2
	setup
	bus=$(ls -d /sys/bus/pci/devices/0000:00:04.0/0000:*/0000:*:01.0)
	d1=$(basename "$bus") d2=${d1%01.0}02.0
	bind "$d1" "$d2"
	g=$(group_of "$d1")
	var g "$g"
	var d1 "\"$d1\""
	var d2 "\"$d2\""
	var members "$(find -L "/sys/kernel/iommu_groups/$g/devices" -maxdepth 1 -mindepth 1 \
		-printf '%f\n' | jq -Rcn '[inputs] | sort')"
	vm web1 vm kvm-vfio vcpu container "group:$g" "set-container:$g" set-iommu "add:$g" \
		map:16M "device:$d1" "device:$d2"
	audit
}

cell_two_groups() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "group:$b" "set-container:$a" set-iommu \
		"set-container:$b" "add:$a" "add:$b" map:16M "device:$A" "device:$B"
	audit
}

# Two VMs, each with its own device; the second VMM forgets kvm-vfio
cell_two_vms() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A"
	vm db1 vm vcpu container "group:$b" "set-container:$b" set-iommu map:16M "device:$B"
	audit
}

# Three orders that matter to KVM 6.1

cell_add_before_container() {
	setup
	vm web1 vm kvm-vfio vcpu "group:$a" "add:$a" container "set-container:$a" set-iommu \
		map:16M "device:$A"
	audit
	count_wbinvd web1 100
}

cell_add_before_iommu_off() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" "add:$a" set-iommu \
		map:16M "device:$A"
	audit
}

cell_add_then_unset() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		"unset-container:$a"
	audit
	count_wbinvd web1 100
}

# Nothing but the mmap of its vCPU holds the VM: no file leads to it
cell_vm_list_only() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" \
		map:16M "device:$A" close:vm close:kvm-vfio close:vcpu
	audit
}

# Only the device's descriptor is left of the container and the group: no file leads to them
cell_device_fd_only() {
	setup
	vm web1 vm vcpu container "group:$a" "set-container:$a" set-iommu map:16M "device:$A" \
		"close:group:$a" close:container
	audit
}

# A program that is no VM (as DPDK would) holds a container; a VM runs beside it
cell_container_without_vm() {
	setup
	vm dpdk container "group:$a" "set-container:$a" set-iommu map:16M "device:$A"
	vm web1 vm kvm-vfio vcpu
	audit
}

# The same two in one control group: it may be that VM's
cell_container_same_cgroup() {
	setup
	LABVM_CGROUP=pod vm helper container "group:$a" "set-container:$a" set-iommu map:16M \
		"device:$A"
	LABVM_CGROUP=pod vm web1 vm kvm-vfio vcpu
	audit
}

# An unmodified QEMU; its firmware is a loop of WBINVD at the reset vector
cell_qemu() {
	command -v qemu-system-x86_64 >/dev/null || skip_cell "no qemu-system-x86_64"
	setup
	head -c 65536 /dev/zero | tr '\0' '\220' >/run/cell/loop.bin
	printf '\x0f\x09\xeb\xfc' | dd of=/run/cell/loop.bin bs=1 seek=65520 conv=notrunc \
		status=none
	(in_cgroup qemu-1-web1 qemu-system-x86_64 -accel kvm -cpu host -m 64 -nodefaults \
		-display none -bios /run/cell/loop.bin -device "vfio-pci,host=$A" \
		-name guest=web1,debug-threads=on -uuid "$(uuid_of web1)" \
		-monitor none >"$CELL/qemu.log" 2>&1) &
	VM_PID=$!
	echo "$VM_PID" >>/run/cell/pids
	var web1 "$VM_PID"
	var uuid_web1 "\"$(uuid_of web1)\""
	for ((i = 0; i < 200; i++)); do
		grep -q 'anon_inode:kvm-vcpu' < <(ls -l "/proc/$VM_PID/fd" 2>/dev/null) &&
			"$LAB_TOOLS/kpeek" | jq -e '.vms[0].noncoherent_dma == 1' >/dev/null && break
		kill -0 "$VM_PID" || return 1
		pause 0.1
	done
	audit
}

run_cells
