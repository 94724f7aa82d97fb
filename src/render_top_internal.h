/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render_top_internal.h - what the files of render_top share. Floor 3, private to render_top*.c.
 */
#ifndef NSN_RENDER_TOP_INTERNAL_H
#define NSN_RENDER_TOP_INTERNAL_H

#include "render_page.h"
#include "render_top.h"

#define NSN_TOP_MOST_COLUMNS 16

struct nsn_top_private {
	struct nsn_page page; /* owns all text */
	char *text;           /* of the page's stream */
	size_t size;
};

/* Where drawing stands. */
struct nsn_draw {
	struct nsn_screen *screen;
	struct nsn_page *page;
	const struct nsn_top *top;
	struct nsn_top_state *state;
	size_t width, height;
	bool utf8, batch;
};

/* ---- lines ---- */

/* Starts a line; what follows its last span has `style`. */
void nsn_draw__line(struct nsn_draw *draw, unsigned int style);
/* Adds safe text to the last line, cut at the width; the line's style is added to its own. */
void nsn_draw__text(struct nsn_draw *draw, unsigned int style, const char *safe);
/* The same, padded to `cells` (a negative number: flush right). */
void nsn_draw__padded(struct nsn_draw *draw, unsigned int style, const char *safe, long cells);
/* Blanks up to a column. */
void nsn_draw__to(struct nsn_draw *draw, size_t column);
/* Cells that are left in the last line. */
size_t nsn_draw__room(const struct nsn_draw *draw);

/* ---- values ---- */

unsigned int nsn_top_tone(enum nsn_tone tone);
unsigned int nsn_top_severity(enum nsn_severity severity);
/* "1.2k", "3.4", "0" */
const char *nsn_top_number(struct nsn_page *page, double number);
/* The same of what is whole: "3", "1.2k" */
const char *nsn_top_count(struct nsn_page *page, uint64_t count);
/* "12" of 0.12 */
const char *nsn_top_percent(struct nsn_page *page, double share);
/* "850us", "1.2ms", "3.4s": of seconds */
const char *nsn_top_seconds(struct nsn_draw *draw, double seconds);
/* "3 s", "2 min", "5 h": of ns */
const char *nsn_top_age(struct nsn_page *page, uint64_t ns);
/* "12:03:44.123" in UTC; without the fraction if `seconds` */
const char *nsn_top_clock(struct nsn_page *page, uint64_t ns, bool seconds);
/* Adds a sparkline of the executed rates of a VM (NULL: all) in so many cells to the last line. */
void nsn_draw__sparkline(struct nsn_draw *draw, const struct nsn_vm *vm, size_t cells);
/* A bar of a share of so many cells. */
const char *nsn_top_bar(struct nsn_draw *draw, double share, size_t cells);

/* ---- rows ---- */

struct nsn_cell {
	const char *text; /* safe; NULL: a sparkline */
	unsigned int style;
	double number; /* what it is sorted by, if `numeric` */
	bool numeric;
	const char *sorted; /* else */
};

struct nsn_row {
	const void *object;
	const char
		*subject; /* what it is; no two rows share it, but for events that no kernel told */
	unsigned int style; /* of all its cells */
	int gravity;        /* the view's own order: the largest first */
	double weight;      /* and within it, likewise */
	size_t place;       /* in the order of the model */
	struct nsn_cell cells[NSN_TOP_MOST_COLUMNS];
};

#define NSN_SPARE_WIDE 20 /* from here on: a column for wide terminals */

struct nsn_column {
	const char *header;
	const char *path; /* of a field; NULL: the view knows */
	bool right;
	bool flexible; /* takes what room there is left; is cut first */
	bool falling;  /* the largest first, unless inverted */
	int spare;     /* the largest goes first when it is narrow; 0: never */
	bool count;    /* of a list, not its items */
	bool history;  /* a sparkline */
};

struct nsn_table {
	enum nsn_top_view view;
	enum nsn_object kind; /* of the rows' objects; NSN_OBJECT_MAX: they are none */
	const struct nsn_column *columns;
	size_t columns_count;
	struct nsn_row *rows;
	size_t rows_count;
	size_t all; /* without the filter */
};

extern const struct nsn_column *const nsn_top_view_columns[NSN_VIEW_MAX];

/* All rows of a view, filtered and sorted. The page owns them. */
void nsn_table__make(struct nsn_draw *draw, struct nsn_table *table);
/*
 * Makes the rows of a view, without the cells that are fields of an object: of a thousand rows only
 * those on the screen need them. render_top_rows.c.
 */
void nsn_table__rows(struct nsn_draw *draw, struct nsn_table *table);
/* Fills in a cell that is a field, if it is one and not there yet. */
void nsn_table__fill(struct nsn_draw *draw, const struct nsn_table *table, struct nsn_row *row,
		     size_t column);
/*
 * Brings the cursor to the row that is selected, wherever that went; if a key moved the cursor, its row
 * becomes the selected one. False: the selected row is not there any more.
 */
bool nsn_table__follow(const struct nsn_table *table, struct nsn_top_choice *choice);
/* Draws the headers and `height` rows (0: all) around the cursor. */
void nsn_table__draw(struct nsn_draw *draw, struct nsn_table *table, size_t height);

/* ---- panes ---- */

/* Draws the pane of the row into `height` lines. */
void nsn_draw__detail(struct nsn_draw *draw, const struct nsn_table *table, struct nsn_row *row,
		      size_t height);
void nsn_draw__help(struct nsn_draw *draw, size_t height);
void nsn_draw__vm(struct nsn_draw *draw, const struct nsn_vm *vm);
/* "Label   text", wrapped to the width. */
void nsn_draw__labelled(struct nsn_draw *draw, const char *label, unsigned int style,
			const char *safe);
/* The last events of a VM (NULL: of all), the newest first, at most so many; nothing if there is none. */
void nsn_draw__events(struct nsn_draw *draw, const struct nsn_vm *vm, size_t most);
/* A line with a word and a rule: "Tree ------". */
void nsn_draw__rule(struct nsn_draw *draw, const char *word, const char *more);

/* What a verdict means: `words` of the field table, but for what they say of a printed audit alone. */
const char *nsn_top_verdict_words(const char *verdict, const char *words);

/* Is it about what was chosen by --vm and its kin? Without a choice all are. */
bool nsn_top_shows_event(const struct nsn_page *page, const struct nsn_top_event *event);

/* What an event says: result, reason, … */
const char *nsn_top_event_result(struct nsn_page *page, const struct nsn_rec_event *rec,
				 unsigned int *style);
const char *nsn_top_event_text(struct nsn_draw *draw, const struct nsn_rec_event *rec);

#endif /* NSN_RENDER_TOP_INTERNAL_H */
