#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Q: libvirt, KubeVirt, Proxmox admin: the same, by the name of the guest
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

ask_of four-verdicts --vm db-primary --format json
holds '[.vms[].name] == ["db-primary"] and .vms[0].name_source == "argv"'
id=$(jq -r '.vms[0].id' "$work/out") pid=$(jq -r '.vms[0].pid' "$work/out")
for other in "$id" "$pid" "uuid:$id" "name:db-primary" "pid:$pid"; do
	ask_of four-verdicts --vm "$other" --format json
	holds "[.vms[].id] == [\"$id\"]"
done

ask_of 7.3-qemu --vm web1
says "qemu-system-x86"

# a name that is not there: the VMs that are
ask_of four-verdicts --vm nobody
exits 2
grep -q "no such VM 'nobody'; running:" "$work/err" || not "does not say that there is no such VM"
grep -q "name 'render-farm-07'" "$work/err" || not "does not list the VMs there are"

# a hostile name reaches neither the terminal nor the next line
ask_of hostile-names
! LC_ALL=C grep -q "$(printf '\033')" "$work/out" || not "prints an escape character"
says '\x1b[31mred\x1b[0m\nnewline'
ask_of hostile-names --format json
holds '[.vms[].name] | any(contains("\u001b[31mred"))'
answered
