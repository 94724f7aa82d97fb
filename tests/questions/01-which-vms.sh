#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Operator: which running VMs may do non-coherent DMA, through which device, and why?
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask_of 6.12-two_vms
exits 1
says "VM db1"
says "ignored unsafe 0000:00:03.0"
says "executed noncoherent 0000:00:02.0"
says "does NOT block No Snoop; the IOMMU driver was asked to, and refused"
says "WBINVD is ignored while 0000:00:03.0 may bypass the caches"
says "To do Give the VM's VFIO group to KVM"

ask_of 6.12-two_vms --format json
exits 1
holds '[.vms[] | [.name, .verdict, .devices]] ==
	[["db1", "unsafe", ["0000:00:03.0"]], ["web1", "noncoherent", ["0000:00:02.0"]]]'
holds '[.domains[] | select(.container) | .coherency.state] == ["refused", "refused"]'
holds '.iommus == [{id: "dmar0", driver: "intel", snoop_control: false, interrupt_remapping: true}]'

# and where there is nothing to find, it says so
ask_of 6.1-snoop_on
exits 0
says "coherent"
says "Result: clean"
silent_on "Findings"
answered
