// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields_host.c - the fields of the host and of its IOMMU units. Floor 1.
 */
#include "fields_internal.h"

/* A string field of the host's record. */
#define HOST_TEXT(name)                                                                            \
	NSN_GETTER(get_##name, nsn_model)                                                          \
	{                                                                                          \
		if (NSN_KNOWS(&object->host, host, name))                                          \
			put_text(value, object->host.name);                                        \
	}

HOST_TEXT(hostname)
HOST_TEXT(boot_id)
HOST_TEXT(kernel)
HOST_TEXT(arch)
HOST_TEXT(cpu_vendor)

NSN_GETTER(get_self_snoop, nsn_model)
{
	put_tri(value, NSN_FLAG(&object->host, host, self_snoop), NSN_TONE_PLAIN, NSN_TONE_PLAIN);
}

NSN_GETTER(get_wbinvd_exiting, nsn_model)
{
	put_tri(value, NSN_FLAG(&object->kernel, kernel, wbinvd_exiting), NSN_TONE_PLAIN,
		NSN_TONE_PLAIN);
}

NSN_GETTER(get_kvm_criterion, nsn_model)
{
	if (NSN_KNOWS(&object->kernel, kernel, criterion_capability))
		put_text(value, object->kernel.criterion_capability ? "capability" : "domain");
}

NSN_GETTER(get_unsafe_interrupts, nsn_model)
{
	put_tri(value, NSN_FLAG(&object->host, host, unsafe_interrupts), NSN_TONE_WARNING,
		NSN_TONE_PLAIN);
}

NSN_GETTER(get_unsafe_noiommu, nsn_model)
{
	put_tri(value, NSN_FLAG(&object->host, host, unsafe_noiommu), NSN_TONE_WARNING,
		NSN_TONE_PLAIN);
}

static const struct nsn_wording criteria[] = {
	{ "domain", "what the IOMMU really does: each domain of the VM must block No Snoop",
	  NSN_TONE_PLAIN },
	{ "capability", "what the device's IOMMU could do, not what was really set up",
	  NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

const struct nsn_field nsn_fields_host[] = {
	{
		.path = "hostname",
		.header = "Host",
		.source = "proc",
		.text = NSN_TEXT_LIST,
		.help = "Name of the host.",
		.get = get_hostname_any,
	},
	{
		.path = "boot_id",
		.header = "Boot",
		.source = "proc",
		.help = "Random id of this boot of the kernel.",
		.get = get_boot_id_any,
	},
	{
		.path = "kernel",
		.header = "Kernel",
		.source = "proc",
		.text = NSN_TEXT_LIST,
		.help = "Release of the running kernel.",
		.get = get_kernel_any,
	},
	{
		.path = "arch",
		.header = "Architecture",
		.source = "proc",
		.help = "Machine architecture, as uname tells it.",
		.get = get_arch_any,
	},
	{
		.path = "cpu_vendor",
		.header = "CPU",
		.source = "proc",
		.text = NSN_TEXT_LIST,
		.help = "Vendor of the CPU.",
		.get = get_cpu_vendor_any,
	},
	{
		.path = "self_snoop",
		.header = "Self-snoop",
		.source = "proc",
		.help = "Whether the CPU snoops its own caches, so that memory types may be mixed.",
		.get = get_self_snoop_any,
	},
	{
		.path = "wbinvd_exiting",
		.header = "Guest cache flush",
		.source = "kernel.kvm",
		.text = NSN_TEXT_LIST,
		.yes = "WBINVD of a guest exits to KVM, which executes or ignores it",
		.no = "WBINVD of a guest runs on the CPU itself: KVM has no say",
		.help = "Whether a guest's WBINVD exits to KVM on this CPU.",
		.get = get_wbinvd_exiting_any,
	},
	{
		.path = "kvm_criterion",
		.header = "KVM goes by",
		.source = "kernel.kvm",
		.text = NSN_TEXT_LIST,
		.values = criteria,
		.help = "What KVM asks to decide whether a VM has non-coherent DMA: its domains, "
			"or "
			"the capability of its devices.",
		.get = get_kvm_criterion_any,
	},
	{
		.path = "vfio.allow_unsafe_interrupts",
		.header = "Unsafe interrupts",
		.source = "kernel.type1",
		.text = NSN_TEXT_LIST,
		.yes = "VFIO allows them (vfio_iommu_type1.allow_unsafe_interrupts)",
		.no = "VFIO does not allow them",
		.help = "Whether VFIO accepts devices whose interrupts are not isolated.",
		.get = get_unsafe_interrupts_any,
	},
	{
		.path = "vfio.enable_unsafe_noiommu_mode",
		.header = "VFIO without IOMMU",
		.source = "kernel.vfio",
		.text = NSN_TEXT_LIST,
		.yes = "allowed (vfio.enable_unsafe_noiommu_mode)",
		.no = "not allowed",
		.help = "Whether VFIO hands out devices that no IOMMU contains.",
		.get = get_unsafe_noiommu_any,
	},
	{ .path = NULL },
};

NSN_GETTER(get_iommu_id, nsn_iommu)
{
	put_text(value, object->id);
}

NSN_GETTER(get_iommu_driver, nsn_iommu)
{
	if (NSN_KNOWS(&object->rec, iommu, driver))
		put_text(value, object->rec.driver);
}

NSN_GETTER(get_snoop_control, nsn_iommu)
{
	put_tri(value, object->snoop_control, NSN_TONE_GOOD, NSN_TONE_WARNING);
}

NSN_GETTER(get_interrupt_remapping, nsn_iommu)
{
	put_tri(value, object->interrupt_remapping, NSN_TONE_GOOD, NSN_TONE_WARNING);
}

const struct nsn_field nsn_fields_iommu[] = {
	{
		.path = "id",
		.header = "IOMMU",
		.source = "sysfs.iommu",
		.help = "The kernel's name for the unit.",
		.get = get_iommu_id_any,
	},
	{
		.path = "driver",
		.header = "DRIVER",
		.source = "sysfs.iommu",
		.text = NSN_TEXT_TABLE,
		.help = "Driver of the unit.",
		.get = get_iommu_driver_any,
	},
	{
		.path = "snoop_control",
		.header = "CAN BLOCK NO SNOOP",
		.source = "sysfs.iommu",
		.metric = "nosnoop_iommu_snoop_control",
		.metric_type = NSN_METRIC_GAUGE,
		.text = NSN_TEXT_TABLE,
		.help = "Whether the unit has snoop control: it can block No Snoop.",
		.get = get_snoop_control_any,
	},
	{
		.path = "interrupt_remapping",
		.header = "ISOLATES INTERRUPTS",
		.source = "sysfs.iommu",
		.metric = "nosnoop_iommu_interrupt_remapping",
		.metric_type = NSN_METRIC_GAUGE,
		.text = NSN_TEXT_TABLE,
		.help = "Whether interrupt remapping of the unit is on.",
		.get = get_interrupt_remapping_any,
	},
	{ .path = NULL },
};
