// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules.c - the engine: lets each rule judge a model, and makes statuses, an order and an exit code
 * of what they say. Floor 1.
 */
#include "rules_internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_IDS 32 /* ids in one value of evidence */

static const char host[] = "host";

/* ---- the pen --------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static char *print(struct nsn_rule_run *run,
							 const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0) {
		run->err = -ENOMEM;
		return NULL;
	}
	return text;
}

void nsn_run__pass(struct nsn_rule_run *run)
{
	run->result->subjects++;
}

void nsn_run__pending(struct nsn_rule_run *run)
{
	run->result->pending++;
}

struct nsn_finding *nsn_run__fail(struct nsn_rule_run *run, enum nsn_severity severity,
				  const char *kind, const char *id, const char *title, ...)
{
	struct nsn_finding *finding;
	va_list args;

	if (run->err)
		return NULL;
	finding = NSN_APPEND(run->findings, findings);
	if (!finding) {
		run->err = -ENOMEM;
		return NULL;
	}
	finding->rule = run->rule;
	finding->severity = severity;
	finding->subject_kind = kind;
	nsn_utf8_copy(finding->subject_id, sizeof(finding->subject_id), id);
	finding->why = run->rule->why;
	finding->remedy = run->rule->remedy;
	va_start(args, title);
	finding->title = print(run, title, args);
	va_end(args);
	if (!run->result->failed || severity > run->result->worst)
		run->result->worst = severity;
	run->result->failed++;
	run->result->subjects++;
	return finding->title ? finding : NULL;
}

/* The entry for the host that this run already has, or NULL. */
static struct nsn_rule_unknown *host_entry(struct nsn_rule_run *run, const char *kind)
{
	struct nsn_findings *all = run->findings;

	if (strcmp(kind, host))
		return NULL;
	for (size_t i = all->unknowns_count; i && all->unknowns[i - 1].rule == run->rule; i--)
		if (strcmp(all->unknowns[i - 1].subject_kind, host) == 0)
			return &all->unknowns[i - 1];
	return NULL;
}

/* True if the subject is new to this run. */
__attribute__((format(printf, 5, 0))) static bool add_unknown(struct nsn_rule_run *run,
							      enum nsn_severity worst,
							      const char *kind, const char *id,
							      const char *reason, va_list args)
{
	struct nsn_rule_unknown *unknown = host_entry(run, kind);

	if (run->err)
		return false;
	if (unknown) {
		if (worst > unknown->severity)
			unknown->severity = worst;
		return false;
	}
	unknown = NSN_APPEND(run->findings, unknowns);
	if (!unknown) {
		run->err = -ENOMEM;
		return false;
	}
	unknown->rule = run->rule;
	unknown->severity = worst;
	unknown->subject_kind = kind;
	nsn_utf8_copy(unknown->subject_id, sizeof(unknown->subject_id), id);
	unknown->reason = print(run, reason, args);
	run->result->unknown++;
	return true;
}

void nsn_run__unknown(struct nsn_rule_run *run, enum nsn_severity worst, const char *kind,
		      const char *id, const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	run->result->subjects += add_unknown(run, worst, kind, id, reason, args);
	va_end(args);
}

void nsn_run__doubt(struct nsn_rule_run *run, enum nsn_severity worst, const char *kind,
		    const char *id, const char *reason, ...)
{
	va_list args;

	va_start(args, reason);
	add_unknown(run, worst, kind, id, reason, args);
	va_end(args);
}

static void add_evidence(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
			 bool json, char *value)
{
	struct nsn_evidence *evidence = NULL;

	if (finding && value)
		evidence = NSN_APPEND(finding, evidence);
	if (!evidence) {
		if (finding)
			run->err = -ENOMEM;
		free(value);
		return;
	}
	evidence->key = key;
	evidence->value = value;
	evidence->json = json;
}

void nsn_run__text(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		   const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_evidence(run, finding, key, false, print(run, format, args));
	va_end(args);
}

static void add_literal(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
			const char *format, ...) __attribute__((format(printf, 4, 5)));

static void add_literal(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
			const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_evidence(run, finding, key, true, print(run, format, args));
	va_end(args);
}

void nsn_run__number(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		     uint64_t value)
{
	add_literal(run, finding, key, "%llu", (unsigned long long)value);
}

void nsn_run__real(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		   double value)
{
	/* a locale would put its own point into it */
	uint64_t millionths = value > 0 ? (uint64_t)(value * 1e6 + 0.5) : 0;

	char fraction[8];
	size_t length = 6;

	nsn_format(fraction, sizeof(fraction), "%06u", (unsigned int)(millionths % 1000000));
	while (length > 1 && fraction[length - 1] == '0')
		fraction[--length] = '\0';
	add_literal(run, finding, key, "%llu.%s", (unsigned long long)(millionths / 1000000),
		    fraction);
}

void nsn_run__time(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		   uint64_t ns)
{
	char text[32];

	if (ns)
		nsn_run__text(run, finding, key, "%s", nsn_format_time(text, sizeof(text), ns));
	else
		add_literal(run, finding, key, "null");
}

void nsn_run__tri(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		  enum nsn_tri value)
{
	add_literal(run, finding, key, "%s",
		    value == NSN_UNKNOWN ? "null"
		    : value == NSN_YES   ? "true"
					 : "false");
}

void nsn_run__ids(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		  const struct nsn_refs *refs)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = finding ? open_memstream(&text, &size) : NULL;
	size_t count = refs->items_count;

	if (!finding)
		return;
	if (!out) {
		run->err = -ENOMEM;
		return;
	}
	/* each object of the model begins with its id */
	for (size_t i = 0; i < count && i < MAX_IDS; i++)
		fprintf(out, "%s%s", i ? ", " : "", (const char *)refs->items[i]);
	if (count > MAX_IDS)
		fprintf(out, " and %zu more", count - MAX_IDS);
	if (fclose(out)) {
		free(text);
		text = NULL;
	}
	add_evidence(run, finding, key, false, text);
}

void nsn_run__links(struct nsn_rule_run *run, struct nsn_finding *finding, const struct nsn_vm *vm)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out;

	if (!finding || !vm->links_count)
		return;
	out = open_memstream(&text, &size);
	if (!out) {
		run->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < vm->links_count && i < MAX_IDS; i++)
		fprintf(out, "%s%s by %s", i ? ", " : "", vm->links[i].container->id,
			nsn_link_by_name(vm->links[i].by));
	if (fclose(out)) {
		free(text);
		text = NULL;
	}
	add_evidence(run, finding, "links", false, text);
}

/* ---- runs ------------------------------------------------------------------------------------ */

static enum nsn_rule_status status_of(const struct nsn_rule_result *result, bool has_history)
{
	if (result->failed)
		return NSN_RULE_FAIL;
	if (result->unknown)
		return NSN_RULE_UNKNOWN;
	if (result->pending || (result->rule->events && !has_history))
		return NSN_RULE_NEEDS_EVENTS;
	return result->subjects ? NSN_RULE_PASS : NSN_RULE_NOT_APPLICABLE;
}

/*
 * A snapshot with holes proves nothing right. Where nobody can have a device that is of no
 * importance, but for the rules that only inform about the host itself.
 */
static void doubt_snapshot(struct nsn_rule_run *run)
{
	const struct nsn_rule *rule = run->rule;

	if (!run->sight->doubt || (rule->events && !run->history))
		return;
	if (rule->worst == NSN_SEVERITY_INFO || run->sight->passthrough_possible)
		nsn_run__unknown(run, rule->worst, host, host, "%s", run->sight->doubt);
}

static int run_rule(struct nsn_findings *findings, const struct nsn_model *model,
		    const struct nsn_history *history, const struct nsn_rule *rule,
		    const struct nsn_sight *sight)
{
	struct nsn_rule_run run = {
		.rule = rule,
		.model = model,
		.history = history,
		.sight = sight,
		.findings = findings,
		.result = &findings->results[findings->results_count++],
	};
	int err;

	run.result->rule = rule;
	run.result->worst = rule->severity;
	err = rule->events && !history ? 0 : rule->judge(&run, model);
	doubt_snapshot(&run);
	run.result->status = status_of(run.result, history != NULL);
	return err ? err : run.err;
}

static int compare_subjects(const char *kind_a, const char *id_a, const char *kind_b,
			    const char *id_b)
{
	int order = strcmp(kind_a, kind_b);

	if (!order)
		order = strverscmp(id_a, id_b);
	return order ? order : strcmp(id_a, id_b);
}

static int compare_findings(const void *a, const void *b)
{
	const struct nsn_finding *x = a, *y = b;

	if (x->severity != y->severity)
		return x->severity > y->severity ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return compare_subjects(x->subject_kind, x->subject_id, y->subject_kind, y->subject_id);
}

static int compare_unknowns(const void *a, const void *b)
{
	const struct nsn_rule_unknown *x = a, *y = b;

	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return compare_subjects(x->subject_kind, x->subject_id, y->subject_kind, y->subject_id);
}

struct nsn_findings *nsn_findings__new(const struct nsn_model *model)
{
	return nsn_findings__with_history(model, NULL);
}

struct nsn_findings *nsn_findings__with_history(const struct nsn_model *model,
						const struct nsn_history *history)
{
	struct nsn_findings *findings = calloc(1, sizeof(*findings));
	struct nsn_sight sight;

	if (!findings)
		return NULL;
	nsn_sight__of(&sight, model);
	findings->results = calloc(nsn_rules_count, sizeof(*findings->results));
	if (!findings->results)
		goto fail;
	for (size_t i = 0; i < nsn_rules_count; i++)
		if (run_rule(findings, model, history, &nsn_rules[i], &sight))
			goto fail;
	if (findings->findings_count)
		qsort(findings->findings, findings->findings_count, sizeof(*findings->findings),
		      compare_findings);
	if (findings->unknowns_count)
		qsort(findings->unknowns, findings->unknowns_count, sizeof(*findings->unknowns),
		      compare_unknowns);
	return findings;
fail:
	nsn_findings__free(findings);
	return NULL;
}

void nsn_findings__free(struct nsn_findings *findings)
{
	if (!findings)
		return;
	for (size_t i = 0; i < findings->findings_count; i++) {
		struct nsn_finding *finding = &findings->findings[i];

		for (size_t k = 0; k < finding->evidence_count; k++)
			free(finding->evidence[k].value);
		free(finding->evidence);
		free(finding->title);
	}
	for (size_t i = 0; i < findings->unknowns_count; i++)
		free(findings->unknowns[i].reason);
	free(findings->findings);
	free(findings->unknowns);
	free(findings->results);
	free(findings);
}

enum nsn_result nsn_findings__result(const struct nsn_findings *findings, enum nsn_severity fail_on)
{
	if (fail_on >= NSN_SEVERITY_NEVER)
		return NSN_RESULT_CLEAN;
	for (size_t i = 0; i < findings->findings_count; i++)
		if (findings->findings[i].severity >= fail_on)
			return NSN_RESULT_FINDINGS;
	for (size_t i = 0; i < findings->unknowns_count; i++)
		if (findings->unknowns[i].severity >= fail_on)
			return NSN_RESULT_UNKNOWN;
	return NSN_RESULT_CLEAN;
}

/* ---- names ----------------------------------------------------------------------------------- */

static const char *const severities[] = { "info", "warning", "critical", "never" };

const char *nsn_severity_name(enum nsn_severity severity)
{
	return (size_t)severity < NSN_ARRAY_SIZE(severities) ? severities[severity] : NULL;
}

int nsn_severity_parse(const char *text, enum nsn_severity *out)
{
	for (size_t i = 0; i < NSN_ARRAY_SIZE(severities); i++) {
		if (strcmp(text, severities[i]))
			continue;
		*out = (enum nsn_severity)i;
		return 0;
	}
	return -EINVAL;
}

const char *nsn_rule_status_name(enum nsn_rule_status status)
{
	static const char *const names[] = { "pass", "fail", "unknown", "not_applicable",
					     "needs_events" };

	return (size_t)status < NSN_ARRAY_SIZE(names) ? names[status] : NULL;
}

const struct nsn_rule *nsn_rule_by_id(const char *id)
{
	for (size_t i = 0; i < nsn_rules_count; i++)
		if (strcasecmp(nsn_rules[i].id, id) == 0)
			return &nsn_rules[i];
	return NULL;
}
