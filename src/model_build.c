// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_build.c - makes one object per thing of the records, gives it its id, sorts. Floor 1.
 *
 * Ids come from records alone, before objects point at each other, so that arrays can be sorted
 * first and pointers stay good.
 */
#include "model_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define U64(value) ((unsigned long long)(value))

static int compare_ids(const void *a, const void *b)
{
	int order = strverscmp(a, b);

	return order ? order : strcmp(a, b);
}

#define SORT(model, name)                                                                          \
	qsort((model)->name, (model)->name##_count, sizeof(*(model)->name), compare_ids)

/* Room for as many objects as `count` records can make; count 0 gives NULL and no error. */
static int allocate(void *array, size_t count, size_t size)
{
	void *memory = count ? calloc(count, size) : NULL;

	memcpy(array, &memory, sizeof(memory));
	return count && !memory ? -ENOMEM : 0;
}

#define ALLOCATE(model, name, n) allocate(&(model)->name, n, sizeof(*(model)->name))

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
	const size_t *counts = model->build->counts;
	struct nsn_device *device;
	size_t n = 0;
	int err = ALLOCATE(model, devices, counts[NSN_REC_DEVICE] + counts[NSN_REC_GROUP_DEVICE] +
						   counts[NSN_REC_VFIO_DEVICE]);

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
	SORT(model, devices);
	model->devices_count = fold_devices(model->devices, n);
	return 0;
}

static int build_iommus(struct nsn_model *model)
{
	int err = ALLOCATE(model, iommus, model->build->counts[NSN_REC_IOMMU]);

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
	SORT(model, iommus);
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
	nsn_format(group->id, sizeof(group->id), "%llu", U64(number));
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
	const size_t *counts = model->build->counts;
	size_t n = 0, kept = 0;
	int err = ALLOCATE(model, groups, counts[NSN_REC_GROUP] + counts[NSN_REC_SYS_GROUP] +
						  counts[NSN_REC_VFIO_GROUP] +
						  counts[NSN_REC_TYPE1_GROUP]);

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
	model->groups_count = n;
	SORT(model, groups);
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

/* ---- domains --------------------------------------------------------------------------------- */

/* The lowest group that type1 says sits in the domain: for groups that could not be walked. */
static long lowest_type1_group(const struct nsn_model *model, uint64_t domain)
{
	long lowest = -1;

	NSN_FOR_EACH(model, TYPE1_GROUP, type1_group, rec)
		if (rec->domain == domain && NSN_KNOWS(rec, type1_group, group_id) &&
		    (lowest < 0 || (long)rec->group_id < lowest))
			lowest = (long)rec->group_id;
	return lowest;
}

static void name_domain(const struct nsn_model *model, struct nsn_domain *domain)
{
	struct nsn_index_entry *index = model->build->index;
	struct nsn_group *by_default = nsn_index_get(index, NSN_INDEX_DEFAULT, domain->rec.domain);
	struct nsn_group *attached = nsn_index_get(index, NSN_INDEX_ATTACHED, domain->rec.domain);
	long number = attached ? (long)attached->number : -1;

	if (by_default) {
		nsn_format(domain->id, sizeof(domain->id), "g%s/default", by_default->id);
		return;
	}
	if (number < 0)
		number = lowest_type1_group(model, domain->rec.domain);
	if (number >= 0)
		nsn_format(domain->id, sizeof(domain->id), "g%ld", number);
	else
		nsn_format(domain->id, sizeof(domain->id), "unattached/%llu",
			   U64(domain->rec.domain));
}

/* A domain that is only pointed at: all of it is unknown but that it is there. */
static int add_domain(struct nsn_model *model, uint64_t key, const struct nsn_rec_domain *rec)
{
	struct nsn_domain *domain = &model->domains[model->domains_count];

	if (!key || nsn_index_get(model->build->index, NSN_CLASS_DOMAIN, key))
		return 0;
	if (rec)
		domain->rec = *rec;
	NSN_PUT(&domain->rec, domain, domain, key);
	domain->vfio_flag = domain->driver_flag = domain->blocks_nosnoop = NSN_UNKNOWN;
	model->domains_count++;
	return nsn_index_put(&model->build->index, NSN_CLASS_DOMAIN, key, domain);
}

/* Sorting moves objects: what pointed at their old places is forgotten before they are put anew. */
static void unindex(struct nsn_model *model, unsigned int class)
{
	struct nsn_index_entry *entry, *next;

	HASH_ITER(hh, model->build->index, entry, next) {
		if (entry->id.class != class)
			continue;
		HASH_DEL(model->build->index, entry);
		free(entry);
	}
}

static int reindex_domains(struct nsn_model *model)
{
	int err = 0;

	unindex(model, NSN_CLASS_DOMAIN);
	for (size_t i = 0; i < model->domains_count && !err; i++)
		err = nsn_index_put(&model->build->index, NSN_CLASS_DOMAIN,
				    model->domains[i].rec.domain, &model->domains[i]);
	return err;
}

static int build_domains(struct nsn_model *model)
{
	const size_t *counts = model->build->counts;
	int err = ALLOCATE(model, domains, counts[NSN_REC_DOMAIN] + counts[NSN_REC_TYPE1_DOMAIN] +
						   counts[NSN_REC_TYPE1_GROUP] +
						   2 * counts[NSN_REC_GROUP]);

	NSN_FOR_EACH(model, DOMAIN, domain, rec)
		if (!err && NSN_KNOWS(rec, domain, domain))
			err = add_domain(model, rec->domain, rec);
	NSN_FOR_EACH(model, TYPE1_DOMAIN, type1_domain, rec)
		if (!err && NSN_KNOWS(rec, type1_domain, domain))
			err = add_domain(model, rec->domain, NULL);
	NSN_FOR_EACH(model, TYPE1_GROUP, type1_group, rec)
		if (!err && NSN_KNOWS(rec, type1_group, domain))
			err = add_domain(model, rec->domain, NULL);
	NSN_FOR_EACH(model, GROUP, group, rec) {
		if (!err && NSN_KNOWS(rec, group, domain))
			err = add_domain(model, rec->domain, NULL);
		if (!err && NSN_KNOWS(rec, group, default_domain))
			err = add_domain(model, rec->default_domain, NULL);
	}
	if (err)
		return err;
	for (size_t i = 0; i < model->domains_count; i++)
		name_domain(model, &model->domains[i]);
	SORT(model, domains);
	return reindex_domains(model);
}

/* ---- containers ------------------------------------------------------------------------------ */

/* The container that a descriptor leads to, directly or through a group or a device of it. */
static uint64_t container_of_file(const struct nsn_model *model, const struct nsn_rec_file *file)
{
	const struct nsn_rec_vfio_device *device;
	const struct nsn_rec_vfio_group *group = NULL;

	if (NSN_KNOWS(file, file, container) && file->container)
		return file->container;
	if (NSN_KNOWS(file, file, vfio_group))
		group = nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, file->vfio_group);
	if (!group && NSN_KNOWS(file, file, vfio_device)) {
		device = nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_DEVICE,
				       file->vfio_device);
		if (device && NSN_KNOWS(device, vfio_device, vfio_group))
			group = nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP,
					      device->vfio_group);
	}
	return group && NSN_KNOWS(group, vfio_group, container) ? group->container : 0;
}

/* A container's id is its lowest holder's; a descriptor of the container itself goes first. */
static void hold(struct nsn_container *container, const struct nsn_rec_file *file, bool direct)
{
	bool lower = file->pid < container->holder_pid ||
		     (file->pid == container->holder_pid && file->fd < container->holder_fd);

	if (!NSN_KNOWS(file, file, pid))
		return;
	if (!container->holder_pid || direct > container->holder_direct ||
	    (direct == container->holder_direct && lower)) {
		container->holder_pid = file->pid;
		container->holder_fd = file->fd;
		container->holder_direct = direct;
	}
}

static void find_holders(const struct nsn_model *model)
{
	struct nsn_index_entry *index = model->build->index;

	NSN_FOR_EACH(model, FILE, file, rec) {
		uint64_t key = container_of_file(model, rec);
		struct nsn_container *container = nsn_index_get(index, NSN_CLASS_CONTAINER, key);
		struct nsn_container *iommufd = nsn_index_get(index, NSN_CLASS_IOMMUFD,
							      rec->iommufd);
		struct nsn_container *vdpa = nsn_index_get(index, NSN_CLASS_VDPA, rec->vdpa);

		if (container)
			hold(container, rec, rec->container == key);
		if (iommufd)
			hold(iommufd, rec, rec->kind == NSN_FILE_IOMMUFD);
		if (vdpa)
			hold(vdpa, rec, true);
	}
}

/* Containers without a descriptor are called after the lowest group that was set into them. */
static void name_unheld(struct nsn_container *container, long group)
{
	uint64_t lowest;

	if (container->holder_pid || group < 0)
		return;
	if (sscanf(container->id, "group:%" SCNu64, &lowest) == 1 && lowest <= (uint64_t)group)
		return;
	nsn_format(container->id, sizeof(container->id), "group:%ld", group);
}

static void name_containers(struct nsn_model *model)
{
	find_holders(model);
	for (size_t i = 0; i < model->containers_count; i++) {
		struct nsn_container *container = &model->containers[i];

		if (container->holder_pid)
			nsn_format(container->id, sizeof(container->id), "%llu:%llu",
				   U64(container->holder_pid), U64(container->holder_fd));
		else
			nsn_format(container->id, sizeof(container->id), "unheld:%llu",
				   U64(container->key));
	}
	NSN_FOR_EACH(model, VFIO_GROUP, vfio_group, rec) {
		struct nsn_container *container = nsn_index_get(
			model->build->index, NSN_CLASS_CONTAINER, rec->container);

		if (container)
			name_unheld(container, nsn_vfio_group_number(model, rec));
	}
}

static enum nsn_container_kind kind_of(const struct nsn_rec_container *rec)
{
	if (NSN_KNOWS(rec, container, noiommu) && rec->noiommu)
		return NSN_CONTAINER_NOIOMMU;
	if (!NSN_KNOWS(rec, container, driver))
		return NSN_CONTAINER_UNKNOWN;
	if (!rec->driver[0])
		return NSN_CONTAINER_NONE;
	if (strcmp(rec->driver, "vfio-iommu-type1") == 0)
		return NSN_CONTAINER_TYPE1;
	if (strcmp(rec->driver, "vfio-noiommu") == 0)
		return NSN_CONTAINER_NOIOMMU;
	return NSN_CONTAINER_UNKNOWN;
}

static int add_container(struct nsn_model *model, enum nsn_class class, uint64_t key,
			 enum nsn_container_kind kind, const struct nsn_rec_container *rec)
{
	struct nsn_container *container = &model->containers[model->containers_count];

	if (!key || nsn_index_get(model->build->index, class, key))
		return 0;
	container->key = key;
	container->kind = kind;
	if (rec)
		container->rec = *rec;
	model->containers_count++;
	return nsn_index_put(&model->build->index, class, key, container);
}

static unsigned int class_of_container(const struct nsn_container *container)
{
	return container->kind == NSN_CONTAINER_IOMMUFD ? NSN_CLASS_IOMMUFD
	       : container->kind == NSN_CONTAINER_VDPA  ? NSN_CLASS_VDPA
							: NSN_CLASS_CONTAINER;
}

static int reindex_containers(struct nsn_model *model)
{
	int err = 0;

	unindex(model, NSN_CLASS_CONTAINER);
	unindex(model, NSN_CLASS_IOMMUFD);
	unindex(model, NSN_CLASS_VDPA);
	for (size_t i = 0; i < model->containers_count && !err; i++)
		err = nsn_index_put(&model->build->index,
				    class_of_container(&model->containers[i]),
				    model->containers[i].key, &model->containers[i]);
	return err;
}

static int build_containers(struct nsn_model *model)
{
	const size_t *counts = model->build->counts;
	int err = ALLOCATE(model, containers,
			   counts[NSN_REC_CONTAINER] + counts[NSN_REC_FILE] +
				   2 * counts[NSN_REC_VFIO_GROUP] + counts[NSN_REC_VFIO_DEVICE]);

	NSN_FOR_EACH(model, CONTAINER, container, rec)
		if (!err && NSN_KNOWS(rec, container, container))
			err = add_container(model, NSN_CLASS_CONTAINER, rec->container,
					    kind_of(rec), rec);
	NSN_FOR_EACH(model, FILE, file, rec) {
		if (!err && NSN_KNOWS(rec, file, container))
			err = add_container(model, NSN_CLASS_CONTAINER, rec->container,
					    NSN_CONTAINER_UNKNOWN, NULL);
		if (!err && NSN_KNOWS(rec, file, iommufd))
			err = add_container(model, NSN_CLASS_IOMMUFD, rec->iommufd,
					    NSN_CONTAINER_IOMMUFD, NULL);
		if (!err && NSN_KNOWS(rec, file, vdpa))
			err = add_container(model, NSN_CLASS_VDPA, rec->vdpa, NSN_CONTAINER_VDPA,
					    NULL);
	}
	NSN_FOR_EACH(model, VFIO_GROUP, vfio_group, rec) {
		if (!err && NSN_KNOWS(rec, vfio_group, container))
			err = add_container(model, NSN_CLASS_CONTAINER, rec->container,
					    NSN_CONTAINER_UNKNOWN, NULL);
		if (!err && NSN_KNOWS(rec, vfio_group, iommufd))
			err = add_container(model, NSN_CLASS_IOMMUFD, rec->iommufd,
					    NSN_CONTAINER_IOMMUFD, NULL);
	}
	name_containers(model);
	SORT(model, containers);
	return err ? err : reindex_containers(model);
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
		nsn_format(vm->id, sizeof(vm->id), "pid:%llu@%llu", U64(vm->pid),
			   U64(vm->start_ticks));
	else
		nsn_format(vm->id, sizeof(vm->id), "creator:%llu",
			   NSN_KNOWS(&vm->rec, vm, creator) ? U64(vm->rec.creator) : 0);
}

/* Two VMs of one id (one process, a copied uuid): each gets the descriptor it was created with. */
static void part_twins(struct nsn_model *model)
{
	SORT(model, vms);
	for (size_t i = 0; i < model->vms_count;) {
		char id[NSN_ID_LEN];
		size_t end = i + 1;

		while (end < model->vms_count &&
		       strcmp(model->vms[end].id, model->vms[i].id) == 0)
			end++;
		memcpy(id, model->vms[i].id, sizeof(id));
		for (size_t k = i; k < end && end - i > 1; k++) {
			struct nsn_vm *vm = &model->vms[k];
			bool fd = NSN_KNOWS(&vm->rec, vm, fd);

			nsn_format(vm->id, sizeof(vm->id), "%.60s/%llu:%s%llu", id, U64(vm->pid),
				   fd ? "" : "#", fd ? U64(vm->rec.fd) : U64(vm->rec.vm));
		}
		i = end;
	}
	SORT(model, vms);
}

static int build_vms(struct nsn_model *model)
{
	int err = ALLOCATE(model, vms, model->build->counts[NSN_REC_VM]);

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
		err = build_domains(model);
	if (!err)
		err = build_containers(model);
	if (!err)
		err = build_vms(model);
	return err;
}
