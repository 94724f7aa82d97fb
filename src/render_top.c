// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_top.c - the frame of nosnooptop's screen: what is above and below a view. Floor 3.
 */
#include "render_top_internal.h"

#include "render_select.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Adds text that ends at the right edge, if there is room for it. */
static void right(struct nsn_draw *draw, unsigned int style, const char *safe)
{
	size_t cells = nsn_cells(safe);

	if (nsn_draw__room(draw) < cells)
		return;
	nsn_draw__to(draw, draw->width - cells);
	nsn_draw__text(draw, style, safe);
}

/* ---- above ------------------------------------------------------------------------------------ */

static const char *hostname(const struct nsn_draw *draw)
{
	const struct nsn_rec_host *host = &draw->page->model->host;

	return NSN_KNOWS(host, host, hostname) ? nsn_page__safe(draw->page, host->hostname) : "";
}

/* "every 2 s", "every 500ms" */
static const char *delay_text(struct nsn_draw *draw)
{
	uint64_t delay = draw->top->delay_ns;

	return delay % 1000000000 ? nsn_top_seconds(draw, (double)delay * 1e-9)
				  : nsn_top_age(draw->page, delay);
}

/* "2 critical", "1 warning" */
static const char *count_text(struct nsn_draw *draw, enum nsn_severity severity, const char *word)
{
	const struct nsn_findings *findings = draw->top->findings;
	size_t count = 0;

	for (size_t i = 0; i < findings->findings_count; i++)
		count += findings->findings[i].severity == severity;
	return count ? nsn_page__format(draw->page, "%zu %s  ", count, word) : "";
}

static void draw_title(struct nsn_draw *draw)
{
	const struct nsn_top *top = draw->top;
	struct nsn_page *page = draw->page;
	const char *critical = count_text(draw, NSN_SEVERITY_CRITICAL, "critical");
	const char *warning = count_text(draw, NSN_SEVERITY_WARNING, "warning");
	const char *when =
		nsn_page__format(page, "every %s  %s%s", delay_text(draw),
				 nsn_top_clock(page, top->now, true), draw->batch ? "" : " ");
	size_t cells = nsn_cells(critical) + nsn_cells(warning);

	nsn_draw__line(draw, NSN_STYLE_TITLE);
	nsn_draw__text(draw, NSN_STYLE_BOLD, draw->batch ? "nosnooptop" : " nosnooptop");
	nsn_draw__text(draw, 0, nsn_page__format(page, "  %s", hostname(draw)));
	if (top->replay)
		nsn_draw__text(draw, NSN_STYLE_BOLD,
			       top->replay_ended ? "  REPLAY, ENDED" : "  REPLAY");
	if (top->recording)
		nsn_draw__text(draw, NSN_STYLE_BAD, draw->utf8 ? "  \xe2\x97\x8f REC" : "  * REC");
	if (nsn_draw__room(draw) > nsn_cells(when) + cells + 2) {
		nsn_draw__to(draw, draw->width - nsn_cells(when) - cells);
		nsn_draw__text(draw, NSN_STYLE_BAD, critical);
		nsn_draw__text(draw, NSN_STYLE_WARNING, warning);
	}
	right(draw, 0, when);
}

/* What a probe that could not be attached turned off; "?" tells why. */
static void draw_off(struct nsn_draw *draw)
{
	const struct nsn_top *top = draw->top;
	struct nsn_page *page = draw->page;
	const char *names = "";
	size_t room = nsn_draw__room(draw);

	for (size_t i = 0; i < top->features_count; i++)
		if (!top->features[i].on)
			names = nsn_page__format(page, "%s%s%s", names, names[0] ? ", " : "",
						 top->features[i].name);
	if (names[0] && room > 16)
		right(draw, NSN_STYLE_WARNING,
		      nsn_page__cut(page, nsn_page__format(page, "off: %s ", names), room - 2));
}

/* How many VMs there are of each verdict. */
static void draw_counts(struct nsn_draw *draw)
{
	static const enum nsn_verdict order[] = {
		NSN_VERDICT_UNSAFE,     NSN_VERDICT_UNKNOWN,  NSN_VERDICT_NONCOHERENT,
		NSN_VERDICT_UNATTACHED, NSN_VERDICT_COHERENT, NSN_VERDICT_NO_PASSTHROUGH,
	};
	static const unsigned int styles[NSN_VERDICT_MAX] = {
		[NSN_VERDICT_NO_PASSTHROUGH] = NSN_STYLE_DIM,
		[NSN_VERDICT_UNATTACHED] = NSN_STYLE_WARNING,
		[NSN_VERDICT_UNKNOWN] = NSN_STYLE_WARNING,
		[NSN_VERDICT_UNSAFE] = NSN_STYLE_BAD,
		[NSN_VERDICT_NONCOHERENT] = NSN_STYLE_WARNING,
		[NSN_VERDICT_COHERENT] = NSN_STYLE_GOOD,
	};
	const struct nsn_model *model = draw->page->model;
	size_t verdicts[NSN_VERDICT_MAX] = { 0 }, all = 0;
	struct nsn_page *page = draw->page;

	for (size_t i = 0; i < model->vms_count; i++) {
		if (!nsn_page__shows(page, NSN_OBJECT_VM, &model->vms[i]))
			continue;
		verdicts[model->vms[i].verdict]++;
		all++;
	}
	nsn_draw__line(draw, 0);
	nsn_draw__text(draw, NSN_STYLE_BOLD, draw->batch ? "VMs" : " VMs");
	nsn_draw__text(draw, NSN_STYLE_BOLD, nsn_page__format(page, "      %zu", all));
	for (size_t i = 0; i < NSN_ARRAY_SIZE(order); i++) {
		size_t count = verdicts[order[i]];

		if (count)
			nsn_draw__text(draw, styles[order[i]],
				       nsn_page__format(page, "   %zu %s", count,
							nsn_verdict_name(order[i])));
	}
	draw_off(draw);
}

static const char *why_not_counted(const struct nsn_draw *draw)
{
	const struct nsn_top *top = draw->top;

	if (top->events_off)
		return nsn_page__safe(draw->page, top->events_off);
	for (size_t i = 0; i < top->features_count; i++)
		if (strcmp(top->features[i].name, "wbinvd") == 0 && !top->features[i].on)
			return nsn_page__safe(draw->page, top->features[i].reason);
	return NULL;
}

/* What all VMs together flush. */
static void draw_flushes(struct nsn_draw *draw)
{
	const struct nsn_model *model = draw->page->model;
	double executed = 0, ignored = 0, share = 0;
	struct nsn_page *page = draw->page;
	const char *why = why_not_counted(draw);
	bool known = false;

	nsn_draw__line(draw, 0);
	nsn_draw__text(draw, NSN_STYLE_BOLD, draw->batch ? "Flushes" : " Flushes");
	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm_rates *rates = &model->vms[i].rates;

		if (!rates->known || !nsn_page__shows(page, NSN_OBJECT_VM, &model->vms[i]))
			continue;
		known = true;
		executed += rates->executed;
		ignored += rates->ignored;
		share += rates->share;
	}
	if (!known) {
		nsn_draw__text(draw, NSN_STYLE_DIM, "  - executed/s   - ignored/s");
		if (why)
			nsn_draw__text(draw, NSN_STYLE_WARNING,
				       nsn_page__format(page, "   not counted: %s", why));
		return;
	}
	nsn_draw__text(draw, executed >= 0.05 ? NSN_STYLE_BOLD : NSN_STYLE_DIM,
		       nsn_page__format(page, "  %s executed/s", nsn_top_number(page, executed)));
	nsn_draw__text(draw, ignored >= 0.05 ? 0 : NSN_STYLE_DIM,
		       nsn_page__format(page, "   %s ignored/s", nsn_top_number(page, ignored)));
	nsn_draw__text(draw, share >= 0.01 ? NSN_STYLE_WARNING : NSN_STYLE_DIM,
		       nsn_page__format(page, "   %s %% of a CPU", nsn_top_percent(page, share)));
	if (nsn_draw__room(draw) > 16) {
		nsn_draw__text(draw, 0, "   ");
		nsn_draw__sparkline(draw, NULL, nsn_draw__room(draw) - !draw->batch);
	}
}

static void draw_tabs(struct nsn_draw *draw, const struct nsn_table *table)
{
	static const char *const titles[NSN_VIEW_MAX] = { "VMs",      "Domains", "Devices",
							  "Findings", "Events",  "IOMMUs" };
	struct nsn_page *page = draw->page;
	const struct nsn_top_state *state = draw->state;
	const char *gap = draw->width < 64 ? "" : " ";

	nsn_draw__line(draw, 0);
	nsn_draw__text(draw, 0, gap);
	for (int view = 0; view < NSN_VIEW_MAX; view++) {
		bool on = (int)state->view == view;

		/* without colours, brackets tell which one it is */
		nsn_draw__text(draw, on ? NSN_STYLE_SELECTED | NSN_STYLE_BOLD : NSN_STYLE_DIM,
			       nsn_page__format(page, on ? "[%d %s]" : " %d %s ", view + 1,
						draw->width < 64 && !on ? "" : titles[view]));
	}
	if (state->filter[0] || state->prompt == NSN_PROMPT_FILTER)
		nsn_draw__text(
			draw, NSN_STYLE_ACCENT,
			nsn_page__format(page, "  /%s", nsn_page__safe(page, state->filter)));
	right(draw, NSN_STYLE_DIM,
	      table->all == table->rows_count
		      ? nsn_page__format(page, "%zu ", table->all)
		      : nsn_page__format(page, "%zu of %zu ", table->rows_count, table->all));
}

/* ---- below ------------------------------------------------------------------------------------ */

/* "Sort by" and the columns, the chosen one marked. */
static void draw_sort_prompt(struct nsn_draw *draw)
{
	const struct nsn_top_state *state = draw->state;

	nsn_draw__text(draw, NSN_STYLE_BOLD, " Sort by:");
	for (int i = -1; i < nsn_top_columns(state->view); i++) {
		const char *name = i < 0 ? "its own order" : nsn_top_column_name(state->view, i);

		/* what is chosen must be seen, however narrow it is */
		if (i < state->sort_choice - 3)
			continue;
		nsn_draw__text(draw,
			       i == state->sort_choice ? NSN_STYLE_SELECTED | NSN_STYLE_BOLD : 0,
			       nsn_page__format(draw->page,
						i == state->sort_choice ? "[%s]" : " %s ", name));
	}
}

static void draw_prompt(struct nsn_draw *draw)
{
	const struct nsn_top_state *state = draw->state;
	const char *label = state->prompt == NSN_PROMPT_FILTER ? " Filter: " : " Delay: ";
	const char *text = state->prompt == NSN_PROMPT_FILTER ? state->filter : state->input;

	nsn_draw__line(draw, NSN_STYLE_TITLE);
	if (state->prompt == NSN_PROMPT_SORT) {
		draw_sort_prompt(draw);
		return;
	}
	nsn_draw__text(draw, NSN_STYLE_BOLD, label);
	nsn_draw__text(draw, NSN_STYLE_ACCENT, nsn_page__safe(draw->page, text));
	draw->screen->cursor_line = (long)draw->screen->lines_count - 1;
	draw->screen->cursor_cell = (long)(draw->width - nsn_draw__room(draw));
	right(draw, 0,
	      state->prompt == NSN_PROMPT_FILTER ? "Enter keeps it, Esc clears it "
						 : "200ms, 2s, 1m; Enter, Esc ");
}

static const char *kernel(const struct nsn_draw *draw)
{
	const struct nsn_rec_host *host = &draw->page->model->host;

	return NSN_KNOWS(host, host, kernel) ? nsn_page__safe(draw->page, host->kernel)
					     : "kernel unknown";
}

static void draw_status(struct nsn_draw *draw)
{
	const struct nsn_top *top = draw->top;
	struct nsn_page *page = draw->page;
	const char *keys = draw->batch ? "" : draw->width < 72 ? "? " : "? help  q quit ";
	const char *what = "";
	size_t room;

	nsn_draw__line(draw, NSN_STYLE_TITLE);
	if (top->message) {
		nsn_draw__text(draw, NSN_STYLE_BOLD | (top->message_bad ? NSN_STYLE_WARNING : 0),
			       nsn_page__format(page, " %s", nsn_page__safe(page, top->message)));
		return;
	}
	if (draw->state->paused)
		nsn_draw__text(draw, NSN_STYLE_BOLD | NSN_STYLE_WARNING, " PAUSED");
	if (top->probes_count)
		what = nsn_page__format(page, "  probes %zu of %zu", top->probes_on,
					top->probes_count);
	else if (top->attaching)
		what = "  attaching probes";
	what = nsn_page__format(page, "%s  lost %" PRIu64 "  snapshot %s ago", what,
				top->lost + page->model->lost_records,
				nsn_top_age(page, top->snapshot_age_ns));
	room = nsn_draw__room(draw);
	room = room > nsn_cells(what) + nsn_cells(keys) + 2
		       ? room - nsn_cells(what) - nsn_cells(keys) - 2
		       : 0;
	if (room >= 8)
		nsn_draw__text(draw, 0,
			       nsn_page__format(page, draw->batch ? "%s" : " %s",
						nsn_page__cut(page, kernel(draw), room)));
	nsn_draw__text(draw, top->lost ? NSN_STYLE_WARNING : 0, what);
	right(draw, NSN_STYLE_BOLD, keys);
}

/* ---- a screen --------------------------------------------------------------------------------- */

/* Below a short list of VMs there is room for what is wrong, and for what has happened. */
static void draw_spare(struct nsn_draw *draw, size_t height)
{
	const struct nsn_findings *findings = draw->top->findings;
	size_t events = draw->top->events_count, count = findings->findings_count, room;

	if (height < 5)
		return;
	room = height - 2;
	if (count) {
		if (events && count > room / 2)
			count = room / 2;
		if (count > room)
			count = room;
		nsn_draw__line(draw, 0);
		nsn_draw__rule(draw, "Findings",
			       count < findings->findings_count
				       ? nsn_page__format(draw->page, "4 shows all %zu",
							  findings->findings_count)
				       : "");
		for (size_t i = 0; i < count; i++) {
			const struct nsn_finding *finding = &findings->findings[i];

			nsn_draw__line(draw, 0);
			nsn_draw__padded(draw, nsn_top_severity(finding->severity),
					 nsn_page__format(draw->page, "  %-8s",
							  nsn_severity_name(finding->severity)),
					 11);
			nsn_draw__padded(draw, NSN_STYLE_BOLD, finding->rule->id, 7);
			nsn_draw__text(draw, 0, nsn_page__safe(draw->page, finding->title));
		}
		room -= count;
	}
	if (!events || room < 3)
		return;
	nsn_draw__line(draw, 0);
	nsn_draw__events(draw, NULL, room - 2);
}

static void draw_body(struct nsn_draw *draw, struct nsn_table *table, size_t height)
{
	static const char *const empty[NSN_VIEW_MAX] = {
		"No VM is running.", "No IOMMU domain is known.", "No device is in an IOMMU group.",
		"No finding.",       "Nothing has happened yet.", "No IOMMU is known.",
	};
	struct nsn_top_choice *choice = &draw->state->views[table->view];
	const size_t end = draw->screen->lines_count + height;
	/* a tall terminal has room for both, a pane and the table above it */
	size_t rows = height >= 30 ? height / 3 : 0;

	if (draw->state->detail) {
		/* what is looked into is selected, though no key moved the cursor there */
		choice->moved |= !choice->selected[0];
		draw->state->detail = nsn_table__follow(table, choice);
	}
	if (draw->state->help) {
		nsn_draw__help(draw, height);
	} else if (draw->state->detail && table->rows_count) {
		if (rows > table->rows_count + 1)
			rows = table->rows_count + 1;
		if (rows)
			nsn_table__draw(draw, table, rows);
		nsn_draw__detail(draw, table, &table->rows[choice->cursor],
				 end - draw->screen->lines_count);
	} else {
		nsn_table__draw(draw, table, height);
		if (!table->rows_count) {
			nsn_draw__line(draw, 0);
			nsn_draw__line(draw, 0);
			nsn_draw__text(draw, NSN_STYLE_DIM,
				       table->all ? "   Nothing matches the filter; Esc clears it."
						  : nsn_page__format(draw->page, "   %s",
								     empty[table->view]));
		}
		if (table->view == NSN_VIEW_VMS && draw->screen->lines_count < end)
			draw_spare(draw, end - draw->screen->lines_count);
	}
	while (draw->screen->lines_count < end && !draw->page->err)
		nsn_draw__line(draw, 0);
}

static void draw_all(struct nsn_draw *draw, size_t height)
{
	struct nsn_table table = { .view = draw->state->view };
	size_t above = height >= 14 ? 4 : 2;

	if (draw->width < NSN_TOP_LEAST_WIDTH || height < NSN_TOP_LEAST_HEIGHT) {
		nsn_draw__line(draw, 0);
		nsn_draw__text(draw, 0, "nosnooptop needs 40x10 cells");
		return;
	}
	nsn_table__make(draw, &table);
	draw_title(draw);
	if (above == 4) {
		draw_counts(draw);
		draw_flushes(draw);
	}
	draw_tabs(draw, &table);
	draw_body(draw, &table, height - above - 1);
	if (draw->state->prompt)
		draw_prompt(draw);
	else
		draw_status(draw);
}

/* A screen without lines, and what draws into it; false without memory. */
static bool start(struct nsn_draw *draw, const struct nsn_top *top, struct nsn_top_state *state,
		  const struct nsn_render_opts *opts)
{
	struct nsn_screen *screen = calloc(1, sizeof(*screen));
	struct nsn_top_private *private = calloc(1, sizeof(*private));
	FILE *out = private ? open_memstream(&private->text, &private->size) : NULL;

	if (!screen || !private || !out) {
		if (out)
			fclose(out);
		if (private)
			free(private->text);
		free(private);
		free(screen);
		return false;
	}
	nsn_page__init(&private->page, out, top->model, opts);
	screen->private = private;
	screen->cursor_line = screen->cursor_cell = -1;
	draw->screen = screen;
	draw->page = &private->page;
	draw->top = top;
	draw->state = state;
	draw->width = opts->width > 0 ? (size_t)opts->width : 80;
	draw->utf8 = opts->utf8;
	return true;
}

static struct nsn_screen *finish(struct nsn_draw *draw)
{
	if (!draw->page->err)
		return draw->screen;
	nsn_screen__free(draw->screen);
	return NULL;
}

struct nsn_screen *nsn_render_top(const struct nsn_top *top, struct nsn_top_state *state,
				  const struct nsn_render_opts *opts, size_t height)
{
	struct nsn_findings *selected = NULL;
	struct nsn_top shown = *top;
	struct nsn_draw draw = { .height = height };

	if (opts->shows) {
		selected = nsn_selected__new(top->model, top->findings, opts);
		if (!selected)
			return NULL;
		shown.findings = selected;
	}
	if (start(&draw, &shown, state, opts)) {
		draw_all(&draw, height);
		draw.screen = finish(&draw);
	}
	nsn_selected__free(selected);
	return draw.screen;
}

struct nsn_screen *nsn_render_top_batch(const struct nsn_top *top, struct nsn_top_state *state,
					const struct nsn_render_opts *opts)
{
	struct nsn_findings *selected = NULL;
	struct nsn_table table = { .view = state->view };
	struct nsn_draw draw = { .batch = true };
	struct nsn_top shown = *top;

	if (opts->shows) {
		selected = nsn_selected__new(top->model, top->findings, opts);
		if (!selected)
			return NULL;
		shown.findings = selected;
	}
	if (start(&draw, &shown, state, opts)) {
		nsn_table__make(&draw, &table);
		draw_title(&draw);
		draw_counts(&draw);
		draw_flushes(&draw);
		draw_status(&draw);
		nsn_draw__line(&draw, 0);
		nsn_table__draw(&draw, &table, 0);
		nsn_draw__line(&draw, 0);
		draw.screen = finish(&draw);
	}
	nsn_selected__free(selected);
	return draw.screen;
}
