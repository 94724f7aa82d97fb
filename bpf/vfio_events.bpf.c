// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio_events.bpf.c - VFIO's side of what happens: devices that register, are refused, opened and
 * closed, and containers that get groups.
 *
 * Kernel side. What the container's driver does with a group is in type1_events.bpf.c: that is
 * another module, which may come later.
 */
#include "events.bpf.h"

/* ---- devices --------------------------------------------------------------------------------- */

/* Names a VFIO device and the group it is in. */
static __always_inline void fill_device(struct nsn_rec_event *rec, struct vfio_device *device)
{
	struct vfio_group *group;

	NSN_SET(rec, event, vfio_device, device);
	nsn_event__device(rec, nsn_vfio_device_parent(device));
	NSN_FILL(rec, event, vfio_group, nsn_vfio_device_group, device);
	group = (struct vfio_group *)rec->vfio_group;
	if (!group)
		return;
	NSN_FILL(rec, event, container, nsn_vfio_group_container, group);
	if (nsn_vfio_group_vm(group, &rec->vm) && rec->vm)
		NSN_KNOWN(rec, event, vm);
}

/*
 * VFIO refuses a device with EINVAL for two reasons: there is no group, or (6.2: 4989764d8ed3) its
 * IOMMU does not keep DMA coherent.
 */
static __always_inline int on_device_register(void *ctx, __u64 device, __u64 b, __u64 c,
					      __u64 result, const struct nsn_call *call)
{
	long error = NSN_INT(result);
	struct nsn_rec_event *rec =
		nsn_event__begin(error < 0 ? NSN_EVENT_DEVICE_REFUSED : NSN_EVENT_DEVICE_REGISTER);

	if (!rec)
		return 0;
	nsn_event__result(rec, error);
	nsn_event__duration(rec, call);
	NSN_SET(rec, event, vfio_device, device);
	nsn_event__device(rec, nsn_vfio_device_parent((struct vfio_device *)device));
	if (error == -EINVAL)
		NSN_SET(rec, event, reason,
			rec->group ? NSN_REASON_NOT_COHERENT : NSN_REASON_NO_IOMMU);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_EXIT(device_register, NSN_CALL_DEVICE_REGISTER, 1, on_device_register)

static __always_inline int tell_open(__u64 device, long error, const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_DEVICE_OPEN);

	if (!rec)
		return 0;
	nsn_event__result(rec, error);
	nsn_event__duration(rec, call);
	fill_device(rec, (struct vfio_device *)device);
	nsn_event__submit(rec);
	return 0;
}

static __always_inline int on_open(void *ctx, __u64 device, __u64 b, __u64 c, __u64 result,
				   const struct nsn_call *call)
{
	return tell_open(device, NSN_INT(result), call);
}

static __always_inline int on_open_file(void *ctx, __u64 file, __u64 b, __u64 c, __u64 result,
					const struct nsn_call *call)
{
	__u64 device = 0;

	if (!nsn_device_file_device((struct vfio_device_file *)file, &device) || !device)
		return 0;
	return tell_open(device, NSN_INT(result), call);
}

NSN_AT_EXIT(device_open, NSN_CALL_DEVICE_OPEN, 1, on_open)
NSN_AT_EXIT(device_file_open, NSN_CALL_DEVICE_OPEN, 1, on_open_file)

static __always_inline int tell_close(__u64 device)
{
	struct nsn_rec_event *rec;

	if (!device)
		return 0;
	rec = nsn_event__begin(NSN_EVENT_DEVICE_CLOSE);
	if (!rec)
		return 0;
	fill_device(rec, (struct vfio_device *)device);
	nsn_event__submit(rec);
	return 0;
}

static __always_inline int on_close_file(void *ctx, __u64 file, __u64 b, __u64 c)
{
	__u64 device = 0;

	nsn_device_file_device((struct vfio_device_file *)file, &device);
	return tell_close(device);
}

/* The last reference to the descriptor: release(inode, file). */
static __always_inline int on_device_release(void *ctx, __u64 inode, __u64 file, __u64 c)
{
	__u64 private = 0, device = 0;

	if (nsn_file_private((struct file *)file, &private))
		nsn_file_vfio_device(private, &device);
	return tell_close(device);
}

NSN_AT_ENTRY(device_file_close, 1, on_close_file)
NSN_AT_ENTRY(device_release, 2, on_device_release)

/* ---- containers ------------------------------------------------------------------------------ */

NSN_AT_CONTAINER_FILE(container_open, container_close, container)

static __always_inline int on_set_group(void *ctx, __u64 container, __u64 group, __u64 c,
					__u64 result, const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_CONTAINER_SET_GROUP);
	__u64 iommu_group = 0;

	if (!rec)
		return 0;
	nsn_event__result(rec, NSN_INT(result));
	nsn_event__duration(rec, call);
	NSN_SET(rec, event, container, container);
	NSN_SET(rec, event, vfio_group, group);
	if (nsn_vfio_group_iommu_group((struct vfio_group *)group, &iommu_group) && iommu_group)
		nsn_event__group(rec, (struct iommu_group *)iommu_group);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_EXIT(container_set_group, NSN_CALL_SET_GROUP, 2, on_set_group)
