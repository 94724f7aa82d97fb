// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_build.c - makes one object per thing of the records, gives it its id, sorts. Floor 1.
 *
 * Ids come from records alone, before objects point at each other, so that arrays can be sorted
 * first and pointers stay good.
 */
#include "model_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int nsn_compare_ids(const void *a, const void *b)
{
	int order = strverscmp(a, b);

	return order ? order : strcmp(a, b);
}

int nsn_allocate(void *array, size_t count, size_t size)
{
	void *memory = count ? calloc(count, size) : NULL;

	memcpy(array, &memory, sizeof(memory));
	return count && !memory ? -ENOMEM : 0;
}

/* ---- devices and IOMMUs ---------------------------------------------------------------------- */

/* Objects that several records describe are added once each and folded after sorting. */
static size_t fold_devices(struct nsn_device *devices, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		struct nsn_device *last = kept ? &devices[kept - 1] : NULL;

		if (!last || strcmp(last->id, devices[i].id)) {
			devices[kept++] = devices[i];
			continue;
		}
		if (devices[i].in_sysfs && !last->in_sysfs) {
			last->sys = devices[i].sys;
			last->in_sysfs = true;
		}
		if (devices[i].in_kernel && !last->in_kernel) {
			last->rec = devices[i].rec;
			last->in_kernel = true;
		}
		if (devices[i].vfio.h.known && !last->vfio.h.known)
			last->vfio = devices[i].vfio;
	}
	return kept;
}

static int build_devices(struct nsn_model *model)
{
	struct nsn_device *device;
	size_t n = 0;
	int err = NSN_ALLOCATE(model, devices,
			       NSN_COUNT(model, DEVICE) + NSN_COUNT(model, GROUP_DEVICE) +
				       NSN_COUNT(model, VFIO_DEVICE));

	if (err)
		return err;
	NSN_FOR_EACH(model, DEVICE, device, rec) {
		if (!NSN_KNOWS(rec, device, id))
			continue;
		device = &model->devices[n++];
		nsn_utf8_copy(device->id, sizeof(device->id), rec->id);
		device->sys = *rec;
		device->in_sysfs = true;
	}
	NSN_FOR_EACH(model, GROUP_DEVICE, group_device, rec) {
		if (!NSN_KNOWS(rec, group_device, name))
			continue;
		device = &model->devices[n++];
		nsn_utf8_copy(device->id, sizeof(device->id), rec->name);
		device->rec = *rec;
		device->in_kernel = true;
	}
	NSN_FOR_EACH(model, VFIO_DEVICE, vfio_device, rec) {
		if (!NSN_KNOWS(rec, vfio_device, name))
			continue;
		device = &model->devices[n++];
		nsn_utf8_copy(device->id, sizeof(device->id), rec->name);
		device->vfio = *rec;
	}
	model->devices_count = n;
	NSN_SORT(model, devices);
	model->devices_count = fold_devices(model->devices, n);
	return 0;
}

static int build_iommus(struct nsn_model *model)
{
	int err = NSN_ALLOCATE(model, iommus, NSN_COUNT(model, IOMMU));

	if (err)
		return err;
	NSN_FOR_EACH(model, IOMMU, iommu, rec) {
		struct nsn_iommu *iommu = &model->iommus[model->iommus_count];

		if (!NSN_KNOWS(rec, iommu, name))
			continue;
		model->iommus_count++;
		nsn_utf8_copy(iommu->id, sizeof(iommu->id), rec->name);
		iommu->rec = *rec;
		iommu->snoop_control = NSN_TRI(rec, iommu, snoop_control);
		iommu->interrupt_remapping = NSN_TRI(rec, iommu, interrupt_remapping);
		if (iommu->interrupt_remapping == NSN_UNKNOWN)
			iommu->interrupt_remapping =
				NSN_TRI(&model->kernel, kernel, interrupt_remapping);
	}
	NSN_SORT(model, iommus);
	return 0;
}

/* ---- groups ---------------------------------------------------------------------------------- */

long nsn_vfio_group_number(const struct nsn_model *model, const struct nsn_rec_vfio_group *rec)
{
	struct nsn_group *group;

	if (NSN_KNOWS(rec, vfio_group, group_id))
		return (long)rec->group_id;
	group = NSN_KNOWS(rec, vfio_group, group)
			? nsn_index_get(model->build->index, NSN_CLASS_GROUP, rec->group)
			: NULL;
	return group ? (long)group->number : -1;
}

static void fold_group(struct nsn_group *into, const struct nsn_group *from)
{
	if (from->in_kernel && !into->in_kernel) {
		into->rec = from->rec;
		into->in_kernel = true;
	}
	if (from->in_sysfs && !into->in_sysfs) {
		into->sys = from->sys;
		into->in_sysfs = true;
	}
}

static void number_group(struct nsn_group *group, uint64_t number)
{
	group->number = number;
	nsn_format(group->id, sizeof(group->id), "%llu", NSN_U64(number));
}

/* Groups come in their order, so that the first to name a domain is the lowest. */
static int index_group(struct nsn_model *model, struct nsn_group *group)
{
	struct nsn_index_entry **index = &model->build->index;
	int err = 0;

	if (NSN_KNOWS(&group->rec, group, group))
		err = nsn_index_put(index, NSN_CLASS_GROUP, group->rec.group, group);
	if (!err && NSN_KNOWS(&group->rec, group, domain))
		err = nsn_index_put(index, NSN_INDEX_ATTACHED, group->rec.domain, group);
	if (!err && NSN_KNOWS(&group->rec, group, default_domain))
		err = nsn_index_put(index, NSN_INDEX_DEFAULT, group->rec.default_domain, group);
	return err;
}

/* Groups are known by their number; VFIO and type1 name some that a failed walk did not show. */
static int build_groups(struct nsn_model *model)
{
	size_t n = 0, kept = 0;
	int err =
		NSN_ALLOCATE(model, groups,
			     NSN_COUNT(model, GROUP) + NSN_COUNT(model, SYS_GROUP) +
				     NSN_COUNT(model, VFIO_GROUP) + NSN_COUNT(model, TYPE1_GROUP) +
				     NSN_COUNT(model, IOMMUFD_DEVICE) + NSN_COUNT(model, VDPA));

	if (err)
		return err;
	NSN_FOR_EACH(model, GROUP, group, rec) {
		if (!NSN_KNOWS(rec, group, group_id))
			continue;
		number_group(&model->groups[n], rec->group_id);
		model->groups[n].rec = *rec;
		model->groups[n++].in_kernel = true;
	}
	NSN_FOR_EACH(model, SYS_GROUP, sys_group, rec) {
		if (!NSN_KNOWS(rec, sys_group, group_id))
			continue;
		number_group(&model->groups[n], rec->group_id);
		model->groups[n].sys = *rec;
		model->groups[n++].in_sysfs = true;
	}
	NSN_FOR_EACH(model, VFIO_GROUP, vfio_group, rec)
		if (NSN_KNOWS(rec, vfio_group, group_id))
			number_group(&model->groups[n++], rec->group_id);
	NSN_FOR_EACH(model, TYPE1_GROUP, type1_group, rec)
		if (NSN_KNOWS(rec, type1_group, group_id))
			number_group(&model->groups[n++], rec->group_id);
	NSN_FOR_EACH(model, IOMMUFD_DEVICE, iommufd_device, rec)
		if (NSN_KNOWS(rec, iommufd_device, group_id))
			number_group(&model->groups[n++], rec->group_id);
	NSN_FOR_EACH(model, VDPA, vdpa, rec)
		if (NSN_KNOWS(rec, vdpa, group_id))
			number_group(&model->groups[n++], rec->group_id);
	model->groups_count = n;
	NSN_SORT(model, groups);
	for (size_t i = 0; i < n; i++) {
		if (kept && model->groups[kept - 1].number == model->groups[i].number)
			fold_group(&model->groups[kept - 1], &model->groups[i]);
		else
			model->groups[kept++] = model->groups[i];
	}
	model->groups_count = kept;
	for (size_t i = 0; i < kept && !err; i++)
		err = index_group(model, &model->groups[i]);
	return err;
}

/* ---- VMs ------------------------------------------------------------------------------------- */

/* A process of that pid that started at another time is another process. */
static const struct nsn_rec_process *find_process(const struct nsn_model *model, uint64_t pid,
						  uint64_t start_ticks)
{
	const struct nsn_rec_process *process =
		nsn_index_get(model->build->index, NSN_INDEX_PROCESS, pid);

	if (process && start_ticks && NSN_KNOWS(process, process, start_ticks) &&
	    process->start_ticks != start_ticks)
		return NULL;
	return process;
}

/* Whose VM it is: the owner of its memory; else the lowest process that holds a descriptor. */
static void find_owner(const struct nsn_model *model, struct nsn_vm *vm)
{
	if (NSN_KNOWS(&vm->rec, vm, pid) && vm->rec.pid) {
		vm->pid = vm->rec.pid;
		vm->start_ticks = NSN_KNOWS(&vm->rec, vm, start_ticks) ? vm->rec.start_ticks : 0;
	} else {
		NSN_FOR_EACH(model, FILE, file, rec) {
			if (!vm->rec.vm || rec->vm != vm->rec.vm || !NSN_KNOWS(rec, file, pid) ||
			    (vm->pid && rec->pid >= vm->pid))
				continue;
			vm->pid = rec->pid;
			vm->start_ticks = NSN_KNOWS(rec, file, start_ticks) ? rec->start_ticks : 0;
		}
	}
	vm->process = find_process(model, vm->pid, vm->start_ticks);
}

static void name_vm(struct nsn_vm *vm)
{
	if (vm->process && NSN_KNOWS(vm->process, process, uuid) && vm->process->uuid[0])
		nsn_utf8_copy(vm->id, sizeof(vm->id), vm->process->uuid);
	else if (vm->pid)
		nsn_format(vm->id, sizeof(vm->id), "pid:%llu@%llu", NSN_U64(vm->pid),
			   NSN_U64(vm->start_ticks));
	else
		nsn_format(vm->id, sizeof(vm->id), "creator:%llu",
			   NSN_KNOWS(&vm->rec, vm, creator) ? NSN_U64(vm->rec.creator) : 0);
}

/* Two VMs of one id (one process, a copied uuid): each gets the descriptor it was created with. */
static void part_twins(struct nsn_model *model)
{
	NSN_SORT(model, vms);
	for (size_t i = 0; i < model->vms_count;) {
		char id[NSN_ID_LEN];
		size_t end = i + 1;

		while (end < model->vms_count && strcmp(model->vms[end].id, model->vms[i].id) == 0)
			end++;
		memcpy(id, model->vms[i].id, sizeof(id));
		for (size_t k = i; k < end && end - i > 1; k++) {
			struct nsn_vm *vm = &model->vms[k];
			bool fd = NSN_KNOWS(&vm->rec, vm, fd);

			nsn_format(vm->id, sizeof(vm->id), "%.60s/%llu:%s%llu", id,
				   NSN_U64(vm->pid), fd ? "" : "#",
				   fd ? NSN_U64(vm->rec.fd) : NSN_U64(vm->rec.vm));
		}
		i = end;
	}
	NSN_SORT(model, vms);
}

static int build_vms(struct nsn_model *model)
{
	int err = NSN_ALLOCATE(model, vms, NSN_COUNT(model, VM));

	NSN_FOR_EACH(model, PROCESS, process, rec)
		if (!err && NSN_KNOWS(rec, process, pid))
			err = nsn_index_put(&model->build->index, NSN_INDEX_PROCESS, rec->pid,
					    (void *)rec);
	if (err)
		return err;
	NSN_FOR_EACH(model, VM, vm, rec) {
		struct nsn_vm *vm = &model->vms[model->vms_count++];

		vm->rec = *rec;
		find_owner(model, vm);
		name_vm(vm);
	}
	part_twins(model);
	for (size_t i = 0; i < model->vms_count && !err; i++)
		if (NSN_KNOWS(&model->vms[i].rec, vm, vm))
			err = nsn_index_put(&model->build->index, NSN_CLASS_VM,
					    model->vms[i].rec.vm, &model->vms[i]);
	return err;
}

/* VFIO's group and device records by key: they are facets of groups and devices, no objects. */
static int index_vfio(struct nsn_model *model)
{
	int err = 0;

	NSN_FOR_EACH(model, VFIO_GROUP, vfio_group, rec)
		if (!err && NSN_KNOWS(rec, vfio_group, vfio_group))
			err = nsn_index_put(&model->build->vfio, NSN_CLASS_VFIO_GROUP,
					    rec->vfio_group, (void *)rec);
	NSN_FOR_EACH(model, VFIO_DEVICE, vfio_device, rec)
		if (!err && NSN_KNOWS(rec, vfio_device, vfio_device))
			err = nsn_index_put(&model->build->vfio, NSN_CLASS_VFIO_DEVICE,
					    rec->vfio_device, (void *)rec);
	return err;
}

int nsn_model_build_objects(struct nsn_model *model)
{
	int err = index_vfio(model);

	if (!err)
		err = build_iommus(model);
	if (!err)
		err = build_devices(model);
	if (!err)
		err = build_groups(model);
	if (!err)
		err = nsn_model_build_domains(model);
	if (!err)
		err = nsn_model_build_containers(model);
	if (!err)
		err = build_vms(model);
	return err;
}
