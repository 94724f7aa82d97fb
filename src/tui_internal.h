/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tui_internal.h - the terminal itself: opened, painted on, restored. Floor 4, private to tui*.c.
 */
#ifndef NSN_TUI_INTERNAL_H
#define NSN_TUI_INTERNAL_H

#include "render_top.h"

struct nsn_terminal;

/* Takes the terminal over. 0 or -errno (logged); it is then as it was. */
int nsn_terminal__open(bool color, struct nsn_terminal **out);
/* Gives it back, and prints what was said meanwhile. NULL is fine. */
void nsn_terminal__close(struct nsn_terminal *terminal);

/* The next painting is of the whole screen, whatever was written over it. */
void nsn_terminal__redraw(struct nsn_terminal *terminal);

/* A descriptor that is readable while keys wait. */
int nsn_terminal__fd(const struct nsn_terminal *terminal);
/* Its size now, in cells. */
void nsn_terminal__size(const struct nsn_terminal *terminal, size_t *width, size_t *height);
/* After a SIGWINCH. */
void nsn_terminal__resize(struct nsn_terminal *terminal);
void nsn_terminal__paint(struct nsn_terminal *terminal, const struct nsn_screen *screen);
/*
 * The next key: 1 with a character or an enum nsn_top_key, 0 if none waits, -EIO if the terminal has
 * gone.
 */
int nsn_terminal__key(struct nsn_terminal *terminal, uint32_t *key);
/*
 * The last line that went to stderr since the last call, which the screen would have been spoilt by;
 * "" none. Valid until the next call.
 */
const char *nsn_terminal__said(struct nsn_terminal *terminal);

#endif /* NSN_TUI_INTERNAL_H */
