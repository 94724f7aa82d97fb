// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules_table.c - the rules: what each says to its reader, how grave it is and who judges it.
 * Floor 1.
 *
 * docs/rules.md has a section for each id; a test compares the two.
 */
#include "rules_internal.h"

#define INFO     NSN_SEVERITY_INFO
#define WARNING  NSN_SEVERITY_WARNING
#define CRITICAL NSN_SEVERITY_CRITICAL

const struct nsn_rule nsn_rules[] = {
	{
		.id = "NS001",
		.severity = CRITICAL,
		.worst = CRITICAL,
		.title = "Guest WBINVD is ignored while a device may bypass the caches",
		.why = "The IOMMU lets a device of the VM bypass the CPU caches, and KVM skips "
		       "the guest's WBINVD. The guest believes it has flushed and has not: it "
		       "loses or corrupts data, or reads stale memory that was the host's.",
		.check = "ls -l /proc/PID/fd: a VMM with /dev/vfio files but without "
			 "anon_inode:kvm-vfio never told KVM. Bit 7 of "
			 "/sys/class/iommu/dmar*/intel-iommu/ecap: 0 means the unit cannot block.",
		.remedy = "Give the VM's VFIO group to KVM (a kvm-vfio device; QEMU does it by "
			  "itself), or move the device behind an IOMMU unit with snoop control. "
			  "Restart the VM afterwards.",
		.judge = nsn_judge_unsafe,
	},
	{
		.id = "NS002",
		.severity = WARNING,
		.worst = WARNING,
		.title = "VM runs with non-coherent DMA",
		.why = "KVM really executes the guest's WBINVD, on every CPU that the vCPU ran "
		       "on: milliseconds in which these CPUs do nothing else. One guest can slow "
		       "down all. What else it changes depends on kernel and CPU, and is told "
		       "in vms[].kvm.memory_types: on AMD nothing; on Intel the guest's PAT "
		       "holds, before 6.11 its MTRRs too, so that memory it maps uncached gets "
		       "slow (a firmware that takes minutes); where the quirk IGNORE_GUEST_PAT "
		       "is on, KVM drops all mappings of the VM at the first device and the "
		       "last.",
		.check = "perf stat -a -e kvm:kvm_exit --filter 'exit_reason == 54' sleep 10 "
			 "counts WBINVD exits (AMD: 137); nosnooptop tells how long each took.",
		.remedy = "If the device must stay behind a unit without snoop control, keep the "
			  "VM off CPUs that serve others. Else move the device, or enable snoop "
			  "control in the firmware.",
		.judge = nsn_judge_noncoherent,
	},
	{
		.id = "NS003",
		.severity = WARNING,
		.worst = WARNING,
		.events = true,
		.title = "A guest executes WBINVD too often",
		.why = "Each executed WBINVD empties the caches of all CPUs that the vCPU ran on. "
		       "At this rate the guest takes a noticeable share of the host's time from "
		       "everybody.",
		.check = "nosnooptop: columns executed/s and share of a CPU.",
		.remedy = "Find out what the guest does (a driver that flushes in a loop, or "
			  "malice), pin its vCPUs, or take the non-coherent device from it.",
		.judge = nsn_judge_flushing,
	},
	{
		.id = "NS004",
		.severity = WARNING,
		.worst = WARNING,
		.events = true,
		.title = "The No Snoop bit of an assigned device was switched",
		.why = "The guest can set Enable No Snoop in its device's control register. A "
		       "change while the VM runs means that a driver has just begun or ceased to "
		       "use it.",
		.check = "setpci -s BDF CAP_EXP+8.w: bit 11 (0x800) is Enable No Snoop.",
		.remedy = "None is needed where the domain blocks No Snoop. Else see NS001 and "
			  "NS002.",
		.judge = nsn_judge_switched_bit,
	},
	{
		.id = "NS005",
		.severity = WARNING,
		.worst = WARNING,
		.title = "One device takes coherence from the whole VM",
		.why = "Some of the VM's devices are kept coherent and some are not. KVM knows "
		       "only all or nothing, so the one that is not makes every WBINVD of the VM "
		       "a real one.",
		.check = "nosnoop audit --vm NAME: the tree shows each domain and whether it "
			 "blocks.",
		.remedy = "Take the device that cannot be kept coherent out of the VM, or move it "
			  "behind a unit with snoop control.",
		.judge = nsn_judge_mixed,
	},
	{
		.id = "NS006",
		.severity = WARNING,
		.worst = CRITICAL,
		.title = "A domain does not block No Snoop although all its devices could",
		.why = "It was made for a device that could not be kept coherent and that has "
		       "left, or whose unit has changed. iommufd shares such page tables with "
		       "later devices: they stay non-coherent while KVM, which asks their "
		       "capability, ignores WBINVD.",
		.check = "Bit 7 of ecap of the devices' units is 1, and with "
			 "CONFIG_INTEL_IOMMU_DEBUGFS bit 11 of the leaves in "
			 "/sys/kernel/debug/iommu/intel/BDF/domain_translation_struct is 0.",
		.remedy = "Detach the devices and attach them again, or give them a page table of "
			  "their own (iommufd: a new HWPT). Restarting the VM does it.",
		.judge = nsn_judge_leftover,
	},
	{
		.id = "NS007",
		.severity = WARNING,
		.worst = WARNING,
		.title = "VFIO without isolated interrupts",
		.why = "Without interrupt remapping a device can write any interrupt to any CPU "
		       "by DMA, so a guest that drives it can attack the host. VFIO allows that "
		       "only by allow_unsafe_interrupts.",
		.check = "cat /sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts; "
			 "cat /sys/kernel/irq/*/chip_name: IR-PCI-MSI is remapped, PCI-MSI is not.",
		.remedy = "Turn interrupt remapping on in the firmware and do not boot with "
			  "intremap=off or nointremap; then remove allow_unsafe_interrupts=1 from "
			  "modprobe.d and the kernel's command line.",
		.judge = nsn_judge_interrupts,
	},
	{
		.id = "NS008",
		.severity = INFO,
		.worst = INFO,
		.title = "A device was refused by VFIO for lack of cache-coherent DMA",
		.why = "vfio-pci was asked to take the device, and it has no driver: its IOMMU "
		       "cannot do cache-coherent DMA, and VFIO registers no such device (EINVAL).",
		.check = "cat /sys/bus/pci/devices/BDF/driver_override; dmesg | grep -i vfio; "
			 "echo BDF > /sys/bus/pci/drivers_probe fails again.",
		.remedy = "Nothing can be set: use another slot or another machine, or give the "
			  "device back (echo > driver_override).",
		.judge = nsn_judge_refused,
	},
	{
		.id = "NS009",
		.severity = CRITICAL,
		.worst = CRITICAL,
		.events = true,
		.title = "Enforcement was granted on a domain that already had mappings",
		.why = "On second-stage tables the Snoop bit stands in each entry. Entries made "
		       "before enforcement was granted keep none: memory stays open that "
		       "everybody believes closed. A refusal at that point is the kernel being "
		       "right, and no finding.",
		.check = "With CONFIG_INTEL_IOMMU_DEBUGFS: leaves without 0x800 in "
			 "/sys/kernel/debug/iommu/intel/BDF/domain_translation_struct",
		.remedy = "Report it to the kernel's IOMMU list; restart the VM, so that its "
			  "domains are made anew.",
		.judge = nsn_judge_late_grant,
	},
	{
		.id = "NS010",
		.severity = INFO,
		.worst = INFO,
		.title = "An opened group has several members, or is not viable",
		.why = "The members of a group can reach each other's memory past the IOMMU, so "
		       "they share one fate: they go to one VM together. While a host driver has "
		       "one of them VFIO attaches none.",
		.check = "ls /sys/kernel/iommu_groups/N/devices, and lspci -nnk -s BDF for each.",
		.remedy = "Bind the other members to vfio-pci or to no driver, or use a slot with "
			  "its own group (ACS).",
		.judge = nsn_judge_shared_group,
	},
	{
		.id = "NS011",
		.severity = WARNING,
		.worst = WARNING,
		.title = "Non-coherent DMA is registered for nothing",
		.why = "Every domain of the VM blocks No Snoop and no device is emulated, but KVM "
		       "counts the VM as non-coherent: its WBINVDs stall CPUs without any need.",
		.check = "nosnoop audit --vm NAME: all domains block, noncoherent_dma is above 0. "
			 "NS015 tells how it came about.",
		.remedy = "Restart the VM, or let the VMM remove its groups from the kvm-vfio "
			  "device and add them again, after their container is set up.",
		.judge = nsn_judge_costly,
	},
	{
		.id = "NS012",
		.severity = INFO,
		.worst = INFO,
		.title = "Devices of the host use No Snoop as the kernel intends",
		.why = "The drivers of these devices let them bypass the caches and keep memory "
		       "right by themselves. This is normal, and matters only if you pass the "
		       "device through.",
		.check = "cat /sys/kernel/iommu_groups/N/type says DMA or DMA-FQ; the driver's "
			 "source is named in the evidence.",
		.remedy = "None is needed.",
		.judge = nsn_judge_host_nosnoop,
	},
	{
		.id = "NS013",
		.severity = WARNING,
		.worst = CRITICAL,
		.title = "VFIO without an IOMMU",
		.why = "A device in user space's hands does DMA to any memory of the host. "
		       "Nothing blocks No Snoop either.",
		.check = "ls /dev/vfio/noiommu-*; cat "
			 "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
		.remedy = "Turn the IOMMU on (firmware, intel_iommu=on) and set "
			  "enable_unsafe_noiommu_mode=0.",
		.judge = nsn_judge_noiommu,
	},
	{
		.id = "NS014",
		.severity = WARNING,
		.worst = WARNING,
		.title = "Blocking is claimed, but the page-table format has no such bit",
		.why = "AMD's driver says yes when it is asked to enforce coherence, also for v2 "
		       "page tables, whose format has no bit for it. Whether No Snoop is blocked "
		       "is unknown.",
		.check = "Was the kernel booted with amd_iommu=pgtbl_v2? cat /proc/cmdline",
		.remedy = "Boot without amd_iommu=pgtbl_v2: v1 page tables always block No Snoop.",
		.judge = nsn_judge_format,
	},
	{
		.id = "NS015",
		.severity = WARNING,
		.worst = WARNING,
		.title = "What KVM registered is not what it would compute now",
		.why = "KVM decides once, when a group or device is given to it. What happened "
		       "later (a container set or unset, a group attached, a unit that changed) "
		       "it does not see. It flushes for nothing, or ignores WBINVDs that it "
		       "should execute.",
		.check = "nosnoop trace while the VM starts shows the order of "
			 "container_set_group, container_set_iommu and kvm_file_add.",
		.remedy = "Let the VMM give the group to KVM after VFIO_SET_IOMMU and take it "
			  "away before the container is unset; restarting the VM with a current "
			  "VMM does it.",
		.judge = nsn_judge_registration,
	},
	{
		.id = "NS016",
		.severity = CRITICAL,
		.worst = CRITICAL,
		.title = "An invariant of coherence is broken",
		.why = "What the kernel keeps in several places does not agree: VFIO's flag and "
		       "the IOMMU driver's, or a domain that blocks and a device whose unit "
		       "cannot. One of them is wrong, and DMA may bypass the caches where "
		       "everybody believes it blocked.",
		.check = "nosnoop audit twice: does it stay? Then dmesg, and bit 7 of ecap of the "
			 "units.",
		.remedy = "Record it (nosnoop record) and report it to the kernel's IOMMU list; "
			  "restart the VM, so that its domains are made anew.",
		.judge = nsn_judge_invariant,
	},
	{
		.id = "NS017",
		.severity = INFO,
		.worst = INFO,
		.title = "IOMMU units differ in snoop control",
		.why = "Devices behind the weaker units cannot be kept coherent in a VM. This is "
		       "what the kernel's message \"IOMMU feature sc_support inconsistent\" is "
		       "about. It matters only if you pass one of these devices through.",
		.check = "Bit 7 of each /sys/class/iommu/dmar*/intel-iommu/ecap; "
			 "/sys/bus/pci/devices/BDF/iommu names a device's unit.",
		.remedy = "Pass devices through that sit behind a unit with snoop control.",
		.judge = nsn_judge_units,
	},
	{
		.id = "NS018",
		.severity = CRITICAL,
		.worst = CRITICAL,
		.title = "The ownership of a group's DMA is broken",
		.why = "A group in a user's domain must be claimed by that user, and then no host "
		       "driver may do DMA in it: else the host's data and the user's share one "
		       "address space.",
		.check = "lspci -nnk for each of /sys/kernel/iommu_groups/N/devices",
		.remedy = "Stop the VM, unbind the host's driver from the member, and report it "
			  "to the kernel's IOMMU list.",
		.judge = nsn_judge_ownership,
	},
	{
		.id = "NS019",
		.severity = CRITICAL,
		.worst = CRITICAL,
		.title = "Devices of one group are attached to different domains",
		.why = "Members of a group cannot be told apart by the IOMMU or reach each other "
		       "past it. In different domains one user's device reaches another's memory.",
		.check = "nosnoop audit --group N twice: does it stay?",
		.remedy = "Stop the VMs that use the group, and report it to the kernel's IOMMU "
			  "list.",
		.judge = nsn_judge_split_group,
	},
	{
		.id = "NS020",
		.severity = WARNING,
		.worst = WARNING,
		.title = "Guest memory is mapped for a vDPA device",
		.why = "vhost-vdpa maps guest memory in a domain of its own and never asks for "
		       "enforcement; KVM is never told. If the device uses No Snoop, a guest's "
		       "WBINVD is ignored.",
		.check = "ls -l /proc/PID/fd | grep vhost-vdpa; readlink "
			 "/sys/bus/vdpa/devices/*/driver",
		.remedy = "Use a vDPA device whose DMA is coherent (its vendor knows), or VFIO.",
		.judge = nsn_judge_vdpa,
	},
	{
		.id = "NS021",
		.severity = INFO,
		.worst = WARNING,
		.title = "A non-blocking container belongs to no VM we can name",
		.why = "Some process drives a device that may bypass the caches. If it is not a "
		       "VM (DPDK, SPDK) the process itself must keep its memory right. If it "
		       "shares a cgroup with a VM it may be a helper of that VM's, and then NS001 "
		       "may hold for it.",
		.check = "cat /proc/PID/comm /proc/PID/cgroup of the process that holds it.",
		.remedy = "Find out whose device it is. Nothing is to be done for a user-space "
			  "driver that flushes by itself.",
		.judge = nsn_judge_unowned_container,
	},
	{
		.id = "NS022",
		.severity = INFO,
		.worst = INFO,
		.title = "ATS is enabled on an assigned device",
		.why = "The device may keep translations and send requests that are already "
		       "translated. For these the IOMMU looks at no page table: that No Snoop is "
		       "blocked rests on the device.",
		.check = "lspci -vvv -s BDF: ATSCtl: Enable+.",
		.remedy = "If you do not trust the device, boot with pci=noats.",
		.judge = nsn_judge_ats,
	},
	{
		.id = "NS023",
		.severity = INFO,
		.worst = INFO,
		.events = true,
		.title = "A domain outlives the group it was made for",
		.why = "Its first group has left and another keeps it alive. What was decided for "
		       "the first (to block No Snoop or not) still holds for the other.",
		.check = "nosnoop trace: group_detach of the first group without domain_free.",
		.remedy = "None is needed if the domain blocks No Snoop; else see NS006.",
		.judge = nsn_judge_outlived,
	},
};

const size_t nsn_rules_count = NSN_ARRAY_SIZE(nsn_rules);
