/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kallsyms.h - which of a few symbols a kernel has, by /proc/kallsyms or a copy of it.
 *
 * Floor 2. Names only: addresses are not even parsed.
 */
#ifndef NSN_KALLSYMS_H
#define NSN_KALLSYMS_H

#include <stdbool.h>
#include <stddef.h>

struct nsn_kallsym {
	const char *name; /* not owned */
	bool found;
	char module[56]; /* "": vmlinux */
};

/* Zero-initialise. */
struct nsn_kallsyms {
	struct nsn_kallsym *symbols; /* those asked for; sorted once read */
	size_t symbols_count;
	size_t symbols_capacity;
	bool read;      /* the file could be read */
	bool variables; /* it has variables: CONFIG_KALLSYMS_ALL */
};

/* Asks for a symbol, before nsn_kallsyms__read(). The name must outlive it. 0 or -ENOMEM. */
int nsn_kallsyms__want(struct nsn_kallsyms *kallsyms, const char *name);

/* Reads the file once. 0 or -errno; a file without one line is -ENODATA. */
int nsn_kallsyms__read(struct nsn_kallsyms *kallsyms, const char *path);

/*
 * In place of reading a file: asks has() for each symbol. 0, or what has() failed with (negative);
 * a file can then still be read.
 */
int nsn_kallsyms__ask(struct nsn_kallsyms *kallsyms, int (*has)(void *context, const char *name),
		      void *context);

/* The answer for a symbol that was asked for, or NULL if the kernel has none of that name. */
const struct nsn_kallsym *nsn_kallsyms__find(const struct nsn_kallsyms *kallsyms, const char *name);

void nsn_kallsyms__free(struct nsn_kallsyms *kallsyms);

#endif /* NSN_KALLSYMS_H */
