// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_link.c - ties VMs to containers, and tells what may tie them unseen. Floor 1.
 */
#include "model_internal.h"

#include <errno.h>
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
			struct nsn_container *container = nsn_index_get(index,
									i == 0 ? NSN_CLASS_CONTAINER
									: i == 1 ? NSN_CLASS_IOMMUFD
										 : NSN_CLASS_VDPA,
									i == 0   ? rec->container
									: i == 1 ? rec->iommufd
										 : rec->vdpa);

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
	uint64_t mm = nsn_container_mm(container);

	if (!NSN_KNOWS(&vm->rec, vm, mm) || !mm)
		return NSN_UNKNOWN; /* or it has no mapping yet */
	return vm->rec.mm == mm ? NSN_YES : NSN_NO;
}

/* VMs by their process and by their memory: several may share either. */
static int index_vms(struct nsn_model *model)
{
	struct nsn_index_entry **index = &model->build->index;

	for (size_t i = 0; i < model->vms_count; i++) {
		struct nsn_vm *vm = &model->vms[i], *first;
		uint64_t mm = NSN_KNOWS(&vm->rec, vm, mm) ? vm->rec.mm : 0;

		first = nsn_index_get(*index, NSN_INDEX_VM_PID, vm->pid);
		if (first)
			first->shares_process = vm->shares_process = true;
		else if (nsn_index_put(index, NSN_INDEX_VM_PID, vm->pid, vm))
			return -ENOMEM;
		first = nsn_index_get(*index, NSN_INDEX_VM_MM, mm);
		if (first) {
			vm->same_mm = first->same_mm;
			first->same_mm = vm;
		} else if (nsn_index_put(index, NSN_INDEX_VM_MM, mm, vm)) {
			return -ENOMEM;
		}
	}
	return 0;
}

static int link_by_mm(struct nsn_model *model, struct nsn_container *container)
{
	struct nsn_vm *vm =
		nsn_index_get(model->build->index, NSN_INDEX_VM_MM, nsn_container_mm(container));
	int err = 0;

	for (; vm && !err; vm = vm->same_mm)
		err = add_link(vm, container, NSN_LINK_SAME_MM);
	return err;
}

static int link_by_kvm_vfio(struct nsn_model *model)
{
	struct nsn_index_entry *index = model->build->index;

	NSN_FOR_EACH(model, VM_FILE, vm_file, rec) {
		struct nsn_vm *vm = vm_by_key(model, rec->vm);
		const struct nsn_rec_vfio_device *device =
			nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_DEVICE, rec->vfio_device);
		const struct nsn_rec_vfio_group *group =
			nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, rec->vfio_group);
		struct nsn_container *container;
		int err = 0;

		if (!vm)
			continue;
		if (nsn_refs_append(&vm->files, (void *)rec))
			return -ENOMEM;
		if (!group && device)
			group = nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP,
					      device->vfio_group);
		container =
			group ? nsn_index_get(index, NSN_CLASS_CONTAINER, group->container) : NULL;
		if (container)
			err = add_link(vm, container, NSN_LINK_KVM_VFIO);
		container = nsn_index_get(index, NSN_CLASS_IOMMUFD,
					  rec->iommufd       ? rec->iommufd
					  : group && !device ? group->iommufd
							     : 0);
		if (!err && container)
			err = add_link(vm, container, NSN_LINK_KVM_VFIO);
		if (err)
			return err;
	}
	return 0;
}

int nsn_model_link_vms(struct nsn_model *model)
{
	int err = read_holders(model);

	if (!err)
		err = link_by_kvm_vfio(model);
	if (!err)
		err = index_vms(model);
	for (size_t c = 0; c < model->containers_count && !err; c++)
		err = link_by_mm(model, &model->containers[c]);
	for (size_t c = 0; c < model->containers_count && !err; c++) {
		struct nsn_container *container = &model->containers[c];

		if (has_certain_link(container))
			continue;
		err = nsn_refs_append(&model->build->loose, container);
		for (size_t v = 0; v < model->vms_count && !err; v++)
			if (!has_link(&model->vms[v], container))
				err = link_by_process(model, &model->vms[v], container);
	}
	return err;
}

/* ---- what may be hidden ---------------------------------------------------------------------- */

/*
 * Could this container, which no link ties to a VM for certain, be this VM's all the same? Not if
 * its memory or its holders are known to be others.
 */
static bool may_own(struct nsn_model *model, const struct nsn_vm *vm,
		    const struct nsn_container *container)
{
	if (has_link(vm, container))
		return false;
	if (!container->pids.items_count)
		return same_mm(vm, container) != NSN_NO;
	if (!vm->pid)
		return true;
	/* a control group would tie them whatever the memory: an unknown one may */
	if (!cgroup_known(vm->process))
		return true;
	for (size_t i = 0; i < container->pids.items_count; i++)
		if (!cgroup_known(process_of(model, container->pids.items[i])))
			return true;
	return false;
}

/* What is in an iommufd context that nobody can name. */
static const char *find_iommufd_orphans(const struct nsn_model *model)
{
	NSN_FOR_EACH(model, IOMMUFD_HWPT, iommufd_hwpt, rec)
		if (!NSN_KNOWS(rec, iommufd_hwpt, iommufd) || !NSN_KNOWS(rec, iommufd_hwpt, domain))
			return "a domain belongs to an unknown iommufd context";
	NSN_FOR_EACH(model, IOMMUFD_DEVICE, iommufd_device, rec)
		if (!NSN_KNOWS(rec, iommufd_device, iommufd))
			return "a device is bound to an unknown iommufd context";
	NSN_FOR_EACH(model, IOMMUFD_PASID, iommufd_pasid, rec)
		if (!NSN_KNOWS(rec, iommufd_pasid, iommufd))
			return "a PASID belongs to an unknown iommufd context";
	NSN_FOR_EACH(model, IOMMUFD_ACCESS, iommufd_access, rec)
		if (!NSN_KNOWS(rec, iommufd_access, iommufd))
			return "a device is bound to an unknown iommufd context";
	NSN_FOR_EACH(model, IOMMUFD, iommufd, rec)
		if (!NSN_KNOWS(rec, iommufd, iommufd))
			return "an iommufd context could not be identified";
	return NULL;
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
	NSN_FOR_EACH(model, VDPA, vdpa, rec)
		if (!NSN_KNOWS(rec, vdpa, vdpa))
			return "a vDPA device could not be identified";
	NSN_FOR_EACH(model, CONTAINER, container, rec)
		if (!NSN_KNOWS(rec, container, container))
			return "a container could not be identified";
	NSN_FOR_EACH(model, VFIO_GROUP, vfio_group, rec)
		if (!NSN_KNOWS(rec, vfio_group, container) ||
		    !NSN_KNOWS(rec, vfio_group, vfio_group) || !NSN_KNOWS(rec, vfio_group, iommufd))
			return "a VFIO group's container is unknown";
	return find_iommufd_orphans(model);
}

/* Why paths of any VM may be unseen, or NULL if none can be. */
const char *nsn_model_why_blind(const struct nsn_model *model)
{
	bool vfio = nsn_model__source(model, "kernel.vfio", NULL) != NSN_SOURCE_ABSENT;
	/* contexts that only a descriptor leads to */
	bool loose = nsn_model__source(model, "kernel.iommufd", NULL) != NSN_SOURCE_ABSENT ||
		     nsn_model__source(model, "kernel.vdpa", NULL) != NSN_SOURCE_ABSENT;
	const char *reason;

	if ((vfio || loose) &&
	    nsn_model__source(model, "kernel.files", &reason) == NSN_SOURCE_FAILED)
		return reason[0] ? reason : "descriptors could not be read";
	if (vfio && nsn_model__source(model, "kernel.vfio", &reason) == NSN_SOURCE_FAILED)
		return reason[0] ? reason : "VFIO's objects could not be read";
	if (vfio && nsn_model__source(model, "kernel.type1", &reason) == NSN_SOURCE_FAILED)
		return reason[0] ? reason : "type1's objects could not be read";
	if (loose && NSN_TRI(&model->host, host, pid_namespace_initial) != NSN_YES)
		return "processes outside this pid namespace are not seen";
	if (model->lost_records)
		return "records of the snapshot were lost";
	if (model->blind_to_files)
		return "not every descriptor could be read";
	return find_orphans(model);
}

void nsn_model_judge_hidden(struct nsn_model *model, struct nsn_vm *vm, const char *blind)
{
	if (!NSN_KNOWS(&vm->rec, vm, vm) || vm->torn)
		vm->may_own_reason = "the VM changed while it was read";
	else if (vm->truncated)
		vm->may_own_reason = "a list of the VM was cut";
	else if (blind)
		vm->may_own_reason = blind;
	for (size_t c = 0; c < model->build->loose.items_count && !vm->may_own_reason; c++)
		if (may_own(model, vm, model->build->loose.items[c]))
			vm->may_own_reason = "a container belongs to nobody we can name";
	vm->may_own_unlinked = vm->may_own_reason != NULL;
}
