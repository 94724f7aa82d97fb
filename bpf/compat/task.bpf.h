/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * task.bpf.h - registers, tasks and files: what no subsystem of ours owns.
 *
 * Kernel side, a part of core_compat.bpf.h, which says what an accessor is. Include that.
 */
#ifndef NSN_COMPAT_TASK_BPF_H
#define NSN_COMPAT_TASK_BPF_H

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

/*
 * The device of a VFIO device's file, by the file's private data. 6.4 (b1a5959c69b2): that became a struct
 * vfio_device_file; before, it was the device itself.
 */
static __always_inline bool nsn_file_vfio_device(__u64 private, __u64 *out)
{
	if (bpf_core_type_exists(struct vfio_device_file)) {
		struct vfio_device_file *device_file = (void *)private;

		return NSN_GET(device_file, device, out);
	}
	*out = private;
	return bpf_core_type_exists(struct vfio_device);
}

/* The iommufd context that such a file is bound to; 0 for none. */
static __always_inline bool nsn_file_iommufd(__u64 private, __u64 *out)
{
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

static __always_inline bool nsn_task_pid(struct task_struct *task, __u64 *out)
{
	if (!task) {
		*out = 0;
		return true;
	}
	return NSN_GET(task, tgid, out);
}

/* The first thread of a task's process; NULL: there is none. */
static __always_inline struct task_struct *nsn_task_leader(struct task_struct *task)
{
	struct task_struct *leader = NULL;

	if (task)
		NSN_GET_POINTER(task, group_leader, &leader);
	return leader;
}

/*
 * When a process began, by its leader: start_boottime in clock ticks (USER_HZ is 100 on x86), as field 22
 * of /proc/PID/stat has it.
 */
static __always_inline bool nsn_task_start(struct task_struct *leader, __u64 *out)
{
	if (!leader || !NSN_GET(leader, start_boottime, out))
		return false;
	*out /= 10000000;
	return true;
}

/* The name of a process, by its leader. */
static __always_inline bool nsn_task_comm(struct task_struct *leader, char *out, __u32 size)
{
	return leader && nsn_read_string(leader->comm, out, size);
}

static __always_inline bool nsn_task_mm(struct task_struct *task, __u64 *out)
{
	return NSN_GET(task, mm, out);
}

#endif /* NSN_COMPAT_TASK_BPF_H */
