// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_collect_proc.c - who a VM is, by fake /proc trees and hostile text; who holds which
 * descriptor.
 */
#include "sysroot.h"

#include <limits.h>

#include "collect_proc.h"
#include "vmname.h"

static struct nsn_records records;

static int setup(void **state)
{
	nsn_records__init(&records);
	return sysroot_make(state);
}

static int teardown(void **state)
{
	nsn_records__free(&records);
	return sysroot_remove(state);
}

/* A process with a start time of `ticks`; argv has `size` bytes with NULs between arguments. */
static void add_process(unsigned int pid, const char *comm, unsigned int ticks, const char *argv,
			size_t size, const char *cgroup)
{
	char path[128], text[512];

	nsn_format(path, sizeof(path), "/proc/%u/stat", pid);
	nsn_format(text, sizeof(text),
		   "%u (%s) S 1 %u %u 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 %u 1000 10\n", pid,
		   comm, pid, pid, ticks);
	sysroot_text(path, text);
	nsn_format(path, sizeof(path), "/proc/%u/cmdline", pid);
	sysroot_bytes(path, argv, size);
	nsn_format(path, sizeof(path), "/proc/%u/cgroup", pid);
	sysroot_text(path, cgroup);
	nsn_format(path, sizeof(path), "/proc/%u/fd", pid);
	sysroot_folder(path);
}

#define ARGV(text) text, sizeof(text)

static const struct nsn_rec_process *collect(unsigned int pid, unsigned int ticks)
{
	nsn_records__clear(&records);
	assert_int_equal(nsn_proc__collect(sysroot, pid, ticks, &records.sink), 0);
	return record_at(&records, NSN_REC_PROCESS, 0);
}

static void test_process(void **state)
{
	const struct nsn_rec_process *process;

	(void)state;
	add_process(1234, "qemu-system-x86", 777,
		    ARGV("/usr/bin/qemu-system-x86_64\0-name\0guest=web1,debug-threads=on\0-uuid\0"
			 "ABCDEF01-2345-6789-abcd-ef0123456789"),
		    "0::/machine.slice/machine-qemu\\x2d3\\x2dother.scope/libvirt/emulator\n");
	process = collect(1234, 777);
	assert_non_null(process);
	assert_int_equal(process->pid, 1234);
	assert_int_equal(process->start_ticks, 777);
	assert_string_equal(process->comm, "qemu-system-x86");
	assert_string_equal(process->name, "web1");
	assert_int_equal(process->name_source, NSN_NAME_ARGV);
	assert_string_equal(process->uuid, "abcdef01-2345-6789-abcd-ef0123456789");
	assert_string_equal(process->vmm, "qemu");
	assert_string_equal(process->cgroup,
			    "/machine.slice/machine-qemu\\x2d3\\x2dother.scope/libvirt/emulator");
	assert_int_equal(records.count, 1);
	assert_non_null(collect(1234, 0)); /* any start time */
}

static void test_name_sources(void **state)
{
	const struct nsn_rec_process *process;

	(void)state;
	add_process(10, "vmm", 1, ARGV("vmm"),
		    "0::/machine.slice/machine-qemu\\x2d3\\x2dweb\\x2d1.scope\n");
	process = collect(10, 1);
	assert_string_equal(process->name, "web-1");
	assert_int_equal(process->name_source, NSN_NAME_CGROUP);
	assert_true(NSN_KNOWS(process, process, uuid));
	assert_string_equal(process->uuid, "");
	assert_string_equal(process->vmm, "");
	/* A zombie or a kernel thread has no arguments. */
	add_process(11, "my vmm) (x", 1, "", 0, "0::/user.slice\n");
	process = collect(11, 1);
	assert_string_equal(process->name, "my vmm) (x");
	assert_string_equal(process->comm, "my vmm) (x");
	assert_int_equal(process->name_source, NSN_NAME_COMM);
}

static void test_cgroup_versions(void **state)
{
	(void)state;
	add_process(10, "a", 1, ARGV("a"), "12:pids:/one\n1:name=systemd:/two\n");
	assert_string_equal(collect(10, 1)->cgroup, "/one");
	add_process(11, "a", 1, ARGV("a"), "12:pids:/one\n0::/unified\n");
	assert_string_equal(collect(11, 1)->cgroup, "/unified");
	/* Hybrid: version 2 is mounted, and nothing sits in it. */
	add_process(12, "a", 1, ARGV("a"), "9:cpu:/\n8:memory:/one\n0::/\n");
	assert_string_equal(collect(12, 1)->cgroup, "/one");
	add_process(13, "a", 1, ARGV("a"), "0::/\n");
	assert_string_equal(collect(13, 1)->cgroup, "/");
}

static void test_another_process(void **state)
{
	(void)state;
	add_process(1234, "sh", 778, ARGV("sh"), "0::/\n");
	assert_null(collect(1234, 777));
	assert_non_null(
		strstr(missing_reason(&records, "vms.name", "pid:1234@777"), "another process"));
	assert_null(collect(4321, 777));
	assert_non_null(strstr(missing_reason(&records, "vms.uuid", "pid:4321@777"), "hidepid"));
	sysroot_text("/proc/1234/stat", "1234 broken");
	assert_null(collect(1234, 0));
	assert_non_null(missing_reason(&records, "vms.name", "pid:1234"));
}

/* What can't be read is unknown, and the rest is there. */
static void test_unreadable_parts(void **state)
{
	const struct nsn_rec_process *process;

	(void)state;
	add_process(10, "vmm", 5, ARGV("vmm"), "0::/\n");
	assert_int_equal(remove(sysroot_path("/proc/10/cmdline")), 0);
	assert_int_equal(remove(sysroot_path("/proc/10/cgroup")), 0);
	process = collect(10, 5);
	assert_string_equal(process->name, "vmm");
	assert_false(NSN_KNOWS(process, process, uuid));
	assert_false(NSN_KNOWS(process, process, vmm));
	assert_false(NSN_KNOWS(process, process, cgroup));
	assert_non_null(missing_reason(&records, "vms.uuid", "pid:10@5"));
	assert_non_null(missing_reason(&records, "vms.cgroup", "pid:10@5"));
}

static void test_hostile_names(void **state)
{
	const struct nsn_rec_process *process;
	static char megabytes[3 * 1024 * 1024];
	static const char start[] = "qemu-system-x86_64\0-name\0guest=";
	static const char tail[] = "\0-uuid\0"
				   "11111111-2222-3333-4444-555555555555";

	(void)state;
	add_process(10, "qemu", 5, ARGV("qemu-system-x86_64\0-name\0\x1b[31m\"a'\n\xff\xc3(b"),
		    "0::/\n");
	process = collect(10, 5);
	assert_string_equal(process->name, "\x1b[31m\"a'\n\xef\xbf\xbd\xef\xbf\xbd(b");
	/* Longer than what is read: the name is cut, what stands behind it not seen, nothing lost.
	 */
	memset(megabytes, 'x', sizeof(megabytes));
	memcpy(megabytes, start, sizeof(start) - 1);
	memcpy(megabytes + sizeof(megabytes) - sizeof(tail), tail, sizeof(tail));
	add_process(11, "qemu", 5, megabytes, sizeof(megabytes), "0::/\n");
	process = collect(11, 5);
	assert_string_equal(process->name, "qemu"); /* its argument had no end: not believed */
	assert_string_equal(process->uuid, "");
	/* Long, but read whole. */
	memcpy(megabytes + 100000, tail, sizeof(tail));
	add_process(12, "qemu", 5, megabytes, 100000 + sizeof(tail), "0::/\n");
	process = collect(12, 5);
	assert_int_equal(process->name_source, NSN_NAME_ARGV);
	assert_true(strlen(process->name) < NSN_TEXT_LEN);
	assert_non_null(strstr(process->name, "\xe2\x80\xa6"));
	assert_string_equal(process->uuid, "11111111-2222-3333-4444-555555555555");
	/* The last NUL is gone: the process wrote over its arguments. */
	add_process(13, "qemu", 5, "kvm\0-name\0web1", 14, "0::/\n");
	assert_string_equal(collect(13, 5)->name, "web1");
}

struct argv_case {
	const char *argv;
	size_t size;
	const char *program, *name, *uuid, *vmm;
};

#define U "11111111-2222-3333-4444-55555555555a"
#define CASE(text, ...)                                                                            \
	{                                                                                          \
		text, sizeof(text), __VA_ARGS__                                                    \
	}

static const struct argv_case argv_cases[] = {
	CASE("qemu-system-x86_64\0-name\0web1", "", "web1", "", "qemu"),
	CASE("qemu-kvm\0--name\0guest=web1\0--uuid\0" U, "", "web1", U, "qemu"),
	CASE("kvm\0-id\0"
	     "100\0-name\0web1,debug-threads=on\0-smbios\0type=1,uuid=" U,
	     "", "web1", U, "qemu"),
	CASE("kvm\0-smbios\0type=0,uuid=" U, "", "", "", "qemu"),
	CASE("kvm\0-uuid\0" U "\0-smbios\0type=1,uuid=21111111-2222-3333-4444-555555555555", "", "",
	     U, "qemu"),
	CASE("qemu-system-x86_64\0-name\0process=x,guest=y", "", "y", "", "qemu"),
	CASE("qemu-system-x86_64\0-name\0guest=a,,b,process=p", "", "a,b", "", "qemu"),
	CASE("qemu-system-x86_64\0-name\0a,,b", "", "a,b", "", "qemu"),
	CASE("qemu-system-x86_64\0-name\0a=b", "", "", "", "qemu"),
	CASE("qemu-system-x86_64\0-name\0guest=a=b", "", "a=b", "", "qemu"),
	CASE("qemu-system-x86_64\0-name\0first\0-name\0guest=last", "", "last", "", "qemu"),
	CASE("qemu-system-x86_64\0-name", "", "", "", "qemu"),
	CASE("qemu-system-x86_64\0-name\0,,,", "", ",", "", "qemu"),
	CASE("qemu-system-x86_64\0-append\0-name guest=lure", "", "", "", "qemu"),
	CASE("qemu-system-x86_64\0-name=lure", "", "", "", "qemu"),
	CASE("qemu-system-x86_64\0-uuid\0"
	     "1111111122223333444455555555555a",
	     "", "", "", "qemu"),
	CASE("qemu-system-x86_64\0-uuid\0"
	     "g1111111-2222-3333-4444-555555555555",
	     "", "", "", "qemu"),
	CASE("qemu-system-x86_64\0-uuid\0" U "0", "", "", "", "qemu"),
	CASE("web1\0-name\0web1", "/usr/libexec/qemu-kvm (deleted)", "web1", "", "qemu"),
	CASE("x\0-name\0web1", "/nix/store/.qemu-system-x86_64-wrapped", "web1", "", "qemu"),
	CASE("cloud-hypervisor\0--api-socket\0/run/vm/"
	     "web1.sock\0--platform\0num_pci_segments=2,uuid=" U,
	     "", "web1", U, "cloud-hypervisor"),
	CASE("cloud-hypervisor\0--api-socket=path=/run/vc/vm/web1/clh-api.sock", "", "web1", "",
	     "cloud-hypervisor"),
	CASE("cloud-hypervisor-static\0--api-socket\0fd=27", "", "", "", "cloud-hypervisor"),
	CASE("cloud-hypervisor\0--api-socket\0/run/libvirt/ch/web1-socket", "", "web1", "",
	     "cloud-hypervisor"),
	CASE("cloud-hypervisor\0--api-socket\0api.sock", "", "", "", "cloud-hypervisor"),
	CASE("crosvm\0run\0--name\0web1", "", "web1", "", "crosvm"),
	CASE("crosvm\0run\0--name=web1", "", "web1", "", "crosvm"),
	CASE("/firecracker\0--id=web1", "", "web1", "", "firecracker"),
	CASE("firecracker-v1.7.0\0--id\0web1\0--api-sock\0/x", "", "web1", "", "firecracker"),
	CASE("firecracker\0--identity\0web1", "", "", "", "firecracker"),
	CASE("labvm\0-name\0guest=web1\0-uuid\0" U, "", "web1", U, ""),
	CASE("java\0-name\0web1", "", "", "", ""),
	CASE("java\0-name\0web1,guest=x", "", "x", "", ""),
	CASE("", "", "", "", ""),
};

static void test_command_lines(void **state)
{
	struct nsn_vmname name;

	(void)state;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(argv_cases); i++) {
		const struct argv_case *c = &argv_cases[i];

		nsn_vmname__from_argv(c->argv, c->size, c->program, &name);
		if (strcmp(name.name, c->name) || strcmp(name.uuid, c->uuid) ||
		    strcmp(name.vmm, c->vmm))
			fail_msg("case %zu (%s): '%s' '%s' '%s'", i, c->argv, name.name, name.uuid,
				 name.vmm);
	}
}

/* Every beginning of a command line, cut without mercy: no reading past its end (ASan sees). */
static void test_cut_command_lines(void **state)
{
	struct nsn_vmname name;

	(void)state;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(argv_cases); i++) {
		for (size_t size = 0; size <= argv_cases[i].size; size++) {
			char *exact = malloc(size ? size : 1);

			assert_non_null(exact);
			memcpy(exact, argv_cases[i].argv, size);
			nsn_vmname__from_argv(exact, size, "", &name);
			assert_true(memchr(name.name, 0, sizeof(name.name)) != NULL);
			assert_true(strlen(name.uuid) == 0 || strlen(name.uuid) == 36);
			free(exact);
		}
	}
}

static void test_cgroup_names(void **state)
{
	static const struct {
		const char *path, *name;
	} cases[] = {
		{ "/machine.slice/machine-qemu\\x2d3\\x2dweb1.scope", "web1" },
		{ "/machine.slice/machine-qemu\\x2d12\\x2da\\x2db.scope/libvirt/emulator", "a-b" },
		{ "/machine.slice/machine-web1.scope", "web1" },
		{ "/machine.slice/machine-qemu\\x2dx.scope", "qemu-x" },
		{ "/machine.slice/machine-a\\x2gb\\x.scope", "a\\x2gb\\x" },
		{ "/machine.slice/machine-a\\x00b.scope", "a\\x00b" },
		{ "/machine/qemu-3-web1.libvirt-qemu/emulator", "web1" },
		{ "/qemu.slice/100.scope", "100" },
		{ "/other.slice/100.scope", NULL },
		{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-"
		  "pod11111111_2222_3333_4444_55555555555a.slice/cri-containerd-0.scope",
		  "pod" U },
		{ "/kubepods/burstable/pod" U "/0123", "pod" U },
		{ "/kubepods/besteffort/podless", NULL },
		{ "/user.slice/user-0.slice/session-1.scope", NULL },
		{ "/machine.slice/machine-.scope", NULL },
		{ "/", NULL },
		{ "", NULL },
		{ "////", NULL },
	};
	char name[64];

	(void)state;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(cases); i++) {
		bool found = nsn_vmname__from_cgroup(cases[i].path, name, sizeof(name));

		if (found != (cases[i].name != NULL) || (found && strcmp(name, cases[i].name)))
			fail_msg("%s: %s", cases[i].path, found ? name : "no name");
	}
}

static void add_descriptor(unsigned int pid, unsigned int fd, const char *target)
{
	char path[128];

	nsn_format(path, sizeof(path), "/proc/%u/fd/%u", pid, fd);
	sysroot_link(path, target);
}

static void test_scan(void **state)
{
	static const struct {
		const char *target;
		enum nsn_file_kind kind;
	} cases[] = {
		{ "anon_inode:kvm-vm", NSN_FILE_VM },
		{ "anon_inode:kvm-vcpu:12", NSN_FILE_VCPU },
		{ "anon_inode:kvm-vm-stats", NSN_FILE_NONE },
		{ "anon_inode:kvm-vcpu-stats:1", NSN_FILE_NONE },
		{ "anon_inode:kvm-vcpu:", NSN_FILE_NONE },
		{ "anon_inode:kvm-vfio", NSN_FILE_NONE },
		{ "anon_inode:[vfio-device]", NSN_FILE_VFIO_DEVICE },
		{ "/dev/vfio/devices/vfio3", NSN_FILE_VFIO_DEVICE },
		{ "/dev/vfio/vfio", NSN_FILE_CONTAINER },
		{ "/dev/vfio/17", NSN_FILE_GROUP },
		{ "/dev/vfio/noiommu-0", NSN_FILE_GROUP },
		{ "/dev/vfio/17x", NSN_FILE_NONE },
		{ "/dev/iommu", NSN_FILE_IOMMUFD },
		{ "/dev/vhost-vdpa-0", NSN_FILE_VDPA },
		{ "/dev/kvm", NSN_FILE_NONE },
		{ "/dev/null", NSN_FILE_NONE },
	};
	const struct nsn_rec_file *file;
	size_t expected = 0;

	(void)state;
	add_process(20, "holder", 99, ARGV("holder"), "0::/\n");
	add_process(21, "other", 98, ARGV("other"), "0::/\n");
	sysroot_text("/proc/uptime", "1 1\n");
	for (unsigned int i = 0; i < NSN_ARRAY_SIZE(cases); i++)
		add_descriptor(20, 100 + i, cases[i].target);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(cases); i++)
		expected += cases[i].kind != NSN_FILE_NONE;
	assert_int_equal(nsn_proc__scan_files(sysroot, &records.sink), 0);
	for (size_t i = 0; (file = record_at(&records, NSN_REC_FILE, i)); i++) {
		assert_in_range(file->fd, 100, 100 + NSN_ARRAY_SIZE(cases) - 1);
		assert_int_equal(file->kind, cases[file->fd - 100].kind);
		assert_int_equal(file->pid, 20);
		assert_int_equal(file->tid, 20);
		assert_int_equal(file->start_ticks, 99);
		assert_string_equal(file->comm, "holder");
		/* Which object it is, a name does not tell. */
		assert_false(NSN_KNOWS(file, file, vm));
		assert_false(NSN_KNOWS(file, file, container));
		assert_false(NSN_KNOWS(file, file, vfio_group));
		assert_false(NSN_KNOWS(file, file, vfio_device));
		assert_false(NSN_KNOWS(file, file, iommufd));
		assert_false(NSN_KNOWS(file, file, vdpa));
		assert_false(NSN_KNOWS(file, file, mm));
	}
	assert_int_equal(records.count, expected);
}

/* A process whose folder of descriptors can't be opened is counted. */
static void test_scan_denied(void **state)
{
	const char *reason;

	(void)state;
	add_process(20, "holder", 99, ARGV("holder"), "0::/\n");
	add_process(21, "closed", 99, ARGV("closed"), "0::/\n");
	assert_int_equal(rmdir(sysroot_path("/proc/21/fd")), 0);
	sysroot_text("/proc/21/fd", "no folder");
	add_descriptor(20, 3, "anon_inode:kvm-vm");
	assert_int_equal(nsn_proc__scan_files(sysroot, &records.sink), 0);
	assert_non_null(record_at(&records, NSN_REC_FILE, 0));
	reason = missing_reason(&records, "files", "");
	assert_non_null(reason);
	assert_non_null(strstr(reason, "1 of 2 processes"));
	assert_non_null(strstr(reason, "CAP_SYS_PTRACE"));
}

static void test_no_proc(void **state)
{
	(void)state;
	assert_int_equal(nsn_proc__scan_files(sysroot, &records.sink), 0);
	assert_non_null(missing_reason(&records, "files", ""));
	assert_int_equal(nsn_proc__source(sysroot, &records.sink), 0);
	assert_int_equal(source_of(&records, "proc")->state, NSN_SOURCE_FAILED);
	nsn_records__clear(&records);
	sysroot_text("/proc/stat", "cpu 1\n");
	assert_int_equal(nsn_proc__source(sysroot, &records.sink), 0);
	assert_int_equal(source_of(&records, "proc")->state, NSN_SOURCE_OK);
}

/* This very process, in the real /proc. */
static void test_live(void **state)
{
	const struct nsn_rec_process *process;
	uint64_t started;

	(void)state;
	assert_int_equal(nsn_proc__collect("", getpid(), 0, &records.sink), 0);
	process = record_at(&records, NSN_REC_PROCESS, 0);
	assert_non_null(process);
	assert_int_equal(process->pid, getpid());
	assert_true(process->start_ticks > 0);
	assert_true(NSN_KNOWS(process, process, cgroup));
	started = process->start_ticks;
	nsn_records__clear(&records);
	assert_int_equal(nsn_proc__collect("", getpid(), started + 1, &records.sink), 0);
	assert_null(record_at(&records, NSN_REC_PROCESS, 0));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_process),
		TEST(test_name_sources),
		TEST(test_cgroup_versions),
		TEST(test_another_process),
		TEST(test_unreadable_parts),
		TEST(test_hostile_names),
		TEST(test_command_lines),
		TEST(test_cut_command_lines),
		TEST(test_cgroup_names),
		TEST(test_scan),
		TEST(test_scan_denied),
		TEST(test_no_proc),
		TEST(test_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
