/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tui.h - nosnooptop's terminal: paints screens, reads keys, and leaves the terminal as it was.
 *
 * Floor 4; with top.c the only user of curses. Whatever ends the program, but for kill -9, restores
 * the terminal first.
 */
#ifndef NSN_TUI_H
#define NSN_TUI_H

#include "live.h"

struct nsn_tui_opts {
	struct nsn_live *live; /* not started yet */
	uint64_t delay_ns;
	uint64_t count;                /* frames, one each delay, after which it ends; 0: none */
	struct nsn_render_opts render; /* but for the width */
	/* Called for each frame, to set render->shows. 0, or -errno (logged) that ends it. */
	int (*select)(void *data, const struct nsn_model *model, struct nsn_render_opts *render);
	void *select_data;
};

/* Runs until the reader has had enough. 0 or -errno (logged, after the terminal is restored). */
int nsn_tui__run(const struct nsn_tui_opts *opts, struct nsn_top_state *state);

#endif /* NSN_TUI_H */
