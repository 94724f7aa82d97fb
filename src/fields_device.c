// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields_device.c - the fields of devices. Floor 1.
 */
#include "fields_internal.h"

#include <string.h>

/* The bus as sysfs tells it, else as the kernel does; "" unknown. */
static const char *bus_of(const struct nsn_device *device)
{
	if (NSN_KNOWS(&device->sys, device, bus))
		return device->sys.bus;
	if (NSN_KNOWS(&device->rec, group_device, bus))
		return device->rec.bus;
	return "";
}

/* Facts of PCI: another bus has none of them. */
static bool not_pci(const struct nsn_device *device, struct nsn_value *value)
{
	const char *bus = bus_of(device);

	if (!bus[0] || strcmp(bus, "pci") == 0)
		return false;
	put_none(value);
	return true;
}

/* A sleeping device is not read: reading its configuration would wake it. */
static void blame_sleep(const struct nsn_device *device, struct nsn_value *value)
{
	if (value->type == NSN_VALUE_UNKNOWN && NSN_KNOWS(&device->sys, device, asleep) &&
	    device->sys.asleep)
		value->reason = "asleep";
}

NSN_GETTER(get_id, nsn_device)
{
	put_text(value, object->id);
}

NSN_GETTER(get_bus, nsn_device)
{
	const char *bus = bus_of(object);

	if (bus[0])
		put_text(value, bus);
}

NSN_GETTER(get_bdf, nsn_device)
{
	if (not_pci(object, value))
		return;
	if (bus_of(object)[0])
		put_text(value, object->id);
}

NSN_GETTER(get_power_state, nsn_device)
{
	if (not_pci(object, value))
		return;
	if (NSN_KNOWS(&object->sys, device, power_state))
		put_text_or_none(value, object->sys.power_state);
}

/* Ids as sysfs writes them. */
static void put_hex(struct nsn_value *value, uint64_t number, int digits)
{
	put_text(value, nsn_format(value->scratch, sizeof(value->scratch), "0x%0*llx", digits,
				   (unsigned long long)number));
}

NSN_GETTER(get_vendor_id, nsn_device)
{
	if (!not_pci(object, value) && NSN_KNOWS(&object->sys, device, vendor_id))
		put_hex(value, object->sys.vendor_id, 4);
}

NSN_GETTER(get_device_id, nsn_device)
{
	if (!not_pci(object, value) && NSN_KNOWS(&object->sys, device, device_id))
		put_hex(value, object->sys.device_id, 4);
}

NSN_GETTER(get_class, nsn_device)
{
	if (!not_pci(object, value) && NSN_KNOWS(&object->sys, device, class))
		put_hex(value, object->sys.class, 6);
}

NSN_GETTER(get_name, nsn_device)
{
	if (!not_pci(object, value) && NSN_KNOWS(&object->sys, device, name))
		put_text_or_none(value, object->sys.name);
}

NSN_GETTER(get_driver, nsn_device)
{
	if (NSN_KNOWS(&object->sys, device, driver))
		put_text_or_none(value, object->sys.driver);
	else if (NSN_KNOWS(&object->rec, group_device, driver))
		put_text_or_none(value, object->rec.driver);
}

NSN_GETTER(get_group, nsn_device)
{
	const char *reason;

	if (object->group)
		put_number(value, object->group->number);
	else if (nsn_model__source(model, "sysfs.groups", &reason) != NSN_SOURCE_FAILED)
		put_none(value);
}

NSN_GETTER(get_iommu, nsn_device)
{
	if (object->iommu)
		put_text(value, object->iommu->id);
	else if (NSN_KNOWS(&object->sys, device, iommu))
		put_text_or_none(value, object->sys.iommu);
	else if (NSN_KNOWS(&object->rec, group_device, iommu))
		put_text_or_none(value, object->rec.iommu);
}

NSN_GETTER(get_physfn, nsn_device)
{
	if (!not_pci(object, value) && NSN_KNOWS(&object->sys, device, physfn))
		put_text_or_none(value, object->sys.physfn);
}

NSN_GETTER(get_ats, nsn_device)
{
	if (not_pci(object, value))
		return;
	put_tri(value, NSN_FLAG(&object->sys, device, ats), NSN_TONE_PLAIN, NSN_TONE_PLAIN);
	blame_sleep(object, value);
}

static bool has_no_pcie_cap(const struct nsn_device *device)
{
	return NSN_KNOWS(&device->sys, device, nosnoop_source) &&
	       device->sys.nosnoop_source == NSN_NOSNOOP_NO_PCIE_CAP;
}

NSN_GETTER(get_nosnoop_permitted, nsn_device)
{
	if (not_pci(object, value))
		return;
	put_tri(value, NSN_FLAG(&object->sys, device, nosnoop), NSN_TONE_WARNING, NSN_TONE_PLAIN);
	blame_sleep(object, value);
	if (value->type == NSN_VALUE_UNKNOWN && has_no_pcie_cap(object))
		put_none(value);
}

NSN_GETTER(get_nosnoop_source, nsn_device)
{
	if (not_pci(object, value))
		return;
	if (NSN_KNOWS(&object->sys, device, nosnoop_source))
		put_text(value, nsn_nosnoop_source_name(object->sys.nosnoop_source));
	blame_sleep(object, value);
}

NSN_GETTER(get_nosnoop_bdf, nsn_device)
{
	if (not_pci(object, value))
		return;
	if (NSN_KNOWS(&object->sys, device, nosnoop_bdf))
		put_text_or_none(value, object->sys.nosnoop_bdf);
	blame_sleep(object, value);
	if (value->type == NSN_VALUE_UNKNOWN && has_no_pcie_cap(object))
		put_none(value);
}

NSN_GETTER(get_cap_cache_coherency, nsn_device)
{
	put_tri(value, object->cap_cache_coherency, NSN_TONE_PLAIN, NSN_TONE_PLAIN);
}

NSN_GETTER(get_cap_enforce_coherency, nsn_device)
{
	put_tri(value, object->can_enforce, NSN_TONE_PLAIN, NSN_TONE_PLAIN);
}

NSN_GETTER(get_if_assigned, nsn_device)
{
	put_none(value);
	if (object->prediction.applies)
		put_object(value, object, NSN_OBJECT_IF_ASSIGNED);
}

static const struct nsn_wording nosnoop_sources[] = {
	{ "self", NULL, NSN_TONE_PLAIN },
	{ "pf", "the bit is its physical function's", NSN_TONE_PLAIN },
	{ "no_pcie_cap", "conventional PCI: it has no No Snoop bit", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

const struct nsn_field nsn_fields_device[] = {
	{
		.path = "id",
		.header = "DEVICE",
		.source = "sysfs.pci",
		.help = "Its address on the PCI bus, an mdev's uuid, or its name.",
		.get = get_id_any,
	},
	{
		.path = "bus",
		.header = "BUS",
		.source = "sysfs.pci",
		.help = "pci, mdev, vdpa, platform, ...",
		.get = get_bus_any,
	},
	{
		.path = "bdf",
		.header = "BDF",
		.source = "sysfs.pci",
		.help = "Domain, bus, device and function of a PCI device.",
		.get = get_bdf_any,
	},
	{
		.path = "power_state",
		.header = "POWER",
		.source = "sysfs.pci",
		.help = "PCI power state.",
		.get = get_power_state_any,
	},
	{
		.path = "vendor_id",
		.header = "VENDOR",
		.source = "sysfs.pci",
		.help = "PCI vendor id.",
		.get = get_vendor_id_any,
	},
	{
		.path = "device_id",
		.header = "DEVICE ID",
		.source = "sysfs.pci",
		.help = "PCI device id.",
		.get = get_device_id_any,
	},
	{
		.path = "class",
		.header = "CLASS",
		.source = "sysfs.pci",
		.help = "PCI class code.",
		.get = get_class_any,
	},
	{
		.path = "name",
		.header = "NAME",
		.source = "sysfs.pci",
		.text = NSN_TEXT_TREE,
		.help = "Vendor and device in words.",
		.get = get_name_any,
	},
	{
		.path = "driver",
		.header = "DRIVER",
		.source = "sysfs.pci",
		.help = "Driver that is bound to it.",
		.get = get_driver_any,
	},
	{
		.path = "group",
		.header = "GROUP",
		.source = "sysfs.groups",
		.help = "Its IOMMU group.",
		.get = get_group_any,
	},
	{
		.path = "iommu",
		.header = "IOMMU",
		.source = "sysfs.pci",
		.text = NSN_TEXT_TREE,
		.prefix = "behind ",
		.help = "IOMMU unit that translates its DMA.",
		.get = get_iommu_any,
	},
	{
		.path = "physfn",
		.header = "PHYSICAL FUNCTION",
		.source = "sysfs.pci",
		.text = NSN_TEXT_TREE,
		.prefix = "virtual function of ",
		.help = "Physical function of a virtual one.",
		.get = get_physfn_any,
	},
	{
		.path = "ats",
		.header = "ATS",
		.source = "sysfs.pci",
		.text = NSN_TEXT_TREE,
		.yes = "translates addresses itself (ATS)",
		.help = "Whether address translation services are enabled on it.",
		.get = get_ats_any,
	},
	{
		.path = "nosnoop.permitted",
		.header = "NO SNOOP",
		.source = "sysfs.pci",
		.metric = "nosnoop_device_nosnoop_permitted",
		.metric_type = NSN_METRIC_GAUGE,
		.text = NSN_TEXT_TREE,
		.yes = "its No Snoop bit is set",
		.no = "its No Snoop bit is clear, for now",
		.unknown = "its No Snoop bit could not be read",
		.help = "Whether the device's Enable No Snoop bit is set. It only permits.",
		.get = get_nosnoop_permitted_any,
	},
	{
		.path = "nosnoop.source",
		.header = "BIT OF",
		.source = "sysfs.pci",
		.text = NSN_TEXT_TREE,
		.values = nosnoop_sources,
		.help = "Whose bit that is.",
		.get = get_nosnoop_source_any,
	},
	{
		.path = "nosnoop.bdf",
		.header = "BIT AT",
		.source = "sysfs.pci",
		.help = "Device whose bit that is.",
		.get = get_nosnoop_bdf_any,
	},
	{
		.path = "cap_cache_coherency",
		.header = "CACHE COHERENT",
		.source = "kernel.iommu",
		.help = "Whether its IOMMU can do cache-coherent DMA for it.",
		.get = get_cap_cache_coherency_any,
	},
	{
		.path = "cap_enforce_coherency",
		.header = "CAN BLOCK NO SNOOP",
		.source = "kernel.iommu",
		.help = "Whether its IOMMU can block No Snoop for it.",
		.get = get_cap_enforce_coherency_any,
	},
	{
		.path = "if_assigned",
		.header = "IF ASSIGNED",
		.source = "sysfs.pci",
		.help = "What would happen if it were assigned to a VM now: of a PCI endpoint that "
			"no VM has.",
		.get = get_if_assigned_any,
	},
	{ .path = NULL },
};
