/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_internal.h - what the model*.c files share while a model is built. Floor 1.
 *
 * Building goes through steps, in this order:
 *	model.c            takes records in, looks objects up, gives values their names
 *	model_build.c      makes one object per thing, gives it its id, sorts;
 *	model_build_dma.c  the same for domains and containers
 *	model_join.c       lets containers, domains, groups and devices point at each other;
 *	model_domain.c     tells whether a domain blocks No Snoop
 *	model_link.c       ties VMs to containers
 *	model_vm.c         lists each VM's paths, reaches its verdict;
 *	model_register.c   tells what KVM would register now
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
	size_t first[NSN_REC_MAX];      /* where in records the first of a kind stands … */
	size_t last[NSN_REC_MAX];       /* … and the last: of kinds that are not there nobody looks */
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

/* For printf's %llu. */
#define NSN_U64(value) ((unsigned long long)(value))

/* Order of ids: 2 before 10. The id is the first member of each object. */
int nsn_compare_ids(const void *a, const void *b);

#define NSN_SORT(model, name)                                                                      \
	do {                                                                                       \
		if ((model)->name##_count)                                                         \
			qsort((model)->name, (model)->name##_count, sizeof(*(model)->name),        \
			      nsn_compare_ids);                                                    \
	} while (0)

/* Room for as many objects as `count` records can make; count 0 gives NULL and no error. */
int nsn_allocate(void *array, size_t count, size_t size);

#define NSN_ALLOCATE(model, name, n) nsn_allocate(&(model)->name, n, sizeof(*(model)->name))

/* Each step: 0 or -ENOMEM. */
int nsn_model_build_objects(struct nsn_model *model);
int nsn_model_build_domains(struct nsn_model *model);
int nsn_model_build_containers(struct nsn_model *model);
int nsn_model_join(struct nsn_model *model);
void nsn_model_judge_domain(struct nsn_domain *domain);
int nsn_model_link_vms(struct nsn_model *model);
int nsn_model_judge_vms(struct nsn_model *model);

/* Why paths of any VM may be unseen (static text or the model's), or NULL if none can be. */
const char *nsn_model_why_blind(const struct nsn_model *model);

/* Sets vm->may_own_unlinked and its reason; blind is nsn_model_why_blind()'s answer. */
void nsn_model_judge_hidden(struct nsn_model *model, struct nsn_vm *vm, const char *blind);

enum nsn_tri nsn_model_would_register(const struct nsn_model *model, const struct nsn_vm *vm);

#endif /* NSN_MODEL_INTERNAL_H */
