#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: VM owner: my GPU VM boots for minutes: is its DMA non-coherent, so that KVM honours what it asks?
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask_of 7.3-qemu --vm web1
exits 1
says "KVM executes the guest's cache flushes"
says "KVM goes by what the device's IOMMU could do, not what was really set up"
says "What KVM decided for web1"
says "By the domains non-coherent: it would register"
says "By capability non-coherent: it would register"
says "Memory types the guest's own, with non-coherent DMA or without"
says "On a change KVM drops no mapping"

ask_of 7.3-qemu --vm web1 --format json
holds '.vms[0] | .vmm == "qemu" and .noncoherent_dma == 1 and .guest_wbinvd == "executed"'
holds '.vms[0].kvm | [.criterion, .registered, .by_domain, .by_capability] == ["capability", true, true, true]'
holds '.vms[0].kvm.memory_types | [.regime, .guest_pat, .guest_mtrr, .guest_cache_disable, .changes, .zaps]
	== ["guest", true, false, false, false, false]'
holds '.host | .kvm_criterion == "capability" and .wbinvd_exiting == true and .cpu_vendor == "amd"'

# the other regime: the same question of a VM whose device is kept coherent
ask_of 6.1-snoop_on --vm web1 --format json
exits 0
holds '.vms[0] | .noncoherent_dma == 0 and .guest_wbinvd == "ignored" and .verdict == "coherent"'
holds '.host.kvm_criterion == "domain"'
answered
