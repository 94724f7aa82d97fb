// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * iommu_events.bpf.c - the IOMMU core and its drivers at work: domains that come and go, groups that
 * change them, who claims their DMA, and what drivers answer when asked to block No Snoop. Also who
 * flushes the host's caches, which is vmlinux's too.
 *
 * Kernel side. Within an attach of VFIO's type1 driver these are steps (`inner`).
 */
#include "flush.bpf.h"

/* The running task's attach in VFIO's type1 driver, of which this is a step. */
static __always_inline struct nsn_call *outer_attach(struct nsn_rec_event *rec)
{
	struct nsn_call *outer = nsn_call__current(NSN_CALL_TYPE1_ATTACH);

	if (outer || nsn_call__current(NSN_CALL_TYPE1_DETACH))
		NSN_SET(rec, event, inner, 1);
	return outer;
}

/* ---- attach and detach ----------------------------------------------------------------------- */

/* Does the IOMMU of the group's first device lack snoop control? (Intel) */
static __always_inline bool cannot_block(struct iommu_group *group)
{
	struct list_head *head = nsn_group_devices(group), *entry = NULL;
	__u64 control = 1;

	entry = nsn_list_next(head);
	if (!entry || entry == head)
		return false;
	return nsn_intel_snoop_control(nsn_intel_unit(nsn_group_device(entry)), &control) &&
	       !control;
}

static __always_inline void fill_core_reason(struct nsn_rec_event *rec, struct iommu_domain *domain,
					     struct iommu_group *group, long error)
{
	__u64 forced = 0, attached = 0;

	if (error == -EPERM)
		NSN_SET(rec, event, reason, NSN_REASON_RESERVED);
	else if (error == -ENODEV)
		NSN_SET(rec, event, reason, NSN_REASON_NO_IOMMU);
	else if (error == -EBUSY && nsn_group_domain(group, &attached))
		NSN_SET(rec, event, reason,
			attached == (__u64)domain ? NSN_REASON_NOOP : NSN_REASON_ELSEWHERE);
	else if (error == -EINVAL && nsn_is_intel(domain) &&
		 nsn_intel_force_snooping(domain, &forced) && forced && cannot_block(group))
		NSN_SET(rec, event, reason, NSN_REASON_CANNOT_BLOCK);
}

static __always_inline int tell_attach(struct iommu_domain *domain, struct iommu_group *group,
				       long error, const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_GROUP_ATTACH);
	struct nsn_call *outer;

	if (!rec)
		return 0;
	nsn_event__result(rec, error);
	nsn_event__duration(rec, call);
	nsn_event__group(rec, group);
	NSN_SET(rec, event, domain, domain);
	nsn_event__enforced(rec, domain);
	if (error)
		fill_core_reason(rec, domain, group, error);
	outer = outer_attach(rec);
	if (outer)
		outer->inner = rec->error;
	nsn_event__submit(rec);
	return 0;
}

static __always_inline int on_core_attach(void *ctx, __u64 domain, __u64 group, __u64 c,
					  __u64 result, const struct nsn_call *call)
{
	return tell_attach((struct iommu_domain *)domain, (struct iommu_group *)group,
			   NSN_INT(result), call);
}

static __always_inline int on_replace(void *ctx, __u64 group, __u64 domain, __u64 c, __u64 result,
				      const struct nsn_call *call)
{
	return tell_attach((struct iommu_domain *)domain, (struct iommu_group *)group,
			   NSN_INT(result), call);
}

NSN_AT_EXIT(attach, NSN_CALL_ATTACH, 2, on_core_attach)
NSN_AT_EXIT(attach_handle, NSN_CALL_ATTACH, 3, on_core_attach)
NSN_AT_EXIT(replace, NSN_CALL_ATTACH, 3, on_replace)

static __always_inline int on_core_detach(void *ctx, __u64 domain, __u64 group, __u64 c,
					  __u64 result, const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_GROUP_DETACH);

	if (!rec)
		return 0;
	nsn_event__group(rec, (struct iommu_group *)group);
	NSN_SET(rec, event, domain, domain);
	outer_attach(rec);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_VOID_EXIT(detach, NSN_CALL_DETACH, 2, on_core_detach)
NSN_AT_VOID_EXIT(detach_handle, NSN_CALL_DETACH, 2, on_core_detach)

/* ---- domains --------------------------------------------------------------------------------- */

static __always_inline int tell_alloc(struct device *device, __u64 result,
				      const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_DOMAIN_ALLOC);
	long error = (long)result;

	if (!rec)
		return 0;
	if (error < 0 && error >= -4095) {
		nsn_event__result(rec, error);
	} else if (!result) {
		nsn_event__result(rec, -12); /* before 6.11 it says no more than that */
	} else {
		nsn_event__result(rec, 0);
		NSN_SET(rec, event, domain, result);
	}
	nsn_event__duration(rec, call);
	if (device)
		nsn_event__device(rec, device);
	outer_attach(rec);
	if (nsn_call__current(NSN_CALL_HWPT_ALLOC))
		NSN_SET(rec, event, inner, 1);
	nsn_event__submit(rec);
	return 0;
}

static __always_inline int on_alloc(void *ctx, __u64 device, __u64 b, __u64 c, __u64 result,
				    const struct nsn_call *call)
{
	return tell_alloc((struct device *)device, result, call);
}

/* Until 6.11 domains were made for a bus. */
static __always_inline int on_alloc_bus(void *ctx, __u64 bus, __u64 b, __u64 c, __u64 result,
					const struct nsn_call *call)
{
	return tell_alloc(NULL, result, call);
}

NSN_AT_EXIT(domain_alloc, NSN_CALL_DOMAIN_ALLOC, 1, on_alloc)
NSN_AT_EXIT(domain_alloc_flags, NSN_CALL_DOMAIN_ALLOC, 2, on_alloc)
NSN_AT_EXIT(domain_alloc_bus, NSN_CALL_DOMAIN_ALLOC, 1, on_alloc_bus)

static __always_inline int on_free(void *ctx, __u64 domain, __u64 b, __u64 c)
{
	struct nsn_rec_event *rec = domain ? nsn_event__begin(NSN_EVENT_DOMAIN_FREE) : NULL;

	if (!rec)
		return 0;
	NSN_SET(rec, event, domain, domain);
	outer_attach(rec);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_ENTRY(domain_free, 1, on_free)

/* ---- who owns a group's DMA ------------------------------------------------------------------ */

static __always_inline int tell_claim(struct device *device, struct iommu_group *group, long error,
				      const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_DMA_OWNER_CLAIM);
	__u64 owner = 0;

	if (!rec)
		return 0;
	nsn_event__result(rec, error);
	nsn_event__duration(rec, call);
	if (device)
		nsn_event__device(rec, device);
	else
		nsn_event__group(rec, group);
	group = (struct iommu_group *)rec->group;
	/* host drivers own it without a name */
	if ((error == -EPERM || error == -EBUSY) && group && nsn_group_owner(group, &owner))
		NSN_SET(rec, event, reason, owner ? NSN_REASON_ELSEWHERE : NSN_REASON_DMA_OWNER);
	nsn_event__submit(rec);
	return 0;
}

static __always_inline int on_claim(void *ctx, __u64 group, __u64 owner, __u64 c, __u64 result,
				    const struct nsn_call *call)
{
	return tell_claim(NULL, (struct iommu_group *)group, NSN_INT(result), call);
}

static __always_inline int on_claim_device(void *ctx, __u64 device, __u64 owner, __u64 c,
					   __u64 result, const struct nsn_call *call)
{
	return tell_claim((struct device *)device, NULL, NSN_INT(result), call);
}

NSN_AT_EXIT(claim, NSN_CALL_OWNER_CLAIM, 2, on_claim)
NSN_AT_EXIT(claim_device, NSN_CALL_OWNER_CLAIM, 2, on_claim_device)

static __always_inline int on_owner_release(void *ctx, __u64 group, __u64 b, __u64 c)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_DMA_OWNER_RELEASE);

	if (!rec)
		return 0;
	nsn_event__group(rec, (struct iommu_group *)group);
	nsn_event__submit(rec);
	return 0;
}

static __always_inline int on_owner_release_device(void *ctx, __u64 device, __u64 b, __u64 c)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_DMA_OWNER_RELEASE);

	if (!rec)
		return 0;
	nsn_event__device(rec, (struct device *)device);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_ENTRY(release, 1, on_owner_release)
NSN_AT_ENTRY(release_device, 1, on_owner_release_device)

/* ---- what drivers answer when asked to block No Snoop ----------------------------------------- */

/*
 * Of Intel's functions: whether the domain had mappings before: the answer makes them part of it. One that
 * blocks already is told yes whatever it has mapped.
 */
static __always_inline void enter_enforce(struct nsn_call *call, __u64 domain, __u64 b, __u64 c)
{
	if (nsn_intel_force_snooping((struct iommu_domain *)domain, &call->inner) && call->inner)
		return;
	call->inner = 0;
	if (nsn_intel_has_mappings((struct iommu_domain *)domain, &call->value))
		call->known = 1;
}

static __always_inline int on_enforce(void *ctx, __u64 domain, __u64 b, __u64 c, __u64 result,
				      const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_ENFORCE);
	const struct iommu_domain_ops *ops = NULL;
	__u64 op = 0;

	if (!rec)
		return 0;
	NSN_SET(rec, event, domain, domain);
	NSN_SET(rec, event, enforced, !!(result & 0xff)); /* a bool: the rest is not defined */
	nsn_event__duration(rec, call);
	if (call->known)
		NSN_SET(rec, event, mapped, call->value);
	if (call->inner)
		NSN_SET(rec, event, reason, NSN_REASON_NOOP);
	if (nsn_domain_ops((struct iommu_domain *)domain, &ops) && ops && nsn_domain_op(ops, &op))
		NSN_FILL_STR(rec, event, op, nsn_symbol_name, op);
	nsn_event__submit(rec);
	return 0;
}

/* Two of a kind: since 6.18 Intel's driver has a function for each stage. */
NSN_AT_BOTH(enforce, NSN_CALL_ENFORCE, 1, enter_enforce, on_enforce)
NSN_AT_BOTH(enforce_second, NSN_CALL_ENFORCE, 1, enter_enforce, on_enforce)
NSN_AT_BOTH(enforce_amd, NSN_CALL_ENFORCE, 1, nsn_enter_nothing, on_enforce)

/* ---- who flushes the host's caches ------------------------------------------------------------ */

NSN_AT_ENTRY(flush_all, 0, on_flush)
NSN_AT_ENTRY(flush_all_noinvd, 0, on_flush)
NSN_AT_ENTRY(flush_mask_noinvd, 0, on_flush)
