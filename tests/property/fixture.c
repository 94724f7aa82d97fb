// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fixture.c - a recording in memory, and what nosnoop makes of a list of records.
 */
#include "property.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render.h"

static int read_records(struct fixture *fixture, struct nsn_recfile_reader *reader)
{
	size_t capacity = 0;
	union nsn_any_rec rec;
	int got;

	while ((got = nsn_recfile_reader__read(reader, &rec)) > 0) {
		unsigned long *lines =
			nsn_grow(fixture->all_lines, fixture->all_count, &capacity, sizeof(*lines));

		if (!lines || nsn_records__add(&fixture->store, &rec.h))
			return -ENOMEM;
		fixture->all_lines = lines;
		fixture->all_lines[fixture->all_count++] = nsn_recfile_reader__line(reader);
	}
	return got;
}

void fixture__select(struct fixture *fixture, size_t snapshot)
{
	size_t end = 0;

	fixture->start = 0;
	for (; end < fixture->all_count; end++) {
		if (fixture->all[end]->kind != NSN_REC_END)
			continue;
		if (!snapshot--)
			break;
		fixture->start = end + 1;
	}
	fixture->recs = fixture->all + fixture->start;
	fixture->lines = fixture->all_lines + fixture->start;
	fixture->count = (end < fixture->all_count ? end + 1 : end) - fixture->start;
}

/* How many snapshots there are; one that has no end counts if it is the only one. */
static size_t count_snapshots(const struct fixture *fixture)
{
	size_t count = 0;

	for (size_t i = 0; i < fixture->all_count; i++)
		count += fixture->all[i]->kind == NSN_REC_END;
	return count ? count : 1;
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
	fixture->all = calloc(fixture->all_count + 1, sizeof(*fixture->all));
	if (!fixture->all)
		return -ENOMEM;
	while ((rec = nsn_records__next(&fixture->store, rec)))
		fixture->all[i++] = rec;
	fixture->snapshots = count_snapshots(fixture);
	fixture__select(fixture, fixture->snapshots - 1);
	return err;
}

void fixture__free(struct fixture *fixture)
{
	free(fixture->all);
	free(fixture->all_lines);
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

/* Takes the records of one snapshot, its end included; returns how many, or -errno. */
static long take_snapshot(struct outcome *outcome, struct nsn_history *history,
			  const struct nsn_rec *const *recs, size_t count)
{
	struct nsn_model *model = nsn_model__new();
	size_t taken = 0;
	int err = model ? 0 : -ENOMEM;

	while (!err && taken < count) {
		const struct nsn_rec *rec = recs[taken++];

		err = nsn_model__add(model, rec);
		if (!err)
			err = nsn_history__event(history, rec);
		if (rec->kind == NSN_REC_END)
			break;
	}
	if (!err)
		err = nsn_model__finish(model);
	if (!err)
		err = nsn_history__snapshot(history, model, nsn_model__taken_at(model));
	nsn_model__free(outcome->model);
	outcome->model = model;
	return err ? err : (long)taken;
}

int outcome__init(struct outcome *outcome, const struct nsn_rec *const *recs, size_t count)
{
	struct nsn_history *history = nsn_history__new(&(struct nsn_history_opts){ 0 });
	size_t at = 0, snapshots = 0;
	long taken = history ? 0 : -ENOMEM;

	memset(outcome, 0, sizeof(*outcome));
	do {
		if (history)
			taken = take_snapshot(outcome, history, recs + at, count - at);
		at += taken > 0 ? taken : 0;
		snapshots++;
	} while (taken > 0 && at < count);
	if (taken >= 0)
		outcome->findings =
			nsn_findings__with_history(outcome->model, snapshots > 1 ? history : NULL);
	nsn_history__free(history);
	if (taken < 0)
		return (int)taken;
	return outcome->findings ? render(outcome) : -ENOMEM;
}

void outcome__free(struct outcome *outcome)
{
	free(outcome->json);
	nsn_findings__free(outcome->findings);
	nsn_model__free(outcome->model);
}
