/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_internal.h - what the model*.c files share while a model is built. Floor 1.
 *
 * Building goes through four steps, each a file:
 *	model.c         takes records in, looks objects up, gives values their names
 *	model_build.c   makes one object per thing, gives it its id, sorts
 *	model_join.c    lets containers, domains, groups and devices point at each other
 *	model_vm.c      ties VMs to containers, lists paths, reaches verdicts
 */
#ifndef NSN_MODEL_INTERNAL_H
#define NSN_MODEL_INTERNAL_H

#include <uthash.h>

#include "model.h"

/* An object by (class, key). Keys of groups are those of struct iommu_group. */
struct nsn_index_entry {
	struct {
		uint64_t class;
		uint64_t key;
	} id;
	void *object;
	UT_hash_handle hh;
};

/* Classes of the index beside enum nsn_class: what else is looked up by a number. */
enum {
	NSN_INDEX_PROCESS = NSN_CLASS_MAX,  /* pid to struct nsn_rec_process */
	NSN_INDEX_ATTACHED,                 /* domain to its lowest attached struct nsn_group */
	NSN_INDEX_DEFAULT,                  /* domain to the lowest group it is the default of */
};

struct nsn_model_build {
	struct nsn_records records;     /* all but the notes */
	struct nsn_records notes;       /* sources and missing facts: few, and asked for often */
	struct nsn_index_entry *index;  /* (class, key) to the model's object */
	struct nsn_index_entry *vfio;   /* (class, key) to VFIO group and device records */
	size_t counts[NSN_REC_MAX];     /* records taken in */
	struct nsn_rec_end end;
};

/* All records of one kind, in order: for (rec = first(...); rec; rec = next(...)). */
const struct nsn_rec *nsn_model_next(const struct nsn_model *model, enum nsn_rec_kind kind,
				     const struct nsn_rec *after);

#define NSN_FOR_EACH(model, NAME, name, rec)                                                       \
	for (const struct nsn_rec_##name *rec =                                                    \
		     (const void *)nsn_model_next(model, NSN_REC_##NAME, NULL);                    \
	     rec; rec = (const void *)nsn_model_next(model, NSN_REC_##NAME, &rec->h))

int nsn_index_put(struct nsn_index_entry **index, unsigned int class, uint64_t key, void *object);
void *nsn_index_get(struct nsn_index_entry *index, unsigned int class, uint64_t key);
void nsn_index_free(struct nsn_index_entry **index);

/* Adds an object once. 0 or -ENOMEM. */
int nsn_refs_add(struct nsn_refs *refs, void *object);
bool nsn_refs_has(const struct nsn_refs *refs, const void *object);
/* Adds a pid, keeping the list sorted. 0 or -ENOMEM. */
int nsn_pids_add(struct nsn_pids *pids, uint64_t pid);
bool nsn_pids_has(const struct nsn_pids *pids, uint64_t pid);

/* Turns a known number field into a tri-state. */
#define NSN_TRI(rec, name, field)                                                                  \
	(!NSN_KNOWS(rec, name, field) ? NSN_UNKNOWN : (rec)->field ? NSN_YES : NSN_NO)

/* Number of the group that VFIO's group record stands for, or -1. */
long nsn_vfio_group_number(const struct nsn_model *model, const struct nsn_rec_vfio_group *rec);

int nsn_model_build_objects(struct nsn_model *model); /* model_build.c */
int nsn_model_join(struct nsn_model *model);          /* model_join.c */
int nsn_model_judge_vms(struct nsn_model *model);     /* model_vm.c */

#endif /* NSN_MODEL_INTERNAL_H */
