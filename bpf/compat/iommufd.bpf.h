/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * iommufd.bpf.h - iommufd's layout: contexts and the objects in them.
 *
 * Kernel side, a part of core_compat.bpf.h, which says what an accessor is. Include that. Only
 * programs of iommufd use these: looking up types that a kernel lacks costs user space time.
 */
#ifndef NSN_COMPAT_IOMMUFD_BPF_H
#define NSN_COMPAT_IOMMUFD_BPF_H

/* ---- contexts ---------------------------------------------------------------------------------- */

static __always_inline bool nsn_has_iommufd(void)
{
	return bpf_core_type_exists(struct iommufd_ctx) &&
	       bpf_core_type_exists(struct iommufd_hwpt_paging) &&
	       bpf_core_type_exists(struct iommufd_device);
}

static __always_inline bool nsn_iommufd_objects(struct iommufd_ctx *context, struct xarray **out)
{
	*out = &context->objects;
	return bpf_core_field_exists(context->objects);
}

/*
 * Is that a context? An address that was given as one may be another owner of DMA: a context's file
 * holds it, and it holds its file for as long as it lives.
 */
static __always_inline bool nsn_is_iommufd(struct iommufd_ctx *context)
{
	struct file *file = NULL;
	__u64 private = 0, release = 0;

	return NSN_GET_POINTER(context, file, &file) && file && nsn_file_private(file, &private) &&
	       private == (__u64)context && nsn_file_release(file, &release) && release &&
	       release == nsn_symbols[NSN_SYM_IOMMUFD_RELEASE];
}

static __always_inline bool nsn_iommufd_object_type(struct iommufd_object *object, __u64 *out)
{
	return NSN_GET(object, type, out);
}

static __always_inline bool nsn_iommufd_object_id(struct iommufd_object *object, __u64 *out)
{
	return NSN_GET(object, id, out);
}

/* The type's number in this kernel; 0: it has no such type of object. */
#define NSN_IOMMUFD_TYPE(NAME)                                                                     \
	(bpf_core_enum_value_exists(enum iommufd_object_type, IOMMUFD_OBJ_##NAME)                  \
		 ? bpf_core_enum_value(enum iommufd_object_type, IOMMUFD_OBJ_##NAME)               \
		 : 0)

/* ---- address spaces ------------------------------------------------------------------------------ */

/* Whether it has a mapping, and the memory that one of them maps. */
static __always_inline bool nsn_ioas_mm(struct iommufd_object *object, __u64 *mapped, __u64 *out)
{
	struct iommufd_ioas *space = NSN_ENTRY(object, struct iommufd_ioas, obj);
	struct iopt_pages *pages = NULL;
	struct rb_node *node = NULL;
	struct iopt_area *area;

	*out = 0;
	if (!NSN_GET_POINTER(space, iopt.area_itree.rb_root.rb_node, &node))
		return false;
	*mapped = !!node;
	if (!node)
		return true;
	area = NSN_ENTRY(node, struct iopt_area, node.rb);
	return NSN_GET_POINTER(area, pages, &pages) && pages && NSN_GET(pages, source_mm, out);
}

static __always_inline bool nsn_ioas_id(struct iommufd_ioas *space, __u64 *out)
{
	*out = 0;
	return !space || NSN_GET(space, obj.id, out);
}

/* ---- page tables --------------------------------------------------------------------------------- */

static __always_inline bool nsn_hwpt_domain(struct iommufd_hw_pagetable *table, __u64 *out)
{
	return NSN_GET(table, domain, out);
}

static __always_inline struct iommufd_hwpt_paging *nsn_hwpt_paging(struct iommufd_object *object)
{
	return NSN_ENTRY(object, struct iommufd_hwpt_paging, common.obj);
}

static __always_inline bool nsn_paging_domain(struct iommufd_hwpt_paging *table, __u64 *out)
{
	return NSN_GET(table, common.domain, out);
}

static __always_inline bool nsn_paging_ioas(struct iommufd_hwpt_paging *table, __u64 *out)
{
	struct iommufd_ioas *space = NULL;

	return NSN_GET_POINTER(table, ioas, &space) && nsn_ioas_id(space, out);
}

static __always_inline bool nsn_paging_enforced(struct iommufd_hwpt_paging *table, __u64 *out)
{
	return NSN_GET_BIT(table, enforce_cache_coherency, out);
}

static __always_inline bool nsn_paging_automatic(struct iommufd_hwpt_paging *table, __u64 *out)
{
	return NSN_GET_BIT(table, auto_domain, out);
}

static __always_inline bool nsn_nested_domain(struct iommufd_object *object, __u64 *out)
{
	struct iommufd_hwpt_nested *table =
		NSN_ENTRY(object, struct iommufd_hwpt_nested, common.obj);

	return NSN_GET(table, common.domain, out);
}

/* The domain that a nested one is nested in. */
static __always_inline bool nsn_nested_parent(struct iommufd_object *object, __u64 *out)
{
	struct iommufd_hwpt_nested *table =
		NSN_ENTRY(object, struct iommufd_hwpt_nested, common.obj);
	struct iommufd_hwpt_paging *parent = NULL;

	return NSN_GET_POINTER(table, parent, &parent) && parent && nsn_paging_domain(parent, out);
}

/* ---- devices and accesses ------------------------------------------------------------------------ */

static __always_inline struct iommufd_device *nsn_iommufd_device(struct iommufd_object *object)
{
	return NSN_ENTRY(object, struct iommufd_device, obj);
}

static __always_inline struct device *nsn_iommufd_device_device(struct iommufd_device *device)
{
	struct device *found = NULL;

	NSN_GET_POINTER(device, dev, &found);
	return found;
}

/* What the IOMMU's capability was when the device was bound. */
static __always_inline bool nsn_iommufd_device_must(struct iommufd_device *device, __u64 *out)
{
	return NSN_GET(device, enforce_cache_coherency, out);
}

static __always_inline struct iommufd_group *nsn_iommufd_device_group(struct iommufd_device *device)
{
	struct iommufd_group *group = NULL;

	NSN_GET_POINTER(device, igroup, &group);
	return group;
}

static __always_inline bool nsn_iommufd_group_group(struct iommufd_group *group, __u64 *out)
{
	return group && NSN_GET(group, group, out);
}

static __always_inline bool nsn_attach_domain(__u64 attach, __u64 *out)
{
	struct iommufd_attach *entry = (void *)attach;
	struct iommufd_hw_pagetable *table = NULL;

	if (!bpf_core_type_exists(struct iommufd_attach) || !NSN_GET_POINTER(entry, hwpt, &table))
		return false;
	*out = 0;
	return !table || nsn_hwpt_domain(table, out);
}

/* The group's page tables by PASID, between 6.12 and 7.3; before, there was but one: NULL. */
static __always_inline struct xarray *nsn_iommufd_group_pasids(struct iommufd_group *group)
{
	return bpf_core_field_exists(group->pasid_attach) ? &group->pasid_attach : NULL;
}

/* The domain that DMA without a PASID goes through, which is number 0; 0: none is attached. */
static __always_inline bool nsn_iommufd_group_domain(struct iommufd_group *group, __u64 *out)
{
	struct iommufd_hw_pagetable *table = NULL;
	struct xarray *pasids;
	__u64 entry = 0;

	*out = 0;
	if (!group)
		return false;
	if (bpf_core_field_exists(group->hwpt))
		return NSN_GET_POINTER(group, hwpt, &table) &&
		       (!table || nsn_hwpt_domain(table, out));
	pasids = nsn_iommufd_group_pasids(group);
	if (!pasids || !nsn_xarray_head(pasids, &entry))
		return false;
	for (int i = 0; i < XA_MAX_LEVELS && nsn_xa_is_node(entry); i++)
		if (!nsn_xa_slot(NSN_XA_NODE(entry), 0, &entry))
			return false;
	return !entry || nsn_xa_is_internal(entry) || nsn_attach_domain(entry, out);
}

static __always_inline struct iommufd_access *nsn_iommufd_access(struct iommufd_object *object)
{
	return NSN_ENTRY(object, struct iommufd_access, obj);
}

static __always_inline bool nsn_access_ioas(struct iommufd_access *access, __u64 *out)
{
	struct iommufd_ioas *space = NULL;

	return NSN_GET_POINTER(access, ioas, &space) && nsn_ioas_id(space, out);
}

/* VFIO's device, which is only believed if it points back; 0: somebody else's access. */
static __always_inline bool nsn_access_vfio_device(struct iommufd_access *access, __u64 *out)
{
	struct iommufd_access *back = NULL;
	struct vfio_device *device = NULL;

	*out = 0;
	if (!bpf_core_type_exists(struct vfio_device) ||
	    !NSN_GET_POINTER(access, data, (void **)&device))
		return false;
	if (device && NSN_GET_POINTER(device, iommufd_access, &back) && back == access)
		*out = (__u64)device;
	return true;
}

#endif /* NSN_COMPAT_IOMMUFD_BPF_H */
