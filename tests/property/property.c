// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * property.c - runs the property test over the recordings it is given.
 *
 * A fixture passes without a violation; so does the test of the test itself: at least a third of
 * the knocked-out fields must change something in the output, else the fixtures exercise too
 * little. The last line is "N passed, N failed, N skipped".
 */
#include "property.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collect_replay.h"

struct tally {
	size_t mutants, changed;
};

struct search {
	const struct fixture *fixture;
	struct outcome base;
	struct judge judge;
	struct tally *tally; /* of the kind of mutation that runs */
};

static void die(const char *what, int err)
{
	printf("\nproperty: %s: %s\n0 passed, 1 failed, 0 skipped\n", what, strerror(-err));
	exit(2);
}

/* What comes of the recording with another snapshot in the place of the chosen one. */
static int outcome_of(const struct fixture *fixture, const struct nsn_rec *const *recs,
		      size_t count, struct outcome *out)
{
	const size_t after = fixture->start + fixture->count;
	const size_t left = fixture->all_count - after;
	const struct nsn_rec **all = calloc(fixture->start + count + left + 1, sizeof(*all));
	int err;

	if (!all)
		return -ENOMEM;
	memcpy(all, fixture->all, fixture->start * sizeof(*all));
	memcpy(all + fixture->start, recs, count * sizeof(*all));
	memcpy(all + fixture->start + count, fixture->all + after, left * sizeof(*all));
	err = outcome__init(out, all, fixture->start + count + left);
	free(all);
	return err;
}

static void try_mutant(void *context, const struct nsn_rec *const *recs, size_t count,
		       const char *mutation, unsigned long line)
{
	struct search *search = context;
	struct outcome mutant;
	int err;

	/* without its end a snapshot would be one with the next */
	if (search->fixture->start + search->fixture->count < search->fixture->all_count &&
	    (!count || recs[count - 1]->kind != NSN_REC_END))
		return;
	err = outcome_of(search->fixture, recs, count, &mutant);

	if (err)
		die(mutation, err);
	search->tally->mutants++;
	search->tally->changed += strcmp(search->base.json, mutant.json) != 0;
	search->judge.mutation = mutation;
	search->judge.line = line;
	judge__compare(&search->judge, &search->base, &mutant);
	outcome__free(&mutant);
}

/* ---- cuts of the file's bytes, through the reader ----------------------------------------------
 */

static char *read_file(const char *path, size_t *size)
{
	FILE *in = fopen(path, "r");
	char *text = NULL;
	long length = -1;

	if (in && fseek(in, 0, SEEK_END) == 0)
		length = ftell(in);
	if (length > 0)
		text = malloc(length);
	if (text && (fseek(in, 0, SEEK_SET) || fread(text, length, 1, in) != 1)) {
		free(text);
		text = NULL;
	}
	if (in)
		fclose(in);
	*size = length > 0 ? length : 0;
	return text;
}

static int read_cut(const char *text, size_t length, struct nsn_records *records)
{
	int fd = memfd_create("cut", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, length) != (ssize_t)length || lseek(fd, 0, SEEK_SET))
		die("memfd", -errno);
	return nsn_replay__collect_fd(fd, "cut", &records->sink);
}

/* Some 500 cuts, spread evenly: refused, or no better than the whole. */
static void try_byte_cuts(struct search *search)
{
	size_t size, step, count;
	char *text = read_file(search->fixture->path, &size), what[64];
	const struct nsn_rec **recs = calloc(search->fixture->count + 1, sizeof(*recs));

	if (!text || !recs)
		die(search->fixture->path, -EIO);
	step = size / 500 + 1;
	for (size_t cut = 0; cut < size; cut += step) {
		const struct nsn_rec *rec = NULL;
		struct nsn_records records;

		nsn_records__init(&records);
		if (read_cut(text, cut, &records) == 0) {
			for (count = 0; (rec = nsn_records__next(&records, rec)); count++)
				recs[count] = rec;
			try_mutant(search, recs, count,
				   nsn_format(what, sizeof(what), "cut after %zu bytes", cut), 0);
		} else {
			search->tally->mutants++;
			search->tally->changed++;
		}
		nsn_records__free(&records);
	}
	free(recs);
	free(text);
}

/* ---- one fixture after the other ----------------------------------------------------------------
 */

typedef int (*mutate_fn)(const struct fixture *fixture, mutant_fn next, void *context);

static const struct {
	const char *name;
	mutate_fn mutate;
} kinds[] = {
	{ "fields", mutate__fields }, { "drops", mutate__drops },     { "ends", mutate__prefixes },
	{ "lists", mutate__lists },   { "sources", mutate__sources }, { "torn", mutate__torn },
};

/* All mutants of the chosen snapshot. */
static void try_snapshot(struct search *search, struct tally *tallies)
{
	const struct fixture *fixture = search->fixture;
	int err;

	for (size_t i = 0; i < NSN_ARRAY_SIZE(kinds); i++) {
		/* a recording that was cut earlier is one of a shorter time */
		if (fixture->snapshots > 1 && kinds[i].mutate == mutate__prefixes)
			continue;
		search->tally = &tallies[i];
		err = kinds[i].mutate(fixture, try_mutant, search);
		if (err)
			die(kinds[i].name, err);
	}
}

/* Adds the fixture's knocked-out fields to *fields; returns the violations. */
static size_t test_fixture(const char *path, struct tally *fields)
{
	struct fixture fixture;
	struct search search = { .fixture = &fixture, .judge = { .fixture = &fixture } };
	struct tally tallies[NSN_ARRAY_SIZE(kinds)] = { 0 }, bytes = { 0 };
	int err = fixture__load(&fixture, path);

	if (!err)
		err = outcome__init(&search.base, fixture.all, fixture.all_count);
	if (err)
		die(path, err);
	/* the last one's tallies tell how much the fixture exercises: it comes last */
	for (size_t i = 0; i < fixture.snapshots; i++) {
		memset(tallies, 0, sizeof(tallies));
		fixture__select(&fixture, i);
		try_snapshot(&search, tallies);
	}
	search.tally = &bytes;
	if (fixture.snapshots == 1)
		try_byte_cuts(&search);
	printf("%s: %zu records, exit code %d; changed:", fixture.name, fixture.all_count,
	       nsn_findings__result(search.base.findings, NSN_SEVERITY_WARNING));
	for (size_t i = 0; i < NSN_ARRAY_SIZE(kinds); i++)
		printf(" %s %zu/%zu", kinds[i].name, tallies[i].changed, tallies[i].mutants);
	printf(" cuts %zu/%zu; %zu violations\n", bytes.changed, bytes.mutants,
	       search.judge.violations);
	fields->mutants += tallies[0].mutants;
	fields->changed += tallies[0].changed;
	outcome__free(&search.base);
	fixture__free(&fixture);
	return search.judge.violations;
}

int main(int argc, char **argv)
{
	struct tally fields = { 0 };
	int passed = 0, failed = 0;
	bool enough;

	if (argc < 2) {
		fprintf(stderr, "usage: property FIXTURE...\n");
		return 2;
	}
	/* The cuts are many, and each is told: only what the test itself says is of interest. */
	if (!freopen("/dev/null", "w", stderr))
		return 2;
	for (int i = 1; i < argc; i++) {
		if (test_fixture(argv[i], &fields))
			failed++;
		else
			passed++;
		fflush(stdout);
	}
	enough = fields.mutants && fields.changed * 3 >= fields.mutants;
	printf("%zu of %zu knocked-out fields changed something (%zu %%)%s\n", fields.changed,
	       fields.mutants, fields.mutants ? fields.changed * 100 / fields.mutants : 0,
	       enough ? "" : ": under a third, the fixtures exercise too little");
	passed += enough;
	failed += !enough;
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	return failed ? 1 : 0;
}
