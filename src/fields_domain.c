// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields_domain.c - the fields of containers and of IOMMU domains. Floor 1.
 */
#include "fields_internal.h"

#include <string.h>

NSN_GETTER(get_container_id, nsn_container)
{
	put_text(value, object->id);
}

NSN_GETTER(get_container_kind, nsn_container)
{
	put_text(value, nsn_container_kind_name(object->kind));
	if (object->kind == NSN_CONTAINER_NONE)
		put_none(value);
}

NSN_GETTER(get_container_pids, nsn_container)
{
	if (object->pids.items_count || !nsn_fields_blind(model))
		put_pids(value, &object->pids);
}

NSN_GETTER(get_container_vms, nsn_container)
{
	put_refs(value, &object->vms, NSN_OBJECT_VM);
}

NSN_GETTER(get_container_domains, nsn_container)
{
	put_refs(value, &object->domains, NSN_OBJECT_DOMAIN);
}

static const struct nsn_wording container_kinds[] = {
	{ "type1", "VFIO container", NSN_TONE_PLAIN },
	{ "iommufd", "iommufd context", NSN_TONE_PLAIN },
	{ "noiommu", "VFIO container without an IOMMU: nothing limits its DMA", NSN_TONE_BAD },
	{ "vdpa", "vhost-vdpa device", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

const struct nsn_field nsn_fields_container[] = {
	{
		.path = "id",
		.header = "CONTAINER",
		.source = "kernel.vfio",
		.help = "Process and descriptor that hold it.",
		.get = get_container_id_any,
	},
	{
		.path = "kind",
		.header = "KIND",
		.source = "kernel.vfio",
		.text = NSN_TEXT_TREE,
		.unknown = "of an unknown kind",
		.none = "VFIO container without an IOMMU domain: not set up yet, or refused",
		.values = container_kinds,
		.help = "What kind of container it is.",
		.get = get_container_kind_any,
	},
	{
		.path = "pids",
		.header = "PIDS",
		.source = "kernel.files",
		.text = NSN_TEXT_STRAY,
		.prefix = "held by process ",
		.help = "Processes that hold a descriptor of it.",
		.get = get_container_pids_any,
	},
	{
		.path = "vms",
		.header = "VMS",
		.source = "kernel.vfio",
		.help = "VMs that it belongs to.",
		.get = get_container_vms_any,
	},
	{
		.path = "domains",
		.header = "DOMAINS",
		.source = "kernel.type1",
		.help = "IOMMU domains that map its memory.",
		.get = get_container_domains_any,
	},
	{ .path = NULL },
};

NSN_GETTER(get_domain_id, nsn_domain)
{
	put_text(value, object->id);
}

NSN_GETTER(get_iommu_driver, nsn_domain)
{
	if (object->iommu_driver[0])
		put_text(value, object->iommu_driver);
}

NSN_GETTER(get_kind, nsn_domain)
{
	put_text(value, nsn_domain_kind_name(object->kind));
}

/* It translates nothing, or by a guest's or a process's table: it has neither a format nor a flag. */
static bool has_no_tables(const struct nsn_domain *domain)
{
	return domain->kind == NSN_DOMAIN_BLOCKED || domain->kind == NSN_DOMAIN_IDENTITY ||
	       domain->kind == NSN_DOMAIN_NESTED || domain->kind == NSN_DOMAIN_SVA;
}

NSN_GETTER(get_page_table, nsn_domain)
{
	if (object->page_table)
		put_text(value, object->page_table);
	else if (NSN_KNOWS(&object->rec, domain, page_table) || has_no_tables(object))
		put_none(value);
}

NSN_GETTER(get_domain_groups, nsn_domain)
{
	put_refs(value, &object->groups, NSN_OBJECT_GROUP);
}

NSN_GETTER(get_domain_devices, nsn_domain)
{
	put_refs(value, &object->devices, NSN_OBJECT_DEVICE);
}

/* The domain whose IOAS a domain of iommufd's maps. */
static const struct nsn_domain *mapping_domain(const struct nsn_domain *domain)
{
	return domain->kind == NSN_DOMAIN_NESTED ? domain->parent : domain;
}

NSN_GETTER(get_address_space, nsn_domain)
{
	const struct nsn_domain *maps = mapping_domain(object);

	if (!object->container || object->container->kind != NSN_CONTAINER_IOMMUFD)
		put_none(value);
	else if (maps && maps->table && NSN_KNOWS(maps->table, iommufd_hwpt, address_space))
		put_number(value, maps->table->address_space);
}

NSN_GETTER(get_parent, nsn_domain)
{
	if (object->kind != NSN_DOMAIN_NESTED)
		put_none(value);
	else if (object->parent)
		put_text(value, object->parent->id);
}

/* Only processes that hold a VM or what VFIO and iommufd give are seen. */
NSN_GETTER(get_processes, nsn_domain)
{
	if (object->kind != NSN_DOMAIN_SVA)
		put_none(value);
	else if (object->processes.items_count)
		put_pids(value, &object->processes);
	else
		value->reason = "it is the memory of none that holds a VM, VFIO or iommufd";
}

NSN_GETTER(get_domain_container, nsn_domain)
{
	if (object->container)
		put_text(value, object->container->id);
	else if (object->kind != NSN_DOMAIN_UNKNOWN && !object->user)
		put_none(value); /* the host's own */
}

/* A null needs its reason: in a blocking domain there is no DMA that could bypass a cache. */
static void explain_null(const struct nsn_domain *domain, struct nsn_value *value)
{
	if (value->type != NSN_VALUE_UNKNOWN)
		return;
	value->moot = domain->kind == NSN_DOMAIN_BLOCKED;
	if (value->moot)
		value->reason = "it blocks all DMA: there is no No Snoop to block";
	else if (NSN_KNOWS(&domain->rec, domain, page_table) &&
		 domain->rec.page_table == NSN_PT_AMD_V2)
		value->reason = "the driver claims it, but this page-table format has no such bit";
	else if (nsn_domain__flags_disagree(domain))
		value->reason = "VFIO and the IOMMU driver disagree";
	else if (domain->kind == NSN_DOMAIN_SVA)
		value->reason = "shared with a process: its PASID entry decides";
	else if (domain->by_pasid)
		value->reason = "its PASID entry decides, which is not read";
}

NSN_GETTER(get_enforced, nsn_domain)
{
	put_tri(value, object->blocks_nosnoop, NSN_TONE_GOOD, NSN_TONE_BAD);
	explain_null(object, value);
}

/* Where the answer comes from; with no answer it comes from nowhere. */
NSN_GETTER(get_enforced_source, nsn_domain)
{
	put_text(value, nsn_enforced_source_name(object->enforced_source));
	if (object->enforced_source == NSN_SOURCE_NONE)
		put_none(value);
}

NSN_GETTER(get_state, nsn_domain)
{
	put_text(value, nsn_coherency_name(object->state));
	explain_null(object, value);
}

NSN_GETTER(get_blocks, nsn_domain)
{
	/* That the host's own domains do not block is as the kernel intends. */
	put_tri(value, object->blocks_nosnoop, NSN_TONE_GOOD,
		object->user ? NSN_TONE_BAD : NSN_TONE_PLAIN);
	explain_null(object, value);
}

NSN_GETTER(get_vfio_flag, nsn_domain)
{
	const struct nsn_container *container = object->container;

	put_tri(value, object->vfio_flag, NSN_TONE_PLAIN, NSN_TONE_PLAIN);
	if (value->type != NSN_VALUE_UNKNOWN)
		return;
	if (container ? (container->kind != NSN_CONTAINER_TYPE1 &&
			 container->kind != NSN_CONTAINER_IOMMUFD &&
			 container->kind != NSN_CONTAINER_UNKNOWN) ||
				object->kind == NSN_DOMAIN_NESTED
		      : object->kind != NSN_DOMAIN_UNKNOWN && !object->user)
		put_none(value);
}

/* Only Intel's driver keeps a flag of its own. */
NSN_GETTER(get_driver_flag, nsn_domain)
{
	put_tri(value, object->driver_flag, NSN_TONE_PLAIN, NSN_TONE_PLAIN);
	if (value->type == NSN_VALUE_UNKNOWN &&
	    (has_no_tables(object) ||
	     (object->iommu_driver[0] && strcmp(object->iommu_driver, "intel"))))
		put_none(value);
}

NSN_GETTER(get_op, nsn_domain)
{
	if (object->op[0])
		put_text(value, object->op);
	else if (NSN_KNOWS(&object->rec, domain, has_op) && !object->rec.has_op)
		put_none(value);
}

static const struct nsn_wording kinds[] = {
	{ "unmanaged", NULL, NSN_TONE_PLAIN },
	{ "dma", NULL, NSN_TONE_PLAIN },
	{ "dma_fq", NULL, NSN_TONE_PLAIN },
	{ "identity", "no translation: devices see all memory", NSN_TONE_PLAIN },
	{ "blocked", "it blocks all DMA", NSN_TONE_PLAIN },
	{ "nested", "nested in a table of the guest", NSN_TONE_PLAIN },
	{ "sva", "shares a process's page table", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording page_tables[] = {
	{ "first", NULL, NSN_TONE_PLAIN },
	{ "second", NULL, NSN_TONE_PLAIN },
	{ "v1", NULL, NSN_TONE_PLAIN },
	{ "v2", "its v2 page table has no bit to block No Snoop with", NSN_TONE_WARNING },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording enforced_sources[] = {
	{ "type1", "VFIO's record", NSN_TONE_PLAIN },
	{ "driver", "the IOMMU driver's flag", NSN_TONE_PLAIN },
	{ "format", "the page-table format", NSN_TONE_PLAIN },
	{ "parent", "the parent domain", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

static const struct nsn_wording states[] = {
	{ "enforced", "the IOMMU driver was asked to, and did", NSN_TONE_GOOD },
	{ "always", "its page table always does", NSN_TONE_GOOD },
	{ "refused", "the IOMMU driver was asked to, and refused", NSN_TONE_BAD },
	{ "unsupported", "the IOMMU driver has no way to", NSN_TONE_BAD },
	{ "not_asked", "nobody asked it to", NSN_TONE_PLAIN },
	{ NULL, NULL, NSN_TONE_PLAIN },
};

const struct nsn_field nsn_fields_domain[] = {
	{
		.path = "id",
		.header = "DOMAIN",
		.source = "kernel.iommu",
		.help = "g<lowest attached group>, g<group>/default, or g<group>/pasid<number>.",
		.get = get_domain_id_any,
	},
	{
		.path = "iommu_driver",
		.header = "DRIVER",
		.source = "kernel.iommu",
		.metric = "nosnoop_domain_info",
		.metric_type = NSN_METRIC_LABEL,
		.help = "IOMMU driver that made it.",
		.get = get_iommu_driver_any,
	},
	{
		.path = "kind",
		.header = "KIND",
		.source = "kernel.iommu",
		.metric = "nosnoop_domain_info",
		.metric_type = NSN_METRIC_LABEL,
		.text = NSN_TEXT_TREE,
		.values = kinds,
		.help = "What the domain is for.",
		.get = get_kind_any,
	},
	{
		.path = "page_table",
		.header = "PAGE TABLE",
		.source = "kernel.iommu",
		.metric = "nosnoop_domain_info",
		.metric_type = NSN_METRIC_LABEL,
		.text = NSN_TEXT_TREE,
		.values = page_tables,
		.help = "Format of its page table, where the driver has several.",
		.get = get_page_table_any,
	},
	{
		.path = "groups",
		.header = "GROUPS",
		.source = "kernel.iommu",
		.help = "Groups that are attached to it now.",
		.get = get_domain_groups_any,
	},
	{
		.path = "devices",
		.header = "DEVICES",
		.source = "kernel.iommu",
		.help = "Devices of these groups.",
		.get = get_domain_devices_any,
	},
	{
		.path = "container",
		.header = "CONTAINER",
		.source = "kernel.type1",
		.help = "Container whose memory it maps.",
		.get = get_domain_container_any,
	},
	{
		.path = "address_space",
		.header = "IOAS",
		.source = "kernel.iommufd",
		.help = "iommufd's number of the address space that it maps.",
		.get = get_address_space_any,
	},
	{
		.path = "parent",
		.header = "NESTED IN",
		.source = "kernel.iommufd",
		.text = NSN_TEXT_TREE,
		.prefix = "its parent is domain ",
		.help = "Domain that it is nested in.",
		.get = get_parent_any,
	},
	{
		.path = "processes",
		.header = "PROCESSES",
		.source = "kernel.iommu",
		.text = NSN_TEXT_TREE,
		.prefix = "that of process ",
		.help = "Processes whose page table it shares, as far as they are seen.",
		.get = get_processes_any,
	},
	{
		.path = "enforced",
		.header = "ENFORCED",
		.source = "kernel.iommu",
		.text = NSN_TEXT_TREE,
		.yes = "blocks No Snoop",
		.no = "does NOT block No Snoop",
		.unknown = "whether it blocks No Snoop is unknown",
		.help = "Whether it blocks No Snoop: the same as coherency.blocks_nosnoop.",
		.get = get_enforced_any,
	},
	{
		.path = "enforced_source",
		.header = "ACCORDING TO",
		.source = "kernel.iommu",
		.values = enforced_sources,
		.help = "What tells whether it blocks No Snoop.",
		.get = get_enforced_source_any,
	},
	{
		.path = "coherency.state",
		.header = "COHERENCY",
		.source = "kernel.iommu",
		.metric = "nosnoop_domain_info",
		.metric_type = NSN_METRIC_LABEL,
		.text = NSN_TEXT_TREE,
		.values = states,
		.help = "How it came to block No Snoop or not.",
		.get = get_state_any,
	},
	{
		.path = "coherency.blocks_nosnoop",
		.header = "BLOCKS NO SNOOP",
		.source = "kernel.iommu",
		.metric = "nosnoop_domain_blocks_nosnoop",
		.metric_type = NSN_METRIC_GAUGE,
		.help = "Whether the domain blocks No Snoop.",
		.get = get_blocks_any,
	},
	{
		.path = "coherency.vfio_flag",
		.header = "VFIO'S FLAG",
		.source = "kernel.type1",
		.help = "What VFIO or iommufd recorded when it asked.",
		.get = get_vfio_flag_any,
	},
	{
		.path = "coherency.driver_flag",
		.header = "DRIVER'S FLAG",
		.source = "kernel.iommu",
		.help = "What the IOMMU driver recorded.",
		.get = get_driver_flag_any,
	},
	{
		.path = "coherency.op",
		.header = "FUNCTION",
		.source = "kernel.iommu",
		.help = "The driver's function that is asked to block No Snoop.",
		.get = get_op_any,
	},
	{ .path = NULL },
};
