// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tui.c - nosnooptop on a terminal: what happens at each tick and each key. Floor 4.
 */
#include "tui.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "tui_internal.h"

#define MESSAGE_TICKS 4 /* seconds that a message stays */
#define LEAST_DELAY   100000000ULL
#define MOST_DELAY    86400000000000ULL
#define CTRL_L        '\f'

struct tui {
	const struct nsn_tui_opts *opts;
	struct nsn_live *live;
	struct nsn_top_state *state;
	struct nsn_terminal *terminal;
	struct nsn_loop *loop;
	struct nsn_render_opts render;
	struct nsn_screen *screen; /* as it is painted */
	uint64_t delay_ns, frames; /* frames: those of ticks */
	char message[256], record[64];
	int message_left; /* seconds */
	bool message_bad;
	bool starting; /* the probes are being attached: keys are heard, and nothing is read */
	size_t frozen_events; /* while paused: how many there were */
};

static void tell(struct tui *tui, bool bad, const char *before, const char *what)
{
	nsn_format(tui->message, sizeof(tui->message), "%s%s", before, what);
	tui->message_left = MESSAGE_TICKS;
	tui->message_bad = bad;
}

/* ---- drawing ---------------------------------------------------------------------------------- */

static void fill(struct tui *tui, struct nsn_top *top)
{
	const char *said = nsn_terminal__said(tui->terminal);

	if (said[0])
		tell(tui, true, "", said);
	nsn_live__show(tui->live, top);
	top->attaching = tui->starting && !top->replay;
	top->delay_ns = tui->delay_ns;
	top->recording = tui->record[0] ? tui->record : top->recording;
	if (tui->message_left > 0) {
		top->message = tui->message;
		top->message_bad = tui->message_bad;
	}
	if (tui->state->paused && tui->frozen_events < top->events_count)
		top->events_count = tui->frozen_events;
}

static int draw(struct tui *tui)
{
	size_t width, height;
	struct nsn_top top;
	struct nsn_screen *screen;
	int err;

	fill(tui, &top);
	/* what was chosen is pointers into a model, and that may be another one by now */
	err = tui->opts->select(tui->opts->select_data, top.model, &tui->render);
	if (err)
		return err;
	nsn_terminal__size(tui->terminal, &width, &height);
	tui->render.width = (int)width;
	screen = nsn_render_top(&top, tui->state, &tui->render, height);
	if (!screen)
		return -ENOMEM;
	nsn_terminal__paint(tui->terminal, screen);
	nsn_screen__free(tui->screen);
	tui->screen = screen;
	return 0;
}

/* ---- keys ------------------------------------------------------------------------------------- */

/* "nosnooptop-20261123-060000.txt": a name that is new in the current folder, if no second passes. */
static void name_file(char *out, size_t size, const char *start, const char *end)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32] = "";

	if (localtime_r(&now, &tm))
		strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	nsn_format(out, size, "%s-%s.%s", start, stamp, end);
}

static void write_screen(struct tui *tui)
{
	char name[64];
	FILE *out;
	int fd;

	name_file(name, sizeof(name), "nosnooptop", "txt");
	/* of VMs' names, and never over another's file */
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out) {
		tell(tui, true, "the screen was not written: ", strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	if (nsn_screen__print(tui->screen, out, false) | fclose(out))
		tell(tui, true, "the screen was not written: ", strerror(errno));
	else
		tell(tui, false, "the screen was written to ", name);
}

static int toggle_recording(struct tui *tui)
{
	struct nsn_top top;
	char name[64];
	int err;

	if (tui->starting) {
		tell(tui, true, "no recording yet: the probes are being attached", "");
		return 0;
	}
	nsn_live__show(tui->live, &top);
	if (top.replay) {
		tell(tui, true, "this is a recording already", "");
		return 0;
	}
	if (tui->record[0] || top.recording) {
		nsn_format(name, sizeof(name), "%s", tui->record[0] ? tui->record : top.recording);
		err = nsn_live__finish(tui->live);
		tell(tui, err != 0, err ? "the recording failed: " : "recorded to ",
		     err ? strerror(-err) : name);
		tui->record[0] = '\0';
		return 0;
	}
	name_file(name, sizeof(name), "nosnoop", "jsonl");
	err = nsn_live__record(tui->live, name);
	if (!err)
		nsn_format(tui->record, sizeof(tui->record), "%s", name);
	tell(tui, err != 0, err ? "no recording: " : "R ends the recording to ",
	     err ? strerror(-err) : name);
	return 0;
}

static int set_delay(struct tui *tui)
{
	uint64_t delay;

	if (nsn_parse_duration(tui->state->input, "s", &delay) || delay < LEAST_DELAY ||
	    delay > MOST_DELAY) {
		tell(tui, true, "a delay is 100ms to 24h, not ", tui->state->input);
		return 0;
	}
	tui->delay_ns = delay;
	return nsn_loop__set_delay(tui->loop, delay);
}

static int pause_or_go_on(struct tui *tui)
{
	struct nsn_top top;

	nsn_live__show(tui->live, &top);
	tui->frozen_events = top.events_count;
	if (tui->starting)
		return 0; /* nothing is read yet */
	return nsn_live__pause(tui->live, tui->state->paused);
}

static int act(struct tui *tui, enum nsn_top_action action)
{
	switch (action) {
	case NSN_ACTION_QUIT:
		nsn_loop__stop(tui->loop);
		return 0;
	case NSN_ACTION_WRITE:
		write_screen(tui);
		return 0;
	case NSN_ACTION_RECORD:
		return toggle_recording(tui);
	case NSN_ACTION_DELAY:
		return set_delay(tui);
	case NSN_ACTION_PAUSE:
		return pause_or_go_on(tui);
	default:
		return 0;
	}
}

static int read_keys(struct tui *tui)
{
	uint32_t key;
	int got, err = 0;

	while (!err && (got = nsn_terminal__key(tui->terminal, &key)) > 0) {
		if (!key)
			continue;
		if (key == CTRL_L)
			nsn_terminal__redraw(tui->terminal);
		tui->message_left = 0;
		err = act(tui, nsn_top_state__key(tui->state, key));
	}
	if (!err && got < 0)
		nsn_loop__stop(tui->loop); /* nobody is there any more */
	return err;
}

/* ---- the loop --------------------------------------------------------------------------------- */

static int take_events(struct tui *tui)
{
	int err = nsn_live__drain(tui->live);

	return err ? err : nsn_loop__soon(tui->loop, nsn_live__snapshot_in(tui->live));
}

/* What a second brings: modules, a snapshot that is due, the age of the one there is. */
static int pass_second(struct tui *tui)
{
	int err;

	if (tui->message_left > 0)
		tui->message_left--;
	if (tui->state->paused)
		return nsn_live__pass_paused(tui->live);
	err = nsn_live__refresh(tui->live);
	if (err >= 0)
		err = nsn_loop__watch_events(tui->loop, nsn_live__fd(tui->live));
	return err < 0 ? err : 0;
}

static int handle(void *data, enum nsn_loop_source source, int number)
{
	struct tui *tui = data;
	int err = 0;

	if (tui->starting && source != NSN_LOOP_INPUT && source != NSN_LOOP_SIGNAL)
		return source == NSN_LOOP_SECOND ? draw(tui) : 0;
	switch (source) {
	case NSN_LOOP_TICK:
		err = tui->state->paused ? 0 : nsn_live__tick(tui->live);
		if (++tui->frames == tui->opts->count)
			nsn_loop__stop(tui->loop);
		break;
	case NSN_LOOP_SECOND:
		err = pass_second(tui);
		break;
	case NSN_LOOP_SOON:
		err = tui->state->paused ? 0 : nsn_live__refresh(tui->live);
		err = err < 0 ? err : 0;
		break;
	case NSN_LOOP_EVENTS:
		return take_events(tui);
	case NSN_LOOP_INPUT:
		err = read_keys(tui);
		break;
	default:
		if (number == SIGWINCH)
			nsn_terminal__resize(tui->terminal);
		else
			nsn_loop__stop(tui->loop);
		break;
	}
	if (nsn_live__recording_failed(tui->live))
		tui->record[0] = '\0'; /* what was said of it is shown */
	return err ? err : draw(tui);
}

/*
 * The first screen comes before the event programs are attached, which takes its time: keys and signals are
 * heard meanwhile. Whoever leaves by then has the loop stopped.
 */
static int start(struct tui *tui)
{
	int err = nsn_live__start(tui->live);

	tui->starting = true;
	if (!err)
		err = draw(tui);
	if (!err)
		err = nsn_live__open_events(tui->live, nsn_loop__pump, tui->loop);
	tui->starting = false;
	if (!err)
		err = nsn_loop__watch_events(tui->loop, nsn_live__fd(tui->live));
	if (!err && nsn_live__refresh(tui->live) < 0)
		err = -EIO;
	if (!err)
		err = nsn_live__tick(tui->live); /* counting begins here */
	tui->frames = 1;
	return err ? err : draw(tui);
}

int nsn_tui__run(const struct nsn_tui_opts *opts, struct nsn_top_state *state)
{
	struct tui tui = { .opts = opts,
			   .live = opts->live,
			   .state = state,
			   .render = opts->render,
			   .delay_ns = opts->delay_ns };
	struct nsn_loop_opts loop = { .delay_ns = opts->delay_ns, .handle = handle, .data = &tui };
	int failed, err = nsn_terminal__open(opts->render.color, &tui.terminal);

	if (err)
		return err;
	loop.input = nsn_terminal__fd(tui.terminal);
	err = nsn_loop__new(&loop, &tui.loop);
	if (!err)
		err = start(&tui);
	if (!err && opts->count != 1)
		err = nsn_loop__run(tui.loop);
	nsn_screen__free(tui.screen);
	nsn_terminal__close(tui.terminal);
	failed = nsn_live__finish(tui.live); /* while signals still wait */
	if (tui.record[0] && !failed)
		nsn_info("recorded to %s", tui.record);
	if (!err)
		err = failed;
	nsn_loop__free(tui.loop);
	if (err == -ENOMEM)
		nsn_error("out of memory");
	return err;
}
