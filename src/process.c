// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * process.c - what the process itself takes, for its own metrics. Floor 2.
 */
#include "process.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define START_TIME 20 /* fields of /proc/self/stat between the command's name and this one */

static double seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec * 1e-6;
}

static double resident_bytes(void)
{
	char text[128], *rest;

	if (nsn_read_file("", "/proc/self/statm", text, sizeof(text)) < 0)
		return -1;
	strtoul(text, &rest, 10); /* its whole size */
	return (double)strtoul(rest, NULL, 10) * (double)sysconf(_SC_PAGESIZE);
}

static double now_on(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Its start is told in ticks since boot. */
static double started_at(void)
{
	char text[1024], *at;

	if (nsn_read_file("", "/proc/self/stat", text, sizeof(text)) < 0)
		return -1;
	at = strrchr(text, ')');
	for (int i = 0; at && i < START_TIME; i++)
		at = strchr(at + 1, ' ');
	if (!at)
		return -1;
	return now_on(CLOCK_REALTIME) - now_on(CLOCK_BOOTTIME) +
	       (double)strtoull(at, NULL, 10) / (double)sysconf(_SC_CLK_TCK);
}

static double open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	double count = -3; /* ".", ".." and the folder's own */

	if (!folder)
		return -1;
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

void nsn_process__read(struct nsn_metric_process *out)
{
	struct rlimit limit;
	struct rusage usage;

	memset(out, 0, sizeof(*out));
	out->cpu_seconds = out->max_fds = -1;
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		out->cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		out->max_fds = (double)limit.rlim_cur;
	out->resident_bytes = resident_bytes();
	out->started_at = started_at();
	out->open_fds = open_descriptors();
}
