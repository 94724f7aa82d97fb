// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_findings.c - findings, what is unknown, and the closing lines, for people. Floor 3.
 */
#include "render_page.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_COLUMN 10 /* where "Why" and kin start, under a finding's rule */
#define TEXT_COLUMN  20
#define MOST_FACTS   128
#define MOST_REASONS 20 /* beyond, the JSON output has them all */

static enum nsn_tone severity_tone(enum nsn_severity severity)
{
	return severity == NSN_SEVERITY_CRITICAL  ? NSN_TONE_BAD
	       : severity == NSN_SEVERITY_WARNING ? NSN_TONE_WARNING
						  : NSN_TONE_PLAIN;
}

static void print_title(struct nsn_page *page, const struct nsn_finding *finding)
{
	const char *severity = nsn_severity_name(finding->severity);
	char word[16] = "";

	for (size_t i = 0; severity[i] && i < sizeof(word) - 1; i++)
		word[i] = (char)toupper((unsigned char)severity[i]);
	fprintf(page->out, "%s%-8s%s  ", nsn_page__tone(page, severity_tone(finding->severity)),
		word, nsn_page__end(page));
	nsn_page__paragraph(page, 10, 10, finding->rule->id, 17,
			    nsn_page__safe(page, finding->title));
}

/* Evidence as "key: value" pairs, in one paragraph. */
static void print_evidence(struct nsn_page *page, const struct nsn_finding *finding)
{
	const char *text = "";

	for (size_t i = 0; i < finding->evidence_count; i++) {
		const struct nsn_evidence *evidence = &finding->evidence[i];
		char *key = nsn_page__format(page, "%s", evidence->key);

		if (!evidence->value[0])
			continue;
		for (char *c = key; *c; c++)
			*c = *c == '_' ? ' ' : *c;
		text = nsn_page__format(page, "%s%s%s: %s", text, *text ? "; " : "", key,
					nsn_page__safe(page, evidence->value));
	}
	if (*text)
		nsn_page__paragraph(page, 0, LABEL_COLUMN, "Evidence", TEXT_COLUMN, text);
}

/* Findings that say the same of several subjects share their "why" and "what to do". */
static bool says_the_same(const struct nsn_finding *a, const struct nsn_finding *b)
{
	return a->rule == b->rule && a->severity == b->severity && strcmp(a->why, b->why) == 0 &&
	       strcmp(a->remedy, b->remedy) == 0;
}

void nsn_page__findings(struct nsn_page *page, const struct nsn_findings *findings)
{
	if (!findings->findings_count)
		return;
	nsn_page__heading(page, "Findings");
	for (size_t i = 0; i < findings->findings_count; i++) {
		const struct nsn_finding *finding = &findings->findings[i];

		bool first = !i || !says_the_same(finding - 1, finding);
		bool last =
			i + 1 == findings->findings_count || !says_the_same(finding, finding + 1);

		print_title(page, finding);
		if (!first || !last)
			print_evidence(page, finding);
		if (!last)
			continue;
		nsn_page__paragraph(page, 0, LABEL_COLUMN, "Why", TEXT_COLUMN,
				    nsn_page__safe(page, finding->why));
		nsn_page__paragraph(page, 0, LABEL_COLUMN, "To do", TEXT_COLUMN,
				    nsn_page__safe(page, finding->remedy));
		if (first)
			print_evidence(page, finding);
		if (i + 1 < findings->findings_count)
			fputc('\n', page->out);
	}
}

/* ---- what is unknown ------------------------------------------------------------------------- */

/* What a reader calls a subject: a VM by its name. */
static const char *subject_title(const struct nsn_model *model, const char *id)
{
	for (size_t i = 0; i < model->vms_count; i++)
		if (strcmp(model->vms[i].id, id) == 0)
			return nsn_object__title(NSN_OBJECT_VM, &model->vms[i]);
	return id;
}

/* A fact that is unknown: its first row, and how many objects lack it. */
struct fact {
	const struct nsn_unknown *row;
	size_t subjects;
};

/* Who lacks it: "" for all or for the host, " (web1)", " (5 of them)". */
static const char *subjects_of(struct nsn_page *page, const struct fact *fact)
{
	const char *subject = fact->row->subject;

	if (fact->subjects > 1)
		return nsn_page__format(page, " (%zu of them)", fact->subjects);
	if (strcmp(subject, "*") == 0 || strcmp(subject, "host") == 0)
		return "";
	return nsn_page__format(page, " (%s)",
				nsn_page__safe(page, subject_title(page->model, subject)));
}

static bool is_meant(const struct nsn_unknown *row, bool rules)
{
	return row->rule == rules && !row->moot;
}

/* All facts that are unknown for one reason; rows of one fact stand together. */
static size_t collect_facts(const struct nsn_unknowns *unknowns, bool rules, const char *reason,
			    struct fact *facts)
{
	size_t count = 0;

	for (size_t i = 0; i < unknowns->items_count; i++) {
		const struct nsn_unknown *row = &unknowns->items[i];

		if (!is_meant(row, rules) || strcmp(row->reason, reason))
			continue;
		if (count && strcmp(facts[count - 1].row->fact, row->fact) == 0) {
			facts[count - 1].subjects++;
			continue;
		}
		if (count == MOST_FACTS)
			break;
		facts[count].row = row;
		facts[count++].subjects = 1;
	}
	return count;
}

/* "vms (web1): vcpus, pid; groups: owner": kind and subjects are said where they change. */
static const char *facts_of(struct nsn_page *page, const struct nsn_unknowns *unknowns,
			    const char *reason)
{
	struct fact facts[MOST_FACTS];
	size_t count = collect_facts(unknowns, false, reason, facts);
	const char *text = "", *before = "";

	for (size_t i = 0; i < count; i++) {
		const char *fact = facts[i].row->fact;
		int kind = (int)strcspn(fact, ".");
		const char *whose = nsn_page__format(page, "%.*s%s: ", kind, fact,
						     subjects_of(page, &facts[i]));
		bool same = strcmp(whose, before) == 0;

		text = nsn_page__format(page, "%s%s%s%s", text,
					!i     ? ""
					: same ? ", "
					       : "; ",
					same ? "" : whose,
					fact[kind] ? fact + kind + 1 : "all that there are");
		before = whose;
	}
	return text;
}

/* "NS001 (web1), NS002 (3 of them)" */
static const char *rules_of(struct nsn_page *page, const struct nsn_unknowns *unknowns,
			    const char *reason)
{
	struct fact facts[MOST_FACTS];
	size_t count = collect_facts(unknowns, true, reason, facts);
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = nsn_page__format(page, "%s%s%s%s", text, i ? ", " : "",
					strchr(facts[i].row->fact, '.') + 1,
					subjects_of(page, &facts[i]));
	return text;
}

static void print_reasons(struct nsn_page *page, const struct nsn_unknowns *unknowns, bool rules)
{
	const char *reasons[MOST_REASONS];
	size_t count = 0, more = 0, known;

	for (size_t i = 0; i < unknowns->items_count; i++) {
		const struct nsn_unknown *row = &unknowns->items[i];

		if (!is_meant(row, rules))
			continue;
		for (known = 0; known < count && strcmp(reasons[known], row->reason); known++)
			;
		if (known < count)
			continue;
		if (count == MOST_REASONS) {
			more++;
			continue;
		}
		reasons[count++] = row->reason;
		nsn_page__paragraph(page, 0, 2, "", 2, nsn_page__safe(page, row->reason));
		nsn_page__paragraph(page, 0, 6, "", 6,
				    rules ? rules_of(page, unknowns, row->reason)
					  : facts_of(page, unknowns, row->reason));
	}
	if (more)
		fprintf(page->out, "  ... and %zu more; --format json has them all\n", more);
}

static bool any(const struct nsn_unknowns *unknowns, bool rules)
{
	for (size_t i = 0; i < unknowns->items_count; i++)
		if (is_meant(&unknowns->items[i], rules))
			return true;
	return false;
}

static void print_losses(struct nsn_page *page)
{
	const struct nsn_model *model = page->model;

	if (!model->truncations_count && !model->lost_records)
		return;
	nsn_page__heading(page, "Incomplete");
	for (size_t i = 0; i < model->truncations_count && i < MOST_REASONS; i++) {
		const struct nsn_truncation *cut = &model->truncations[i];

		nsn_page__paragraph(
			page, 0, 2, "", 2,
			nsn_page__format(page, "%s%s%s: read up to %llu, there are more", cut->list,
					 cut->subject[0] ? " of " : "",
					 nsn_page__safe(page, subject_title(model, cut->subject)),
					 (unsigned long long)cut->limit));
	}
	if (model->truncations_count > MOST_REASONS)
		fprintf(page->out, "  ... and %zu more lists\n",
			model->truncations_count - MOST_REASONS);
	if (model->lost_records)
		fprintf(page->out, "  %llu records were lost\n",
			(unsigned long long)model->lost_records);
}

void nsn_page__unknowns(struct nsn_page *page, const struct nsn_unknowns *unknowns)
{
	const char *text = "";

	if (any(unknowns, true)) {
		nsn_page__heading(page, "Could not be decided");
		print_reasons(page, unknowns, true);
	}
	if (any(unknowns, false)) {
		nsn_page__heading(page, "Unknown");
		print_reasons(page, unknowns, false);
	}
	print_losses(page);
	if (!unknowns->absent_count)
		return;
	for (size_t i = 0; i < unknowns->absent_count; i++)
		text = nsn_page__format(page, "%s%s%s", text, i ? ", " : "", unknowns->absent[i]);
	nsn_page__heading(page, "Not on this kernel");
	nsn_page__paragraph(page, 0, 2, "", 2, text);
}

/* ---- the end --------------------------------------------------------------------------------- */

static size_t count_status(const struct nsn_findings *findings, enum nsn_rule_status status)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->results_count; i++)
		count += findings->results[i].status == status;
	return count;
}

/* Findings of a severity at or above `least`. */
static size_t count_findings(const struct nsn_findings *findings, enum nsn_severity least)
{
	size_t count = 0;

	for (size_t i = 0; i < findings->findings_count; i++)
		count += findings->findings[i].severity >= least;
	return count;
}

static const char *result_words(struct nsn_page *page, const struct nsn_findings *findings,
				enum nsn_result result)
{
	enum nsn_severity least = page->opts->fail_on;
	size_t count = count_findings(findings, least);
	size_t critical = count_findings(findings, NSN_SEVERITY_CRITICAL);
	const char *name = nsn_severity_name(least);

	if (least == NSN_SEVERITY_NEVER)
		return nsn_page__format(page, "%zu findings; none counts (fail-on never)",
					findings->findings_count);
	if (result == NSN_RESULT_CLEAN)
		return nsn_page__format(page, "clean: nothing found at or above %s", name);
	if (result == NSN_RESULT_UNKNOWN)
		return nsn_page__format(page,
					"unknown: nothing found at or above %s, but facts are "
					"missing that could hide it",
					name);
	if (least == NSN_SEVERITY_CRITICAL)
		return nsn_page__format(page, "%zu critical finding%s", count,
					count == 1 ? "" : "s");
	return nsn_page__format(page, "%zu finding%s at or above %s, %zu critical", count,
				count == 1 ? "" : "s", name, critical);
}

void nsn_page__closing(struct nsn_page *page, const struct nsn_findings *findings)
{
	enum nsn_result result = nsn_findings__result(findings, page->opts->fail_on);
	enum nsn_tone tone = result == NSN_RESULT_CLEAN      ? NSN_TONE_GOOD
			     : result == NSN_RESULT_FINDINGS ? NSN_TONE_BAD
							     : NSN_TONE_WARNING;

	fprintf(page->out, "\n%sResult%s: ", nsn_page__tone(page, tone), nsn_page__end(page));
	nsn_page__paragraph(page, 8, 8, "", 8,
			    nsn_page__format(page, "%s (exit code %d)",
					     result_words(page, findings, result), (int)result));
	fprintf(page->out,
		"%zu rules: %zu passed, %zu failed, %zu unknown, %zu not applicable, "
		"%zu need events\n",
		findings->results_count, count_status(findings, NSN_RULE_PASS),
		count_status(findings, NSN_RULE_FAIL), count_status(findings, NSN_RULE_UNKNOWN),
		count_status(findings, NSN_RULE_NOT_APPLICABLE),
		count_status(findings, NSN_RULE_NEEDS_EVENTS));
}
