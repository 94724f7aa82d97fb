// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tui_terminal.c - the terminal by ncurses, and how it comes back whatever happens. Floor 4.
 */
#include "tui_internal.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#include "log.h"

#define MOST_SAID (256 * 1024) /* bytes kept of stderr */

struct nsn_terminal {
	SCREEN *screen;
	FILE *input;     /* stdin, or /dev/tty if that is something else */
	int said;        /* memory that stands in for stderr; -1: none */
	int real_stderr; /* -1: stderr was not changed */
	off_t heard;     /* of what was said, that nsn_terminal__said() gave */
	char line[256];
	bool color;
	stack_t stack, stack_before;
};

/* ---- restored after a crash ------------------------------------------------------------------- */

/* What a signal handler needs, which can't call curses. */
static struct {
	volatile sig_atomic_t armed;
	int fd;
	struct termios mode;
	char bytes[256]; /* that show the cursor and the screen from before */
	size_t length;
} rescue;

/* Whatever ends a program that does not ask for it; SIGINT, SIGTERM and SIGHUP are asked for (loop.c). */
static const int crashes[] = { SIGSEGV, SIGBUS,  SIGABRT, SIGFPE,  SIGILL,    SIGQUIT,
			       SIGTRAP, SIGSYS,  SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF,
			       SIGUSR1, SIGUSR2, SIGXCPU, SIGXFSZ };

static void restore_and_die(int number)
{
	if (rescue.armed) {
		rescue.armed = 0;
		if (write(rescue.fd, rescue.bytes, rescue.length) < 0)
			rescue.length = 0;
		tcsetattr(rescue.fd, TCSANOW, &rescue.mode);
	}
	/* SA_RESETHAND: this time it does what it always does */
	raise(number);
}

static void add_capability(const char *name)
{
	const char *text = tigetstr((char *)name);
	size_t length;

	if (!text || text == (char *)-1)
		return;
	length = strlen(text);
	if (rescue.length + length > sizeof(rescue.bytes))
		return;
	memcpy(rescue.bytes + rescue.length, text, length);
	rescue.length += length;
}

/* A handler runs on a stack of its own: the crash may be an overflow of the usual one. */
static void arm_rescue(struct nsn_terminal *terminal, const struct termios *before)
{
	struct sigaction action = { .sa_handler = restore_and_die,
				    .sa_flags = SA_RESETHAND | SA_NODEFER | SA_ONSTACK };

	terminal->stack.ss_size = 64 * 1024;
	terminal->stack.ss_sp = malloc(terminal->stack.ss_size);
	if (!terminal->stack.ss_sp || sigaltstack(&terminal->stack, &terminal->stack_before))
		action.sa_flags &= ~SA_ONSTACK;
	rescue.fd = STDOUT_FILENO;
	rescue.mode = *before;
	rescue.length = 0;
	add_capability("sgr0");
	add_capability("rmkx");
	add_capability("rmcup");
	add_capability("cnorm");
	rescue.armed = 1;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &action, NULL);
}

static void disarm_rescue(struct nsn_terminal *terminal)
{
	stack_t none = { .ss_flags = SS_DISABLE };

	for (size_t i = 0; i < NSN_ARRAY_SIZE(crashes); i++)
		signal(crashes[i], SIG_DFL);
	rescue.armed = 0;
	sigaltstack(&none, NULL);
	free(terminal->stack.ss_sp);
}

/* ---- stderr ----------------------------------------------------------------------------------- */

/* What is said while the screen is ours is kept, and said after it. */
static void divert_stderr(struct nsn_terminal *terminal)
{
	terminal->real_stderr = -1;
	terminal->said = memfd_create("nosnooptop-stderr", MFD_CLOEXEC);
	if (terminal->said < 0 || !isatty(STDERR_FILENO))
		return;
	fflush(stderr);
	terminal->real_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (terminal->real_stderr >= 0)
		dup2(terminal->said, STDERR_FILENO);
	fcntl(terminal->said, F_SETFL, O_APPEND);
}

static void say_it(const struct nsn_terminal *terminal)
{
	char bytes[4096];
	off_t at = 0;
	ssize_t got;

	while ((got = pread(terminal->said, bytes, sizeof(bytes), at)) > 0) {
		if (write(STDERR_FILENO, bytes, (size_t)got) != got)
			return;
		at += got;
	}
}

static void return_stderr(struct nsn_terminal *terminal)
{
	if (terminal->real_stderr >= 0) {
		fflush(stderr);
		dup2(terminal->real_stderr, STDERR_FILENO);
		close(terminal->real_stderr);
		say_it(terminal);
	}
	if (terminal->said >= 0)
		close(terminal->said);
}

const char *nsn_terminal__said(struct nsn_terminal *terminal)
{
	off_t end;
	char *newline;
	ssize_t got;

	if (terminal->real_stderr < 0)
		return "";
	fflush(stderr);
	end = lseek(terminal->said, 0, SEEK_END);
	if (end <= terminal->heard)
		return "";
	got = pread(terminal->said, terminal->line, sizeof(terminal->line) - 1,
		    end > (off_t)sizeof(terminal->line) ? end - (off_t)sizeof(terminal->line) + 1
							: 0);
	terminal->line[got > 0 ? got : 0] = '\0';
	terminal->line[strcspn(terminal->line, "\n") == strlen(terminal->line)
			       ? strlen(terminal->line)
			       : (size_t)(strrchr(terminal->line, '\n') - terminal->line)] = '\0';
	terminal->heard = end;
	if (end > MOST_SAID && ftruncate(terminal->said, 0) == 0)
		terminal->heard = 0;
	newline = strrchr(terminal->line, '\n');
	return newline ? newline + 1 : terminal->line;
}

/* ---- colours ---------------------------------------------------------------------------------- */

enum ink {
	INK_PLAIN,
	INK_GOOD,
	INK_WARNING,
	INK_BAD,
	INK_DIM,
	INK_ACCENT,
	INK_MAX,
};

enum paper {
	PAPER_PLAIN,
	PAPER_SELECTED,
	PAPER_TITLE,
	PAPER_MAX,
};

static short pair_of(enum ink ink, enum paper paper)
{
	return (short)(1 + (int)paper * INK_MAX + (int)ink);
}

/* The terminal's own colours, which its owner chose to be readable; fixed ones on our own paper. */
static void make_colors(struct nsn_terminal *terminal)
{
	static const short inks[INK_MAX] = { -1,        COLOR_GREEN, COLOR_YELLOW,
					     COLOR_RED, -1,          COLOR_CYAN };
	static const short on_paper[INK_MAX] = { 255, 114, 221, 210, 250, 123 };
	static const short papers[PAPER_MAX] = { -1, 238, 24 };
	bool many = COLORS >= 256;

	if (use_default_colors() == ERR) {
		terminal->color = false;
		return;
	}
	for (int paper = 0; paper < PAPER_MAX; paper++) {
		for (int ink = 0; ink < INK_MAX; ink++) {
			short front = inks[ink], back = -1;

			if (paper != PAPER_PLAIN) {
				front = many ? on_paper[ink] : COLOR_WHITE;
				back = many ? papers[paper] : COLOR_BLUE;
			} else if (ink == INK_DIM && COLORS >= 16) {
				front = many ? 244 : 8;
			}
			init_pair(pair_of((enum ink)ink, (enum paper)paper), front, back);
		}
	}
}

static enum ink ink_of(unsigned int style)
{
	return style & NSN_STYLE_BAD       ? INK_BAD
	       : style & NSN_STYLE_WARNING ? INK_WARNING
	       : style & NSN_STYLE_GOOD    ? INK_GOOD
	       : style & NSN_STYLE_ACCENT  ? INK_ACCENT
	       : style & NSN_STYLE_DIM     ? INK_DIM
	       : style & NSN_STYLE_HEADER  ? INK_ACCENT
					   : INK_PLAIN;
}

static void set_style(const struct nsn_terminal *terminal, unsigned int style)
{
	bool bold = style & (NSN_STYLE_BOLD | NSN_STYLE_BAD | NSN_STYLE_HEADER);
	attr_t attributes = bold ? A_BOLD : 0;
	enum paper paper = style & NSN_STYLE_SELECTED ? PAPER_SELECTED
			   : style & NSN_STYLE_TITLE  ? PAPER_TITLE
						      : PAPER_PLAIN;
	short pair = 0;

	if (terminal->color) {
		pair = pair_of(ink_of(style), paper);
		if (style & NSN_STYLE_DIM && COLORS < 16 && paper == PAPER_PLAIN)
			attributes |= A_DIM;
	} else {
		attributes |= paper != PAPER_PLAIN ? A_REVERSE : 0;
		attributes |= style & NSN_STYLE_HEADER ? A_UNDERLINE : 0;
	}
	attr_set(attributes, pair, NULL);
}

/* ---- the screen ------------------------------------------------------------------------------- */

static void paint_line(const struct nsn_terminal *terminal, const struct nsn_line *line, int y,
		       int width)
{
	move(y, 0);
	for (size_t i = 0; i < line->spans_count; i++) {
		set_style(terminal, line->spans[i].style);
		addstr(line->spans[i].text);
	}
	set_style(terminal, line->style);
	for (int x = (int)line->cells; x < width; x++)
		addch(' ');
}

void nsn_terminal__paint(struct nsn_terminal *terminal, const struct nsn_screen *screen)
{
	erase();
	for (size_t i = 0; i < screen->lines_count && (int)i < LINES; i++)
		paint_line(terminal, &screen->lines[i], (int)i, COLS);
	curs_set(screen->cursor_line >= 0);
	if (screen->cursor_line >= 0)
		move((int)screen->cursor_line, (int)screen->cursor_cell);
	refresh();
}

void nsn_terminal__size(const struct nsn_terminal *terminal, size_t *width, size_t *height)
{
	(void)terminal;
	*width = (size_t)COLS;
	*height = (size_t)LINES;
}

void nsn_terminal__redraw(struct nsn_terminal *terminal)
{
	(void)terminal;
	clearok(stdscr, TRUE);
}

void nsn_terminal__resize(struct nsn_terminal *terminal)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
		resizeterm(size.ws_row, size.ws_col);
	nsn_terminal__redraw(terminal); /* what it kept of the old size is nothing to build on */
}

static uint32_t key_of(wint_t key)
{
	static const struct {
		wint_t from;
		uint32_t to;
	} keys[] = {
		{ KEY_UP, NSN_KEY_UP },         { KEY_DOWN, NSN_KEY_DOWN },
		{ KEY_LEFT, NSN_KEY_LEFT },     { KEY_RIGHT, NSN_KEY_RIGHT },
		{ KEY_PPAGE, NSN_KEY_PAGE_UP }, { KEY_NPAGE, NSN_KEY_PAGE_DOWN },
		{ KEY_HOME, NSN_KEY_HOME },     { KEY_END, NSN_KEY_END },
		{ KEY_ENTER, NSN_KEY_ENTER },   { KEY_BACKSPACE, NSN_KEY_BACKSPACE },
		{ KEY_BTAB, NSN_KEY_LEFT },
	};

	for (size_t i = 0; i < NSN_ARRAY_SIZE(keys); i++)
		if (keys[i].from == key)
			return keys[i].to;
	return 0;
}

int nsn_terminal__key(struct nsn_terminal *terminal, uint32_t *key)
{
	struct pollfd state = { .fd = fileno(terminal->input), .events = POLLIN };
	wint_t got;
	int kind = get_wch(&got);

	if (kind == ERR)
		return poll(&state, 1, 0) > 0 && state.revents & (POLLHUP | POLLERR | POLLNVAL)
			       ? -EIO
			       : 0;
	if (kind == KEY_CODE_YES)
		*key = key_of(got);
	else if (got == '\r' || got == '\n')
		*key = NSN_KEY_ENTER;
	else if (got == 27)
		*key = NSN_KEY_ESCAPE;
	else if (got == 8 || got == 127)
		*key = NSN_KEY_BACKSPACE;
	else
		*key = (uint32_t)got;
	return 1;
}

int nsn_terminal__fd(const struct nsn_terminal *terminal)
{
	return fileno(terminal->input);
}

/* ---- opened and closed ------------------------------------------------------------------------ */

static void set_modes(struct nsn_terminal *terminal, bool color)
{
	cbreak();
	noecho();
	nonl();
	intrflush(stdscr, FALSE);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	terminal->color = color && has_colors() && start_color() != ERR;
	if (terminal->color)
		make_colors(terminal);
}

/* Of the terminal that newterm() took: one that only types on (TERM=dumb) can't be drawn on. */
static bool can_move_cursor(void)
{
	const char *move = tigetstr((char *)"cup");

	return move && move != (char *)-1;
}

int nsn_terminal__open(bool color, struct nsn_terminal **out)
{
	struct nsn_terminal *terminal = calloc(1, sizeof(*terminal));
	struct termios before;
	int err = 0;

	*out = NULL;
	if (!terminal)
		return -ENOMEM;
	terminal->said = terminal->real_stderr = -1;
	terminal->input = isatty(STDIN_FILENO) ? stdin : fopen("/dev/tty", "re");
	if (!terminal->input || tcgetattr(STDOUT_FILENO, &before)) {
		err = -errno;
		nsn_error("no terminal to read keys from: %s; try -b", strerror(errno));
	} else {
		terminal->screen = newterm(NULL, stdout, terminal->input);
	}
	if (!err && terminal->screen && !can_move_cursor()) {
		endwin();
		delscreen(terminal->screen);
		nsn_error("this terminal can't move its cursor (TERM=%s); try -b", getenv("TERM"));
		err = -ENOTTY;
	} else if (!err && !terminal->screen) {
		nsn_error("this terminal is unknown (TERM=%s); try -b",
			  getenv("TERM") ? getenv("TERM") : "");
		err = -ENOTTY;
	}
	if (err) {
		if (terminal->input && terminal->input != stdin)
			fclose(terminal->input);
		free(terminal);
		return err;
	}
	arm_rescue(terminal, &before);
	set_modes(terminal, color);
	divert_stderr(terminal);
	*out = terminal;
	return 0;
}

void nsn_terminal__close(struct nsn_terminal *terminal)
{
	if (!terminal)
		return;
	curs_set(1);
	endwin();
	delscreen(terminal->screen);
	disarm_rescue(terminal);
	return_stderr(terminal);
	if (terminal->input != stdin)
		fclose(terminal->input);
	free(terminal);
}
