// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_top_detail.c - the panes of nosnooptop: all about one row, and the help. Floor 3.
 */
#include "render_top_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_CELLS 22

void nsn_draw__rule(struct nsn_draw *draw, const char *word, const char *more)
{
	const char *dash = draw->utf8 ? "\xe2\x94\x80" : "-";
	const char *rule = "";
	size_t used = nsn_cells(word) + nsn_cells(more) + 5;

	for (size_t i = used; i < draw->width; i++)
		rule = nsn_page__format(draw->page, "%s%s", rule, dash);
	nsn_draw__line(draw, 0);
	nsn_draw__text(draw, NSN_STYLE_DIM, nsn_page__format(draw->page, "%s ", dash));
	nsn_draw__text(draw, NSN_STYLE_HEADER, word);
	nsn_draw__text(draw, NSN_STYLE_DIM, nsn_page__format(draw->page, " %s ", rule));
	nsn_draw__text(draw, NSN_STYLE_DIM, more);
}

/* "Label   text", wrapped. */
void nsn_draw__labelled(struct nsn_draw *draw, const char *label, unsigned int style,
			const char *safe)
{
	size_t column = draw->width >= 60 ? LABEL_CELLS : 12;
	const char *text;

	if (draw->width < column + 8)
		return;
	text = nsn_page__wrap(draw->page, safe, draw->width - column - 2);
	do {
		size_t length = strcspn(text, "\n");

		nsn_draw__line(draw, 0);
		nsn_draw__padded(draw, NSN_STYLE_DIM, nsn_page__format(draw->page, "  %s", label),
				 (long)column);
		nsn_draw__to(draw, column);
		nsn_draw__text(draw, style,
			       nsn_page__format(draw->page, "%.*s", (int)length, text));
		text += length + (text[length] == '\n');
		label = "";
	} while (*text);
}

/* ---- other rows ------------------------------------------------------------------------------- */

static void draw_finding(struct nsn_draw *draw, const struct nsn_table *table,
			 const struct nsn_row *row)
{
	const struct nsn_finding *finding = row->object;
	struct nsn_page *page = draw->page;

	nsn_draw__labelled(draw, row->cells[0].text, row->cells[0].style, row->cells[3].text);
	(void)table;
	if (!finding)
		return;
	nsn_draw__labelled(draw, "Subject", 0, row->cells[2].text);
	nsn_draw__labelled(draw, "Why", 0, nsn_page__safe(page, finding->why));
	nsn_draw__labelled(draw, "To do", NSN_STYLE_BOLD, nsn_page__safe(page, finding->remedy));
	nsn_draw__labelled(draw, "Check by hand", 0, nsn_page__safe(page, finding->rule->check));
	for (size_t i = 0; i < finding->evidence_count; i++)
		if (finding->evidence[i].value[0])
			nsn_draw__labelled(draw, nsn_page__safe(page, finding->evidence[i].key),
					   NSN_STYLE_DIM,
					   nsn_page__safe(page, finding->evidence[i].value));
}

/* Every field of the object that has a value, or why it has none. */
static void draw_fields(struct nsn_draw *draw, enum nsn_object kind, const void *object)
{
	struct nsn_page *page = draw->page;
	const struct nsn_field *field;
	struct nsn_value value;
	const char *text;

	for (field = nsn_kinds[kind].fields; field->path; field++) {
		nsn_field__get(field, page->model, object, &value);
		if (value.type == NSN_VALUE_NONE || value.type == NSN_VALUE_ABSENT ||
		    value.type == NSN_VALUE_OBJECTS || value.type == NSN_VALUE_OBJECT)
			continue;
		text = nsn_page__value(page, field, &value);
		if (value.words && value.type == NSN_VALUE_TEXT)
			text = nsn_page__format(page, "%s: %s", text, value.words);
		if (value.type == NSN_VALUE_UNKNOWN)
			text = nsn_page__format(
				page, "unknown: %s",
				nsn_page__safe(page, value.reason ? value.reason
								  : nsn_model__why_unknown(
									    page->model, "", "",
									    field->source)));
		nsn_draw__labelled(draw, field->header, nsn_top_tone(value.tone), text);
	}
}

static void draw_cells(struct nsn_draw *draw, const struct nsn_table *table,
		       const struct nsn_row *row)
{
	for (size_t i = 0; i < table->columns_count; i++)
		if (row->cells[i].text && row->cells[i].text[0])
			nsn_draw__labelled(draw, table->columns[i].header, row->cells[i].style,
					   row->cells[i].text);
}

/* Leaves of the lines from `first` on only those that are scrolled to. */
static void scroll(struct nsn_draw *draw, size_t first, size_t height)
{
	struct nsn_top_state *state = draw->state;
	struct nsn_screen *screen = draw->screen;
	size_t count = screen->lines_count - first, hidden;
	const char *below = NULL;

	state->page = height ? height : 1;
	state->detail_lines = count;
	/* the last line tells how many there are, if not all are seen */
	if (count <= height)
		state->detail_first = 0;
	else if (state->detail_first + height - 1 > count)
		state->detail_first = count - height + 1;
	hidden = state->detail_first;
	if (count > height && height > 1)
		below = nsn_page__format(draw->page, "%zu to %zu of %zu lines", hidden + 1,
					 hidden + height - 1, count);
	for (size_t i = 0; i < hidden; i++)
		free(screen->lines[first + i].spans);
	memmove(&screen->lines[first], &screen->lines[first + hidden],
		(count - hidden) * sizeof(*screen->lines));
	screen->lines_count -= hidden;
	while (screen->lines_count > first + height)
		free(screen->lines[--screen->lines_count].spans);
	if (!below)
		return;
	if (screen->lines_count == first + height)
		free(screen->lines[--screen->lines_count].spans);
	nsn_draw__line(draw, 0);
	nsn_draw__padded(draw, NSN_STYLE_DIM, below, -(long)(draw->width - 1));
}

void nsn_draw__detail(struct nsn_draw *draw, const struct nsn_table *table, struct nsn_row *row,
		      size_t height)
{
	const char *title;
	size_t first;

	nsn_table__fill(draw, table, row, 0);
	title = row->cells[0].text;
	if (table->view == NSN_VIEW_FINDINGS || table->view == NSN_VIEW_EVENTS)
		title = row->cells[1].text;
	nsn_draw__rule(draw,
		       nsn_page__cut(draw->page, title, draw->width > 30 ? draw->width - 20 : 10),
		       "Esc back");
	first = draw->screen->lines_count;
	if (table->view == NSN_VIEW_VMS)
		nsn_draw__vm(draw, row->object);
	else if (table->view == NSN_VIEW_FINDINGS)
		draw_finding(draw, table, row);
	else if (table->view == NSN_VIEW_EVENTS)
		draw_cells(draw, table, row);
	else
		draw_fields(draw, table->kind, row->object);
	scroll(draw, first, height - 1);
}

/* ---- help ------------------------------------------------------------------------------------- */

static void draw_features(struct nsn_draw *draw)
{
	const struct nsn_top *top = draw->top;

	if (!top->features_count && !top->events_off)
		return;
	nsn_draw__rule(draw, "What is watched", "");
	if (top->events_off)
		nsn_draw__labelled(draw, "events", NSN_STYLE_WARNING,
				   nsn_page__format(draw->page, "off: %s",
						    nsn_page__safe(draw->page, top->events_off)));
	for (size_t i = 0; i < top->features_count; i++) {
		const struct nsn_top_feature *feature = &top->features[i];

		const char *how = !feature->on    ? "off: "
				  : feature->idle ? "nothing to see: "
						  : "on";

		nsn_draw__labelled(
			draw, nsn_page__safe(draw->page, feature->name),
			!feature->on    ? NSN_STYLE_WARNING
			: feature->idle ? NSN_STYLE_DIM
					: NSN_STYLE_GOOD,
			nsn_page__format(draw->page, "%s%s", how,
					 feature->on && !feature->idle
						 ? ""
						 : nsn_page__safe(draw->page, feature->reason)));
	}
}

void nsn_draw__help(struct nsn_draw *draw, size_t height)
{
	static const struct {
		const char *keys, *text;
	} rows[] = {
		{ "1 to 6, Tab", "views: VMs, domains, devices, findings, events, IOMMU units" },
		{ "arrows, PgUp, PgDn",
		  "move, as j and k do; g and G to the first and the last row" },
		{ "Enter, Esc", "all about the row under the cursor, and back" },
		{ "s, < >, I", "choose the column to sort by, move it, invert the order" },
		{ "/", "show only rows with this text; Esc shows all again" },
		{ "space", "pause and go on; flushes are counted meanwhile" },
		{ "d", "time between two readings" },
		{ "w", "write this screen to a file" },
		{ "R", "start a recording, and end it; --replay FILE reads it" },
		{ "?, q", "this help, quit" },
	};
	const struct nsn_field *field = nsn_kinds[NSN_OBJECT_VM].fields;
	size_t first;

	nsn_draw__rule(draw, "Keys", "Esc back");
	first = draw->screen->lines_count;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(rows); i++)
		nsn_draw__labelled(draw, rows[i].keys, 0, rows[i].text);
	nsn_draw__rule(draw, "Verdicts", "");
	while (strcmp(field->path, "verdict"))
		field++;
	for (const struct nsn_wording *value = field->values; value->text; value++)
		nsn_draw__labelled(draw, value->text, nsn_top_tone(value->tone),
				   nsn_top_verdict_words(value->text, value->words));
	nsn_draw__rule(draw, "Columns", "");
	nsn_draw__labelled(draw, "REG", 0,
			   "registrations of non-coherent DMA: with one, KVM executes "
			   "the guest's cache flushes (WBINVD)");
	nsn_draw__labelled(draw, "EXIT/s EXEC/s", 0,
			   "WBINVDs of the guest each second, and those that were executed");
	nsn_draw__labelled(
		draw, "TIME% P50 P99", 0,
		"time in flushes as a share of one CPU, preemption included; of one flush, "
		"estimated");
	draw_features(draw);
	scroll(draw, first, height - 1);
}
