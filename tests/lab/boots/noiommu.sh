#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A machine without an IOMMU and a kernel with VFIO_NOIOMMU, which no kernel of the distribution has:
# devices are given away unprotected.
# kernels: iommufd
# qemu: -device edu,addr=2 -device e1000e,addr=3
# shellcheck source-path=SCRIPTDIR source=../guest.sh disable=SC2119
. "$LAB_DIR/guest.sh"

A=0000:00:02.0

parameter() { echo "$1" >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode; }

unbind() {
	[ ! -e "/sys/bus/pci/devices/$A/driver" ] || echo "$A" >/sys/bus/pci/drivers/vfio-pci/unbind
}

# foretold: what the audit says of the device as it now is
foretold() {
	forecast
	[ ! -e "$CELL/forecast" ] ||
		var foretold "$(jq -c --arg id "$A" '.devices[] | select(.id == $id) | .if_assigned' \
			"$RESULTS/forecasts/$(<"$CELL/forecast").json")"
}

setup() {
	load_all
	unbind
	parameter Y
	foretold
	bind "$A"
	a=$(group_of "$A")
	var a "$a"
}

# Without the parameter vfio-pci refuses
cell_noiommu_off() {
	load_all
	unbind
	parameter N
	foretold
	trace_start
	bind "$A"
	var bound "$([ -e "/sys/bus/pci/devices/$A/driver" ] && echo true || echo false)"
	audit
	trace_stop
}

# VFIO has the device, and nobody uses it
cell_noiommu_idle() {
	setup
	audit
}

cell_noiommu() {
	setup
	vm web1 vm kvm-vfio vcpu container "group:noiommu-$a" "set-container:noiommu-$a" \
		set-iommu:noiommu "add:noiommu-$a" "device:$A"
	audit
	count_wbinvd web1 100
}

# The VMM does not tell KVM
cell_noiommu_no_kvm_vfio() {
	setup
	vm web1 vm vcpu container "group:noiommu-$a" "set-container:noiommu-$a" \
		set-iommu:noiommu "device:$A"
	audit
	count_wbinvd web1 100
}

# The parameter is taken back while vfio-pci has the device
cell_noiommu_taken_back() {
	setup
	parameter N
	foretold
	vm web1 vm kvm-vfio vcpu container "group:noiommu-$a" "set-container:noiommu-$a"
	step web1 set-iommu:noiommu || var answer "\"$(tail -n 1 "$CELL/steps.log")\""
	audit
}

# No VM is linked: a program that drives the device itself
cell_noiommu_without_vm() {
	setup
	vm dpdk container "group:noiommu-$a" "set-container:noiommu-$a" set-iommu:noiommu \
		"device:$A"
	audit
}

# The group alone is open, in no container
cell_noiommu_group_only() {
	setup
	vm dpdk "group:noiommu-$a"
	audit
}

run_cells
