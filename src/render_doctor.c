// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_doctor.c - the doctor's checks as text and as JSON. Floor 3.
 */
#include "render_doctor.h"

#include <errno.h>
#include <jansson.h>
#include <libsmartcols/libsmartcols.h>

#include "render_page.h"
#include "util.h"

#define GAP_CELLS 2 /* between the columns */

/* ---- text ----------------------------------------------------------------------------------- */

static const struct {
	const char *words;
	enum nsn_tone tone;
} statuses[NSN_CHECK_STATUS_MAX] = {
	[NSN_CHECK_OK] = { "ok", NSN_TONE_GOOD },
	[NSN_CHECK_MISSING] = { "MISSING", NSN_TONE_BAD },
	[NSN_CHECK_UNCHECKED] = { "unchecked", NSN_TONE_WARNING },
	[NSN_CHECK_NOT_APPLICABLE] = { "n/a", NSN_TONE_PLAIN },
};

static const char *const headings[NSN_CHECK_KIND_MAX] = {
	[NSN_CHECK_PRIVILEGE] = "PRIVILEGE", [NSN_CHECK_KERNEL] = "KERNEL",
	[NSN_CHECK_SOURCE] = "SOURCE",       [NSN_CHECK_MODULE] = "MODULE",
	[NSN_CHECK_ACCESSOR] = "ACCESSOR",   [NSN_CHECK_PROGRAM] = "PROGRAM",
	[NSN_CHECK_SYMBOL] = "SYMBOL",       [NSN_CHECK_PROBE] = "PROBE",
};

/* What there is to say about a check: what was found, else what is unknown and what would help. */
static const char *sentence(struct nsn_page *page, const struct nsn_check *check, bool facts)
{
	bool trouble = check->status == NSN_CHECK_MISSING || check->status == NSN_CHECK_UNCHECKED;
	const char *text = check->detail;

	if (trouble && check->feature)
		text = nsn_page__format(page, "%s. Feature off: %s", text, check->feature);
	if (trouble)
		text = nsn_page__format(page, "%s. %s: %s. To know it: %s", text,
					check->status == NSN_CHECK_MISSING ? "Unknown"
									   : "Perhaps unknown",
					check->gives, check->remedy);
	else if (facts)
		text = nsn_page__format(page, "%s. Gives: %s", text, check->gives);
	return nsn_page__safe(page, text);
}

static int add_line(struct nsn_page *page, struct libscols_table *table,
		    const struct nsn_check *check, size_t room, bool facts)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	const char *text = sentence(page, check, facts);
	int err;

	if (!line)
		return -ENOMEM;
	err = scols_line_set_data(line, 0, statuses[check->status].words);
	if (!err)
		err = scols_line_set_data(line, 1, nsn_page__safe(page, check->name));
	if (!err)
		err = scols_line_set_data(line, 2, nsn_page__wrap(page, text, room));
	if (!err && page->opts->color && statuses[check->status].tone != NSN_TONE_PLAIN)
		err = scols_cell_set_color(scols_line_get_cell(line, 0),
					   nsn_page__tone(page, statuses[check->status].tone));
	return err;
}

static int add_columns(struct libscols_table *table, enum nsn_check_kind kind)
{
	struct libscols_column *text;

	if (!scols_table_new_column(table, "STATE", 0, 0) ||
	    !scols_table_new_column(table, headings[kind], 0, 0))
		return -ENOMEM;
	text = scols_table_new_column(table, "WHAT IS THERE, OR WHAT IS UNKNOWN", 0, SCOLS_FL_WRAP);
	if (!text)
		return -ENOMEM;
	return scols_column_set_wrapfunc(text, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
					 NULL);
}

/* Cells left for the sentence beside the widest status and the widest name of all. */
static size_t sentence_room(const struct nsn_page *page, const struct nsn_checks *checks)
{
	size_t name = 0, used;

	for (size_t i = 0; i < checks->checks_count; i++)
		if (nsn_cells(checks->checks[i].name) > name)
			name = nsn_cells(checks->checks[i].name);
	used = nsn_cells("unchecked") + GAP_CELLS + name + GAP_CELLS;
	return page->width > used + 20 ? page->width - used : 20;
}

static void print_kind(struct nsn_page *page, const struct nsn_checks *checks,
		       enum nsn_check_kind kind, bool facts, bool first)
{
	struct libscols_table *table = nsn_page__new_table(page);
	size_t room = sentence_room(page, checks);
	int err;

	if (!table)
		return;
	err = add_columns(table, kind);
	for (size_t i = 0; !err && i < checks->checks_count; i++)
		if (checks->checks[i].kind == kind)
			err = add_line(page, table, &checks->checks[i], room, facts);
	if (!err && scols_table_get_nlines(table)) {
		if (!first)
			fputc('\n', page->out);
		err = nsn_page__print_table(page, table);
	}
	if (err)
		page->err = -ENOMEM;
	scols_unref_table(table);
}

int nsn_render_doctor_text(FILE *out, const struct nsn_checks *checks, bool facts,
			   const struct nsn_render_opts *opts)
{
	struct nsn_page page;

	nsn_page__init(&page, out, NULL, opts);
	for (int kind = 0; kind < NSN_CHECK_KIND_MAX; kind++)
		print_kind(&page, checks, kind, facts,
			   checks->checks_count && checks->checks[0].kind == (unsigned int)kind);
	fprintf(out, "\n%zu checks: %zu ok, %zu missing, %zu unchecked, %zu not applicable\n",
		checks->checks_count, nsn_checks__count(checks, NSN_CHECK_OK),
		nsn_checks__count(checks, NSN_CHECK_MISSING),
		nsn_checks__count(checks, NSN_CHECK_UNCHECKED),
		nsn_checks__count(checks, NSN_CHECK_NOT_APPLICABLE));
	return nsn_page__close(&page);
}

/* ---- JSON ----------------------------------------------------------------------------------- */

/* A string, or null for NULL and "". A path may be no valid UTF-8: bad bytes become U+FFFD. */
static json_t *text_or_null(const char *text)
{
	char clean[1024];

	if (!text || !*text)
		return json_null();
	nsn_utf8_copy(clean, sizeof(clean), text);
	return json_string(clean);
}

/* Sets a key; a value that could not be made is a lack of memory. */
static int set(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) ? -ENOMEM : 0;
}

static json_t *check_object(const struct nsn_check *check)
{
	json_t *object = json_object();

	if (object && !set(object, "kind", json_string(nsn_check_kind_name(check->kind))) &&
	    !set(object, "name", json_string(check->name)) &&
	    !set(object, "module", text_or_null(check->module)) &&
	    !set(object, "feature", text_or_null(check->feature)) &&
	    !set(object, "status", json_string(nsn_check_status_name(check->status))) &&
	    !set(object, "detail", text_or_null(check->detail)) &&
	    !set(object, "gives", json_string(check->gives)) &&
	    !set(object, "remedy", text_or_null(check->remedy)))
		return object;
	json_decref(object);
	return NULL;
}

static int set_summary(json_t *root, const struct nsn_checks *checks)
{
	json_t *summary = json_object();
	int code = nsn_checks__exit_code(checks);
	int err = summary ? 0 : -ENOMEM;

	for (int i = 0; !err && i < NSN_CHECK_STATUS_MAX; i++)
		err = set(summary, nsn_check_status_name(i),
			  json_integer((json_int_t)nsn_checks__count(checks, i)));
	if (err) {
		json_decref(summary);
		return err;
	}
	err = set(root, "result",
		  json_pack("{s:s, s:i}", "status", code ? "incomplete" : "complete", "exit_code",
			    code));
	if (err) {
		json_decref(summary);
		return err;
	}
	return set(root, "summary", summary);
}

static json_t *root_object(const struct nsn_checks *checks, const struct nsn_render_opts *opts)
{
	json_t *root = json_object(), *array = json_array();
	int err = root && array ? 0 : -ENOMEM;

	for (size_t i = 0; !err && i < checks->checks_count; i++)
		if (json_array_append_new(array, check_object(&checks->checks[i])))
			err = -ENOMEM;
	if (!err && !set(root, "schema", json_string("nosnoop.doctor/1")) &&
	    !set(root, "tool_version", json_string(opts->tool_version)) &&
	    !set(root, "kernel", text_or_null(checks->kernel)) &&
	    !set(root, "from", text_or_null(checks->from)) && !set_summary(root, checks) &&
	    !json_object_set(root, "checks", array)) {
		json_decref(array);
		return root;
	}
	json_decref(array);
	json_decref(root);
	return NULL;
}

int nsn_render_doctor_json(FILE *out, const struct nsn_checks *checks,
			   const struct nsn_render_opts *opts)
{
	json_t *root = root_object(checks, opts);
	int err = 0;

	if (!root)
		return -ENOMEM;
	if (json_dumpf(root, out, JSON_INDENT(2) | JSON_ENSURE_ASCII) || fputc('\n', out) == EOF ||
	    fflush(out))
		err = -EIO;
	json_decref(root);
	return err;
}
