// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_diff.c - events from the difference of two snapshots. Floor 1.
 *
 * Every object is looked up in the other model by its id, never by a pointer. Going away is told in
 * the order in which a VMM closes things, coming in that in which it opens them.
 */
#include "model_diff.h"

#include <string.h>

#include "model_internal.h"

struct diff {
	const struct nsn_model *now; /* the later of the two, whose time is told */
	const struct nsn_model *a;   /* what is looked at */
	const struct nsn_model *b;   /* what it is compared with */
	bool coming;                 /* a is the later one */
	uint64_t wanted;
	struct nsn_sink *sink;
	int err;
};

/* ---- what a list can tell --------------------------------------------------------------------- */

/* A list that was cut, or could not be read at all, tells nothing about what is not on it. */
static bool is_whole(const struct nsn_model *model, const char *source)
{
	return model->ended && !model->lost_records && !model->truncations_count &&
	       nsn_model__source(model, source, NULL) != NSN_SOURCE_FAILED;
}

static bool both_whole(const struct diff *diff, const char *source)
{
	return is_whole(diff->a, source) && is_whole(diff->b, source);
}

/* ---- telling --------------------------------------------------------------------------------- */

static struct nsn_rec_event new_event(const struct diff *diff, enum nsn_event event)
{
	NSN_NEW(rec, EVENT, event);

	NSN_PUT(&rec, event, event, event);
	if (NSN_KNOWS(&diff->now->host, host, taken_at))
		NSN_PUT(&rec, event, time, diff->now->host.taken_at);
	return rec;
}

static void tell(struct diff *diff, const struct nsn_rec_event *rec)
{
	if (!diff->err && (diff->wanted & (1ULL << rec->event)))
		diff->err = nsn_sink__put(diff->sink, &rec->h);
}

static void set_vm(struct nsn_rec_event *rec, const struct nsn_vm *vm)
{
	NSN_PUT(rec, event, vm, vm->rec.vm);
	if (vm->pid)
		NSN_PUT(rec, event, pid, vm->pid);
	if (vm->start_ticks)
		NSN_PUT(rec, event, start_ticks, vm->start_ticks);
	if (NSN_KNOWS(&vm->rec, vm, comm))
		NSN_PUT_STR(rec, event, comm, vm->rec.comm);
}

static void set_group(struct nsn_rec_event *rec, const struct nsn_group *group)
{
	NSN_PUT(rec, event, group, group->rec.group);
	NSN_PUT(rec, event, group_id, group->number);
}

/* ---- VMs ------------------------------------------------------------------------------------- */

static void compare_vms(struct diff *diff)
{
	for (size_t i = 0; i < diff->a->vms_count && both_whole(diff, "kernel.kvm"); i++) {
		const struct nsn_vm *vm = &diff->a->vms[i];
		struct nsn_rec_event rec =
			new_event(diff, diff->coming ? NSN_EVENT_VM_CREATE : NSN_EVENT_VM_DESTROY);

		if (nsn_model__vm(diff->b, vm->id))
			continue;
		set_vm(&rec, vm);
		tell(diff, &rec);
	}
}

/* Registrations are told once for each: a VM that came with them got them, one that went lost them. */
static void compare_registrations(struct diff *diff)
{
	for (size_t i = 0; i < diff->a->vms_count; i++) {
		const struct nsn_vm *vm = &diff->a->vms[i], *other = nsn_model__vm(diff->b, vm->id);
		struct nsn_rec_event rec = new_event(diff, diff->coming ? NSN_EVENT_KVM_REGISTER
									: NSN_EVENT_KVM_UNREGISTER);
		uint64_t count = other ? other->rec.noncoherent_dma : 0;

		if (!NSN_KNOWS(&vm->rec, vm, noncoherent_dma) ||
		    (other ? !NSN_KNOWS(&other->rec, vm, noncoherent_dma)
			   : !both_whole(diff, "kernel.kvm")))
			continue;
		set_vm(&rec, vm);
		/* a is the side that has more; going away counts down to what b has */
		for (uint64_t left = vm->rec.noncoherent_dma; left > count; left--) {
			NSN_PUT(&rec, event, registrations,
				diff->coming ? count + vm->rec.noncoherent_dma - left + 1
					     : left - 1);
			tell(diff, &rec);
		}
	}
}

/* Is a group among those that a VM's kvm-vfio was given? */
static bool was_given(const struct nsn_model *model, const char *vm_id, long number)
{
	const struct nsn_vm *vm = nsn_model__vm(model, vm_id);

	NSN_FOR_EACH(model, VM_FILE, vm_file, rec) {
		const struct nsn_rec_vfio_group *group =
			nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, rec->vfio_group);

		if (vm && rec->vm == vm->rec.vm && group &&
		    nsn_vfio_group_number(model, group) == number)
			return true;
	}
	return false;
}

static void compare_files(struct diff *diff)
{
	if (!both_whole(diff, "kernel.kvm") || !both_whole(diff, "kernel.vfio"))
		return;
	NSN_FOR_EACH(diff->a, VM_FILE, vm_file, file) {
		const struct nsn_vm *vm = nsn_model__vm_by_key(diff->a, file->vm);
		const struct nsn_rec_vfio_group *vfio =
			nsn_index_get(diff->a->build->vfio, NSN_CLASS_VFIO_GROUP, file->vfio_group);
		long number = vfio ? nsn_vfio_group_number(diff->a, vfio) : -1;
		struct nsn_rec_event rec = new_event(diff, diff->coming ? NSN_EVENT_KVM_FILE_ADD
									: NSN_EVENT_KVM_FILE_DEL);

		if (!vm || number < 0 || was_given(diff->b, vm->id, number))
			continue;
		set_vm(&rec, vm);
		NSN_PUT(&rec, event, group_id, (uint64_t)number);
		tell(diff, &rec);
	}
}

/* ---- containers ------------------------------------------------------------------------------ */

static void tell_container(struct diff *diff, const struct nsn_container *container,
			   enum nsn_event event, const struct nsn_group *group)
{
	struct nsn_rec_event rec = new_event(diff, event);

	if (container->kind == NSN_CONTAINER_IOMMUFD)
		NSN_PUT(&rec, event, iommufd, container->key);
	else
		NSN_PUT(&rec, event, container, container->key);
	if (container->holder_pid)
		NSN_PUT(&rec, event, pid, container->holder_pid);
	if (group)
		set_group(&rec, group);
	tell(diff, &rec);
}

/* Both models have all of its kind, and there are events of it. */
static bool can_compare(const struct diff *diff, const struct nsn_container *container)
{
	if (container->kind == NSN_CONTAINER_VDPA)
		return false;
	return both_whole(diff, container->kind == NSN_CONTAINER_IOMMUFD ? "kernel.iommufd"
									 : "kernel.vfio");
}

static void compare_containers(struct diff *diff)
{
	for (size_t i = 0; i < diff->a->containers_count; i++) {
		const struct nsn_container *container = &diff->a->containers[i];

		if (can_compare(diff, container) && !nsn_model__container(diff->b, container->id))
			tell_container(diff, container,
				       diff->coming ? NSN_EVENT_CONTAINER_OPEN
						    : NSN_EVENT_CONTAINER_CLOSE,
				       NULL);
	}
}

static bool container_has(const struct nsn_container *container, const char *group)
{
	for (size_t i = 0; container && i < container->vfio_groups.items_count; i++) {
		const struct nsn_group *item = container->vfio_groups.items[i];

		if (strcmp(item->id, group) == 0)
			return true;
	}
	return false;
}

static bool has_driver(const struct nsn_container *container)
{
	return container &&
	       (container->kind == NSN_CONTAINER_TYPE1 || container->kind == NSN_CONTAINER_NOIOMMU);
}

/* Groups that were set into a container, and its driver: only coming, their going is a detach. */
static void compare_contents(struct diff *diff)
{
	for (size_t i = 0; i < diff->a->containers_count; i++) {
		const struct nsn_container *container = &diff->a->containers[i];
		const struct nsn_container *other = nsn_model__container(diff->b, container->id);

		if (!can_compare(diff, container))
			continue;
		for (size_t j = 0; j < container->vfio_groups.items_count; j++) {
			const struct nsn_group *group = container->vfio_groups.items[j];

			if (!container_has(other, group->id))
				tell_container(diff, container, NSN_EVENT_CONTAINER_SET_GROUP,
					       group);
		}
		if (has_driver(container) && !has_driver(other) &&
		    (!other || other->kind != NSN_CONTAINER_UNKNOWN))
			tell_container(diff, container, NSN_EVENT_CONTAINER_SET_IOMMU, NULL);
	}
}

/* ---- groups, domains, devices ---------------------------------------------------------------- */

static bool is_user_owned(const struct nsn_group *group)
{
	return group->owner == NSN_OWNER_VFIO || group->owner == NSN_OWNER_IOMMUFD ||
	       group->owner == NSN_OWNER_USER_OTHER;
}

static void compare_owners(struct diff *diff)
{
	for (size_t i = 0; i < diff->a->groups_count; i++) {
		const struct nsn_group *group = &diff->a->groups[i];
		const struct nsn_group *other = nsn_model__group(diff->b, group->number);
		struct nsn_rec_event rec =
			new_event(diff, diff->coming ? NSN_EVENT_DMA_OWNER_CLAIM
						     : NSN_EVENT_DMA_OWNER_RELEASE);

		if (!is_user_owned(group) || !other || other->owner == NSN_OWNER_UNKNOWN ||
		    is_user_owned(other))
			continue;
		set_group(&rec, group);
		tell(diff, &rec);
	}
}

/* The user's domain that a group is attached to, or NULL. *known: whether there is one is known. */
static const struct nsn_domain *user_domain(const struct nsn_group *group, bool *known)
{
	*known = group && NSN_KNOWS(&group->rec, group, domain) && !group->torn &&
		 (!group->rec.domain || group->domain);
	return *known && group->domain && group->domain->user &&
			       group->domain->kind != NSN_DOMAIN_BLOCKED
		       ? group->domain
		       : NULL;
}

static void compare_attachments(struct diff *diff)
{
	for (size_t i = 0; i < diff->a->groups_count; i++) {
		const struct nsn_group *group = &diff->a->groups[i];
		const struct nsn_group *other = nsn_model__group(diff->b, group->number);
		bool known, other_known;
		const struct nsn_domain *domain = user_domain(group, &known);
		const struct nsn_domain *theirs = user_domain(other, &other_known);
		struct nsn_rec_event rec = new_event(diff, diff->coming ? NSN_EVENT_GROUP_ATTACH
									: NSN_EVENT_GROUP_DETACH);

		if (!domain || !other_known || (theirs && theirs->rec.domain == domain->rec.domain))
			continue;
		set_group(&rec, group);
		NSN_PUT(&rec, event, domain, domain->rec.domain);
		if (diff->coming && domain->blocks_nosnoop != NSN_UNKNOWN)
			NSN_PUT(&rec, event, enforced, domain->blocks_nosnoop == NSN_YES);
		tell(diff, &rec);
	}
}

static bool has_domain(const struct nsn_model *model, uint64_t key)
{
	return nsn_index_get(model->build->index, NSN_CLASS_DOMAIN, key) != NULL;
}

static void compare_domains(struct diff *diff)
{
	for (size_t i = 0; i < diff->a->domains_count && both_whole(diff, "kernel.iommu"); i++) {
		const struct nsn_domain *domain = &diff->a->domains[i];
		struct nsn_rec_event rec = new_event(diff, diff->coming ? NSN_EVENT_DOMAIN_ALLOC
									: NSN_EVENT_DOMAIN_FREE);

		if (!domain->user || !domain->rec.domain || has_domain(diff->b, domain->rec.domain))
			continue;
		NSN_PUT(&rec, event, domain, domain->rec.domain);
		tell(diff, &rec);
	}
}

static bool is_open(const struct nsn_device *device)
{
	return device && NSN_KNOWS(&device->vfio, vfio_device, open_count) &&
	       device->vfio.open_count;
}

static void tell_device(struct diff *diff, const struct nsn_device *device, enum nsn_event event)
{
	struct nsn_rec_event rec = new_event(diff, event);

	NSN_PUT_STR(&rec, event, device, device->id);
	if (device->group)
		set_group(&rec, device->group);
	if (device->vfio.vfio_device)
		NSN_PUT(&rec, event, vfio_device, device->vfio.vfio_device);
	tell(diff, &rec);
}

/* Devices that VFIO has taken over. */
static void compare_drivers(struct diff *diff)
{
	for (size_t i = 0; i < diff->a->devices_count; i++) {
		const struct nsn_device *device = &diff->a->devices[i];
		const struct nsn_device *other = nsn_model__device(diff->b, device->id);

		if (device->role == NSN_ROLE_VFIO && other && other->role != NSN_ROLE_VFIO &&
		    other->role != NSN_ROLE_UNKNOWN)
			tell_device(diff, device, NSN_EVENT_DEVICE_REGISTER);
	}
}

static void compare_devices(struct diff *diff)
{
	for (size_t i = 0; i < diff->a->devices_count && both_whole(diff, "kernel.vfio"); i++) {
		const struct nsn_device *device = &diff->a->devices[i];
		const struct nsn_device *other = nsn_model__device(diff->b, device->id);

		if (is_open(device) && !is_open(other))
			tell_device(diff, device,
				    diff->coming ? NSN_EVENT_DEVICE_OPEN : NSN_EVENT_DEVICE_CLOSE);
	}
}

int nsn_model_diff(const struct nsn_model *before, const struct nsn_model *now, uint64_t wanted,
		   struct nsn_sink *sink)
{
	struct diff gone = { now, before, now, false, wanted, sink, 0 };
	struct diff come = { now, now, before, true, wanted, sink, 0 };

	compare_devices(&gone);
	compare_registrations(&gone);
	compare_files(&gone);
	compare_attachments(&gone);
	compare_domains(&gone);
	compare_owners(&gone);
	compare_containers(&gone);
	compare_vms(&gone);
	if (gone.err)
		return gone.err;
	compare_drivers(&come);
	compare_vms(&come);
	compare_containers(&come);
	compare_owners(&come);
	compare_contents(&come);
	compare_domains(&come);
	compare_attachments(&come);
	compare_registrations(&come);
	compare_files(&come);
	compare_devices(&come);
	return come.err;
}
