// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_register.c - what KVM would register now, by this kernel's criterion. Floor 1.
 */
#include "model_internal.h"

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

/* The same of a device's own file, which before 6.2 (there was none) counted as coherent. */
static enum nsn_tri device_lacks_capability(const struct nsn_device *device)
{
	return device->can_enforce == NSN_UNKNOWN ? NSN_UNKNOWN
	       : device->can_enforce == NSN_NO    ? NSN_YES
						  : NSN_NO;
}

/* By domain (before 6.2): any domain of the group's container without VFIO's flag does. */
static enum nsn_tri lacks_enforcement(const struct nsn_group *group)
{
	enum nsn_tri lacks = NSN_NO;

	if (!group->container)
		return NSN_NO; /* a group in no container counts as coherent */
	if (group->container->kind == NSN_CONTAINER_NONE)
		return NSN_YES; /* no driver that could say so */
	if (!nsn_container_is_whole(group->container))
		lacks = NSN_UNKNOWN;
	for (size_t i = 0; i < group->container->domains.items_count; i++) {
		const struct nsn_domain *domain = group->container->domains.items[i];

		if (domain->vfio_flag == NSN_NO)
			return NSN_YES;
		if (domain->vfio_flag == NSN_UNKNOWN)
			lacks = NSN_UNKNOWN;
	}
	return lacks;
}

struct nsn_device *nsn_model_device_of_file(const struct nsn_model *model,
					    const struct nsn_rec_vm_file *file)
{
	const struct nsn_rec_vfio_device *device =
		nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_DEVICE, file->vfio_device);

	return device && NSN_KNOWS(device, vfio_device, name)
		       ? nsn_model__device(model, device->name)
		       : NULL;
}

struct nsn_group *nsn_model_group_of_file(const struct nsn_model *model,
					  const struct nsn_rec_vm_file *file)
{
	const struct nsn_rec_vfio_group *vfio =
		nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, file->vfio_group);
	long number = vfio ? nsn_vfio_group_number(model, vfio) : -1;

	return number >= 0 ? nsn_model__group(model, number) : NULL;
}

static enum nsn_tri would_register(const struct nsn_model *model, const struct nsn_vm *vm,
				   bool by_capability)
{
	enum nsn_tri would = NSN_NO;

	if (NSN_TRI(&vm->rec, vm, complete) != NSN_YES || vm->torn || vm->truncated ||
	    model->lost_records)
		return NSN_UNKNOWN;
	for (size_t i = 0; i < vm->files.items_count; i++) {
		const struct nsn_rec_vm_file *rec = vm->files.items[i];
		const struct nsn_device *device = nsn_model_device_of_file(model, rec);
		const struct nsn_group *group = nsn_model_group_of_file(model, rec);
		enum nsn_tri lacks;

		if (NSN_KNOWS(rec, vm_file, kind) && rec->kind == NSN_FILE_NONE)
			continue; /* neither: KVM takes it as coherent */
		if (!group && !device)
			return NSN_UNKNOWN;
		if (!by_capability)
			lacks = group ? lacks_enforcement(group) : NSN_NO;
		else
			lacks = group ? lacks_capability(group) : device_lacks_capability(device);
		if (lacks == NSN_YES)
			return NSN_YES;
		if (lacks == NSN_UNKNOWN)
			would = NSN_UNKNOWN;
	}
	return would;
}

void nsn_model_judge_registration(const struct nsn_model *model, struct nsn_vm *vm)
{
	enum nsn_tri criterion = NSN_TRI(&model->kernel, kernel, criterion_capability);

	vm->by_domain = would_register(model, vm, false);
	vm->by_capability = would_register(model, vm, true);
	vm->kvm_would_register = criterion == NSN_UNKNOWN ? NSN_UNKNOWN
				 : criterion              ? vm->by_capability
							  : vm->by_domain;
}
