// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvm.bpf.c - KVM's side of a snapshot: each VM, its registrations of non-coherent DMA, and the
 * files its kvm-vfio devices were given.
 *
 * Kernel side. The second root: KVM's vm_list has VMs that no descriptor holds any more. Nothing
 * pins what it shows, so a VM counts only if it is still on the list after it was read.
 */
#include "core_compat.bpf.h"

#define MAX_VMS            65536
#define MAX_KVM_DEVICES    1024
#define MAX_KVM_VFIO_FILES 4096

NSN_STATE struct nsn_walk vms;            /* KVM's list */
NSN_STATE struct nsn_walk kvm_devices;    /* the KVM devices of one VM */
NSN_STATE struct nsn_walk kvm_vfio_files; /* the files of one kvm-vfio device */

/* The VM that is described now, and what its kvm-vfio devices say. */
NSN_STATE struct {
	struct kvm *kvm;
	__u64 kvm_vfio_devices;
	__u64 noncoherent;
	bool noncoherent_known;
	bool complete;
	volatile bool has_devices; /* else what follows a test of it comes in two copies */
} vm_now;

static __always_inline void fill_device_file(struct nsn_rec_vm_file *rec, struct file *file)
{
	__u64 private = 0;

	if (!nsn_file_private(file, &private))
		return;
	NSN_FILL(rec, vm_file, vfio_device, nsn_file_vfio_device, private);
	NSN_FILL(rec, vm_file, iommufd, nsn_file_iommufd, private);
}

NSN_GLOBAL int describe_file(__u64 address)
{
	struct file *file = (struct file *)address;
	struct nsn_rec_vm_file *rec;
	__u64 release = 0;

	NSN_BEGIN(rec, VM_FILE);
	NSN_SET(rec, vm_file, vm, vm_now.kvm);
	if (file && nsn_file_release(file, &release)) {
		NSN_SET(rec, vm_file, kind, NSN_FILE_NONE);
		if (release == nsn_symbols[NSN_SYM_VFIO_GROUP_RELEASE]) {
			rec->kind = NSN_FILE_GROUP;
			NSN_FILL(rec, vm_file, vfio_group, nsn_file_private, file);
		} else if (release == nsn_symbols[NSN_SYM_VFIO_DEVICE_RELEASE]) {
			rec->kind = NSN_FILE_VFIO_DEVICE;
			fill_device_file(rec, file);
		}
	}
	NSN_SUBMIT(rec);
	return 0;
}

static long each_file(__u32 index, void *unused)
{
	struct list_head *entry = nsn_walk__next(&kvm_vfio_files);

	if (!entry)
		return 1;
	describe_file((__u64)nsn_kvm_vfio_file(entry));
	return 0;
}

static __always_inline void walk_files(struct kvm_vfio *vfio)
{
	struct list_head *head = nsn_kvm_vfio_files(vfio);
	__u64 noncoherent = 0;

	if (nsn_kvm_vfio_noncoherent(vfio, &noncoherent)) {
		vm_now.noncoherent |= noncoherent;
		vm_now.noncoherent_known = true;
	}
	if (!head) { /* this kernel calls the list by a name we do not know */
		vm_now.complete = false;
		return;
	}
	nsn_walk__start(&kvm_vfio_files, head);
	bpf_loop(MAX_KVM_VFIO_FILES + 1, each_file, NULL, 0);
	if (!kvm_vfio_files.complete)
		vm_now.complete = false;
	if (nsn_walk__cut(&kvm_vfio_files, MAX_KVM_VFIO_FILES))
		NSN_TRUNCATED(NSN_LIST_KVM_VFIO_FILES, MAX_KVM_VFIO_FILES, vm, vm_now.kvm);
}

static long each_kvm_device(__u32 index, void *unused)
{
	struct list_head *entry = nsn_walk__next(&kvm_devices);
	struct kvm_device *device;
	struct kvm_vfio *vfio;
	bool unread = false;

	if (!entry)
		return 1;
	device = NSN_ENTRY(entry, struct kvm_device, vm_node);
	if (!nsn_kvm_device_is_vfio(device, &unread)) {
		if (unread)
			vm_now.complete = false;
		return 0;
	}
	vm_now.kvm_vfio_devices++;
	vfio = nsn_kvm_device_vfio(device);
	if (vfio && bpf_core_type_exists(struct kvm_vfio))
		walk_files(vfio);
	else
		vm_now.complete = false;
	return 0;
}

static __always_inline void fill_vm(struct nsn_rec_vm *rec, struct kvm *kvm)
{
	struct task_struct *owner = NULL, *leader;

	NSN_SET(rec, vm, vm, kvm);
	NSN_FILL(rec, vm, mm, nsn_vm_mm, kvm);
	NSN_FILL(rec, vm, creator, nsn_vm_creator, kvm);
	NSN_FILL_STR(rec, vm, debugfs, nsn_vm_debugfs, kvm);
	NSN_FILL(rec, vm, vcpus, nsn_vm_vcpus, kvm);
	NSN_FILL(rec, vm, noncoherent_dma, nsn_vm_noncoherent_dma, kvm);
	NSN_FILL(rec, vm, vm_type, nsn_vm_type, kvm);
	NSN_FILL(rec, vm, quirks_disabled, nsn_vm_quirks_disabled, kvm);
	if (nsn_vm_owner(kvm, &owner)) {
		NSN_FILL(rec, vm, pid, nsn_task_pid, owner);
		leader = nsn_task_leader(owner);
		NSN_FILL(rec, vm, start_ticks, nsn_task_start, leader);
		NSN_FILL_STR(rec, vm, comm, nsn_task_comm, leader);
	}
}

NSN_GLOBAL int describe_vm(__u64 address)
{
	struct kvm *kvm = (struct kvm *)address;
	struct list_head *head = nsn_vm_devices(kvm);
	struct nsn_rec_vm *rec;

	if (!bpf_core_type_exists(struct kvm))
		return 0;
	NSN_CLEAR(&vm_now);
	vm_now.kvm = kvm;
	vm_now.complete = true;
	vm_now.has_devices = head != NULL;
	if (vm_now.has_devices) {
		nsn_walk__start(&kvm_devices, head);
		bpf_loop(MAX_KVM_DEVICES + 1, each_kvm_device, NULL, 0);
		if (nsn_walk__cut(&kvm_devices, MAX_KVM_DEVICES))
			NSN_TRUNCATED(NSN_LIST_KVM_DEVICES, MAX_KVM_DEVICES, vm, kvm);
	}
	NSN_BEGIN(rec, VM);
	fill_vm(rec, kvm);
	if (vm_now.has_devices) {
		NSN_SET(rec, vm, complete, vm_now.complete && kvm_devices.complete);
		NSN_SET(rec, vm, kvm_vfio_devices, vm_now.kvm_vfio_devices);
		if (vm_now.noncoherent_known || !vm_now.kvm_vfio_devices)
			NSN_SET(rec, vm, kvm_vfio_noncoherent, vm_now.noncoherent);
	}
	if (nsn_vm_is_listed(kvm)) /* else it ended while we read */
		NSN_SUBMIT(rec);
	return 0;
}

static bool vms_are_given; /* by the batch, not by KVM's list */

static long each_vm(__u32 index, void *unused)
{
	struct kvm *kvm = NULL;
	struct list_head *entry;

	if (vms_are_given) {
		if (index < NSN_BATCH)
			kvm = (struct kvm *)nsn_batch[index];
	} else {
		entry = nsn_walk__next(&vms);
		if (entry)
			kvm = NSN_ENTRY(entry, struct kvm, vm_list);
	}
	if (!kvm)
		return 1;
	describe_vm((__u64)kvm);
	return 0;
}

static __always_inline void describe_kvm(__u64 listed)
{
	struct nsn_rec_kernel *rec;

	NSN_BEGIN(rec, KERNEL);
	NSN_SET(rec, kernel, vm_list, listed);
	NSN_FILL(rec, kernel, wbinvd_exiting, nsn_wbinvd_exiting);
	NSN_FILL(rec, kernel, criterion_capability, nsn_criterion_capability);
	NSN_FILL(rec, kernel, vm_types, nsn_has_vm_type);
	NSN_FILL(rec, kernel, guest_mtrrs, nsn_kvm_guest_mtrrs);
	NSN_FILL(rec, kernel, quirk_mask, nsn_kvm_quirk_mask);
	NSN_FILL(rec, kernel, quirks_supported, nsn_kvm_quirks);
	NSN_SUBMIT(rec);
}

/* With a head: every VM of KVM's list, and what KVM does here. Without: the VMs of the batch. */
SEC("syscall")
int walk_vms(struct nsn_walk_args *args)
{
	if (!bpf_core_type_exists(struct kvm))
		return NSN_WALK_NO_TYPES;
	vms_are_given = !args->head;
	if (args->head)
		nsn_walk__start(&vms, (struct list_head *)args->head);
	bpf_loop(args->head ? MAX_VMS + 1 : args->count, each_vm, NULL, 0);
	if (args->head && !vms.complete)
		NSN_TRUNCATED(NSN_LIST_VMS, MAX_VMS, vm, 0);
	if (args->head || !args->count)
		describe_kvm(args->head && vms.complete);
	return 0;
}
