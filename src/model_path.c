// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_path.c - lists the paths by which a device's DMA can reach a VM's memory: over its containers,
 * and over what KVM was given. Floor 1.
 */
#include "model_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int nsn_path_add(const struct nsn_path_builder *builder, const struct nsn_path *path)
{
	struct nsn_path *slot = NSN_APPEND(builder->vm, paths);
	struct nsn_vm *vm = builder->vm;

	if (!slot)
		return -ENOMEM;
	*slot = *path;
	slot->container = builder->container;
	slot->certain = builder->certain;
	if (slot->device)
		slot->device->assigned = true;
	if (nsn_refs_add(&vm->domains, slot->domain) ||
	    nsn_refs_add(&vm->domains, slot->domain ? slot->domain->parent : NULL) ||
	    nsn_refs_add(&vm->groups, slot->group) || nsn_refs_add(&vm->devices, slot->device))
		return -ENOMEM;
	return 0;
}

/* One path for each device of the group that user space drives; one without, if none is known. */
static int add_group_paths(const struct nsn_path_builder *builder, struct nsn_path path)
{
	struct nsn_group *group = path.group;
	bool any = false;
	int err = 0;

	for (size_t i = 0; group && i < group->devices.items_count && !err; i++) {
		struct nsn_device *device = group->devices.items[i];

		if (device->role != NSN_ROLE_VFIO)
			continue;
		any = true;
		path.device = device;
		err = nsn_path_add(builder, &path);
	}
	path.device = NULL;
	return any || err ? err : nsn_path_add(builder, &path);
}

void nsn_path_judge_domain(const struct nsn_path_builder *builder, struct nsn_path *path,
			   uint64_t domain)
{
	path->domain = nsn_index_get(builder->model->build->index, NSN_CLASS_DOMAIN, domain);
	if (!path->group || !path->domain || !NSN_KNOWS(&path->group->rec, group, domain)) {
		path->unknown_reason = "the IOMMU core's side of the group could not be read";
	} else if (path->group->rec.domain != domain || path->group->torn ||
		   builder->container->torn || path->domain->torn) {
		path->unknown_reason = "it changed while it was read";
	} else {
		path->blocks_nosnoop = path->domain->blocks_nosnoop;
		if (path->blocks_nosnoop == NSN_UNKNOWN)
			path->unknown_reason = "whether the domain blocks No Snoop is unknown";
	}
}

/* A group in a type1 container. */
static int add_type1_path(const struct nsn_path_builder *builder,
			  const struct nsn_rec_type1_group *rec)
{
	struct nsn_path path = { .dma = NSN_DMA_DOMAIN, .blocks_nosnoop = NSN_UNKNOWN };

	path.group = NSN_GROUP_OF(builder->model, rec, type1_group);
	if (!NSN_KNOWS(rec, type1_group, domain)) {
		path.dma = NSN_DMA_UNKNOWN;
		path.unknown_reason = "the group's domain could not be read";
	} else if (!rec->domain) {
		path.dma = NSN_DMA_EMULATED;
		path.unknown_reason = "its parent's driver does the DMA";
	} else {
		nsn_path_judge_domain(builder, &path, rec->domain);
	}
	return add_group_paths(builder, path);
}

/*
 * Can a group that was set into it be in a domain that we do not see there? An iommufd context shows
 * all that it has, once a device of the group is opened.
 */
static bool has_page_tables(const struct nsn_container *container)
{
	return container && container->kind != NSN_CONTAINER_NONE &&
	       !(container->kind == NSN_CONTAINER_IOMMUFD && nsn_iommufd_is_whole(container));
}

/* A group that was set into the container, but that no driver of the container has: not attached. */
static int add_unattached_path(const struct nsn_path_builder *builder, struct nsn_group *group)
{
	struct nsn_path path = { .group = group, .blocks_nosnoop = NSN_UNKNOWN };

	if (builder->container && builder->container->kind == NSN_CONTAINER_NOIOMMU) {
		path.dma = NSN_DMA_NOIOMMU;
		path.blocks_nosnoop = NSN_NO;
	} else if (!has_page_tables(builder->container) && group->domain && !group->domain->user) {
		path.dma = NSN_DMA_NONE;
		path.domain = group->domain->kind == NSN_DOMAIN_BLOCKED ? group->domain : NULL;
		path.unknown_reason = "no DMA is possible";
	} else {
		path.dma = NSN_DMA_UNKNOWN;
		path.unknown_reason = "the group's way to memory could not be read";
	}
	return add_group_paths(builder, path);
}

int nsn_path_add_unknown(const struct nsn_path_builder *builder, const char *reason)
{
	const struct nsn_path path = { .dma = NSN_DMA_UNKNOWN,
				       .blocks_nosnoop = NSN_UNKNOWN,
				       .unknown_reason = reason };

	return nsn_path_add(builder, &path);
}

/* Did the container's own counts arrive? A list that lost members may have lost a path. */
bool nsn_container_is_whole(const struct nsn_container *container)
{
	const struct nsn_rec_container *rec = &container->rec;
	uint64_t groups = 0, emulated = 0;

	if (container->kind == NSN_CONTAINER_IOMMUFD)
		return nsn_iommufd_is_whole(container);
	if (container->kind == NSN_CONTAINER_VDPA)
		return nsn_vdpa_is_whole(container);
	if (container->torn || container->truncated ||
	    NSN_TRI(rec, container, complete) != NSN_YES || !NSN_KNOWS(rec, container, domains) ||
	    !NSN_KNOWS(rec, container, groups) || !NSN_KNOWS(rec, container, emulated))
		return false;
	for (size_t i = 0; i < container->type1_groups.items_count; i++) {
		const struct nsn_rec_type1_group *group = container->type1_groups.items[i];

		groups += group->domain != 0;
		emulated += group->domain == 0;
	}
	return container->type1_domains.items_count == rec->domains && groups == rec->groups &&
	       emulated == rec->emulated;
}

static int add_container_paths(struct nsn_model *model, struct nsn_vm *vm,
			       const struct nsn_link *link)
{
	struct nsn_path_builder builder = { model, vm, link->container, link->certain };
	struct nsn_container *container = link->container;
	int err = 0;

	switch (container->kind) {
	case NSN_CONTAINER_IOMMUFD:
		err = nsn_path_add_iommufd(&builder);
		break;
	case NSN_CONTAINER_VDPA:
		err = nsn_path_add_vdpa(&builder);
		break;
	case NSN_CONTAINER_UNKNOWN:
		return nsn_path_add_unknown(&builder, "the container's driver could not be read");
	case NSN_CONTAINER_TYPE1:
		for (size_t i = 0; i < container->type1_groups.items_count && !err; i++)
			err = add_type1_path(&builder, container->type1_groups.items[i]);
		break;
	default:
		break;
	}
	for (size_t i = 0; i < container->vfio_groups.items_count && !err; i++) {
		struct nsn_group *group = container->vfio_groups.items[i];

		if (!nsn_refs_has(&container->groups, group))
			err = add_unattached_path(&builder, group);
	}
	if (!err)
		err = nsn_path_add_strange_pasids(&builder);
	if (!err && !nsn_container_is_whole(container))
		err = nsn_path_add_unknown(&builder, "the container could not be read whole");
	return err;
}

/* A group or device that KVM was told about but that is in no container: claimed, or on its way. */
static int add_loose_path(const struct nsn_path_builder *builder, const struct nsn_rec_vm_file *rec)
{
	struct nsn_model *model = builder->model;
	const struct nsn_rec_vfio_group *vfio =
		nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, rec->vfio_group);
	struct nsn_path path = { .dma = NSN_DMA_NONE,
				 .blocks_nosnoop = NSN_UNKNOWN,
				 .unknown_reason = "no DMA is possible" };
	bool known = NSN_KNOWS(rec, vm_file, kind);

	if (known && rec->kind == NSN_FILE_GROUP) {
		path.group = nsn_model_group_of_file(model, rec);
		if (path.group && NSN_KNOWS(vfio, vfio_group, container))
			return vfio->container || vfio->iommufd
				       ? 0
				       : add_unattached_path(builder, path.group);
		known = false;
	} else if (known && rec->kind == NSN_FILE_VFIO_DEVICE) {
		path.device = nsn_model_device_of_file(model, rec);
		path.group = path.device ? path.device->group : NULL;
		known = path.device && NSN_KNOWS(rec, vm_file, iommufd);
		if (known && !rec->iommufd) /* its file gives no access before it is bound */
			return nsn_path_add(builder, &path);
	}
	return known ? 0 : nsn_path_add_unknown(builder, "a kvm-vfio file could not be followed");
}

static int add_loose_paths(struct nsn_model *model, struct nsn_vm *vm)
{
	struct nsn_path_builder builder = { model, vm, NULL, true };
	int err = 0;

	for (size_t i = 0; i < vm->files.items_count && !err; i++)
		err = add_loose_path(&builder, vm->files.items[i]);
	if (!err && NSN_TRI(&vm->rec, vm, complete) != NSN_YES &&
	    nsn_model__source(model, "kernel.kvm", NULL) == NSN_SOURCE_OK &&
	    nsn_model__source(model, "kernel.vfio", NULL) != NSN_SOURCE_ABSENT)
		err = nsn_path_add_unknown(&builder, "the VM's kvm-vfio devices could not be read");
	return err;
}

static int compare_paths(const void *a, const void *b)
{
	const struct nsn_path *x = a, *y = b;
	int order = strverscmp(x->device ? x->device->id : "~", y->device ? y->device->id : "~");

	if (!order)
		order = strverscmp(x->container ? x->container->id : "",
				   y->container ? y->container->id : "");
	if (!order)
		order = (int)x->dma - (int)y->dma;
	return order ? order : (x->pasid > y->pasid) - (x->pasid < y->pasid);
}

int nsn_model_add_paths(struct nsn_model *model, struct nsn_vm *vm)
{
	int err = 0;

	for (size_t i = 0; i < vm->links_count && !err; i++)
		err = add_container_paths(model, vm, &vm->links[i]);
	if (!err)
		err = add_loose_paths(model, vm);
	if (!err && vm->paths_count)
		qsort(vm->paths, vm->paths_count, sizeof(*vm->paths), compare_paths);
	return err;
}
