/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vdpa.bpf.h - the layout of vhost-vdpa: a vDPA device in a user's hands.
 *
 * Kernel side, a part of core_compat.bpf.h, which says what an accessor is. Include that. Only
 * programs of vDPA use these: looking up types that a kernel lacks costs user space time.
 */
#ifndef NSN_COMPAT_VDPA_BPF_H
#define NSN_COMPAT_VDPA_BPF_H

static __always_inline bool nsn_has_vdpa(void)
{
	return bpf_core_type_exists(struct vhost_vdpa);
}

static __always_inline bool nsn_vdpa_domain(struct vhost_vdpa *vdpa, __u64 *out)
{
	return NSN_GET(vdpa, domain, out);
}

/* Of the user that called VHOST_SET_OWNER; 0: nobody has. */
static __always_inline bool nsn_vdpa_mm(struct vhost_vdpa *vdpa, __u64 *out)
{
	return NSN_GET(vdpa, vdev.mm, out);
}

static __always_inline struct vdpa_device *nsn_vdpa_device(struct vhost_vdpa *vdpa)
{
	struct vdpa_device *device = NULL;

	NSN_GET_POINTER(vdpa, vdpa, &device);
	return device;
}

static __always_inline bool nsn_vdpa_name(struct vdpa_device *device, char *out, __u32 size)
{
	const char *name = NULL;

	return device && NSN_GET_POINTER(device, dev.kobj.name, &name) &&
	       nsn_read_string(name, out, size);
}

/* The device that does the DMA, NULL if none; between 6.12 and 7.3 it went into vmap. */
static __always_inline struct device *nsn_vdpa_dma_device(struct vdpa_device *device)
{
	struct device *found = NULL;

	if (!device || NSN_GET_POINTER(device, dma_dev, &found))
		return found;
	NSN_GET_POINTER(device, vmap.dma_dev, &found);
	return found;
}

#define NSN_VDPA_BUCKETS 16 /* VHOST_VDPA_IOTLB_BUCKETS */

/* The first address space of a bucket of vhost_vdpa.as, or the next one in it; NULL at the end. */
static __always_inline bool nsn_vdpa_bucket(struct vhost_vdpa *vdpa, __u32 bucket,
					    struct hlist_node **out)
{
	const char *buckets = (const char *)vdpa + bpf_core_field_offset(vdpa->as);

	return !bpf_probe_read_kernel(out, sizeof(*out), buckets + bucket * sizeof(void *));
}

static __always_inline bool nsn_vdpa_space_mappings(struct hlist_node *node, __u64 *out)
{
	struct vhost_vdpa_as *space = NSN_ENTRY(node, struct vhost_vdpa_as, hash_link);

	return NSN_GET(space, iotlb.nmaps, out);
}

#endif /* NSN_COMPAT_VDPA_BPF_H */
