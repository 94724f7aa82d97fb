/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_count.h - what all live sources of a snapshot write into: counts the records for the snapshot's
 * end, notes whose names are wanted, and passes everything on.
 *
 * Floor 2.
 */
#ifndef NSN_COLLECT_COUNT_H
#define NSN_COLLECT_COUNT_H

#include <uthash.h>

#include "recdesc.h"

/* A process whose name is wanted: it holds a descriptor, or a VM. */
struct nsn_wanted {
	uint64_t pid;
	uint64_t start_ticks;
	UT_hash_handle hh;
};

struct nsn_counter {
	struct nsn_sink sink; /* -ENOMEM, or what next says */
	struct nsn_sink *next;
	uint64_t counts[NSN_REC_MAX];
	bool files_unread; /* BPF could not look at descriptors */
	struct nsn_wanted *processes;
};

void nsn_counter__init(struct nsn_counter *counter, struct nsn_sink *next);

/* Puts the end, which counts every kind. 0 or what next says. */
int nsn_counter__end(struct nsn_counter *counter);

void nsn_counter__free(struct nsn_counter *counter);

#endif /* NSN_COLLECT_COUNT_H */
