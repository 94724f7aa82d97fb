// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields.c - the kinds of objects and what is common to their fields. Floor 1.
 */
#include "fields.h"
#include "fields_internal.h"

#include <stdio.h>
#include <string.h>

#define KIND(name_, plural_, rows, nested_)                                                        \
	{                                                                                          \
		.name = name_, .plural = plural_, .fields = nsn_fields_##rows, .nested = nested_   \
	}

const struct nsn_kind nsn_kinds[NSN_OBJECT_MAX] = {
	[NSN_OBJECT_HOST] = KIND("host", "host", host, false),
	[NSN_OBJECT_IOMMU] = KIND("iommu", "iommus", iommu, false),
	[NSN_OBJECT_VM] = KIND("vm", "vms", vm, false),
	[NSN_OBJECT_LINK] = KIND("link", "links", link, true),
	[NSN_OBJECT_PATH] = KIND("path", "paths", path, true),
	[NSN_OBJECT_CONTAINER] = KIND("container", "containers", container, false),
	[NSN_OBJECT_DOMAIN] = KIND("domain", "domains", domain, false),
	[NSN_OBJECT_GROUP] = KIND("group", "groups", group, false),
	[NSN_OBJECT_MEMBER] = KIND("member", "members", member, true),
	[NSN_OBJECT_PASID] = KIND("pasid", "pasids", pasid, true),
	[NSN_OBJECT_DEVICE] = KIND("device", "devices", device, false),
	[NSN_OBJECT_KVM] = KIND("kvm", "kvm", kvm, true),
	[NSN_OBJECT_IF_ASSIGNED] = KIND("if_assigned", "if_assigned", if_assigned, true),
};

static void add_words(const struct nsn_field *field, struct nsn_value *value)
{
	const struct nsn_wording *wording;

	for (wording = field->values; wording->text; wording++) {
		if (strcmp(wording->text, value->text))
			continue;
		value->words = wording->words;
		value->tone = wording->tone;
		return;
	}
}

/* The kind whose table a row stands in. */
static enum nsn_object kind_of(const struct nsn_field *field)
{
	for (enum nsn_object kind = 0; kind < NSN_OBJECT_MAX; kind++)
		for (const struct nsn_field *row = nsn_kinds[kind].fields; row->path; row++)
			if (row == field)
				return kind;
	return NSN_OBJECT_MAX;
}

/* Only asked for what is unknown: does this kernel lack the fact altogether? */
static bool is_absent(const struct nsn_field *field, const struct nsn_model *model)
{
	enum nsn_object kind = kind_of(field);
	char fact[128];

	if (field->source && nsn_model__source(model, field->source, NULL) == NSN_SOURCE_ABSENT)
		return true;
	return kind < NSN_OBJECT_MAX && !nsn_kinds[kind].nested &&
	       nsn_model__is_absent(model,
				    nsn_fact_name(fact, sizeof(fact), NSN_OBJECT_MAX, kind, field));
}

void nsn_field__get(const struct nsn_field *field, const struct nsn_model *model,
		    const void *object, struct nsn_value *value)
{
	memset(value, 0, offsetof(struct nsn_value, scratch));
	value->scratch[0] = '\0';
	if (field->live && !model->live) {
		value->type = NSN_VALUE_NONE;
		return;
	}
	field->get(model, object, value);
	if (value->type == NSN_VALUE_TEXT && field->values)
		add_words(field, value);
	if (value->type == NSN_VALUE_UNKNOWN && is_absent(field, model))
		value->type = NSN_VALUE_ABSENT;
}

bool nsn_fields_blind(const struct nsn_model *model)
{
	const char *reason;

	return model->blind_to_files || model->lost_records ||
	       nsn_model__source(model, "kernel.files", &reason) == NSN_SOURCE_FAILED;
}

void nsn_value__item(const struct nsn_value *list, size_t i, struct nsn_value *item)
{
	memset(item, 0, offsetof(struct nsn_value, scratch));
	if (list->numbers) {
		item->type = NSN_VALUE_INT;
		item->number = list->numbers[i];
		return;
	}
	if (list->kind == NSN_OBJECT_GROUP) {
		item->type = NSN_VALUE_INT;
		item->number = ((const struct nsn_group *)list->refs[i])->number;
		return;
	}
	item->type = NSN_VALUE_TEXT;
	item->text = nsn_object__id(list->kind, list->refs[i]);
}

const void *nsn_value__object(const struct nsn_value *objects, size_t i)
{
	return objects->refs ? objects->refs[i] : objects->array + i * objects->stride;
}

size_t nsn_model__count(const struct nsn_model *model, enum nsn_object kind)
{
	switch (kind) {
	case NSN_OBJECT_HOST:
		return 1;
	case NSN_OBJECT_IOMMU:
		return model->iommus_count;
	case NSN_OBJECT_VM:
		return model->vms_count;
	case NSN_OBJECT_CONTAINER:
		return model->containers_count;
	case NSN_OBJECT_DOMAIN:
		return model->domains_count;
	case NSN_OBJECT_GROUP:
		return model->groups_count;
	case NSN_OBJECT_DEVICE:
		return model->devices_count;
	default:
		return 0;
	}
}

const void *nsn_model__object(const struct nsn_model *model, enum nsn_object kind, size_t i)
{
	switch (kind) {
	case NSN_OBJECT_HOST:
		return model;
	case NSN_OBJECT_IOMMU:
		return &model->iommus[i];
	case NSN_OBJECT_VM:
		return &model->vms[i];
	case NSN_OBJECT_CONTAINER:
		return &model->containers[i];
	case NSN_OBJECT_DOMAIN:
		return &model->domains[i];
	case NSN_OBJECT_GROUP:
		return &model->groups[i];
	case NSN_OBJECT_DEVICE:
		return &model->devices[i];
	default:
		return NULL;
	}
}

const char *nsn_object__id(enum nsn_object kind, const void *object)
{
	switch (kind) {
	case NSN_OBJECT_HOST:
		return "host";
	case NSN_OBJECT_IOMMU:
		return ((const struct nsn_iommu *)object)->id;
	case NSN_OBJECT_VM:
	case NSN_OBJECT_KVM:
		return ((const struct nsn_vm *)object)->id;
	case NSN_OBJECT_CONTAINER:
		return ((const struct nsn_container *)object)->id;
	case NSN_OBJECT_DOMAIN:
		return ((const struct nsn_domain *)object)->id;
	case NSN_OBJECT_GROUP:
		return ((const struct nsn_group *)object)->id;
	case NSN_OBJECT_MEMBER:
	case NSN_OBJECT_DEVICE:
	case NSN_OBJECT_IF_ASSIGNED:
		return ((const struct nsn_device *)object)->id;
	default:
		return "";
	}
}

const char *nsn_object__title(enum nsn_object kind, const void *object)
{
	const struct nsn_vm *vm = object;

	if (kind == NSN_OBJECT_VM && vm->process && NSN_KNOWS(vm->process, process, name) &&
	    vm->process->name[0])
		return vm->process->name;
	return nsn_object__id(kind, object);
}

char *nsn_fact_name(char *out, size_t size, enum nsn_object parent, enum nsn_object kind,
		    const struct nsn_field *field)
{
	if (parent == NSN_OBJECT_MAX)
		return nsn_format(out, size, "%s.%s", nsn_kinds[kind].plural, field->path);
	return nsn_format(out, size, "%s.%s.%s", nsn_kinds[parent].plural, nsn_kinds[kind].plural,
			  field->path);
}
