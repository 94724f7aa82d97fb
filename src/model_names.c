// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_names.c - the printed ids of objects that events speak of. Floor 1.
 */
#include "model_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

struct entry {
	struct {
		uint64_t class;
		uint64_t key;
	} id;
	char text[NSN_ID_LEN];
	char name[NSN_TEXT_LEN]; /* of a VM, else "" */
	uint64_t pid, start_ticks;
	uint64_t seen; /* number of the last model that had it */
	UT_hash_handle hh;
};

struct nsn_ids {
	struct entry *entries;
	uint64_t models; /* that were learnt from */
};

struct nsn_ids *nsn_ids__new(void)
{
	return calloc(1, sizeof(struct nsn_ids));
}

static void remove_entry(struct nsn_ids *names, struct entry *entry)
{
	HASH_DEL(names->entries, entry);
	free(entry);
}

void nsn_ids__free(struct nsn_ids *names)
{
	struct entry *entry, *next;

	if (!names)
		return;
	HASH_ITER(hh, names->entries, entry, next)
		remove_entry(names, entry);
	free(names);
}

static struct entry *find(const struct nsn_ids *names, enum nsn_class class, uint64_t key)
{
	struct entry probe = { .id = { .class = class, .key = key } }, *entry = NULL;

	if (key)
		HASH_FIND(hh, names->entries, &probe.id, sizeof(probe.id), entry);
	return entry;
}

static struct entry *obtain(struct nsn_ids *names, enum nsn_class class, uint64_t key,
			    const char *text)
{
	struct entry *entry = find(names, class, key);

	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return NULL;
		entry->id.class = class;
		entry->id.key = key;
		HASH_ADD(hh, names->entries, id, sizeof(entry->id), entry);
	}
	nsn_format(entry->text, sizeof(entry->text), "%s", text);
	entry->seen = names->models;
	return entry;
}

static int learn_vms(struct nsn_ids *names, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *vm = &model->vms[i];
		struct entry *entry;

		if (!vm->rec.vm)
			continue;
		entry = obtain(names, NSN_CLASS_VM, vm->rec.vm, vm->id);
		if (!entry)
			return -ENOMEM;
		entry->pid = vm->pid;
		entry->start_ticks = vm->start_ticks;
		if (vm->process && NSN_KNOWS(vm->process, process, name))
			nsn_format(entry->name, sizeof(entry->name), "%s", vm->process->name);
	}
	return 0;
}

static int learn(struct nsn_ids *names, enum nsn_class class, uint64_t key, const char *text)
{
	return !key || obtain(names, class, key, text) ? 0 : -ENOMEM;
}

/* Events of what has just ended may still come; those of what ended long ago will not. */
static void prune(struct nsn_ids *names)
{
	struct entry *entry, *next;

	HASH_ITER(hh, names->entries, entry, next)
		if (entry->seen + 1 < names->models)
			remove_entry(names, entry);
}

int nsn_ids__learn(struct nsn_ids *names, const struct nsn_model *model)
{
	int err;

	names->models++;
	err = learn_vms(names, model);
	for (size_t i = 0; i < model->containers_count && !err; i++)
		if (model->containers[i].kind != NSN_CONTAINER_VDPA)
			err = learn(names,
				    model->containers[i].kind == NSN_CONTAINER_IOMMUFD
					    ? NSN_CLASS_IOMMUFD
					    : NSN_CLASS_CONTAINER,
				    model->containers[i].key, model->containers[i].id);
	for (size_t i = 0; i < model->domains_count && !err; i++)
		err = learn(names, NSN_CLASS_DOMAIN, model->domains[i].rec.domain,
			    model->domains[i].id);
	for (size_t i = 0; i < model->groups_count && !err; i++)
		err = learn(names, NSN_CLASS_GROUP, model->groups[i].rec.group,
			    model->groups[i].id);
	for (size_t i = 0; i < model->devices_count && !err; i++)
		err = learn(names, NSN_CLASS_VFIO_DEVICE, model->devices[i].vfio.vfio_device,
			    model->devices[i].id);
	prune(names);
	return err;
}

const char *nsn_ids__get(const struct nsn_ids *names, enum nsn_class class, uint64_t key)
{
	const struct entry *entry = find(names, class, key);

	return entry ? entry->text : NULL;
}

/* ---- events ---------------------------------------------------------------------------------- */

/* The only VM of a process; NULL if it has none, or several. */
static const struct entry *vm_of_process(const struct nsn_ids *names,
					 const struct nsn_rec_event *event)
{
	const struct entry *found = NULL;

	for (const struct entry *entry = names->entries; entry; entry = entry->hh.next) {
		if (entry->id.class != NSN_CLASS_VM || !entry->pid || entry->pid != event->pid ||
		    entry->start_ticks != event->start_ticks)
			continue;
		if (found)
			return NULL;
		found = entry;
	}
	return found;
}

static void resolve_vm(const struct nsn_ids *names, struct nsn_told *told)
{
	const struct nsn_rec_event *event = told->event;
	const struct entry *entry = find(names, NSN_CLASS_VM, event->vm);

	if (!entry && !event->vm && NSN_KNOWS(event, event, pid))
		entry = vm_of_process(names, event);
	if (entry) {
		told->vm = entry->text;
		told->vm_name = entry->name[0] ? entry->name : NULL;
	} else if (event->vm && NSN_KNOWS(event, event, start_ticks)) {
		/* KVM works in the context of the VM's own process */
		told->vm = nsn_format(told->spare_vm, sizeof(told->spare_vm), "pid:%llu@%llu",
				      NSN_U64(event->pid), NSN_U64(event->start_ticks));
	}
}

/* The group's device, if it has but one that is no bridge. */
static const char *only_device(const struct nsn_group *group)
{
	const struct nsn_device *found = NULL;

	for (size_t i = 0; group && i < group->devices.items_count; i++) {
		const struct nsn_device *device = group->devices.items[i];

		if (device->role == NSN_ROLE_BRIDGE)
			continue;
		if (found)
			return NULL;
		found = device;
	}
	return found ? found->id : NULL;
}

/* A group is not viable because of a member that a host driver has: which one? */
static void find_culprit(const struct nsn_group *group, struct nsn_told *told)
{
	for (size_t i = 0; group && i < group->devices.items_count; i++) {
		const struct nsn_device *device = group->devices.items[i];

		if (device->role != NSN_ROLE_HOST_DRIVER)
			continue;
		if (group->devices.items_count > 1)
			told->reason = NSN_REASON_NOT_VIABLE;
		nsn_format(told->culprit, sizeof(told->culprit), "%s, %s", device->id,
			   NSN_KNOWS(&device->sys, device, driver) ? device->sys.driver
								   : device->rec.driver);
		return;
	}
}

void nsn_ids__resolve(const struct nsn_ids *names, const struct nsn_model *model,
		      const struct nsn_rec_event *event, struct nsn_told *out)
{
	const struct nsn_group *group = NULL;

	*out = (struct nsn_told){ .event = event };
	out->reason = NSN_KNOWS(event, event, reason) ? event->reason : NSN_REASON_NONE;
	resolve_vm(names, out);
	out->container = event->iommufd
				 ? nsn_ids__get(names, NSN_CLASS_IOMMUFD, event->iommufd)
				 : nsn_ids__get(names, NSN_CLASS_CONTAINER, event->container);
	out->domain = nsn_ids__get(names, NSN_CLASS_DOMAIN, event->domain);
	if (event->event == NSN_EVENT_PROBE)
		return;
	if (model && NSN_KNOWS(event, event, group_id))
		group = nsn_model__group(model, event->group_id);
	/* iommufd's are told by the group: most events know no context */
	if (!out->container && group && group->container &&
	    group->container->kind == NSN_CONTAINER_IOMMUFD)
		out->container = nsn_format(out->spare_container, sizeof(out->spare_container),
					    "%s", group->container->id);
	if (event->device[0])
		out->device = event->device;
	else if (event->vfio_device)
		out->device = nsn_ids__get(names, NSN_CLASS_VFIO_DEVICE, event->vfio_device);
	else if (only_device(group))
		out->device = nsn_format(out->spare_device, sizeof(out->spare_device), "%s",
					 only_device(group));
	if (out->reason == NSN_REASON_DMA_OWNER)
		find_culprit(group, out);
	if (out->reason == NSN_REASON_NO_IOMMU && event->event == NSN_EVENT_DEVICE_REFUSED &&
	    model && NSN_KNOWS(&model->host, host, unsafe_noiommu) && !model->host.unsafe_noiommu)
		out->reason = NSN_REASON_NOIOMMU_OFF;
}

bool nsn_ids__lacks(const struct nsn_ids *names, const struct nsn_rec_event *event)
{
	return (event->vm && !find(names, NSN_CLASS_VM, event->vm)) ||
	       (event->container && !find(names, NSN_CLASS_CONTAINER, event->container)) ||
	       (event->iommufd && !find(names, NSN_CLASS_IOMMUFD, event->iommufd)) ||
	       (event->domain && !find(names, NSN_CLASS_DOMAIN, event->domain));
}
