// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vdpa.bpf.c - vhost-vdpa's side of a snapshot: which vDPA devices a user has, whose memory is mapped
 * for them, and the domain that they do DMA through, if it is vhost-vdpa's.
 *
 * Kernel side. Describes the objects that files pointed at: a vDPA device is in nobody's hands
 * without one.
 */
#include "core_compat.bpf.h"

#define MAX_SPACES 4096 /* address spaces of a device */

/* The device that is described now, and the place in the hash table of its address spaces. */
NSN_STATE struct {
	struct vhost_vdpa *vdpa;
	struct hlist_node *next;
	__u64 mappings;
	__u32 bucket;
	bool known;
} vdpa_now;

static long each_space(__u32 index, void *unused)
{
	struct hlist_node *node = vdpa_now.next;
	__u64 mappings = 0;

	if (!node) {
		if (vdpa_now.bucket >= NSN_VDPA_BUCKETS) {
			vdpa_now.known = true;
			return 1;
		}
		return !nsn_vdpa_bucket(vdpa_now.vdpa, vdpa_now.bucket++, &vdpa_now.next);
	}
	if (!nsn_vdpa_space_mappings(node, &mappings))
		return 1;
	vdpa_now.mappings += mappings;
	/* struct hlist_node begins with the pointer to the next */
	return bpf_probe_read_kernel(&vdpa_now.next, sizeof(vdpa_now.next), node) != 0;
}

static __noinline int describe_vdpa(struct vhost_vdpa *vdpa)
{
	struct vdpa_device *device = nsn_vdpa_device(vdpa);
	struct device *dma = nsn_vdpa_dma_device(device);
	struct nsn_rec_vdpa *rec;

	NSN_CLEAR(&vdpa_now);
	vdpa_now.vdpa = vdpa;
	bpf_loop(MAX_SPACES + NSN_VDPA_BUCKETS + 1, each_space, NULL, 0);
	NSN_BEGIN(rec, VDPA);
	NSN_SET(rec, vdpa, vdpa, vdpa);
	NSN_FILL(rec, vdpa, mm, nsn_vdpa_mm, vdpa);
	NSN_FILL(rec, vdpa, domain, nsn_vdpa_domain, vdpa);
	if (dma) {
		NSN_FILL(rec, vdpa, group, nsn_device_iommu_group, dma);
		NSN_FILL_STR(rec, vdpa, device, nsn_device_name, dma);
	}
	if (rec->group)
		NSN_FILL(rec, vdpa, group_id, nsn_group_id, (struct iommu_group *)rec->group);
	if (vdpa_now.known)
		NSN_SET(rec, vdpa, mappings, vdpa_now.mappings);
	NSN_FILL_STR(rec, vdpa, name, nsn_vdpa_name, device);
	NSN_SUBMIT(rec);
	return 0;
}

static long each_given_vdpa(__u32 index, void *unused)
{
	if (index < NSN_BATCH)
		describe_vdpa((struct vhost_vdpa *)nsn_batch[index]);
	return 0;
}

/* Returns NSN_WALK_NO_TYPES where vhost-vdpa has no BTF, with nothing walked. */
SEC("syscall")
int walk_vdpas(struct nsn_walk_args *args)
{
	if (!nsn_has_vdpa())
		return NSN_WALK_NO_TYPES;
	bpf_loop(args->count, each_given_vdpa, NULL, 0);
	return 0;
}
