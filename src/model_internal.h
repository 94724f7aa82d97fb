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
 *	model_user.c       the same for iommufd contexts and vDPA devices, and the paths over them
 *	model_link.c       ties VMs to containers
 *	model_path.c       lists each VM's paths
 *	model_vm.c         reaches each VM's verdict
 *	model_register.c   tells what KVM would register now
 *	model_memory.c     tells whose memory types hold for a VM
 *	model_predict.c    tells what would become of a device that no VM has
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
	NSN_INDEX_PROCESS = NSN_CLASS_MAX, /* pid to struct nsn_rec_process */
	NSN_INDEX_ATTACHED,                /* domain to its lowest attached struct nsn_group */
	NSN_INDEX_DEFAULT,                 /* domain to the lowest group it is the default of */
	NSN_INDEX_VM_PID,                  /* pid to the first struct nsn_vm of that process */
	NSN_INDEX_VM_MM,                   /* mm to the first struct nsn_vm with it */
	NSN_INDEX_MISSING, /* hash of fact and subject to the first struct nsn_rec_missing of it */
};

struct nsn_model_build {
	struct nsn_records records[NSN_REC_MAX]; /* by kind */
	struct nsn_index_entry *index;           /* (class, key) to the model's object */
	struct nsn_index_entry *vfio;            /* (class, key) to VFIO group and device records */
	struct nsn_rec_end end;
	struct nsn_refs loose; /* containers that no link ties to a VM for certain */
};

/* Paths of one VM over one container. */
struct nsn_path_builder {
	struct nsn_model *model;
	struct nsn_vm *vm;
	struct nsn_container *container;
	bool certain;
};

/* How many records of a kind there are. */
#define NSN_COUNT(model, NAME) ((model)->build->records[NSN_REC_##NAME].count)

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

/* Makes the reasons of unknown facts quick to find. 0 or -ENOMEM. */
int nsn_model_index_missing(struct nsn_model *model);

/* Adds an object, without a look whether it is there. 0 or -ENOMEM. */
int nsn_refs_append(struct nsn_refs *refs, void *object);
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
/* Joins iommufd contexts and vDPA devices to domains and groups. */
int nsn_model_join_users(struct nsn_model *model);
/* Joins groups, their PASIDs and the domains of these. */
int nsn_model_join_pasids(struct nsn_model *model);
/* Does the core have a PASID of the group in that domain? */
bool nsn_group_has_pasid_in(const struct nsn_group *group, const struct nsn_domain *domain);
/* Is No Snoop blocked for DMA with a PASID, where it is so (blocks) for DMA without? Else: why not known. */
enum nsn_tri nsn_pasid_blocks(const struct nsn_domain *domain, enum nsn_tri blocks);
const char *nsn_pasid_why_unknown(const struct nsn_domain *domain);
void nsn_model_judge_domain(struct nsn_domain *domain);
/* Of a nested domain, once its parent was judged. */
void nsn_model_judge_nested(struct nsn_domain *domain);
int nsn_model_link_vms(struct nsn_model *model);
int nsn_model_judge_vms(struct nsn_model *model);

/* Why paths of any VM may be unseen (static text or the model's), or NULL if none can be. */
const char *nsn_model_why_blind(const struct nsn_model *model);

/* Sets vm->may_own_unlinked and its reason; blind is nsn_model_why_blind()'s answer. */
void nsn_model_judge_hidden(struct nsn_model *model, struct nsn_vm *vm, const char *blind);

/* Did all arrive that the container counts? A list that lost members may have lost a path. */
bool nsn_container_is_whole(const struct nsn_container *container);
bool nsn_iommufd_is_whole(const struct nsn_container *container);
bool nsn_vdpa_is_whole(const struct nsn_container *container);

/* Whose memory a container maps; 0: nobody's yet, or unknown. */
uint64_t nsn_container_mm(const struct nsn_container *container);

/* The device or the group behind a file that kvm-vfio was given, or NULL. */
struct nsn_device *nsn_model_device_of_file(const struct nsn_model *model,
					    const struct nsn_rec_vm_file *file);
struct nsn_group *nsn_model_group_of_file(const struct nsn_model *model,
					  const struct nsn_rec_vm_file *file);

/* The group that a record names by number, else by key; NULL if it does not, or there is none. */
struct nsn_group *nsn_model_group_of(const struct nsn_model *model, bool id_known, uint64_t id,
				     bool key_known, uint64_t key);
#define NSN_GROUP_OF(model, rec, name)                                                             \
	nsn_model_group_of(model, NSN_KNOWS(rec, name, group_id), (rec)->group_id,                 \
			   NSN_KNOWS(rec, name, group), (rec)->group)

/* Lists the VM's paths, over its containers and over what KVM was given. 0 or -ENOMEM. */
int nsn_model_add_paths(struct nsn_model *model, struct nsn_vm *vm);
int nsn_path_add(const struct nsn_path_builder *builder, const struct nsn_path *path);
int nsn_path_add_unknown(const struct nsn_path_builder *builder, const char *reason);

/*
 * A path through a domain: the IOMMU core must name the same one for the group as `domain`, the key
 * that VFIO or iommufd have. Sets blocks_nosnoop, or why that is unknown.
 */
void nsn_path_judge_domain(const struct nsn_path_builder *builder, struct nsn_path *path,
			   uint64_t domain);

/* model_user.c: paths over an iommufd context, over a vDPA device. */
int nsn_path_add_iommufd(const struct nsn_path_builder *builder);
int nsn_path_add_vdpa(const struct nsn_path_builder *builder);

/* model_pasid.c: a path over a PASID of iommufd's; over those that only the IOMMU core has. */
int nsn_path_add_pasid(const struct nsn_path_builder *builder,
		       const struct nsn_rec_iommufd_pasid *rec);
int nsn_path_add_strange_pasids(const struct nsn_path_builder *builder);

/* Were all members of the group seen? The kernel's own count says so. */
bool nsn_group_has_all_members(const struct nsn_group *group);

/* Fills in each device's prediction; the last step. */
void nsn_model_predict(struct nsn_model *model);

/* What KVM would register for the VM now: by each criterion, and by this kernel's. */
void nsn_model_judge_registration(const struct nsn_model *model, struct nsn_vm *vm);
/* What non-coherent DMA changes for the VM's memory types. */
void nsn_model_judge_memory(const struct nsn_model *model, struct nsn_vm *vm);

#endif /* NSN_MODEL_INTERNAL_H */
