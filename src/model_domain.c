// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_domain.c - what a domain is, and whether it blocks No Snoop. Floor 1.
 */
#include "model_internal.h"

#include <string.h>

#define TYPE_PAGING      1 /* __IOMMU_DOMAIN_* of include/linux/iommu.h, 5.19 to 7.3 */
#define TYPE_DMA_API     2
#define TYPE_IDENTITY    4
#define TYPE_FLUSH_QUEUE 8
#define TYPE_SVA         16
#define TYPE_NESTED      64

/* A paging domain in no container: is it known not to be the empty one of a group? */
static bool may_be_blocking(const struct nsn_domain *domain)
{
	for (size_t i = 0; i < domain->groups.items_count && !domain->container; i++) {
		const struct nsn_group *group = domain->groups.items[i];

		if (NSN_TRI(&group->rec, group, blocking) == NSN_UNKNOWN)
			return true;
	}
	return false;
}

static enum nsn_domain_kind judge_kind(const struct nsn_domain *domain)
{
	uint64_t type = domain->rec.type;

	/* an empty paging domain stands in where a driver has no blocking domain of its own */
	for (size_t i = 0; i < domain->groups.items_count; i++) {
		const struct nsn_group *group = domain->groups.items[i];

		if (NSN_TRI(&group->rec, group, blocking) == NSN_YES && group->domain == domain)
			return NSN_DOMAIN_BLOCKED;
	}
	if (!NSN_KNOWS(&domain->rec, domain, type))
		return NSN_DOMAIN_UNKNOWN;
	if (type & TYPE_NESTED)
		return NSN_DOMAIN_NESTED;
	if (type & TYPE_SVA)
		return NSN_DOMAIN_SVA;
	switch (type) {
	case 0:
		return NSN_DOMAIN_BLOCKED;
	case TYPE_PAGING:
		return may_be_blocking(domain) ? NSN_DOMAIN_UNKNOWN : NSN_DOMAIN_UNMANAGED;
	case TYPE_PAGING | TYPE_DMA_API:
		return NSN_DOMAIN_DMA;
	case TYPE_PAGING | TYPE_DMA_API | TYPE_FLUSH_QUEUE:
		return NSN_DOMAIN_DMA_FQ;
	case TYPE_IDENTITY:
		return NSN_DOMAIN_IDENTITY;
	default:
		return NSN_DOMAIN_UNKNOWN;
	}
}

/* The driver's name, from the domain itself or else from a device that is in it. */
static void name_driver(struct nsn_domain *domain)
{
	if (NSN_KNOWS(&domain->rec, domain, iommu_driver))
		nsn_utf8_copy(domain->iommu_driver, sizeof(domain->iommu_driver),
			      domain->rec.iommu_driver);
	for (size_t i = 0; i < domain->devices.items_count && !domain->iommu_driver[0]; i++) {
		const struct nsn_device *device = domain->devices.items[i];

		if (NSN_KNOWS(&device->rec, group_device, iommu_driver))
			nsn_utf8_copy(domain->iommu_driver, sizeof(domain->iommu_driver),
				      device->rec.iommu_driver);
	}
	if (NSN_KNOWS(&domain->rec, domain, op))
		nsn_utf8_copy(domain->op, sizeof(domain->op), domain->rec.op);
}

/* Was the driver asked to block No Snoop for it? vhost-vdpa never asks. */
static bool is_asked(const struct nsn_domain *domain)
{
	return domain->container && domain->container->kind != NSN_CONTAINER_VDPA;
}

static bool in_iommufd(const struct nsn_domain *domain)
{
	return domain->container && domain->container->kind == NSN_CONTAINER_IOMMUFD;
}

/* A paging domain whose format or driver decides alone: is No Snoop blocked? */
static enum nsn_tri judge_paging(struct nsn_domain *domain)
{
	const struct nsn_rec_domain *rec = &domain->rec;
	bool format = NSN_KNOWS(rec, domain, page_table);
	enum nsn_tri flag = domain->driver_flag;

	if (strcmp(domain->iommu_driver, "amd") == 0) {
		domain->enforced_source = NSN_SOURCE_FORMAT;
		/* v2 has no such bit although the driver claims it */
		return format && rec->page_table == NSN_PT_AMD_V1 ? NSN_YES : NSN_UNKNOWN;
	}
	if (strcmp(domain->iommu_driver, "intel") == 0) {
		domain->enforced_source = NSN_SOURCE_DRIVER;
		/* VFIO and iommufd keep what they were answered: both must say the same */
		if (is_asked(domain) && domain->vfio_flag != flag)
			return NSN_UNKNOWN;
		return flag;
	}
	if (NSN_TRI(rec, domain, has_op) == NSN_NO) {
		domain->enforced_source = NSN_SOURCE_DRIVER;
		return NSN_NO;
	}
	if (!domain->iommu_driver[0] || NSN_TRI(rec, domain, has_op) == NSN_UNKNOWN)
		return NSN_UNKNOWN;
	/* a driver whose own flag we cannot read: VFIO keeps what it answered */
	if (domain->vfio_flag != NSN_UNKNOWN)
		domain->enforced_source = in_iommufd(domain) ? NSN_SOURCE_DRIVER : NSN_SOURCE_TYPE1;
	return domain->user ? domain->vfio_flag : NSN_UNKNOWN;
}

static enum nsn_coherency judge_state(const struct nsn_domain *domain)
{
	bool amd = strcmp(domain->iommu_driver, "amd") == 0;

	if (amd && domain->blocks_nosnoop == NSN_YES)
		return NSN_COHERENCY_ALWAYS;
	if (domain->kind == NSN_DOMAIN_DMA || domain->kind == NSN_DOMAIN_DMA_FQ ||
	    domain->kind == NSN_DOMAIN_IDENTITY)
		return NSN_COHERENCY_NOT_ASKED;
	if (domain->kind != NSN_DOMAIN_UNMANAGED)
		return NSN_COHERENCY_UNKNOWN;
	if (NSN_TRI(&domain->rec, domain, has_op) == NSN_NO)
		return NSN_COHERENCY_UNSUPPORTED;
	if (domain->blocks_nosnoop == NSN_YES)
		return NSN_COHERENCY_ENFORCED;
	/* iommufd asks only for devices whose IOMMU could: then a refusal is a bug of the driver's */
	if (domain->container &&
	    (!is_asked(domain) || (in_iommufd(domain) && domain->vfio_flag == NSN_NO)))
		return NSN_COHERENCY_NOT_ASKED;
	if (domain->blocks_nosnoop == NSN_NO && domain->vfio_flag == NSN_NO)
		return NSN_COHERENCY_REFUSED;
	return NSN_COHERENCY_UNKNOWN;
}

void nsn_model_judge_domain(struct nsn_domain *domain)
{
	static const char *const formats[] = { NULL, "first", "second", "v1", "v2" };

	name_driver(domain);
	domain->kind = judge_kind(domain);
	if (domain->kind == NSN_DOMAIN_UNMANAGED)
		domain->user = true;
	domain->driver_flag = NSN_TRI(&domain->rec, domain, force_snooping);
	if (NSN_KNOWS(&domain->rec, domain, page_table) &&
	    domain->rec.page_table < NSN_ARRAY_SIZE(formats))
		domain->page_table = formats[domain->rec.page_table];
	domain->blocks_nosnoop = NSN_UNKNOWN;
	switch (domain->kind) {
	case NSN_DOMAIN_UNMANAGED:
	case NSN_DOMAIN_DMA:
	case NSN_DOMAIN_DMA_FQ:
		if (!domain->torn)
			domain->blocks_nosnoop = judge_paging(domain);
		break;
	case NSN_DOMAIN_IDENTITY:
		domain->blocks_nosnoop = NSN_NO;
		domain->enforced_source = NSN_SOURCE_DRIVER;
		break;
	default:
		break;
	}
	if (domain->by_pasid)
		domain->blocks_nosnoop = nsn_pasid_blocks(domain, domain->blocks_nosnoop);
	domain->state = judge_state(domain);
}

void nsn_model_judge_nested(struct nsn_domain *domain)
{
	const struct nsn_domain *parent = domain->parent;

	domain->user = true;
	domain->enforced_source = NSN_SOURCE_PARENT;
	if (!parent || domain->torn)
		return;
	domain->blocks_nosnoop = parent->blocks_nosnoop;
	domain->state = parent->state;
	if (!domain->by_pasid)
		return;
	domain->blocks_nosnoop = nsn_pasid_blocks(domain, domain->blocks_nosnoop);
	if (domain->blocks_nosnoop == NSN_UNKNOWN)
		domain->state = NSN_COHERENCY_UNKNOWN;
}
