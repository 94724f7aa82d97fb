// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bpfids: what of BPF is in the kernel: a line for the id of each program, map and link, sorted, and
 * the files pinned under /sys/fs/bpf. Looks itself, without any code of nosnoop.
 *
 * usage: bpfids             prints them
 *        bpfids -s          run time of all programs: "NAME ID RUN_TIME_NS RUN_CNT" each
 *        bpfids -w FILE S   waits until they are those of FILE again; after S seconds fails and
 *                           prints what is too many or too few
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PINNED "/sys/fs/bpf"

static FILE *out;

static int print_pinned(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	if (ftw->level)
		fprintf(out, "pinned %s\n", path);
	return 0;
}

static void print_kind(const char *kind, int (*next)(__u32, __u32 *))
{
	__u32 id = 0;

	while (!next(id, &id))
		fprintf(out, "%s %u\n", kind, id);
}

static char *list(void)
{
	char *text = NULL;
	size_t size;

	out = open_memstream(&text, &size);
	if (!out)
		return NULL;
	print_kind("prog", bpf_prog_get_next_id);
	print_kind("map", bpf_map_get_next_id);
	print_kind("link", bpf_link_get_next_id);
	nftw(PINNED, print_pinned, 8, FTW_PHYS);
	return fclose(out) ? NULL : text;
}

static int print_times(void)
{
	struct bpf_prog_info info;
	__u32 id = 0, size;
	int fd;

	while (!bpf_prog_get_next_id(id, &id)) {
		fd = bpf_prog_get_fd_by_id(id);
		size = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size))
			printf("%s %u %llu %llu\n", info.name[0] ? info.name : "-", id,
			       (unsigned long long)info.run_time_ns,
			       (unsigned long long)info.run_cnt);
		close(fd);
	}
	return 0;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static char *read_all(const char *path)
{
	FILE *in = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!in)
		return NULL;
	if (getdelim(&text, &size, 0, in) < 0)
		text = strdup(""); /* nothing was there */
	fclose(in);
	return text;
}

static int wait_for(const char *path, double seconds)
{
	char *want = read_all(path), *is = NULL;
	double end = now() + seconds;

	if (!want) {
		perror(path);
		return 2;
	}
	for (;;) {
		is = list();
		if (!is)
			return 2;
		if (!strcmp(want, is))
			return 0;
		if (now() >= end)
			break;
		free(is);
		usleep(20000);
	}
	printf("wanted:\n%sthere are:\n%s", want, is);
	return 1;
}

int main(int argc, char **argv)
{
	char *text;

	if (argc == 4 && !strcmp(argv[1], "-w"))
		return wait_for(argv[2], atof(argv[3]));
	if (argc == 2 && !strcmp(argv[1], "-s"))
		return print_times();
	text = argc == 1 ? list() : NULL;
	if (!text) {
		fprintf(stderr, "usage: bpfids [-s | -w FILE SECONDS]\n");
		return 2;
	}
	fputs(text, stdout);
	return 0;
}
