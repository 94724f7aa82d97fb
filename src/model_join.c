// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model_join.c - lets containers, domains, groups and devices point at each other, and concludes
 * what follows from the connections: roles, owners, what is open. Floor 1.
 */
#include "model_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct nsn_container *container_by_key(const struct nsn_model *model, uint64_t key)
{
	return nsn_index_get(model->build->index, NSN_CLASS_CONTAINER, key);
}

static struct nsn_domain *domain_by_key(const struct nsn_model *model, uint64_t key)
{
	return nsn_index_get(model->build->index, NSN_CLASS_DOMAIN, key);
}

struct nsn_group *nsn_model_group_of(const struct nsn_model *model, bool id_known, uint64_t id,
				     bool key_known, uint64_t key)
{
	if (id_known)
		return nsn_model__group(model, id);
	return key_known ? nsn_index_get(model->build->index, NSN_CLASS_GROUP, key) : NULL;
}

/* ---- devices --------------------------------------------------------------------------------- */

static int join_device(struct nsn_model *model, struct nsn_device *device)
{
	struct nsn_group *group = NULL;
	const struct nsn_rec_vfio_group *vfio;
	const char *iommu = NULL;

	if (device->in_kernel)
		group = NSN_GROUP_OF(model, &device->rec, group_device);
	if (!group && device->in_sysfs && NSN_KNOWS(&device->sys, device, group_id))
		group = nsn_model__group(model, device->sys.group_id);
	if (!group && NSN_KNOWS(&device->vfio, vfio_device, vfio_group)) {
		vfio = nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP,
				     device->vfio.vfio_group);
		if (vfio && nsn_vfio_group_number(model, vfio) >= 0)
			group = nsn_model__group(model, nsn_vfio_group_number(model, vfio));
	}
	device->group = group;
	if (NSN_KNOWS(&device->sys, device, iommu) && device->sys.iommu[0])
		iommu = device->sys.iommu;
	else if (NSN_KNOWS(&device->rec, group_device, iommu) && device->rec.iommu[0])
		iommu = device->rec.iommu;
	device->iommu = iommu ? nsn_model__iommu(model, iommu) : NULL;
	device->without_iommu = !group && !iommu && NSN_KNOWS(&device->sys, device, iommu);
	if (device->iommu && nsn_refs_append(&device->iommu->devices, device))
		return -ENOMEM;
	return group ? nsn_refs_append(&group->devices, device) : 0;
}

/* What the device's IOMMU can do for it, whatever it is asked. */
/* What the kernel answered itself when the device was bound, whoever its IOMMU's driver is. */
static void take_answers(struct nsn_device *device)
{
	const struct nsn_rec_iommufd_device *bound = device->bound;

	if (!bound || NSN_TRI(bound, iommufd_device, group) != NSN_YES)
		return;
	if (device->can_enforce == NSN_UNKNOWN)
		device->can_enforce = NSN_TRI(bound, iommufd_device, must_enforce);
	if (device->cap_cache_coherency == NSN_UNKNOWN)
		device->cap_cache_coherency = NSN_YES; /* without, iommufd binds none */
}

static void judge_capabilities(struct nsn_device *device)
{
	const struct nsn_rec_group_device *rec = &device->rec;
	const char *driver = NSN_KNOWS(rec, group_device, iommu_driver) ? rec->iommu_driver
			     : device->iommu && NSN_KNOWS(&device->iommu->rec, iommu, driver)
				     ? device->iommu->rec.driver
			     : device->without_iommu ? ""
						     : NULL;

	device->snoop_control = NSN_TRI(rec, group_device, snoop_control);
	if (device->snoop_control == NSN_UNKNOWN && device->iommu)
		device->snoop_control = device->iommu->snoop_control;
	device->can_enforce = NSN_TRI(rec, group_device, cap_enforce);
	device->cap_cache_coherency = NSN_UNKNOWN;
	if (driver && (strcmp(driver, "intel") == 0 || strcmp(driver, "amd") == 0 ||
		       strcmp(driver, "virtio") == 0))
		device->cap_cache_coherency = NSN_YES;
	else if (driver && !driver[0])
		device->cap_cache_coherency = NSN_NO;
	take_answers(device);
	if (device->can_enforce != NSN_UNKNOWN || !driver)
		return;
	if (strcmp(driver, "amd") == 0)
		device->can_enforce = NSN_YES;
	else if (strcmp(driver, "intel") == 0)
		device->can_enforce = device->snoop_control;
	else if (strcmp(driver, "virtio") == 0 || !driver[0])
		device->can_enforce = NSN_NO;
}

static void judge_role(struct nsn_device *device)
{
	const char *driver = NSN_KNOWS(&device->rec, group_device, driver) ? device->rec.driver
			     : NSN_KNOWS(&device->sys, device, driver)     ? device->sys.driver
									   : NULL;
	enum nsn_tri managed = NSN_TRI(&device->rec, group_device, driver_managed_dma);

	if (device->vfio.h.known)
		device->role = NSN_ROLE_VFIO;
	else if (NSN_KNOWS(&device->sys, device, bridge) && device->sys.bridge)
		device->role = NSN_ROLE_BRIDGE;
	else if (!driver)
		device->role = NSN_ROLE_UNKNOWN;
	else if (!driver[0])
		device->role = NSN_ROLE_UNBOUND;
	else if (strcmp(driver, "vfio-pci") == 0)
		device->role = NSN_ROLE_VFIO;
	else if (strcmp(driver, "pcieport") == 0)
		device->role = NSN_ROLE_BRIDGE;
	else if (managed == NSN_YES)
		device->role = NSN_ROLE_VFIO; /* a variant driver, or one like it */
	else if (!NSN_KNOWS(&device->sys, device, bridge) && device->in_sysfs)
		device->role = NSN_ROLE_UNKNOWN;
	else
		device->role = NSN_ROLE_HOST_DRIVER;
}

/* ---- groups ---------------------------------------------------------------------------------- */

static int join_groups(struct nsn_model *model)
{
	for (size_t i = 0; i < model->groups_count; i++) {
		struct nsn_group *group = &model->groups[i];

		if (NSN_KNOWS(&group->rec, group, domain))
			group->domain = domain_by_key(model, group->rec.domain);
		if (NSN_KNOWS(&group->rec, group, default_domain))
			group->default_domain = domain_by_key(model, group->rec.default_domain);
		if (group->domain && nsn_refs_append(&group->domain->groups, group))
			return -ENOMEM;
	}
	NSN_FOR_EACH(model, VFIO_GROUP, vfio_group, rec) {
		long number = nsn_vfio_group_number(model, rec);
		struct nsn_group *group = number >= 0 ? nsn_model__group(model, number) : NULL;
		struct nsn_container *container = container_by_key(model, rec->container);

		if (!group)
			continue;
		group->vfio = *rec;
		if (!container)
			container =
				nsn_index_get(model->build->index, NSN_CLASS_IOMMUFD, rec->iommufd);
		if (!container)
			continue;
		group->container = container;
		if (nsn_refs_add(&container->vfio_groups, group))
			return -ENOMEM;
	}
	return 0;
}

/* The processes that hold VFIO's group file or a file of a device in the group. */
static int find_openers(struct nsn_model *model)
{
	NSN_FOR_EACH(model, FILE, file, rec) {
		const struct nsn_rec_vfio_device *device;
		const struct nsn_rec_vfio_group *vfio;
		struct nsn_group *group;
		uint64_t key = rec->vfio_group;
		long number;

		device = nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_DEVICE, rec->vfio_device);
		if (!key && device)
			key = device->vfio_group;
		vfio = nsn_index_get(model->build->vfio, NSN_CLASS_VFIO_GROUP, key);
		number = vfio ? nsn_vfio_group_number(model, vfio) : -1;
		group = number >= 0 ? nsn_model__group(model, number) : NULL;
		if (group && NSN_KNOWS(rec, file, pid) && nsn_pids_add(&group->opened_by, rec->pid))
			return -ENOMEM;
	}
	return 0;
}

static enum nsn_owner judge_owner(const struct nsn_model *model, const struct nsn_group *group)
{
	const struct nsn_rec_group *rec = &group->rec;

	if (!NSN_KNOWS(rec, group, owner))
		return NSN_OWNER_UNKNOWN;
	if (rec->owner) {
		if (!NSN_KNOWS(rec, group, owner_group))
			return NSN_OWNER_UNKNOWN;
		if (rec->owner_group)
			return NSN_OWNER_VFIO;
		if (group->iommufd_owns)
			return NSN_OWNER_IOMMUFD;
		return nsn_model__source(model, "kernel.iommufd", NULL) == NSN_SOURCE_FAILED
			       ? NSN_OWNER_UNKNOWN
			       : NSN_OWNER_USER_OTHER;
	}
	if (!NSN_KNOWS(rec, group, owner_count))
		return NSN_OWNER_UNKNOWN;
	return rec->owner_count ? NSN_OWNER_DRIVER_DMA_API : NSN_OWNER_NONE;
}

/* Is a VFIO file of the group open? Files may be unseen; VFIO's own counts tell. */
static enum nsn_tri judge_opened(const struct nsn_model *model, const struct nsn_group *group)
{
	enum nsn_source_state vfio = nsn_model__source(model, "kernel.vfio", NULL);
	enum nsn_tri opened = NSN_TRI(&group->vfio, vfio_group, opened);

	if (opened == NSN_YES || group->opened_by.items_count || group->owner == NSN_OWNER_VFIO ||
	    group->owner == NSN_OWNER_IOMMUFD)
		return NSN_YES;
	for (size_t i = 0; i < group->devices.items_count; i++) {
		const struct nsn_device *device = group->devices.items[i];

		if (NSN_TRI(&device->vfio, vfio_device, open_count) == NSN_YES)
			return NSN_YES;
	}
	if (vfio == NSN_SOURCE_ABSENT)
		return NSN_NO;
	if (vfio == NSN_SOURCE_FAILED || model->blind_to_files || model->lost_records)
		return NSN_UNKNOWN;
	/* a group that VFIO has opened owns its DMA, or is held by a file: both roots were seen */
	if (group->vfio.h.known)
		return opened;
	return group->owner == NSN_OWNER_UNKNOWN ? NSN_UNKNOWN : NSN_NO;
}

bool nsn_group_has_all_members(const struct nsn_group *group)
{
	return NSN_TRI(&group->rec, group, complete) == NSN_YES &&
	       NSN_KNOWS(&group->rec, group, devices) &&
	       group->devices.items_count >= group->rec.devices;
}

static enum nsn_tri judge_viable(const struct nsn_group *group)
{
	enum nsn_tri viable = NSN_YES;

	for (size_t i = 0; i < group->devices.items_count; i++) {
		const struct nsn_device *device = group->devices.items[i];

		if (device->role == NSN_ROLE_HOST_DRIVER)
			return NSN_NO;
		if (device->role == NSN_ROLE_UNKNOWN)
			viable = NSN_UNKNOWN;
	}
	return group->devices.items_count ? viable : NSN_UNKNOWN;
}

/* x86: MSIs are isolated where interrupts are remapped, which is a property of the machine. */
static enum nsn_tri judge_isolated_msi(const struct nsn_model *model, const struct nsn_group *group)
{
	if (NSN_KNOWS(&group->sys, sys_group, isolated_msi))
		return group->sys.isolated_msi ? NSN_YES : NSN_NO;
	if (NSN_KNOWS(&model->kernel, kernel, interrupt_remapping))
		return model->kernel.interrupt_remapping ? NSN_YES : NSN_NO;
	for (size_t i = 0; i < group->devices.items_count; i++) {
		const struct nsn_device *device = group->devices.items[i];

		if (device->iommu && device->iommu->interrupt_remapping != NSN_UNKNOWN)
			return device->iommu->interrupt_remapping;
	}
	return NSN_UNKNOWN;
}

/* A group that is still in a user's domain although no VFIO device of it is open. */
static enum nsn_tri judge_residual(const struct nsn_group *group)
{
	enum nsn_tri open = NSN_NO;

	if (!NSN_KNOWS(&group->rec, group, domain))
		return NSN_UNKNOWN;
	if (!group->domain || !group->domain->user)
		return group->domain && group->domain->kind == NSN_DOMAIN_UNKNOWN ? NSN_UNKNOWN
										  : NSN_NO;
	if (group->domain->container && group->domain->container->kind == NSN_CONTAINER_VDPA)
		return NSN_NO; /* vhost-vdpa holds it, not VFIO */
	for (size_t i = 0; i < group->devices.items_count; i++) {
		const struct nsn_device *device = group->devices.items[i];
		enum nsn_tri count = NSN_TRI(&device->vfio, vfio_device, open_count);

		if (count == NSN_YES || device->bound)
			return NSN_NO;
		if (count == NSN_UNKNOWN && device->role != NSN_ROLE_BRIDGE &&
		    device->role != NSN_ROLE_UNBOUND)
			open = NSN_UNKNOWN;
	}
	return open == NSN_UNKNOWN ? NSN_UNKNOWN : NSN_YES;
}

/* ---- domains --------------------------------------------------------------------------------- */

static int join_type1(struct nsn_model *model)
{
	NSN_FOR_EACH(model, TYPE1_DOMAIN, type1_domain, rec) {
		struct nsn_container *container = container_by_key(model, rec->container);
		struct nsn_domain *domain = domain_by_key(model, rec->domain);

		if (domain) {
			domain->user = true;
			domain->vfio_flag = NSN_TRI(rec, type1_domain, enforced);
			domain->container = container;
		}
		if (container && nsn_refs_append(&container->type1_domains, (void *)rec))
			return -ENOMEM;
		if (container && domain && nsn_refs_add(&container->domains, domain))
			return -ENOMEM;
	}
	NSN_FOR_EACH(model, TYPE1_GROUP, type1_group, rec) {
		struct nsn_container *container = container_by_key(model, rec->container);
		struct nsn_domain *domain = domain_by_key(model, rec->domain);
		struct nsn_group *group = NSN_GROUP_OF(model, rec, type1_group);

		if (container && nsn_refs_append(&container->type1_groups, (void *)rec))
			return -ENOMEM;
		if (domain && group && nsn_refs_add(&domain->groups, group))
			return -ENOMEM;
		if (container && group && nsn_refs_add(&container->groups, group))
			return -ENOMEM;
	}
	return 0;
}

static int join_domains(struct nsn_model *model)
{
	for (size_t i = 0; i < model->domains_count; i++) {
		struct nsn_domain *domain = &model->domains[i];

		for (size_t g = 0; g < domain->groups.items_count; g++) {
			struct nsn_group *group = domain->groups.items[g];

			for (size_t d = 0; d < group->devices.items_count; d++)
				if (nsn_refs_append(&domain->devices, group->devices.items[d]))
					return -ENOMEM;
		}
		nsn_model_judge_domain(domain);
	}
	for (size_t i = 0; i < model->domains_count; i++)
		if (model->domains[i].kind == NSN_DOMAIN_NESTED)
			nsn_model_judge_nested(&model->domains[i]);
	return 0;
}

/* ---- what could not be read whole ------------------------------------------------------------ */

static struct nsn_container *user_by_keys(const struct nsn_model *model, uint64_t iommufd,
					  uint64_t vdpa)
{
	return iommufd ? nsn_index_get(model->build->index, NSN_CLASS_IOMMUFD, iommufd)
		       : nsn_index_get(model->build->index, NSN_CLASS_VDPA, vdpa);
}

static void mark_torn(struct nsn_model *model)
{
	NSN_FOR_EACH(model, TORN, torn, rec) {
		struct nsn_vm *vm = nsn_index_get(model->build->index, NSN_CLASS_VM, rec->vm);
		struct nsn_container *container = container_by_key(model, rec->container);
		struct nsn_group *group =
			nsn_index_get(model->build->index, NSN_CLASS_GROUP, rec->group);
		struct nsn_domain *domain = domain_by_key(model, rec->domain);

		if (!container)
			container = user_by_keys(model, rec->iommufd, rec->vdpa);
		if (vm)
			vm->torn = true;
		if (container)
			container->torn = true;
		if (group)
			group->torn = true;
		if (domain)
			domain->torn = true;
		if (!vm && !container && !group && !domain)
			model->lost_records++; /* it may be any of them */
	}
}

static int mark_truncated(struct nsn_model *model)
{
	static const char *const lists[NSN_LIST_MAX] = {
		[NSN_LIST_VMS] = "VMs",
		[NSN_LIST_KVM_DEVICES] = "KVM devices of a VM",
		[NSN_LIST_KVM_VFIO_FILES] = "kvm-vfio files of a VM",
		[NSN_LIST_TYPE1_DOMAINS] = "domains of a container",
		[NSN_LIST_TYPE1_GROUPS] = "groups of a container",
		[NSN_LIST_VFIO_DEVICES] = "devices of a VFIO group",
		[NSN_LIST_GROUPS] = "IOMMU groups",
		[NSN_LIST_GROUP_DEVICES] = "devices of an IOMMU group",
		[NSN_LIST_IOMMUFD_OBJECTS] = "objects of an iommufd context",
		[NSN_LIST_RECORDS] = "records",
	};
	size_t count = NSN_COUNT(model, TRUNCATED);

	model->truncations = calloc(count ? count : 1, sizeof(*model->truncations));
	if (!model->truncations)
		return -ENOMEM;
	NSN_FOR_EACH(model, TRUNCATED, truncated, rec) {
		struct nsn_truncation *cut = &model->truncations[model->truncations_count++];
		struct nsn_vm *vm = nsn_index_get(model->build->index, NSN_CLASS_VM, rec->vm);
		struct nsn_container *container = container_by_key(model, rec->container);
		struct nsn_group *group =
			nsn_index_get(model->build->index, NSN_CLASS_GROUP, rec->group);

		if (!container)
			container = user_by_keys(model, rec->iommufd, 0);
		cut->list = NSN_KNOWS(rec, truncated, list) && rec->list < NSN_LIST_MAX
				    ? lists[rec->list]
				    : "a list";
		cut->limit = rec->limit;
		nsn_utf8_copy(cut->subject, sizeof(cut->subject),
			      vm          ? vm->id
			      : container ? container->id
			      : group     ? group->id
					  : "");
		if (vm)
			vm->truncated = true;
		else if (container)
			container->truncated = true;
		else
			model->lost_records++;
	}
	return 0;
}

int nsn_model_join(struct nsn_model *model)
{
	int err = 0;

	for (size_t i = 0; i < model->devices_count && !err; i++)
		err = join_device(model, &model->devices[i]);
	if (!err)
		err = join_groups(model);
	if (!err)
		err = join_type1(model);
	if (!err)
		err = nsn_model_join_users(model);
	if (!err)
		err = nsn_model_join_pasids(model);
	if (!err)
		err = find_openers(model);
	if (!err)
		err = mark_truncated(model);
	if (err)
		return err;
	mark_torn(model);
	for (size_t i = 0; i < model->devices_count; i++) {
		judge_capabilities(&model->devices[i]);
		judge_role(&model->devices[i]);
	}
	err = join_domains(model);
	for (size_t i = 0; i < model->groups_count && !err; i++) {
		struct nsn_group *group = &model->groups[i];

		group->owner = judge_owner(model, group);
		group->opened = judge_opened(model, group);
		group->viable = judge_viable(group);
		group->isolated_msi = judge_isolated_msi(model, group);
		group->residual = judge_residual(group);
	}
	return err;
}
