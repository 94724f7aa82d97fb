// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_top_table.c - a view's rows: filtered, sorted, laid out and drawn. Floor 3.
 */
#include "render_top_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HISTORY_CELLS  24
#define LEAST_FLEXIBLE 10
#define MOST_SPARE     29
#define FAIR_FLEXIBLE  24 /* before other columns are left out */

/* ---- names ------------------------------------------------------------------------------------ */

static const char *const view_names[NSN_VIEW_MAX] = {
	[NSN_VIEW_VMS] = "vms",         [NSN_VIEW_DOMAINS] = "domains",
	[NSN_VIEW_DEVICES] = "devices", [NSN_VIEW_FINDINGS] = "findings",
	[NSN_VIEW_EVENTS] = "events",   [NSN_VIEW_IOMMUS] = "iommus",
};

const char *nsn_top_view_name(enum nsn_top_view view)
{
	return view_names[view];
}

int nsn_top_view_by_name(const char *name)
{
	if (name[0] >= '1' && name[0] < '1' + NSN_VIEW_MAX && !name[1])
		return name[0] - '1';
	for (int view = 0; view < NSN_VIEW_MAX; view++)
		if (strcasecmp(name, view_names[view]) == 0)
			return view;
	return -ENOENT;
}

int nsn_top_columns(enum nsn_top_view view)
{
	int count = 0;

	while (nsn_top_view_columns[view][count].header)
		count++;
	return count;
}

const char *nsn_top_column_name(enum nsn_top_view view, int column)
{
	return nsn_top_view_columns[view][column].header;
}

/* Compares letters, digits and % alone: "exec", "EXEC/s" and "exec_s" are the same column. */
static bool starts_alike(const char *header, const char *name, bool *whole)
{
	for (;; header++, name++) {
		while (*header && !isalnum((unsigned char)*header) && *header != '%')
			header++;
		while (*name && !isalnum((unsigned char)*name) && *name != '%')
			name++;
		if (!*name) {
			*whole = !*header;
			return true;
		}
		if (tolower((unsigned char)*header) != tolower((unsigned char)*name))
			return false;
	}
}

int nsn_top_column_by_name(enum nsn_top_view view, const char *name)
{
	int count = nsn_top_columns(view), found = -ENOENT;
	bool whole;

	for (int i = 0; i < count && name[0]; i++) {
		if (!starts_alike(nsn_top_column_name(view, i), name, &whole))
			continue;
		if (whole)
			return i;
		if (found < 0)
			found = i;
	}
	return found;
}

/* ---- filter ----------------------------------------------------------------------------------- */

static bool matches(struct nsn_draw *draw, const struct nsn_table *table, struct nsn_row *row,
		    const char *wanted)
{
	for (size_t i = 0; i < table->columns_count; i++) {
		nsn_table__fill(draw, table, row, i);
		if (row->cells[i].text && strcasestr(row->cells[i].text, wanted))
			return true;
	}
	return strcasestr(row->subject, wanted) != NULL;
}

static void filter(struct nsn_draw *draw, struct nsn_table *table)
{
	const char *wanted = nsn_page__safe(draw->page, draw->state->filter);
	size_t kept = 0;

	table->all = table->rows_count;
	if (!wanted[0])
		return;
	for (size_t i = 0; i < table->rows_count; i++)
		if (matches(draw, table, &table->rows[i], wanted))
			table->rows[kept++] = table->rows[i];
	table->rows_count = kept;
}

/* ---- order ------------------------------------------------------------------------------------ */

struct order {
	int column;
	bool falling, invert;
};

static int compare_numbers(double a, double b)
{
	return (a > b) - (a < b);
}

static int compare_cells(const struct nsn_cell *a, const struct nsn_cell *b)
{
	if (a->numeric && b->numeric)
		return compare_numbers(a->number, b->number);
	if (a->numeric != b->numeric)
		return a->numeric ? 1 : -1;
	return strverscmp(a->sorted ? a->sorted : "", b->sorted ? b->sorted : "");
}

/* Ties are broken by the view's own order, then by the model's, so that no row ever jumps. */
static int compare(const void *first, const void *second, void *data)
{
	const struct nsn_row *a = first, *b = second;
	const struct order *order = data;
	int result = 0;

	if (order->column >= 0) {
		result = compare_cells(&a->cells[order->column], &b->cells[order->column]);
		if (order->falling)
			result = -result;
	} else if (a->gravity != b->gravity) {
		result = a->gravity > b->gravity ? -1 : 1;
	} else {
		result = -compare_numbers(a->weight, b->weight);
	}
	if (order->invert)
		result = -result;
	if (!result && order->column >= 0 && a->gravity != b->gravity)
		result = a->gravity > b->gravity ? -1 : 1;
	if (!result)
		result = compare_numbers((double)a->place, (double)b->place);
	return result;
}

void nsn_table__make(struct nsn_draw *draw, struct nsn_table *table)
{
	const struct nsn_top_choice *choice = &draw->state->views[table->view];
	struct order order = { .column = choice->sort, .invert = choice->invert };

	nsn_table__rows(draw, table);
	if (!table->rows) {
		table->rows_count = 0;
		return;
	}
	filter(draw, table);
	if (order.column >= (int)table->columns_count)
		order.column = -1;
	if (order.column >= 0)
		order.falling = table->columns[order.column].falling;
	for (size_t i = 0; i < table->rows_count && order.column >= 0; i++)
		nsn_table__fill(draw, table, &table->rows[i], (size_t)order.column);
	qsort_r(table->rows, table->rows_count, sizeof(*table->rows), compare, &order);
}

/* ---- layout ----------------------------------------------------------------------------------- */

struct layout {
	size_t cells[NSN_TOP_MOST_COLUMNS]; /* 0: left out */
	size_t gap;
};

/* Fills in the rows from first to end, and measures them. */
static void measure(struct nsn_draw *draw, const struct nsn_table *table, size_t first, size_t end,
		    struct layout *layout)
{
	int sort = draw->state->views[table->view].sort;

	for (size_t i = 0; i < table->columns_count; i++) {
		const struct nsn_column *column = &table->columns[i];
		size_t most = nsn_cells(column->header) + (sort == (int)i); /* its arrow */

		if (column->history)
			most = HISTORY_CELLS;
		for (size_t j = first; j < end && !column->history; j++) {
			size_t cells;

			nsn_table__fill(draw, table, &table->rows[j], i);
			cells = table->rows[j].cells[i].text
					? nsn_cells(table->rows[j].cells[i].text)
					: 0;
			most = cells > most ? cells : most;
		}
		layout->cells[i] = most;
	}
}

/* Cells of all columns, a flexible one taken as at most `flexible` wide. */
static size_t total(const struct nsn_table *table, const struct layout *layout, size_t flexible)
{
	size_t sum = 0;

	for (size_t i = 0; i < table->columns_count; i++) {
		size_t cells = layout->cells[i];

		if (table->columns[i].flexible && cells > flexible)
			cells = flexible;
		if (cells)
			sum += cells + (sum ? layout->gap : 0);
	}
	return sum;
}

static bool shrink_flexible(const struct nsn_table *table, struct layout *layout, size_t width)
{
	for (size_t i = 0; i < table->columns_count; i++) {
		size_t sum = total(table, layout, SIZE_MAX), least = LEAST_FLEXIBLE;

		if (sum <= width)
			return true;
		if (!table->columns[i].flexible || layout->cells[i] <= least)
			continue;
		layout->cells[i] = sum - width < layout->cells[i] - least
					   ? layout->cells[i] - (sum - width)
					   : least;
	}
	return total(table, layout, SIZE_MAX) <= width;
}

/* Leaves out columns that may go, as long as it is too wide. */
static void drop(const struct nsn_table *table, struct layout *layout, size_t width, int first,
		 int last, size_t flexible)
{
	for (int spare = first; spare >= last; spare--)
		for (size_t i = table->columns_count; i-- > 0;)
			if (table->columns[i].spare == spare &&
			    total(table, layout, flexible) > width)
				layout->cells[i] = 0;
}

/*
 * Columns for wide terminals go first; then gaps and names get narrower; then go those that a
 * narrow terminal has no room for; then the widest that remain are cut.
 */
static void shrink(const struct nsn_table *table, struct layout *layout, size_t width)
{
	drop(table, layout, width, MOST_SPARE, NSN_SPARE_WIDE, FAIR_FLEXIBLE);
	if (total(table, layout, SIZE_MAX) > width)
		layout->gap = 1;
	drop(table, layout, width, NSN_SPARE_WIDE - 1, 1, LEAST_FLEXIBLE);
	while (!shrink_flexible(table, layout, width)) {
		size_t widest = 0;

		for (size_t i = 0; i < table->columns_count; i++)
			if (layout->cells[i] > layout->cells[widest] && !table->columns[i].right)
				widest = i;
		if (layout->cells[widest] <= 4)
			return;
		layout->cells[widest]--;
	}
}

/* ---- drawing ---------------------------------------------------------------------------------- */

static void draw_header(struct nsn_draw *draw, const struct nsn_table *table,
			const struct layout *layout)
{
	const struct nsn_top_choice *choice = &draw->state->views[table->view];
	bool first = true;

	nsn_draw__line(draw, NSN_STYLE_HEADER);
	if (!draw->batch)
		nsn_draw__text(draw, 0, " ");
	for (size_t i = 0; i < table->columns_count; i++) {
		const struct nsn_column *column = &table->columns[i];
		const char *header = column->header;
		bool sorted = choice->sort == (int)i;
		long cells = (long)layout->cells[i];

		if (!cells)
			continue;
		if (!first)
			nsn_draw__padded(draw, 0, "", (long)layout->gap);
		first = false;
		if (sorted) {
			bool falls = column->falling != choice->invert;
			const char *arrow = draw->utf8 ? (falls ? "\xe2\x96\xbc" : "\xe2\x96\xb2")
						       : (falls ? "v" : "^");

			header = nsn_page__format(draw->page, "%s%s", header, arrow);
		}
		header = nsn_page__cut(draw->page, header, (size_t)cells);
		nsn_draw__padded(draw, sorted ? NSN_STYLE_ACCENT | NSN_STYLE_BOLD : 0, header,
				 column->right ? -cells : cells);
	}
}

static void draw_row(struct nsn_draw *draw, const struct nsn_table *table,
		     const struct layout *layout, const struct nsn_row *row, bool selected)
{
	bool first = true;

	nsn_draw__line(draw, selected ? NSN_STYLE_SELECTED : 0);
	if (!draw->batch)
		nsn_draw__text(draw, NSN_STYLE_ACCENT,
			       !selected    ? " "
			       : draw->utf8 ? "\xe2\x96\x8c"
					    : ">");
	for (size_t i = 0; i < table->columns_count; i++) {
		const struct nsn_cell *cell = &row->cells[i];
		long cells = (long)layout->cells[i];

		if (!cells)
			continue;
		if (!first)
			nsn_draw__padded(draw, 0, "", (long)layout->gap);
		first = false;
		if (table->columns[i].history) {
			nsn_draw__sparkline(draw, row->object, (size_t)cells);
			continue;
		}
		/* what does not matter does not warn */
		nsn_draw__padded(
			draw, row->style ? row->style : cell->style,
			nsn_page__cut(draw->page, cell->text ? cell->text : "", (size_t)cells),
			table->columns[i].right ? -cells : cells);
	}
}

bool nsn_table__follow(const struct nsn_table *table, struct nsn_top_choice *choice)
{
	const size_t count = table->rows_count;
	bool there = choice->moved || !choice->selected[0];

	for (size_t i = 0; i < count && !there; i++) {
		there = strcmp(table->rows[i].subject, choice->selected) == 0;
		if (there)
			choice->cursor = i;
	}
	if (choice->cursor >= count)
		choice->cursor = count ? count - 1 : 0;
	/* a cursor that nobody has moved stays at the top, as rows come and go */
	if (count && choice->moved)
		nsn_format(choice->selected, sizeof(choice->selected), "%s",
			   table->rows[choice->cursor].subject);
	choice->moved = false;
	return there;
}

/* Scrolls so that the cursor is on the screen, which has so many rows. */
static void scroll_to_cursor(const struct nsn_table *table, struct nsn_top_choice *choice,
			     size_t height)
{
	const size_t count = table->rows_count;

	if (choice->cursor < choice->first)
		choice->first = choice->cursor;
	if (height && choice->cursor >= choice->first + height)
		choice->first = choice->cursor - height + 1;
	if (choice->first + height > count)
		choice->first = count > height ? count - height : 0;
}

void nsn_table__draw(struct nsn_draw *draw, struct nsn_table *table, size_t height)
{
	struct nsn_top_choice *choice = &draw->state->views[table->view];
	size_t rows = height ? height - 1 : table->rows_count, first = 0, end;
	struct layout layout = { .gap = 2 };

	if (!draw->batch) {
		nsn_table__follow(table, choice);
		scroll_to_cursor(table, choice, rows);
		first = choice->first;
		draw->state->page = rows;
	}
	end = first + rows < table->rows_count ? first + rows : table->rows_count;
	measure(draw, table, first, end, &layout);
	shrink(table, &layout, draw->width - (draw->batch ? 0 : 2));
	draw_header(draw, table, &layout);
	for (size_t i = first; i < end; i++)
		draw_row(draw, table, &layout, &table->rows[i],
			 !draw->batch && i == choice->cursor);
}
