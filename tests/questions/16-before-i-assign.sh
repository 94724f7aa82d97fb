#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Operator: before I give this device to a VM: would it be coherent, or refused, and why?
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# behind a unit without snoop control
ask_of 6.12-bridge --device 0000:00:03.0
exits 0
says "If 0000:00:03.0 were assigned to a VM now"
says "Verdict noncoherent: its DMA could bypass the CPU caches, and KVM would execute the guest's WBINVD"
says "IOMMU unit dmar0"
says "Snoop control the unit can NOT block No Snoop"
says "KVM goes by what the device's IOMMU could do"
says "Without kvm-vfio unsafe: the guest's WBINVD would be ignored while DMA bypasses the caches"
ask_of 6.12-bridge --device 0000:00:03.0 --format json
holds '.devices | length == 1'
holds '.devices[0].if_assigned | [.verdict, .group, .members, .why, .viable, .isolated_msi,
	.cap_cache_coherency, .iommu, .snoop_control, .blocks_nosnoop, .criterion, .kvm_registers,
	.guest_wbinvd, .without_kvm_vfio] == ["noncoherent", 2, ["0000:00:03.0"], "single", true, true,
	true, "dmar0", false, false, "capability", true, "executed", "unsafe"]'

# behind one that has it
ask_of 6.1-snoop_on --device 0000:00:03.0 --format json
holds '.devices[0].if_assigned | [.verdict, .snoop_control, .criterion, .guest_wbinvd, .without_kvm_vfio]
	== ["coherent", true, "domain", "ignored", "coherent"]'

# interrupts are not remapped
ask_of 6.1-unattached --device 0000:00:03.0
says "Verdict refused: VFIO would not hand it out"
says "Refused at VFIO_SET_IOMMU"
says "With EPERM"
says "Because of interrupt isolation"
ask_of 6.1-unattached --device 0000:00:03.0 --format json
holds '.devices[0].if_assigned | [.verdict, .step, .errno, .reason] ==
	["refused", "set_iommu", "EPERM", "interrupt isolation"]'

# a device that a VM has is not foreseen but judged
ask_of 6.12-bridge --group 7 --format json
holds '(.devices | length) == 3 and all(.devices[]; has("if_assigned") | not)'

# without privileges: what decides is not known
ask_of unprivileged --device 0000:01:00.0 --format json
holds '[.devices[] | .if_assigned.verdict] == ["unknown"]'
answered
