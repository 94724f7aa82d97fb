/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_load.h - loads the BPF programs and runs the walks.
 *
 * Floor 2. One object a subsystem, so that a kernel that lacks the types of one does not blind the
 * others; each is loaded only if its subsystem is there. Nothing is pinned and nothing is attached:
 * all of it is gone with the process.
 */
#ifndef NSN_BPF_LOAD_H
#define NSN_BPF_LOAD_H

#include <stdbool.h>

#include "recdesc.h"
#include "util.h"

struct nsn_bpf;

/* The subsystems, each a source of facts. */
enum nsn_bpf_part {
	NSN_PART_FILES,
	NSN_PART_KVM,
	NSN_PART_VFIO,
	NSN_PART_TYPE1,
	NSN_PART_IOMMU,
	NSN_PART_IOMMUFD,
	NSN_PART_VDPA,
	NSN_PART_MAX,
};

/* How a part fared: OK, absent (nothing to see) or failed, with a reason for people. */
struct nsn_bpf_state {
	const char *source; /* kernel.files, … */
	enum nsn_source_state state;
	char reason[NSN_TEXT_LEN];
};

/*
 * Loads what this kernel has. Failing parts are no error: their state tells. 0 or -ENOMEM.
 */
int nsn_bpf__open(struct nsn_bpf **out);
void nsn_bpf__close(struct nsn_bpf *bpf);

/* True if IOMMU groups are there and were not when it was opened. */
bool nsn_bpf__has_new(const struct nsn_bpf *bpf);

const struct nsn_bpf_state *nsn_bpf__state(const struct nsn_bpf *bpf, enum nsn_bpf_part part);

/* The address that a symbol had when it was last looked up; 0: there is none. */
uint64_t nsn_bpf__symbol(const struct nsn_bpf *bpf, enum nsn_symbol symbol);

/* The version of the libbpf that runs: "1.1". Returns out. */
char *nsn_bpf__library(char *out, size_t size);

/* Appends a FILE record for each descriptor that holds an object of ours. 0 or -errno. */
int nsn_bpf__iterate_files(struct nsn_bpf *bpf, struct nsn_records *out);

enum nsn_walk_program {
	NSN_WALK_VMS,
	NSN_WALK_VFIO_GROUPS,
	NSN_WALK_VFIO_DEVICES,
	NSN_WALK_CONTAINERS,
	NSN_WALK_GROUPS,
	NSN_WALK_DOMAINS,
	NSN_WALK_IOMMUFDS,
	NSN_WALK_VDPAS,
	NSN_WALK_MAX,
};

/*
 * Runs a walk over the list at head (an address; 0: over `count` objects at `addresses`) and appends
 * what it emits. Does nothing if the part is not loaded. -ENOSPC if the buffer stayed too small.
 */
int nsn_bpf__walk(struct nsn_bpf *bpf, enum nsn_walk_program program, uint64_t head,
		  const uint64_t *addresses, size_t count, struct nsn_records *out);

#endif /* NSN_BPF_LOAD_H */
