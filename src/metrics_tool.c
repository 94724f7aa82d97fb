// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * metrics_tool.c - metrics of what was found, what was counted, what is unknown, and of the tool
 * itself. Floor 1.
 */
#include <string.h>

#include "metrics_internal.h"

static int put_one(struct nsn_sample_sink *out, const char *label, const char *text, double value)
{
	struct nsn_sample sample = { .suffix = "" };

	if (label)
		nsn_sample__label(&sample, label, text);
	return nsn_sample__put(out, &sample, value);
}

NSN_COLLECT(build_info)
{
	struct nsn_sample sample = { .suffix = "" };

	(void)metric;
	nsn_sample__label(&sample, "version", in->version);
	nsn_sample__label(&sample, "revision", in->revision);
	nsn_sample__label(&sample, "libbpf", in->libbpf);
	return nsn_sample__put(out, &sample, 1);
}

/* ---- events that were counted ----------------------------------------------------------------- */

/* Zeros are zeros only where something was there to count. */
static bool is_counted(const struct nsn_metrics *in, const char *source)
{
	return nsn_model__source(in->model, source, NULL) == NSN_SOURCE_OK;
}

NSN_COLLECT(enforce_calls)
{
	int err = 0;

	(void)metric;
	if (!is_counted(in, "events.enforce"))
		return 0;
	for (size_t i = 0; i < in->counts->enforce_count; i++) {
		for (int refused = 0; refused < 2 && !err; refused++) {
			struct nsn_sample sample = { .suffix = "" };

			nsn_sample__label(&sample, "iommu_driver", in->counts->enforce[i].driver);
			nsn_sample__label(&sample, "result", refused ? "refused" : "enforced");
			err = nsn_sample__put(out, &sample,
					      (double)(refused ? in->counts->enforce[i].refused
							       : in->counts->enforce[i].enforced));
		}
	}
	return err;
}

NSN_COLLECT(group_attaches)
{
	static const char *const results[NSN_ATTACH_RESULTS] = { "ok", "EPERM", "EBUSY", "EINVAL",
								 "other" };
	int err = 0;

	(void)metric;
	if (!is_counted(in, "events.attach") && !is_counted(in, "events.domain"))
		return 0;
	for (size_t i = 0; i < NSN_ATTACH_RESULTS && !err; i++)
		err = put_one(out, "result", results[i], (double)in->counts->attaches[i]);
	return err;
}

NSN_COLLECT(host_flushes)
{
	static const char *const initiators[NSN_FLUSH_MAX] = {
		[NSN_FLUSH_GUEST] = "guest", [NSN_FLUSH_KVM_SEV] = "kvm_sev",
		[NSN_FLUSH_DRM] = "drm",     [NSN_FLUSH_MEMREGION] = "memregion",
		[NSN_FLUSH_OTHER] = "other",
	};
	int err = 0;

	(void)metric;
	for (size_t i = 0; i < NSN_FLUSH_MAX && !err; i++)
		if (is_counted(in, i == NSN_FLUSH_GUEST ? "events.wbinvd" : "events.host_flush"))
			err = put_one(out, "initiator", initiators[i],
				      (double)in->counts->flushes[i]);
	return err;
}

NSN_COLLECT(events_lost)
{
	(void)metric;
	return put_one(out, NULL, NULL, (double)in->counts->events_lost);
}

NSN_COLLECT(truncated_lists)
{
	(void)metric;
	return put_one(out, NULL, NULL, (double)in->counts->truncated_lists);
}

/* ---- findings and what is unknown ------------------------------------------------------------- */

/* Every severity that a finding of the rule can have has its sample, zero or not. */
static int put_rule(const struct nsn_metrics *in, const struct nsn_rule *rule,
		    struct nsn_sample_sink *out)
{
	size_t counts[NSN_SEVERITY_NEVER] = { 0 };
	int err = 0;

	for (size_t i = 0; i < in->findings->findings_count; i++)
		if (in->findings->findings[i].rule == rule &&
		    in->findings->findings[i].severity < NSN_SEVERITY_NEVER)
			counts[in->findings->findings[i].severity]++;
	for (enum nsn_severity severity = 0; severity < NSN_SEVERITY_NEVER && !err; severity++) {
		struct nsn_sample sample = { .suffix = "" };

		if (!counts[severity] && severity != rule->severity && severity != rule->worst)
			continue;
		nsn_sample__label(&sample, "rule", rule->id);
		nsn_sample__label(&sample, "severity", nsn_severity_name(severity));
		err = nsn_sample__put(out, &sample, (double)counts[severity]);
	}
	return err;
}

NSN_COLLECT(findings)
{
	int err = 0;

	(void)metric;
	for (size_t i = 0; i < nsn_rules_count && !err; i++)
		err = put_rule(in, &nsn_rules[i], out);
	return err;
}

NSN_COLLECT(rule_unknown)
{
	int err = 0;

	(void)metric;
	for (size_t i = 0; i < in->findings->results_count && !err; i++)
		err = put_one(out, "rule", in->findings->results[i].rule->id,
			      (double)in->findings->results[i].unknown);
	return err;
}

/* What has a sample of its own, is null by its nature, or is a rate that Prometheus takes itself. */
static bool is_fact(const struct nsn_unknown *unknown)
{
	return !unknown->rule && !unknown->moot &&
	       !(unknown->field && unknown->field->live && !unknown->field->metric);
}

NSN_COLLECT(unknown_facts)
{
	const struct nsn_unknowns *unknowns = in->unknowns;
	int err = 0;

	(void)metric;
	/* rows of one fact stand in a row */
	for (size_t i = 0; i < unknowns->items_count && !err;) {
		const char *fact = unknowns->items[i].fact;
		size_t objects = 0;

		for (; i < unknowns->items_count && !strcmp(unknowns->items[i].fact, fact); i++)
			objects += is_fact(&unknowns->items[i]) ? unknowns->items[i].objects : 0;
		if (objects)
			err = put_one(out, "fact", fact, (double)objects);
	}
	return err;
}

/* ---- the tool --------------------------------------------------------------------------------- */

NSN_COLLECT(probes)
{
	int err = 0;

	(void)metric;
	for (size_t i = 0; i < in->probes_count && !err; i++) {
		struct nsn_sample sample = { .suffix = "" };

		nsn_sample__label(&sample, "probe", in->probes[i].name);
		nsn_sample__label(&sample, "feature", in->probes[i].feature);
		err = nsn_sample__put(out, &sample, in->probes[i].attached);
	}
	return err;
}

NSN_COLLECT(collector_success)
{
	int err = 0;

	(void)metric;
	for (size_t i = 0; i < in->collectors_count && !err; i++)
		err = put_one(out, "collector", in->collectors[i].name, in->collectors[i].success);
	return err;
}

NSN_COLLECT(collector_duration)
{
	int err = 0;

	(void)metric;
	for (size_t i = 0; i < in->collectors_count && !err; i++)
		if (in->collectors[i].seconds >= 0)
			err = put_one(out, "collector", in->collectors[i].name,
				      in->collectors[i].seconds);
	return err;
}

NSN_COLLECT(process)
{
	const struct nsn_metric_process *process = in->process;
	const struct {
		const char *name;
		double value;
	} known[] = {
		{ "process_cpu_seconds_total", process ? process->cpu_seconds : -1 },
		{ "process_resident_memory_bytes", process ? process->resident_bytes : -1 },
		{ "process_start_time_seconds", process ? process->started_at : -1 },
		{ "process_open_fds", process ? process->open_fds : -1 },
		{ "process_max_fds", process ? process->max_fds : -1 },
	};

	for (size_t i = 0; i < NSN_ARRAY_SIZE(known); i++)
		if (strcmp(known[i].name, metric->name) == 0 && known[i].value >= 0)
			return put_one(out, NULL, NULL, known[i].value);
	return 0;
}
