// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_vm.c - ties VMs to containers, lists the paths by which a device's DMA can reach a VM's
 * memory, and reaches each VM's verdict. Floor 1.
 *
 * Whatever could hide a path (a descriptor of unknown kind, a list that was cut, a record that was
 * lost) makes the VM's paths uncertain: then a verdict that would say "nothing to fear" is unknown.
 */
#include "model_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- links ----------------------------------------------------------------------------------- */

/* Keeps the strongest link between a VM and a container. */
static int add_link(struct nsn_vm *vm, struct nsn_container *container, enum nsn_link_by by)
{
	struct nsn_link *link;

	for (size_t i = 0; i < vm->links_count; i++) {
		if (vm->links[i].container != container)
			continue;
		if (by < vm->links[i].by)
			vm->links[i].by = by;
		vm->links[i].certain = vm->links[i].by <= NSN_LINK_SAME_MM;
		return 0;
	}
	link = NSN_APPEND(vm, links);
	if (!link)
		return -ENOMEM;
	link->container = container;
	link->by = by;
	link->certain = by <= NSN_LINK_SAME_MM;
	if (nsn_refs_add(&vm->containers, container))
		return -ENOMEM;
	return nsn_refs_add(&container->vms, vm);
}

static struct nsn_vm *vm_by_key(const struct nsn_model *model, uint64_t key)
{
	return nsn_index_get(model->build->index, NSN_CLASS_VM, key);
}

/* Who holds descriptors of what; a descriptor that cannot be placed may be anybody's. */
static int read_holders(struct nsn_model *model)
{
	struct nsn_index_entry *index = model->build->index;

	NSN_FOR_EACH(model, FILE, file, rec) {
		struct nsn_vm *vm = vm_by_key(model, rec->vm);
		uint64_t keys = rec->vm | rec->container | rec->vfio_group | rec->vfio_device |
				rec->iommufd | rec->vdpa;

		if (!NSN_KNOWS(rec, file, kind) || !NSN_KNOWS(rec, file, pid) || !keys) {
			model->blind_to_files = true;
			continue;
		}
		if (vm && nsn_pids_add(&vm->holders, rec->pid))
			return -ENOMEM;
		for (size_t i = 0; i < 3; i++) {
			struct nsn_container *container = nsn_index_get(
				index,
				i == 0	 ? NSN_CLASS_CONTAINER
				: i == 1 ? NSN_CLASS_IOMMUFD
					 : NSN_CLASS_VDPA,
				i == 0 ? rec->container : i == 1 ? rec->iommufd : rec->vdpa);

			if (container && nsn_pids_add(&container->pids, rec->pid))
				return -ENOMEM;
		}
	}
	/* a group or device file holds the container that the group was set into */
	for (size_t i = 0; i < model->groups_count; i++) {
		struct nsn_group *group = &model->groups[i];

		for (size_t p = 0; group->container && p < group->opened_by.items_count; p++)
			if (nsn_pids_add(&group->container->pids, group->opened_by.items[p]))
				return -ENOMEM;
	}
	return 0;
}

static const struct nsn_rec_process *process_of(const struct nsn_model *model, uint64_t pid)
{
	return nsn_index_get(model->build->index, NSN_INDEX_PROCESS, pid);
}

/* The root cgroup groups nothing. */
static bool cgroup_known(const struct nsn_rec_process *process)
{
	return process && NSN_KNOWS(process, process, cgroup);
}

static bool same_cgroup(const struct nsn_rec_process *a, const struct nsn_rec_process *b)
{
	return cgroup_known(a) && cgroup_known(b) && a->cgroup[0] && strcmp(a->cgroup, "/") &&
	       strcmp(a->cgroup, b->cgroup) == 0;
}

static int link_by_process(struct nsn_model *model, struct nsn_vm *vm,
			   struct nsn_container *container)
{
	for (size_t i = 0; i < container->pids.items_count; i++) {
		uint64_t pid = container->pids.items[i];

		if (pid == vm->pid || nsn_pids_has(&vm->holders, pid))
			return add_link(vm, container, NSN_LINK_SAME_PROCESS);
	}
	for (size_t i = 0; i < container->pids.items_count; i++)
		if (same_cgroup(vm->process, process_of(model, container->pids.items[i])))
			return add_link(vm, container, NSN_LINK_SAME_CGROUP);
	return 0;
}

static bool has_certain_link(const struct nsn_container *container)
{
	for (size_t i = 0; i < container->vms.items_count; i++) {
		const struct nsn_vm *vm = container->vms.items[i];

		for (size_t l = 0; l < vm->links_count; l++)
			if (vm->links[l].container == container && vm->links[l].certain)
				return true;
	}
	return false;
}

static bool has_link(const struct nsn_vm *vm, const struct nsn_container *container)
{
	return nsn_refs_has(&vm->containers, container);
}

static enum nsn_tri same_mm(const struct nsn_vm *vm, const struct nsn_container *container)
{
	if (!NSN_KNOWS(&vm->rec, vm, mm) || !NSN_KNOWS(&container->rec, container, mm))
		return NSN_UNKNOWN;
	if (!container->rec.mm)
		return NSN_UNKNOWN; /* it has no mapping yet */
	return vm->rec.mm == container->rec.mm ? NSN_YES : NSN_NO;
}

static int link_by_kvm_vfio(struct nsn_model *model)
{
	struct nsn_index_entry *index = model->build->index;

	NSN_FOR_EACH(model, VM_FILE, vm_file, rec) {
		struct nsn_vm *vm = vm_by_key(model, rec->vm);
		const struct nsn_rec_vfio_device *device = nsn_index_get(
			model->build->vfio, NSN_CLASS_VFIO_DEVICE, rec->vfio_device);
		const struct nsn_rec_vfio_group *group =
			nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, rec->vfio_group);
		struct nsn_container *container;
		int err = 0;

		if (!vm)
			continue;
		if (!group && device)
			group = nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP,
					      device->vfio_group);
		container = group ? nsn_index_get(index, NSN_CLASS_CONTAINER, group->container)
				  : NULL;
		if (container)
			err = add_link(vm, container, NSN_LINK_KVM_VFIO);
		container = nsn_index_get(index, NSN_CLASS_IOMMUFD,
					  group && group->iommufd ? group->iommufd
					  : device		  ? device->iommufd
								  : 0);
		if (!err && container)
			err = add_link(vm, container, NSN_LINK_KVM_VFIO);
		if (err)
			return err;
	}
	return 0;
}

static int link_vms(struct nsn_model *model)
{
	int err = link_by_kvm_vfio(model);

	for (size_t v = 0; v < model->vms_count && !err; v++)
		for (size_t c = 0; c < model->containers_count && !err; c++)
			if (same_mm(&model->vms[v], &model->containers[c]) == NSN_YES)
				err = add_link(&model->vms[v], &model->containers[c],
					       NSN_LINK_SAME_MM);
	for (size_t c = 0; c < model->containers_count && !err; c++) {
		struct nsn_container *container = &model->containers[c];

		if (has_certain_link(container))
			continue;
		for (size_t v = 0; v < model->vms_count && !err; v++)
			if (!has_link(&model->vms[v], container))
				err = link_by_process(model, &model->vms[v], container);
	}
	return err;
}

/* ---- what may be hidden ---------------------------------------------------------------------- */

/*
 * Could this container, which no link ties to the VM, be its all the same? Not if it is certainly
 * another's, or if its memory or its holders are known to be others.
 */
static bool may_own(struct nsn_model *model, const struct nsn_vm *vm,
		    const struct nsn_container *container)
{
	if (has_link(vm, container) || has_certain_link(container))
		return false;
	if (!container->pids.items_count)
		return same_mm(vm, container) != NSN_NO;
	if (!vm->pid)
		return true;
	if (!cgroup_known(vm->process))
		return same_mm(vm, container) != NSN_NO;
	for (size_t i = 0; i < container->pids.items_count; i++)
		if (!cgroup_known(process_of(model, container->pids.items[i])))
			return same_mm(vm, container) != NSN_NO;
	return false;
}

/* Records that name no owner could be part of any VM's path. */
static const char *find_orphans(const struct nsn_model *model)
{
	NSN_FOR_EACH(model, VM_FILE, vm_file, rec)
		if (!NSN_KNOWS(rec, vm_file, vm))
			return "a kvm-vfio file belongs to an unknown VM";
	NSN_FOR_EACH(model, TYPE1_DOMAIN, type1_domain, rec)
		if (!NSN_KNOWS(rec, type1_domain, container) ||
		    !NSN_KNOWS(rec, type1_domain, domain))
			return "a domain belongs to an unknown container";
	NSN_FOR_EACH(model, TYPE1_GROUP, type1_group, rec)
		if (!NSN_KNOWS(rec, type1_group, container))
			return "a group belongs to an unknown container";
	NSN_FOR_EACH(model, CONTAINER, container, rec)
		if (!NSN_KNOWS(rec, container, container))
			return "a container could not be identified";
	NSN_FOR_EACH(model, VFIO_GROUP, vfio_group, rec)
		if (!NSN_KNOWS(rec, vfio_group, container) ||
		    !NSN_KNOWS(rec, vfio_group, vfio_group) ||
		    !NSN_KNOWS(rec, vfio_group, iommufd))
			return "a VFIO group's container is unknown";
	return NULL;
}

/* Why paths of any VM may be unseen, or NULL if none can be. */
static const char *why_blind(const struct nsn_model *model)
{
	static const char *const sources[] = { "kernel.files", "kernel.vfio", "kernel.type1" };
	const char *reason;

	for (size_t i = 0; i < NSN_ARRAY_SIZE(sources); i++)
		if (nsn_model__source(model, "kernel.vfio", NULL) != NSN_SOURCE_ABSENT &&
		    nsn_model__source(model, sources[i], &reason) == NSN_SOURCE_FAILED)
			return reason[0] ? reason : "VFIO's objects could not be read";
	if (model->lost_records)
		return "records of the snapshot were lost";
	if (model->blind_to_files)
		return "not every descriptor could be read";
	return find_orphans(model);
}

static void judge_hidden(struct nsn_model *model, struct nsn_vm *vm, const char *blind)
{
	if (!NSN_KNOWS(&vm->rec, vm, vm) || vm->torn)
		vm->may_own_reason = "the VM changed while it was read";
	else if (vm->truncated)
		vm->may_own_reason = "a list of the VM was cut";
	else if (blind)
		vm->may_own_reason = blind;
	for (size_t c = 0; c < model->containers_count && !vm->may_own_reason; c++)
		if (may_own(model, vm, &model->containers[c]))
			vm->may_own_reason = "a container belongs to nobody we can name";
	vm->may_own_unlinked = vm->may_own_reason != NULL;
}

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
static bool container_is_whole(const struct nsn_model *model, const struct nsn_container *container)
{
	const struct nsn_rec_container *rec = &container->rec;
	uint64_t domains = 0, groups = 0, emulated = 0;

	if (container->torn || container->truncated ||
	    NSN_TRI(rec, container, complete) != NSN_YES || !NSN_KNOWS(rec, container, domains) ||
	    !NSN_KNOWS(rec, container, groups) || !NSN_KNOWS(rec, container, emulated))
		return false;
	NSN_FOR_EACH(model, TYPE1_DOMAIN, type1_domain, item)
		domains += item->container == container->key;
	NSN_FOR_EACH(model, TYPE1_GROUP, type1_group, item) {
		groups += item->container == container->key && item->domain;
		emulated += item->container == container->key && !item->domain;
	}
	return domains == rec->domains && groups == rec->groups && emulated == rec->emulated;
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
		NSN_FOR_EACH(model, TYPE1_GROUP, type1_group, rec)
			if (!err && rec->container == container->key)
				err = add_type1_path(&builder, rec);
		break;
	default:
		break;
	}
	for (size_t i = 0; i < container->vfio_groups.items_count && !err; i++) {
		struct nsn_group *group = container->vfio_groups.items[i];

		if (!group_in_type1(container, group))
			err = add_unattached_path(&builder, group);
	}
	if (!err && !container_is_whole(model, container))
		err = add_unknown_path(&builder, "the container could not be read whole");
	return err;
}

/* A group that KVM was told about but that is in no container: claimed, or on its way. */
static int add_loose_paths(struct nsn_model *model, struct nsn_vm *vm)
{
	struct path_builder builder = { model, vm, NULL, true };
	int err = 0;

	NSN_FOR_EACH(model, VM_FILE, vm_file, rec) {
		const struct nsn_rec_vfio_group *vfio =
			nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, rec->vfio_group);
		long number = vfio ? nsn_vfio_group_number(model, vfio) : -1;
		struct nsn_group *group = number >= 0 ? nsn_model__group(model, number) : NULL;

		if (err || !rec->vm || rec->vm != vm->rec.vm)
			continue;
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

/* ---- what KVM would register now ------------------------------------------------------------- */

/* By capability (6.2 and later): any device without it makes the VM non-coherent. */
static enum nsn_tri lacks_capability(const struct nsn_group *group)
{
	enum nsn_tri lacks = NSN_NO;

	for (size_t i = 0; i < group->devices.items_count; i++) {
		const struct nsn_device *device = group->devices.items[i];

		if (!device->vfio.h.known)
			continue;
		if (device->can_enforce == NSN_NO)
			return NSN_YES;
		if (device->can_enforce == NSN_UNKNOWN)
			lacks = NSN_UNKNOWN;
	}
	return lacks;
}

/* By domain (before 6.2): any domain of the group's container without VFIO's flag does. */
static enum nsn_tri lacks_enforcement(const struct nsn_group *group)
{
	enum nsn_tri lacks = NSN_NO;

	if (!group->container)
		return NSN_NO; /* a group in no container counts as coherent */
	if (group->container->kind == NSN_CONTAINER_NONE)
		return NSN_YES; /* no driver that could say so */
	for (size_t i = 0; i < group->container->domains.items_count; i++) {
		const struct nsn_domain *domain = group->container->domains.items[i];

		if (domain->vfio_flag == NSN_NO)
			return NSN_YES;
		if (domain->vfio_flag == NSN_UNKNOWN)
			lacks = NSN_UNKNOWN;
	}
	return lacks;
}

static enum nsn_tri judge_would_register(const struct nsn_model *model, const struct nsn_vm *vm)
{
	enum nsn_tri by_capability = NSN_TRI(&model->kernel, kernel, criterion_capability);
	enum nsn_tri would = NSN_NO;

	if (by_capability == NSN_UNKNOWN || NSN_TRI(&vm->rec, vm, complete) != NSN_YES ||
	    vm->torn || vm->truncated || model->lost_records)
		return NSN_UNKNOWN;
	NSN_FOR_EACH(model, VM_FILE, vm_file, rec) {
		const struct nsn_rec_vfio_group *vfio =
			nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, rec->vfio_group);
		long number = vfio ? nsn_vfio_group_number(model, vfio) : -1;
		struct nsn_group *group = number >= 0 ? nsn_model__group(model, number) : NULL;
		enum nsn_tri lacks;

		if (rec->vm != vm->rec.vm)
			continue;
		if (NSN_KNOWS(rec, vm_file, kind) && rec->kind == NSN_FILE_NONE)
			continue; /* neither: KVM takes it as coherent */
		if (!group)
			return NSN_UNKNOWN;
		lacks = by_capability ? lacks_capability(group) : lacks_enforcement(group);
		if (lacks == NSN_YES)
			return NSN_YES;
		if (lacks == NSN_UNKNOWN)
			would = NSN_UNKNOWN;
	}
	return would;
}

static void mark_shared_processes(struct nsn_model *model)
{
	for (size_t i = 0; i < model->vms_count; i++)
		for (size_t k = i + 1; k < model->vms_count; k++)
			if (model->vms[i].pid && model->vms[i].pid == model->vms[k].pid)
				model->vms[i].shares_process = model->vms[k].shares_process = true;
}

int nsn_model_judge_vms(struct nsn_model *model)
{
	const char *blind;
	int err = read_holders(model);

	if (!err)
		err = link_vms(model);
	mark_shared_processes(model);
	blind = why_blind(model);
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
		judge_hidden(model, vm, blind);
		vm->guest_wbinvd = judge_wbinvd(model, vm);
		vm->kvm_would_register = judge_would_register(model, vm);
		vm->verdict = judge_verdict(vm);
	}
	return err;
}
