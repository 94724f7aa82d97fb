// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * type1_events.bpf.c - VFIO's type1 driver at work: which domain a group ends up in, and whether that
 * domain blocks No Snoop.
 *
 * Kernel side. One attach tries several domains; what counts is the state at its end. Steps within
 * (iommu_events.bpf.c) leave their errors in its call, which tells one refusal from another.
 */
#include "events.bpf.h"

#define DOMAINS_SEARCHED 64 /* of a container: in practice one or two */

static __always_inline int on_set_iommu(void *ctx, __u64 arg, __u64 b, __u64 c, __u64 result,
					const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_CONTAINER_SET_IOMMU);
	long error = (long)result;

	if (!rec)
		return 0;
	/* the function gives a pointer, or one of the last 4,095 addresses for an error */
	nsn_event__result(rec, error < 0 && error >= -4095 ? error : 0);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_EXIT(container_set_iommu, NSN_CALL_SET_IOMMU, 1, on_set_iommu)

/* VFIO's flag of a domain, in the list of a container's domains. */
static __always_inline void fill_enforced(struct nsn_rec_event *rec, struct vfio_iommu *iommu,
					  __u64 wanted)
{
	struct list_head *head = nsn_type1_domains(iommu), *entry = NULL;
	struct vfio_domain *domain;
	__u64 found = 0;

	entry = nsn_list_next(head);
	for (int i = 0; i < DOMAINS_SEARCHED && entry && entry != head; i++) {
		domain = nsn_type1_domain(entry);
		if (nsn_vfio_domain_domain(domain, &found) && found == wanted) {
			NSN_FILL(rec, event, enforced, nsn_vfio_domain_enforced, domain);
			return;
		}
		entry = nsn_list_next(entry);
		if (!entry)
			return;
	}
}

/* The container and VM that a group's VFIO side knows of. */
static __always_inline void fill_user(struct nsn_rec_event *rec, struct iommu_group *group)
{
	__u64 owner = 0;

	if (!nsn_group_owner_vfio(group, &owner) || !owner ||
	    !bpf_core_type_exists(struct vfio_group))
		return;
	NSN_SET(rec, event, vfio_group, owner);
	if (nsn_vfio_group_container((struct vfio_group *)owner, &rec->container) && rec->container)
		NSN_KNOWN(rec, event, container);
	if (nsn_vfio_group_vm((struct vfio_group *)owner, &rec->vm) && rec->vm)
		NSN_KNOWN(rec, event, vm);
}

/*
 * Why an attach was refused. VFIO itself says EPERM only for interrupts that are not isolated; the
 * IOMMU driver does for a device with reserved memory (Intel: RMRR), which its own step then shows.
 */
static __always_inline void fill_type1_reason(struct nsn_rec_event *rec, long error, __u64 inner)
{
	if (error == -EPERM)
		NSN_SET(rec, event, reason,
			inner == EPERM ? NSN_REASON_RESERVED : NSN_REASON_INTERRUPTS);
	else if (error == -EBUSY)
		NSN_SET(rec, event, reason, NSN_REASON_ELSEWHERE);
	else if (error == -ENODEV)
		NSN_SET(rec, event, reason, NSN_REASON_NO_IOMMU);
	else if (error == -EINVAL && !inner)
		NSN_SET(rec, event, reason, NSN_REASON_RESERVED);
}

static __always_inline int on_type1_attach(void *ctx, __u64 iommu, __u64 group, __u64 type,
					   __u64 result, const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_GROUP_ATTACH);
	long error = NSN_INT(result);

	if (!rec)
		return 0;
	nsn_event__result(rec, error);
	nsn_event__duration(rec, call);
	nsn_event__group(rec, (struct iommu_group *)group);
	fill_user(rec, (struct iommu_group *)group);
	if (error) {
		fill_type1_reason(rec, error, call->inner);
	} else {
		NSN_FILL(rec, event, domain, nsn_group_domain, (struct iommu_group *)group);
		fill_enforced(rec, (struct vfio_iommu *)iommu, rec->domain);
	}
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_BOTH(type1_attach, NSN_CALL_TYPE1_ATTACH, 3, nsn_enter_nothing, on_type1_attach)

/* At the entry the group still has the domain that it is going to leave. */
static __always_inline void enter_detach(struct nsn_call *call, __u64 iommu, __u64 group, __u64 c)
{
	if (nsn_group_domain((struct iommu_group *)group, &call->value))
		call->known = 1;
}

static __always_inline int on_type1_detach(void *ctx, __u64 iommu, __u64 group, __u64 c,
					   __u64 result, const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_GROUP_DETACH);

	if (!rec)
		return 0;
	nsn_event__duration(rec, call);
	nsn_event__group(rec, (struct iommu_group *)group);
	fill_user(rec, (struct iommu_group *)group);
	if (call->known)
		NSN_SET(rec, event, domain, call->value);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_BOTH(type1_detach, NSN_CALL_TYPE1_DETACH, 2, enter_detach, on_type1_detach)
