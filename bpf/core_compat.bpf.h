/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * core_compat.bpf.h - the one place that knows how kernels differ in layout.
 *
 * Kernel side. One accessor per fact: it reads the fact from a kernel object through CO-RE into
 * *out and returns true, or returns false where this kernel has no such field or the read faulted.
 * A caller never touches a kernel structure itself. Kernels are told apart by the fields, types and
 * enumerators they have, never by version. src/accessors.c lists each accessor with the types it
 * needs, for `nosnoop doctor`; a test compares the two.
 *
 * Objects are read without locks: every pointer may be stale, so all reads are probe reads.
 */
#ifndef NSN_CORE_COMPAT_BPF_H
#define NSN_CORE_COMPAT_BPF_H

#include "emit.bpf.h"

#include <bpf/bpf_tracing.h>

/* *out = object->field: false if this kernel's type lacks the field or the read faults. */
#define NSN_GET(object, field, out)                                                                \
	({                                                                                         \
		bool got = false;                                                                  \
		if (bpf_core_field_exists((object)->field)) {                                      \
			__u64 value = 0; /* little endian: the low bytes are the field */          \
			got = !bpf_core_read(&value, sizeof((object)->field), &(object)->field);   \
			*(out) = value;                                                            \
		}                                                                                  \
		got;                                                                               \
	})

/* The same for a field that is not read as a 64-bit number: a pointer variable. */
#define NSN_GET_POINTER(object, field, out)                                                        \
	(bpf_core_field_exists((object)->field) &&                                                 \
	 !bpf_core_read((out), sizeof(*(out)), &(object)->field))

/* The same for a bitfield: a plain read would give its neighbours too. */
#define NSN_GET_BIT(object, field, out)                                                            \
	({                                                                                         \
		bool got = false;                                                                  \
		if (bpf_core_field_exists((object)->field)) {                                      \
			*(out) = BPF_CORE_READ_BITFIELD_PROBED((object), field);                   \
			got = true;                                                                \
		}                                                                                  \
		got;                                                                               \
	})

static __always_inline bool nsn_read_string(const char *from, char *out, __u32 size)
{
	return from && bpf_probe_read_kernel_str(out, size, from) > 0;
}

/*
 * The name of the kernel function at an address, "" for a null pointer. %ps looks it up in
 * kallsyms, so that no address leaves the kernel.
 */
static __always_inline bool nsn_symbol_name(__u64 function, char *out, __u32 size)
{
	static const char format[] = "%ps";

	if (!function) {
		out[0] = '\0';
		return true;
	}
	return bpf_snprintf(out, size, format, &function, sizeof(function)) > 0;
}

/* ---- registers, for kprobes --------------------------------------------------------------------- */

/* Argument 1, 2 or 3 of the function that is entered. */
static __always_inline __u64 nsn_regs_argument(struct pt_regs *regs, int number)
{
	return number == 1   ? PT_REGS_PARM1(regs)
	       : number == 2 ? PT_REGS_PARM2(regs)
			     : PT_REGS_PARM3(regs);
}

static __always_inline __u64 nsn_regs_result(struct pt_regs *regs)
{
	return PT_REGS_RC(regs);
}

/* ---- files --------------------------------------------------------------------------------- */

/*
 * Files are told apart by the release function of their operations: kallsyms has every function,
 * but the operations themselves (data) only with CONFIG_KALLSYMS_ALL.
 */
static __always_inline bool nsn_file_release(struct file *file, __u64 *out)
{
	const struct file_operations *operations = NULL;

	return NSN_GET_POINTER(file, f_op, &operations) && operations &&
	       NSN_GET(operations, release, out);
}

static __always_inline bool nsn_file_private(struct file *file, __u64 *out)
{
	return NSN_GET(file, private_data, out);
}

static __always_inline bool nsn_vcpu_vm(struct kvm_vcpu *vcpu, __u64 *out)
{
	if (!bpf_core_type_exists(struct kvm_vcpu))
		return false;
	return NSN_GET(vcpu, kvm, out);
}

/* 6.4 (b1a5959c69b2): private_data became a struct vfio_device_file; before, the device itself. */
static __always_inline bool nsn_file_vfio_device(struct file *file, __u64 *out)
{
	__u64 private = 0;

	if (!nsn_file_private(file, &private))
		return false;
	if (bpf_core_type_exists(struct vfio_device_file)) {
		struct vfio_device_file *device_file = (void *)private;

		return NSN_GET(device_file, device, out);
	}
	*out = private;
	return bpf_core_type_exists(struct vfio_device);
}

/* The iommufd context that a VFIO character device file is bound to; 0 for none. */
static __always_inline bool nsn_file_iommufd(struct file *file, __u64 *out)
{
	__u64 private = 0;

	if (!nsn_file_private(file, &private))
		return false;
	if (bpf_core_type_exists(struct vfio_device_file)) {
		struct vfio_device_file *device_file = (void *)private;

		return NSN_GET(device_file, iommufd, out);
	}
	*out = 0; /* before 6.4 no device was opened but through its group */
	return bpf_core_type_exists(struct vfio_device);
}

/* The file behind a descriptor of a task; NULL if there is none. */
static __always_inline struct file *nsn_task_file(struct task_struct *task, __u64 fd)
{
	struct files_struct *files = NULL;
	struct fdtable *table = NULL;
	struct file **slots = NULL, *file = NULL;
	__u64 count = 0;

	if (!NSN_GET_POINTER(task, files, &files) || !files ||
	    !NSN_GET_POINTER(files, fdt, &table) || !table || !NSN_GET(table, max_fds, &count) ||
	    fd >= count || !NSN_GET_POINTER(table, fd, &slots) ||
	    bpf_probe_read_kernel(&file, sizeof(file), slots + fd))
		return NULL;
	return file;
}

/* ---- KVM ----------------------------------------------------------------------------------- */

static __always_inline bool nsn_vm_mm(struct kvm *kvm, __u64 *out)
{
	return NSN_GET(kvm, mm, out);
}

static __always_inline bool nsn_vm_creator(struct kvm *kvm, __u64 *out)
{
	return NSN_GET(kvm, userspace_pid, out);
}

/* mm_struct.owner (CONFIG_MEMCG) leads to the process; 0 once it has exited. */
static __always_inline bool nsn_vm_owner(struct kvm *kvm, struct task_struct **out)
{
	struct mm_struct *mm = NULL;

	if (!NSN_GET_POINTER(kvm, mm, &mm) || !mm)
		return false;
	return NSN_GET_POINTER(mm, owner, out);
}

static __always_inline bool nsn_task_pid(struct task_struct *task, __u64 *out)
{
	if (!task) {
		*out = 0;
		return true;
	}
	return NSN_GET(task, tgid, out);
}

/* start_boottime in clock ticks (USER_HZ is 100 on x86), as field 22 of /proc/PID/stat has it. */
static __always_inline bool nsn_task_start(struct task_struct *task, __u64 *out)
{
	struct task_struct *leader = NULL;

	if (!task || !NSN_GET_POINTER(task, group_leader, &leader) || !leader ||
	    !NSN_GET(leader, start_boottime, out))
		return false;
	*out /= 10000000;
	return true;
}

static __always_inline bool nsn_task_comm(struct task_struct *task, char *out, __u32 size)
{
	struct task_struct *leader = NULL;

	if (!task || !NSN_GET_POINTER(task, group_leader, &leader) || !leader)
		return false;
	return nsn_read_string(leader->comm, out, size);
}

static __always_inline bool nsn_task_mm(struct task_struct *task, __u64 *out)
{
	return NSN_GET(task, mm, out);
}

static __always_inline bool nsn_vm_vcpus(struct kvm *kvm, __u64 *out)
{
	return NSN_GET(kvm, created_vcpus, out);
}

static __always_inline bool nsn_vm_noncoherent_dma(struct kvm *kvm, __u64 *out)
{
	return NSN_GET(kvm, arch.noncoherent_dma_count.counter, out);
}

/* Since 6.8 (89ea60c2c7b5); before, a VM had no type on x86. */
static __always_inline bool nsn_vm_type(struct kvm *kvm, __u64 *out)
{
	return NSN_GET(kvm, arch.vm_type, out);
}

static __always_inline bool nsn_has_vm_type(__u64 *out)
{
	struct kvm *kvm = NULL;

	*out = bpf_core_field_exists(kvm->arch.vm_type);
	return true;
}

static __always_inline bool nsn_vm_quirks_disabled(struct kvm *kvm, __u64 *out)
{
	return NSN_GET(kvm, arch.disabled_quirks, out);
}

/*
 * The VM's debugfs folder is called PID-FD after KVM_CREATE_VM's caller and the descriptor it got
 * (kvm_create_vm_debugfs): the only thing that tells several VMs of one process apart.
 */
static __always_inline bool nsn_vm_debugfs(struct kvm *kvm, char *out, __u32 size)
{
	struct dentry *dentry = NULL;
	const unsigned char *name = NULL;

	return NSN_GET_POINTER(kvm, debugfs_dentry, &dentry) && dentry &&
	       NSN_GET_POINTER(dentry, d_name.name, &name) &&
	       nsn_read_string((const char *)name, out, size);
}

/*
 * A VM on KVM's list is alive: kvm_destroy_vm() takes it off before it frees anything. Asked after
 * its facts were read, this tells whether they were a VM's.
 */
static __always_inline bool nsn_vm_is_listed(struct kvm *kvm)
{
	struct list_head *next;

	if (!bpf_core_field_exists(kvm->vm_list))
		return false;
	next = nsn_list_next(&kvm->vm_list);
	return next && nsn_list_prev(next) == &kvm->vm_list;
}

/* A VM's KVM devices; NULL where the module that knows their type has no BTF. */
static __always_inline struct list_head *nsn_vm_devices(struct kvm *kvm)
{
	if (!bpf_core_type_exists(struct kvm_device) || !bpf_core_field_exists(kvm->devices))
		return NULL;
	return &kvm->devices;
}

/* False also where that could not be read, which *unread then tells. */
static __always_inline bool nsn_kvm_device_is_vfio(struct kvm_device *device, bool *unread)
{
	const struct kvm_device_ops *ops = NULL;
	const char *name = NULL;
	char text[12] = {};

	*unread = !NSN_GET_POINTER(device, ops, &ops) || !ops ||
		  !NSN_GET_POINTER(ops, name, &name) || !nsn_read_string(name, text, sizeof(text));
	return !*unread && nsn_text_is(text, "kvm-vfio", 9);
}

static __always_inline struct kvm_vfio *nsn_kvm_device_vfio(struct kvm_device *device)
{
	void *private = NULL;

	NSN_GET_POINTER(device, private, &private);
	return private;
}

static __always_inline bool nsn_kvm_vfio_noncoherent(struct kvm_vfio *vfio, __u64 *out)
{
	return NSN_GET(vfio, noncoherent, out);
}

/* 6.1 (d55d9e7a4572): group_list of kvm_vfio_group became file_list of kvm_vfio_file. */
static __always_inline struct list_head *nsn_kvm_vfio_files(struct kvm_vfio *vfio)
{
	struct kvm_vfio___groups *old = (void *)vfio;

	if (bpf_core_field_exists(vfio->file_list))
		return &vfio->file_list;
	if (bpf_core_field_exists(old->group_list))
		return &old->group_list;
	return NULL;
}

static __always_inline struct file *nsn_kvm_vfio_file(struct list_head *entry)
{
	struct file *file = NULL;

	if (bpf_core_type_exists(struct kvm_vfio_file)) {
		struct kvm_vfio_file *item = NSN_ENTRY(entry, struct kvm_vfio_file, node);

		NSN_GET_POINTER(item, file, &file);
	} else if (bpf_core_type_exists(struct kvm_vfio_group)) {
		struct kvm_vfio_group *item = NSN_ENTRY(entry, struct kvm_vfio_group, node);

		NSN_GET_POINTER(item, file, &file);
	}
	return file;
}

static __always_inline bool nsn_kvm_device_vm(struct kvm_device *device, __u64 *out)
{
	return NSN_GET(device, kvm, out);
}

/*
 * What KVM_SET_DEVICE_ATTR asks of a kvm-vfio device: KVM_DEV_VFIO_FILE (1, once called GROUP) with
 * ADD (1) or DEL (2), and a pointer to the descriptor.
 */
static __always_inline bool nsn_kvm_vfio_attr(struct kvm_device_attr *attr, __u64 *command,
					      __u64 *fd)
{
	__u64 group = 0, address = 0;
	__s32 value = -1;

	if (!NSN_GET(attr, group, &group) || group != 1 || !NSN_GET(attr, attr, command) ||
	    !NSN_GET(attr, addr, &address) ||
	    bpf_probe_read_user(&value, sizeof(value), (void *)address) || value < 0)
		return false;
	*fd = value;
	return true;
}

/* The vCPU that KVM's instruction emulator works for. */
static __always_inline bool nsn_emulator_vcpu(struct x86_emulate_ctxt *emulator, __u64 *out)
{
	return NSN_GET(emulator, vcpu, out);
}

/* A flavour: the whole struct refers to an enum that vmlinux.h only declares, which no BTF can say. */
struct kvm_x86_ops___wbinvd {
	bool (*has_wbinvd_exit)(void);
} __attribute__((preserve_access_index));

/*
 * Does guest WBINVD exit to KVM? kvm_x86_ops.has_wbinvd_exit: AMD's always says yes; Intel's looks
 * into vmcs_config (SECONDARY_EXEC_WBINVD_EXITING, bit 6).
 */
static __always_inline bool nsn_wbinvd_exiting(__u64 *out)
{
	struct kvm_x86_ops___wbinvd *ops = (void *)nsn_symbols[NSN_SYM_KVM_OPS];
	struct vmcs_config *config = (void *)nsn_symbols[NSN_SYM_VMCS_CONFIG];
	__u64 amd = nsn_symbols[NSN_SYM_SVM_WBINVD_EXIT];
	__u64 intel = nsn_symbols[NSN_SYM_VMX_WBINVD_EXIT];
	__u64 answer = 0, controls = 0;

	if (ops)
		NSN_GET(ops, has_wbinvd_exit, &answer);
	else if (!amd != !intel) /* one of the two is loaded: it is the one in use */
		answer = amd ? amd : intel;
	if (answer && answer == amd) {
		*out = 1;
		return true;
	}
	if (!answer || answer != intel || !config || !bpf_core_type_exists(struct vmcs_config) ||
	    !NSN_GET(config, cpu_based_2nd_exec_ctrl, &controls))
		return false;
	*out = !!(controls & (1 << 6));
	return true;
}

/* 6.2 (4989764d8ed3): KVM asks each device's capability; before, the state of the domains. */
static __always_inline bool nsn_criterion_capability(__u64 *out)
{
	*out = bpf_core_enum_value_exists(enum iommu_cap, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
	return true;
}

/* ---- VFIO ---------------------------------------------------------------------------------- */

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

/* ---- IOMMU core and drivers ---------------------------------------------------------------- */

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
static __always_inline bool nsn_iommu_ops_symbol(const struct iommu_ops *ops, char *out,
						 __u32 size)
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

#endif /* NSN_CORE_COMPAT_BPF_H */
