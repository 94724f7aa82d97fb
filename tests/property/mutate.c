// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * mutate.c - the ways in which a snapshot can know less than it did.
 */
#include "property.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *kind_name(const struct nsn_rec *rec)
{
	return nsn_rec_descs[rec->kind].name;
}

static const struct nsn_rec **copy_list(const struct fixture *fixture)
{
	/* Room for one record more: the one that says that a list was cut. */
	const struct nsn_rec **recs = calloc(fixture->count + 1, sizeof(*recs));

	if (recs)
		memcpy(recs, fixture->recs, fixture->count * sizeof(*recs));
	return recs;
}

static void forget_field(union nsn_any_rec *rec, size_t i)
{
	const struct nsn_field_desc *field = &nsn_rec_descs[rec->h.kind].fields[i];

	rec->h.known &= ~(1U << i);
	memset((char *)rec + field->offset, 0, field->size);
}

/* Each field of each record becomes unknown. */
int mutate__fields(const struct fixture *fixture, mutant_fn next, void *context)
{
	const struct nsn_rec **recs = copy_list(fixture);
	char text[128];

	if (!recs)
		return -ENOMEM;
	for (size_t at = 0; at < fixture->count; at++) {
		const struct nsn_rec *rec = fixture->recs[at];

		for (size_t i = 0; i < nsn_rec_descs[rec->kind].fields_count; i++) {
			union nsn_any_rec changed;

			if (!nsn_rec_knows(rec, i))
				continue;
			memcpy(&changed, rec, rec->size);
			forget_field(&changed, i);
			recs[at] = &changed.h;
			next(context, recs, fixture->count,
			     nsn_format(text, sizeof(text), "%s.%s unknown", kind_name(rec),
					nsn_rec_descs[rec->kind].fields[i].name),
			     fixture->lines[at]);
			recs[at] = rec;
		}
	}
	free(recs);
	return 0;
}

/* Each record is lost; the end still counts it. */
int mutate__drops(const struct fixture *fixture, mutant_fn next, void *context)
{
	const struct nsn_rec **recs = copy_list(fixture);
	char text[128];

	if (!recs)
		return -ENOMEM;
	for (size_t at = 0; at < fixture->count; at++) {
		memmove(recs + at, fixture->recs + at + 1,
			(fixture->count - at - 1) * sizeof(*recs));
		next(context, recs, fixture->count - 1,
		     nsn_format(text, sizeof(text), "%s dropped", kind_name(fixture->recs[at])),
		     fixture->lines[at]);
		recs[at] = fixture->recs[at];
	}
	free(recs);
	return 0;
}

/* The recording stops before each of its records. */
int mutate__prefixes(const struct fixture *fixture, mutant_fn next, void *context)
{
	for (size_t count = 0; count < fixture->count; count++)
		next(context, fixture->recs, count, "the file ends before it",
		     fixture->lines[count]);
	return 0;
}

/* ---- lists that were cut, and said so -------------------------------------------------------- */

static const struct cut {
	enum nsn_list list;
	const char *name;
	enum nsn_rec_kind member; /* what is missing */
	const char *owner; /* the member's field with its owner, also the truncation's; NULL */
} cuts[] = {
	{ NSN_LIST_VMS, "vms", NSN_REC_VM, NULL },
	{ NSN_LIST_KVM_DEVICES, "kvm devices", NSN_REC_VM_FILE, "vm" },
	{ NSN_LIST_KVM_VFIO_FILES, "kvm-vfio files", NSN_REC_VM_FILE, "vm" },
	{ NSN_LIST_TYPE1_DOMAINS, "type1 domains", NSN_REC_TYPE1_DOMAIN, "container" },
	{ NSN_LIST_TYPE1_GROUPS, "type1 groups", NSN_REC_TYPE1_GROUP, "container" },
	{ NSN_LIST_VFIO_DEVICES, "vfio devices", NSN_REC_VFIO_DEVICE, "vfio_group" },
	{ NSN_LIST_GROUPS, "groups", NSN_REC_GROUP, NULL },
	{ NSN_LIST_GROUP_DEVICES, "group devices", NSN_REC_GROUP_DEVICE, "group" },
	{ NSN_LIST_RECORDS, "records", NSN_REC_MAX, NULL }, /* of any kind */
};

/* A number or key field by name; -1 if the kind has none or it is unknown. */
static __u64 field_value(const struct nsn_rec *rec, const char *name)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[rec->kind];
	__u64 value = -1ULL;

	for (size_t i = 0; i < desc->fields_count; i++)
		if (strcmp(desc->fields[i].name, name) == 0 && nsn_rec_knows(rec, i))
			memcpy(&value, (const char *)rec + desc->fields[i].offset, sizeof(value));
	return value;
}

static void set_field(union nsn_any_rec *rec, const char *name, __u64 value)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[rec->h.kind];

	for (size_t i = 0; i < desc->fields_count; i++) {
		if (strcmp(desc->fields[i].name, name))
			continue;
		memcpy((char *)rec + desc->fields[i].offset, &value, sizeof(value));
		rec->h.known |= 1U << i;
	}
}

/* The end's counts as the collector would have written them for this list. */
static void recount(union nsn_any_rec *end, const struct nsn_rec *const *recs, size_t count)
{
	size_t counts[NSN_REC_MAX] = { 0 };

	for (size_t i = 0; i < count; i++)
		counts[recs[i]->kind]++;
	memset(end, 0, sizeof(*end));
	end->h.kind = NSN_REC_END;
	end->h.size = nsn_rec_descs[NSN_REC_END].size;
	for (int kind = 0; kind < NSN_REC_END; kind++)
		set_field(end, nsn_rec_descs[kind].name, counts[kind]);
}

static bool is_member(const struct cut *cut, const struct nsn_rec *rec, __u64 owner)
{
	if (cut->member == NSN_REC_MAX)
		return rec->kind != NSN_REC_END;
	if (rec->kind != cut->member)
		return false;
	return !cut->owner || field_value(rec, cut->owner) == owner;
}

/* Cuts the list that holds record `at`, before it. */
static void cut_before(const struct fixture *fixture, const struct cut *cut, size_t at,
		       const struct nsn_rec **recs, mutant_fn next, void *context)
{
	__u64 owner = cut->owner ? field_value(fixture->recs[at], cut->owner) : 0;
	union nsn_any_rec mark = { 0 }, end;
	size_t count = 0, kept = 0;
	char text[128];

	for (size_t i = 0; i < fixture->count; i++) {
		bool member = is_member(cut, fixture->recs[i], owner);

		if (member && i >= at)
			continue;
		kept += member;
		if (fixture->recs[i]->kind != NSN_REC_END)
			recs[count++] = fixture->recs[i];
	}
	mark.h.kind = NSN_REC_TRUNCATED;
	mark.h.size = nsn_rec_descs[NSN_REC_TRUNCATED].size;
	set_field(&mark, "list", cut->list);
	set_field(&mark, "limit", kept);
	if (cut->owner)
		set_field(&mark, cut->owner, owner);
	recs[count++] = &mark.h;
	recount(&end, recs, count);
	recs[count++] = &end.h;
	next(context, recs, count,
	     nsn_format(text, sizeof(text), "list of %s cut before this one", cut->name),
	     fixture->lines[at]);
}

/* Each list is cut before each of its members, as a collector tells it. */
int mutate__lists(const struct fixture *fixture, mutant_fn next, void *context)
{
	const struct nsn_rec **recs = calloc(fixture->count + 2, sizeof(*recs));

	if (!recs)
		return -ENOMEM;
	for (size_t c = 0; c < NSN_ARRAY_SIZE(cuts); c++) {
		const struct cut *cut = &cuts[c];

		for (size_t at = 0; at < fixture->count; at++)
			if (cut->member == NSN_REC_MAX ? fixture->recs[at]->kind != NSN_REC_END
						       : fixture->recs[at]->kind == cut->member)
				cut_before(fixture, cut, at, recs, next, context);
	}
	free(recs);
	return 0;
}

/* ---- sources that failed ----------------------------------------------------------------------
 */

static const struct {
	const char *source;
	enum nsn_rec_kind kind;
} gives[] = {
	{ "kernel.files", NSN_REC_FILE },
	{ "kernel.kvm", NSN_REC_VM },
	{ "kernel.kvm", NSN_REC_VM_FILE },
	{ "kernel.vfio", NSN_REC_VFIO_GROUP },
	{ "kernel.vfio", NSN_REC_VFIO_DEVICE },
	{ "kernel.vfio", NSN_REC_CONTAINER },
	{ "kernel.type1", NSN_REC_TYPE1_DOMAIN },
	{ "kernel.type1", NSN_REC_TYPE1_GROUP },
	{ "kernel.iommu", NSN_REC_GROUP },
	{ "kernel.iommu", NSN_REC_GROUP_DEVICE },
	{ "kernel.iommu", NSN_REC_DOMAIN },
	{ "sysfs.iommu", NSN_REC_IOMMU },
	{ "sysfs.groups", NSN_REC_SYS_GROUP },
	{ "sysfs.pci", NSN_REC_DEVICE },
	{ "proc", NSN_REC_PROCESS },
};

static bool source_gives(const char *source, unsigned int kind)
{
	for (size_t i = 0; i < NSN_ARRAY_SIZE(gives); i++)
		if (gives[i].kind == kind && strcmp(gives[i].source, source) == 0)
			return true;
	return false;
}

static void fail_source(const struct fixture *fixture, size_t at, const struct nsn_rec **recs,
			mutant_fn next, void *context)
{
	union nsn_any_rec failed = { 0 }, end;
	size_t count = 0;
	char text[128];

	memcpy(&failed, fixture->recs[at], fixture->recs[at]->size);
	NSN_PUT(&failed.source, source, state, NSN_SOURCE_FAILED);
	for (size_t i = 0; i < fixture->count; i++) {
		const struct nsn_rec *rec = fixture->recs[i];

		if (rec->kind != NSN_REC_END && !source_gives(failed.source.name, rec->kind))
			recs[count++] = i == at ? &failed.h : rec;
	}
	recount(&end, recs, count);
	recs[count++] = &end.h;
	next(context, recs, count,
	     nsn_format(text, sizeof(text), "source %s failed", failed.source.name),
	     fixture->lines[at]);
}

/* Each source that could be read could not; the counts agree with what is left. */
int mutate__sources(const struct fixture *fixture, mutant_fn next, void *context)
{
	const struct nsn_rec **recs = copy_list(fixture);

	if (!recs)
		return -ENOMEM;
	for (size_t at = 0; at < fixture->count; at++) {
		const struct nsn_rec_source *source = (const void *)fixture->recs[at];

		if (source->h.kind == NSN_REC_SOURCE && NSN_KNOWS(source, source, name) &&
		    NSN_KNOWS(source, source, state) && source->state == NSN_SOURCE_OK)
			fail_source(fixture, at, recs, next, context);
	}
	free(recs);
	return 0;
}

/* ---- objects that changed while they were read ------------------------------------------------
 */

static const struct {
	enum nsn_rec_kind kind;
	const char *key;
} tearable[] = {
	{ NSN_REC_VM, "vm" },
	{ NSN_REC_CONTAINER, "container" },
	{ NSN_REC_GROUP, "group" },
	{ NSN_REC_VFIO_GROUP, "vfio_group" },
	{ NSN_REC_VFIO_DEVICE, "vfio_device" },
	{ NSN_REC_DOMAIN, "domain" },
};

static const char *key_of(const struct nsn_rec *rec)
{
	for (size_t i = 0; i < NSN_ARRAY_SIZE(tearable); i++)
		if (tearable[i].kind == rec->kind && field_value(rec, tearable[i].key) != -1ULL)
			return tearable[i].key;
	return NULL;
}

/* Each object is torn: a record says so, and the end counts it. */
int mutate__torn(const struct fixture *fixture, mutant_fn next, void *context)
{
	const struct nsn_rec **recs = calloc(fixture->count + 2, sizeof(*recs));
	char text[128];

	if (!recs)
		return -ENOMEM;
	for (size_t at = 0; at < fixture->count; at++) {
		const char *key = key_of(fixture->recs[at]);
		union nsn_any_rec torn = { 0 }, end;
		size_t count = 0;

		if (!key)
			continue;
		for (size_t i = 0; i < fixture->count; i++)
			if (fixture->recs[i]->kind != NSN_REC_END)
				recs[count++] = fixture->recs[i];
		torn.h.kind = NSN_REC_TORN;
		torn.h.size = nsn_rec_descs[NSN_REC_TORN].size;
		set_field(&torn, key, field_value(fixture->recs[at], key));
		recs[count++] = &torn.h;
		recount(&end, recs, count);
		recs[count++] = &end.h;
		next(context, recs, count,
		     nsn_format(text, sizeof(text), "%s torn", kind_name(fixture->recs[at])),
		     fixture->lines[at]);
	}
	free(recs);
	return 0;
}
