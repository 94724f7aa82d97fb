/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_util.h - what the collectors of /sys and /proc share: sorted folder listings, the names
 * that links point at, and the records that say what could not be read.
 *
 * Floor 2. Every path is given in two parts: the root (--sysroot, "" for this machine) and an
 * absolute path under it.
 */
#ifndef NSN_COLLECT_UTIL_H
#define NSN_COLLECT_UTIL_H

#include <stddef.h>

#include "recdesc.h"
#include "util.h"

#define NSN_PATH_LEN 1024 /* of an absolute path under the root, with its NUL */

/*
 * A mistyped --sysroot must not look like an empty machine. 0 if there is a folder sys in it, or if it is
 * NULL; else -ENOENT (logged).
 */
int nsn_collect__check_sysroot(const char *sysroot);

/* A list of names, owned. Zero-initialise. */
struct nsn_names {
	char **items;
	size_t items_count, items_capacity;
};

/*
 * Appends the entries of a folder but those that begin with a dot, sorted (digits by value, as
 * strverscmp() does). 0, or -errno with the list unchanged.
 */
int nsn_names__list(struct nsn_names *names, const char *root, const char *path);
void nsn_names__free(struct nsn_names *names);

/*
 * The last component of what the link root/path points at. Its length; 0 with out = "" if there is
 * no such link; -errno (-EINVAL: not a link).
 */
long nsn_collect__link_name(const char *root, const char *path, char *out, size_t size);

/*
 * Writes why something could not be read, for a person: errno (either sign) in words, and the
 * capability to ask for if it is one of permission. Returns out.
 */
char *nsn_collect__why(char *out, size_t size, int error, const char *capability);

/* Emits a MISSING record for a fact that this kernel does not have at all. The same. */
int nsn_collect__absent(struct nsn_sink *sink, const char *fact, const char *reason);

/* Emits a MISSING record. What the sink returned. */
int nsn_collect__missing(struct nsn_sink *sink, const char *fact, const char *subject,
			 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Emits a SOURCE record. What the sink returned. */
int nsn_collect__source(struct nsn_sink *sink, const char *name, enum nsn_source_state state,
			const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif /* NSN_COLLECT_UTIL_H */
