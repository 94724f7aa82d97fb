// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_host.c - the host itself: its name, boot, kernel, CPU and VFIO's module parameters.
 * Floor 2.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "collect_sysfs_internal.h"
#include "collect_util.h"

/* PROC_PID_INIT_INO of include/linux/proc_ns.h, the same in every kernel. */
#define INITIAL_PID_NAMESPACE 0xeffffffcULL

/* This machine itself, and not a copy or another's files. */
static bool is_live(const char *root)
{
	return !root[0] || !strcmp(root, "/");
}

/* "ss" among the flags: the CPU snoops its own caches. */
static int put_self_snoop(const char *root, struct nsn_sink *sink, struct nsn_rec_host *rec)
{
	char text[8192], *line, *end;

	nsn_read_file(root, "/proc/cpuinfo", text, sizeof(text));
	line = strstr(text, "\nflags");
	end = line ? strchr(line + 1, '\n') : NULL;
	if (!end)
		return nsn_collect__missing(sink, "host.self_snoop", "",
					    "/proc/cpuinfo does not tell it");
	*end = '\0';
	NSN_PUT(rec, host, self_snoop, strstr(line, " ss ") || !strcmp(end - 3, " ss"));
	return 0;
}

static int put_cpu_vendor(const char *root, struct nsn_sink *sink, struct nsn_rec_host *rec)
{
	char text[4096], vendor[64], *line;

	nsn_read_file(root, "/proc/cpuinfo", text, sizeof(text));
	line = strstr(text, "vendor_id");
	if (!line || sscanf(line, "vendor_id : %63[^\n]", vendor) != 1)
		return nsn_collect__missing(sink, "host.cpu_vendor", "",
					    "/proc/cpuinfo does not tell it");
	for (char *c = vendor; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (!strcmp(vendor, "genuineintel"))
		strcpy(vendor, "intel");
	else if (!strcmp(vendor, "authenticamd"))
		strcpy(vendor, "amd");
	NSN_PUT_STR(rec, host, cpu_vendor, vendor);
	return 0;
}

/* Puts one of the host's strings from a file of /proc, or says that it is missing. */
#define PUT_FILE(field, path, fact)                                                                \
	do {                                                                                       \
		long length_ = nsn_read_file(root, path, text, sizeof(text));                      \
		if (length_ > 0)                                                                   \
			NSN_PUT_STR(rec, host, field, text);                                       \
		else if (!err)                                                                     \
			err = nsn_collect__missing(                                                \
				sink, fact, "", "%s: %s", path,                                    \
				nsn_collect__why(why, sizeof(why),                                 \
						 length_ ? (int)length_ : ENODATA,                 \
						 "read access to /proc"));                         \
	} while (0)

static int put_names(const char *root, struct nsn_sink *sink, struct nsn_rec_host *rec)
{
	struct utsname uts;
	char text[512], why[128];
	int err = 0;

	PUT_FILE(hostname, "/proc/sys/kernel/hostname", "host.hostname");
	PUT_FILE(boot_id, "/proc/sys/kernel/random/boot_id", "host.boot_id");
	PUT_FILE(kernel, "/proc/sys/kernel/osrelease", "host.kernel");
	/* Kernels before 6.1 have no file for the architecture. */
	if (is_live(root) && !uname(&uts))
		NSN_PUT_STR(rec, host, arch, uts.machine);
	else
		PUT_FILE(arch, "/proc/sys/kernel/arch", "host.arch");
	return err;
}

/* btime stands after a line of interrupts that may be very long. */
static int put_boot_time(const char *root, struct nsn_sink *sink, struct nsn_rec_host *rec)
{
	char full[PATH_MAX], text[4096];
	unsigned long long seconds;
	bool line_start = true, found = false;
	FILE *file;

	nsn_format(full, sizeof(full), "%s/proc/stat", root);
	file = fopen(full, "re");
	while (file && !found && fgets(text, sizeof(text), file)) {
		found = line_start && sscanf(text, "btime %llu", &seconds) == 1;
		line_start = strchr(text, '\n');
	}
	if (file)
		fclose(file);
	if (!found || seconds > UINT64_MAX / 1000000000)
		return nsn_collect__missing(sink, "host.boot_time", "",
					    "/proc/stat does not tell it");
	NSN_PUT(rec, host, boot_time, seconds * 1000000000);
	return 0;
}

static int put_pid_namespace(const char *root, struct nsn_sink *sink, struct nsn_rec_host *rec)
{
	char full[PATH_MAX], target[64];
	unsigned long long inode;
	ssize_t length;

	nsn_format(full, sizeof(full), "%s/proc/self/ns/pid", root);
	length = readlink(full, target, sizeof(target) - 1);
	target[length < 0 ? 0 : length] = '\0';
	if (sscanf(target, "pid:[%llu]", &inode) != 1)
		return nsn_collect__missing(sink, "host.pid_namespace", "",
					    "/proc/self/ns/pid cannot be read");
	NSN_PUT(rec, host, pid_namespace_initial, inode == INITIAL_PID_NAMESPACE);
	return 0;
}

/*
 * A boolean parameter of a module: NSN_UNKNOWN, with a MISSING record, if it has no value. Without
 * the module the kernel has no such fact.
 */
static int read_parameter(const char *root, struct nsn_sink *sink, const char *module,
			  const char *parameter, enum nsn_tri *out)
{
	char path[NSN_PATH_LEN], full[PATH_MAX], fact[NSN_SYMBOL_LEN], text[16], why[128];
	long length;

	*out = NSN_UNKNOWN;
	nsn_format(fact, sizeof(fact), "host.vfio.%s", parameter);
	nsn_format(path, sizeof(path), "/sys/module/%s/parameters/%s", module, parameter);
	length = nsn_read_file(root, path, text, sizeof(text));
	if (length > 0 && strchr("YyNn10", text[0])) {
		*out = strchr("Yy1", text[0]) ? NSN_YES : NSN_NO;
		return 0;
	}
	nsn_format(full, sizeof(full), "%s/sys/module", root);
	if (access(full, X_OK))
		return nsn_collect__missing(sink, fact, "", "/sys/module: %s",
					    nsn_collect__why(why, sizeof(why), errno, "sysfs"));
	nsn_format(full, sizeof(full), "%s/sys/module/%s", root, module);
	if (access(full, F_OK))
		return nsn_collect__absent(sink, fact, "module not loaded");
	if (length == -ENOENT)
		return nsn_collect__absent(sink, fact,
					   "this kernel's module has no such parameter");
	return nsn_collect__missing(
		sink, fact, "", "%s: %s", path,
		length < 0 ? nsn_collect__why(why, sizeof(why), (int)length, "read access to /sys")
			   : "no boolean value");
}

static int put_parameters(const char *root, struct nsn_sink *sink, struct nsn_rec_host *rec)
{
	enum nsn_tri value;
	int err;

	err = read_parameter(root, sink, "vfio_iommu_type1", "allow_unsafe_interrupts", &value);
	if (err)
		return err;
	if (value != NSN_UNKNOWN)
		NSN_PUT(rec, host, unsafe_interrupts, value);
	err = read_parameter(root, sink, "vfio", "enable_unsafe_noiommu_mode", &value);
	if (err)
		return err;
	if (value != NSN_UNKNOWN)
		NSN_PUT(rec, host, unsafe_noiommu, value);
	return 0;
}

int nsn_sysfs__host(const char *root, uint64_t taken_at_ns, struct nsn_sink *sink)
{
	static int (*const parts[])(const char *, struct nsn_sink *, struct nsn_rec_host *) = {
		put_names,     put_cpu_vendor,    put_self_snoop,
		put_boot_time, put_pid_namespace, put_parameters,
	};
	NSN_NEW(rec, HOST, host);
	long ticks = sysconf(_SC_CLK_TCK);
	int err = 0;

	NSN_PUT(&rec, host, taken_at, taken_at_ns);
	if (ticks > 0)
		NSN_PUT(&rec, host, ticks_per_second, (uint64_t)ticks);
	for (size_t i = 0; !err && i < NSN_ARRAY_SIZE(parts); i++)
		err = parts[i](root, sink, &rec);
	return err ? err : nsn_sink__put(sink, &rec.h);
}
