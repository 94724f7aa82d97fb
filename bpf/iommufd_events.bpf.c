// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * iommufd_events.bpf.c - iommufd's own: contexts that are opened and closed, page tables that it makes,
 * and PASIDs of devices that get one each. What groups are attached to, iommu_events.bpf.c tells.
 *
 * Kernel side. Apart from iommu_events.bpf.c, which is not to be loaded anew when this module comes:
 * what happens meanwhile would be missed.
 */
#include "events.bpf.h"

NSN_AT_CONTAINER_FILE(iommufd_open, iommufd_close, iommufd)

/* ---- page tables ----------------------------------------------------------------------------- */

/* iommufd mostly asks the driver itself. What its page table does is settled when it is made. */
static __always_inline int on_hwpt_alloc(void *ctx, __u64 context, __u64 ioas, __u64 device,
					 __u64 result, const struct nsn_call *call)
{
	struct iommufd_hwpt_paging *table = (struct iommufd_hwpt_paging *)result;
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_DOMAIN_ALLOC);
	struct device *owner;
	long error = (long)result;

	if (!rec)
		return 0;
	nsn_event__duration(rec, call);
	if (error < 0 && error >= -4095) {
		nsn_event__result(rec, error);
	} else {
		nsn_event__result(rec, 0);
		NSN_FILL(rec, event, domain, nsn_paging_domain, table);
		NSN_FILL(rec, event, enforced, nsn_paging_enforced, table);
	}
	owner = nsn_iommufd_device_device((struct iommufd_device *)device);
	if (owner)
		nsn_event__device(rec, owner);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_BOTH(hwpt_alloc, NSN_CALL_HWPT_ALLOC, 3, nsn_enter_nothing, on_hwpt_alloc)

/* ---- PASIDs ---------------------------------------------------------------------------------- */

static __always_inline int on_pasid_attach(void *ctx, __u64 domain, __u64 device, __u64 pasid,
					   __u64 result, const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_GROUP_ATTACH);

	if (!rec)
		return 0;
	nsn_event__result(rec, NSN_INT(result));
	nsn_event__duration(rec, call);
	nsn_event__device(rec, (struct device *)device);
	NSN_SET(rec, event, domain, domain);
	NSN_SET(rec, event, pasid, (__u32)pasid);
	nsn_event__enforced(rec, (struct iommu_domain *)domain);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_EXIT(pasid_attach, NSN_CALL_PASID, 3, on_pasid_attach)
NSN_AT_EXIT(pasid_replace, NSN_CALL_PASID, 3, on_pasid_attach)

static __always_inline int on_pasid_detach(void *ctx, __u64 domain, __u64 device, __u64 pasid,
					   __u64 result, const struct nsn_call *call)
{
	struct nsn_rec_event *rec = nsn_event__begin(NSN_EVENT_GROUP_DETACH);

	if (!rec)
		return 0;
	nsn_event__device(rec, (struct device *)device);
	NSN_SET(rec, event, domain, domain);
	NSN_SET(rec, event, pasid, (__u32)pasid);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_VOID_EXIT(pasid_detach, NSN_CALL_PASID, 3, on_pasid_detach)
