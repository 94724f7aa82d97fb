// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_select.c - the findings on what is shown. Floor 3.
 */
#include "render_select.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* True if a subject, by its kind and id, is shown. What can't be found is shown: better too much.
 */
static bool shows_subject(const struct nsn_model *model, const struct nsn_render_opts *opts,
			  const char *kind_name, const char *id)
{
	for (int kind = 0; kind < NSN_OBJECT_MAX; kind++) {
		size_t count = nsn_model__count(model, kind);

		if (kind == NSN_OBJECT_HOST || strcmp(nsn_kinds[kind].name, kind_name))
			continue;
		for (size_t i = 0; i < count; i++) {
			const void *object = nsn_model__object(model, kind, i);

			if (strcmp(nsn_object__id(kind, object), id) == 0)
				return opts->shows(opts, kind, object);
		}
	}
	return true;
}

static struct nsn_rule_result *result_of(struct nsn_findings *findings, const struct nsn_rule *rule)
{
	for (size_t i = 0; i < findings->results_count; i++)
		if (findings->results[i].rule == rule)
			return &findings->results[i];
	return NULL;
}

static void drop(size_t *count, size_t *subjects)
{
	*count -= *count > 0;
	*subjects -= *subjects > 0;
}

static void take_findings(struct nsn_findings *out, const struct nsn_model *model,
			  const struct nsn_findings *findings, const struct nsn_render_opts *opts)
{
	for (size_t i = 0; i < findings->findings_count; i++) {
		const struct nsn_finding *finding = &findings->findings[i];
		struct nsn_rule_result *result = result_of(out, finding->rule);

		if (shows_subject(model, opts, finding->subject_kind, finding->subject_id))
			out->findings[out->findings_count++] = *finding;
		else if (result)
			drop(&result->failed, &result->subjects);
	}
	for (size_t i = 0; i < findings->unknowns_count; i++) {
		const struct nsn_rule_unknown *unknown = &findings->unknowns[i];
		struct nsn_rule_result *result = result_of(out, unknown->rule);

		if (shows_subject(model, opts, unknown->subject_kind, unknown->subject_id))
			out->unknowns[out->unknowns_count++] = *unknown;
		else if (result)
			drop(&result->unknown, &result->subjects);
	}
}

/* What the rules come to without the subjects that are not shown. */
static void judge_again(struct nsn_findings *out)
{
	for (size_t i = 0; i < out->results_count; i++) {
		struct nsn_rule_result *result = &out->results[i];
		bool found = false;

		if (result->status != NSN_RULE_FAIL && result->status != NSN_RULE_UNKNOWN)
			continue;
		result->status = result->failed     ? NSN_RULE_FAIL
				 : result->unknown  ? NSN_RULE_UNKNOWN
				 : result->subjects ? NSN_RULE_PASS
						    : NSN_RULE_NOT_APPLICABLE;
		result->worst = result->rule->severity;
		for (size_t k = 0; k < out->findings_count; k++) {
			const struct nsn_finding *finding = &out->findings[k];

			if (finding->rule != result->rule ||
			    (found && finding->severity < result->worst))
				continue;
			result->worst = finding->severity;
			found = true;
		}
	}
}

struct nsn_findings *nsn_selected__new(const struct nsn_model *model,
				       const struct nsn_findings *findings,
				       const struct nsn_render_opts *opts)
{
	struct nsn_findings *out = calloc(1, sizeof(*out));

	if (!out)
		return NULL;
	out->results = calloc(findings->results_count + 1, sizeof(*out->results));
	out->findings = calloc(findings->findings_count + 1, sizeof(*out->findings));
	out->unknowns = calloc(findings->unknowns_count + 1, sizeof(*out->unknowns));
	if (!out->results || !out->findings || !out->unknowns) {
		nsn_selected__free(out);
		return NULL;
	}
	memcpy(out->results, findings->results, findings->results_count * sizeof(*out->results));
	out->results_count = findings->results_count;
	take_findings(out, model, findings, opts);
	judge_again(out);
	return out;
}

void nsn_selected__free(struct nsn_findings *selected)
{
	if (!selected)
		return;
	free(selected->results);
	free(selected->findings);
	free(selected->unknowns);
	free(selected);
}

static bool in_scope(const void *data, enum nsn_object kind, const void *object)
{
	const struct nsn_render_opts *opts = data;

	return opts->shows(opts, kind, object);
}

struct nsn_unknowns *nsn_selected__unknowns(const struct nsn_model *model,
					    const struct nsn_findings *findings,
					    const struct nsn_render_opts *opts)
{
	struct nsn_scope scope = { .shows = opts->shows ? in_scope : NULL, .data = opts };

	return nsn_unknowns__new(model, findings, &scope);
}

int nsn_render_result(const struct nsn_model *model, const struct nsn_findings *findings,
		      const struct nsn_render_opts *opts)
{
	struct nsn_findings *selected;
	int result;

	if (!opts->shows)
		return (int)nsn_findings__result(findings, opts->fail_on);
	selected = nsn_selected__new(model, findings, opts);
	if (!selected)
		return -ENOMEM;
	result = (int)nsn_findings__result(selected, opts->fail_on);
	nsn_selected__free(selected);
	return result;
}
