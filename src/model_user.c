// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_user.c - iommufd contexts and vDPA devices, which a model has as containers: what is in them,
 * and the paths that lead over them. Floor 1.
 */
#include "model_internal.h"

#include <errno.h>

static struct nsn_container *context_by_key(const struct nsn_model *model, uint64_t key)
{
	return nsn_index_get(model->build->index, NSN_CLASS_IOMMUFD, key);
}

static struct nsn_domain *domain_by_key(const struct nsn_model *model, uint64_t key)
{
	return nsn_index_get(model->build->index, NSN_CLASS_DOMAIN, key);
}

uint64_t nsn_container_mm(const struct nsn_container *container)
{
	switch (container->kind) {
	case NSN_CONTAINER_IOMMUFD:
		return NSN_KNOWS(&container->iommufd, iommufd, mm) ? container->iommufd.mm : 0;
	case NSN_CONTAINER_VDPA:
		return NSN_KNOWS(&container->vdpa, vdpa, mm) ? container->vdpa.mm : 0;
	default:
		return NSN_KNOWS(&container->rec, container, mm) ? container->rec.mm : 0;
	}
}

/* ---- joining --------------------------------------------------------------------------------- */

/* A domain in a context or of a vDPA device, and a group that is attached to it. */
static int join_domain(struct nsn_container *container, struct nsn_domain *domain,
		       struct nsn_group *group)
{
	if (domain) {
		domain->user = true;
		domain->container = container;
		if (nsn_refs_add(&container->domains, domain) ||
		    (group && nsn_refs_add(&domain->groups, group)))
			return -ENOMEM;
	}
	if (group && nsn_refs_add(&container->groups, group))
		return -ENOMEM;
	return 0;
}

static int join_page_tables(struct nsn_model *model)
{
	NSN_FOR_EACH(model, IOMMUFD_HWPT, iommufd_hwpt, rec) {
		struct nsn_container *context = context_by_key(model, rec->iommufd);
		struct nsn_domain *domain = domain_by_key(model, rec->domain);

		if (domain) {
			domain->vfio_flag = NSN_TRI(rec, iommufd_hwpt, enforced);
			domain->parent = domain_by_key(model, rec->parent);
			domain->table = rec;
		}
		if (context && (nsn_refs_append(&context->page_tables, (void *)rec) ||
				join_domain(context, domain, NULL)))
			return -ENOMEM;
	}
	return 0;
}

/* The device of VFIO's whose parent's driver reaches the VM's memory by this access. */
static struct nsn_device *device_of_access(const struct nsn_model *model,
					   const struct nsn_rec_iommufd_access *rec)
{
	const struct nsn_rec_vfio_device *device =
		nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_DEVICE, rec->vfio_device);

	return device && NSN_KNOWS(device, vfio_device, name)
		       ? nsn_model__device(model, device->name)
		       : NULL;
}

/* Its group has no domain: the access is all of its way to memory. */
static int join_accesses(struct nsn_model *model)
{
	NSN_FOR_EACH(model, IOMMUFD_ACCESS, iommufd_access, rec) {
		struct nsn_container *context = context_by_key(model, rec->iommufd);
		struct nsn_device *device = device_of_access(model, rec);

		if (context && (nsn_refs_append(&context->accesses, (void *)rec) ||
				join_domain(context, NULL, device ? device->group : NULL)))
			return -ENOMEM;
	}
	return 0;
}

static int join_bound(struct nsn_model *model)
{
	NSN_FOR_EACH(model, IOMMUFD_DEVICE, iommufd_device, rec) {
		struct nsn_container *context = context_by_key(model, rec->iommufd);
		struct nsn_group *group = NSN_GROUP_OF(model, rec, iommufd_device);
		struct nsn_device *device = NSN_KNOWS(rec, iommufd_device, name)
						    ? nsn_model__device(model, rec->name)
						    : NULL;

		if (device)
			device->bound = rec;
		if (!context)
			continue;
		if (nsn_refs_append(&context->bound, (void *)rec) ||
		    join_domain(context, domain_by_key(model, rec->domain), group))
			return -ENOMEM;
		if (!group)
			continue;
		group->container = context;
		group->iommufd_owns |= NSN_TRI(rec, iommufd_device, owner) == NSN_YES;
	}
	NSN_FOR_EACH(model, IOMMUFD_PASID, iommufd_pasid, rec) {
		struct nsn_container *context = context_by_key(model, rec->iommufd);
		struct nsn_domain *domain = domain_by_key(model, rec->domain);
		struct nsn_group *group = NSN_GROUP_OF(model, rec, iommufd_pasid);

		if (context && (nsn_refs_append(&context->pasids, (void *)rec) ||
				join_domain(context, domain, group)))
			return -ENOMEM;
	}
	return 0;
}

int nsn_model_join_users(struct nsn_model *model)
{
	int err;

	NSN_FOR_EACH(model, IOMMUFD, iommufd, rec) {
		struct nsn_container *context = context_by_key(model, rec->iommufd);

		if (context)
			context->iommufd = *rec;
	}
	err = join_page_tables(model);
	if (!err)
		err = join_bound(model);
	if (!err)
		err = join_accesses(model);
	NSN_FOR_EACH(model, VDPA, vdpa, rec) {
		struct nsn_container *container =
			nsn_index_get(model->build->index, NSN_CLASS_VDPA, rec->vdpa);

		if (!container || err)
			continue;
		container->vdpa = *rec;
		if (rec->domain) /* without one the group stays with its driver */
			err = join_domain(container, domain_by_key(model, rec->domain),
					  NSN_GROUP_OF(model, rec, vdpa));
	}
	return err;
}

/* ---- was all of it read? --------------------------------------------------------------------- */

bool nsn_iommufd_is_whole(const struct nsn_container *container)
{
	const struct nsn_rec_iommufd *rec = &container->iommufd;
	uint64_t pasids = 0;

	if (container->torn || container->truncated || NSN_TRI(rec, iommufd, complete) != NSN_YES ||
	    !NSN_KNOWS(rec, iommufd, devices) || !NSN_KNOWS(rec, iommufd, page_tables) ||
	    !NSN_KNOWS(rec, iommufd, accesses))
		return false;
	for (size_t i = 0; i < container->bound.items_count; i++) {
		const struct nsn_rec_iommufd_device *bound = container->bound.items[i];

		if (!NSN_KNOWS(bound, iommufd_device, pasids))
			return false;
		pasids += bound->pasids;
	}
	return container->bound.items_count == rec->devices &&
	       container->page_tables.items_count == rec->page_tables &&
	       container->accesses.items_count == rec->accesses &&
	       container->pasids.items_count == pasids;
}

bool nsn_vdpa_is_whole(const struct nsn_container *container)
{
	const struct nsn_rec_vdpa *rec = &container->vdpa;

	return !container->torn && NSN_KNOWS(rec, vdpa, domain) && NSN_KNOWS(rec, vdpa, mm) &&
	       NSN_KNOWS(rec, vdpa, mappings);
}

/* ---- paths ----------------------------------------------------------------------------------- */

static int add_bound_path(const struct nsn_path_builder *builder,
			  const struct nsn_rec_iommufd_device *rec)
{
	struct nsn_path path = { .dma = NSN_DMA_DOMAIN, .blocks_nosnoop = NSN_UNKNOWN };

	path.group = NSN_GROUP_OF(builder->model, rec, iommufd_device);
	path.device = NSN_KNOWS(rec, iommufd_device, name)
			      ? nsn_model__device(builder->model, rec->name)
			      : NULL;
	if (NSN_TRI(rec, iommufd_device, group) == NSN_NO) {
		path.dma = NSN_DMA_NOIOMMU;
		path.blocks_nosnoop = NSN_NO;
	} else if (!NSN_KNOWS(rec, iommufd_device, domain)) {
		path.dma = NSN_DMA_UNKNOWN;
		path.unknown_reason = "the page table of the device could not be read";
	} else if (rec->domain) {
		nsn_path_judge_domain(builder, &path, rec->domain);
	} else if (path.group && path.group->domain && !path.group->domain->user &&
		   path.group->domain->kind != NSN_DOMAIN_UNKNOWN) {
		path.dma = NSN_DMA_NONE; /* bound, and not attached to any page table */
		path.domain =
			path.group->domain->kind == NSN_DOMAIN_BLOCKED ? path.group->domain : NULL;
		path.unknown_reason = "no DMA is possible";
	} else {
		path.dma = NSN_DMA_UNKNOWN;
		path.unknown_reason = "the IOMMU core's side of the group could not be read";
	}
	return nsn_path_add(builder, &path);
}

static int add_access_path(const struct nsn_path_builder *builder,
			   const struct nsn_rec_iommufd_access *rec)
{
	enum nsn_tri attached = NSN_TRI(rec, iommufd_access, address_space);
	struct nsn_path path = { .dma = NSN_DMA_EMULATED,
				 .blocks_nosnoop = NSN_UNKNOWN,
				 .unknown_reason = "its parent's driver does the DMA" };

	path.device = device_of_access(builder->model, rec);
	path.group = path.device ? path.device->group : NULL;
	if (NSN_TRI(rec, iommufd_access, vfio_device) == NSN_NO)
		path.unknown_reason =
			"an access that is not a VFIO device's: for whose DMA is unknown";
	if (attached == NSN_NO) {
		path.dma = NSN_DMA_NONE;
		path.unknown_reason = "no DMA is possible";
	} else if (attached == NSN_UNKNOWN) {
		path.dma = NSN_DMA_UNKNOWN;
		path.unknown_reason = "whether the device is attached could not be read";
	}
	return nsn_path_add(builder, &path);
}

int nsn_path_add_iommufd(const struct nsn_path_builder *builder)
{
	const struct nsn_container *context = builder->container;
	int err = 0;

	for (size_t i = 0; i < context->bound.items_count && !err; i++)
		err = add_bound_path(builder, context->bound.items[i]);
	for (size_t i = 0; i < context->pasids.items_count && !err; i++)
		err = nsn_path_add_pasid(builder, context->pasids.items[i]);
	for (size_t i = 0; i < context->accesses.items_count && !err; i++)
		err = add_access_path(builder, context->accesses.items[i]);
	return err;
}

/* A vDPA device whose driver maps memory by itself has no domain of vhost-vdpa's. */
int nsn_path_add_vdpa(const struct nsn_path_builder *builder)
{
	const struct nsn_rec_vdpa *rec = &builder->container->vdpa;
	struct nsn_path path = { .dma = NSN_DMA_DOMAIN, .blocks_nosnoop = NSN_UNKNOWN };

	if (!rec->h.known)
		return 0; /* it is not whole: that makes a path */
	path.group = NSN_GROUP_OF(builder->model, rec, vdpa);
	if (NSN_KNOWS(rec, vdpa, device))
		path.device = nsn_model__device(builder->model, rec->device);
	if (!path.device && NSN_KNOWS(rec, vdpa, name))
		path.device = nsn_model__device(builder->model, rec->name);
	if (!NSN_KNOWS(rec, vdpa, domain)) {
		path.dma = NSN_DMA_UNKNOWN;
		path.unknown_reason = "the domain of the vDPA device could not be read";
	} else if (!rec->domain) {
		path.dma = NSN_DMA_EMULATED;
		path.unknown_reason = "its parent's driver does the DMA";
	} else {
		nsn_path_judge_domain(builder, &path, rec->domain);
	}
	return nsn_path_add(builder, &path);
}
