#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: Device maintainer: may the device use No Snoop now, and is it blocked? (the four cells)
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask_of four-verdicts
says "its No Snoop bit is set"
says "its No Snoop bit is clear, for now"

ask_of four-verdicts --format json
# the device's row and its paths: permitted x blocked
# shellcheck disable=SC2016 # jq's variables
holds '. as $a | [.vms[].paths[] | . as $p | $a.devices[] | select(.id == $p.device) |
	[.bdf, .nosnoop.permitted, $p.blocks_nosnoop]] | sort ==
	[["0000:00:02.0", true, false], ["0000:01:00.0", false, true], ["0000:02:00.0", false, true],
	 ["0000:05:00.0", true, false], ["0000:05:00.1", false, false]]'
# a clear bit permits nothing now, and makes no verdict milder
holds '[.findings[] | select(.rule == "NS002") | .evidence.nosnoop_not_permitted] == ["0000:05:00.1"]'
# of a conventional PCI device there is no such bit
ask_of 6.12-bridge --device 0000:02:01.0
says "conventional PCI: it has no No Snoop bit"
answered
