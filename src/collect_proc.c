// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_proc.c - one process: its name, its start, and whose VM it runs. Floor 2.
 */
#include "collect_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect_proc_internal.h"
#include "collect_util.h"
#include "vmname.h"

#define ARGV_MAX  (1024 * 1024)
#define HIDES_PID "CAP_SYS_PTRACE (or /proc mounted without hidepid)"

long nsn_proc__read_at(int dir, const char *name, char *out, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t used = 0;
	ssize_t got = 0;
	int err;

	out[0] = '\0';
	if (fd < 0)
		return -errno;
	while (used < size - 1 && (got = read(fd, out + used, size - 1 - used)) > 0)
		used += got;
	err = errno;
	close(fd);
	out[used] = '\0';
	return got < 0 ? -err : (long)used;
}

int nsn_proc__read_stat(int dir, char comm[64], uint64_t *start_ticks)
{
	char text[4096], *open, *close;
	long length = nsn_proc__read_at(dir, "stat", text, sizeof(text));

	if (length < 0)
		return (int)length;
	/* comm may have any bytes, brackets and newlines too: it ends at the last bracket. */
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close || close < open)
		return -EPROTO;
	*close = '\0';
	nsn_format(comm, 64, "%s", open + 1);
	/* Field 22; the state after comm is field 3. */
	if (sscanf(close + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d"
		   " %" SCNu64,
		   start_ticks) != 1)
		return -EPROTO;
	return 0;
}

/* The process's cgroup: version 2's, unless all of it sits in version 1's hierarchies. */
static long read_cgroup(int dir, char *out, size_t size)
{
	char text[16384], *line, *next, first[4096] = "", second[4096] = "";
	long length = nsn_proc__read_at(dir, "cgroup", text, sizeof(text));

	out[0] = '\0';
	if (length < 0)
		return length;
	for (line = text; line && *line; line = next) {
		char *path = strchr(line, ':');

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		path = path ? strchr(path + 1, ':') : NULL;
		if (!path)
			continue;
		if (!strncmp(line, "0::", 3))
			nsn_format(second, sizeof(second), "%s", path + 1);
		else if (!first[0] || !strcmp(first, "/"))
			nsn_format(first, sizeof(first), "%s", path + 1);
	}
	nsn_format(out, size, "%s",
		   second[0] && (strcmp(second, "/") || !first[0]) ? second : first);
	return strlen(out);
}

/* What argv tells, read within bounds. 0 or -errno. */
static int read_argv(int dir, struct nsn_vmname *out)
{
	char program[PATH_MAX], *argv;
	ssize_t linked;
	long length;

	memset(out, 0, sizeof(*out));
	/* The link needs ptrace access: without it argv[0] has to do. */
	linked = readlinkat(dir, "exe", program, sizeof(program) - 1);
	program[linked < 0 ? 0 : linked] = '\0';
	argv = malloc(ARGV_MAX + 1);
	if (!argv)
		return -ENOMEM;
	length = nsn_proc__read_at(dir, "cmdline", argv, ARGV_MAX);
	if (length >= 0) {
		/* A process may have overwritten the last NUL; a cut argument stays without one. */
		if (length < ARGV_MAX - 1)
			length++;
		nsn_vmname__from_argv(argv, length, program, out);
	}
	free(argv);
	return length < 0 ? (int)length : 0;
}

/* The process that is asked for. */
struct asked {
	uint64_t pid, start_ticks;
};

/*
 * MISSING records for `count` facts of the VM that the process runs; the subject is the id of a VM
 * without a UUID. error 0: `what` is the whole reason.
 */
static int missing(struct nsn_sink *sink, const struct asked *asked, const char *const *facts,
		   size_t count, const char *what, int error)
{
	char subject[64], why[128];
	int err = 0;

	if (asked->start_ticks)
		nsn_format(subject, sizeof(subject), "pid:%" PRIu64 "@%" PRIu64, asked->pid,
			   asked->start_ticks);
	else
		nsn_format(subject, sizeof(subject), "pid:%" PRIu64, asked->pid);
	nsn_collect__why(why, sizeof(why), error, HIDES_PID);
	for (size_t i = 0; !err && i < count; i++)
		err = nsn_collect__missing(sink, facts[i], subject, "%s%s%s", what,
					   error ? ": " : "", error ? why : "");
	return err;
}

static int put_argv(int dir, struct nsn_sink *sink, const struct asked *asked,
		    struct nsn_rec_process *rec, struct nsn_vmname *argv)
{
	static const char *const facts[] = { "vms.uuid", "vms.vmm" };
	int err = read_argv(dir, argv);

	if (err == -ENOMEM)
		return err;
	if (err)
		return missing(sink, asked, facts, NSN_ARRAY_SIZE(facts), "its command line", err);
	NSN_PUT_STR(rec, process, uuid, argv->uuid);
	NSN_PUT_STR(rec, process, vmm, argv->vmm);
	return 0;
}

static int put_name(int dir, struct nsn_sink *sink, const struct asked *asked,
		    struct nsn_rec_process *rec, const char *comm)
{
	static const char *const facts[] = { "vms.cgroup" };
	char cgroup[4096], by_cgroup[1024] = "";
	struct nsn_vmname argv;
	long length;
	int err = 0;

	length = read_cgroup(dir, cgroup, sizeof(cgroup));
	if (length >= 0) {
		NSN_PUT_STR(rec, process, cgroup, cgroup);
		nsn_vmname__from_cgroup(cgroup, by_cgroup, sizeof(by_cgroup));
	} else {
		err = missing(sink, asked, facts, 1, "its cgroup", (int)length);
	}
	if (!err)
		err = put_argv(dir, sink, asked, rec, &argv);
	if (err)
		return err;
	if (argv.name[0]) {
		NSN_PUT(rec, process, name_source, NSN_NAME_ARGV);
		NSN_PUT_STR(rec, process, name, argv.name);
	} else if (by_cgroup[0]) {
		NSN_PUT(rec, process, name_source, NSN_NAME_CGROUP);
		NSN_PUT_STR(rec, process, name, by_cgroup);
	} else {
		NSN_PUT(rec, process, name_source, NSN_NAME_COMM);
		NSN_PUT_STR(rec, process, name, comm);
	}
	return 0;
}

static int emit_process(int dir, struct nsn_sink *sink, const struct asked *asked, uint64_t started,
			const char *comm)
{
	NSN_NEW(rec, PROCESS, process);
	int err;

	NSN_PUT(&rec, process, pid, asked->pid);
	NSN_PUT(&rec, process, start_ticks, started);
	NSN_PUT_STR(&rec, process, comm, comm);
	err = put_name(dir, sink, asked, &rec, comm);
	return err ? err : nsn_sink__put(sink, &rec.h);
}

int nsn_proc__collect(const char *sysroot, uint64_t pid, uint64_t start_ticks,
		      struct nsn_sink *sink)
{
	static const char *const facts[] = { "vms.name", "vms.name_source", "vms.uuid", "vms.vmm" };
	const struct asked asked = { .pid = pid, .start_ticks = start_ticks };
	const char *why_not = NULL;
	char path[PATH_MAX], comm[64];
	uint64_t started = 0;
	int dir, err = 0;

	nsn_format(path, sizeof(path), "%s/proc/%" PRIu64, sysroot, pid);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		err = -errno;
	else
		err = nsn_proc__read_stat(dir, comm, &started);
	if (err == -ENOENT || err == -ESRCH) {
		why_not = "not in this /proc: it has ended, lives in another pid namespace, or "
			  "hidepid hides it (needs CAP_SYS_PTRACE)";
		err = 0;
	} else if (err) {
		why_not = "its status";
	} else if (start_ticks && started != start_ticks) {
		why_not = "another process has its number now";
	}
	if (why_not)
		err = missing(sink, &asked, facts, NSN_ARRAY_SIZE(facts), why_not, err);
	else
		err = emit_process(dir, sink, &asked, started, comm);
	if (dir >= 0)
		close(dir);
	return err;
}

int nsn_proc__source(const char *sysroot, struct nsn_sink *sink)
{
	char text[64], why[128];
	long length = nsn_read_file(sysroot, "/proc/stat", text, sizeof(text));

	if (length > 0)
		return nsn_collect__source(sink, "proc", NSN_SOURCE_OK, "%s", "");
	nsn_collect__why(why, sizeof(why), length ? (int)length : ENODATA, "read access to /proc");
	return nsn_collect__source(sink, "proc", NSN_SOURCE_FAILED, "/proc: %s", why);
}
