/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * property.h - the promise that a missing fact never makes a machine look better.
 *
 * For each fixture every field of every record is knocked out in turn, every record is dropped,
 * every list is cut, every source of facts fails, and the file is cut. Each time the result may
 * only stay or become unknown.
 *
 * Of a recording with several snapshots each is treated so in turn, the others stay as they are, and
 * the last is judged with its history. Only its file is not cut: it would be that of a shorter time.
 */
#ifndef NSN_PROPERTY_H
#define NSN_PROPERTY_H

#include "model.h"
#include "recfile.h"
#include "rules.h"

/* A recording, with the line that each record stands on. */
struct fixture {
	const char *path;
	const char *name; /* path without its folder */
	struct nsn_records store;
	const struct nsn_rec **all;
	unsigned long *all_lines;
	size_t all_count;
	size_t snapshots; /* 1 or more */
	/* the snapshot that is mutated: a part of the above */
	size_t start;
	const struct nsn_rec **recs;
	unsigned long *lines;
	size_t count;
};

/* 0 or -errno. The snapshot to be mutated is the last one. */
int fixture__load(struct fixture *fixture, const char *path);
/* Chooses a snapshot, from 0. */
void fixture__select(struct fixture *fixture, size_t snapshot);
void fixture__free(struct fixture *fixture);

/* What nosnoop makes of a list of records: of the last snapshot, with those before as its history. */
struct outcome {
	struct nsn_model *model;
	struct nsn_findings *findings;
	char *json; /* the audit, as printed */
};

/* 0 or -errno. */
int outcome__init(struct outcome *outcome, const struct nsn_rec *const *recs, size_t count);
void outcome__free(struct outcome *outcome);

/* Is told of each way in which the mutant looks better than, or other than, the base. */
struct judge {
	const struct fixture *fixture;
	const char *mutation; /* what was done, for the message */
	unsigned long line;   /* where, 0: nowhere in particular */
	size_t violations;
	size_t printed;
};

void judge__compare(struct judge *judge, const struct outcome *base, const struct outcome *mutant);

/* A step of the search: the records of a mutant, and what was done to get them. */
typedef void (*mutant_fn)(void *context, const struct nsn_rec *const *recs, size_t count,
			  const char *mutation, unsigned long line);

/* Each calls `next` for every mutant of its kind. 0 or -ENOMEM. */
int mutate__fields(const struct fixture *fixture, mutant_fn next, void *context);
int mutate__drops(const struct fixture *fixture, mutant_fn next, void *context);
int mutate__prefixes(const struct fixture *fixture, mutant_fn next, void *context);
int mutate__lists(const struct fixture *fixture, mutant_fn next, void *context);
int mutate__sources(const struct fixture *fixture, mutant_fn next, void *context);
int mutate__torn(const struct fixture *fixture, mutant_fn next, void *context);

#endif /* NSN_PROPERTY_H */
