// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules_facts.c - questions that several judges ask of a model: what may be unseen, and whether
 * that matters. Floor 1.
 */
#include "model_internal.h"
#include "rules_internal.h"

#include <string.h>

static const char host[] = "host";

const char *nsn_vm_label(char *out, size_t size, const struct nsn_vm *vm)
{
	char name[NSN_LABEL_LEN / 2] = "";

	if (vm->process && NSN_KNOWS(vm->process, process, name))
		nsn_utf8_copy(name, sizeof(name), vm->process->name);
	if (!name[0])
		return nsn_format(out, size, "VM %s", vm->id);
	if (!vm->pid)
		return nsn_format(out, size, "VM %s", name);
	return nsn_format(out, size, "VM %s (pid %llu)", name, (unsigned long long)vm->pid);
}

/* ---- what may be unseen ---------------------------------------------------------------------- */

static bool absent(const struct nsn_model *model, const char *source)
{
	return nsn_model__source(model, source, NULL) == NSN_SOURCE_ABSENT;
}

static bool has_container_of(const struct nsn_model *model, enum nsn_container_kind kind)
{
	for (size_t i = 0; i < model->containers_count; i++)
		if (model->containers[i].kind == kind)
			return true;
	return false;
}

static const char *find_hidden_files(const struct nsn_model *model)
{
	const char *reason = "";
	enum nsn_source_state state = nsn_model__source(model, "kernel.files", &reason);

	if (state != NSN_SOURCE_OK)
		return reason[0] ? reason : "descriptors could not be read";
	if (model->blind_to_files)
		return "not every descriptor could be read";
	if (NSN_FACT(&model->host, host, pid_namespace_initial) != NSN_YES)
		return "processes outside this pid namespace are not seen";
	return NULL;
}

static bool iommufd_possible(const struct nsn_model *model, const struct nsn_sight *sight)
{
	if (has_container_of(model, NSN_CONTAINER_IOMMUFD) ||
	    (!absent(model, "kernel.iommufd") && sight->files_hidden))
		return true;
	/* a context lives on without a descriptor: then only the groups it claimed show it */
	for (size_t i = 0; i < model->groups_count; i++)
		if (model->groups[i].owner == NSN_OWNER_IOMMUFD ||
		    model->groups[i].owner == NSN_OWNER_USER_OTHER)
			return true;
	return false;
}

static const char *find_hidden_containers(const struct nsn_model *model,
					  const struct nsn_sight *sight)
{
	const char *files = sight->files_hidden;
	const char *reason = "";

	switch (nsn_model__source(model, "kernel.vfio", &reason)) {
	case NSN_SOURCE_FAILED:
		return reason[0] ? reason : "VFIO's objects could not be read";
	case NSN_SOURCE_OK:
		/* a container that has a group is reached through it as well */
		if (files && NSN_FACT(&model->kernel, kernel, group_list) != NSN_YES)
			return files;
		break;
	default:
		break;
	}
	if (files && (!absent(model, "kernel.iommufd") || !absent(model, "kernel.vdpa")))
		return files;
	return NULL;
}

/* Devices of which nobody knows whose they are: a VM that is in no list we have may be the one. */
static bool has_ownerless(const struct nsn_model *model)
{
	for (size_t i = 0; i < model->containers_count; i++)
		if (!model->containers[i].vms.items_count &&
		    model->containers[i].groups.items_count)
			return true;
	return false;
}

static const char *find_hidden_vms(const struct nsn_model *model, const struct nsn_sight *sight)
{
	const char *reason = "";

	if (!sight->passthrough_possible)
		return NULL;
	switch (nsn_model__source(model, "kernel.kvm", &reason)) {
	case NSN_SOURCE_ABSENT:
		return NULL;
	case NSN_SOURCE_OK:
		if (NSN_FACT(&model->kernel, kernel, vm_list) == NSN_YES)
			return NULL;
		if (!sight->files_hidden && has_ownerless(model))
			return "KVM's list of them could not be walked, and a container has no VM";
		return sight->files_hidden;
	default:
		return reason[0] ? reason : "KVM's objects could not be read";
	}
}

bool nsn_run__hidden_containers(struct nsn_rule_run *run)
{
	const char *reason = run->sight->containers_hidden;

	if (reason)
		nsn_run__unknown(run, run->rule->worst, host, host,
				 "users of devices may be unseen: %s", reason);
	return reason != NULL;
}

bool nsn_run__hidden_vms(struct nsn_rule_run *run)
{
	const char *reason = run->sight->vms_hidden;

	if (reason) {
		nsn_run__unknown(run, run->rule->worst, host, host, "VMs may be unseen: %s",
				 reason);
		return true;
	}
	return run->model->vms_count && nsn_run__hidden_containers(run);
}

/* ---- records that cannot be placed ----------------------------------------------------------- */

static bool file_is_placed(const struct nsn_rec_file *file)
{
	static const unsigned int bits[NSN_FILE_MAX] = {
		[NSN_FILE_VM] = NSN_BIT(file, vm),
		[NSN_FILE_VCPU] = NSN_BIT(file, vm),
		[NSN_FILE_CONTAINER] = NSN_BIT(file, container),
		[NSN_FILE_GROUP] = NSN_BIT(file, vfio_group),
		[NSN_FILE_VFIO_DEVICE] = NSN_BIT(file, vfio_device),
		[NSN_FILE_IOMMUFD] = NSN_BIT(file, iommufd),
		[NSN_FILE_VDPA] = NSN_BIT(file, vdpa),
	};

	return NSN_KNOWS(file, file, kind) && NSN_KNOWS(file, file, pid) &&
	       file->kind < NSN_FILE_MAX && (file->h.known & bits[file->kind]) == bits[file->kind];
}

static bool vm_file_is_placed(const struct nsn_rec_vm_file *file)
{
	if (!NSN_KNOWS(file, vm_file, kind) || !NSN_KNOWS(file, vm_file, vm))
		return false;
	if (file->kind == NSN_FILE_GROUP)
		return NSN_KNOWS(file, vm_file, vfio_group);
	return file->kind != NSN_FILE_VFIO_DEVICE ||
	       (NSN_KNOWS(file, vm_file, vfio_device) && NSN_KNOWS(file, vm_file, iommufd));
}

/* Returns `reason` if a record of a kind lacks one of the fields that say what it is part of. */
#define LACKING(model, NAME, name, bits, reason)                                                   \
	do {                                                                                       \
		NSN_FOR_EACH(model, NAME, name, rec)                                               \
			if ((rec->h.known & (bits)) != (bits))                                     \
				return reason;                                                     \
	} while (0)

static const char *find_unplaced_object(const struct nsn_model *model)
{
	LACKING(model, VM, vm, NSN_BIT(vm, vm) | NSN_BIT(vm, mm), "a VM could not be identified");
	LACKING(model, CONTAINER, container, NSN_BIT(container, container),
		"a container could not be identified");
	LACKING(model, GROUP, group, NSN_BIT(group, group) | NSN_BIT(group, group_id),
		"a group could not be identified");
	LACKING(model, GROUP, group, NSN_BIT(group, domain), "the domain of a group is unknown");
	LACKING(model, SYS_GROUP, sys_group, NSN_BIT(sys_group, group_id),
		"a group could not be identified");
	LACKING(model, DOMAIN, domain, NSN_BIT(domain, domain), "a domain could not be identified");
	LACKING(model, DEVICE, device, NSN_BIT(device, id), "a device could not be identified");
	LACKING(model, IOMMU, iommu, NSN_BIT(iommu, name), "an IOMMU unit could not be identified");
	LACKING(model, PROCESS, process, NSN_BIT(process, pid),
		"a process could not be identified");
	return NULL;
}

static const char *find_unplaced_part(const struct nsn_model *model)
{
	NSN_FOR_EACH(model, FILE, file, rec)
		if (!file_is_placed(rec))
			return "a descriptor could not be followed";
	NSN_FOR_EACH(model, VM_FILE, vm_file, rec)
		if (!vm_file_is_placed(rec))
			return "a kvm-vfio file could not be followed";
	LACKING(model, VFIO_GROUP, vfio_group,
		NSN_BIT(vfio_group, vfio_group) | NSN_BIT(vfio_group, container) |
			NSN_BIT(vfio_group, group) | NSN_BIT(vfio_group, group_id),
		"a VFIO group's container is unknown");
	LACKING(model, VFIO_DEVICE, vfio_device,
		NSN_BIT(vfio_device, vfio_device) | NSN_BIT(vfio_device, vfio_group) |
			NSN_BIT(vfio_device, name),
		"a VFIO device's group is unknown");
	LACKING(model, TYPE1_DOMAIN, type1_domain,
		NSN_BIT(type1_domain, container) | NSN_BIT(type1_domain, domain),
		"a domain's container is unknown");
	LACKING(model, TYPE1_GROUP, type1_group,
		NSN_BIT(type1_group, container) | NSN_BIT(type1_group, domain) |
			NSN_BIT(type1_group, group) | NSN_BIT(type1_group, group_id),
		"a group's container is unknown");
	LACKING(model, GROUP_DEVICE, group_device,
		NSN_BIT(group_device, group) | NSN_BIT(group_device, group_id) |
			NSN_BIT(group_device, name),
		"a device's group is unknown");
	return NULL;
}

static const char *find_unplaced_user(const struct nsn_model *model)
{
	LACKING(model, IOMMUFD, iommufd, NSN_BIT(iommufd, iommufd),
		"an iommufd context could not be identified");
	LACKING(model, IOMMUFD_HWPT, iommufd_hwpt,
		NSN_BIT(iommufd_hwpt, iommufd) | NSN_BIT(iommufd_hwpt, domain),
		"a domain's iommufd context is unknown");
	LACKING(model, IOMMUFD_DEVICE, iommufd_device,
		NSN_BIT(iommufd_device, iommufd) | NSN_BIT(iommufd_device, group) |
			NSN_BIT(iommufd_device, domain) | NSN_BIT(iommufd_device, name),
		"a device's iommufd context is unknown");
	LACKING(model, GROUP_PASID, group_pasid,
		NSN_BIT(group_pasid, group) | NSN_BIT(group_pasid, group_id) |
			NSN_BIT(group_pasid, pasid),
		"a PASID's group is unknown");
	LACKING(model, IOMMUFD_PASID, iommufd_pasid,
		NSN_BIT(iommufd_pasid, iommufd) | NSN_BIT(iommufd_pasid, domain),
		"a PASID's iommufd context is unknown");
	LACKING(model, IOMMUFD_ACCESS, iommufd_access, NSN_BIT(iommufd_access, iommufd),
		"a device's iommufd context is unknown");
	LACKING(model, VDPA, vdpa, NSN_BIT(vdpa, vdpa) | NSN_BIT(vdpa, domain),
		"a vDPA device could not be identified");
	return NULL;
}

static const char *find_doubt(const struct nsn_model *model)
{
	const char *reason;

	if (!model->ended)
		return "the snapshot has no end";
	if (model->lost_records)
		return "records of the snapshot were lost";
	if (model->truncations_count)
		return "a list was cut at its limit";
	reason = find_unplaced_object(model);
	if (!reason)
		reason = find_unplaced_part(model);
	return reason ? reason : find_unplaced_user(model);
}

void nsn_sight__of(struct nsn_sight *sight, const struct nsn_model *model)
{
	sight->files_hidden = find_hidden_files(model);
	sight->doubt = find_doubt(model);
	sight->vdpa_possible =
		has_container_of(model, NSN_CONTAINER_VDPA) ||
		(!absent(model, "kernel.vdpa") && (sight->files_hidden || sight->doubt));
	sight->passthrough_possible = model->containers_count || !absent(model, "kernel.vfio") ||
				      iommufd_possible(model, sight) || sight->vdpa_possible;
	sight->containers_hidden = find_hidden_containers(model, sight);
	sight->vms_hidden = find_hidden_vms(model, sight);
}

/* ---- domains --------------------------------------------------------------------------------- */

enum nsn_tri nsn_domain_is_users(const struct nsn_domain *domain)
{
	if (domain->user)
		return NSN_YES;
	if (NSN_KNOWS(&domain->rec, domain, type) || domain->kind != NSN_DOMAIN_UNKNOWN)
		return NSN_NO;
	/* its type could not be read: whose it is matters only while a group is in it */
	return domain->groups.items_count ? NSN_UNKNOWN : NSN_NO;
}
