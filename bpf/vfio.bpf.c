// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio.bpf.c - VFIO's side of a snapshot: its groups and devices, containers, and the domains of
 * type1 containers with what VFIO believes of them.
 *
 * Kernel side. Describes the objects that files, KVM and the IOMMU groups pointed at. Nothing pins
 * them: user space runs each walk twice and believes what two runs agree on.
 */
#include "core_compat.bpf.h"

#define MAX_VFIO_DEVICES  4096
#define MAX_TYPE1_DOMAINS 4096
#define MAX_TYPE1_GROUPS  16384

NSN_STATE struct nsn_walk vfio_devices; /* of one VFIO group */
NSN_STATE __u64 device_group;

/* Of that group, or of any (0). */
NSN_GLOBAL int describe_vfio_device(__u64 address, __u64 group)
{
	struct vfio_device *device = (struct vfio_device *)address;
	struct nsn_rec_vfio_device *rec;

	if (!bpf_core_type_exists(struct vfio_device))
		return 0;
	NSN_BEGIN(rec, VFIO_DEVICE);
	NSN_SET(rec, vfio_device, vfio_device, device);
	NSN_FILL(rec, vfio_device, vfio_group, nsn_vfio_device_group, device);
	NSN_FILL(rec, vfio_device, vm, nsn_vfio_device_vm, device);
	NSN_FILL(rec, vfio_device, open_count, nsn_vfio_device_open_count, device);
	NSN_FILL_STR(rec, vfio_device, name, nsn_device_name, nsn_vfio_device_parent(device));
	if (!group || rec->vfio_group == group) /* else it left the group while we read */
		NSN_SUBMIT(rec);
	return 0;
}

static long each_vfio_device(__u32 index, void *unused)
{
	struct list_head *entry = nsn_walk__next(&vfio_devices);

	if (!entry)
		return 1;
	describe_vfio_device((__u64)nsn_vfio_group_device(entry), device_group);
	return 0;
}

NSN_GLOBAL int describe_vfio_group(__u64 address)
{
	struct vfio_group *group = (struct vfio_group *)address;
	struct list_head *head = nsn_vfio_group_devices(group);
	struct nsn_rec_vfio_group *rec;
	struct iommu_group *iommu_group;

	if (!bpf_core_type_exists(struct vfio_group) || !bpf_core_type_exists(struct vfio_device))
		return 0;
	device_group = address;
	if (head) {
		nsn_walk__start(&vfio_devices, head);
		bpf_loop(MAX_VFIO_DEVICES + 1, each_vfio_device, NULL, 0);
		if (nsn_walk__cut(&vfio_devices, MAX_VFIO_DEVICES))
			NSN_TRUNCATED(NSN_LIST_VFIO_DEVICES, MAX_VFIO_DEVICES, vfio_group, group);
	}
	NSN_BEGIN(rec, VFIO_GROUP);
	NSN_SET(rec, vfio_group, vfio_group, group);
	NSN_FILL(rec, vfio_group, group, nsn_vfio_group_iommu_group, group);
	NSN_FILL(rec, vfio_group, container, nsn_vfio_group_container, group);
	NSN_FILL(rec, vfio_group, vm, nsn_vfio_group_vm, group);
	NSN_FILL(rec, vfio_group, iommufd, nsn_vfio_group_iommufd, group);
	NSN_FILL(rec, vfio_group, type, nsn_vfio_group_type, group);
	NSN_FILL(rec, vfio_group, opened, nsn_vfio_group_opened, group);
	iommu_group = (void *)rec->group;
	if (iommu_group)
		NSN_FILL(rec, vfio_group, group_id, nsn_group_id, iommu_group);
	if (head) {
		NSN_SET(rec, vfio_group, devices, vfio_devices.count);
		NSN_SET(rec, vfio_group, complete, vfio_devices.complete);
	}
	NSN_SUBMIT(rec);
	return 0;
}

NSN_STATE struct nsn_walk type1_domains; /* of one type1 container */
NSN_STATE struct nsn_walk type1_groups;  /* of one domain, or the emulated ones */

/* The container that is described now. */
NSN_STATE struct {
	struct vfio_container *container;
	__u64 domain;   /* that `groups` are of; 0 for the emulated ones */
	__u64 groups;   /* with a domain */
	__u64 emulated; /* groups without */
	bool complete;
	/* volatile: what the verifier knows, it follows each way of */
	volatile bool driver_known, type1, readable;
	struct vfio_iommu *volatile iommu;
	char driver[NSN_NAME_LEN] __attribute__((aligned(8)));
} container_now;

static long each_type1_group(__u32 index, void *unused)
{
	struct list_head *entry = nsn_walk__next(&type1_groups);
	struct nsn_rec_type1_group *rec;

	if (!entry)
		return 1;
	NSN_BEGIN(rec, TYPE1_GROUP);
	NSN_SET(rec, type1_group, container, container_now.container);
	NSN_SET(rec, type1_group, domain, container_now.domain);
	NSN_FILL(rec, type1_group, group, nsn_type1_group_group, entry);
	if (rec->group)
		NSN_FILL(rec, type1_group, group_id, nsn_group_id,
			 (struct iommu_group *)rec->group);
	NSN_SUBMIT(rec);
	return 0;
}

/* Puts the groups under `head` into records; `groups` then tells how many there are. */
NSN_GLOBAL int walk_type1_groups(__u64 address)
{
	struct list_head *head = (struct list_head *)address;

	if (!bpf_core_type_exists(struct vfio_iommu_group))
		return 0;
	nsn_walk__start(&type1_groups, head);
	bpf_loop(MAX_TYPE1_GROUPS + 1, each_type1_group, NULL, 0);
	if (!type1_groups.complete)
		container_now.complete = false;
	if (nsn_walk__cut(&type1_groups, MAX_TYPE1_GROUPS))
		NSN_TRUNCATED(NSN_LIST_TYPE1_GROUPS, MAX_TYPE1_GROUPS, container,
			      container_now.container);
	return 0;
}

static long each_type1_domain(__u32 index, void *unused)
{
	struct list_head *entry = nsn_walk__next(&type1_domains);
	struct nsn_rec_type1_domain *rec;
	struct vfio_domain *domain;

	if (!entry)
		return 1;
	domain = nsn_type1_domain(entry);
	container_now.domain = 0;
	nsn_vfio_domain_domain(domain, &container_now.domain);
	walk_type1_groups((__u64)nsn_vfio_domain_groups(domain));
	container_now.groups += type1_groups.count;
	NSN_BEGIN(rec, TYPE1_DOMAIN);
	NSN_SET(rec, type1_domain, container, container_now.container);
	NSN_SET(rec, type1_domain, domain, container_now.domain);
	NSN_SET(rec, type1_domain, groups, type1_groups.count);
	NSN_FILL(rec, type1_domain, enforced, nsn_vfio_domain_enforced, domain);
	NSN_SUBMIT(rec);
	return 0;
}

static __always_inline void walk_type1(struct vfio_iommu *iommu)
{
	struct list_head *emulated = nsn_type1_emulated(iommu);

	nsn_walk__start(&type1_domains, nsn_type1_domains(iommu));
	bpf_loop(MAX_TYPE1_DOMAINS + 1, each_type1_domain, NULL, 0);
	if (!type1_domains.complete)
		container_now.complete = false;
	if (nsn_walk__cut(&type1_domains, MAX_TYPE1_DOMAINS))
		NSN_TRUNCATED(NSN_LIST_TYPE1_DOMAINS, MAX_TYPE1_DOMAINS, container,
			      container_now.container);
	container_now.domain = 0;
	if (emulated) {
		walk_type1_groups((__u64)emulated);
		container_now.emulated = type1_groups.count;
	}
}

/* Of type1, if its structures can be read: into container_now. */
static __always_inline void find_type1(struct vfio_container *container)
{
	container_now.driver_known =
		nsn_container_driver(container, container_now.driver, sizeof(container_now.driver));
	container_now.type1 = nsn_text_is(container_now.driver, "vfio-iommu-type1", 17);
	if (container_now.type1)
		container_now.iommu = nsn_container_type1(container);
	container_now.readable = container_now.iommu && bpf_core_type_exists(struct vfio_iommu) &&
				 bpf_core_type_exists(struct vfio_domain);
}

NSN_GLOBAL int describe_container(__u64 address)
{
	struct vfio_container *container = (struct vfio_container *)address;
	struct nsn_rec_container *rec;

	if (!bpf_core_type_exists(struct vfio_container))
		return 0;
	NSN_CLEAR(&container_now);
	container_now.container = container;
	container_now.complete = true;
	find_type1(container);
	if (container_now.readable)
		walk_type1(container_now.iommu);
	NSN_BEGIN(rec, CONTAINER);
	NSN_SET(rec, container, container, container);
	NSN_FILL(rec, container, noiommu, nsn_container_noiommu, container);
	if (container_now.driver_known) {
		__builtin_memcpy(rec->driver, container_now.driver, sizeof(rec->driver));
		NSN_KNOWN(rec, container, driver);
	}
	if (container_now.readable) {
		NSN_SET(rec, container, domains, type1_domains.count);
		NSN_SET(rec, container, groups, container_now.groups);
		NSN_SET(rec, container, emulated, container_now.emulated);
		NSN_SET(rec, container, complete, container_now.complete);
		if (nsn_type1_mm(container_now.iommu, &rec->mapped, &rec->mm)) {
			NSN_KNOWN(rec, container, mapped);
			NSN_KNOWN(rec, container, mm);
		}
	} else if (container_now.driver_known && !container_now.type1) {
		/* no driver yet, or vfio-noiommu: there is nothing to walk */
		NSN_SET(rec, container, domains, 0);
		NSN_SET(rec, container, groups, 0);
		NSN_SET(rec, container, emulated, 0);
		NSN_SET(rec, container, complete, 1);
	}
	NSN_SUBMIT(rec);
	return 0;
}

static volatile bool devices_are_given; /* by the batch, not groups */

static long each_given_object(__u32 index, void *unused)
{
	__u64 object = 0;

	if (index < NSN_BATCH)
		object = nsn_batch[index];
	if (devices_are_given)
		describe_vfio_device(object, 0);
	else
		describe_vfio_group(object);
	return 0;
}

static long each_given_container(__u32 index, void *unused)
{
	if (index < NSN_BATCH)
		describe_container(nsn_batch[index]);
	return 0;
}

/*
 * VFIO's groups or devices, which args->class tells. Each of these programs returns NSN_WALK_NO_TYPES
 * where the module has no BTF, with nothing walked.
 */
SEC("syscall")
int walk_vfio(struct nsn_walk_args *args)
{
	bool devices = args->class == NSN_CLASS_VFIO_DEVICE;

	if (!(devices ? bpf_core_type_exists(struct vfio_device)
		      : bpf_core_type_exists(struct vfio_group)))
		return NSN_WALK_NO_TYPES;
	devices_are_given = devices;
	bpf_loop(args->count, each_given_object, NULL, 0);
	return 0;
}

SEC("syscall")
int walk_containers(struct nsn_walk_args *args)
{
	if (!bpf_core_type_exists(struct vfio_container))
		return NSN_WALK_NO_TYPES;
	bpf_loop(args->count, each_given_container, NULL, 0);
	return bpf_core_type_exists(struct vfio_iommu) && bpf_core_type_exists(struct vfio_domain)
		       ? 0
		       : NSN_WALK_NO_TYPE1;
}
