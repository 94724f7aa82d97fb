// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields_path.c - the fields of a VM's links to containers and of its paths. Floor 1.
 */
#include "fields_internal.h"

NSN_GETTER(get_link_container, nsn_link)
{
	put_text(value, object->container->id);
}

NSN_GETTER(get_link_by, nsn_link)
{
	put_text(value, nsn_link_by_name(object->by));
}

NSN_GETTER(get_link_certain, nsn_link)
{
	put_tri(value, object->certain ? NSN_YES : NSN_NO, NSN_TONE_PLAIN, NSN_TONE_WARNING);
}

static const struct nsn_wording link_bys[] = {
	{ "kvm_vfio", "KVM knows it as this VM's", NSN_TONE_PLAIN },
	{ "same_mm", "it maps this VM's memory", NSN_TONE_PLAIN },
	{ "same_process", "one process holds it and the VM", NSN_TONE_WARNING },
	{ "same_cgroup", "it is held in the VM's cgroup", NSN_TONE_WARNING },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

const struct nsn_field nsn_fields_link[] = {
	{
		.path = "container",
		.header = "CONTAINER",
		.source = "kernel.vfio",
		.help = "The container.",
		.get = get_link_container_any,
	},
	{
		.path = "by",
		.header = "BY",
		.source = "kernel.vfio",
		.text = NSN_TEXT_TREE,
		.values = link_bys,
		.help = "What ties it to the VM.",
		.get = get_link_by_any,
	},
	{
		.path = "certain",
		.header = "CERTAIN",
		.source = "kernel.vfio",
		.text = NSN_TEXT_TREE,
		.no = "probably this VM's",
		.help = "Whether that proves it.",
		.get = get_link_certain_any,
	},
	{ .path = NULL },
};

/* A part of a path that is not there: none if it is known that the path has none. */
static void put_missing(const struct nsn_path *path, struct nsn_value *value)
{
	if (path->dma != NSN_DMA_UNKNOWN)
		put_none(value);
	else
		value->reason = path->unknown_reason;
}

NSN_GETTER(get_path_container, nsn_path)
{
	if (object->container)
		put_text(value, object->container->id);
	else
		put_missing(object, value);
}

NSN_GETTER(get_path_domain, nsn_path)
{
	if (object->domain)
		put_text(value, object->domain->id);
	else
		put_missing(object, value);
}

NSN_GETTER(get_path_group, nsn_path)
{
	if (object->group)
		put_number(value, object->group->number);
	else
		put_missing(object, value);
}

NSN_GETTER(get_path_device, nsn_path)
{
	if (object->device)
		put_text(value, object->device->id);
	else
		put_missing(object, value);
}

NSN_GETTER(get_path_pasid, nsn_path)
{
	if (object->pasid)
		put_number(value, object->pasid);
	else
		put_none(value);
}

NSN_GETTER(get_path_dma, nsn_path)
{
	put_text(value, nsn_dma_name(object->dma));
	if (object->dma == NSN_DMA_UNKNOWN)
		value->reason = object->unknown_reason;
}

NSN_GETTER(get_path_blocks, nsn_path)
{
	put_tri(value, object->blocks_nosnoop, NSN_TONE_GOOD, NSN_TONE_BAD);
	if (value->type != NSN_VALUE_UNKNOWN)
		return;
	value->reason = object->unknown_reason;
	if (!value->reason && object->dma == NSN_DMA_EMULATED)
		value->reason = "its parent's driver does the DMA";
	value->moot = object->dma == NSN_DMA_NONE;
	if (!value->reason && value->moot)
		value->reason = "no DMA is possible: there is nothing to block";
}

static const struct nsn_wording dmas[] = {
	{ "domain", NULL, NSN_TONE_PLAIN },
	{ "emulated", "emulated: the driver of its parent does the DMA", NSN_TONE_PLAIN },
	{ "noiommu", "no IOMMU limits its DMA", NSN_TONE_BAD },
	{ "none", "claimed, but can't do any DMA", NSN_TONE_PLAIN },
	{ "unknown", "how its DMA goes is unknown", NSN_TONE_WARNING },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

const struct nsn_field nsn_fields_path[] = {
	{
		.path = "container",
		.header = "CONTAINER",
		.source = "kernel.vfio",
		.help = "Container of the path.",
		.get = get_path_container_any,
	},
	{
		.path = "domain",
		.header = "DOMAIN",
		.source = "kernel.type1",
		.help = "IOMMU domain of the path.",
		.get = get_path_domain_any,
	},
	{
		.path = "group",
		.header = "GROUP",
		.source = "kernel.vfio",
		.help = "IOMMU group of the path.",
		.get = get_path_group_any,
	},
	{
		.path = "device",
		.header = "DEVICE",
		.source = "kernel.vfio",
		.help = "Device that does the DMA.",
		.get = get_path_device_any,
	},
	{
		.path = "pasid",
		.header = "PASID",
		.source = "kernel.iommu",
		.help = "PASID that its DMA has; left out if it has none.",
		.get = get_path_pasid_any,
	},
	{
		.path = "dma",
		.header = "DMA",
		.source = "kernel.vfio",
		.text = NSN_TEXT_TREE,
		.values = dmas,
		.help = "How the device's DMA gets to memory.",
		.get = get_path_dma_any,
	},
	{
		.path = "blocks_nosnoop",
		.header = "BLOCKS NO SNOOP",
		.source = "kernel.iommu",
		.help = "Whether something on the path blocks No Snoop.",
		.get = get_path_blocks_any,
	},
	{ .path = NULL },
};
