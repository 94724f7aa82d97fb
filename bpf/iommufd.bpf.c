// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * iommufd.bpf.c - iommufd's side of a snapshot: contexts, the page tables in them with what iommufd
 * believes of those, devices that are bound, and accesses of emulated ones.
 *
 * Kernel side. Describes the contexts that files, devices and owners of groups pointed at. A context
 * keeps all its objects in one xarray; that is walked without its lock, like every list.
 */
#include "core_compat.bpf.h"
#include "xarray.bpf.h"

#define MAX_OBJECTS 65536
#define MAX_PASIDS  4096
#define WALK_STEPS  (4 * MAX_OBJECTS) /* slots that may be empty, and ways back up */

NSN_STATE struct xa_walk objects; /* of one context */
NSN_STATE struct xa_walk pasids;  /* of one group in it */

/* ---- what is in a context -------------------------------------------------------------------- */

/* The context that is described now. */
NSN_STATE struct {
	struct iommufd_ctx *context;
	__u64 devices, page_tables, accesses, address_spaces;
	__u64 mapped, mm;
	bool mm_known; /* mapped and mm are */
	bool complete;
} context_now;

/* The device that is described now. */
NSN_STATE struct {
	struct device *device;
	struct iommu_group *group;
} bound_now;

static __noinline int describe_paging(struct iommufd_object *object)
{
	struct iommufd_hwpt_paging *table = nsn_hwpt_paging(object);
	struct nsn_rec_iommufd_hwpt *rec;

	context_now.page_tables++;
	NSN_BEGIN(rec, IOMMUFD_HWPT);
	NSN_SET(rec, iommufd_hwpt, iommufd, context_now.context);
	NSN_FILL(rec, iommufd_hwpt, domain, nsn_paging_domain, table);
	NSN_SET(rec, iommufd_hwpt, parent, 0);
	NSN_FILL(rec, iommufd_hwpt, id, nsn_iommufd_object_id, object);
	NSN_FILL(rec, iommufd_hwpt, address_space, nsn_paging_ioas, table);
	NSN_SET(rec, iommufd_hwpt, nested, 0);
	NSN_FILL(rec, iommufd_hwpt, enforced, nsn_paging_enforced, table);
	NSN_FILL(rec, iommufd_hwpt, automatic, nsn_paging_automatic, table);
	NSN_SUBMIT(rec);
	return 0;
}

static __noinline int describe_nested(struct iommufd_object *object)
{
	struct nsn_rec_iommufd_hwpt *rec;

	context_now.page_tables++;
	NSN_BEGIN(rec, IOMMUFD_HWPT);
	NSN_SET(rec, iommufd_hwpt, iommufd, context_now.context);
	NSN_FILL(rec, iommufd_hwpt, domain, nsn_nested_domain, object);
	NSN_FILL(rec, iommufd_hwpt, parent, nsn_nested_parent, object);
	NSN_FILL(rec, iommufd_hwpt, id, nsn_iommufd_object_id, object);
	NSN_SET(rec, iommufd_hwpt, address_space, 0);
	NSN_SET(rec, iommufd_hwpt, nested, 1);
	NSN_SET(rec, iommufd_hwpt, automatic, 0);
	NSN_SUBMIT(rec);
	return 0;
}

static __noinline int describe_address_space(struct iommufd_object *object)
{
	__u64 mapped = 0, mm = 0;

	context_now.address_spaces++;
	if (!nsn_ioas_mm(object, &mapped, &mm)) {
		context_now.mm_known = false;
		return 0;
	}
	context_now.mapped |= mapped;
	if (!context_now.mm)
		context_now.mm = mm;
	return 0;
}

static long each_pasid(__u32 index, void *unused)
{
	struct nsn_rec_iommufd_pasid *rec;
	__u64 attach = xa_walk__step(&pasids);

	if (attach && pasids.index) {
		NSN_BEGIN(rec, IOMMUFD_PASID);
		NSN_SET(rec, iommufd_pasid, iommufd, context_now.context);
		NSN_FILL(rec, iommufd_pasid, domain, nsn_attach_domain, attach);
		NSN_SET(rec, iommufd_pasid, group, bound_now.group);
		if (bound_now.group)
			NSN_FILL(rec, iommufd_pasid, group_id, nsn_group_id, bound_now.group);
		NSN_SET(rec, iommufd_pasid, pasid, pasids.index);
		NSN_FILL_STR(rec, iommufd_pasid, name, nsn_device_name, bound_now.device);
		NSN_SUBMIT(rec);
	} else if (attach) {
		pasids.count--; /* no PASID: the device's own domain */
	}
	return pasids.done != 0;
}

/* How many PASIDs of the group have a page table. */
static __always_inline bool walk_pasids(struct iommufd_group *group, __u64 *out)
{
	struct xarray *array = nsn_iommufd_group_pasids(group);

	*out = 0;
	if (!array)
		return true;
	if (xa_walk__start(&pasids, array))
		bpf_loop(64 * MAX_PASIDS, each_pasid, NULL, 0);
	*out = pasids.count;
	return xa_walk__complete(&pasids, array);
}

static __noinline int describe_bound(struct iommufd_object *object)
{
	struct iommufd_device *device = nsn_iommufd_device(object);
	struct iommufd_group *group = nsn_iommufd_device_group(device);
	struct nsn_rec_iommufd_device *rec;
	__u64 owner = 0, count = 0;
	bool counted;

	context_now.devices++;
	bound_now.device = nsn_iommufd_device_device(device);
	bound_now.group = NULL;
	nsn_iommufd_group_group(group, (__u64 *)&bound_now.group);
	counted = group && walk_pasids(group, &count);
	NSN_BEGIN(rec, IOMMUFD_DEVICE);
	NSN_SET(rec, iommufd_device, iommufd, context_now.context);
	NSN_FILL(rec, iommufd_device, domain, nsn_iommufd_group_domain, group);
	NSN_FILL(rec, iommufd_device, group, nsn_iommufd_group_group, group);
	NSN_FILL(rec, iommufd_device, id, nsn_iommufd_object_id, object);
	NSN_FILL(rec, iommufd_device, must_enforce, nsn_iommufd_device_must, device);
	NSN_FILL_STR(rec, iommufd_device, name, nsn_device_name, bound_now.device);
	if (bound_now.group) {
		NSN_FILL(rec, iommufd_device, group_id, nsn_group_id, bound_now.group);
		if (nsn_group_owner(bound_now.group, &owner))
			NSN_SET(rec, iommufd_device, owner, owner == (__u64)context_now.context);
	}
	if (counted)
		NSN_SET(rec, iommufd_device, pasids, count);
	NSN_SUBMIT(rec);
	return 0;
}

static __noinline int describe_access(struct iommufd_object *object)
{
	struct iommufd_access *access = nsn_iommufd_access(object);
	struct nsn_rec_iommufd_access *rec;

	context_now.accesses++;
	NSN_BEGIN(rec, IOMMUFD_ACCESS);
	NSN_SET(rec, iommufd_access, iommufd, context_now.context);
	NSN_FILL(rec, iommufd_access, vfio_device, nsn_access_vfio_device, access);
	NSN_FILL(rec, iommufd_access, id, nsn_iommufd_object_id, object);
	NSN_FILL(rec, iommufd_access, address_space, nsn_access_ioas, access);
	NSN_SUBMIT(rec);
	return 0;
}

static long each_object(__u32 index, void *unused)
{
	struct iommufd_object *object = (void *)xa_walk__step(&objects);
	__u64 type = 0;

	if (!object)
		return objects.done != 0;
	if (!nsn_iommufd_object_type(object, &type))
		context_now.complete = false;
	else if (type == NSN_IOMMUFD_TYPE(DEVICE))
		describe_bound(object);
	else if (type == NSN_IOMMUFD_TYPE(HWPT_PAGING))
		describe_paging(object);
	else if (type == NSN_IOMMUFD_TYPE(HWPT_NESTED))
		describe_nested(object);
	else if (type == NSN_IOMMUFD_TYPE(IOAS))
		describe_address_space(object);
	else if (type == NSN_IOMMUFD_TYPE(ACCESS))
		describe_access(object);
	return objects.done != 0;
}

/* ---- contexts -------------------------------------------------------------------------------- */

static __noinline int describe_context(struct iommufd_ctx *context)
{
	struct nsn_rec_iommufd *rec;
	struct xarray *array;

	if (!nsn_is_iommufd(context))
		return 0; /* some other owner of DMA, or it is gone */
	NSN_CLEAR(&context_now);
	context_now.context = context;
	context_now.complete = context_now.mm_known = true;
	if (!nsn_iommufd_objects(context, &array))
		return 0;
	if (xa_walk__start(&objects, array))
		bpf_loop(WALK_STEPS, each_object, NULL, 0);
	if (!objects.done)
		NSN_TRUNCATED(NSN_LIST_IOMMUFD_OBJECTS, MAX_OBJECTS, iommufd, context);
	NSN_BEGIN(rec, IOMMUFD);
	NSN_SET(rec, iommufd, iommufd, context);
	if (context_now.mm_known) {
		NSN_SET(rec, iommufd, mm, context_now.mm);
		NSN_SET(rec, iommufd, mapped, context_now.mapped);
	}
	NSN_SET(rec, iommufd, devices, context_now.devices);
	NSN_SET(rec, iommufd, page_tables, context_now.page_tables);
	NSN_SET(rec, iommufd, accesses, context_now.accesses);
	NSN_SET(rec, iommufd, address_spaces, context_now.address_spaces);
	NSN_SET(rec, iommufd, complete, context_now.complete && xa_walk__complete(&objects, array));
	NSN_SUBMIT(rec);
	return 0;
}

static long each_given_context(__u32 index, void *unused)
{
	if (index < NSN_BATCH)
		describe_context((struct iommufd_ctx *)nsn_batch[index]);
	return 0;
}

/* Returns NSN_WALK_NO_TYPES where iommufd has no BTF, with nothing walked. */
SEC("syscall")
int walk_iommufds(struct nsn_walk_args *args)
{
	if (!nsn_has_iommufd())
		return NSN_WALK_NO_TYPES;
	bpf_loop(args->count, each_given_context, NULL, 0);
	return 0;
}
