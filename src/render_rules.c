// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_rules.c - the table of rules, and one rule in full. Floor 3.
 */
#include "render_page.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#define TEXT_COLUMN 15

static int dump(FILE *out, json_t *root)
{
	int err = root ? 0 : -ENOMEM;

	if (!err && (json_dumpf(root, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) ||
		     putc('\n', out) == EOF || fflush(out)))
		err = -EIO;
	json_decref(root);
	return err;
}

static json_t *rule_json(const struct nsn_rule *rule, bool full)
{
	json_t *out = json_pack("{s:s, s:s, s:b, s:s}", "id", rule->id, "severity",
				nsn_severity_name(rule->severity), "needs_events",
				(int)rule->events, "title", rule->title);

	if (!out || !full)
		return out;
	if (json_object_set_new(out, "why", json_string(rule->why)) ||
	    json_object_set_new(out, "check", json_string(rule->check)) ||
	    json_object_set_new(out, "remedy", json_string(rule->remedy))) {
		json_decref(out);
		return NULL;
	}
	return out;
}

static int rules_json(FILE *out)
{
	json_t *array = json_array();
	int err = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < nsn_rules_count && !err; i++)
		err = json_array_append_new(array, rule_json(&nsn_rules[i], false)) ? -ENOMEM : 0;
	if (!err)
		return dump(out, array);
	json_decref(array);
	return err;
}

static enum nsn_tone rule_tone(const struct nsn_rule *rule)
{
	return rule->severity == NSN_SEVERITY_CRITICAL  ? NSN_TONE_BAD
	       : rule->severity == NSN_SEVERITY_WARNING ? NSN_TONE_WARNING
							: NSN_TONE_PLAIN;
}

int nsn_render_rules(FILE *out, bool json, const struct nsn_render_opts *opts)
{
	struct nsn_page page;

	if (json)
		return rules_json(out);
	nsn_page__init(&page, out, NULL, opts);
	for (size_t i = 0; i < nsn_rules_count; i++) {
		const struct nsn_rule *rule = &nsn_rules[i];
		const char *note =
			rule->events ? " (takes a history: top, the exporter, a recording)" : "";

		fprintf(out, "%s  %s%-8s%s  ", rule->id, nsn_page__tone(&page, rule_tone(rule)),
			nsn_severity_name(rule->severity), nsn_page__end(&page));
		nsn_page__paragraph(
			&page, 17, 17, "", 17,
			nsn_page__safe(&page, nsn_page__format(&page, "%s%s", rule->title, note)));
	}
	return nsn_page__close(&page);
}

int nsn_render_explain(FILE *out, const struct nsn_rule *rule, bool json,
		       const struct nsn_render_opts *opts)
{
	struct nsn_page page;

	if (json)
		return dump(out, rule_json(rule, true));
	nsn_page__init(&page, out, NULL, opts);
	fprintf(out, "%s%s%s  ", nsn_page__bold(&page), rule->id, nsn_page__end(&page));
	nsn_page__paragraph(&page, 7, 7, "", 7, nsn_page__safe(&page, rule->title));
	fputc('\n', out);
	nsn_page__paragraph(&page, 0, 0, "Severity", TEXT_COLUMN,
			    nsn_page__format(&page, "%s%s%s", nsn_severity_name(rule->severity),
					     rule->worst > rule->severity ? ", at worst " : "",
					     rule->worst > rule->severity
						     ? nsn_severity_name(rule->worst)
						     : ""));
	nsn_page__paragraph(&page, 0, 0, "Decided by", TEXT_COLUMN,
			    rule->events ? "events: nosnoop trace, top or export"
					 : "a snapshot: nosnoop audit");
	nsn_page__paragraph(&page, 0, 0, "Why", TEXT_COLUMN, nsn_page__safe(&page, rule->why));
	nsn_page__paragraph(&page, 0, 0, "Check by hand", TEXT_COLUMN,
			    nsn_page__safe(&page, rule->check));
	nsn_page__paragraph(&page, 0, 0, "To do", TEXT_COLUMN, nsn_page__safe(&page, rule->remedy));
	return nsn_page__close(&page);
}
