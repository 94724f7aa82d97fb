#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Admin reading dmesg: what does "DMAR: IOMMU feature sc_support inconsistent" mean for me?
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask_of four-verdicts
says "Host: 1 of 2 IOMMU units cannot block No Snoop"
says "sc_support inconsistent"
says "It matters only if you pass one of these devices through"
says "without snoop control: dmar0; with snoop control: dmar1"

ask_of four-verdicts --format json
holds '[.iommus[] | [.id, .snoop_control]] == [["dmar0", false], ["dmar1", true]]'
holds '[.findings[] | select(.rule == "NS017") | .severity, .evidence.devices] ==
	["info", "0000:00:02.0, 0000:00:1c.0, 0000:05:00.0, 0000:05:00.1"]'
holds '[.devices[] | select(.iommu == "dmar0") | .bdf] ==
	["0000:00:02.0", "0000:00:1c.0", "0000:05:00.0", "0000:05:00.1"]'

ask audit --explain NS017
exits 0
says "sc_support inconsistent"
says "Bit 7 of each /sys/class/iommu/dmar*/intel-iommu/ecap"
answered
