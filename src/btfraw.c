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

#include "util.h"

size_t nsn_essential_length(const char *name, size_t length)
{
	for (size_t i = length; i > 4; i--)
		if (memcmp(name + i - 4, "___", 3) == 0 && name[i - 1] != '_' && name[i - 5] != '_')
			return i - 4;
	return length;
}

/* Bytes of a kind of types, and of each of the members that follow it. None: not known. */
static const struct {
	uint8_t bytes, each;
} sizes[] = {
#define SIZE(kind, follows, each) [BTF_KIND_##kind] = { sizeof(struct btf_type) + (follows), each }
	SIZE(INT, sizeof(uint32_t), 0),
	SIZE(PTR, 0, 0),
	SIZE(ARRAY, sizeof(struct btf_array), 0),
	SIZE(STRUCT, 0, sizeof(struct btf_member)),
	SIZE(UNION, 0, sizeof(struct btf_member)),
	SIZE(ENUM, 0, sizeof(struct btf_enum)),
	SIZE(FWD, 0, 0),
	SIZE(TYPEDEF, 0, 0),
	SIZE(VOLATILE, 0, 0),
	SIZE(CONST, 0, 0),
	SIZE(RESTRICT, 0, 0),
	SIZE(FUNC, 0, 0),
	SIZE(FUNC_PROTO, 0, sizeof(struct btf_param)),
	SIZE(VAR, sizeof(struct btf_var), 0),
	SIZE(DATASEC, 0, sizeof(struct btf_var_secinfo)),
	SIZE(FLOAT, 0, 0),
	SIZE(DECL_TAG, sizeof(struct btf_decl_tag), 0),
	SIZE(TYPE_TAG, 0, 0),
	SIZE(ENUM64, 0, sizeof(struct btf_enum64)),
#undef SIZE
};

size_t nsn_btfraw__type_size(const struct btf_type *type)
{
	const uint16_t kind = btf_kind(type);

	if (kind >= NSN_ARRAY_SIZE(sizes))
		return 0;
	return sizes[kind].bytes + (size_t)btf_vlen(type) * sizes[kind].each;
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

/* New kernels let it be mapped, which saves a copy. */
static bool map(struct nsn_btfraw *raw, int fd)
{
	struct stat found;

	if (fstat(fd, &found) || found.st_size <= 0)
		return false;
	raw->size = found.st_size;
	raw->bytes = mmap(NULL, raw->size, PROT_READ, MAP_PRIVATE, fd, 0);
	raw->mapped = raw->bytes != MAP_FAILED;
	if (!raw->mapped)
		raw->bytes = NULL;
	return raw->mapped;
}

/* Room for all, with its memory: it is written to at once. */
static int make_room(struct nsn_btfraw *raw, size_t size)
{
	raw->size = size;
	raw->bytes = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	raw->mapped = raw->bytes != MAP_FAILED;
	if (!raw->mapped)
		raw->bytes = NULL;
	return raw->mapped ? 0 : -ENOMEM;
}

static int read_all(struct nsn_btfraw *raw, int fd)
{
	struct stat found;
	size_t done = 0;
	ssize_t got;

	if (fstat(fd, &found))
		return -errno;
	if (found.st_size <= 0)
		return -EINVAL;
	if (make_room(raw, found.st_size))
		return -ENOMEM;
	while (done < raw->size && (got = read(fd, raw->bytes + done, raw->size - done)) != 0) {
		if (got < 0 && errno != EINTR)
			return -errno;
		done += got > 0 ? got : 0;
	}
	return done == raw->size ? 0 : -EINVAL;
}

int nsn_btfraw__read(struct nsn_btfraw *raw, const char *path, const struct nsn_btfraw *base)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = map(raw, fd) ? 0 : read_all(raw, fd);
	close(fd);
	if (!err)
		err = parse(raw, base);
	if (err)
		nsn_btfraw__free(raw);
	return err;
}

/* A descriptor of vmlinux's BTF, which is among the first that a kernel numbers; -1: not to be had. */
static int open_vmlinux(void)
{
	uint32_t id = 0;

	while (bpf_btf_get_next_id(id, &id) == 0) {
		char name[16] = "";
		struct bpf_btf_info info = { .name = (uintptr_t)name, .name_len = sizeof(name) };
		uint32_t size = sizeof(info);
		int fd = bpf_btf_get_fd_by_id(id);

		if (fd < 0)
			continue;
		/* a longer name is an error, after it was cut */
		if ((bpf_obj_get_info_by_fd(fd, &info, &size) == 0 || errno == ENOSPC) &&
		    info.kernel_btf && strcmp(name, "vmlinux") == 0)
			return fd;
		close(fd);
	}
	return -1;
}

int nsn_btfraw__read_kernel(struct nsn_btfraw *raw)
{
	static const char path[] = NSN_KERNEL_BTF "/vmlinux";
	int file = open(path, O_RDONLY | O_CLOEXEC), btf, err = -ENOENT;
	bool mapped;

	if (file < 0)
		return -errno;
	mapped = map(raw, file);
	close(file);
	if (!mapped && (btf = open_vmlinux()) >= 0) {
		err = nsn_btfraw__read_fd(raw, btf, NULL);
		close(btf);
	}
	if (!mapped)
		return err ? nsn_btfraw__read(raw, path, NULL) : 0;
	err = parse(raw, NULL);
	if (err)
		nsn_btfraw__free(raw);
	return err;
}

int nsn_btfraw__read_fd(struct nsn_btfraw *raw, int btf, const struct nsn_btfraw *base)
{
	struct bpf_btf_info info = { 0 };
	uint32_t size = sizeof(info);
	int err = bpf_obj_get_info_by_fd(btf, &info, &size) ? -errno : 0;

	if (!err)
		err = info.btf_size ? make_room(raw, info.btf_size) : -EINVAL;
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
	free(raw->places);
	memset(raw, 0, sizeof(*raw));
}
