// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_vm.c - lists the paths by which a device's DMA can reach a VM's memory, and reaches each
 * VM's verdict. Floor 1.
 *
 * Whatever could hide a path (a descriptor of unknown kind, a list that was cut, a record that was
 * lost) makes the VM's paths uncertain: then a verdict that would say "nothing to fear" is unknown.
 */
#include "model_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- paths ----------------------------------------------------------------------------------- */

struct path_builder {
	struct nsn_model *model;
	struct nsn_vm *vm;
	struct nsn_container *container;
	bool certain;
};

static int add_path(const struct path_builder *builder, const struct nsn_path *path)
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
	if (nsn_refs_add(&vm->domains, slot->domain) || nsn_refs_add(&vm->groups, slot->group) ||
	    nsn_refs_add(&vm->devices, slot->device))
		return -ENOMEM;
	return 0;
}

/* One path for each device of the group that user space drives; one without, if none is known. */
static int add_group_paths(const struct path_builder *builder, struct nsn_path path)
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
		err = add_path(builder, &path);
	}
	path.device = NULL;
	return any || err ? err : add_path(builder, &path);
}

/* A group in a type1 container: the IOMMU core must name the same domain as VFIO does. */
static int add_type1_path(const struct path_builder *builder, const struct nsn_rec_type1_group *rec)
{
	struct nsn_model *model = builder->model;
	struct nsn_path path = { .dma = NSN_DMA_DOMAIN, .blocks_nosnoop = NSN_UNKNOWN };

	path.group = NSN_KNOWS(rec, type1_group, group_id)
			     ? nsn_model__group(model, rec->group_id)
			     : nsn_index_get(model->build->index, NSN_CLASS_GROUP, rec->group);
	path.domain = nsn_index_get(model->build->index, NSN_CLASS_DOMAIN, rec->domain);
	if (!NSN_KNOWS(rec, type1_group, domain)) {
		path.dma = NSN_DMA_UNKNOWN;
		path.unknown_reason = "the group's domain could not be read";
	} else if (!rec->domain) {
		path.dma = NSN_DMA_EMULATED;
		path.unknown_reason = "its parent's driver does the DMA";
	} else if (!path.group || !path.domain || !NSN_KNOWS(&path.group->rec, group, domain)) {
		path.unknown_reason = "the IOMMU core's side of the group could not be read";
	} else if (path.group->rec.domain != rec->domain || path.group->torn ||
		   builder->container->torn || path.domain->torn) {
		path.unknown_reason = "it changed while it was read";
	} else {
		path.blocks_nosnoop = path.domain->blocks_nosnoop;
		if (path.blocks_nosnoop == NSN_UNKNOWN)
			path.unknown_reason = "whether the domain blocks No Snoop is unknown";
	}
	return add_group_paths(builder, path);
}

static bool group_in_type1(const struct nsn_container *container, const struct nsn_group *group)
{
	return nsn_refs_has(&container->groups, group);
}

/* A group that was set into the container, but that no driver of the container has: not attached. */
static int add_unattached_path(const struct path_builder *builder, struct nsn_group *group)
{
	struct nsn_path path = { .group = group, .blocks_nosnoop = NSN_UNKNOWN };

	if (builder->container && builder->container->kind == NSN_CONTAINER_NOIOMMU) {
		path.dma = NSN_DMA_NOIOMMU;
		path.blocks_nosnoop = NSN_NO;
	} else if ((!builder->container || builder->container->kind == NSN_CONTAINER_NONE) &&
		   group->domain && !group->domain->user) {
		path.dma = NSN_DMA_NONE;
		path.domain = group->domain->kind == NSN_DOMAIN_BLOCKED ? group->domain : NULL;
		path.unknown_reason = "no DMA is possible";
	} else {
		path.dma = NSN_DMA_UNKNOWN;
		path.unknown_reason = "the group's way to memory could not be read";
	}
	return add_group_paths(builder, path);
}

static int add_unknown_path(const struct path_builder *builder, const char *reason)
{
	const struct nsn_path path = { .dma = NSN_DMA_UNKNOWN,
				       .blocks_nosnoop = NSN_UNKNOWN,
				       .unknown_reason = reason };

	return add_path(builder, &path);
}

/* Did the container's own counts arrive? A list that lost members may have lost a path. */
bool nsn_container_is_whole(const struct nsn_container *container)
{
	const struct nsn_rec_container *rec = &container->rec;
	uint64_t groups = 0, emulated = 0;

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
	struct path_builder builder = { model, vm, link->container, link->certain };
	struct nsn_container *container = link->container;
	int err = 0;

	switch (container->kind) {
	case NSN_CONTAINER_IOMMUFD:
		return add_unknown_path(&builder, "iommufd's page tables are not read");
	case NSN_CONTAINER_VDPA:
		return add_unknown_path(&builder, "a vDPA device's domain is not read");
	case NSN_CONTAINER_UNKNOWN:
		return add_unknown_path(&builder, "the container's driver could not be read");
	case NSN_CONTAINER_TYPE1:
		for (size_t i = 0; i < container->type1_groups.items_count && !err; i++)
			err = add_type1_path(&builder, container->type1_groups.items[i]);
		break;
	default:
		break;
	}
	for (size_t i = 0; i < container->vfio_groups.items_count && !err; i++) {
		struct nsn_group *group = container->vfio_groups.items[i];

		if (!group_in_type1(container, group))
			err = add_unattached_path(&builder, group);
	}
	if (!err && !nsn_container_is_whole(container))
		err = add_unknown_path(&builder, "the container could not be read whole");
	return err;
}

/* A group that KVM was told about but that is in no container: claimed, or on its way. */
static int add_loose_paths(struct nsn_model *model, struct nsn_vm *vm)
{
	struct path_builder builder = { model, vm, NULL, true };
	int err = 0;

	for (size_t i = 0; i < vm->files.items_count && !err; i++) {
		const struct nsn_rec_vm_file *rec = vm->files.items[i];
		const struct nsn_rec_vfio_group *vfio =
			nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, rec->vfio_group);
		long number = vfio ? nsn_vfio_group_number(model, vfio) : -1;
		struct nsn_group *group = number >= 0 ? nsn_model__group(model, number) : NULL;

		if (!NSN_KNOWS(rec, vm_file, kind) ||
		    (rec->kind == NSN_FILE_GROUP &&
		     (!group || !NSN_KNOWS(vfio, vfio_group, container))))
			err = add_unknown_path(&builder, "a kvm-vfio file could not be followed");
		else if (rec->kind == NSN_FILE_VFIO_DEVICE && !vm->links_count)
			err = add_unknown_path(&builder, "a VFIO device file is not followed");
		else if (rec->kind == NSN_FILE_GROUP && !vfio->container && !vfio->iommufd)
			err = add_unattached_path(&builder, group);
	}
	if (!err && NSN_TRI(&vm->rec, vm, complete) != NSN_YES &&
	    nsn_model__source(model, "kernel.kvm", NULL) == NSN_SOURCE_OK &&
	    nsn_model__source(model, "kernel.vfio", NULL) != NSN_SOURCE_ABSENT)
		err = add_unknown_path(&builder, "the VM's kvm-vfio devices could not be read");
	return err;
}

static int compare_paths(const void *a, const void *b)
{
	const struct nsn_path *x = a, *y = b;
	int order = strverscmp(x->device ? x->device->id : "~", y->device ? y->device->id : "~");

	if (!order)
		order = strverscmp(x->container ? x->container->id : "",
				   y->container ? y->container->id : "");
	return order ? order : (int)x->dma - (int)y->dma;
}

/* ---- verdicts -------------------------------------------------------------------------------- */

static enum nsn_guest_wbinvd judge_wbinvd(const struct nsn_model *model, const struct nsn_vm *vm)
{
	enum nsn_tri exiting = NSN_TRI(&model->kernel, kernel, wbinvd_exiting);
	enum nsn_tri registered = NSN_TRI(&vm->rec, vm, noncoherent_dma);

	if (exiting == NSN_NO)
		return NSN_WBINVD_NATIVE;
	if (registered == NSN_YES)
		return NSN_WBINVD_EXECUTED;
	if (registered == NSN_NO && exiting == NSN_YES)
		return NSN_WBINVD_IGNORED;
	return NSN_WBINVD_UNKNOWN;
}

struct path_sum {
	size_t domain, none, unknown_dma; /* by dma */
	size_t blocking, open, unclear;   /* by blocks_nosnoop, of those that can do DMA */
};

static struct path_sum sum_paths(const struct nsn_vm *vm)
{
	struct path_sum sum = { 0 };

	for (size_t i = 0; i < vm->paths_count; i++) {
		const struct nsn_path *path = &vm->paths[i];

		if (path->dma == NSN_DMA_NONE) {
			sum.none++;
			continue;
		}
		sum.domain += path->dma == NSN_DMA_DOMAIN;
		sum.unknown_dma += path->dma == NSN_DMA_UNKNOWN;
		sum.blocking += path->blocks_nosnoop == NSN_YES;
		sum.open += path->blocks_nosnoop == NSN_NO;
		sum.unclear += path->blocks_nosnoop == NSN_UNKNOWN;
	}
	return sum;
}

/* The contract's table, first match; what may be hidden turns reassurance into unknown. */
static enum nsn_verdict judge_verdict(const struct nsn_vm *vm)
{
	struct path_sum sum = sum_paths(vm);
	bool executed = vm->guest_wbinvd == NSN_WBINVD_EXECUTED;
	bool native = vm->guest_wbinvd == NSN_WBINVD_NATIVE;
	bool ignored = vm->guest_wbinvd == NSN_WBINVD_IGNORED;
	bool hidden = vm->may_own_unlinked;

	if (!vm->paths_count && !vm->links_count)
		return hidden ? NSN_VERDICT_UNKNOWN : NSN_VERDICT_NO_PASSTHROUGH;
	if (sum.none == vm->paths_count)
		return hidden ? NSN_VERDICT_UNKNOWN : NSN_VERDICT_UNATTACHED;
	if (vm->guest_wbinvd == NSN_WBINVD_UNKNOWN || (ignored && !sum.open && sum.unclear))
		return NSN_VERDICT_UNKNOWN;
	if (ignored && sum.open)
		return NSN_VERDICT_UNSAFE;
	if ((executed || native) && (sum.open || sum.unclear))
		return NSN_VERDICT_NONCOHERENT;
	if (executed && sum.blocking)
		return NSN_VERDICT_NONCOHERENT;
	if (hidden || !sum.domain)
		return NSN_VERDICT_UNKNOWN;
	return NSN_VERDICT_COHERENT;
}

int nsn_model_judge_vms(struct nsn_model *model)
{
	int err = nsn_model_link_vms(model);
	const char *blind;

	blind = nsn_model_why_blind(model);
	for (size_t v = 0; v < model->vms_count && !err; v++) {
		struct nsn_vm *vm = &model->vms[v];

		for (size_t i = 0; i < vm->links_count && !err; i++)
			err = add_container_paths(model, vm, &vm->links[i]);
		if (!err)
			err = add_loose_paths(model, vm);
		if (err)
			break;
		if (vm->paths_count)
			qsort(vm->paths, vm->paths_count, sizeof(*vm->paths), compare_paths);
		nsn_model_judge_hidden(model, vm, blind);
		vm->guest_wbinvd = judge_wbinvd(model, vm);
		vm->kvm_would_register = nsn_model_would_register(model, vm);
		vm->verdict = judge_verdict(vm);
	}
	return err;
}
