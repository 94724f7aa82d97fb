#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: VM owner: my GPU VM boots for minutes: is its DMA non-coherent, so that KVM honours what it asks?
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask_of 7.3-qemu --vm web1
exits 1
says "KVM executes the guest's cache flushes"
says "KVM goes by what the device's IOMMU could do, not what was really set up"
says "On Intel the guest's memory types are honoured as well, which can make it slow"

ask_of 7.3-qemu --vm web1 --format json
holds '.vms[0] | .vmm == "qemu" and .noncoherent_dma == 1 and .guest_wbinvd == "executed"'
holds '.host | .kvm_criterion == "capability" and .wbinvd_exiting == true and .cpu_vendor == "amd"'

# the other regime: the same question of a VM whose device is kept coherent
ask_of 6.1-snoop_on --vm web1 --format json
exits 0
holds '.vms[0] | .noncoherent_dma == 0 and .guest_wbinvd == "ignored" and .verdict == "coherent"'
holds '.host.kvm_criterion == "domain"'
answered
