// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * doctor_process.c - what this process may do on the running kernel: capabilities, namespaces,
 * lockdown, and which kinds of BPF program really load. Floor 2.
 */
#include "doctor_internal.h"

#include <errno.h>
#include <bpf/btf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf_load.h"
#include "bpftry.h"
#include "util.h"

/* include/linux/proc_ns.h: the inodes of the initial namespaces, the same in all kernels */
#define INITIAL_USER_NAMESPACE "user:[4026531837]"
#define INITIAL_PID_NAMESPACE  "pid:[4026531836]"

struct capability_row {
	const char *name;
	int number;
	bool admin_implies; /* CAP_SYS_ADMIN will do instead */
	const char *gives;
};

static const struct capability_row capability_rows[] = {
	{ "CAP_BPF", CAP_BPF, true, "everything that is read from the kernel" },
	{ "CAP_PERFMON", CAP_PERFMON, true, "everything that is read from the kernel" },
	{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN, false,
	  "types that only modules define (vms[].links, containers[]); devices[].nosnoop" },
	{ "CAP_SYSLOG", CAP_SYSLOG, false, "every symbol: the kernel hides its addresses" },
	{ "CAP_SYS_PTRACE", CAP_SYS_PTRACE, false,
	  "vms[].name, uuid, vmm where /proc hides other users' processes" },
	{ "CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH, false,
	  "sysfs.* and kallsyms where only root may read them" },
};

/* CapEff of this process; 0 (none) if it can't be read. */
static uint64_t effective_capabilities(void)
{
	char status[4096], *line;

	if (nsn_read_file("", "/proc/self/status", status, sizeof(status)) < 0)
		return 0;
	line = strstr(status, "\nCapEff:");
	return line ? strtoull(line + strlen("\nCapEff:"), NULL, 16) : 0;
}

static bool is_namespace(const char *path, const char *initial)
{
	char link[64];
	ssize_t length = readlink(path, link, sizeof(link) - 1);

	if (length < 0)
		return false;
	link[length] = '\0';
	return strcmp(link, initial) == 0;
}

/* True if /proc is mounted so that other users' processes are hidden. */
static bool proc_hides(void)
{
	char *line = NULL;
	size_t size = 0;
	bool hides = false;
	FILE *mounts = fopen("/proc/self/mounts", "re");

	if (!mounts)
		return true;
	while (!hides && getline(&line, &size, mounts) > 0)
		hides = strstr(line, " /proc proc ") && strstr(line, "hidepid=") &&
			!strstr(line, "hidepid=0") && !strstr(line, "hidepid=off");
	free(line);
	fclose(mounts);
	return hides;
}

static bool can_read_sources(void)
{
	static const char *const sources[] = { "/sys/kernel/btf/vmlinux", "/proc/kallsyms",
					       "/sys/kernel/iommu_groups", "/sys/bus/pci/devices",
					       "/sys/class/iommu" };

	for (size_t i = 0; i < NSN_ARRAY_SIZE(sources); i++)
		if (access(sources[i], R_OK) && errno == EACCES)
			return false;
	return true;
}

/* Why a capability that is not there is not missed either, or NULL. */
static const char *not_needed(const struct capability_row *row)
{
	if (row->number == CAP_SYS_PTRACE && !proc_hides())
		return "not held and not needed: /proc hides nothing";
	if (row->number == CAP_DAC_READ_SEARCH && can_read_sources())
		return "not held and not needed: all can be read";
	return NULL;
}

static int check_capability(struct nsn_doctor *doctor, const struct capability_row *row,
			    uint64_t held, bool initial_user)
{
	bool has = held >> row->number & 1 || (row->admin_implies && held >> CAP_SYS_ADMIN & 1);
	const char *excuse = has && initial_user ? "held" : not_needed(row);
	struct nsn_check *check = nsn_doctor__add(
		doctor, NSN_CHECK_PRIVILEGE, excuse ? NSN_CHECK_OK : NSN_CHECK_MISSING, row->name,
		row->gives, "%s",
		excuse ? excuse
		: has  ? "held in a user namespace, where it does not count"
		       : "not held");

	if (!check)
		return -ENOMEM;
	if (!excuse)
		NSN_REMEDY(check,
			   has ? "run outside of the user namespace, as root"
			       : "run as root, or with %s",
			   row->name);
	return 0;
}

static int check_namespace(struct nsn_doctor *doctor)
{
	bool initial = is_namespace("/proc/self/ns/pid", INITIAL_PID_NAMESPACE);
	struct nsn_check *check = nsn_doctor__add(
		doctor, NSN_CHECK_PRIVILEGE, initial ? NSN_CHECK_OK : NSN_CHECK_MISSING,
		"pid_namespace", "who holds VMs and containers: pids and names of other processes",
		"%s", initial ? "the initial one" : "not the initial one: it hides processes");

	if (!check)
		return -ENOMEM;
	if (!initial)
		NSN_REMEDY(check, "run in the host's pid namespace (--pid=host, hostPID: true)");
	return 0;
}

static int check_lockdown(struct nsn_doctor *doctor)
{
	char text[128] = "";
	long got = nsn_read_file("", "/sys/kernel/security/lockdown", text, sizeof(text));
	bool closed = strstr(text, "[confidentiality]") != NULL;
	struct nsn_check *check = nsn_doctor__add(
		doctor, NSN_CHECK_KERNEL, closed ? NSN_CHECK_MISSING : NSN_CHECK_OK, "lockdown",
		"everything that is read from the kernel", "%s",
		closed    ? "confidentiality: no program may read kernel memory"
		: got < 0 ? "no sign of it: /sys/kernel/security/lockdown is not there"
		: strstr(text, "[integrity]") ? "integrity, which does not matter here"
					      : "none");

	if (!check)
		return -ENOMEM;
	if (closed)
		NSN_REMEDY(check, "boot with lockdown=integrity or without lockdown");
	return 0;
}

static int check_kallsyms(struct nsn_doctor *doctor)
{
	struct nsn_check *check = nsn_doctor__add(
		doctor, NSN_CHECK_KERNEL, NSN_CHECK_OK, "kallsyms",
		"variables to start from: VMs and containers that no descriptor holds", "%s",
		"it has functions and variables");

	if (!check)
		return -ENOMEM;
	if (!doctor->kallsyms.read) {
		check->status = NSN_CHECK_MISSING;
		nsn_format(check->detail, sizeof(check->detail), "/proc/kallsyms: %s",
			   strerror(-doctor->kallsyms_err));
		NSN_REMEDY(check, "a kernel with CONFIG_KALLSYMS=y, and /proc mounted");
	} else if (!doctor->kallsyms.variables) {
		check->status = NSN_CHECK_MISSING;
		nsn_format(check->detail, sizeof(check->detail),
			   "it has functions, but no variables");
		NSN_REMEDY(check, "a kernel with CONFIG_KALLSYMS_ALL=y");
	}
	return 0;
}

/* A trial, how it went, and what does its work if it did not go well. */
struct trial {
	const char *name;
	const char *gives;
	const char *remedy;  /* where it is not a matter of privileges */
	const char *instead; /* NULL: nothing */
	int err;
};

static int add_trial(struct nsn_doctor *doctor, const struct trial *trial, bool privileged)
{
	bool fine = !trial->err || trial->instead;
	struct nsn_check *check = nsn_doctor__add(
		doctor, NSN_CHECK_KERNEL, fine ? NSN_CHECK_OK : NSN_CHECK_MISSING, trial->name,
		trial->gives, "%s%s%s", trial->err ? nsn_errno_name(trial->err) : "tried: it works",
		trial->err && trial->instead ? ", but will do without: " : "",
		trial->err && trial->instead ? trial->instead : "");

	if (!check)
		return -ENOMEM;
	if (fine)
		return 0;
	if ((trial->err == -EPERM || trial->err == -EACCES) && !privileged)
		NSN_REMEDY(check, "run as root, or with CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN");
	else if (trial->err == -ENOKEY)
		NSN_REMEDY(check, "CAP_SYSLOG, and the sysctl kernel.kptr_restrict below 2");
	else
		NSN_REMEDY(check, "%s", trial->remedy);
	return 0;
}

/* Can kprobes be made? Their device says so, and the right to load programs. */
static int try_kprobe(int syscall_err)
{
	if (access("/sys/bus/event_source/devices/kprobe/type", F_OK))
		return -ENOENT;
	return syscall_err == -EPERM ? -EPERM : 0;
}

static uint32_t function_id(const struct btf *vmlinux, const char *function)
{
	int id = vmlinux ? btf__find_by_name_kind(vmlinux, function, BTF_KIND_FUNC) : 0;

	return id > 0 ? (uint32_t)id : 0;
}

static int check_trials(struct nsn_doctor *doctor, bool privileged)
{
	const struct btf *vmlinux = nsn_types__vmlinux(doctor->types);
	struct trial trials[] = {
		{ .name = "iterator",
		  .gives = "which descriptors hold VMs, containers, groups, devices",
		  .remedy = "Linux 5.11 or later, with BTF and without a lock on reading memory",
		  .err = nsn_try_iterator(function_id(vmlinux, NSN_TRY_ITERATOR)) },
		{ .name = "syscall_programs",
		  .gives = "vms[], containers[], groups[], domains[]",
		  .remedy = "Linux 5.16 or later",
		  .err = nsn_try_syscall() },
		{ .name = "fentry",
		  .gives = "live events",
		  .remedy = "a kernel with CONFIG_FUNCTION_TRACER=y and CONFIG_BPF_EVENTS=y",
		  .err = nsn_try_fentry(function_id(vmlinux, NSN_TRY_FENTRY)) },
		{ .name = "kprobe",
		  .gives = "live events",
		  .remedy = "a kernel with CONFIG_KPROBE_EVENTS=y and CONFIG_BPF_EVENTS=y" },
	};
	struct trial *fentry = &trials[2], *kprobe = &trials[3];
	int err = 0;

	kprobe->err = try_kprobe(trials[1].err);
	doctor->fentry = !fentry->err;
	doctor->kprobe = !kprobe->err;
	fentry->instead = kprobe->err ? NULL : "kprobes";
	kprobe->instead = fentry->err ? NULL : "fentry";
	for (size_t i = 0; !err && i < NSN_ARRAY_SIZE(trials); i++)
		err = add_trial(doctor, &trials[i], privileged);
	return err;
}

int nsn_doctor__check_process(struct nsn_doctor *doctor)
{
	bool initial_user = is_namespace("/proc/self/ns/user", INITIAL_USER_NAMESPACE);
	uint64_t held = effective_capabilities();
	int err = 0;

	for (size_t i = 0; !err && i < NSN_ARRAY_SIZE(capability_rows); i++)
		err = check_capability(doctor, &capability_rows[i], held, initial_user);
	if (!err)
		err = check_namespace(doctor);
	if (!err)
		err = check_trials(doctor, initial_user && held >> CAP_SYS_ADMIN & 1);
	if (!err)
		err = check_kallsyms(doctor);
	return err ? err : check_lockdown(doctor);
}

static const char *const source_gives[] = {
	[NSN_PART_FILES] = "which descriptors hold VMs, containers, groups, devices",
	[NSN_PART_KVM] = "vms[] and all that KVM knows of them",
	[NSN_PART_VFIO] = "containers[], and which VM has which group",
	[NSN_PART_TYPE1] = "containers[].domains, vms[].paths, domains[].coherency.vfio_flag",
	[NSN_PART_IOMMU] = "groups[], domains[], what the IOMMU's driver says",
	[NSN_PART_IOMMUFD] = "containers[] of kind iommufd",
	[NSN_PART_VDPA] = "containers[] of kind vdpa",
};
_Static_assert(NSN_ARRAY_SIZE(source_gives) == NSN_PART_MAX, "a new source has its facts here");

/* The sources of kernel facts, by loading their programs as a snapshot would. */
int nsn_doctor__check_sources(struct nsn_doctor *doctor)
{
	static const enum nsn_check_status statuses[] = {
		[NSN_SOURCE_OK] = NSN_CHECK_OK,
		[NSN_SOURCE_ABSENT] = NSN_CHECK_NOT_APPLICABLE,
		[NSN_SOURCE_FAILED] = NSN_CHECK_MISSING,
	};
	struct nsn_bpf *bpf = NULL;
	int err = nsn_bpf__open(&bpf);

	for (int i = 0; !err && i < NSN_PART_MAX; i++) {
		const struct nsn_bpf_state *state = nsn_bpf__state(bpf, i);
		struct nsn_check *check = nsn_doctor__add(
			doctor, NSN_CHECK_SOURCE, statuses[state->state], state->source,
			source_gives[i], "%s",
			state->state == NSN_SOURCE_OK ? "its programs load" : state->reason);

		if (!check)
			err = -ENOMEM;
		else if (state->state == NSN_SOURCE_FAILED)
			NSN_REMEDY(check, "what the other checks ask for");
	}
	nsn_bpf__close(bpf);
	return err;
}
