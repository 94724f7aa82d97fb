/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * accessors.h - what nosnoop reads of a kernel, as tables: a row for each accessor of
 * bpf/core_compat.bpf.h, a row for each program of bpf/.
 *
 * Floor 2. For `nosnoop doctor`, which holds the rows against a kernel's BTF. Tests hold them
 * against the sources: one row a function, one a program, and every field that the compiled
 * programs relocate is in a row.
 */
#ifndef NSN_ACCESSORS_H
#define NSN_ACCESSORS_H

#include <stdbool.h>
#include <stddef.h>

#define NSN_ALTERNATIVES 3

/*
 * A fact and the types that it is read from. An alternative is a list of requirements, separated
 * by spaces, that must all be met; the first whose are is used. A requirement is "type",
 * "type.field" or "enum.ENUMERATOR" as nsn_types__find() takes it, or "function()". In front of it:
 *   !        the kernel must not have it
 *   MODULE:  it is needed only where that module is there
 */
struct nsn_accessor_row {
	const char *name;
	const char *module; /* nsn_module_rows: the part whose objects it reads: without that there
			       is nothing */
	const char *gives;  /* facts, by their names in docs/audit.schema.json */
	const char *alternatives[NSN_ALTERNATIVES]; /* NULL ends; none at all: it needs no type */
	const char *without; /* not NULL: no kernel without it has the fact, and this says so */
	const char *remedy;  /* what would make it known; NULL: a nosnoop that knows this kernel */
};

/* A row for each accessor of bpf/core_compat.bpf.h, in its order. */
extern const struct nsn_accessor_row nsn_accessor_rows[];
extern const size_t nsn_accessor_rows_count;

/* A row for each program of bpf/: what it reads itself. */
extern const struct nsn_accessor_row nsn_program_rows[];
extern const size_t nsn_program_rows_count;

#endif /* NSN_ACCESSORS_H */
