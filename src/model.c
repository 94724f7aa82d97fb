// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * model.c - takes records in, looks objects up, gives values their names. Floor 1.
 */
#include "model_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct nsn_model *nsn_model__new(void)
{
	struct nsn_model *model = calloc(1, sizeof(*model));

	if (!model)
		return NULL;
	model->build = calloc(1, sizeof(*model->build));
	if (!model->build) {
		free(model);
		return NULL;
	}
	for (size_t kind = 0; kind < NSN_REC_MAX; kind++)
		nsn_records__init(&model->build->records[kind]);
	return model;
}

/* Several records of one kind that say one thing (host, kernel): later ones add what is missing. */
static void merge(struct nsn_rec *into, const struct nsn_rec *from)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[from->kind];

	into->kind = from->kind;
	into->size = from->size;
	for (size_t i = 0; i < desc->fields_count; i++) {
		const struct nsn_field_desc *field = &desc->fields[i];

		if (nsn_rec_knows(into, i) || !nsn_rec_knows(from, i))
			continue;
		memcpy((char *)into + field->offset, (const char *)from + field->offset,
		       field->size);
		into->known |= 1U << i;
	}
}

int nsn_model__add(struct nsn_model *model, const struct nsn_rec *rec)
{
	struct nsn_model_build *build = model->build;

	if (rec->kind >= NSN_REC_MAX || rec->size != nsn_rec_descs[rec->kind].size)
		return -EINVAL;
	if (rec->kind == NSN_REC_HOST)
		merge(&model->host.h, rec);
	else if (rec->kind == NSN_REC_KERNEL)
		merge(&model->kernel.h, rec);
	else if (rec->kind == NSN_REC_END)
		merge(&build->end.h, rec);
	return nsn_records__add(&build->records[rec->kind], rec);
}

/*
 * A snapshot is whole if its end counted what arrived. A count that is unknown cannot vouch for
 * records that did arrive.
 */
static void check_counts(struct nsn_model *model)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[NSN_REC_END];
	struct nsn_model_build *build = model->build;

	model->ended = NSN_COUNT(model, END) > 0;
	for (size_t kind = 0; kind < desc->fields_count; kind++) {
		uint64_t counted, arrived = build->records[kind].count;

		memcpy(&counted, (char *)&build->end + desc->fields[kind].offset, sizeof(counted));
		if (!model->ended || !nsn_rec_knows(&build->end.h, kind))
			model->lost_records += !!arrived;
		else if (counted != arrived)
			model->lost_records += counted > arrived ? counted - arrived : 1;
	}
	if (!model->ended)
		model->lost_records++;
}

struct nsn_vm *nsn_model__vm_by_key(const struct nsn_model *model, uint64_t key)
{
	return nsn_index_get(model->build->index, NSN_CLASS_VM, key);
}

uint64_t nsn_model__taken_at(const struct nsn_model *model)
{
	return NSN_KNOWS(&model->host, host, taken_at) ? model->host.taken_at : 0;
}

void nsn_vm__identity(const struct nsn_vm *vm, struct nsn_vm_identity *out)
{
	memset(out, 0, sizeof(*out));
	out->key = vm->rec.vm;
	if (!out->key)
		nsn_format(out->id, sizeof(out->id), "%s", vm->id);
}

void nsn_model__update_counters(struct nsn_model *model, const struct nsn_rec_counter *rec)
{
	const uint32_t all = (1U << nsn_rec_descs[NSN_REC_COUNTER].fields_count) - 1;
	struct nsn_vm *vm = nsn_index_get(model->build->index, NSN_CLASS_VM, rec->vm);

	if (!vm)
		return;
	vm->counters = (struct nsn_vm_counters){
		.known = (rec->h.known & all) == all,
		.exits = rec->exits,
		.executed = rec->executed,
		.ignored = rec->ignored,
		.timed = rec->timed,
		.elapsed_ns = rec->elapsed_ns,
		.sampled = rec->sampled,
	};
	/* the record's buckets are fields in a row */
	memcpy(vm->counters.buckets, &rec->bucket0, sizeof(vm->counters.buckets));
}

/* Where WBINVDs are counted, a VM without a record of them had none. */
static void count_all(struct nsn_model *model)
{
	bool counted = nsn_model__source(model, "events.wbinvd", NULL) == NSN_SOURCE_OK;

	NSN_FOR_EACH(model, COUNTER, counter, rec)
		counted &= NSN_KNOWS(rec, counter, vm); /* else anybody may be meant */
	for (size_t i = 0; i < model->vms_count; i++)
		model->vms[i].counters.known = counted;
	NSN_FOR_EACH(model, COUNTER, counter, rec)
		nsn_model__update_counters(model, rec);
}

int nsn_model__finish(struct nsn_model *model)
{
	int err;

	check_counts(model);
	err = nsn_model_index_missing(model);
	if (!err)
		err = nsn_model_build_objects(model);
	if (!err)
		err = nsn_model_join(model);
	if (!err)
		err = nsn_model_judge_vms(model);
	if (!err) {
		nsn_model_predict(model);
		count_all(model);
	}
	return err;
}

static void free_refs(struct nsn_refs *refs)
{
	free(refs->items);
}

static void free_objects(struct nsn_model *model)
{
	for (size_t i = 0; i < model->vms_count; i++) {
		struct nsn_vm *vm = &model->vms[i];

		free(vm->holders.items);
		free(vm->links);
		free(vm->paths);
		free_refs(&vm->containers);
		free_refs(&vm->domains);
		free_refs(&vm->groups);
		free_refs(&vm->devices);
		free_refs(&vm->files);
	}
	for (size_t i = 0; i < model->containers_count; i++) {
		struct nsn_container *container = &model->containers[i];

		free(container->pids.items);
		free_refs(&container->vms);
		free_refs(&container->domains);
		free_refs(&container->groups);
		free_refs(&container->vfio_groups);
		free_refs(&container->type1_domains);
		free_refs(&container->type1_groups);
		free_refs(&container->page_tables);
		free_refs(&container->bound);
		free_refs(&container->pasids);
		free_refs(&container->accesses);
	}
	for (size_t i = 0; i < model->domains_count; i++) {
		free_refs(&model->domains[i].groups);
		free_refs(&model->domains[i].devices);
		free(model->domains[i].processes.items);
	}
	for (size_t i = 0; i < model->groups_count; i++) {
		free_refs(&model->groups[i].devices);
		free(model->groups[i].opened_by.items);
		free(model->groups[i].pasids);
	}
	for (size_t i = 0; i < model->iommus_count; i++)
		free_refs(&model->iommus[i].devices);
}

void nsn_model__free(struct nsn_model *model)
{
	if (!model)
		return;
	free_objects(model);
	free(model->vms);
	free(model->containers);
	free(model->domains);
	free(model->groups);
	free(model->devices);
	free(model->iommus);
	free(model->truncations);
	nsn_index_free(&model->build->index);
	nsn_index_free(&model->build->vfio);
	for (size_t kind = 0; kind < NSN_REC_MAX; kind++)
		nsn_records__free(&model->build->records[kind]);
	free(model->build->loose.items);
	free(model->build);
	free(model);
}

const struct nsn_rec *nsn_model_next(const struct nsn_model *model, enum nsn_rec_kind kind,
				     const struct nsn_rec *after)
{
	return nsn_records__next(&model->build->records[kind], after);
}

int nsn_index_put(struct nsn_index_entry **index, unsigned int class, uint64_t key, void *object)
{
	struct nsn_index_entry *entry;

	if (!key || nsn_index_get(*index, class, key))
		return 0;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->id.class = class;
	entry->id.key = key;
	entry->object = object;
	HASH_ADD(hh, *index, id, sizeof(entry->id), entry);
	return 0;
}

void *nsn_index_get(struct nsn_index_entry *index, unsigned int class, uint64_t key)
{
	struct nsn_index_entry probe = { .id = { .class = class, .key = key } }, *entry;

	if (!key)
		return NULL;
	HASH_FIND(hh, index, &probe.id, sizeof(probe.id), entry);
	return entry ? entry->object : NULL;
}

void nsn_index_free(struct nsn_index_entry **index)
{
	struct nsn_index_entry *entry, *next;

	HASH_ITER(hh, *index, entry, next) {
		HASH_DEL(*index, entry);
		free(entry);
	}
}

bool nsn_refs_has(const struct nsn_refs *refs, const void *object)
{
	for (size_t i = 0; i < refs->items_count; i++)
		if (refs->items[i] == object)
			return true;
	return false;
}

int nsn_refs_append(struct nsn_refs *refs, void *object)
{
	void **slot = NSN_APPEND(refs, items);

	if (!slot)
		return -ENOMEM;
	*slot = object;
	return 0;
}

int nsn_refs_add(struct nsn_refs *refs, void *object)
{
	/* most repeats are of the last one */
	if (!object || (refs->items_count && refs->items[refs->items_count - 1] == object) ||
	    nsn_refs_has(refs, object))
		return 0;
	return nsn_refs_append(refs, object);
}

bool nsn_pids_has(const struct nsn_pids *pids, uint64_t pid)
{
	for (size_t i = 0; i < pids->items_count; i++)
		if (pids->items[i] == pid)
			return true;
	return false;
}

int nsn_pids_add(struct nsn_pids *pids, uint64_t pid)
{
	size_t at;

	if (!pid || nsn_pids_has(pids, pid))
		return 0;
	if (!NSN_APPEND(pids, items))
		return -ENOMEM;
	for (at = pids->items_count - 1; at && pids->items[at - 1] > pid; at--)
		pids->items[at] = pids->items[at - 1];
	pids->items[at] = pid;
	return 0;
}

/* Binary search in an array that is sorted by id (the first member of each object). */
static void *find_by_id(void *array, size_t count, size_t size, const char *id)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		char *object = (char *)array + middle * size;
		int order = strverscmp(id, object);

		if (order == 0)
			return object;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

struct nsn_vm *nsn_model__vm(const struct nsn_model *model, const char *id)
{
	return find_by_id(model->vms, model->vms_count, sizeof(*model->vms), id);
}

struct nsn_container *nsn_model__container(const struct nsn_model *model, const char *id)
{
	return find_by_id(model->containers, model->containers_count, sizeof(*model->containers),
			  id);
}

struct nsn_device *nsn_model__device(const struct nsn_model *model, const char *id)
{
	return find_by_id(model->devices, model->devices_count, sizeof(*model->devices), id);
}

struct nsn_group *nsn_model__group(const struct nsn_model *model, uint64_t number)
{
	char id[NSN_ID_LEN];

	nsn_format(id, sizeof(id), "%llu", (unsigned long long)number);
	return find_by_id(model->groups, model->groups_count, sizeof(*model->groups), id);
}

struct nsn_iommu *nsn_model__iommu(const struct nsn_model *model, const char *id)
{
	return find_by_id(model->iommus, model->iommus_count, sizeof(*model->iommus), id);
}

enum nsn_source_state nsn_model__source(const struct nsn_model *model, const char *name,
					const char **reason)
{
	NSN_FOR_EACH(model, SOURCE, source, rec) {
		if (!NSN_KNOWS(rec, source, name) || strcmp(rec->name, name))
			continue;
		if (reason)
			*reason = rec->reason;
		if (!NSN_KNOWS(rec, source, state) || rec->state > NSN_SOURCE_FAILED)
			return NSN_SOURCE_FAILED;
		return rec->state;
	}
	if (reason)
		*reason = "was not read";
	return NSN_SOURCE_FAILED;
}

enum nsn_tri nsn_model__sources(const struct nsn_model *model, const char *prefix)
{
	enum nsn_tri all = NSN_UNKNOWN;

	NSN_FOR_EACH(model, SOURCE, source, rec) {
		if (!NSN_KNOWS(rec, source, name) || strncmp(rec->name, prefix, strlen(prefix)))
			continue;
		if (!NSN_KNOWS(rec, source, state) || rec->state >= NSN_SOURCE_FAILED)
			return NSN_NO;
		all = NSN_YES;
	}
	return all;
}

bool nsn_model__is_absent(const struct nsn_model *model, const char *fact)
{
	if (strcmp(fact, "vms.vm_type") == 0 && NSN_TRI(&model->kernel, kernel, vm_types) == NSN_NO)
		return true;
	if (strcmp(fact, "devices.cap_enforce_coherency") == 0 &&
	    NSN_TRI(&model->kernel, kernel, criterion_capability) == NSN_NO)
		return true;
	if (strcmp(fact, "groups.pasids") == 0 &&
	    NSN_TRI(&model->kernel, kernel, group_pasids) == NSN_NO)
		return true;
	NSN_FOR_EACH(model, MISSING, missing, rec)
		if (NSN_TRI(rec, missing, absent) == NSN_YES && NSN_KNOWS(rec, missing, fact) &&
		    strcmp(rec->fact, fact) == 0)
			return true;
	return false;
}

/* ---- names ----------------------------------------------------------------------------------- */

#define NAMES(function, type, ...)                                                                 \
	const char *function(type value)                                                           \
	{                                                                                          \
		static const char *const names[] = { __VA_ARGS__ };                                \
		return (size_t)value < NSN_ARRAY_SIZE(names) ? names[value] : NULL;                \
	}

NAMES(nsn_guest_wbinvd_name, enum nsn_guest_wbinvd, NULL, "executed", "ignored", "native")
NAMES(nsn_verdict_name, enum nsn_verdict, "no_passthrough", "unattached", "unknown", "unsafe",
      "noncoherent", "coherent")
NAMES(nsn_memory_regime_name, enum nsn_memory_regime, NULL, "guest", "write_back", "guest_pat",
      "guest_mtrr")
NAMES(nsn_quirk_name, enum nsn_quirk, NULL, "absent", "unsupported", "disabled", "enabled")
NAMES(nsn_link_by_name, enum nsn_link_by, "kvm_vfio", "same_mm", "same_process", "same_cgroup")
NAMES(nsn_dma_name, enum nsn_dma, "unknown", "domain", "emulated", "noiommu", "none")
NAMES(nsn_container_kind_name, enum nsn_container_kind, "type1", "iommufd", "noiommu", "vdpa", NULL,
      NULL)
NAMES(nsn_domain_kind_name, enum nsn_domain_kind, NULL, "unmanaged", "dma", "dma_fq", "identity",
      "blocked", "nested", "sva")
NAMES(nsn_coherency_name, enum nsn_coherency, NULL, "enforced", "always", "refused", "unsupported",
      "not_asked")
NAMES(nsn_enforced_source_name, enum nsn_enforced_source, NULL, "type1", "driver", "format",
      "parent")
NAMES(nsn_role_name, enum nsn_role, NULL, "vfio", "bridge", "unbound", "host_driver")
NAMES(nsn_step_name, enum nsn_step, NULL, "bind", "open", "set_container", "set_iommu")
NAMES(nsn_predicted_name, enum nsn_predicted, "unknown", "refused", "noncoherent", "coherent")
NAMES(nsn_owner_name, enum nsn_owner, NULL, "vfio", "iommufd", "user_other", "driver_dma_api",
      "none")
NAMES(nsn_group_why_name, enum nsn_group_why, "single", "alias", "multifunction", "acs")
NAMES(nsn_nosnoop_source_name, enum nsn_nosnoop_source, "self", "pf", "no_pcie_cap")
NAMES(nsn_name_source_name, enum nsn_name_source, "argv", "cgroup", "comm")
