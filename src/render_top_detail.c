// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_top_detail.c - the panes of nosnooptop: all about one row, and the help. Floor 3.
 */
#include "render_top_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_CELLS  22
#define MOST_EVENTS  12
#define TWO_COLUMNS  124 /* cells from which a VM's tree stands beside its histogram */
#define RIGHT_CELLS  56

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

/* The style of one of our own escape sequences; -1: it is none. */
static int style_of(const char *sequence, size_t *length)
{
	static const struct {
		const char *text;
		int style;
	} known[] = { { "\033[32m", NSN_STYLE_GOOD },
		      { "\033[33m", NSN_STYLE_WARNING },
		      { "\033[1;31m", NSN_STYLE_BAD },
		      { "\033[1m", NSN_STYLE_BOLD },
		      { "\033[0m", 0 },
		      { "\033[m", 0 } };

	for (size_t i = 0; i < NSN_ARRAY_SIZE(known); i++) {
		*length = strlen(known[i].text);
		if (strncmp(sequence, known[i].text, *length) == 0)
			return known[i].style;
	}
	*length = 1;
	return -1;
}

void nsn_draw__colored(struct nsn_draw *draw, const char *text, size_t indent)
{
	unsigned int style = 0;

	while (*text) {
		nsn_draw__line(draw, 0);
		nsn_draw__padded(draw, 0, "", (long)indent);
		while (*text && *text != '\n') {
			size_t length = strcspn(text, "\033\n");

			if (length) {
				nsn_draw__text(draw, style,
					       nsn_page__format(draw->page, "%.*s", (int)length,
								text));
			} else {
				int found = style_of(text, &length);

				style = found < 0 ? style : (unsigned int)found;
			}
			text += length;
		}
		text += *text == '\n';
	}
}

/* Runs a printer of pages in `width` cells and adds what it prints, in its colours. */
static void draw_page(struct nsn_draw *draw, size_t width, size_t indent,
		      void (*print)(struct nsn_page *page, const void *data), const void *data)
{
	struct nsn_render_opts opts = *draw->page->opts;
	struct nsn_page page;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		draw->page->err = -ENOMEM;
		return;
	}
	opts.width = (int)(width - indent);
	opts.color = true; /* they become styles; what they mean is up to the terminal */
	nsn_page__init(&page, out, draw->page->model, &opts);
	print(&page, data);
	if (nsn_page__close(&page) || fclose(out))
		draw->page->err = -ENOMEM;
	else
		nsn_draw__colored(draw, text, indent);
	free(text);
}

/* "Label   text", wrapped. */
static void draw_labelled(struct nsn_draw *draw, const char *label, unsigned int style,
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

/* ---- a VM ------------------------------------------------------------------------------------- */

static void print_tree(struct nsn_page *page, const void *data)
{
	nsn_page__vm_tree(page, data);
}

static void draw_facts(struct nsn_draw *draw, const struct nsn_vm *vm)
{
	static const char *const paths[] = { "pid", "vcpus", "vmm", "uuid", "started_at" };
	struct nsn_page *page = draw->page;
	const struct nsn_field *field;
	struct nsn_value value;

	nsn_draw__line(draw, 0);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(paths); i++) {
		for (field = nsn_kinds[NSN_OBJECT_VM].fields; field->path; field++)
			if (strcmp(field->path, paths[i]) == 0)
				break;
		nsn_field__get(field, page->model, vm, &value);
		if (value.type <= NSN_VALUE_ABSENT)
			continue;
		nsn_draw__text(draw, NSN_STYLE_DIM,
			       nsn_page__format(page, "  %s ", field->header));
		nsn_draw__text(draw, 0, nsn_page__value(page, field, &value));
	}
}

static void draw_verdict(struct nsn_draw *draw, const struct nsn_vm *vm)
{
	const struct nsn_field *field = nsn_kinds[NSN_OBJECT_VM].fields;
	struct nsn_value value;

	while (strcmp(field->path, "verdict"))
		field++;
	nsn_field__get(field, draw->page->model, vm, &value);
	draw_labelled(draw, value.text, nsn_top_tone(value.tone),
		      value.words ? value.words : value.text);
}

static void draw_rates(struct nsn_draw *draw, const struct nsn_vm *vm)
{
	const struct nsn_vm_rates *rates = &vm->rates;
	struct nsn_page *page = draw->page;
	double kept[NSN_RATES_KEPT], peak = 0;
	size_t count = draw->top->rates
			       ? nsn_rates__history(draw->top->rates, vm, kept, NSN_RATES_KEPT)
			       : 0;

	for (size_t i = 0; i < count; i++)
		peak = kept[i] > peak ? kept[i] : peak;
	nsn_draw__rule(draw, "Guest cache flushes (WBINVD)", "");
	nsn_draw__line(draw, 0);
	if (!rates->known) {
		nsn_draw__text(draw, NSN_STYLE_DIM, "  no rate yet");
		return;
	}
	nsn_draw__text(draw, rates->executed >= 0.05 ? NSN_STYLE_BOLD : 0,
		       nsn_page__format(page, "  %s executed/s",
					nsn_top_number(page, rates->executed)));
	nsn_draw__text(draw, 0,
		       nsn_page__format(page, "  %s ignored/s  %s %% of a CPU",
					nsn_top_number(page, rates->ignored),
					nsn_top_percent(page, rates->share)));
	nsn_draw__text(draw, NSN_STYLE_DIM,
		       nsn_page__format(page, "  peak %s/s", nsn_top_number(page, peak)));
	nsn_draw__line(draw, 0);
	nsn_draw__text(draw, 0, "  ");
	nsn_draw__sparkline(draw, vm, nsn_draw__room(draw) - 2);
}

/* A bar for each bucket of the flush times since the tool started. */
static void draw_histogram(struct nsn_draw *draw, const struct nsn_vm *vm)
{
	const struct nsn_vm_counters *counters = &vm->counters;
	struct nsn_page *page = draw->page;
	uint64_t most = 0;
	double bound = NSN_BUCKET_FIRST_NS * 1e-9;

	nsn_draw__rule(draw, "Time of a flush, since the start",
		       counters->sampled ? "sampled" : "");
	for (size_t i = 0; i < NSN_BUCKETS; i++)
		most = counters->buckets[i] > most ? counters->buckets[i] : most;
	if (!most) {
		nsn_draw__line(draw, 0);
		nsn_draw__text(draw, NSN_STYLE_DIM,
			       counters->known ? "  none was executed" : "  not counted");
		return;
	}
	for (size_t i = 0; i < NSN_BUCKETS; i++, bound *= 4) {
		bool last = i + 1 == NSN_BUCKETS;
		uint64_t count = counters->buckets[i];
		size_t room;

		nsn_draw__line(draw, 0);
		nsn_draw__padded(draw, 0,
				 nsn_page__format(page, "%s %s", last ? ">" : "<",
						  nsn_top_seconds(draw, last ? bound / 4 : bound)),
				 -9);
		nsn_draw__padded(draw, count ? NSN_STYLE_BOLD : NSN_STYLE_DIM,
				 nsn_top_number(page, (double)count), -6);
		nsn_draw__text(draw, 0, "  ");
		room = nsn_draw__room(draw);
		room = room > 50 ? 48 : room > 2 ? room - 2 : room;
		nsn_draw__text(draw, NSN_STYLE_ACCENT,
			       nsn_top_bar(draw, (double)count / (double)most,
					   count ? room : 0));
	}
}

static void draw_event(struct nsn_draw *draw, const struct nsn_top_event *event)
{
	const char *name = nsn_event_name(event->rec.event);
	unsigned int style;
	const char *result = nsn_top_event_result(draw->page, &event->rec, &style);

	nsn_draw__line(draw, 0);
	nsn_draw__text(draw, NSN_STYLE_DIM,
		       nsn_page__format(draw->page, "  %s  ",
					NSN_KNOWS(&event->rec, event, time)
						? nsn_top_clock(draw->page, event->rec.time, true)
						: "-"));
	nsn_draw__padded(draw, NSN_STYLE_BOLD, name ? name : "?", 19);
	nsn_draw__text(draw, style, nsn_page__format(draw->page, " %s", result));
	nsn_draw__text(draw, 0,
		       nsn_page__format(draw->page, " %s  ",
					nsn_page__safe(draw->page, event->object)));
	nsn_draw__text(draw, NSN_STYLE_DIM, nsn_top_event_text(draw, &event->rec));
}

static void draw_events(struct nsn_draw *draw, const struct nsn_vm *vm)
{
	const struct nsn_top *top = draw->top;
	size_t first = top->events_count, found = 0;

	while (first > 0 && found < MOST_EVENTS)
		found += strcmp(top->events[--first].vm_id, vm->id) == 0;
	if (!found)
		return;
	nsn_draw__rule(draw, "Last events", "");
	/* the newest first */
	for (size_t i = top->events_count; i-- > first;)
		if (strcmp(top->events[i].vm_id, vm->id) == 0)
			draw_event(draw, &top->events[i]);
}

static void draw_findings(struct nsn_draw *draw, const struct nsn_vm *vm)
{
	const struct nsn_findings *findings = draw->top->findings;

	for (size_t i = 0; i < findings->findings_count; i++) {
		const struct nsn_finding *finding = &findings->findings[i];

		if (strcmp(finding->subject_kind, "vm") || strcmp(finding->subject_id, vm->id))
			continue;
		draw_labelled(draw,
			      nsn_page__format(draw->page, "%s %s",
					       nsn_severity_name(finding->severity),
					       finding->rule->id),
			      nsn_top_severity(finding->severity),
			      nsn_page__safe(draw->page, finding->title));
	}
}

/* Puts the lines from `right` on beside those from `left` on. */
static void merge(struct nsn_draw *draw, size_t left, size_t right, size_t column)
{
	struct nsn_screen *screen = draw->screen;
	size_t count = screen->lines_count - right, taken = 0;
	struct nsn_line *copies = calloc(count + 1, sizeof(struct nsn_line));

	if (!copies) {
		draw->page->err = -ENOMEM;
		return;
	}
	memcpy(copies, &screen->lines[right], count * sizeof(*copies));
	screen->lines_count = right;
	while (right - left < count && !draw->page->err) {
		nsn_draw__line(draw, 0);
		right++;
	}
	for (; taken < count && !draw->page->err; taken++) {
		struct nsn_line *line = &screen->lines[left + taken];
		size_t last = screen->lines_count;

		screen->lines_count = left + taken + 1; /* draw into this one */
		nsn_draw__to(draw, column);
		for (size_t i = 0; i < copies[taken].spans_count; i++)
			nsn_draw__text(draw, copies[taken].spans[i].style,
				       copies[taken].spans[i].text);
		line->style = 0;
		screen->lines_count = last;
	}
	for (size_t i = 0; i < count; i++)
		free(copies[i].spans);
	free(copies);
}

static void draw_vm(struct nsn_draw *draw, const struct nsn_vm *vm)
{
	size_t width = draw->width, left, right;

	draw_facts(draw, vm);
	draw_verdict(draw, vm);
	draw_findings(draw, vm);
	if (width < TWO_COLUMNS) {
		draw_rates(draw, vm);
		if (vm->links_count || vm->paths_count) {
			nsn_draw__rule(draw, "Devices, and what stands between", "");
			draw_page(draw, width, 2, print_tree, vm);
		}
		draw_histogram(draw, vm);
		draw_events(draw, vm);
		return;
	}
	draw->width = width - RIGHT_CELLS - 2;
	left = draw->screen->lines_count;
	nsn_draw__rule(draw, "Devices, and what stands between", "");
	if (vm->links_count || vm->paths_count) {
		draw_page(draw, draw->width, 2, print_tree, vm);
	} else {
		nsn_draw__line(draw, 0);
		nsn_draw__text(draw, NSN_STYLE_DIM, "  no device is passed through");
	}
	draw_events(draw, vm);
	draw->width = RIGHT_CELLS;
	right = draw->screen->lines_count;
	draw_rates(draw, vm);
	draw_histogram(draw, vm);
	draw->width = width;
	merge(draw, left, right, width - RIGHT_CELLS);
}

/* ---- other rows ------------------------------------------------------------------------------- */

static void draw_finding(struct nsn_draw *draw, const struct nsn_table *table,
			 const struct nsn_row *row)
{
	const struct nsn_finding *finding = row->object;
	struct nsn_page *page = draw->page;

	draw_labelled(draw, row->cells[0].text, row->cells[0].style, row->cells[3].text);
	(void)table;
	if (!finding)
		return;
	draw_labelled(draw, "Subject", 0, row->cells[2].text);
	draw_labelled(draw, "Why", 0, nsn_page__safe(page, finding->why));
	draw_labelled(draw, "To do", NSN_STYLE_BOLD, nsn_page__safe(page, finding->remedy));
	draw_labelled(draw, "Check by hand", 0, nsn_page__safe(page, finding->rule->check));
	for (size_t i = 0; i < finding->evidence_count; i++)
		if (finding->evidence[i].value[0])
			draw_labelled(draw, nsn_page__safe(page, finding->evidence[i].key),
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
		    value.type == NSN_VALUE_OBJECTS)
			continue;
		text = nsn_page__value(page, field, &value);
		if (value.words && value.type == NSN_VALUE_TEXT)
			text = nsn_page__format(page, "%s: %s", text, value.words);
		if (value.type == NSN_VALUE_UNKNOWN)
			text = nsn_page__format(
				page, "unknown: %s",
				nsn_page__safe(page, value.reason ? value.reason
								  : nsn_model__why_unknown(
									    page->model, "",
									    "", field->source)));
		draw_labelled(draw, field->header, nsn_top_tone(value.tone), text);
	}
}

static void draw_cells(struct nsn_draw *draw, const struct nsn_table *table,
		       const struct nsn_row *row)
{
	for (size_t i = 0; i < table->columns_count; i++)
		if (row->cells[i].text && row->cells[i].text[0])
			draw_labelled(draw, table->columns[i].header, row->cells[i].style,
				      row->cells[i].text);
}

/* Leaves of the lines from `first` on only those that are scrolled to. */
static void scroll(struct nsn_draw *draw, size_t first, size_t height)
{
	struct nsn_top_state *state = draw->state;
	struct nsn_screen *screen = draw->screen;
	size_t count = screen->lines_count - first, hidden;

	state->page = height ? height : 1;
	state->detail_lines = count;
	if (state->detail_first + height > count)
		state->detail_first = count > height ? count - height : 0;
	hidden = state->detail_first;
	for (size_t i = 0; i < hidden; i++)
		free(screen->lines[first + i].spans);
	memmove(&screen->lines[first], &screen->lines[first + hidden],
		(count - hidden) * sizeof(*screen->lines));
	screen->lines_count -= hidden;
	while (screen->lines_count > first + height)
		free(screen->lines[--screen->lines_count].spans);
}

void nsn_draw__detail(struct nsn_draw *draw, const struct nsn_table *table,
		      const struct nsn_row *row, size_t height)
{
	static const enum nsn_object kinds[NSN_VIEW_MAX] = {
		[NSN_VIEW_DOMAINS] = NSN_OBJECT_DOMAIN,
		[NSN_VIEW_DEVICES] = NSN_OBJECT_DEVICE,
		[NSN_VIEW_IOMMUS] = NSN_OBJECT_IOMMU,
	};
	const char *title = row->cells[0].text;
	size_t first;

	if (table->view == NSN_VIEW_FINDINGS || table->view == NSN_VIEW_EVENTS)
		title = row->cells[1].text;
	nsn_draw__rule(draw,
		       nsn_page__cut(draw->page, title, draw->width > 30 ? draw->width - 20 : 10),
		       "Esc back");
	first = draw->screen->lines_count;
	if (table->view == NSN_VIEW_VMS)
		draw_vm(draw, row->object);
	else if (table->view == NSN_VIEW_FINDINGS)
		draw_finding(draw, table, row);
	else if (table->view == NSN_VIEW_EVENTS)
		draw_cells(draw, table, row);
	else
		draw_fields(draw, kinds[table->view], row->object);
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
		draw_labelled(draw, "events", NSN_STYLE_WARNING,
			      nsn_page__format(draw->page, "off: %s",
					       nsn_page__safe(draw->page, top->events_off)));
	for (size_t i = 0; i < top->features_count; i++) {
		const struct nsn_top_feature *feature = &top->features[i];

		draw_labelled(draw, nsn_page__safe(draw->page, feature->name),
			      feature->on ? NSN_STYLE_GOOD : NSN_STYLE_WARNING,
			      feature->on ? "on"
					  : nsn_page__format(
						    draw->page, "off: %s",
						    nsn_page__safe(draw->page, feature->reason)));
	}
}

void nsn_draw__help(struct nsn_draw *draw, size_t height)
{
	static const struct {
		const char *keys, *text;
	} rows[] = {
		{ "1 to 6, Tab", "views: VMs, domains, devices, findings, events, IOMMU units" },
		{ "arrows, j k, PgUp PgDn", "move; g and G to the first and the last row" },
		{ "Enter, Esc", "all about the row under the cursor, and back" },
		{ "s, < >, I", "choose the column to sort by, move it, invert the order" },
		{ "/", "show only rows with this text; Esc shows all again" },
		{ "space", "pause and go on; nothing is lost meanwhile" },
		{ "d", "time between two readings" },
		{ "w", "write this screen to a file" },
		{ "R", "start a recording, and end it: every command takes it by --replay" },
		{ "?, q", "this help, quit" },
	};
	const struct nsn_field *field = nsn_kinds[NSN_OBJECT_VM].fields;
	size_t first;

	nsn_draw__rule(draw, "Keys", "Esc back");
	first = draw->screen->lines_count;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(rows); i++)
		draw_labelled(draw, rows[i].keys, NSN_STYLE_BOLD, rows[i].text);
	nsn_draw__rule(draw, "Verdicts", "");
	while (strcmp(field->path, "verdict"))
		field++;
	for (const struct nsn_wording *value = field->values; value->text; value++)
		draw_labelled(draw, value->text, nsn_top_tone(value->tone), value->words);
	nsn_draw__rule(draw, "Columns", "");
	draw_labelled(draw, "REG", 0, "registrations of non-coherent DMA: with one, KVM executes "
				      "the guest's cache flushes (WBINVD)");
	draw_labelled(draw, "EXIT/s EXEC/s", 0,
		      "WBINVDs of the guest each second, and those that were executed");
	draw_labelled(draw, "TIME% P50 P99", 0,
		      "time in flushes as a share of one CPU, preemption included; of one flush, "
		      "estimated");
	draw_features(draw);
	scroll(draw, first, height - 1);
}
