// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * files.bpf.c - the first root of a snapshot: every file of every task, and the symbols that the
 * other programs need.
 *
 * Kernel side. The iterator runs once a descriptor of the machine, so it does one comparison
 * chain for the many and emits a record for the few. It has no side effects: an element that
 * overflows the seq buffer is shown again, and user space removes duplicates by the object.
 */
#include "core_compat.bpf.h"

/* Symbol names, written by user space; nsn_symbols[] receives the addresses. */
char nsn_symbol_names[NSN_SYM_MAX][NSN_SYMBOL_LEN];

#define EPERM 1

/* A kernel that hides its addresses refuses every name: that is not "no such symbol". */
SEC("syscall")
int resolve_symbols(void *ctx)
{
	for (int i = 0; i < NSN_SYM_MAX; i++) {
		__u64 address = 0;

		if (bpf_kallsyms_lookup_name(nsn_symbol_names[i], NSN_SYMBOL_LEN, 0, &address) ==
		    -EPERM)
			return NSN_RESOLVE_REFUSED;
		nsn_symbols[i] = address;
	}
	return 0;
}

static __always_inline __u64 classify(const void *release)
{
	__u64 address = (__u64)release;

	if (!address)
		return NSN_FILE_NONE;
	if (address == nsn_symbols[NSN_SYM_KVM_VM_RELEASE])
		return NSN_FILE_VM;
	if (address == nsn_symbols[NSN_SYM_KVM_VCPU_RELEASE])
		return NSN_FILE_VCPU;
	if (address == nsn_symbols[NSN_SYM_VFIO_CONTAINER_RELEASE])
		return NSN_FILE_CONTAINER;
	if (address == nsn_symbols[NSN_SYM_VFIO_GROUP_RELEASE])
		return NSN_FILE_GROUP;
	if (address == nsn_symbols[NSN_SYM_VFIO_DEVICE_RELEASE])
		return NSN_FILE_VFIO_DEVICE;
	if (address == nsn_symbols[NSN_SYM_IOMMUFD_RELEASE])
		return NSN_FILE_IOMMUFD;
	if (address == nsn_symbols[NSN_SYM_VDPA_RELEASE])
		return NSN_FILE_VDPA;
	return NSN_FILE_NONE;
}

static __always_inline void fill_object(struct nsn_rec_file *rec, struct file *file)
{
	__u64 object = 0;

	if (!nsn_file_private(file, &object))
		return;
	switch (rec->kind) {
	case NSN_FILE_VM:
		NSN_SET(rec, file, vm, object);
		break;
	case NSN_FILE_VCPU:
		NSN_FILL(rec, file, vm, nsn_vcpu_vm, (struct kvm_vcpu *)object);
		break;
	case NSN_FILE_CONTAINER:
		NSN_SET(rec, file, container, object);
		break;
	case NSN_FILE_GROUP:
		NSN_SET(rec, file, vfio_group, object);
		break;
	case NSN_FILE_VFIO_DEVICE:
		NSN_FILL(rec, file, vfio_device, nsn_file_vfio_device, object);
		NSN_FILL(rec, file, iommufd, nsn_file_iommufd, object);
		break;
	case NSN_FILE_IOMMUFD:
		NSN_SET(rec, file, iommufd, object);
		break;
	case NSN_FILE_VDPA:
		NSN_SET(rec, file, vdpa, object);
		break;
	}
}

SEC("nsn_iter") /* of task_file */
int iterate_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task, *leader;
	struct file *file = ctx->file;
	struct nsn_rec_file rec;
	__u64 kind;

	if (!task || !file)
		return 0;
	kind = classify(file->f_op->release);
	if (kind == NSN_FILE_NONE)
		return 0;
	__builtin_memset(&rec, 0, sizeof(rec));
	rec.h.kind = NSN_REC_FILE;
	rec.h.size = sizeof(rec);
	NSN_SET(&rec, file, kind, kind);
	fill_object(&rec, file);
	NSN_SET(&rec, file, pid, task->tgid);
	NSN_SET(&rec, file, tid, task->pid);
	NSN_SET(&rec, file, fd, ctx->fd);
	NSN_FILL(&rec, file, mm, nsn_task_mm, task);
	leader = nsn_task_leader(task);
	NSN_FILL(&rec, file, start_ticks, nsn_task_start, leader);
	NSN_FILL_STR(&rec, file, comm, nsn_task_comm, leader);
	bpf_seq_write(ctx->meta->seq, &rec, sizeof(rec));
	return 0;
}
