#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Groups and domains that live on, or are shared, after their devices came and went: an Intel IOMMU
# with snoop control. 02.0 and 03.0 are groups of their own; behind the root port 04.0 and a PCI
# bridge two devices are one group; behind 05.0 is a device with ATS, behind 06.0 one with virtual
# functions.
# append: intel_iommu=on
# qemu: -device intel-iommu,intremap=on,caching-mode=on,snoop-control=on,device-iotlb=on
# qemu: -device edu,addr=2 -device e1000e,addr=3
# qemu: -device pcie-root-port,id=rp1,addr=4,chassis=1,slot=1
# qemu: -device pcie-pci-bridge,id=br1,bus=rp1,addr=0
# qemu: -device e1000,bus=br1,addr=1 -device e1000,bus=br1,addr=2
# qemu: -device pcie-root-port,id=rp2,addr=5,chassis=2,slot=2
# qemu: -device virtio-rng-pci,bus=rp2,disable-legacy=on,iommu_platform=on,ats=on
# qemu: -device pcie-root-port,id=rp3,addr=6,chassis=3,slot=3
# qemu: -device nvme-subsys,id=ss
# qemu: -device nvme,id=nvme,bus=rp3,serial=lab,subsys=ss,max_ioqpairs=4,msix_qsize=5
# qemu: -set device.nvme.sriov_max_vfs=1 -set device.nvme.sriov_vq_flexible=2
# qemu: -set device.nvme.sriov_vi_flexible=1
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:02.0 B=0000:00:03.0

setup() {
	load_all
	bind "$A" "$B"
	name_groups "$A" "$B"
}

# below PORT: the devices behind a root port, one a line
below() { find "/sys/bus/pci/devices/$1/" -mindepth 1 -maxdepth 1 -name '0000:??:??.?' -printf '%f\n' | sort; }

bridge_group() {
	load_all
	load e1000
	d1=$(basename /sys/bus/pci/devices/0000:00:04.0/0000:*/0000:*:01.0)
	d2=${d1%01.0}02.0
	g=$(group_of "$d1")
	var g "$g"
	var d1 "\"$d1\""
	var d2 "\"$d2\""
}

# One function is VFIO's, the other a host driver's: not viable, and VFIO refuses
cell_bridge_partly() {
	bridge_group
	bind "$d1"
	echo "$d2" >"/sys/bus/pci/drivers/e1000/bind" || :
	trace_start
	vm web1 vm kvm-vfio vcpu container "group:$g" "fail:EPERM:set-container:$g"
	audit
	trace_stop
}

# The other function has no driver at all: viable
cell_bridge_unbound() {
	bridge_group
	bind "$d1"
	[ ! -e "/sys/bus/pci/devices/$d2/driver" ] ||
		echo "$d2" >"/sys/bus/pci/devices/$d2/driver/unbind"
	vm web1 vm kvm-vfio vcpu container "group:$g" "set-container:$g" set-iommu "add:$g" \
		map:16M "device:$d1"
	audit
	# and a host driver cannot take it now
	trace_start
	echo "$d2" >"/sys/bus/pci/drivers/e1000/bind" 2>/dev/null || :
	var taken "$([ -e "/sys/bus/pci/devices/$d2/driver" ] && echo true || echo false)"
	trace_stop
}

# domain_of GROUP: the bytes of the pointer to the domain that it is in
domain_of() { place "$1" domain | cut -d' ' -f2; }

# share: a VM with two groups that share a domain, watched from before
share() {
	setup
	trace_start
	top_start
	vm web1 vm kvm-vfio vcpu container "group:$a" "group:$b" "set-container:$a" set-iommu \
		"set-container:$b" "add:$a" "add:$b" map:16M "device:$A" "device:$B"
	shared=$(domain_of "$a")
	[ "$(domain_of "$b")" = "$shared" ]
	top_until '[.domains[] | select(.kind == "unmanaged") | .groups | length] == [2]'
	var both "$(jq -c '[.rules[] | select(.id == "NS023") | [.status, .subjects]]' <<<"$TOP_FRAME")"
}

# leaves GROUP BDF: closed by the VMM, and the device removed; nosnooptop sees that, and goes
leaves() {
	step web1 "close:device:$2"
	step web1 "del:$1"
	step web1 "unset-container:$1"
	step web1 "close:group:$1"
	echo 1 >"/sys/bus/pci/devices/$2/remove"
	audit
	top_until '[.domains[] | select(.kind == "unmanaged") | .groups | length] == [1]'
	top_stop
	trace_stop
}

# Two groups share a domain, then the first leaves and its device is removed
cell_shared_lives_on() {
	share
	leaves "$a" "$A"
	[ "$(domain_of "$b")" = "$shared" ] && var same_domain true
	echo 1 >/sys/bus/pci/rescan
}

# The same, but the second leaves
cell_shared_second_leaves() {
	share
	leaves "$b" "$B"
	[ "$(domain_of "$a")" = "$shared" ] && var same_domain true
	echo 1 >/sys/bus/pci/rescan
}

# A container with a group whose device nobody has open
cell_residual() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "set-container:$a" set-iommu "add:$a" map:16M
	audit
}

# Added to KVM while the unit could, which then could not any more
cell_later_attach() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:$a" "group:$b" "set-container:$a" set-iommu \
		map:16M "device:$A" "add:$a"
	flip off
	step web1 "set-container:$b"
	step web1 "device:$B"
	audit
	count_wbinvd web1 100
	flip on
}

# A device with address translation of its own
cell_ats() {
	load_all
	D=$(below 0000:00:05.0 | head -n 1)
	bind "$D"
	d=$(group_of "$D")
	var d "$d"
	var D "\"$D\""
	vm web1 vm kvm-vfio vcpu container "group:$d" "set-container:$d" set-iommu "add:$d" \
		map:16M "device:$D"
	audit
}

# A virtual function: the bit of its physical function governs
cell_virtual_function() {
	load_all
	load nvme
	local pf i
	pf=/sys/bus/pci/devices/$(below 0000:00:06.0 | head -n 1)
	[ -e "$pf/sriov_numvfs" ] || skip_cell "this QEMU's nvme has no virtual functions"
	for ((i = 0; i < 50; i++)); do
		[ ! -e "$pf/driver" ] || break
		pause 0.1
	done
	echo 0 >"$pf/sriov_drivers_autoprobe"
	echo 1 >"$pf/sriov_numvfs"
	PF=$(basename "$pf") VF=$(basename "$(readlink "$pf/virtfn0")")
	bind "$VF"
	v=$(group_of "$VF")
	var v "$v"
	var PF "\"$PF\""
	var VF "\"$VF\""
	vm web1 vm kvm-vfio vcpu container "group:$v" "set-container:$v" set-iommu "add:$v" \
		map:16M "device:$VF"
	audit
	vm_end web1
	echo 0 >"$pf/sriov_numvfs"
}

run_cells
