/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iommu.bpf.h - the layout of the IOMMU core and of its drivers: groups, domains, units.
 *
 * Kernel side, a part of core_compat.bpf.h, which says what an accessor is. Include that.
 */
#ifndef NSN_COMPAT_IOMMU_BPF_H
#define NSN_COMPAT_IOMMU_BPF_H

static __always_inline struct list_head *nsn_group_kset_list(void)
{
	struct kset **kset = (void *)nsn_symbols[NSN_SYM_GROUP_KSET];
	struct kset *set = NULL;

	if (!kset || bpf_core_read(&set, sizeof(set), kset) || !set)
		return NULL;
	return &set->list;
}

static __always_inline struct iommu_group *nsn_kset_group(struct list_head *entry)
{
	struct kobject *object = NSN_ENTRY(entry, struct kobject, entry);

	return NSN_ENTRY(object, struct iommu_group, kobj);
}

static __always_inline bool nsn_group_id(struct iommu_group *group, __u64 *out)
{
	return NSN_GET(group, id, out);
}

static __always_inline bool nsn_group_domain(struct iommu_group *group, __u64 *out)
{
	return NSN_GET(group, domain, out);
}

static __always_inline bool nsn_group_default_domain(struct iommu_group *group, __u64 *out)
{
	return NSN_GET(group, default_domain, out);
}

/*
 * A driver without a blocking domain of its own is given an empty paging domain for it, so the
 * pointer decides, not the domain's type.
 */
static __always_inline bool nsn_group_blocking(struct iommu_group *group, __u64 *out)
{
	__u64 domain = 0, blocking = 0;

	if (!NSN_GET(group, domain, &domain) || !NSN_GET(group, blocking_domain, &blocking))
		return false;
	*out = domain && domain == blocking;
	return true;
}

static __always_inline bool nsn_group_owner(struct iommu_group *group, __u64 *out)
{
	return NSN_GET(group, owner, out);
}

static __always_inline bool nsn_group_owner_count(struct iommu_group *group, __u64 *out)
{
	return NSN_GET(group, owner_cnt, out);
}

/*
 * The owner as VFIO's group: an opaque pointer, believed only if that group points back. 0 if the
 * owner is something else (an iommufd context).
 */
static __always_inline bool nsn_group_owner_vfio(struct iommu_group *group, __u64 *out)
{
	struct vfio_group *owner = NULL;
	struct iommu_group *back = NULL;

	*out = 0;
	if (!NSN_GET_POINTER(group, owner, &owner))
		return false;
	if (!owner || !bpf_core_type_exists(struct vfio_group))
		return !owner;
	NSN_GET_POINTER(owner, iommu_group, &back);
	if (back == group)
		*out = (__u64)owner;
	return true;
}

static __always_inline struct list_head *nsn_group_devices(struct iommu_group *group)
{
	return &group->devices;
}

static __always_inline struct device *nsn_group_device(struct list_head *entry)
{
	struct group_device *item = NSN_ENTRY(entry, struct group_device, list);
	struct device *device = NULL;

	NSN_GET_POINTER(item, dev, &device);
	return device;
}

/* The group's domains by PASID, 6.2; number 0 is DMA without one. NULL: this kernel has none. */
static __always_inline struct xarray *nsn_group_pasids(struct iommu_group *group)
{
	return bpf_core_field_exists(group->pasid_array) ? &group->pasid_array : NULL;
}

static __always_inline bool nsn_has_group_pasids(__u64 *out)
{
	struct iommu_group *group = NULL;

	*out = bpf_core_field_exists(group->pasid_array);
	return true;
}

enum iommu_domain_cookie_type {
	IOMMU_COOKIE_NONE,
};

/*
 * What an entry of it stands for. To 6.10 it is the domain, from 6.11 on a handle that points to the
 * domain, and since 6.15, when domains also got the type of their cookie, either: a handle has bit 0.
 */
static __always_inline bool nsn_pasid_domain(__u64 entry, __u64 *out)
{
	bool handles = bpf_core_type_exists(struct iommu_attach_handle);
	bool tagged = bpf_core_type_exists(enum iommu_domain_cookie_type);
	struct iommu_attach_handle *handle = (void *)(entry & ~3ULL);

	*out = entry & ~3ULL;
	if (!handles || (tagged && !(entry & 1)))
		return true;
	return NSN_GET(handle, domain, out);
}

/* The group that a device is in; 0: there is no IOMMU for it. */
static __always_inline bool nsn_device_iommu_group(struct device *device, __u64 *out)
{
	return NSN_GET(device, iommu_group, out);
}

static __always_inline bool nsn_device_name(struct device *device, char *out, __u32 size)
{
	const char *name = NULL;

	return device && NSN_GET_POINTER(device, kobj.name, &name) &&
	       nsn_read_string(name, out, size);
}

static __always_inline bool nsn_device_bus(struct device *device, char *out, __u32 size)
{
	const struct bus_type *bus = NULL;
	const char *name = NULL;

	if (!NSN_GET_POINTER(device, bus, &bus))
		return false;
	if (!bus) {
		out[0] = '\0';
		return true;
	}
	return NSN_GET_POINTER(bus, name, &name) && nsn_read_string(name, out, size);
}

static __always_inline bool nsn_device_driver(struct device *device, char *out, __u32 size)
{
	struct device_driver *driver = NULL;
	const char *name = NULL;

	if (!NSN_GET_POINTER(device, driver, &driver))
		return false;
	if (!driver) {
		out[0] = '\0';
		return true;
	}
	return NSN_GET_POINTER(driver, name, &name) && nsn_read_string(name, out, size);
}

/* pci_driver.driver_managed_dma, 5.19 (512881eacfa7). Only for a device on the PCI bus. */
static __always_inline bool nsn_pci_driver_managed_dma(struct device *device, __u64 *out)
{
	struct device_driver *driver = NULL;
	struct pci_driver *pci;

	if (!NSN_GET_POINTER(device, driver, &driver))
		return false;
	if (!driver) {
		*out = 0;
		return true;
	}
	pci = NSN_ENTRY(driver, struct pci_driver, driver);
	return NSN_GET(pci, driver_managed_dma, out);
}

/* The operations of the IOMMU driver that a device sits behind; NULL without an IOMMU. */
static __always_inline bool nsn_device_iommu_ops(struct device *device,
						 const struct iommu_ops **out)
{
	struct dev_iommu *iommu = NULL;
	struct iommu_device *unit = NULL;

	*out = NULL;
	if (!NSN_GET_POINTER(device, iommu, &iommu))
		return false;
	if (!iommu)
		return true;
	if (!NSN_GET_POINTER(iommu, iommu_dev, &unit))
		return false;
	return !unit || NSN_GET_POINTER(unit, ops, out);
}

/* The driver, by the name of a function that each has: intel_iommu_probe_device, … */
static __always_inline bool nsn_iommu_ops_symbol(const struct iommu_ops *ops, char *out, __u32 size)
{
	__u64 function = 0;

	if (ops && !NSN_GET(ops, probe_device, &function))
		return false;
	return nsn_symbol_name(function, out, size);
}

static __always_inline struct intel_iommu *nsn_intel_unit(struct device *device)
{
	struct dev_iommu *iommu = NULL;
	struct device_domain_info *info = NULL;
	struct intel_iommu *unit = NULL;

	if (!bpf_core_type_exists(struct device_domain_info) ||
	    !bpf_core_type_exists(struct intel_iommu) || !NSN_GET_POINTER(device, iommu, &iommu) ||
	    !iommu || !NSN_GET_POINTER(iommu, priv, (void **)&info) || !info)
		return NULL;
	NSN_GET_POINTER(info, iommu, &unit);
	return unit;
}

/* Extended Capability Register, bit 7: SC, Snoop Control. */
static __always_inline bool nsn_intel_snoop_control(struct intel_iommu *unit, __u64 *out)
{
	if (!unit || !bpf_core_type_exists(struct intel_iommu) || !NSN_GET(unit, ecap, out))
		return false;
	*out = !!(*out & (1 << 7));
	return true;
}

static __always_inline bool nsn_intel_name(struct intel_iommu *unit, char *out, __u32 size)
{
	if (!unit || !bpf_core_type_exists(struct intel_iommu))
		return false;
	return nsn_read_string((const char *)unit->name, out, size);
}

/* 6.2 (4989764d8ed3); before, no kernel could answer it per device. */
static __always_inline bool nsn_has_cap_enforce(void)
{
	return bpf_core_enum_value_exists(enum iommu_cap, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
}

static __always_inline bool nsn_domain_type(struct iommu_domain *domain, __u64 *out)
{
	return NSN_GET(domain, type, out);
}

/* The memory of the process that an SVA domain shares; only for one of that type. */
static __always_inline bool nsn_domain_mm(struct iommu_domain *domain, __u64 *out)
{
	return NSN_GET(domain, mm, out);
}

static __always_inline bool nsn_domain_ops(struct iommu_domain *domain,
					   const struct iommu_domain_ops **out)
{
	return NSN_GET_POINTER(domain, ops, out);
}

/* iommu_domain_ops.enforce_cache_coherency, 5.19 (6043257b1de0). */
static __always_inline bool nsn_domain_op(const struct iommu_domain_ops *ops, __u64 *out)
{
	return NSN_GET(ops, enforce_cache_coherency, out);
}

static __always_inline bool nsn_domain_attach_op(const struct iommu_domain_ops *ops, __u64 *out)
{
	return NSN_GET(ops, attach_dev, out);
}

/* Since 7.2 the domain stands in a union at offset 0; the name finds it there too. */
static __always_inline struct dmar_domain *nsn_dmar_domain(struct iommu_domain *domain)
{
	return NSN_ENTRY(domain, struct dmar_domain, domain);
}

static __always_inline bool nsn_intel_force_snooping(struct iommu_domain *domain, __u64 *out)
{
	struct dmar_domain *dmar;

	if (!bpf_core_type_exists(struct dmar_domain))
		return false;
	dmar = nsn_dmar_domain(domain);
	return NSN_GET_BIT(dmar, force_snooping, out);
}

struct dmar_domain___flags {
	int flags;
} __attribute__((preserve_access_index));

/*
 * First or second stage: from 6.4 to 6.18 a bit; before, DOMAIN_FLAG_USE_FIRST_LEVEL (bit 1) of
 * flags. Since 6.18 each stage has an enforce function of its own (probes.c).
 */
static __always_inline bool nsn_intel_first_stage(struct iommu_domain *domain, __u64 *out)
{
	struct dmar_domain___flags *old;
	struct dmar_domain *dmar;

	if (!bpf_core_type_exists(struct dmar_domain))
		return false;
	dmar = nsn_dmar_domain(domain);
	if (NSN_GET_BIT(dmar, use_first_level, out))
		return true;
	old = (void *)dmar;
	if (!NSN_GET(old, flags, out))
		return false;
	*out = !!(*out & (1 << 1));
	return true;
}

/* dmar_domain.has_mappings, 6.12 to 6.18 only. */
static __always_inline bool nsn_intel_has_mappings(struct iommu_domain *domain, __u64 *out)
{
	struct dmar_domain *dmar;

	if (!bpf_core_type_exists(struct dmar_domain))
		return false;
	dmar = nsn_dmar_domain(domain);
	return NSN_GET_BIT(dmar, has_mappings, out);
}

struct protection_domain___flags {
	unsigned long flags;
} __attribute__((preserve_access_index));

/* pd_mode since 6.8; before, flags with PD_IOMMUV2_MASK (bit 3). */
static __always_inline bool nsn_amd_version(struct iommu_domain *domain, __u64 *out)
{
	struct protection_domain *protection;
	struct protection_domain___flags *old;
	__u64 value = 0;

	if (!bpf_core_type_exists(struct protection_domain))
		return false;
	protection = NSN_ENTRY(domain, struct protection_domain, domain);
	if (NSN_GET(protection, pd_mode, &value)) {
		if (value == bpf_core_enum_value(enum protection_domain_mode, PD_MODE_V1))
			*out = NSN_PT_AMD_V1;
		else if (value == bpf_core_enum_value(enum protection_domain_mode, PD_MODE_V2))
			*out = NSN_PT_AMD_V2;
		else
			return false;
		return true;
	}
	old = (void *)protection;
	if (!NSN_GET(old, flags, &value))
		return false;
	*out = value & (1 << 3) ? NSN_PT_AMD_V2 : NSN_PT_AMD_V1;
	return true;
}

/* irq_remapping_enabled: the whole machine's interrupts are remapped. */
static __always_inline bool nsn_interrupt_remapping(__u64 *out)
{
	int *enabled = (void *)nsn_symbols[NSN_SYM_IRQ_REMAPPING];
	int value = 0;

	if (!enabled || bpf_core_read(&value, sizeof(value), enabled))
		return false;
	*out = !!value;
	return true;
}

#endif /* NSN_COMPAT_IOMMU_BPF_H */
