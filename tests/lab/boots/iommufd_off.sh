#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# iommufd behind an Intel IOMMU without snoop control, and vDPA. 02.0, 03.0 and 05.0 are groups of
# their own; 05.0 is a virtio device.
# kernels: iommufd
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=off
# qemu: -device edu,addr=2 -device e1000e,addr=3
# qemu: -device virtio-net-pci,addr=5,iommu_platform=on,disable-legacy=on
# shellcheck source-path=SCRIPTDIR source=../guest.sh
. "$LAB_DIR/guest.sh"

A=0000:00:02.0 B=0000:00:03.0 V=0000:00:05.0

setup() {
	load_all
	bind "$A" "$B"
	name_groups "$A" "$B"
}

# A VMM that does everything right, by the devices' own files
cell_iommufd_off() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "add:$A" "bind:$A" "attach:$A" map:16M
	audit
	count_wbinvd web1 1000
}

# The group's file, and a context where a container would be
cell_iommufd_group_off() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd "group:$a" "set-iommufd:$a" "add:$a" "device:$A" map:16M
	audit
	count_wbinvd web1 1000
}

# iommufd stands in for /dev/vfio/vfio: a VMM that knows nothing of it
cell_iommufd_stands_in() {
	setup
	mount --bind /dev/iommu /dev/vfio/vfio
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" map:16M \
		"device:$A"
	audit
	umount -l /dev/vfio/vfio
}

# Nobody tells KVM
cell_iommufd_no_kvm_vfio() {
	setup
	vm web1 vm vcpu iommufd ioas-alloc "cdev:$A" "bind:$A" "attach:$A" map:16M
	audit
	count_wbinvd web1 1000
}

# A was bound while its unit could not block No Snoop, B after it could: both share A's page table
# for the IOAS, and A leaves. KVM is told of B alone.
cell_iommufd_leftover() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "bind:$A" "attach:$A" map:16M
	flip on
	step web1 "cdev:$B"
	step web1 "add:$B"
	step web1 "bind:$B"
	step web1 "attach:$B"
	step web1 "detach:$A"
	step web1 "close:cdev:$A"
	audit
	count_wbinvd web1 1000
	flip off
}

# The same, while A is still there: KVM, which asks again when B is given, finds both able
cell_iommufd_shared() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "add:$A" "bind:$A" "attach:$A" map:16M
	flip on
	step web1 "cdev:$B"
	step web1 "add:$B"
	step web1 "bind:$B"
	step web1 "attach:$B"
	audit
	flip off
}

# A was bound while the unit could not, B after it could, each with a page table of its own
cell_iommufd_mixed() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "add:$A" "bind:$A" "attach:$A" map:16M
	flip on
	step web1 "cdev:$B"
	step web1 "add:$B"
	step web1 "bind:$B"
	step web1 "hwpt-attach:$B"
	audit
	flip off
}

# Bound, and not attached to any page table: no DMA is possible
cell_iommufd_bound() {
	setup
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "add:$A" "bind:$A" map:16M
	audit
}

# A file that was opened and given to KVM, and never bound
cell_iommufd_unbound() {
	setup
	vm web1 vm kvm-vfio vcpu "cdev:$A" "add:$A"
	audit
}

# Only the device's descriptor is left: the context is found as the owner of the group
cell_iommufd_device_fd_only() {
	setup
	vm web1 vm vcpu iommufd ioas-alloc "cdev:$A" "bind:$A" "attach:$A" map:16M close:iommufd
	audit
}

# A program that is no VM has a context; a VM runs beside it
cell_iommufd_without_vm() {
	setup
	vm dpdk iommufd ioas-alloc "cdev:$A" "bind:$A" "attach:$A" map:16M
	vm web1 vm kvm-vfio vcpu
	audit
}

# Attach, replace, detach, as they happen. KVM still has the device's file, so it does not close
cell_iommufd_trace() {
	setup
	trace_start
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "add:$A" "bind:$A" "attach:$A" map:16M
	step web1 "hwpt-attach:$A"
	step web1 "detach:$A"
	step web1 "close:cdev:$A"
	pause 1
	trace_stop 1
	audit
}

# All that is opened is closed again: a device by its own file, and one by its group
cell_iommufd_closed() {
	setup
	trace_start
	vm web1 vm kvm-vfio vcpu iommufd ioas-alloc "cdev:$A" "add:$A" "bind:$A" "attach:$A" map:16M
	# a snapshot that names the context
	pause 2
	step web1 "detach:$A"
	step web1 "del:$A"
	step web1 "close:cdev:$A"
	step web1 close:iommufd
	vm db1 vm kvm-vfio vcpu iommufd "group:$b" "set-iommufd:$b" "add:$b" "device:$B" map:16M
	step db1 "del:$b"
	step db1 "close:device:$B"
	step db1 "close:group:$b"
	step db1 close:iommufd
	trace_stop
	audit
}

# An unmodified QEMU; its firmware is a loop of WBINVD at the reset vector
cell_iommufd_qemu() {
	local i
	setup
	head -c 65536 /dev/zero | tr '\0' '\220' >/run/cell/loop.bin
	printf '\x0f\x09\xeb\xfc' | dd of=/run/cell/loop.bin bs=1 seek=65520 conv=notrunc \
		status=none
	(trixie_qemu -accel kvm -cpu host -m 64 -nodefaults -display none -bios /run/cell/loop.bin \
		-object iommufd,id=iommufd0 -device "vfio-pci,host=$A,iommufd=iommufd0" \
		-name guest=web1,debug-threads=on -uuid "$(uuid_of web1)" \
		-monitor none >"$CELL/qemu.log" 2>&1) &
	VM_PID=$!
	echo "$VM_PID" >>/run/cell/pids
	var web1 "$VM_PID"
	var uuid_web1 "\"$(uuid_of web1)\""
	for ((i = 0; i < 600; i++)); do
		"$LAB_TOOLS/kpeek" | jq -e '.vms[0].noncoherent_dma == 1' >/dev/null && break
		kill -0 "$VM_PID" || return 1
		pause 0.1
	done
	audit
}

# vdpa_device NAME MANAGEMENT: makes a vDPA device, prints N of its /dev/vhost-vdpa-N
vdpa_device() {
	local i
	vdpa dev add name "$1" mgmtdev "$2"
	[ "$(driver_of "/sys/bus/vdpa/devices/$1")" = vhost_vdpa ] || {
		[ ! -e "/sys/bus/vdpa/devices/$1/driver" ] ||
			echo "$1" >"/sys/bus/vdpa/devices/$1/driver/unbind"
		echo "$1" >/sys/bus/vdpa/drivers/vhost_vdpa/bind
	}
	for ((i = 0; i < 100; i++)); do
		! compgen -G "/sys/bus/vdpa/devices/$1/vhost-vdpa-*" >/dev/null || break
		pause 0.1
	done
	basename "/sys/bus/vdpa/devices/$1"/vhost-vdpa-* | sed 's/.*-//'
}

# vp_vdpa on a virtio device: vhost-vdpa maps the guest's memory in a domain of its own
cell_vdpa() {
	local n
	setup
	command -v vdpa >/dev/null || skip_cell "not installed: vdpa (iproute2)"
	load vp_vdpa
	[ ! -e "/sys/bus/pci/devices/$V/driver" ] ||
		echo "$V" >"/sys/bus/pci/devices/$V/driver/unbind"
	echo vp-vdpa >"/sys/bus/pci/devices/$V/driver_override"
	echo "$V" >/sys/bus/pci/drivers_probe
	var v "$(group_of "$V")"
	n=$(vdpa_device vp0 "pci/$V")
	var n "$n"
	vm web1 vm vcpu "vdpa:$n" "vdpa-owner:$n" vdpa-map:4M
	audit
	count_wbinvd web1 1000
	vm_end web1
	vdpa dev del vp0
}

# A simulated one: it does its DMA by itself, there is no domain
cell_vdpa_sim() {
	local n
	setup
	command -v vdpa >/dev/null || skip_cell "not installed: vdpa (iproute2)"
	load vdpa_sim_net
	n=$(vdpa_device sim0 vdpasim_net)
	var n "$n"
	vm web1 vm vcpu "vdpa:$n" "vdpa-owner:$n" vdpa-map:4M
	audit
	vm_end web1
	vdpa dev del sim0
}

run_cells
