/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unknowns.h - what is not known about a machine, and why: the facts of all its objects that could
 * not be read, and the rules that could not be decided because of it.
 *
 * Floor 1. Found by asking every row of the field table about every object, so that a null can't be
 * printed without its reason.
 */
#ifndef NSN_UNKNOWNS_H
#define NSN_UNKNOWNS_H

#include "fields.h"
#include "rules.h"

#define NSN_FACT_LEN 64

struct nsn_unknown {
	char fact[NSN_FACT_LEN]; /* "vms.noncoherent_dma", "rules.NS001" */
	const char *subject;     /* an object's id; "*": all objects that could have the fact */
	const char *reason;
	size_t objects;                /* that it is unknown of: of "*" too */
	const struct nsn_field *field; /* the fact's row; NULL: of a list or a rule */
	bool moot;                     /* there is nothing to know: it is null by its nature */
	bool rule;                     /* a rule that could not be decided */
};

struct nsn_unknowns {
	struct nsn_unknown *items; /* in the order of the JSON: host, iommus, vms, … then rules */
	size_t items_count, items_capacity;
	char (*absent)[NSN_FACT_LEN]; /* facts that this kernel does not have at all */
	size_t absent_count, absent_capacity;
};

/* Which objects are asked about. shows: NULL for all; data: for it. */
struct nsn_scope {
	bool (*shows)(const void *data, enum nsn_object kind, const void *object);
	const void *data;
};

/*
 * Why objects of this kind may exist that are not shown: nobody could look, or not everywhere. NULL:
 * all of them are there.
 */
const char *nsn_unknowns_why_unseen(const struct nsn_model *model, enum nsn_object kind);

/*
 * Collects all of it. Subjects and reasons point into the model, the findings and static text.
 * findings may be NULL. NULL without memory.
 */
struct nsn_unknowns *nsn_unknowns__new(const struct nsn_model *model,
				       const struct nsn_findings *findings,
				       const struct nsn_scope *scope);
void nsn_unknowns__free(struct nsn_unknowns *unknowns);

#endif /* NSN_UNKNOWNS_H */
