/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xarray.bpf.h - walks an xarray of the kernel's without its lock, like every list.
 *
 * Kernel side. Such a walk is complete only if the array's head is the same afterwards.
 */
#ifndef NSN_XARRAY_BPF_H
#define NSN_XARRAY_BPF_H

#include "core_compat.bpf.h"

#define XA_RETRY 0x402 /* XA_RETRY_ENTRY: the node went away */
/* XA_ZERO_ENTRY: a place that is taken, by a null pointer or for one to come */
#define XA_ZERO 0x406

/* A walk over an xarray, from the leftmost entry on. */
struct xa_walk {
	__u64 head;
	struct {
		__u64 node;
		__u64 first; /* index of its first slot */
		__u32 slot;  /* the next one to look at */
	} levels[XA_MAX_LEVELS];
	__u64 index; /* of the entry that was found */
	__u64 count;
	__u32 depth;
	__u32 done;   /* nothing is left; no bool, of which the verifier thinks it has 256 values */
	__u32 broken; /* it ended where it should not have */
	__u32 zero;   /* the last step led to XA_ZERO, at that index */
};

static __always_inline bool xa_walk__start(struct xa_walk *walk, struct xarray *array)
{
	NSN_CLEAR(walk);
	if (!nsn_xarray_head(array, &walk->head))
		walk->broken = 1;
	walk->done = walk->broken || !walk->head;
	if (nsn_xa_is_node(walk->head))
		walk->levels[0].node = (__u64)NSN_XA_NODE(walk->head);
	return !walk->done;
}

/* Down into a node, or back up where a node ends. */
static __always_inline void xa_walk__descend(struct xa_walk *walk, __u64 entry, __u64 index)
{
	__u32 depth = walk->depth + 1;

	if (depth >= XA_MAX_LEVELS) {
		walk->done = walk->broken = 1;
		return;
	}
	walk->depth = depth;
	depth &= XA_MAX_LEVELS - 1;
	walk->levels[depth].node = (__u64)NSN_XA_NODE(entry);
	walk->levels[depth].first = index;
	walk->levels[depth].slot = 0;
}

/* One step: an entry, or 0 if the step led to none. */
static __always_inline __u64 xa_walk__step(struct xa_walk *walk)
{
	__u32 depth = walk->depth & (XA_MAX_LEVELS - 1), slot = walk->levels[depth].slot;
	struct xa_node *node = (void *)walk->levels[depth].node;
	__u64 entry = walk->head, shift = 0;

	walk->zero = 0;
	if (!node) { /* a single entry, at index 0, stands in the head itself */
		walk->done = 1;
	} else if (slot >= nsn_xa_width()) {
		walk->done = !walk->depth;
		walk->depth -= !!walk->depth;
		return 0;
	} else {
		walk->levels[depth].slot++;
		if (!nsn_xa_shift(node, &shift) || !nsn_xa_slot(node, slot, &entry)) {
			walk->done = walk->broken = 1;
			return 0;
		}
	}
	walk->index = walk->levels[depth].first + ((__u64)slot << (shift & 63));
	if (nsn_xa_is_node(entry) && node) {
		xa_walk__descend(walk, entry, walk->index);
		return 0;
	}
	if (entry == XA_RETRY)
		walk->done = walk->broken = 1;
	walk->zero = entry == XA_ZERO;
	if (!entry || nsn_xa_is_internal(entry))
		return 0;
	walk->count++;
	return entry;
}

/* Did it see all that the array has, and is that the same array still? */
static __always_inline bool xa_walk__complete(struct xa_walk *walk, struct xarray *array)
{
	__u64 head = 0;

	return walk->done && !walk->broken && nsn_xarray_head(array, &head) && head == walk->head;
}

#endif /* NSN_XARRAY_BPF_H */
