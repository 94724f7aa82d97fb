// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_top_vm.c - the pane of a VM: its tree, what it flushes, its last events. Floor 3.
 */
#include "render_top_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MOST_EVENTS 12
#define TWO_COLUMNS 124 /* cells from which the tree stands beside the histogram */
#define RIGHT_CELLS 56

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

static void draw_colored(struct nsn_draw *draw, const char *text, size_t indent)
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
		draw_colored(draw, text, indent);
	free(text);
}

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
	nsn_draw__labelled(draw, value.text, nsn_top_tone(value.tone),
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

void nsn_draw__event(struct nsn_draw *draw, const struct nsn_top_event *event)
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
					nsn_page__safe(draw->page, event->object[0] ? event->object
										    : event->vm)));
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
			nsn_draw__event(draw, &top->events[i]);
}

static void draw_findings(struct nsn_draw *draw, const struct nsn_vm *vm)
{
	const struct nsn_findings *findings = draw->top->findings;

	for (size_t i = 0; i < findings->findings_count; i++) {
		const struct nsn_finding *finding = &findings->findings[i];

		if (strcmp(finding->subject_kind, "vm") || strcmp(finding->subject_id, vm->id))
			continue;
		nsn_draw__labelled(draw,
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

void nsn_draw__vm(struct nsn_draw *draw, const struct nsn_vm *vm)
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
