/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xarray.bpf.h - the layout of the kernel's xarray (include/linux/xarray.h, since 4.20), which holds an
 * iommufd context's objects and a group's PASIDs.
 *
 * Kernel side, a part of core_compat.bpf.h, which says what an accessor is. Include that.
 */
#ifndef NSN_COMPAT_XARRAY_BPF_H
#define NSN_COMPAT_XARRAY_BPF_H

#define XA_MAX_LEVELS 8 /* of 4 bits (CONFIG_BASE_SMALL) in an index of 32 */

static __always_inline bool nsn_xarray_head(struct xarray *array, __u64 *out)
{
	return NSN_GET(array, xa_head, out);
}

/* Entries with bit 1 set and bit 0 clear are the xarray's own; above 4096 they are nodes. */
static __always_inline bool nsn_xa_is_internal(__u64 entry)
{
	return (entry & 3) == 2;
}

static __always_inline bool nsn_xa_is_node(__u64 entry)
{
	return nsn_xa_is_internal(entry) && entry > 4096;
}

#define NSN_XA_NODE(entry) ((struct xa_node *)((entry)-2))

/* How many slots a node has: 64, or 16 with CONFIG_BASE_SMALL. */
static __always_inline __u32 nsn_xa_width(void)
{
	struct xa_node *node = NULL;

	return bpf_core_field_size(node->slots) / sizeof(__u64);
}

/* How far the index of a slot is shifted. */
static __always_inline bool nsn_xa_shift(struct xa_node *node, __u64 *out)
{
	return NSN_GET(node, shift, out);
}

static __always_inline bool nsn_xa_slot(struct xa_node *node, __u32 slot, __u64 *out)
{
	const char *slots = (const char *)node + bpf_core_field_offset(node->slots);

	return !bpf_probe_read_kernel(out, sizeof(*out), slots + slot * sizeof(__u64));
}

#endif /* NSN_COMPAT_XARRAY_BPF_H */
