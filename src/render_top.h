/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render_top.h - model, findings, rates and events to a screen of lines for nosnooptop.
 *
 * Floor 3: no curses, no clock. What is shown (struct nsn_top) and what the reader chose (struct
 * nsn_top_state) give a struct nsn_screen: lines of spans of safe text, each with a style. The
 * terminal paints it, the batch mode prints it, a test compares it.
 */
#ifndef NSN_RENDER_TOP_H
#define NSN_RENDER_TOP_H

#include "rates.h"
#include "render.h"

#define NSN_TOP_LEAST_WIDTH  40
#define NSN_TOP_LEAST_HEIGHT 10

enum nsn_top_view {
	NSN_VIEW_VMS,
	NSN_VIEW_DOMAINS,
	NSN_VIEW_DEVICES,
	NSN_VIEW_FINDINGS,
	NSN_VIEW_EVENTS,
	NSN_VIEW_IOMMUS,
	NSN_VIEW_MAX,
};

/* "vms", "domains", … */
const char *nsn_top_view_name(enum nsn_top_view view);
/* The view with this name or number from 1, or -ENOENT. */
int nsn_top_view_by_name(const char *name);

/* How text looks (bits). Colours are never the only sign. */
enum nsn_style {
	NSN_STYLE_GOOD = 1,
	NSN_STYLE_WARNING = 2,
	NSN_STYLE_BAD = 4,
	NSN_STYLE_DIM = 8,
	NSN_STYLE_BOLD = 16,
	NSN_STYLE_ACCENT = 32,    /* keys, sparklines, what is typed */
	NSN_STYLE_TITLE = 64,     /* the bars at the top and the bottom */
	NSN_STYLE_HEADER = 128,   /* headers of columns */
	NSN_STYLE_SELECTED = 256, /* the row under the cursor, the view that is shown */
};

/* An event with what it says named: the model of its time may be gone. Of any bytes. */
struct nsn_top_event {
	struct nsn_rec_event rec;
	char vm_id[NSN_ID_LEN];  /* "" none */
	char vm[NSN_TEXT_LEN];   /* its name */
	char object[NSN_ID_LEN]; /* what else it is about: "0000:00:02.0", "group 2", "domain g2" */
};

/* A feature of the event source. */
struct nsn_top_feature {
	const char *name;
	bool on;
	bool idle;          /* on, but there is nothing to see: its part is not loaded */
	const char *reason; /* why it is off or idle; "" */
};

/* What is shown. Pointers live as long as the call. */
struct nsn_top {
	const struct nsn_model *model; /* NULL: none yet */
	const struct nsn_findings *findings;
	const struct nsn_rates *rates;
	const struct nsn_top_event *events; /* the newest last */
	size_t events_count;
	const struct nsn_top_feature *features;
	size_t features_count;
	size_t probes_on, probes_count; /* count 0: there are none (a replay), or none yet */
	bool attaching;                 /* they are being attached */
	const char *events_off;         /* why no event can come at all; NULL: they can */
	uint64_t lost;                  /* events */
	uint64_t now;                   /* ns since the epoch, of the machine that is shown */
	uint64_t snapshot_age_ns;
	uint64_t delay_ns;
	bool replay, replay_ended;
	const char *recording; /* file; NULL: none */
	const char *message;   /* for the status line, any bytes; NULL: none */
	bool message_bad;
};

enum nsn_top_prompt {
	NSN_PROMPT_NONE,
	NSN_PROMPT_FILTER,
	NSN_PROMPT_DELAY,
	NSN_PROMPT_SORT,
};

#define NSN_TOP_SUBJECT_LEN (NSN_ID_LEN + 32)

/* What the reader chose in one view. */
struct nsn_top_choice {
	int sort; /* column; -1: the view's own order */
	bool invert;
	size_t cursor, first; /* row under the cursor, first row on the screen */
	bool moved;           /* a key moved the cursor: its row becomes the selected one */
	char selected[NSN_TOP_SUBJECT_LEN]; /* of the row under the cursor */
};

/* What the reader chose. Start with nsn_top_state__init(). */
struct nsn_top_state {
	enum nsn_top_view view;
	struct nsn_top_choice views[NSN_VIEW_MAX];
	bool paused, help, detail;
	size_t detail_first, detail_lines; /* scrolled to, and how many there are */
	size_t page;                       /* rows of a page; set by the renderer */
	enum nsn_top_prompt prompt;
	char filter[64], input[64];
	int sort_choice; /* at NSN_PROMPT_SORT */
};

void nsn_top_state__init(struct nsn_top_state *state);

/* Columns of a view, for -s and the sort prompt: how many, and the name of each. */
int nsn_top_columns(enum nsn_top_view view);
const char *nsn_top_column_name(enum nsn_top_view view, int column);
/* The column with this name (case and what is no letter or digit do not matter), or -ENOENT. */
int nsn_top_column_by_name(enum nsn_top_view view, const char *name);

/* ---- keys: render_top_keys.c ------------------------------------------------------------------ */

enum nsn_top_key {
	NSN_KEY_UP = 0x110000, /* beyond every character */
	NSN_KEY_DOWN,
	NSN_KEY_LEFT,
	NSN_KEY_RIGHT,
	NSN_KEY_PAGE_UP,
	NSN_KEY_PAGE_DOWN,
	NSN_KEY_HOME,
	NSN_KEY_END,
	NSN_KEY_ENTER,
	NSN_KEY_ESCAPE,
	NSN_KEY_BACKSPACE,
};

/* What is left to do for the caller. */
enum nsn_top_action {
	NSN_ACTION_NONE, /* draw again */
	NSN_ACTION_QUIT,
	NSN_ACTION_WRITE,  /* the screen to a file */
	NSN_ACTION_RECORD, /* start or stop a recording */
	NSN_ACTION_DELAY,  /* state->input has a new delay */
	NSN_ACTION_PAUSE,  /* state->paused was changed */
};

/* Takes in a key: a character or an enum nsn_top_key. */
enum nsn_top_action nsn_top_state__key(struct nsn_top_state *state, uint32_t key);

/* ---- the screen ------------------------------------------------------------------------------- */

struct nsn_span {
	const char *text; /* safe */
	unsigned int style;
};

struct nsn_line {
	struct nsn_span *spans;
	size_t spans_count, spans_capacity;
	size_t cells;
	unsigned int style; /* of what is right of the last span */
};

struct nsn_screen {
	struct nsn_line *lines;
	size_t lines_count, lines_capacity;
	long cursor_line, cursor_cell; /* of a prompt; -1: none */
	struct nsn_top_private *private;
};

/*
 * Draws everything into exactly opts->width x height cells; opts->shows selects objects. NULL
 * without memory. Brings state's cursors in line with the rows there are.
 */
struct nsn_screen *nsn_render_top(const struct nsn_top *top, struct nsn_top_state *state,
				  const struct nsn_render_opts *opts, size_t height);

/* A frame of the batch mode: as many lines as it takes, without bars and cursor. */
struct nsn_screen *nsn_render_top_batch(const struct nsn_top *top, struct nsn_top_state *state,
					const struct nsn_render_opts *opts);

void nsn_screen__free(struct nsn_screen *screen);

/* Prints the lines, blanks at their ends left out; styles if `color`. 0 or -EIO. */
int nsn_screen__print(const struct nsn_screen *screen, FILE *out, bool color);

#endif /* NSN_RENDER_TOP_H */
