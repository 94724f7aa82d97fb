/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_types.h - types of the kernel proper; those that modules define are in module_types.h.
 *
 * Kept by hand and minimal: only what bpf/core_compat.bpf.h reads. CO-RE finds each field by its name in
 * the running kernel's BTF when a program is loaded, so order and gaps do not matter; names and types
 * do. What else were here, user space and the kernel would have to take in at each start. Beside each:
 * its source file and the releases it was checked in.
 */
#ifndef NSN_KERNEL_TYPES_H
#define NSN_KERNEL_TYPES_H

#define __VMLINUX_H__ /* libbpf's headers: struct pt_regs has the kernel's names */

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef int pid_t;
typedef _Bool bool;

enum {
	false,
	true,
};

/* include/uapi/linux/bpf.h: what maps are made of */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_F_NO_PREALLOC = 1,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/types.h; 6.1, 6.12, 6.18, 7.2, 7.3 */
typedef struct {
	int counter;
} atomic_t;

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

/* include/linux/rbtree_types.h, interval_tree.h; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct rb_node {
	struct rb_node *rb_right;
	struct rb_node *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct interval_tree_node {
	struct rb_node rb;
};

/* include/linux/xarray.h; 6.1, 6.12, 6.18, 7.2, 7.3. 64 slots, or 16 with CONFIG_BASE_SMALL */
struct xarray {
	void *xa_head;
};

struct xa_node {
	unsigned char shift;
	void *slots[64];
};

/* arch/x86/include/asm/ptrace.h; 6.1, 6.12, 6.18, 7.2, 7.3: a call's arguments and result */
struct pt_regs {
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long ax;
};

/* ---- tasks and files ---------------------------------------------------------------------------- */

/* include/linux/mm_types.h, sched.h; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct mm_struct {
	struct task_struct *owner;
};

struct task_struct {
	struct mm_struct *mm;
	pid_t pid;
	pid_t tgid;
	struct task_struct *group_leader;
	__u64 start_boottime;
	char comm[16];
	struct files_struct *files;
};

/* include/linux/fdtable.h, fs.h; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct inode;
struct file;

struct file_operations {
	int (*release)(struct inode *, struct file *);
};

struct file {
	const struct file_operations *f_op;
	void *private_data;
};

/* include/linux/dcache.h; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

/* include/linux/bpf.h, kernel/bpf/task_iter.c; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

/* ---- devices ------------------------------------------------------------------------------------ */

/* include/linux/kobject.h; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct kobject {
	const char *name;
	struct list_head entry;
};

struct kset {
	struct list_head list;
};

/* include/linux/device.h, device/bus.h, device/driver.h, pci.h; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct bus_type {
	const char *name;
};

struct device_driver {
	const char *name;
};

struct pci_driver {
	struct device_driver driver;
	bool driver_managed_dma;
};

struct device {
	struct kobject kobj;
	const struct bus_type *bus;
	struct device_driver *driver;
	struct iommu_group *iommu_group;
	struct dev_iommu *iommu;
};

/* ---- the IOMMU core ------------------------------------------------------------------------------- */

/* include/linux/iommu.h; 6.1, 6.12, 6.18, 7.2, 7.3 */
enum iommu_cap {
	IOMMU_CAP_ENFORCE_CACHE_COHERENCY = 3, /* 6.2 and later */
};

struct iommu_domain;

struct iommu_ops {
	struct iommu_device *(*probe_device)(struct device *dev);
};

struct iommu_domain_ops {
	int (*attach_dev)(struct iommu_domain *domain, struct device *dev);
	bool (*enforce_cache_coherency)(struct iommu_domain *domain);
};

struct iommu_domain {
	unsigned int type;
	const struct iommu_domain_ops *ops;
	struct mm_struct *mm;
};

struct iommu_device {
	const struct iommu_ops *ops;
};

struct dev_iommu {
	struct iommu_device *iommu_dev;
	void *priv;
};

/* 6.11 and later */
struct iommu_attach_handle {
	struct iommu_domain *domain;
};

/* drivers/iommu/iommu.c; 6.1, 6.12, 6.18, 7.2, 7.3 (pasid_array: 6.2 and later) */
struct iommu_group {
	struct kobject kobj;
	struct list_head devices;
	struct xarray pasid_array;
	int id;
	struct iommu_domain *default_domain;
	struct iommu_domain *blocking_domain;
	struct iommu_domain *domain;
	unsigned int owner_cnt;
	void *owner;
};

struct group_device {
	struct list_head list;
	struct device *dev;
};

/* ---- its drivers ---------------------------------------------------------------------------------- */

/* drivers/iommu/intel/iommu.h; 6.1, 6.12, 6.18, 7.2, 7.3. The bits come and go: core_compat.bpf.h */
struct intel_iommu {
	__u64 ecap;
	unsigned char name[16];
};

struct device_domain_info {
	struct intel_iommu *iommu;
};

struct dmar_domain {
	__u8 force_snooping : 1;
	__u8 use_first_level : 1;
	__u8 has_mappings : 1;
	struct iommu_domain domain;
};

/* drivers/iommu/amd/amd_iommu_types.h; 6.1, 6.12, 6.18, 7.2, 7.3 (pd_mode: 6.8 and later) */
enum protection_domain_mode {
	PD_MODE_V1 = 1,
	PD_MODE_V2,
};

struct protection_domain {
	struct iommu_domain domain;
	enum protection_domain_mode pd_mode;
};

/* ---- KVM ---------------------------------------------------------------------------------------- */

/* include/linux/kvm_host.h, arch/x86/include/asm/kvm_host.h; 6.1, 6.12, 6.18, 7.2, 7.3 */
struct kvm_arch {
	__u8 vm_type; /* 6.9 and later */
	atomic_t noncoherent_dma_count;
	__u64 disabled_quirks;
};

struct kvm {
	struct mm_struct *mm;
	int created_vcpus;
	struct list_head vm_list;
	struct kvm_arch arch;
	struct list_head devices;
	struct dentry *debugfs_dentry;
	pid_t userspace_pid;
};

struct kvm_vcpu {
	struct kvm *kvm;
};

struct kvm_x86_ops {
	bool (*has_wbinvd_exit)(void);
};

#pragma clang attribute pop

#endif /* NSN_KERNEL_TYPES_H */
