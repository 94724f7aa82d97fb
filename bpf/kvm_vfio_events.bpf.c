// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvm_vfio_events.bpf.c - groups and devices that a VMM tells KVM about, and what KVM finds then.
 *
 * Kernel side. It reads KVM's and VFIO's types, so it is loaded anew when either module comes; what
 * counts (kvm_events.bpf.c) is not interrupted by that.
 */
#include "events.bpf.h"

/* What KVM finds after a file came or went: told with that file. */
static __always_inline int on_coherency(void *ctx, __u64 device, __u64 b, __u64 c, __u64 result,
					const struct nsn_call *call)
{
	struct nsn_call *outer = nsn_call__current(NSN_CALL_KVM_FILE);
	struct kvm_vfio *vfio = nsn_kvm_device_vfio((struct kvm_device *)device);

	if (outer && vfio && nsn_kvm_vfio_noncoherent(vfio, &outer->value))
		outer->known = 1;
	return 0;
}

NSN_AT_VOID_EXIT(kvm_coherency, NSN_CALL_KVM_COHERENCY, 1, on_coherency)

/* ---- files given to kvm-vfio ----------------------------------------------------------------- */

/* The group behind a descriptor that the running task gave to kvm-vfio. */
static __always_inline void fill_file(struct nsn_rec_event *rec, __u64 fd)
{
	struct file *file = nsn_task_file((void *)bpf_get_current_task(), fd);
	__u64 release = 0, private = 0, object = 0, group = 0;

	if (!file || !nsn_file_release(file, &release) || !release ||
	    !nsn_file_private(file, &private))
		return;
	if (release == nsn_symbols[NSN_SYM_VFIO_GROUP_RELEASE]) {
		object = private;
	} else if (release == nsn_symbols[NSN_SYM_VFIO_DEVICE_RELEASE]) {
		NSN_FILL(rec, event, vfio_device, nsn_file_vfio_device, private);
		if (rec->vfio_device)
			nsn_vfio_device_group((struct vfio_device *)rec->vfio_device, &object);
	}
	if (!object)
		return;
	NSN_SET(rec, event, vfio_group, object);
	NSN_FILL(rec, event, container, nsn_vfio_group_container, (struct vfio_group *)object);
	if (nsn_vfio_group_iommu_group((struct vfio_group *)object, &group) && group)
		nsn_event__group(rec, (struct iommu_group *)group);
}

static __always_inline int on_kvm_file(void *ctx, __u64 device, __u64 attr, __u64 c, __u64 result,
				       const struct nsn_call *call)
{
	__u64 command = 0, fd = 0, kvm = 0;
	struct nsn_rec_event *rec;

	if (!nsn_kvm_vfio_attr((struct kvm_device_attr *)attr, &command, &fd) ||
	    (command != 1 && command != 2))
		return 0;
	rec = nsn_event__begin(command == 1 ? NSN_EVENT_KVM_FILE_ADD : NSN_EVENT_KVM_FILE_DEL);
	if (!rec)
		return 0;
	nsn_event__result(rec, NSN_INT(result));
	nsn_event__duration(rec, call);
	if (nsn_kvm_device_vm((struct kvm_device *)device, &kvm) && kvm) {
		NSN_SET(rec, event, vm, kvm);
		NSN_FILL(rec, event, registrations, nsn_vm_noncoherent_dma, (struct kvm *)kvm);
	}
	if (call->known)
		NSN_SET(rec, event, noncoherent, call->value);
	fill_file(rec, fd);
	nsn_event__submit(rec);
	return 0;
}

NSN_AT_BOTH(kvm_file, NSN_CALL_KVM_FILE, 2, nsn_enter_nothing, on_kvm_file)
