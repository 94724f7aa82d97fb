#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A mediated device (the kernel's sample mtty, which the distribution does not build): its parent's
# driver does what DMA there is, by software. Beside it an Intel IOMMU with snoop control and a PCI
# device.
# kernels: iommufd
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=on
# qemu: -device edu,addr=2
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

A=0000:00:02.0
M=83b8f4f2-509f-382f-3c1e-e6bfe0fa1001

setup() {
	local types=/sys/class/mdev_bus/mtty/mdev_supported_types
	load_all
	load mtty
	bind "$A"
	a=$(group_of "$A")
	var a "$a"
	[ -d "/sys/bus/mdev/devices/$M" ] || echo "$M" >"$types/mtty-1/create"
	m=$(group_of "$M")
	var m "$m"
}

cell_mdev() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$m" "set-container:$m" set-iommu "add:$m" \
		map:16M "device:$M"
	audit
	count_wbinvd web1 100
}

# Nobody told KVM: whether that harms depends on a driver that cannot be asked
cell_mdev_no_kvm_vfio() {
	setup
	vm web1 vm vcpu container "group:$m" "set-container:$m" set-iommu map:16M "device:$M"
	audit
}

# Together with a device that is blocked
cell_mdev_mixed() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "group:$m" "set-container:$a" set-iommu \
		"set-container:$m" "add:$a" "add:$m" map:16M "device:$A" "device:$M"
	audit
	count_wbinvd web1 100
}

# The same by a group's file and an iommufd context: the parent's driver reaches the VM's memory by
# iommufd's access objects
cell_mdev_iommufd() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd "group:$m" "set-iommufd:$m" "add:$m" "device:$M" map:16M
	audit
	count_wbinvd web1 100
}

run_cells
