// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * btfraw.c - a kernel's BTF as it lies in memory. Floor 2.
 */
#include "btfraw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

size_t nsn_essential_length(const char *name, size_t length)
{
	for (size_t i = length; i > 4; i--)
		if (memcmp(name + i - 4, "___", 3) == 0 && name[i - 1] != '_' && name[i - 5] != '_')
			return i - 4;
	return length;
}

size_t nsn_btfraw__type_size(const struct btf_type *type)
{
	const size_t count = btf_vlen(type);

	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case BTF_KIND_TYPE_TAG:
		return sizeof(*type);
	case BTF_KIND_INT:
		return sizeof(*type) + sizeof(uint32_t);
	case BTF_KIND_VAR:
		return sizeof(*type) + sizeof(struct btf_var);
	case BTF_KIND_DECL_TAG:
		return sizeof(*type) + sizeof(struct btf_decl_tag);
	case BTF_KIND_ARRAY:
		return sizeof(*type) + sizeof(struct btf_array);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return sizeof(*type) + count * sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return sizeof(*type) + count * sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return sizeof(*type) + count * sizeof(struct btf_enum64);
	case BTF_KIND_FUNC_PROTO:
		return sizeof(*type) + count * sizeof(struct btf_param);
	case BTF_KIND_DATASEC:
		return sizeof(*type) + count * sizeof(struct btf_var_secinfo);
	default:
		return 0;
	}
}

/* Notes where each type begins. A type takes twelve bytes at least: so many there can be. */
static int find_places(struct nsn_btfraw *raw, size_t size)
{
	size_t at = 0;
	uint32_t count = 0;

	raw->places = malloc((size / sizeof(struct btf_type) + 1) * sizeof(*raw->places));
	if (!raw->places)
		return -ENOMEM;
	while (at < size) {
		const struct btf_type *type = (const void *)(raw->types + at);
		size_t own = size - at >= sizeof(*type) ? nsn_btfraw__type_size(type) : 0;

		if (!own || own > size - at)
			return -EINVAL;
		raw->places[count++] = (uint32_t)at;
		at += own;
	}
	raw->end = raw->first + count;
	return 0;
}

static int parse(struct nsn_btfraw *raw, const struct nsn_btfraw *base)
{
	const struct btf_header *header = (const void *)raw->bytes;
	size_t rest;

	if (raw->size < sizeof(*header) || header->magic != BTF_MAGIC ||
	    header->hdr_len > raw->size || header->hdr_len % 4 || header->type_off % 4)
		return -EINVAL;
	rest = raw->size - header->hdr_len;
	if ((uint64_t)header->type_off + header->type_len > rest ||
	    (uint64_t)header->str_off + header->str_len > rest || !header->str_len)
		return -EINVAL;
	raw->base = base;
	raw->types = raw->bytes + header->hdr_len + header->type_off;
	raw->strings = raw->bytes + header->hdr_len + header->str_off;
	raw->strings_size = header->str_len;
	raw->first = base ? base->end : 1;
	raw->first_string = base ? base->first_string + base->strings_size : 0;
	if (raw->strings[header->str_len - 1])
		return -EINVAL;
	return find_places(raw, header->type_len);
}

/* New kernels let it be mapped, which saves a copy; of others all is read. */
static int read_all(struct nsn_btfraw *raw, int fd)
{
	struct stat found;
	size_t done = 0;
	ssize_t got;

	if (fstat(fd, &found))
		return -errno;
	raw->size = found.st_size;
	raw->bytes = mmap(NULL, raw->size, PROT_READ, MAP_PRIVATE, fd, 0);
	raw->mapped = raw->bytes != MAP_FAILED;
	if (raw->mapped)
		return 0;
	raw->bytes = malloc(raw->size + 1);
	if (!raw->bytes)
		return -ENOMEM;
	while (done < raw->size && (got = read(fd, raw->bytes + done, raw->size - done)) != 0) {
		if (got < 0 && errno != EINTR)
			return -errno;
		done += got > 0 ? got : 0;
	}
	raw->size = done;
	return 0;
}

int nsn_btfraw__read(struct nsn_btfraw *raw, const char *path, const struct nsn_btfraw *base)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = read_all(raw, fd);
	close(fd);
	if (!err)
		err = parse(raw, base);
	if (err)
		nsn_btfraw__free(raw);
	return err;
}

int nsn_btfraw__read_fd(struct nsn_btfraw *raw, int btf, const struct nsn_btfraw *base)
{
	struct bpf_btf_info info = { 0 };
	uint32_t size = sizeof(info);
	int err = bpf_obj_get_info_by_fd(btf, &info, &size) ? -errno : 0;

	if (!err) {
		raw->size = info.btf_size;
		raw->bytes = malloc(raw->size + 1);
		err = raw->bytes ? 0 : -ENOMEM;
	}
	if (!err) {
		info = (struct bpf_btf_info){ .btf = (uintptr_t)raw->bytes,
					      .btf_size = (uint32_t)raw->size };
		err = bpf_obj_get_info_by_fd(btf, &info, &size) ? -errno : parse(raw, base);
	}
	if (err)
		nsn_btfraw__free(raw);
	return err;
}

void nsn_btfraw__free(struct nsn_btfraw *raw)
{
	if (raw->mapped)
		munmap(raw->bytes, raw->size);
	else if (raw->bytes != MAP_FAILED)
		free(raw->bytes);
	free(raw->places);
	memset(raw, 0, sizeof(*raw));
}

const struct btf_type *nsn_btfraw__type(const struct nsn_btfraw *raw, uint32_t id)
{
	if (raw->base && id < raw->first)
		raw = raw->base;
	if (id < raw->first || id >= raw->end)
		return NULL;
	return (const void *)(raw->types + raw->places[id - raw->first]);
}

const char *nsn_btfraw__name(const struct nsn_btfraw *raw, uint32_t offset)
{
	if (raw->base && offset < raw->first_string)
		raw = raw->base;
	offset -= raw->first_string;
	return offset < raw->strings_size ? raw->strings + offset : "";
}
