#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Passthrough user: VFIO says EPERM; what refuses it? (the state that is left; the trace comes later)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask_of 6.1-unattached
exits 1
says "unattached"
says "NS007"
says "Turn interrupt remapping on in the firmware"

ask_of 6.1-unattached --format json
holds '.vms[0].verdict == "unattached" and .vms[0].paths[0].dma == "none"'
holds '.iommus[0].interrupt_remapping == false'
holds '[.groups[] | select(.opened_by != []) | .isolated_msi, .owner, .viable] == [false, "vfio", true]'
holds '[.findings[] | select(.rule == "NS007") | .severity, .evidence.allow_unsafe_interrupts] ==
	["warning", false]'
answered
