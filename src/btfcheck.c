// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * btfcheck.c - does a kernel have a type, a field, an enumerator, a function? Floor 2.
 */
#include "btfcheck.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "btfraw.h"
#include "util.h"

/* One kernel part and its BTF. */
struct part {
	char name[NSN_MODULE_LEN];
	struct btf *btf;
};

/* A named type or function: what a name leads to. */
struct entry {
	const struct btf *btf;
	__u32 name;    /* offset: BTF that is added to may move its strings */
	size_t length; /* without a flavour (___x) */
	size_t part;
	__u32 id;
	bool function;
};

struct nsn_types {
	struct part *parts; /* vmlinux first */
	size_t parts_count;
	size_t parts_capacity;
	struct entry *entries; /* sorted by name, then part and id */
	size_t entries_count;
	size_t entries_capacity;
	bool sorted;
};

/* A member while its path is followed. */
struct position {
	const struct btf *btf;
	__u32 type; /* composite or other type that was reached */
	__u32 bit_offset;
	__u32 bit_size;
};

struct nsn_types *nsn_types__new(void)
{
	return calloc(1, sizeof(struct nsn_types));
}

void nsn_types__free(struct nsn_types *types)
{
	if (!types)
		return;
	/* split BTF points into vmlinux's, which therefore goes last */
	while (types->parts_count)
		btf__free(types->parts[--types->parts_count].btf);
	free(types->parts);
	free(types->entries);
	free(types);
}

static bool is_wanted_kind(const struct btf_type *type)
{
	return btf_is_composite(type) || btf_is_any_enum(type) || btf_is_func(type);
}

static int index_part(struct nsn_types *types, size_t part)
{
	const struct btf *btf = types->parts[part].btf;
	const struct btf *base = btf__base_btf(btf);
	__u32 end = btf__type_cnt(btf);

	for (__u32 id = base ? btf__type_cnt(base) : 1; id < end; id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);
		struct entry *entry;

		if (!is_wanted_kind(type) || !name || !*name)
			continue;
		entry = NSN_APPEND(types, entries);
		if (!entry)
			return -ENOMEM;
		entry->btf = btf;
		entry->name = type->name_off;
		entry->length =
			btf_is_func(type) ? strlen(name) : nsn_essential_length(name, strlen(name));
		entry->part = part;
		entry->id = id;
		entry->function = btf_is_func(type);
	}
	types->sorted = false;
	return 0;
}

int nsn_types__add(struct nsn_types *types, const char *module, struct btf *btf)
{
	struct part *part;

	if (nsn_types__has_module(types, module)) {
		btf__free(btf);
		return -EEXIST;
	}
	part = NSN_APPEND(types, parts);
	if (!part) {
		btf__free(btf);
		return -ENOMEM;
	}
	nsn_format(part->name, sizeof(part->name), "%s", module);
	part->btf = btf;
	return index_part(types, types->parts_count - 1);
}

const struct btf *nsn_types__vmlinux(const struct nsn_types *types)
{
	return types->parts_count ? types->parts[0].btf : NULL;
}

bool nsn_types__has_module(const struct nsn_types *types, const char *module)
{
	for (size_t i = 0; i < types->parts_count; i++)
		if (strcmp(types->parts[i].name, module) == 0)
			return true;
	return false;
}

/* ---- the index by name ---------------------------------------------------------------------- */

static const char *name_of(const struct entry *entry)
{
	return btf__name_by_offset(entry->btf, entry->name);
}

static int compare_names(const struct entry *a, const char *name, size_t length)
{
	size_t shorter = a->length < length ? a->length : length;
	int order = memcmp(name_of(a), name, shorter);

	if (order)
		return order;
	return a->length == length ? 0 : a->length < length ? -1 : 1;
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = compare_names(a, name_of(b), b->length);

	if (order)
		return order;
	if (a->part != b->part)
		return a->part < b->part ? -1 : 1;
	return a->id == b->id ? 0 : a->id < b->id ? -1 : 1;
}

/* The first entry of a name; the others follow it. NULL if there is none. */
static const struct entry *find_entries(struct nsn_types *types, const char *name, size_t length)
{
	size_t low = 0, high = types->entries_count;

	if (!types->sorted && types->entries_count)
		qsort(types->entries, types->entries_count, sizeof(*types->entries),
		      compare_entries);
	types->sorted = true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_names(&types->entries[middle], name, length) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == types->entries_count || compare_names(&types->entries[low], name, length))
		return NULL;
	return &types->entries[low];
}

static const struct entry *next_entry(const struct nsn_types *types, const struct entry *entry)
{
	const struct entry *next = entry + 1;

	if (next == types->entries + types->entries_count ||
	    compare_names(next, name_of(entry), entry->length))
		return NULL;
	return next;
}

bool nsn_types__has_function(struct nsn_types *types, const char *function, const char **module)
{
	const struct entry *entry = find_entries(types, function, strlen(function));

	for (; entry; entry = next_entry(types, entry)) {
		if (!entry->function)
			continue;
		if (module)
			*module = types->parts[entry->part].name;
		return true;
	}
	return false;
}

/* ---- fields and enumerators ----------------------------------------------------------------- */

/* What a field's type is once typedefs, qualifiers and arrays are taken off. */
static __u32 strip(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type) {
		if (btf_is_mod(type) || btf_is_typedef(type))
			id = type->type;
		else if (btf_is_array(type))
			id = btf_array(type)->type;
		else
			break;
		type = btf__type_by_id(btf, id);
	}
	return id;
}

static __u32 member_bits(const struct btf *btf, const struct btf_type *type, __u32 member)
{
	__u32 bits = btf_member_bitfield_size(type, member);
	__s64 bytes;

	if (bits)
		return bits;
	bytes = btf__resolve_size(btf, btf_members(type)[member].type);
	return bytes > 0 ? (__u32)bytes * 8 : 0;
}

#define MAX_NESTING 16 /* of anonymous structs and unions: damaged BTF must not loop */

/* Follows one name from at->type, a composite. False if it has no such field. */
static bool follow(struct position *at, const char *name, size_t length, int depth)
{
	const struct btf_type *type = btf__type_by_id(at->btf, at->type);
	const struct btf_member *members;

	if (!type || !btf_is_composite(type) || depth > MAX_NESTING)
		return false;
	members = btf_members(type);
	for (__u32 i = 0; i < btf_vlen(type); i++) {
		const char *own = btf__name_by_offset(at->btf, members[i].name_off);
		struct position inner = {
			.btf = at->btf,
			.type = strip(at->btf, members[i].type),
			.bit_offset = at->bit_offset + btf_member_bit_offset(type, i),
			.bit_size = member_bits(at->btf, type, i),
		};

		if (!own || !*own) {
			if (!follow(&inner, name, length, depth + 1))
				continue;
		} else if (strlen(own) != length || memcmp(own, name, length)) {
			continue;
		}
		*at = inner;
		return true;
	}
	return false;
}

static bool find_enumerator(const struct btf *btf, const struct btf_type *type, const char *name,
			    long long *value)
{
	for (__u32 i = 0; i < btf_vlen(type); i++) {
		bool wide = btf_is_enum64(type);
		__u32 offset = wide ? btf_enum64(type)[i].name_off : btf_enum(type)[i].name_off;
		const char *own = btf__name_by_offset(btf, offset);

		if (!own || strcmp(own, name))
			continue;
		*value = wide ? (long long)btf_enum64_value(&btf_enum64(type)[i])
			      : btf_enum(type)[i].val;
		return true;
	}
	return false;
}

/* Resolves what follows the type's name ("" or ".field.field") in one candidate. */
static bool find_in(const struct btf *btf, __u32 id, const char *path, struct nsn_place *place)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	struct position at = { .btf = btf, .type = id };

	if (!*path)
		return true;
	if (btf_is_any_enum(type))
		return find_enumerator(btf, type, path + 1, &place->value);
	while (*path == '.') {
		size_t length = strcspn(path + 1, ".");

		if (!follow(&at, path + 1, length, 0))
			return false;
		path += 1 + length;
	}
	place->bit_offset = at.bit_offset;
	place->bit_size = at.bit_size;
	return true;
}

int nsn_types__find(struct nsn_types *types, const char *requirement, struct nsn_place *place,
		    char *reason, size_t size)
{
	size_t length = strcspn(requirement, ".");
	const struct entry *entry = find_entries(types, requirement, length);
	struct nsn_place found = {}, first = {};
	bool candidates = false, vmlinux = false;

	for (; entry; entry = next_entry(types, entry)) {
		if (entry->function)
			continue;
		if (vmlinux && entry->part)
			break; /* the loader looks no further either */
		candidates = true;
		vmlinux = entry->part == 0;
		memset(&found, 0, sizeof(found));
		if (!find_in(entry->btf, entry->id, requirement + length, &found))
			continue;
		found.module = types->parts[entry->part].name;
		if (first.module &&
		    (first.bit_offset != found.bit_offset || first.bit_size != found.bit_size ||
		     first.value != found.value)) {
			if (reason)
				snprintf(reason, size, "%s differs between %s and %s", requirement,
					 first.module, found.module);
			return -ENOTUNIQ;
		}
		if (!first.module)
			first = found;
	}
	if (first.module) {
		if (place)
			*place = first;
		return 0;
	}
	if (reason && candidates)
		snprintf(reason, size, "%.*s has no %s", (int)length, requirement,
			 requirement + length + !!requirement[length]);
	else if (reason)
		snprintf(reason, size, "no type %.*s", (int)length, requirement);
	return -ENOENT;
}
