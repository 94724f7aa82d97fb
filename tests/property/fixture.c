// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fixture.c - a recording in memory, and what nosnoop makes of a list of records.
 */
#include "property.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render.h"

/* Keeps the last snapshot that has an end, else the only one there is. */
static int read_records(struct fixture *fixture, struct nsn_recfile_reader *reader)
{
	size_t capacity = 0;
	union nsn_any_rec rec;
	bool ended = false;
	int got;

	while ((got = nsn_recfile_reader__read(reader, &rec)) > 0) {
		unsigned long *lines;

		if (ended) {
			nsn_records__clear(&fixture->store);
			fixture->count = 0;
		}
		ended = rec.h.kind == NSN_REC_END;
		lines = nsn_grow(fixture->lines, fixture->count, &capacity, sizeof(*lines));
		if (!lines || nsn_records__add(&fixture->store, &rec.h))
			return -ENOMEM;
		fixture->lines = lines;
		fixture->lines[fixture->count++] = nsn_recfile_reader__line(reader);
	}
	return got;
}

int fixture__load(struct fixture *fixture, const char *path)
{
	struct nsn_recfile_reader *reader;
	const struct nsn_rec *rec = NULL;
	const char *slash = strrchr(path, '/');
	size_t i = 0;
	int err;

	memset(fixture, 0, sizeof(*fixture));
	nsn_records__init(&fixture->store);
	fixture->path = path;
	fixture->name = slash ? slash + 1 : path;
	err = nsn_recfile_reader__open(path, &reader);
	if (err)
		return err;
	err = read_records(fixture, reader);
	nsn_recfile_reader__free(reader);
	fixture->recs = calloc(fixture->count + 1, sizeof(*fixture->recs));
	if (!fixture->recs)
		return -ENOMEM;
	while ((rec = nsn_records__next(&fixture->store, rec)))
		fixture->recs[i++] = rec;
	return err;
}

void fixture__free(struct fixture *fixture)
{
	free(fixture->recs);
	free(fixture->lines);
	nsn_records__free(&fixture->store);
}

static int render(struct outcome *outcome)
{
	const struct nsn_render_opts opts = { .fail_on = NSN_SEVERITY_WARNING,
					      .tool_version = "test" };
	size_t size = 0;
	FILE *out = open_memstream(&outcome->json, &size);
	int err;

	if (!out)
		return -ENOMEM;
	err = nsn_render_json(out, outcome->model, outcome->findings, &opts);
	return fclose(out) ? -ENOMEM : err;
}

int outcome__init(struct outcome *outcome, const struct nsn_rec *const *recs, size_t count)
{
	int err = 0;

	memset(outcome, 0, sizeof(*outcome));
	outcome->model = nsn_model__new();
	if (!outcome->model)
		return -ENOMEM;
	for (size_t i = 0; i < count && !err; i++)
		err = nsn_model__add(outcome->model, recs[i]);
	if (!err)
		err = nsn_model__finish(outcome->model);
	if (err)
		return err;
	outcome->findings = nsn_findings__new(outcome->model);
	return outcome->findings ? render(outcome) : -ENOMEM;
}

void outcome__free(struct outcome *outcome)
{
	free(outcome->json);
	nsn_findings__free(outcome->findings);
	nsn_model__free(outcome->model);
}
