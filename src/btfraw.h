/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * btfraw.h - a kernel's BTF as it lies in memory, for one walk over all of it.
 *
 * Floor 2. libbpf's view of vmlinux's BTF is made for many questions, each of which walks over all
 * types by calls. Here all questions are asked in one walk.
 */
#ifndef NSN_BTFRAW_H
#define NSN_BTFRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSN_KERNEL_BTF "/sys/kernel/btf" /* a file for vmlinux and one a module */

struct btf_type;

/* vmlinux's, or what a module adds to it. Zero-initialise. */
struct nsn_btfraw {
	const struct nsn_btfraw *base; /* of a module: vmlinux's, which must live as long */
	char *bytes;
	size_t size;
	bool mapped;
	const char *types, *strings;
	uint32_t strings_size;
	uint32_t first, end;   /* the numbers of its types: from first on, below end */
	uint32_t first_string; /* what its strings' offsets start with */
	uint32_t *places;      /* offset of each in types */
};

/*
 * Reads a file of /sys/kernel/btf, or the BTF behind a descriptor of it. 0 or -errno, -EINVAL if it
 * is damaged or has kinds of types that are not known here; it is empty then.
 */
int nsn_btfraw__read(struct nsn_btfraw *raw, const char *path, const struct nsn_btfraw *base);
int nsn_btfraw__read_fd(struct nsn_btfraw *raw, int btf, const struct nsn_btfraw *base);

/*
 * vmlinux's of the running kernel, the fastest way there is: mapped, which newer ones allow; else from BPF,
 * which takes one copy where the file takes a call and two copies a page; else from the file.
 */
int nsn_btfraw__read_kernel(struct nsn_btfraw *raw);
void nsn_btfraw__free(struct nsn_btfraw *raw);

/* A type of its own: first <= id < end. */
static inline const struct btf_type *nsn_btfraw__own_type(const struct nsn_btfraw *raw, uint32_t id)
{
	return (const struct btf_type *)(const void *)(raw->types + raw->places[id - raw->first]);
}

/* A type of it or its base, with all that belongs to it in reach; NULL if there is none such. */
static inline const struct btf_type *nsn_btfraw__type(const struct nsn_btfraw *raw, uint32_t id)
{
	if (raw->base && id < raw->first)
		raw = raw->base;
	if (id < raw->first || id >= raw->end)
		return NULL;
	return nsn_btfraw__own_type(raw, id);
}

/* A name of it or its base; "" for none. */
static inline const char *nsn_btfraw__name(const struct nsn_btfraw *raw, uint32_t offset)
{
	if (raw->base && offset < raw->first_string)
		raw = raw->base;
	offset -= raw->first_string;
	return offset < raw->strings_size ? raw->strings + offset : "";
}

/* Bytes of a type with all that follows it; 0 if its kind is not known. */
size_t nsn_btfraw__type_size(const struct btf_type *type);

/* How much of a name CO-RE compares: what follows "___" only tells variants apart. */
size_t nsn_essential_length(const char *name, size_t length);

#endif /* NSN_BTFRAW_H */
