// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_json.c - the audit as one JSON object, nosnoop.audit/1; of a series, nosnoop.live/1. Floor 3.
 *
 * jansson keeps keys in the order they were set. Functions return a new reference or NULL; the
 * *_new setters of jansson steal it and fail on NULL, so that a lack of memory surfaces at the top.
 */
#include "render.h"
#include "render_select.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Six digits of a number that was measured are more than it is worth. */
#define DUMP_FLAGS (JSON_ENSURE_ASCII | JSON_REAL_PRECISION(6))

/* Text of a machine may be no valid UTF-8, which JSON can't carry: bad bytes become U+FFFD. */
static json_t *text_of(const char *text)
{
	json_t *string = json_string(text);
	size_t size;
	char *clean;

	if (string)
		return string;
	size = 3 * strlen(text) + 1;
	clean = malloc(size);
	if (!clean)
		return NULL;
	nsn_utf8_copy(clean, size, text);
	string = json_string(clean);
	free(clean);
	return string;
}

static int set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) ? -ENOMEM : 0;
}

static int append(json_t *array, json_t *value)
{
	return json_array_append_new(array, value) ? -ENOMEM : 0;
}

/* Sets a key by its path: "coherency.state" goes into the object "coherency". */
static int set_path(json_t *object, const char *path, json_t *value)
{
	const char *dot = strchr(path, '.');
	json_t *inner;
	char key[32];

	if (!dot || !value)
		return set(object, path, value);
	nsn_format(key, sizeof(key), "%.*s", (int)(dot - path), path);
	inner = json_object_get(object, key);
	if (!inner) {
		inner = json_object();
		if (set(object, key, inner)) {
			json_decref(value);
			return -ENOMEM;
		}
	}
	return set_path(inner, dot + 1, value);
}

static json_t *object_of(const struct nsn_model *model, enum nsn_object kind, const void *object);

static json_t *list_of(const struct nsn_model *model, const struct nsn_value *value)
{
	json_t *array = json_array();
	struct nsn_value item;
	int err = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < value->count && !err; i++) {
		if (value->type == NSN_VALUE_OBJECTS) {
			err = append(array,
				     object_of(model, value->kind, nsn_value__object(value, i)));
			continue;
		}
		nsn_value__item(value, i, &item);
		err = append(array, item.type == NSN_VALUE_INT ? json_integer(item.number)
							       : text_of(item.text));
	}
	if (!err)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *value_of(const struct nsn_model *model, const struct nsn_value *value)
{
	switch (value->type) {
	case NSN_VALUE_BOOL:
		return json_boolean(value->boolean);
	case NSN_VALUE_INT:
		return json_integer(value->number);
	case NSN_VALUE_REAL:
		return json_real(value->real);
	case NSN_VALUE_TEXT:
		return text_of(value->text);
	case NSN_VALUE_LIST:
	case NSN_VALUE_OBJECTS:
		return list_of(model, value);
	case NSN_VALUE_OBJECT:
		return object_of(model, value->kind, nsn_value__object(value, 0));
	default:
		return json_null();
	}
}

static json_t *object_of(const struct nsn_model *model, enum nsn_object kind, const void *object)
{
	const struct nsn_field *field;
	json_t *out = json_object();
	struct nsn_value value;
	int err = out ? 0 : -ENOMEM;

	for (field = nsn_kinds[kind].fields; field->path && !err; field++) {
		nsn_field__get(field, model, object, &value);
		if (value.type != NSN_VALUE_NONE && value.type != NSN_VALUE_ABSENT)
			err = set_path(out, field->path, value_of(model, &value));
	}
	if (!err)
		return out;
	json_decref(out);
	return NULL;
}

static bool shows(const struct nsn_render_opts *opts, enum nsn_object kind, const void *object)
{
	return !opts->shows || opts->shows(opts, kind, object);
}

static json_t *objects_of(const struct nsn_model *model, enum nsn_object kind,
			  const struct nsn_render_opts *opts)
{
	size_t count = nsn_model__count(model, kind);
	json_t *array = json_array();
	int err = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !err; i++) {
		const void *object = nsn_model__object(model, kind, i);

		if (shows(opts, kind, object))
			err = append(array, object_of(model, kind, object));
	}
	if (!err)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *result_of(const struct nsn_findings *findings, const struct nsn_render_opts *opts)
{
	enum nsn_result result = nsn_findings__result(findings, opts->fail_on);
	const char *status = result == NSN_RESULT_CLEAN      ? "clean"
			     : result == NSN_RESULT_FINDINGS ? "findings"
							     : "unknown";

	return json_pack("{s:s, s:i, s:s}", "status", status, "exit_code", (int)result, "fail_on",
			 nsn_severity_name(opts->fail_on));
}

static json_t *rules_of(const struct nsn_findings *findings)
{
	json_t *array = json_array();
	int err = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < findings->results_count && !err; i++) {
		const struct nsn_rule_result *result = &findings->results[i];

		err = append(array,
			     json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "id", result->rule->id,
				       "severity", nsn_severity_name(result->worst), "status",
				       nsn_rule_status_name(result->status), "subjects",
				       (json_int_t)result->subjects, "failed",
				       (json_int_t)result->failed, "unknown",
				       (json_int_t)result->unknown));
	}
	if (!err)
		return array;
	json_decref(array);
	return NULL;
}

/* A value that claims to be JSON but is none stays text. */
static json_t *evidence_value(const struct nsn_evidence *evidence)
{
	json_t *value = NULL;

	if (evidence->json)
		value = json_loads(evidence->value, JSON_DECODE_ANY, NULL);
	return value ? value : text_of(evidence->value);
}

static json_t *evidence_of(const struct nsn_finding *finding)
{
	json_t *out = json_object();
	int err = out ? 0 : -ENOMEM;

	for (size_t i = 0; i < finding->evidence_count && !err; i++)
		err = set(out, finding->evidence[i].key, evidence_value(&finding->evidence[i]));
	if (!err)
		return out;
	json_decref(out);
	return NULL;
}

static json_t *finding_of(const struct nsn_finding *finding)
{
	json_t *out = json_object(), *subject = json_object();
	int err = out && subject ? 0 : -ENOMEM;

	if (!err)
		err = set(subject, "kind", text_of(finding->subject_kind));
	if (!err)
		err = set(subject, "id", text_of(finding->subject_id));
	if (!err)
		err = set(out, "rule", text_of(finding->rule->id));
	if (!err)
		err = set(out, "severity", text_of(nsn_severity_name(finding->severity)));
	if (!err)
		err = json_object_set(out, "subject", subject) ? -ENOMEM : 0;
	if (!err)
		err = set(out, "title", text_of(finding->title));
	if (!err)
		err = set(out, "why", text_of(finding->why));
	if (!err)
		err = set(out, "evidence", evidence_of(finding));
	if (!err)
		err = set(out, "remedy", text_of(finding->remedy));
	json_decref(subject);
	if (!err)
		return out;
	json_decref(out);
	return NULL;
}

static json_t *findings_of(const struct nsn_findings *findings)
{
	json_t *array = json_array();
	int err = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < findings->findings_count && !err; i++)
		err = append(array, finding_of(&findings->findings[i]));
	if (!err)
		return array;
	json_decref(array);
	return NULL;
}

static json_t *unknown_of(const char *fact, const char *subject, const char *reason)
{
	json_t *out = json_object();

	if (out && !set(out, "fact", text_of(fact)) && !set(out, "subject", text_of(subject)) &&
	    !set(out, "reason", text_of(reason)))
		return out;
	json_decref(out);
	return NULL;
}

static int set_unknowns(json_t *root, const struct nsn_unknowns *unknowns, bool taken_at)
{
	json_t *unknown = json_array(), *absent = json_array();
	int err = set(root, "unknown", unknown);

	if (!err)
		err = set(root, "not_applicable", absent);
	else
		json_decref(absent);
	if (!err && !taken_at)
		err = append(unknown,
			     unknown_of("taken_at", "host", "the recording does not tell"));
	for (size_t i = 0; i < unknowns->items_count && !err; i++)
		err = append(unknown,
			     unknown_of(unknowns->items[i].fact, unknowns->items[i].subject,
					unknowns->items[i].reason));
	for (size_t i = 0; i < unknowns->absent_count && !err; i++)
		err = append(absent, text_of(unknowns->absent[i]));
	return err;
}

static json_t *truncated_of(const struct nsn_model *model)
{
	json_t *array = json_array(), *row;
	int err = array ? 0 : -ENOMEM;

	for (size_t i = 0; i < model->truncations_count && !err; i++) {
		row = json_object();
		if (row && (set(row, "list", text_of(model->truncations[i].list)) ||
			    set(row, "subject", text_of(model->truncations[i].subject)) ||
			    set(row, "limit", json_integer(model->truncations[i].limit)))) {
			json_decref(row);
			row = NULL;
		}
		err = append(array, row);
	}
	if (!err)
		return array;
	json_decref(array);
	return NULL;
}

static int fill(json_t *root, const struct nsn_model *model, const struct nsn_findings *findings,
		const struct nsn_unknowns *unknowns, const struct nsn_render_opts *opts)
{
	bool taken_at = NSN_KNOWS(&model->host, host, taken_at);
	char time[32];
	int err;

	err = set(root, "schema", json_string(model->live ? "nosnoop.live/1" : "nosnoop.audit/1"));
	if (!err)
		err = set(root, "tool_version", text_of(opts->tool_version));
	if (!err)
		err = set(root, "taken_at",
			  taken_at ? json_string(nsn_format_time(time, sizeof(time),
								 model->host.taken_at))
				   : json_null());
	if (!err && model->live)
		err = set(root, "interval_seconds",
			  opts->interval_seconds > 0 ? json_real(opts->interval_seconds)
						     : json_null());
	if (!err)
		err = set(root, "result", result_of(findings, opts));
	for (int kind = 0; kind < NSN_OBJECT_MAX && !err; kind++)
		if (!nsn_kinds[kind].nested)
			err = set(root, nsn_kinds[kind].plural,
				  kind == NSN_OBJECT_HOST ? object_of(model, kind, model)
							  : objects_of(model, kind, opts));
	if (!err)
		err = set(root, "rules", rules_of(findings));
	if (!err)
		err = set(root, "findings", findings_of(findings));
	if (!err)
		err = set_unknowns(root, unknowns, taken_at);
	if (!err)
		err = set(root, "truncated", truncated_of(model));
	if (!err)
		err = set(root, "lost",
			  json_pack("{s:I, s:I}", "events", (json_int_t)opts->lost_events,
				    "records", (json_int_t)model->lost_records));
	return err;
}

/* A series has one object a line. */
static int dump(FILE *out, const json_t *root, bool live)
{
	size_t flags = live ? JSON_COMPACT : JSON_INDENT(2);

	if (json_dumpf(root, out, flags | DUMP_FLAGS) || putc('\n', out) == EOF || fflush(out))
		return -EIO;
	return 0;
}

int nsn_render_json(FILE *out, const struct nsn_model *model, const struct nsn_findings *findings,
		    const struct nsn_render_opts *opts)
{
	struct nsn_findings *selected = NULL;
	struct nsn_unknowns *unknowns = NULL;
	json_t *root = json_object();
	int err = -ENOMEM;

	if (opts->shows) {
		selected = nsn_selected__new(model, findings, opts);
		findings = selected;
	}
	if (findings)
		unknowns = nsn_selected__unknowns(model, findings, opts);
	if (unknowns && root)
		err = fill(root, model, findings, unknowns, opts);
	if (!err)
		err = dump(out, root, model->live);
	json_decref(root);
	nsn_unknowns__free(unknowns);
	nsn_selected__free(selected);
	return err;
}
