// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unknowns.c - collects what is not known. Floor 1.
 */
#include "unknowns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One fact of one kind, while all objects are asked for it. */
struct inquiry {
	const struct nsn_model *model;
	const struct nsn_scope *scope;
	struct nsn_unknowns *out;
	const struct nsn_field *field;
	enum nsn_object parent, kind; /* parent: NSN_OBJECT_MAX unless nested */
	char fact[NSN_FACT_LEN];
	size_t first;   /* where its rows start in out->items */
	size_t asked;   /* objects that could have the fact */
	size_t missing; /* of these, without it */
	bool absent;
};

static int add_row(struct nsn_unknowns *out, const char *fact, const char *subject,
		   const char *reason)
{
	struct nsn_unknown *row = NSN_APPEND(out, items);

	if (!row)
		return -ENOMEM;
	nsn_utf8_copy(row->fact, sizeof(row->fact), fact);
	row->subject = subject;
	row->reason = reason;
	row->objects = 1;
	return 0;
}

/* An object whose parts changed while they were read is believed in nothing. */
static bool is_torn(enum nsn_object kind, const void *object)
{
	switch (kind) {
	case NSN_OBJECT_VM:
		return ((const struct nsn_vm *)object)->torn;
	case NSN_OBJECT_CONTAINER:
		return ((const struct nsn_container *)object)->torn;
	case NSN_OBJECT_DOMAIN:
		return ((const struct nsn_domain *)object)->torn;
	case NSN_OBJECT_GROUP:
		return ((const struct nsn_group *)object)->torn;
	default:
		return false;
	}
}

static int ask(struct inquiry *inquiry, const void *object, enum nsn_object subject_kind,
	       const void *subject_object)
{
	const char *subject = nsn_object__id(subject_kind, subject_object), *reason;
	struct nsn_unknown *last;
	struct nsn_value value;

	nsn_field__get(inquiry->field, inquiry->model, object, &value);
	inquiry->absent |= value.type == NSN_VALUE_ABSENT;
	if (value.type == NSN_VALUE_NONE || value.type == NSN_VALUE_ABSENT)
		return 0;
	inquiry->asked++;
	if (value.type != NSN_VALUE_UNKNOWN && !value.reason)
		return 0;
	inquiry->missing++;
	reason = value.reason;
	if (!reason && is_torn(subject_kind, subject_object))
		reason = "it changed while it was read, three times over";
	if (!reason)
		reason = nsn_model__why_unknown(inquiry->model, inquiry->fact, subject,
						inquiry->field->source);
	if (inquiry->out->items_count > inquiry->first) {
		last = &inquiry->out->items[inquiry->out->items_count - 1];
		if (strcmp(last->subject, subject) == 0 && strcmp(last->reason, reason) == 0)
			return 0;
	}
	if (add_row(inquiry->out, inquiry->fact, subject, reason))
		return -ENOMEM;
	last = &inquiry->out->items[inquiry->out->items_count - 1];
	last->moot = value.moot;
	last->field = inquiry->field;
	return 0;
}

/* Rows of all objects with one reason become one row for "*": 10,000 groups, one sentence. */
static void fold(struct nsn_unknowns *out, size_t first, bool all)
{
	if (!all || out->items_count - first < 2)
		return;
	for (size_t i = first + 1; i < out->items_count; i++)
		if (strcmp(out->items[i].reason, out->items[first].reason))
			return;
	out->items[first].subject = "*";
	out->items[first].objects = out->items_count - first;
	out->items_count = first + 1;
}

/* Asks all nested objects of one object. */
static int ask_nested(struct inquiry *inquiry, const struct nsn_field *list, const void *parent)
{
	struct nsn_value objects;
	int err = 0;

	nsn_field__get(list, inquiry->model, parent, &objects);
	for (size_t i = 0; i < objects.count && !err; i++)
		err = ask(inquiry, nsn_value__object(&objects, i), inquiry->parent, parent);
	return err;
}

/* One fact of one kind; list: the parent's field that has the nested objects, or NULL. */
static int inquire(struct inquiry *inquiry, const struct nsn_field *list)
{
	const struct nsn_scope *scope = inquiry->scope;
	enum nsn_object top = list ? inquiry->parent : inquiry->kind;
	size_t count = nsn_model__count(inquiry->model, top);
	char(*absent)[NSN_FACT_LEN];
	int err = 0;

	nsn_fact_name(inquiry->fact, sizeof(inquiry->fact), inquiry->parent, inquiry->kind,
		      inquiry->field);
	inquiry->first = inquiry->out->items_count;
	for (size_t i = 0; i < count && !err; i++) {
		const void *object = nsn_model__object(inquiry->model, top, i);

		if (scope->shows && top != NSN_OBJECT_HOST &&
		    !scope->shows(scope->data, top, object))
			continue;
		err = list ? ask_nested(inquiry, list, object) : ask(inquiry, object, top, object);
	}
	fold(inquiry->out, inquiry->first, inquiry->asked == inquiry->missing);
	if (err || !inquiry->absent)
		return err;
	absent = NSN_APPEND(inquiry->out, absent);
	if (!absent)
		return -ENOMEM;
	memcpy(*absent, inquiry->fact, sizeof(*absent));
	return 0;
}

/* All facts of the kind that `like` is about. */
static int inquire_kind(const struct inquiry *like, const struct nsn_field *list)
{
	const struct nsn_field *field;
	int err = 0;

	for (field = nsn_kinds[like->kind].fields; field->path && !err; field++) {
		struct inquiry inquiry = *like;

		inquiry.field = field;
		err = inquire(&inquiry, list);
	}
	return err;
}

/* The kind of the objects that are nested in a field, or NSN_OBJECT_MAX. */
static enum nsn_object nested_kind(const struct nsn_field *field)
{
	for (int kind = 0; kind < NSN_OBJECT_MAX; kind++)
		if (nsn_kinds[kind].nested && strcmp(field->path, nsn_kinds[kind].plural) == 0)
			return kind;
	return NSN_OBJECT_MAX;
}

/* KVM's own list has every VM; where it can't be found, descriptors lead to those that have one. */
static const char *why_vms_unseen(const struct nsn_model *model)
{
	const char *reason;

	if (NSN_KNOWS(&model->kernel, kernel, vm_list) && model->kernel.vm_list)
		return NULL;
	if (nsn_model__source(model, "kernel.files", &reason) == NSN_SOURCE_FAILED)
		return reason;
	if (!NSN_KNOWS(&model->host, host, pid_namespace_initial) ||
	    !model->host.pid_namespace_initial)
		return "VMs of processes outside this pid namespace are not seen";
	return "VMs that no descriptor holds are not seen: needs a kernel with CONFIG_KALLSYMS_ALL";
}

const char *nsn_unknowns_why_unseen(const struct nsn_model *model, enum nsn_object kind)
{
	static const char *const sources[NSN_OBJECT_MAX] = {
		[NSN_OBJECT_IOMMU] = "sysfs.iommu",     [NSN_OBJECT_VM] = "kernel.kvm",
		[NSN_OBJECT_CONTAINER] = "kernel.vfio", [NSN_OBJECT_DOMAIN] = "kernel.iommu",
		[NSN_OBJECT_GROUP] = "sysfs.groups",    [NSN_OBJECT_DEVICE] = "sysfs.pci",
	};
	const char *reason = "";

	if (!sources[kind])
		return NULL;
	switch (nsn_model__source(model, sources[kind], &reason)) {
	case NSN_SOURCE_FAILED:
		return reason[0] ? reason : "it could not be read";
	case NSN_SOURCE_OK:
		return kind == NSN_OBJECT_VM ? why_vms_unseen(model) : NULL;
	default:
		return NULL;
	}
}

/* A list that lacks objects: its name is the fact. */
static int ask_unseen(const struct nsn_model *model, enum nsn_object kind, struct nsn_unknowns *out)
{
	const char *reason = nsn_unknowns_why_unseen(model, kind);

	return reason ? add_row(out, nsn_kinds[kind].plural, "*", reason) : 0;
}

static int collect_facts(const struct nsn_model *model, const struct nsn_scope *scope,
			 struct nsn_unknowns *out)
{
	struct inquiry like = { .model = model, .scope = scope, .out = out };
	const struct nsn_field *field;
	int err = 0;

	for (int kind = 0; kind < NSN_OBJECT_MAX && !err; kind++) {
		if (nsn_kinds[kind].nested)
			continue;
		like.parent = NSN_OBJECT_MAX;
		like.kind = kind;
		err = ask_unseen(model, kind, out);
		if (!err)
			err = inquire_kind(&like, NULL);
		like.parent = kind;
		for (field = nsn_kinds[kind].fields; field->path && !err; field++) {
			like.kind = nested_kind(field);
			if (like.kind != NSN_OBJECT_MAX)
				err = inquire_kind(&like, field);
		}
	}
	return err;
}

/* How many subjects the rule had in all. */
static size_t subjects_of(const struct nsn_findings *findings, const struct nsn_rule *rule)
{
	for (size_t i = 0; i < findings->results_count; i++)
		if (findings->results[i].rule == rule)
			return findings->results[i].subjects;
	return 0;
}

static int collect_rules(const struct nsn_findings *findings, struct nsn_unknowns *out)
{
	char fact[NSN_FACT_LEN];
	size_t first = out->items_count;
	int err;

	for (size_t i = 0; i < findings->unknowns_count; i++) {
		const struct nsn_rule_unknown *unknown = &findings->unknowns[i];
		const struct nsn_rule *rule = unknown->rule;

		nsn_format(fact, sizeof(fact), "rules.%s", rule->id);
		err = add_row(out, fact, unknown->subject_id, unknown->reason);
		if (err)
			return err;
		out->items[out->items_count - 1].rule = true;
		if (i + 1 < findings->unknowns_count && findings->unknowns[i + 1].rule == rule)
			continue;
		fold(out, first, subjects_of(findings, rule) == out->items_count - first);
		first = out->items_count;
	}
	return 0;
}

struct nsn_unknowns *nsn_unknowns__new(const struct nsn_model *model,
				       const struct nsn_findings *findings,
				       const struct nsn_scope *scope)
{
	struct nsn_unknowns *out = calloc(1, sizeof(*out));
	int err;

	if (!out)
		return NULL;
	err = collect_facts(model, scope, out);
	if (!err && findings)
		err = collect_rules(findings, out);
	if (!err)
		return out;
	nsn_unknowns__free(out);
	return NULL;
}

void nsn_unknowns__free(struct nsn_unknowns *unknowns)
{
	if (!unknowns)
		return;
	free(unknowns->items);
	free(unknowns->absent);
	free(unknowns);
}
