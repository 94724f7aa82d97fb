/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * module_types.h - types that kernel modules define; those of the kernel proper are in kernel_types.h.
 *
 * Kept by hand and minimal: only the fields that bpf/core_compat.bpf.h reads. Offsets are resolved
 * by CO-RE against the module's own BTF when the program is loaded, so order and gaps do not
 * matter; names and types do. Beside each: its source file and the releases it was checked in.
 */
#ifndef NSN_MODULE_TYPES_H
#define NSN_MODULE_TYPES_H

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/kvm_host.h; in kvm.ko's BTF; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct kvm_device_ops {
	const char *name;
};

struct kvm_device {
	const struct kvm_device_ops *ops;
	struct kvm *kvm;
	void *private;
	struct list_head vm_node;
};

/* virt/kvm/vfio.c; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct kvm_vfio_file {
	struct list_head node;
	struct file *file;
};

struct kvm_vfio {
	struct list_head file_list;
	bool noncoherent;
};

/* virt/kvm/vfio.c; 5.19 and 6.0: before the files were called files */
struct kvm_vfio_group {
	struct list_head node;
	struct file *file;
};

struct kvm_vfio___groups {
	struct list_head group_list;
};

/* include/uapi/linux/kvm.h; in kvm.ko's BTF; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct kvm_device_attr {
	__u32 group;
	__u64 attr;
	__u64 addr;
};

/* arch/x86/kvm/kvm_emulate.h; in kvm.ko's BTF; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct x86_emulate_ctxt {
	void *vcpu;
};

/* arch/x86/kvm/vmx/capabilities.h; in kvm_intel.ko's BTF; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct vmcs_config {
	__u32 cpu_based_2nd_exec_ctrl;
};

/* drivers/vfio/container.c (6.2 and later), vfio_main.c (before); 6.1, 6.12, 6.18, 7.2, 7.3 */
struct vfio_iommu_driver_ops {
	char *name;
};

struct vfio_iommu_driver {
	const struct vfio_iommu_driver_ops *ops;
};

struct vfio_container {
	struct list_head group_list;
	struct vfio_iommu_driver *iommu_driver;
	void *iommu_data;
	bool noiommu;
};

/* drivers/vfio/vfio.h; 6.1, 6.12, 6.18, 7.2, 7.3 (iommufd: 6.2 and later) */
enum vfio_group_type {
	VFIO_IOMMU,
	VFIO_EMULATED_IOMMU,
	VFIO_NO_IOMMU,
};

struct vfio_group {
	struct iommu_group *iommu_group;
	struct vfio_container *container;
	struct list_head device_list;
	enum vfio_group_type type;
	struct kvm *kvm;
	struct file *opened_file;
	struct iommufd_ctx *iommufd;
};

/* include/linux/vfio.h; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct vfio_device {
	struct device *dev;
	struct vfio_group *group;
	struct list_head group_next;
	struct kvm *kvm;
	unsigned int open_count;
	struct iommufd_access *iommufd_access; /* 6.2 and later */
};

/* drivers/vfio/vfio.h; 6.4 and later: what a device file's private_data is since then */
struct vfio_device_file {
	struct vfio_device *device;
	struct iommufd_ctx *iommufd;
};

/* drivers/vfio/vfio_iommu_type1.c; in vfio_iommu_type1.ko's BTF; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct vfio_iommu {
	struct list_head domain_list;
	struct rb_root dma_list;
	struct list_head emulated_iommu_groups;
};

struct vfio_domain {
	struct iommu_domain *domain;
	struct list_head next;
	struct list_head group_list;
	bool enforce_cache_coherency : 1;
};

struct vfio_iommu_group {
	struct iommu_group *iommu_group;
	struct list_head next;
};

struct vfio_dma {
	struct rb_node node;
	struct task_struct *task;
	struct mm_struct *mm;
};

/*
 * drivers/iommu/iommufd/iommufd_private.h, io_pagetable.h, device.c; include/linux/iommufd.h. In the
 * BTF of iommufd.ko; 6.12, 7.3. No kernel of Debian's has them (CONFIG_IOMMUFD is not set).
 */
enum iommufd_object_type {
	IOMMUFD_OBJ_DEVICE = 1,
	IOMMUFD_OBJ_HWPT_PAGING,
	IOMMUFD_OBJ_HWPT_NESTED,
	IOMMUFD_OBJ_IOAS,
	IOMMUFD_OBJ_ACCESS,
};

struct iommufd_object {
	enum iommufd_object_type type;
	unsigned int id;
};

struct iommufd_ctx {
	struct file *file;
	struct xarray objects;
};

struct io_pagetable {
	struct rb_root_cached area_itree;
};

struct iopt_pages {
	struct mm_struct *source_mm;
};

struct iopt_area {
	struct interval_tree_node node;
	struct iopt_pages *pages;
};

struct iommufd_ioas {
	struct iommufd_object obj;
	struct io_pagetable iopt;
};

struct iommufd_hw_pagetable {
	struct iommufd_object obj;
	struct iommu_domain *domain;
};

struct iommufd_hwpt_paging {
	struct iommufd_hw_pagetable common;
	struct iommufd_ioas *ioas;
	bool auto_domain : 1;
	bool enforce_cache_coherency : 1;
};

struct iommufd_hwpt_nested {
	struct iommufd_hw_pagetable common;
	struct iommufd_hwpt_paging *parent;
};

/* hwpt: 6.12; pasid_attach, of struct iommufd_attach: 7.3 */
struct iommufd_group {
	struct iommufd_ctx *ictx;
	struct iommu_group *group;
	struct iommufd_hw_pagetable *hwpt;
	struct xarray pasid_attach;
};

struct iommufd_attach {
	struct iommufd_hw_pagetable *hwpt;
};

struct iommufd_device {
	struct iommufd_object obj;
	struct iommufd_ctx *ictx;
	struct iommufd_group *igroup;
	struct device *dev;
	bool enforce_cache_coherency;
};

struct iommufd_access {
	struct iommufd_object obj;
	struct iommufd_ioas *ioas;
	const struct iommufd_access_ops *ops;
	void *data;
};

/* drivers/vhost/vdpa.c, vhost.h, include/linux/vdpa.h, vhost_iotlb.h; in vhost_vdpa.ko's BTF */
struct vhost_dev {
	struct mm_struct *mm;
};

struct vhost_iotlb {
	unsigned int nmaps;
};

struct vhost_vdpa_as {
	struct hlist_node hash_link;
	struct vhost_iotlb iotlb;
};

/* dma_dev: 6.1, 6.12; vmap.dma_dev: 7.3 */
union virtio_map {
	struct device *dma_dev;
};

struct vdpa_device {
	struct device dev;
	struct device *dma_dev;
	union virtio_map vmap;
};

struct vhost_vdpa {
	struct vhost_dev vdev;
	struct iommu_domain *domain;
	struct vdpa_device *vdpa;
	struct hlist_head as[16];
};

#pragma clang attribute pop

#endif /* NSN_MODULE_TYPES_H */
