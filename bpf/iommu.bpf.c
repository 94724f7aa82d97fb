// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * iommu.bpf.c - the IOMMU's side of a snapshot: groups, their owner, devices and PASIDs, and domains
 * with the driver's own flags.
 *
 * Kernel side. The third root: iommu_group_kset has every group, and a group's owner leads to
 * VFIO's group and its container when no descriptor does. Needs no module's types but VFIO's group.
 */
#include "core_compat.bpf.h"
#include "xarray.bpf.h"

#define MAX_GROUPS        65536
#define MAX_GROUP_DEVICES 4096
#define MAX_GROUP_PASIDS  4096

NSN_STATE struct nsn_walk iommu_groups;  /* the kernel's own set */
NSN_STATE struct nsn_walk group_devices; /* of one group */
NSN_STATE struct xa_walk group_pasids;   /* likewise */

/* The group that is described now. */
NSN_STATE struct {
	struct iommu_group *group;
	__u64 group_id, pasids;
	bool id_known;
} group_now;

static __always_inline bool is_intel(const char *symbol)
{
	return nsn_text_is(symbol, "intel_", 6);
}

static __always_inline bool is_amd(const char *symbol)
{
	return nsn_text_is(symbol, "amd_", 4);
}

static __always_inline bool is_virtio(const char *symbol)
{
	return nsn_text_is(symbol, "viommu_", 7);
}

/* What device_iommu_capable() would say, from what the drivers' capable() looks at. */
static __always_inline void fill_capability(struct nsn_rec_group_device *rec, const char *symbol)
{
	bool snoop_known = rec->h.known & NSN_BIT(group_device, snoop_control);

	if (!nsn_has_cap_enforce())
		return;
	if (is_intel(symbol)) {
		if (snoop_known)
			NSN_SET(rec, group_device, cap_enforce, rec->snoop_control);
	} else if (is_amd(symbol)) {
		NSN_SET(rec, group_device, cap_enforce, 1);
	} else if (is_virtio(symbol) || !symbol[0]) {
		NSN_SET(rec, group_device, cap_enforce, 0);
	}
}

static __always_inline void fill_iommu(struct nsn_rec_group_device *rec, struct device *device)
{
	char symbol[NSN_SYMBOL_LEN] __attribute__((aligned(8))) = {};
	const struct iommu_ops *ops = NULL;
	struct intel_iommu *unit;

	if (!nsn_device_iommu_ops(device, &ops) ||
	    !nsn_iommu_ops_symbol(ops, symbol, sizeof(symbol)))
		return;
	__builtin_memcpy(rec->iommu_driver, symbol, sizeof(rec->iommu_driver) - 1);
	NSN_KNOWN(rec, group_device, iommu_driver);
	if (is_intel(symbol)) {
		unit = nsn_intel_unit(device);
		NSN_FILL(rec, group_device, snoop_control, nsn_intel_snoop_control, unit);
		NSN_FILL_STR(rec, group_device, iommu, nsn_intel_name, unit);
	}
	fill_capability(rec, symbol);
}

NSN_GLOBAL int describe_group_device(__u64 address)
{
	struct device *device = (struct device *)address;
	struct nsn_rec_group_device *rec;

	NSN_BEGIN(rec, GROUP_DEVICE);
	NSN_SET(rec, group_device, group, group_now.group);
	if (group_now.id_known)
		NSN_SET(rec, group_device, group_id, group_now.group_id);
	NSN_FILL_STR(rec, group_device, name, nsn_device_name, device);
	NSN_FILL_STR(rec, group_device, bus, nsn_device_bus, device);
	NSN_FILL_STR(rec, group_device, driver, nsn_device_driver, device);
	if (rec->bus[0] == 'p' && rec->bus[1] == 'c' && rec->bus[2] == 'i' && !rec->bus[3])
		NSN_FILL(rec, group_device, driver_managed_dma, nsn_pci_driver_managed_dma, device);
	fill_iommu(rec, device);
	NSN_SUBMIT(rec);
	return 0;
}

static long each_group_device(__u32 index, void *unused)
{
	struct list_head *entry = nsn_walk__next(&group_devices);
	struct device *device;

	if (!entry)
		return 1;
	device = nsn_group_device(entry);
	if (device)
		describe_group_device((__u64)device);
	return 0;
}

/* One step to the next PASID. One without a domain is being attached, or (6.11 to 6.14) has no handle. */
NSN_GLOBAL int describe_group_pasid(void)
{
	__u64 entry = xa_walk__step(&group_pasids);
	struct nsn_rec_group_pasid *rec;

	if ((entry || group_pasids.zero) && group_pasids.index) {
		group_now.pasids++;
		NSN_BEGIN(rec, GROUP_PASID);
		NSN_SET(rec, group_pasid, group, group_now.group);
		if (group_now.id_known)
			NSN_SET(rec, group_pasid, group_id, group_now.group_id);
		NSN_SET(rec, group_pasid, pasid, group_pasids.index);
		if (entry)
			NSN_FILL(rec, group_pasid, domain, nsn_pasid_domain, entry);
		NSN_SUBMIT(rec);
	}
	return 0;
}

static long each_group_pasid(__u32 index, void *unused)
{
	describe_group_pasid();
	return group_pasids.done != 0;
}

/* Describes the PASIDs of the current group; how many, if all were seen. */
static __always_inline bool walk_group_pasids(struct iommu_group *group, __u64 *out)
{
	struct xarray *array = nsn_group_pasids(group);

	if (!array)
		return false;
	group_now.pasids = 0;
	if (xa_walk__start(&group_pasids, array))
		bpf_loop(64 * MAX_GROUP_PASIDS, each_group_pasid, NULL, 0);
	*out = group_now.pasids;
	return xa_walk__complete(&group_pasids, array);
}

NSN_GLOBAL int describe_group(__u64 address)
{
	struct iommu_group *group = (struct iommu_group *)address;
	struct nsn_rec_group *rec;
	__u64 pasids = 0;
	bool counted;

	group_now.group = group;
	group_now.id_known = nsn_group_id(group, &group_now.group_id);
	counted = walk_group_pasids(group, &pasids);
	nsn_walk__start(&group_devices, nsn_group_devices(group));
	bpf_loop(MAX_GROUP_DEVICES + 1, each_group_device, NULL, 0);
	if (nsn_walk__cut(&group_devices, MAX_GROUP_DEVICES))
		NSN_TRUNCATED(NSN_LIST_GROUP_DEVICES, MAX_GROUP_DEVICES, group, group);
	NSN_BEGIN(rec, GROUP);
	NSN_SET(rec, group, group, group);
	if (group_now.id_known)
		NSN_SET(rec, group, group_id, group_now.group_id);
	NSN_FILL(rec, group, domain, nsn_group_domain, group);
	NSN_FILL(rec, group, default_domain, nsn_group_default_domain, group);
	NSN_FILL(rec, group, blocking, nsn_group_blocking, group);
	NSN_FILL(rec, group, owner, nsn_group_owner, group);
	NSN_FILL(rec, group, owner_count, nsn_group_owner_count, group);
	NSN_FILL(rec, group, owner_group, nsn_group_owner_vfio, group);
	if (counted)
		NSN_SET(rec, group, pasids, pasids);
	NSN_SET(rec, group, devices, group_devices.count);
	NSN_SET(rec, group, complete, group_devices.complete);
	NSN_SUBMIT(rec);
	return 0;
}

static __always_inline void fill_intel_domain(struct nsn_rec_domain *rec,
					      struct iommu_domain *domain)
{
	__u64 first_stage = 0;

	NSN_FILL(rec, domain, force_snooping, nsn_intel_force_snooping, domain);
	NSN_FILL(rec, domain, mapped, nsn_intel_has_mappings, domain);
	/* where each stage has an enforce function of its own, its name tells the collector */
	if (nsn_intel_first_stage(domain, &first_stage))
		NSN_SET(rec, domain, page_table,
			first_stage ? NSN_PT_FIRST_STAGE : NSN_PT_SECOND_STAGE);
}

#define DOMAIN_PAGING 1 /* __IOMMU_DOMAIN_PAGING: it has page tables of its own */
#define DOMAIN_SVA    16
#define DOMAIN_NESTED 64

NSN_GLOBAL int describe_domain(__u64 address)
{
	struct iommu_domain *domain = (struct iommu_domain *)address;
	const struct iommu_domain_ops *ops = NULL;
	char symbol[NSN_SYMBOL_LEN] __attribute__((aligned(8))) = {};
	struct nsn_rec_domain *rec;
	__u64 op = 0, attach = 0;

	NSN_BEGIN(rec, DOMAIN);
	NSN_SET(rec, domain, domain, domain);
	NSN_FILL(rec, domain, type, nsn_domain_type, domain);
	if (rec->type & DOMAIN_SVA)
		NSN_FILL(rec, domain, mm, nsn_domain_mm, domain);
	if (!nsn_domain_ops(domain, &ops) || !ops)
		goto out;
	if (nsn_domain_op(ops, &op)) {
		NSN_SET(rec, domain, has_op, !!op);
		if (nsn_symbol_name(op, rec->op, sizeof(rec->op)))
			NSN_KNOWN(rec, domain, op);
	}
	if (!nsn_domain_attach_op(ops, &attach) || !nsn_symbol_name(attach, symbol, sizeof(symbol)))
		goto out;
	__builtin_memcpy(rec->iommu_driver, symbol, sizeof(rec->iommu_driver) - 1);
	NSN_KNOWN(rec, domain, iommu_driver);
	if (!(rec->type & DOMAIN_PAGING) || rec->type & DOMAIN_NESTED)
		goto out;
	if (is_intel(symbol))
		fill_intel_domain(rec, domain);
	else if (is_amd(symbol))
		NSN_FILL(rec, domain, page_table, nsn_amd_version, domain);
	else
		NSN_SET(rec, domain, page_table, NSN_PT_OTHER);
out:
	NSN_SUBMIT(rec);
	return 0;
}

/* How walk_groups() goes about it, kept where the verifier does not tell values apart. */
NSN_STATE struct {
	volatile bool given;  /* the batch's groups, not those of the kernel's list */
	volatile bool listed; /* there is such a list */
	volatile __u64 most;
} walk_now;

static long each_group(__u32 index, void *unused)
{
	struct iommu_group *group = NULL;
	struct list_head *entry;

	if (walk_now.given) {
		if (index < NSN_BATCH)
			group = (struct iommu_group *)nsn_batch[index];
	} else {
		entry = nsn_walk__next(&iommu_groups);
		if (entry)
			group = nsn_kset_group(entry);
	}
	if (!group)
		return 1;
	describe_group((__u64)group);
	return 0;
}

static long each_given_domain(__u32 index, void *unused)
{
	if (index < NSN_BATCH)
		describe_domain(nsn_batch[index]);
	return 0;
}

static __always_inline void describe_iommu(bool listed)
{
	struct nsn_rec_kernel *rec;

	NSN_BEGIN(rec, KERNEL);
	NSN_SET(rec, kernel, group_list, listed);
	NSN_FILL(rec, kernel, group_pasids, nsn_has_group_pasids);
	NSN_FILL(rec, kernel, interrupt_remapping, nsn_interrupt_remapping);
	NSN_SUBMIT(rec);
}

/*
 * Without a batch: every group of the kernel's own set, and whether interrupts are remapped. Else the
 * groups of the batch.
 */
SEC("syscall")
int walk_groups(struct nsn_walk_args *args)
{
	struct list_head *head = nsn_group_kset_list();

	walk_now.given = args->count != 0;
	walk_now.listed = head != NULL;
	walk_now.most = args->count;
	if (!walk_now.given && head) {
		nsn_walk__start(&iommu_groups, head);
		walk_now.most = MAX_GROUPS + 1;
	}
	bpf_loop(walk_now.most, each_group, NULL, 0);
	if (walk_now.given)
		return 0;
	if (walk_now.listed && !iommu_groups.complete)
		NSN_TRUNCATED(NSN_LIST_GROUPS, MAX_GROUPS, group, 0);
	describe_iommu(walk_now.listed && iommu_groups.complete);
	return 0;
}

SEC("syscall")
int walk_domains(struct nsn_walk_args *args)
{
	bpf_loop(args->count, each_given_domain, NULL, 0);
	return 0;
}
