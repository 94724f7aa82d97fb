// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_proc_files.c - who holds a VM's or VFIO's files, by the names of descriptors. Floor 2.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "collect_proc.h"
#include "collect_proc_internal.h"
#include "collect_util.h"

/* The state of one scan. */
struct scan {
	struct nsn_sink *sink;
	uint64_t processes, vanished;
	uint64_t denied; /* processes of which a descriptor could not be read */
};

/* A process whose descriptors are being looked at. */
struct holder {
	int dir;
	uint64_t pid;
	bool stat_tried, stat_known;
	bool denied;
	char comm[64];
	uint64_t start_ticks;
};

/* True if the text is `prefix`, then at least one digit and nothing else. */
static bool is_numbered(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	if (strncmp(text, prefix, length) || !text[length])
		return false;
	for (text += length; *text; text++)
		if (!isdigit((unsigned char)*text))
			return false;
	return true;
}

/*
 * What a descriptor's name tells. Anonymous inodes have the names that the kernel gives them
 * (kvm-vm-stats is another one than kvm-vm); device files the path by which they were opened.
 */
static enum nsn_file_kind kind_by_name(const char *name)
{
	if (!strcmp(name, "anon_inode:kvm-vm"))
		return NSN_FILE_VM;
	if (is_numbered(name, "anon_inode:kvm-vcpu:"))
		return NSN_FILE_VCPU;
	if (!strcmp(name, "anon_inode:[vfio-device]") ||
	    is_numbered(name, "/dev/vfio/devices/vfio") ||
	    is_numbered(name, "/dev/vfio/devices/noiommu-vfio"))
		return NSN_FILE_VFIO_DEVICE;
	if (!strcmp(name, "/dev/vfio/vfio"))
		return NSN_FILE_CONTAINER;
	if (is_numbered(name, "/dev/vfio/") || is_numbered(name, "/dev/vfio/noiommu-"))
		return NSN_FILE_GROUP;
	if (!strcmp(name, "/dev/iommu"))
		return NSN_FILE_IOMMUFD;
	if (is_numbered(name, "/dev/vhost-vdpa-"))
		return NSN_FILE_VDPA;
	return NSN_FILE_NONE;
}

static int emit_file(struct scan *scan, struct holder *holder, enum nsn_file_kind kind, uint64_t fd)
{
	NSN_NEW(rec, FILE, file);

	if (!holder->stat_tried) {
		holder->stat_tried = true;
		holder->stat_known =
			!nsn_proc__read_stat(holder->dir, holder->comm, &holder->start_ticks);
	}
	NSN_PUT(&rec, file, kind, kind);
	NSN_PUT(&rec, file, pid, holder->pid);
	NSN_PUT(&rec, file, tid, holder->pid);
	NSN_PUT(&rec, file, fd, fd);
	if (holder->stat_known) {
		NSN_PUT(&rec, file, start_ticks, holder->start_ticks);
		NSN_PUT_STR(&rec, file, comm, holder->comm);
	}
	return nsn_sink__put(scan->sink, &rec.h);
}

static int scan_descriptors(struct scan *scan, struct holder *holder, DIR *fds)
{
	struct dirent *entry;
	char name[128];
	uint64_t fd;
	int err = 0;

	while (!err && (entry = readdir(fds))) {
		enum nsn_file_kind kind;
		ssize_t length;

		if (nsn_parse_u64(entry->d_name, &fd))
			continue;
		length = readlinkat(dirfd(fds), entry->d_name, name, sizeof(name) - 1);
		if (length < 0) {
			holder->denied |= errno != ENOENT && errno != ESRCH;
			continue;
		}
		name[length] = '\0'; /* a name that fills the buffer is none of ours */
		kind = kind_by_name(name);
		if (kind != NSN_FILE_NONE)
			err = emit_file(scan, holder, kind, fd);
	}
	return err;
}

static int scan_process(struct scan *scan, const char *sysroot, uint64_t pid)
{
	struct holder holder = { .pid = pid, .dir = -1 };
	char path[PATH_MAX];
	int err = 0, fd;
	DIR *fds;

	nsn_format(path, sizeof(path), "%s/proc/%" PRIu64, sysroot, pid);
	scan->processes++;
	holder.dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = holder.dir < 0 ? -1 : openat(holder.dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds = fd < 0 ? NULL : fdopendir(fd);
	if (fds) {
		err = scan_descriptors(scan, &holder, fds);
		closedir(fds);
		scan->denied += holder.denied;
	} else if (errno == ENOENT || errno == ESRCH) {
		scan->vanished++;
	} else {
		scan->denied++;
		if (fd >= 0)
			close(fd);
	}
	if (holder.dir >= 0)
		close(holder.dir);
	return err;
}

static int report_unread(const struct scan *scan)
{
	if (!scan->denied)
		return 0;
	return nsn_collect__missing(scan->sink, "files", "",
				    "descriptors of %" PRIu64 " of %" PRIu64
				    " processes could not be read: needs CAP_SYS_PTRACE",
				    scan->denied, scan->processes - scan->vanished);
}

int nsn_proc__scan_files(const char *sysroot, struct nsn_sink *sink)
{
	struct scan scan = { .sink = sink };
	char path[PATH_MAX], why[128];
	struct dirent *entry;
	uint64_t pid;
	int err = 0;
	DIR *proc;

	nsn_format(path, sizeof(path), "%s/proc", sysroot);
	proc = opendir(path);
	if (!proc)
		return nsn_collect__missing(
			sink, "files", "", "/proc: %s",
			nsn_collect__why(why, sizeof(why), errno, "read access to /proc"));
	while (!err && (entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]) && !nsn_parse_u64(entry->d_name, &pid))
			err = scan_process(&scan, sysroot, pid);
	closedir(proc);
	return err ? err : report_unread(&scan);
}
