/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio.bpf.h - VFIO's layout: groups, devices, containers, type1.
 *
 * Kernel side, a part of core_compat.bpf.h, which says what an accessor is. Include that.
 */
#ifndef NSN_COMPAT_VFIO_BPF_H
#define NSN_COMPAT_VFIO_BPF_H

static __always_inline bool nsn_vfio_group_iommu_group(struct vfio_group *group, __u64 *out)
{
	return NSN_GET(group, iommu_group, out);
}

/* 6.2 (with CONFIG_VFIO_CONTAINER=n there is none). */
static __always_inline bool nsn_vfio_group_container(struct vfio_group *group, __u64 *out)
{
	if (!bpf_core_field_exists(group->container)) {
		*out = 0;
		return true;
	}
	return NSN_GET(group, container, out);
}

static __always_inline bool nsn_vfio_group_vm(struct vfio_group *group, __u64 *out)
{
	return NSN_GET(group, kvm, out);
}

/* Since 6.2 (2a3dab19a046); before, no group could use an iommufd. */
static __always_inline bool nsn_vfio_group_iommufd(struct vfio_group *group, __u64 *out)
{
	if (!bpf_core_field_exists(group->iommufd)) {
		*out = 0;
		return true;
	}
	return NSN_GET(group, iommufd, out);
}

static __always_inline bool nsn_vfio_group_type(struct vfio_group *group, __u64 *out)
{
	return NSN_GET(group, type, out);
}

static __always_inline bool nsn_vfio_group_opened(struct vfio_group *group, __u64 *out)
{
	if (!NSN_GET(group, opened_file, out))
		return false;
	*out = !!*out;
	return true;
}

static __always_inline struct list_head *nsn_vfio_group_devices(struct vfio_group *group)
{
	return bpf_core_field_exists(group->device_list) ? &group->device_list : NULL;
}

static __always_inline struct vfio_device *nsn_vfio_group_device(struct list_head *entry)
{
	return NSN_ENTRY(entry, struct vfio_device, group_next);
}

static __always_inline bool nsn_vfio_device_group(struct vfio_device *device, __u64 *out)
{
	return NSN_GET(device, group, out);
}

static __always_inline bool nsn_vfio_device_vm(struct vfio_device *device, __u64 *out)
{
	return NSN_GET(device, kvm, out);
}

static __always_inline bool nsn_vfio_device_open_count(struct vfio_device *device, __u64 *out)
{
	return NSN_GET(device, open_count, out);
}

static __always_inline struct device *nsn_vfio_device_parent(struct vfio_device *device)
{
	struct device *parent = NULL;

	NSN_GET_POINTER(device, dev, &parent);
	return parent;
}

/* What a device file holds since 6.4; before, functions were given the device itself. */
static __always_inline bool nsn_device_file_device(struct vfio_device_file *file, __u64 *out)
{
	return NSN_GET(file, device, out);
}

static __always_inline bool nsn_container_driver(struct vfio_container *container, char *out,
						 __u32 size)
{
	struct vfio_iommu_driver *driver = NULL;
	const struct vfio_iommu_driver_ops *ops = NULL;
	char *name = NULL;

	if (!NSN_GET_POINTER(container, iommu_driver, &driver))
		return false;
	if (!driver) {
		out[0] = '\0';
		return true;
	}
	if (!NSN_GET_POINTER(driver, ops, &ops) || !ops || !NSN_GET_POINTER(ops, name, &name))
		return false;
	return nsn_read_string(name, out, size);
}

static __always_inline bool nsn_container_noiommu(struct vfio_container *container, __u64 *out)
{
	return NSN_GET(container, noiommu, out);
}

static __always_inline struct vfio_iommu *nsn_container_type1(struct vfio_container *container)
{
	struct vfio_iommu *iommu = NULL;

	NSN_GET_POINTER(container, iommu_data, &iommu);
	return iommu;
}

/*
 * The mm of any one of a type1 container's mappings (all have that of the process which mapped):
 * rb_node is vfio_dma's first member. *mapped tells whether there is one.
 */
static __always_inline bool nsn_type1_mm(struct vfio_iommu *iommu, __u64 *mapped, __u64 *out)
{
	struct rb_node *node = NULL;
	struct vfio_dma *dma;

	*out = 0;
	if (!NSN_GET_POINTER(iommu, dma_list.rb_node, &node))
		return false;
	*mapped = !!node;
	if (!node)
		return true;
	dma = NSN_ENTRY(node, struct vfio_dma, node);
	return NSN_GET(dma, mm, out);
}

static __always_inline struct list_head *nsn_type1_domains(struct vfio_iommu *iommu)
{
	return &iommu->domain_list;
}

static __always_inline struct list_head *nsn_type1_emulated(struct vfio_iommu *iommu)
{
	return bpf_core_field_exists(iommu->emulated_iommu_groups) ? &iommu->emulated_iommu_groups
								   : NULL;
}

static __always_inline struct vfio_domain *nsn_type1_domain(struct list_head *entry)
{
	return NSN_ENTRY(entry, struct vfio_domain, next);
}

static __always_inline bool nsn_vfio_domain_domain(struct vfio_domain *domain, __u64 *out)
{
	return NSN_GET(domain, domain, out);
}

/* 5.19 (6043257b1de0). A bit beside fgsp until that went away, so the bit moved. */
static __always_inline bool nsn_vfio_domain_enforced(struct vfio_domain *domain, __u64 *out)
{
	return NSN_GET_BIT(domain, enforce_cache_coherency, out);
}

static __always_inline struct list_head *nsn_vfio_domain_groups(struct vfio_domain *domain)
{
	return &domain->group_list;
}

static __always_inline bool nsn_type1_group_group(struct list_head *entry, __u64 *out)
{
	struct vfio_iommu_group *item = NSN_ENTRY(entry, struct vfio_iommu_group, next);

	return NSN_GET(item, iommu_group, out);
}

#endif /* NSN_COMPAT_VFIO_BPF_H */
