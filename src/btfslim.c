// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * btfslim.c - of a kernel's types, those that an object's programs read. Floor 2.
 *
 * What CO-RE looks at: types of a name and a kind (what follows "___" in a name aside) of vmlinux,
 * and only where it has none those of modules; in them members, by value, through typedefs, qualifiers
 * and arrays. It never follows a pointer, so pointers point to nothing here.
 */
#include "btfslim.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "btfraw.h"
#include "log.h"
#include "probes.h"
#include "util.h"

#define SLOTS      2048      /* of the table of names: a power of 2, some times their number */
#define BEGINNINGS 4096      /* of the table of first letters */
#define MAX_PARTS  16        /* vmlinux and modules */
#define MAX_BYTES  (8 << 20) /* of the types, and of the names: more is not believed */

/* A name that is looked for. */
struct wanted {
	const char *name;
	size_t length; /* without a flavour */
	int kind;
	bool found; /* in vmlinux */
};

struct buffer {
	char *bytes;
	size_t count, capacity;
};

/* A type that goes into the result, where its place is its number. */
struct chosen {
	uint8_t part;
	uint32_t id;
};

struct slim {
	struct wanted slots[SLOTS];
	size_t wanted_count;
	bool begins[BEGINNINGS];
	struct nsn_btfraw parts[MAX_PARTS]; /* vmlinux first */
	uint32_t *numbers[MAX_PARTS];       /* of each type of a part: its new number, or 0 */
	size_t parts_count;
	struct chosen *chosen;
	size_t chosen_count, chosen_capacity;
	struct buffer types, strings;
	const char *function; /* or NULL */
	uint32_t function_id;
};

/* ---- names ------------------------------------------------------------------------------------ */

/* Enums of both sizes are one kind to CO-RE. */
static int kind_of(const struct btf_type *type)
{
	return btf_is_any_enum(type) ? BTF_KIND_ENUM : btf_kind(type);
}

/* Tells most names from all that are wanted by their first three letters. */
static size_t beginning(const char *name)
{
	size_t hash = 0;

	for (size_t i = 0; i < 3 && name[i]; i++)
		hash = hash * 31 + (unsigned char)name[i];
	return hash % BEGINNINGS;
}

/* The slot of a name, or the free one where it would be. */
static struct wanted *slot_of(struct slim *slim, const char *name, size_t length, int kind)
{
	size_t hash = kind;

	for (size_t i = 0; i < length; i++)
		hash = hash * 31 + (unsigned char)name[i];
	for (;; hash++) {
		struct wanted *slot = &slim->slots[hash % SLOTS];

		if (!slot->name || (slot->kind == kind && slot->length == length &&
				    memcmp(slot->name, name, length) == 0))
			return slot;
	}
}

static bool is_named_type(const struct btf_type *type)
{
	return type->name_off && (btf_is_composite(type) || btf_is_any_enum(type));
}

static int want_names(struct slim *slim, const struct btf *local)
{
	const uint32_t end = btf__type_cnt(local);

	for (uint32_t id = 1; id < end; id++) {
		const struct btf_type *type = btf__type_by_id(local, id);
		const char *name = btf__name_by_offset(local, type->name_off);
		struct wanted *slot;
		size_t length;

		if (!is_named_type(type))
			continue;
		length = nsn_essential_length(name, strlen(name));
		slot = slot_of(slim, name, length, kind_of(type));
		if (!slot->name && ++slim->wanted_count > SLOTS / 2)
			return -E2BIG;
		*slot = (struct wanted){ .name = name, .length = length, .kind = kind_of(type) };
		slim->begins[beginning(name)] = true;
	}
	return 0;
}

/* ---- the choice -------------------------------------------------------------------------------- */

/* The new number of a type, which is chosen by that. 0: none, or no memory (*err). */
static uint32_t choose(struct slim *slim, size_t part, uint32_t id, int *err)
{
	const struct nsn_btfraw *raw = &slim->parts[part];
	struct chosen *chosen;
	uint32_t *number;

	if (raw->base && id < raw->first)
		raw = &slim->parts[part = 0];
	if (id < raw->first || id >= raw->end)
		return 0;
	number = &slim->numbers[part][id - raw->first];
	if (*number)
		return *number;
	chosen = NSN_APPEND(slim, chosen);
	if (!chosen) {
		*err = -ENOMEM;
		return 0;
	}
	*chosen = (struct chosen){ .part = (uint8_t)part, .id = id };
	*number = (uint32_t)slim->chosen_count;
	return *number;
}

/* The function that is asked for? */
static bool is_function(const struct slim *slim, size_t part, const struct btf_type *type)
{
	const char *name;

	if (!btf_is_func(type) || part || !slim->function)
		return false;
	name = nsn_btfraw__name(&slim->parts[0], type->name_off);
	return name[0] == slim->function[0] && strcmp(name, slim->function) == 0;
}

/* Types of a part that have a wanted name; of a module's only those that vmlinux has none of. */
static int choose_by_name(struct slim *slim, size_t part)
{
	const struct nsn_btfraw *raw = &slim->parts[part];
	int err = 0;

	for (uint32_t id = raw->first; id < raw->end && !err; id++) {
		const struct btf_type *type = nsn_btfraw__own_type(raw, id);
		struct wanted *slot;
		const char *name;

		if (!is_named_type(type)) {
			if (is_function(slim, part, type))
				slim->function_id = id;
			continue;
		}
		name = nsn_btfraw__name(raw, type->name_off);
		if (!slim->begins[beginning(name)])
			continue;
		slot = slot_of(slim, name, nsn_essential_length(name, strlen(name)), kind_of(type));
		if (!slot->name || (part && slot->found))
			continue;
		slot->found |= !part;
		choose(slim, part, id, &err);
	}
	return err;
}

static bool is_all_found(const struct slim *slim)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (slim->slots[i].name && !slim->slots[i].found)
			return false;
	return true;
}

/* ---- the result -------------------------------------------------------------------------------- */

static int append(struct buffer *buffer, const void *bytes, size_t size)
{
	if (buffer->count + size > MAX_BYTES)
		return -E2BIG;
	while (buffer->count + size > buffer->capacity) {
		char *grown = nsn_grow(buffer->bytes, buffer->capacity, &buffer->capacity, 1);

		if (!grown)
			return -ENOMEM;
		buffer->bytes = grown;
	}
	memcpy(buffer->bytes + buffer->count, bytes, size);
	buffer->count += size;
	return 0;
}

/* A name's offset in the result. */
static uint32_t add_name(struct slim *slim, size_t part, uint32_t offset, int *err)
{
	const char *name = nsn_btfraw__name(&slim->parts[part], offset);
	const size_t at = slim->strings.count;
	int failed = *name ? append(&slim->strings, name, strlen(name) + 1) : 0;

	if (failed)
		*err = failed;
	return *name ? (uint32_t)at : 0;
}

/* Renames and renumbers what follows a type; `type` is the copy in the result. */
static int translate(struct slim *slim, size_t part, struct btf_type *type)
{
	struct btf_member *members = btf_members(type);
	struct btf_array *array = btf_array(type);
	int err = 0;

	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		for (size_t i = 0; i < btf_vlen(type); i++) {
			members[i].name_off = add_name(slim, part, members[i].name_off, &err);
			members[i].type = choose(slim, part, members[i].type, &err);
		}
		break;
	case BTF_KIND_ENUM:
		for (size_t i = 0; i < btf_vlen(type); i++)
			btf_enum(type)[i].name_off =
				add_name(slim, part, btf_enum(type)[i].name_off, &err);
		break;
	case BTF_KIND_ENUM64:
		for (size_t i = 0; i < btf_vlen(type); i++)
			btf_enum64(type)[i].name_off =
				add_name(slim, part, btf_enum64(type)[i].name_off, &err);
		break;
	case BTF_KIND_ARRAY:
		array->type = choose(slim, part, array->type, &err);
		array->index_type = choose(slim, part, array->index_type, &err);
		break;
	case BTF_KIND_PTR:
		type->type = 0;
		break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		type->type = choose(slim, part, type->type, &err);
		break;
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_FWD:
		break;
	default: /* nothing that a member can be */
		err = -EINVAL;
	}
	return err;
}

/*
 * Writes a type. One that only is held by others loses its name, where names do not matter: a type of
 * a module must not be found by a name that CO-RE would not look for there.
 */
static int write_type(struct slim *slim, const struct chosen *chosen, bool by_name)
{
	const struct btf_type *type = nsn_btfraw__type(&slim->parts[chosen->part], chosen->id);
	const size_t size = nsn_btfraw__type_size(type);
	struct btf_type *copy = malloc(size);
	int err = copy ? 0 : -ENOMEM;

	if (err)
		return err;
	memcpy(copy, type, size);
	if (btf_is_composite(type) && !by_name)
		copy->name_off = 0;
	else
		copy->name_off = add_name(slim, chosen->part, type->name_off, &err);
	if (!err)
		err = translate(slim, chosen->part, copy);
	if (!err)
		err = append(&slim->types, copy, size);
	free(copy);
	return err;
}

static int write_types(struct slim *slim)
{
	const size_t by_name = slim->chosen_count;
	int err = append(&slim->strings, "", 1);

	for (size_t i = 0; i < slim->chosen_count && !err; i++) {
		const struct chosen chosen = slim->chosen[i]; /* the array may move */

		err = write_type(slim, &chosen, i < by_name);
	}
	return err;
}

static int put_together(const struct slim *slim, void **out, size_t *size)
{
	const struct btf_header header = {
		.magic = BTF_MAGIC,
		.version = 1,
		.hdr_len = sizeof(header),
		.type_len = (uint32_t)slim->types.count,
		.str_off = (uint32_t)slim->types.count,
		.str_len = (uint32_t)slim->strings.count,
	};
	struct buffer all = { 0 };
	int err = append(&all, &header, sizeof(header));

	if (!err && slim->types.count)
		err = append(&all, slim->types.bytes, slim->types.count);
	if (!err)
		err = append(&all, slim->strings.bytes, slim->strings.count);
	if (err) {
		free(all.bytes);
		return err;
	}
	*out = all.bytes;
	*size = all.count;
	return 0;
}

/* ---- the interface ----------------------------------------------------------------------------- */

static int add_part(struct slim *slim, const char *folder, const char *module)
{
	struct nsn_btfraw *raw = &slim->parts[slim->parts_count];
	char path[PATH_MAX];
	int err;

	if (slim->parts_count == MAX_PARTS)
		return -E2BIG;
	nsn_format(path, sizeof(path), "%s/%s", folder, module);
	err = strcmp(path, NSN_KERNEL_BTF "/vmlinux") == 0
		      ? nsn_btfraw__read_kernel(raw)
		      : nsn_btfraw__read(raw, path, slim->parts_count ? &slim->parts[0] : NULL);
	if (err)
		return err;
	slim->numbers[slim->parts_count] =
		calloc(raw->end - raw->first + 1, sizeof(**slim->numbers));
	return slim->numbers[slim->parts_count++] ? 0 : -ENOMEM;
}

/* Of modules, those that nosnoop reads; one that is not there or has no BTF is none. */
static int add_modules(struct slim *slim, const char *folder)
{
	for (size_t i = 0; i < nsn_module_rows_count; i++) {
		int err = nsn_module_rows[i].part ? -ENOENT
						  : add_part(slim, folder, nsn_module_rows[i].name);

		if (!err)
			err = choose_by_name(slim, slim->parts_count - 1);
		if (err == -ENOMEM || err == -E2BIG)
			return err;
	}
	return 0;
}

static void free_slim(struct slim *slim)
{
	while (slim->parts_count--) {
		nsn_btfraw__free(&slim->parts[slim->parts_count]);
		free(slim->numbers[slim->parts_count]);
	}
	free(slim->chosen);
	free(slim->types.bytes);
	free(slim->strings.bytes);
	free(slim);
}

int nsn_slim__build(const struct btf *local, const char *folder, const char *function,
		    uint32_t *function_id, void **bytes, size_t *size)
{
	struct slim *slim = calloc(1, sizeof(*slim));
	int err = slim ? want_names(slim, local) : -ENOMEM;

	if (!slim)
		return err;
	slim->function = function;
	if (!err)
		err = add_part(slim, folder, "vmlinux");
	if (!err)
		err = choose_by_name(slim, 0);
	if (!err && !is_all_found(slim))
		err = add_modules(slim, folder);
	if (!err)
		err = write_types(slim);
	if (!err)
		err = put_together(slim, bytes, size);
	*function_id = err ? 0 : slim->function_id;
	free_slim(slim);
	return err;
}

/* A kernel before 6.3 does not know that its memory is to hold no code. */
static int make_file(void)
{
	int fd = -1;

#ifdef MFD_NOEXEC_SEAL
	fd = memfd_create("nosnoop-types", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
#endif
	return fd >= 0 ? fd : memfd_create("nosnoop-types", MFD_CLOEXEC);
}

void nsn_slim__open(struct nsn_slim *slim)
{
	*slim = (struct nsn_slim){ .fd = -1 };
	if (access(NSN_KERNEL_BTF "/vmlinux", R_OK) == 0)
		slim->fd = make_file();
	if (slim->fd < 0)
		return;
	nsn_format(slim->path, sizeof(slim->path), "/proc/self/fd/%d", slim->fd);
	if (access(slim->path, R_OK))
		nsn_slim__close(slim);
}

const char *nsn_slim__path(const struct nsn_slim *slim)
{
	return slim->path[0] ? slim->path : NULL;
}

int nsn_slim__fill(struct nsn_slim *slim, const struct bpf_object *object)
{
	size_t size = 0, done = 0;
	void *bytes = NULL;
	int err;

	if (!slim->path[0])
		return 0;
	err = nsn_slim__build(bpf_object__btf(object), NSN_KERNEL_BTF, slim->function,
			      &slim->function_id, &bytes, &size);
	while (!err && done < size) {
		ssize_t got = write(slim->fd, (char *)bytes + done, size - done);

		if (got < 0 && errno != EINTR)
			err = -errno;
		done += got > 0 ? got : 0;
	}
	free(bytes);
	slim->failed = err != 0;
	if (err)
		nsn_info("the kernel's types could not be picked out (%s)", nsn_errno_name(err));
	return err;
}

void nsn_slim__close(struct nsn_slim *slim)
{
	if (slim->path[0])
		close(slim->fd);
	slim->path[0] = '\0';
	slim->failed = false;
}
