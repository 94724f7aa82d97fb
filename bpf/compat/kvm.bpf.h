/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kvm.bpf.h - KVM's layout: VMs, vCPUs, kvm-vfio devices, the instruction emulator.
 *
 * Kernel side, a part of core_compat.bpf.h, which says what an accessor is. Include that.
 */
#ifndef NSN_COMPAT_KVM_BPF_H
#define NSN_COMPAT_KVM_BPF_H

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
	char text[16] __attribute__((aligned(8))) = {};

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

/*
 * Does guest WBINVD exit to KVM? kvm_x86_ops.has_wbinvd_exit: AMD's always says yes; Intel's looks
 * into vmcs_config (SECONDARY_EXEC_WBINVD_EXITING, bit 6).
 */
static __always_inline bool nsn_wbinvd_exiting(__u64 *out)
{
	struct kvm_x86_ops *ops = (void *)nsn_symbols[NSN_SYM_KVM_OPS];
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

struct kvm_mtrr___head {
	struct list_head head;
} __attribute__((preserve_access_index));

/* The list of a guest's MTRRs went with their emulation in 6.11. */
static __always_inline bool nsn_kvm_guest_mtrrs(__u64 *out)
{
	struct kvm_mtrr___head *mtrr = NULL;

	*out = bpf_core_field_exists(mtrr->head);
	return true;
}

struct kvm_caps___quirks {
	__u64 supported_xcr0; /* in every kernel that has the struct: it tells whether its type is known */
	__u64 supported_quirks;
} __attribute__((preserve_access_index));

/* kvm_caps.supported_quirks, 6.15, and stable kernels that took it. */
static __always_inline bool nsn_kvm_quirk_mask(__u64 *out)
{
	struct kvm_caps___quirks *caps = NULL;

	if (!bpf_core_field_exists(caps->supported_xcr0))
		return false;
	*out = bpf_core_field_exists(caps->supported_quirks);
	return true;
}

static __always_inline bool nsn_kvm_quirks(__u64 *out)
{
	struct kvm_caps___quirks *caps = (void *)nsn_symbols[NSN_SYM_KVM_CAPS];

	return caps && bpf_core_type_exists(struct kvm_caps___quirks) &&
	       NSN_GET(caps, supported_quirks, out);
}

/* 6.2 (4989764d8ed3): KVM asks each device's capability; before, the state of the domains. */
static __always_inline bool nsn_criterion_capability(__u64 *out)
{
	*out = bpf_core_enum_value_exists(enum iommu_cap, IOMMU_CAP_ENFORCE_CACHE_COHERENCY);
	return true;
}

#endif /* NSN_COMPAT_KVM_BPF_H */
