// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * iterators.c - times the snapshot's iterator against a bare one, alternating, in one process.
 *
 * iterators N: prints the median of N reads of each in microseconds, and the number of records.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bare_iter.skel.h"
#include "bpf_load.h"

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double read_bare(const struct bpf_link *link)
{
	static char buffer[65536];
	double start = now();
	int fd = bpf_iter_create(bpf_link__fd(link));

	while (fd >= 0 && read(fd, buffer, sizeof(buffer)) > 0)
		;
	close(fd);
	return now() - start;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 21;
	double *bare = calloc(rounds, sizeof(*bare)), *ours = calloc(rounds, sizeof(*ours));
	struct bare_iter_bpf *skeleton = bare_iter_bpf__open_and_load();
	struct bpf_link *link =
		skeleton ? bpf_program__attach_iter(skeleton->progs.bare, NULL) : NULL;
	struct nsn_bpf *bpf = NULL;
	struct nsn_records records;

	nsn_records__init(&records);
	if (!bare || !ours || !link || nsn_bpf__open(&bpf)) {
		fprintf(stderr, "iterators: BPF could not be set up (root?)\n");
		return 1;
	}
	for (int i = 0; i < rounds; i++) {
		double start;

		bare[i] = read_bare(link);
		nsn_records__clear(&records);
		start = now();
		if (nsn_bpf__iterate_files(bpf, &records))
			return 1;
		ours[i] = now() - start;
	}
	qsort(bare, rounds, sizeof(*bare), compare);
	qsort(ours, rounds, sizeof(*ours), compare);
	printf("%.0f %.0f %zu\n", bare[rounds / 2], ours[rounds / 2], records.count);
	nsn_records__free(&records);
	nsn_bpf__close(bpf);
	bpf_link__destroy(link);
	bare_iter_bpf__destroy(skeleton);
	free(bare);
	free(ours);
	return 0;
}
