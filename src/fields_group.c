// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields_group.c - the fields of IOMMU groups and of their members. Floor 1.
 */
#include "fields_internal.h"

#include <string.h>

NSN_GETTER(get_id, nsn_group)
{
	put_number(value, object->number);
}

NSN_GETTER(get_devices, nsn_group)
{
	put_refs(value, &object->devices, NSN_OBJECT_DEVICE);
}

NSN_GETTER(get_members, nsn_group)
{
	value->type = NSN_VALUE_OBJECTS;
	value->refs = object->devices.items;
	value->count = object->devices.items_count;
	value->kind = NSN_OBJECT_MEMBER;
}

NSN_GETTER(get_pasids, nsn_group)
{
	if (NSN_KNOWS(&object->rec, group, pasids) && object->rec.pasids == object->pasids_count)
		put_objects(value, object->pasids, object->pasids_count, sizeof(*object->pasids),
			    NSN_OBJECT_PASID);
}

NSN_GETTER(get_why, nsn_group)
{
	if (NSN_KNOWS(&object->sys, sys_group, why))
		put_text(value, nsn_group_why_name(object->sys.why));
}

NSN_GETTER(get_domain, nsn_group)
{
	if (object->domain)
		put_text(value, object->domain->id);
	else if (NSN_KNOWS(&object->rec, group, domain) && !object->rec.domain)
		put_none(value);
}

/*
 * From the kernel, else from the group's "type" file in sysfs. VFIO makes groups up for mediated
 * devices and for those without an IOMMU: they have no default domain.
 */
NSN_GETTER(get_default_kind, nsn_group)
{
	static const char *const names[][2] = {
		{ "DMA", "dma" },         { "DMA-FQ", "dma_fq" },       { "identity", "identity" },
		{ "blocked", "blocked" }, { "unmanaged", "unmanaged" },
	};

	if (object->default_domain)
		put_text(value, nsn_domain_kind_name(object->default_domain->kind));
	else if (NSN_KNOWS(&object->rec, group, default_domain) && !object->rec.default_domain)
		put_none(value);
	if (value->type != NSN_VALUE_UNKNOWN || !NSN_KNOWS(&object->sys, sys_group, type))
		return;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(names); i++)
		if (strcmp(object->sys.type, names[i][0]) == 0)
			put_text(value, names[i][1]);
}

NSN_GETTER(get_owner, nsn_group)
{
	put_text(value, nsn_owner_name(object->owner));
}

NSN_GETTER(get_opened_by, nsn_group)
{
	if (object->opened_by.items_count || !nsn_fields_blind(model))
		put_pids(value, &object->opened_by);
}

NSN_GETTER(get_viable, nsn_group)
{
	put_tri(value, object->viable, NSN_TONE_PLAIN, NSN_TONE_WARNING);
}

NSN_GETTER(get_isolated_msi, nsn_group)
{
	put_tri(value, object->isolated_msi, NSN_TONE_PLAIN, NSN_TONE_WARNING);
}

NSN_GETTER(get_residual, nsn_group)
{
	put_tri(value, object->residual, NSN_TONE_WARNING, NSN_TONE_PLAIN);
}

static const struct nsn_wording whys[] = {
	{ "single", NULL, NSN_TONE_PLAIN },
	{ "alias", "its devices share one address on the bus", NSN_TONE_PLAIN },
	{ "multifunction", "functions of one device, not isolated from each other",
	  NSN_TONE_PLAIN },
	{ "acs", "its devices can reach each other below a bridge", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording default_kinds[] = {
	{ "dma", NULL, NSN_TONE_PLAIN },       { "dma_fq", NULL, NSN_TONE_PLAIN },
	{ "identity", NULL, NSN_TONE_PLAIN },  { "blocked", NULL, NSN_TONE_PLAIN },
	{ "unmanaged", NULL, NSN_TONE_PLAIN }, { "nested", NULL, NSN_TONE_PLAIN },
	{ "sva", NULL, NSN_TONE_PLAIN },       { NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording owners[] = {
	{ "vfio", NULL, NSN_TONE_PLAIN },
	{ "iommufd", NULL, NSN_TONE_PLAIN },
	{ "user_other", "claimed by a user of DMA that is neither VFIO nor iommufd",
	  NSN_TONE_WARNING },
	{ "driver_dma_api", "used by drivers of the host", NSN_TONE_PLAIN },
	{ "none", "claimed by nobody", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

const struct nsn_field nsn_fields_group[] = {
	{
		.path = "id",
		.header = "GROUP",
		.source = "sysfs.groups",
		.help = "Its number.",
		.get = get_id_any,
	},
	{
		.path = "devices",
		.header = "DEVICES",
		.source = "sysfs.groups",
		.help = "Its devices, bridges included.",
		.get = get_devices_any,
	},
	{
		.path = "members",
		.header = "MEMBERS",
		.source = "sysfs.groups",
		.help = "The same devices and the part that each plays.",
		.get = get_members_any,
	},
	{
		.path = "pasids",
		.header = "PASIDS",
		.source = "kernel.iommu",
		.help = "Its PASIDs that are attached to a domain.",
		.get = get_pasids_any,
	},
	{
		.path = "why",
		.header = "TOGETHER BECAUSE",
		.source = "sysfs.groups",
		.text = NSN_TEXT_TREE,
		.values = whys,
		.help = "Why its devices can't be told apart or kept apart.",
		.get = get_why_any,
	},
	{
		.path = "domain",
		.header = "DOMAIN",
		.source = "kernel.iommu",
		.help = "Domain that it is attached to now.",
		.get = get_domain_any,
	},
	{
		.path = "default_kind",
		.header = "DEFAULT",
		.source = "sysfs.groups",
		.values = default_kinds,
		.help = "Kind of its default domain, which the host's drivers use.",
		.get = get_default_kind_any,
	},
	{
		.path = "owner",
		.header = "OWNER",
		.source = "kernel.iommu",
		.text = NSN_TEXT_TREE,
		.unknown = "owner unknown",
		.values = owners,
		.help = "Who has claimed the DMA of the group.",
		.get = get_owner_any,
	},
	{
		.path = "opened_by",
		.header = "OPENED BY",
		.source = "kernel.files",
		.text = NSN_TEXT_STRAY,
		.prefix = "opened by process ",
		.help = "Processes that hold the group or a device of it open.",
		.get = get_opened_by_any,
	},
	{
		.path = "viable",
		.header = "VIABLE",
		.source = "sysfs.groups",
		.text = NSN_TEXT_TREE,
		.no = "NOT viable: a host driver has one of its devices",
		.help = "Whether VFIO would hand out the group: no host driver has a device of it.",
		.get = get_viable_any,
	},
	{
		.path = "isolated_msi",
		.header = "ISOLATED INTERRUPTS",
		.source = "sysfs.groups",
		.metric = "nosnoop_group_isolated_msi",
		.metric_type = NSN_METRIC_GAUGE,
		.text = NSN_TEXT_TREE,
		.yes = "interrupts isolated",
		.no = "interrupts NOT isolated",
		.unknown = "unknown whether its interrupts are isolated",
		.help = "Whether interrupts of the group are isolated by interrupt remapping.",
		.get = get_isolated_msi_any,
	},
	{
		.path = "residual",
		.header = "RESIDUAL",
		.source = "kernel.vfio",
		.text = NSN_TEXT_TREE,
		.yes = "still attached, though none of its devices is open",
		.help = "Still in a user's domain, with no VFIO device open.",
		.get = get_residual_any,
	},
	{ .path = NULL },
};

NSN_GETTER(get_pasid, nsn_pasid)
{
	put_number(value, object->number);
}

NSN_GETTER(get_pasid_domain, nsn_pasid)
{
	if (object->domain)
		put_text(value, object->domain->id);
	else
		value->reason = "the kernel does not keep which, or it is being attached";
}

const struct nsn_field nsn_fields_pasid[] = {
	{
		.path = "pasid",
		.header = "PASID",
		.source = "kernel.iommu",
		.help = "Its number.",
		.get = get_pasid_any,
	},
	{
		.path = "domain",
		.header = "DOMAIN",
		.source = "kernel.iommu",
		.text = NSN_TEXT_TREE,
		.prefix = "domain ",
		.unknown = "in an unknown domain",
		.help = "Domain that DMA with it goes through.",
		.get = get_pasid_domain_any,
	},
	{ .path = NULL },
};

NSN_GETTER(get_bdf, nsn_device)
{
	put_text(value, object->id);
}

NSN_GETTER(get_role, nsn_device)
{
	put_text(value, nsn_role_name(object->role));
}

NSN_GETTER(get_driver, nsn_device)
{
	if (NSN_KNOWS(&object->sys, device, driver))
		put_text_or_none(value, object->sys.driver);
	else if (NSN_KNOWS(&object->rec, group_device, driver))
		put_text_or_none(value, object->rec.driver);
}

static const struct nsn_wording roles[] = {
	{ "vfio", NULL, NSN_TONE_PLAIN },
	{ "bridge", "bridge", NSN_TONE_PLAIN },
	{ "unbound", "no driver", NSN_TONE_PLAIN },
	{ "host_driver", "used by the host", NSN_TONE_WARNING },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

const struct nsn_field nsn_fields_member[] = {
	{
		.path = "bdf",
		.header = "DEVICE",
		.source = "sysfs.groups",
		.help = "The device.",
		.get = get_bdf_any,
	},
	{
		.path = "role",
		.header = "ROLE",
		.source = "sysfs.groups",
		.text = NSN_TEXT_TREE,
		.unknown = "role unknown",
		.values = roles,
		.help = "The part it plays for VFIO.",
		.get = get_role_any,
	},
	{
		.path = "driver",
		.header = "DRIVER",
		.source = "sysfs.groups",
		.text = NSN_TEXT_TREE,
		.prefix = "driver ",
		.help = "Driver that is bound to it.",
		.get = get_driver_any,
	},
	{ .path = NULL },
};
