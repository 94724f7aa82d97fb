#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: VMM developer: did the order of my calls leave the VM non-coherent? (what a snapshot can tell)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask_of 6.1-add_before_container --format json
exits 1
holds '.vms[0].verdict == "unsafe" and .vms[0].links[0].by == "kvm_vfio"'
holds '[.findings[] | select(.rule == "NS015") | .evidence.cause] == ["before_set_container"]'

ask_of 6.1-add_before_iommu --format json
exits 1
holds '[.findings[] | select(.rule == "NS015") | .evidence.cause] == ["before_set_iommu"]'
holds '[.findings[].rule] | index("NS011") != null'

ask_of 7.3-unit_can_domain_does_not --format json
exits 1
holds '[.findings[] | select(.rule == "NS015") | .evidence.cause] == ["capability_vs_domain"]'
answered
