/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpf_internal.h - what bpf_load.c (objects and runs) and bpf_parts.c (which subsystems there are)
 * share. Floor 2.
 */
#ifndef NSN_BPF_INTERNAL_H
#define NSN_BPF_INTERNAL_H

#include "bpf_load.h"

struct bpf_link;
struct bpf_object;
struct bpf_program;
struct ring_buffer;

/* What all walk objects have in common: emit.bpf.h gives each these, a program aside. */
struct walk_object {
	struct bpf_object *object;
	void *skeleton;
	struct ring_buffer *ring;
	uint64_t *symbols;
	uint64_t *batch;
	uint64_t *lost;
	char (*names)[NSN_SYMBOL_LEN]; /* of symbols, where it has resolve_symbols; else NULL */
	size_t ring_size;
};

/* As much in one as is there and as this kernel takes; what is not in that, one a subsystem. */
enum object_id {
	OBJECT_ALL,
	OBJECT_BASE, /* all but iommufd and vDPA */
	OBJECT_FILES,
	OBJECT_KVM,
	OBJECT_VFIO,
	OBJECT_IOMMU,
	OBJECT_IOMMUFD,
	OBJECT_VDPA,
	OBJECT_MAX,
};

struct nsn_bpf {
	struct walk_object objects[OBJECT_MAX];
	struct bpf_link *files_link;
	uint64_t symbols[NSN_SYM_MAX]; /* as they were resolved last */
	/* OBJECT_ALL or OBJECT_BASE; it was loaded without the programs of these: */
	enum object_id whole;
	bool without_vfio, without_iommu, without_iommufd, without_vdpa;
	struct nsn_bpf_state states[NSN_PART_MAX];
	struct nsn_records *out; /* where the ring buffer's callback puts records */
	int out_error;
};

/* The object that stands in for another: the whole one, once that is loaded with it. */
enum object_id nsn_bpf__where(const struct nsn_bpf *bpf, enum object_id id);

/* Loads an object and readies its ring buffer and symbols. 0 or -errno; it is closed then. */
int nsn_bpf__open_object(struct nsn_bpf *bpf, enum object_id id);
/* The one with all that is plainly there. */
int nsn_bpf__open_whole(struct nsn_bpf *bpf);
void nsn_bpf__close_object(struct walk_object *walk, enum object_id id);

/* Runs a program of type syscall; *result is what it returned. 0 or -errno. */
int nsn_bpf__run(const struct bpf_program *program, void *context, size_t size, uint32_t *result);

void nsn_bpf__set_state(struct nsn_bpf *bpf, enum nsn_bpf_part part, enum nsn_source_state state,
			const char *reason);

/* True if the folder is there and not empty. */
bool nsn_folder_has_entries(const char *path);

#endif /* NSN_BPF_INTERNAL_H */
