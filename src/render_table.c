// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_table.c - the table of all objects of a kind. Floor 3.
 *
 * libsmartcols lays the columns out; what goes into them is cut or wrapped here before, because it
 * would cut without an ellipsis.
 */
#include "render_page.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>

#define MOST_COLUMNS 24

struct column {
	const struct nsn_field *field; /* NULL: what to call the object */
	const char *header;
	size_t cells; /* its width now */
	bool list;    /* wraps instead of being cut */
	bool right;
	bool says; /* some object has such a thing, and it is known */
};

struct table {
	enum nsn_object kind;
	const void **objects;
	size_t objects_count;
	struct column columns[MOST_COLUMNS];
	size_t count;
};

static const char *cell_text(struct nsn_page *page, const struct table *table,
			     const struct column *column, const void *object, enum nsn_tone *tone)
{
	struct nsn_value value;

	*tone = NSN_TONE_PLAIN;
	if (!column->field)
		return nsn_page__safe(page, nsn_object__title(table->kind, object));
	nsn_field__get(column->field, page->model, object, &value);
	*tone = value.tone;
	return nsn_page__value(page, column->field, &value);
}

/* Measures a column over all objects. */
static void measure(struct nsn_page *page, const struct table *table, struct column *column)
{
	struct nsn_value value;
	size_t cells;
	enum nsn_tone tone;

	column->cells = nsn_cells(column->header);
	for (size_t i = 0; i < table->objects_count; i++) {
		const void *object = table->objects[i];

		cells = nsn_cells(cell_text(page, table, column, object, &tone));
		if (cells > column->cells)
			column->cells = cells;
		if (!column->field)
			continue;
		nsn_field__get(column->field, page->model, object, &value);
		column->list |= value.type == NSN_VALUE_LIST;
		column->right |= value.type == NSN_VALUE_INT;
		column->says |= value.type > NSN_VALUE_ABSENT;
	}
}

static size_t total(const struct table *table)
{
	size_t cells = 0;

	for (size_t i = 0; i < table->count; i++)
		cells += table->columns[i].cells + (i > 0 ? 2 : 0);
	return cells;
}

static size_t least(const struct column *column)
{
	/* A list must keep room for one id, a name for something that can be told apart. */
	size_t cells = column->list ? 12 : column->field ? column->cells : 16;

	return cells < nsn_cells(column->header) ? nsn_cells(column->header) : cells;
}

/* Takes cells from the widest column that can spare one, until the table fits. */
static void shrink(struct table *table, size_t width)
{
	while (total(table) > width) {
		struct column *widest = NULL;

		for (size_t i = 0; i < table->count; i++) {
			struct column *column = &table->columns[i];

			if (column->cells > least(column) &&
			    (!widest || column->cells > widest->cells))
				widest = column;
		}
		if (!widest)
			return;
		widest->cells--;
	}
}

/* The columns of the kind, in the order of its fields, as wide as they would like to be. */
static void choose(struct nsn_page *page, struct table *table)
{
	const struct nsn_field *field;
	struct column *column = table->columns;

	table->count = 1;
	*column = (struct column){ .header = nsn_kinds[table->kind].fields[0].header };
	if (table->kind == NSN_OBJECT_VM)
		column->header = "VM";
	measure(page, table, column);
	for (field = nsn_kinds[table->kind].fields; field->path; field++) {
		if (!(field->text & (NSN_TEXT_TABLE | NSN_TEXT_WIDE)) ||
		    table->count == MOST_COLUMNS)
			continue;
		column = &table->columns[table->count];
		*column = (struct column){ .field = field, .header = field->header };
		measure(page, table, column);
		if (column->says || (field->text & NSN_TEXT_TABLE))
			table->count++;
	}
}

/* Takes out columns that are only for wide terminals, from the right, until the rest fits. */
static void drop(struct table *table, size_t width)
{
	for (size_t i = table->count; i-- > 1 && total(table) > width;) {
		if (table->columns[i].field->text & NSN_TEXT_TABLE)
			continue;
		memmove(&table->columns[i], &table->columns[i + 1],
			(table->count - i - 1) * sizeof(table->columns[i]));
		table->count--;
	}
}

static const char *fit(struct nsn_page *page, const struct column *column, const char *text)
{
	return column->list ? nsn_page__wrap(page, text, column->cells)
			    : nsn_page__cut(page, text, column->cells);
}

static int add_line(struct nsn_page *page, struct libscols_table *out, const struct table *table,
		    const void *object)
{
	struct libscols_line *line = scols_table_new_line(out, NULL);
	enum nsn_tone tone;
	int err = line ? 0 : -ENOMEM;

	for (size_t i = 0; i < table->count && !err; i++) {
		const struct column *column = &table->columns[i];
		const char *text = cell_text(page, table, column, object, &tone);

		err = scols_line_set_data(line, i, fit(page, column, text));
		if (!err && tone != NSN_TONE_PLAIN && page->opts->color)
			err = scols_cell_set_color(scols_line_get_cell(line, i),
						   nsn_page__tone(page, tone));
	}
	return err;
}

static int fill(struct nsn_page *page, struct libscols_table *out, const struct table *table)
{
	int err = 0;

	for (size_t i = 0; i < table->count && !err; i++) {
		const struct column *column = &table->columns[i];
		int flags = column->list ? SCOLS_FL_WRAP : column->right ? SCOLS_FL_RIGHT : 0;
		struct libscols_column *made =
			scols_table_new_column(out, column->header, 0, flags);

		err = made ? 0 : -ENOMEM;
		if (!err && column->list)
			err = scols_column_set_wrapfunc(made, scols_wrapnl_chunksize,
							scols_wrapnl_nextchunk, NULL);
	}
	for (size_t i = 0; i < table->objects_count && !err; i++)
		err = add_line(page, out, table, table->objects[i]);
	return err;
}

struct libscols_table *nsn_page__new_table(struct nsn_page *page)
{
	struct libscols_table *out = scols_new_table();

	if (!out || scols_table_set_termforce(out, SCOLS_TERMFORCE_ALWAYS) ||
	    scols_table_set_termwidth(out, page->width) ||
	    scols_table_set_column_separator(out, "  ") || scols_table_enable_noencoding(out, 1) ||
	    scols_table_enable_ascii(out, !page->opts->utf8) ||
	    scols_table_enable_colors(out, page->opts->color)) {
		scols_unref_table(out);
		page->err = -ENOMEM;
		return NULL;
	}
	return out;
}

int nsn_page__print_table(struct nsn_page *page, struct libscols_table *table)
{
	char *text = NULL;

	if (scols_print_table_to_string(table, &text) || !text)
		return -ENOMEM;
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n"), end = length;

		while (end && line[end - 1] == ' ')
			end--;
		fprintf(page->out, "%.*s\n", (int)end, line);
		line += length + (line[length] == '\n');
	}
	free(text);
	return 0;
}

void nsn_page__table(struct nsn_page *page, enum nsn_object kind)
{
	struct table table = { .kind = kind };
	struct libscols_table *out;

	table.objects = nsn_page__objects(page, kind, &table.objects_count);
	choose(page, &table);
	drop(&table, page->width);
	shrink(&table, page->width);
	out = nsn_page__new_table(page);
	if (!out)
		return;
	if (fill(page, out, &table) || nsn_page__print_table(page, out))
		page->err = -ENOMEM;
	scols_unref_table(out);
}
