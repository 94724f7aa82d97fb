/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render_page.h - text for people: safe to print, measured in cells, cut and wrapped to a width.
 *
 * Floor 3, private to the text renderers. A page owns every string it hands out and remembers the
 * first error: its functions never give NULL, and the renderer looks at page->err once, at its end.
 */
#ifndef NSN_RENDER_PAGE_H
#define NSN_RENDER_PAGE_H

#include "render.h"

struct libscols_table;

struct nsn_page {
	FILE *out;
	const struct nsn_render_opts *opts;
	const struct nsn_model *model;
	size_t width;
	int err;
	char **strings;
	size_t strings_count, strings_capacity;
};

void nsn_page__init(struct nsn_page *page, FILE *out, const struct nsn_model *model,
		    const struct nsn_render_opts *opts);
/* Frees the strings, flushes. Gives the page's error, or -EIO if the output took no more. */
int nsn_page__close(struct nsn_page *page);

/* Memory that the page owns; zeroed. NULL without memory (see page->err). */
void *nsn_page__allocate(struct nsn_page *page, size_t size);

/* printf into a string of the page. */
char *nsn_page__format(struct nsn_page *page, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Any bytes as text that can do no harm: control characters, marks of writing direction, invisible
 * and unassigned ones and bad UTF-8 become \n, \x1b, \u202e; a backslash is doubled; blanks at an
 * end or in a row become \x20. Without opts->utf8 the result is ASCII. Longer than NSN_SAFE_CELLS:
 * cut, with an ellipsis.
 */
#define NSN_SAFE_CELLS 2000
const char *nsn_page__safe(struct nsn_page *page, const char *text);

/* Cells that safe text takes on a terminal; of several lines, the longest. */
size_t nsn_cells(const char *safe);

/* Safe text of at most so many cells: what is cut off, by whole words if it can be, becomes an ellipsis. */
const char *nsn_page__cut(struct nsn_page *page, const char *safe, size_t cells);

/*
 * Safe text with newlines instead of spaces where a line of `cells` is full; a word that is longer
 * than a line is broken.
 */
const char *nsn_page__wrap(struct nsn_page *page, const char *safe, size_t cells);

/* The escape sequence that starts a tone, "" without colours; nsn_page__end() ends it. */
const char *nsn_page__tone(const struct nsn_page *page, enum nsn_tone tone);
const char *nsn_page__bold(const struct nsn_page *page);
const char *nsn_page__end(const struct nsn_page *page);

/* Prints a section's heading with an empty line before it. */
void nsn_page__heading(struct nsn_page *page, const char *text);

/*
 * Prints safe text as a wrapped paragraph behind a label. Of the first line `used` cells are
 * printed already; the label stands at `indent`, the text in a column that starts at `column`
 * cells.
 */
void nsn_page__paragraph(struct nsn_page *page, size_t used, size_t indent, const char *label,
			 size_t column, const char *safe);

/* A value in a table: "yes", "1234", ids with commas; "unknown"; "-" if there is no such thing. */
const char *nsn_page__value(struct nsn_page *page, const struct nsn_field *field,
			    const struct nsn_value *value);

/*
 * What an object's fields that have one of these places (NSN_TEXT_TREE, NSN_TEXT_STRAY) say, as one
 * sentence. The gravest tone goes to *tone.
 */
const char *nsn_page__sentence(struct nsn_page *page, enum nsn_object kind, const void *object,
			       unsigned int places, enum nsn_tone *tone);

/*
 * The objects of a kind that are shown, the gravest conclusion first, else in the model's order.
 * The page owns the array.
 */
const void **nsn_page__objects(struct nsn_page *page, enum nsn_object kind, size_t *count);

/* An empty table for page->out, laid out for its width; NULL without memory (see page->err). */
struct libscols_table *nsn_page__new_table(struct nsn_page *page);

/* Prints it, without the spaces that libsmartcols leaves at the ends of lines. 0 or -ENOMEM. */
int nsn_page__print_table(struct nsn_page *page, struct libscols_table *table);

/* Prints "label  words" for each field of the object that has a place in the list. */
void nsn_page__list(struct nsn_page *page, enum nsn_object kind, const void *object, size_t indent);

/* Prints the table of all objects of a kind that opts->shows(): render_table.c. */
void nsn_page__table(struct nsn_page *page, enum nsn_object kind);

/* Prints the tree of each VM, and what is in use but belongs to no VM: render_tree.c. */
void nsn_page__trees(struct nsn_page *page);

/* Prints the tree of one VM; nothing if no device is passed through to it. */
void nsn_page__vm_tree(struct nsn_page *page, const struct nsn_vm *vm);

/* Prints findings, what is unknown, and the closing lines: render_findings.c. */
void nsn_page__findings(struct nsn_page *page, const struct nsn_findings *findings);
void nsn_page__unknowns(struct nsn_page *page, const struct nsn_unknowns *unknowns);
void nsn_page__closing(struct nsn_page *page, const struct nsn_findings *findings);

static inline bool nsn_page__shows(const struct nsn_page *page, enum nsn_object kind,
				   const void *object)
{
	return !page->opts->shows || page->opts->shows(page->opts, kind, object);
}

#endif /* NSN_RENDER_PAGE_H */
