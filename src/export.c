// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * export.c - a machine as metrics. Floor 4.
 */
#include "export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_load.h"
#include "log.h"
#include "process.h"
#include "tally.h"
#include "version.h"

#define MAX_PROBES 64

struct nsn_export {
	struct nsn_export_opts opts;
	struct nsn_tally *tally;     /* NULL: one look */
	struct nsn_live *live;       /* NULL: one look */
	struct nsn_session *session; /* that of live, or of one look */
	struct nsn_model *model;     /* of one look; else live's is used */
	struct nsn_findings *findings;
	const struct nsn_counts *counts;
	struct nsn_metric_probe probes[MAX_PROBES];
	size_t probes_count;
	char libbpf[32];
};

/* ---- what is known of the tool ---------------------------------------------------------------- */

static void add_probe(struct nsn_export *export, const struct nsn_probe_row *row, bool attached)
{
	if (export->probes_count < MAX_PROBES)
		export->probes[export->probes_count++] = (struct nsn_metric_probe){
			.name = row->name, .feature = row->feature, .attached = attached
		};
}

/* A recording tells of features. */
static void list_recorded_probes(struct nsn_export *export, const struct nsn_model *model)
{
	char source[64];

	if (nsn_model__sources(model, "events.") == NSN_UNKNOWN)
		return;
	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		enum nsn_source_state state;

		nsn_format(source, sizeof(source), "events.%s", nsn_probe_rows[i].feature);
		if (nsn_model__sources(model, source) == NSN_UNKNOWN)
			continue;
		state = nsn_model__source(model, source, NULL);
		if (state != NSN_SOURCE_ABSENT)
			add_probe(export, &nsn_probe_rows[i], state == NSN_SOURCE_OK);
	}
}

/* One look attaches nothing, and says so. */
static void list_probes(struct nsn_export *export, const struct nsn_model *model)
{
	const struct nsn_events *events = nsn_session__events(export->session);
	const struct nsn_probe_state *states;
	size_t count;

	export->probes_count = 0;
	if (export->opts.live.session.replay) {
		list_recorded_probes(export, model);
		return;
	}
	if (!events) {
		for (size_t i = 0; i < nsn_probe_rows_count; i++)
			add_probe(export, &nsn_probe_rows[i], false);
		return;
	}
	states = nsn_events__probes(events, &count);
	for (size_t i = 0; i < count; i++)
		if (!states[i].absent)
			add_probe(export, states[i].row, states[i].method != NSN_PROBE_NONE);
}

static size_t list_collectors(const struct nsn_export *export, const struct nsn_model *model,
			      struct nsn_metric_collector *out)
{
	size_t count = 0;

	for (enum nsn_collector i = 0; i < NSN_COLLECTORS; i++) {
		enum nsn_tri fine = nsn_model__sources(model, nsn_collector_prefix(i));

		if (fine == NSN_UNKNOWN)
			continue;
		out[count++] = (struct nsn_metric_collector){
			.name = nsn_collector_name(i),
			.success = fine == NSN_YES,
			.seconds = nsn_session__collector_seconds(export->session, i),
		};
	}
	return count;
}

/* ---- collecting ------------------------------------------------------------------------------- */

static int look_once(struct nsn_export *export)
{
	struct nsn_history *history = nsn_history__new(&export->opts.live.history);
	struct nsn_findings *findings;
	struct nsn_model *model = NULL;
	size_t snapshots = 1;
	int err = history ? 0 : -ENOMEM;

	if (!err && export->opts.live.session.replay)
		err = nsn_session__replay_through(export->session, history, &model, &snapshots);
	else if (!err)
		err = nsn_session__snapshot(export->session, &model);
	findings = err ? NULL : nsn_findings__with_history(model, snapshots > 1 ? history : NULL);
	nsn_history__free(history);
	if (err) {
		nsn_model__free(model);
		return err;
	}
	if (!findings) {
		nsn_model__free(model);
		return -ENOMEM;
	}
	nsn_findings__free(export->findings);
	nsn_model__free(export->model);
	export->findings = findings;
	export->model = model;
	return 0;
}

static int count(struct nsn_export *export)
{
	struct nsn_events *events = nsn_session__events(export->session);

	export->counts = nsn_tally__model(export->tally, nsn_live__model(export->live), events);
	return export->counts ? 0 : -ENOMEM;
}

int nsn_export__collect(struct nsn_export *export)
{
	int err;

	if (!export->live)
		return look_once(export);
	err = nsn_live__snapshot(export->live);
	return err ? err : count(export);
}

int nsn_export__render(struct nsn_export *export, FILE *out, enum nsn_prom_format format)
{
	struct nsn_metric_collector collectors[NSN_COLLECTORS];
	struct nsn_metric_process process;
	struct nsn_metrics metrics = {
		.model = export->live ? nsn_live__model(export->live) : export->model,
		.findings = export->live ? nsn_live__findings(export->live) : export->findings,
		.counts = export->counts,
		.probes = export->probes,
		.collectors = collectors,
		.version = nsn_version,
		.revision = nsn_revision,
		.libbpf = export->libbpf,
		.host_domains = export->opts.host_domains,
		.max_vms_set = export->opts.max_vms_set,
		.max_vms = export->opts.max_vms,
	};
	const struct nsn_scope all = { 0 };
	struct nsn_unknowns *unknowns;
	int err = -ENOMEM;

	list_probes(export, metrics.model);
	metrics.probes_count = export->probes_count;
	metrics.collectors_count = list_collectors(export, metrics.model, collectors);
	if (export->opts.process) {
		nsn_process__read(&process);
		metrics.process = &process;
	}
	unknowns = nsn_unknowns__new(metrics.model, NULL, &all);
	metrics.unknowns = unknowns;
	if (unknowns && nsn_metrics__prepare(&metrics) == 0)
		err = nsn_render_prom(out, &metrics, format);
	nsn_metrics__release(&metrics);
	nsn_unknowns__free(unknowns);
	if (err == -ENOMEM)
		nsn_error("out of memory");
	return err;
}

int nsn_export__finish(struct nsn_export *export)
{
	return export->live ? nsn_live__finish(export->live) : nsn_session__finish(export->session);
}

struct nsn_live *nsn_export__live(struct nsn_export *export)
{
	return export->live;
}

/* ---- life ------------------------------------------------------------------------------------- */

static int open_live(struct nsn_export *export)
{
	struct nsn_live_opts opts = export->opts.live;
	int err;

	export->tally = nsn_tally__new();
	if (!export->tally)
		return -ENOMEM;
	opts.tap = nsn_tally__sink(export->tally);
	err = nsn_live__new(&opts, &export->live);
	if (err)
		return err;
	export->session = nsn_live__session(export->live);
	err = nsn_live__open_events(export->live, NULL, NULL);
	if (!err)
		err = nsn_live__start(export->live);
	return err ? err : count(export);
}

int nsn_export__new(const struct nsn_export_opts *opts, struct nsn_export **out)
{
	struct nsn_export *export = calloc(1, sizeof(*export));
	int err;

	*out = NULL;
	if (!export)
		return -ENOMEM;
	export->opts = *opts;
	nsn_bpf__library(export->libbpf, sizeof(export->libbpf));
	err = opts->counters ? open_live(export)
			     : nsn_session__new(&opts->live.session, &export->session);
	if (err)
		nsn_export__free(export);
	else
		*out = export;
	return err;
}

void nsn_export__free(struct nsn_export *export)
{
	if (!export)
		return;
	if (export->live)
		nsn_live__free(export->live);
	else
		nsn_session__free(export->session);
	nsn_findings__free(export->findings);
	nsn_model__free(export->model);
	nsn_tally__free(export->tally);
	free(export);
}
