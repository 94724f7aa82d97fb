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
				nsn_draw__text(
					draw, style,
					nsn_page__format(draw->page, "%.*s", (int)length, text));
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

static void print_kvm(struct nsn_page *page, const void *data)
{
	nsn_page__list(page, NSN_OBJECT_KVM, data, 0);
}

/* KVM's two criteria side by side, and what non-coherent DMA changes for the guest's memory. */
static void draw_kvm(struct nsn_draw *draw, const struct nsn_vm *vm)
{
	nsn_draw__rule(draw, "What KVM decided", "");
	draw_page(draw, draw->width, 2, print_kvm, vm);
}

static void draw_facts(struct nsn_draw *draw, const struct nsn_vm *vm)
{
	static const char *const paths[] = { "pid", "vcpus", "vmm", "uuid", "started_at" };
	struct nsn_page *page = draw->page;
	const struct nsn_field *field;
	struct nsn_value value;

	nsn_draw__line(draw, 0);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(paths); i++) {
		const char *header, *text;

		for (field = nsn_kinds[NSN_OBJECT_VM].fields; field->path; field++)
			if (strcmp(field->path, paths[i]) == 0)
				break;
		nsn_field__get(field, page->model, vm, &value);
		if (value.type <= NSN_VALUE_ABSENT)
			continue;
		header = nsn_page__format(page, "  %s ", field->header);
		text = nsn_page__value(page, field, &value);
		if (nsn_draw__room(draw) < nsn_cells(header) + nsn_cells(text))
			nsn_draw__line(draw, 0);
		nsn_draw__text(draw, NSN_STYLE_DIM, header);
		nsn_draw__text(draw, 0, text);
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
			   nsn_top_verdict_words(value.text, value.words));
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
	nsn_draw__text(
		draw, rates->executed >= 0.05 ? NSN_STYLE_BOLD : 0,
		nsn_page__format(page, "  %s executed/s", nsn_top_number(page, rates->executed)));
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
				 nsn_top_count(page, count), -6);
		nsn_draw__text(draw, 0, "  ");
		room = nsn_draw__room(draw);
		room = room > 50 ? 48 : room > 2 ? room - 2 : room;
		nsn_draw__text(draw, NSN_STYLE_ACCENT,
			       nsn_top_bar(draw, (double)count / (double)most, count ? room : 0));
	}
}

/* ---- the last events -------------------------------------------------------------------------- */

#define MOST_NAME 24 /* cells of a VM's or an object's name */

enum { EVENT_NAME, EVENT_VM, EVENT_OBJECT, EVENT_RESULT, EVENT_COLUMNS };

/* What stands in the columns of an event; its style only matters for the result. */
static void event_cells(struct nsn_draw *draw, const struct nsn_top_event *event, bool with_vm,
			const char *cells[EVENT_COLUMNS], unsigned int *style)
{
	struct nsn_page *page = draw->page;
	const char *name = nsn_event_name(event->rec.event);

	cells[EVENT_NAME] = name ? name : "?";
	cells[EVENT_VM] =
		with_vm ? nsn_page__cut(page, nsn_page__safe(page, event->vm), MOST_NAME) : "";
	cells[EVENT_OBJECT] = nsn_page__cut(page, nsn_page__safe(page, event->object), MOST_NAME);
	cells[EVENT_RESULT] = nsn_top_event_result(page, &event->rec, style);
}

static void draw_event(struct nsn_draw *draw, const struct nsn_top_event *event, bool with_vm,
		       const size_t widths[EVENT_COLUMNS])
{
	unsigned int styles[EVENT_COLUMNS] = { [EVENT_NAME] = NSN_STYLE_BOLD };
	const char *cells[EVENT_COLUMNS];

	event_cells(draw, event, with_vm, cells, &styles[EVENT_RESULT]);
	nsn_draw__line(draw, 0);
	nsn_draw__text(draw, NSN_STYLE_DIM,
		       nsn_page__format(draw->page, "  %s  ",
					NSN_KNOWS(&event->rec, event, time)
						? nsn_top_clock(draw->page, event->rec.time, true)
						: "-"));
	for (size_t i = 0; i < EVENT_COLUMNS; i++)
		if (widths[i])
			nsn_draw__padded(draw, styles[i], cells[i], (long)widths[i] + 2);
	nsn_draw__text(draw, NSN_STYLE_DIM, nsn_top_event_text(draw, &event->rec));
}

void nsn_draw__events(struct nsn_draw *draw, const struct nsn_vm *vm, size_t most)
{
	const struct nsn_top *top = draw->top;
	const struct nsn_top_event **found =
		nsn_page__allocate(draw->page, (most + 1) * sizeof(*found));
	size_t widths[EVENT_COLUMNS] = { 0 }, count = 0;

	/* the newest first */
	for (size_t i = top->events_count; found && i-- > 0 && count < most;)
		if (vm ? strcmp(top->events[i].vm_id, vm->id) == 0
		       : nsn_top_shows_event(draw->page, &top->events[i]))
			found[count++] = &top->events[i];
	if (!count)
		return;
	for (size_t i = 0; i < count; i++) {
		const char *cells[EVENT_COLUMNS];
		unsigned int style;

		event_cells(draw, found[i], !vm, cells, &style);
		for (size_t j = 0; j < EVENT_COLUMNS; j++)
			if (nsn_cells(cells[j]) > widths[j])
				widths[j] = nsn_cells(cells[j]);
	}
	nsn_draw__rule(draw, "Last events", "");
	for (size_t i = 0; i < count; i++)
		draw_event(draw, found[i], !vm, widths);
}

/* ---- the pane --------------------------------------------------------------------------------- */

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
		draw_kvm(draw, vm);
		draw_histogram(draw, vm);
		nsn_draw__events(draw, vm, MOST_EVENTS);
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
	draw_kvm(draw, vm);
	nsn_draw__events(draw, vm, MOST_EVENTS);
	draw->width = RIGHT_CELLS;
	right = draw->screen->lines_count;
	draw_rates(draw, vm);
	draw_histogram(draw, vm);
	draw->width = width;
	merge(draw, left, right, width - RIGHT_CELLS);
}
