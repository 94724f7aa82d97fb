// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * top.c - nosnooptop: options, the batch mode, and when which mode is meant. Floor 4.
 */
#include "top.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "live.h"
#include "log.h"
#include "loop.h"
#include "tui.h"

#define SECOND 1000000000ULL

enum {
	OPTION_VIEW = 0x2000,
	OPTION_INTERVAL,
	OPTION_RING,
	OPTION_SPEED,
};

/* Objects that --vm, --device and --group chose in the first model, by what stays the same. */
struct chosen {
	bool any;
	char vm[NSN_ID_LEN], device[NSN_ID_LEN];
	bool group;
	uint64_t number;
};

struct top_opts {
	struct nsn_cli_opts cli;
	struct nsn_live_opts live;
	struct nsn_top_state state;
	struct nsn_render_opts render;
	struct nsn_selection selection;
	struct chosen chosen;
	bool started; /* chosen is made */
	bool batch, json, counted;
	uint64_t count, shown, delay_ns;
	const char *sort;
	struct nsn_live *source;
	struct nsn_loop *loop;
};

static const struct argp_option options[] = {
	{ "batch", 'b', NULL, 0, "print one frame after the other, for a file or a pipe", 4 },
	{ "count", 'n', "N", 0, "end after N frames", 4 },
	{ "delay", 'd', "DURATION", 0, "time between two readings: 500ms, 2s (the default), 1m",
	  4 },
	{ "sort", 's', "COLUMN", 0, "sort by this column; a - before it inverts the order", 4 },
	{ "view", OPTION_VIEW, "VIEW", 0,
	  "vms (the default), domains, devices, findings, events or iommus", 4 },
	{ "snapshot-interval", OPTION_INTERVAL, "DURATION", 0,
	  "read the whole machine anew at latest after this time (10s)", 5 },
	{ "ring-size", OPTION_RING, "BYTES", 0, "room for events, a power of 2", 5 },
	{ "speed", OPTION_SPEED, "FACTOR", 0,
	  "of a replay: 1 is its own time (the default), 10 ten times as fast, 0 as fast as it goes",
	  5 },
	{ 0 },
};

static uint64_t parse_time(const char *name, const char *arg, struct argp_state *state)
{
	uint64_t ns;

	if (nsn_parse_duration(arg, "s", &ns) || ns < SECOND / 10 || ns > 86400 * SECOND)
		argp_error(state, "%s takes 100ms to 24h, not '%s'", name, arg);
	return ns;
}

static uint64_t parse_number(const char *name, const char *arg, struct argp_state *state)
{
	uint64_t number;

	if (nsn_parse_u64(arg, &number) || !number)
		argp_error(state, "%s takes a number above 0, not '%s'", name, arg);
	return number;
}

static void parse_view(struct top_opts *opts, const char *arg, struct argp_state *state)
{
	int view = nsn_top_view_by_name(arg);

	if (view < 0)
		argp_error(
			state,
			"--view takes vms, domains, devices, findings, events or iommus, not '%s'",
			arg);
	opts->state.view = (enum nsn_top_view)view;
}

static void parse_speed(struct top_opts *opts, const char *arg, struct argp_state *state)
{
	if (nsn_parse_decimal(arg, "x", &opts->live.speed) || opts->live.speed > 1e6)
		argp_error(state, "--speed takes 0 to 1000000, not '%s'", arg);
}

/* The column belongs to the view, which may come after it on the command line. */
static void parse_sort(struct top_opts *opts, struct argp_state *state)
{
	struct nsn_top_choice *choice = &opts->state.views[opts->state.view];
	const char *name = opts->sort;

	if (!name)
		return;
	choice->invert = name[0] == '-';
	choice->sort = nsn_top_column_by_name(opts->state.view, name + choice->invert);
	if (choice->sort >= 0)
		return;
	fprintf(stderr, "nosnooptop: the columns of %s are:", nsn_top_view_name(opts->state.view));
	for (int i = 0; i < nsn_top_columns(opts->state.view); i++)
		fprintf(stderr, "%s %s", i ? "," : "", nsn_top_column_name(opts->state.view, i));
	fputc('\n', stderr);
	argp_error(state, "no column '%s'", name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct top_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->cli;
		state->child_inputs[1] = &opts->live.history;
		state->child_inputs[2] = &opts->live.events;
		return 0;
	case 'b':
		opts->batch = true;
		return 0;
	case 'n':
		opts->count = parse_number("-n", arg, state);
		return 0;
	case 'd':
		opts->delay_ns = parse_time("-d", arg, state);
		return 0;
	case 's':
		opts->sort = arg;
		return 0;
	case OPTION_VIEW:
		parse_view(opts, arg, state);
		return 0;
	case OPTION_INTERVAL:
		opts->live.snapshot_interval_ns = parse_time("--snapshot-interval", arg, state);
		return 0;
	case OPTION_RING:
		opts->live.events.ring_size = nsn_cli__buffer(state, "--ring-size", arg);
		return 0;
	case OPTION_SPEED:
		parse_speed(opts, arg, state);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "no argument is taken: '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		parse_sort(opts, state);
		nsn_cli__not_to_stdout(state, &opts->cli, "screen");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &nsn_cli_argp, 0, NULL, 0 },
					      { &nsn_history_argp, 0, NULL, 0 },
					      { &nsn_events_argp, 0, NULL, 0 },
					      { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Shows which VM flushes whose caches right now, and why: each VM with its verdict, "
	       "its guest's WBINVDs and what they cost; domains, devices, findings, events.\v"
	       "Without a terminal it prints one frame. ? tells the keys. Exit status: 0, or 2 on "
	       "failure.",
};

/* ---- what is shown ---------------------------------------------------------------------------- */

static bool shows_nothing(const struct nsn_render_opts *opts, enum nsn_object kind,
			  const void *object)
{
	(void)opts;
	(void)object;
	return kind == NSN_OBJECT_HOST;
}

static void remember(struct top_opts *opts)
{
	const struct nsn_selection *selection = &opts->selection;
	struct chosen *chosen = &opts->chosen;

	chosen->any = selection->any;
	if (selection->vm)
		nsn_format(chosen->vm, sizeof(chosen->vm), "%s", selection->vm->id);
	if (selection->device)
		nsn_format(chosen->device, sizeof(chosen->device), "%s", selection->device->id);
	chosen->group = selection->group != NULL;
	chosen->number = selection->group ? selection->group->number : 0;
}

/* Finds what was chosen in another model; false if something of it is not there now. */
static bool find_chosen(struct top_opts *opts, const struct nsn_model *model)
{
	struct nsn_selection *selection = &opts->selection;
	const struct chosen *chosen = &opts->chosen;

	*selection = (struct nsn_selection){ .model = model, .any = chosen->any };
	for (size_t i = 0; i < model->vms_count && chosen->vm[0]; i++)
		if (strcmp(model->vms[i].id, chosen->vm) == 0)
			selection->vm = &model->vms[i];
	if (chosen->device[0])
		selection->device = nsn_model__device(model, chosen->device);
	if (chosen->group)
		selection->group = nsn_model__group(model, chosen->number);
	return (!chosen->vm[0] || selection->vm) && (!chosen->device[0] || selection->device) &&
	       (!chosen->group || selection->group);
}

/* What is chosen must be there at the start; later it may go and come. */
static int choose(void *data, const struct nsn_model *model, struct nsn_render_opts *render)
{
	struct top_opts *opts = data;
	bool there = true;

	if (!opts->started) {
		int err = nsn_cli__select(&opts->cli, model, &opts->selection);

		if (err)
			return err;
		remember(opts);
		opts->started = true;
	} else {
		there = find_chosen(opts, model);
	}
	if (!opts->selection.any)
		return 0;
	render->shows = there ? nsn_cli__shows : shows_nothing;
	render->shows_data = &opts->selection;
	return 0;
}

/* ---- batch ------------------------------------------------------------------------------------ */

static int print_text(struct top_opts *opts, const struct nsn_top *top)
{
	struct nsn_screen *screen = nsn_render_top_batch(top, &opts->state, &opts->render);
	int err;

	if (!screen)
		return -ENOMEM;
	err = nsn_screen__print(screen, stdout, opts->render.color);
	nsn_screen__free(screen);
	return err;
}

static int print_frame(struct top_opts *opts)
{
	struct nsn_top top;
	int err = choose(opts, nsn_live__model(opts->source), &opts->render);

	if (err)
		return err;
	nsn_live__show(opts->source, &top);
	top.delay_ns = opts->delay_ns;
	opts->shown++;
	if (!opts->json)
		return print_text(opts, &top);
	opts->render.lost_events = top.lost;
	opts->render.interval_seconds = nsn_live__interval(opts->source);
	return nsn_render_json(stdout, top.model, top.findings, &opts->render);
}

static bool is_enough(const struct top_opts *opts)
{
	return (opts->count && opts->shown >= opts->count) || nsn_live__ended(opts->source);
}

static int handle(void *data, enum nsn_loop_source source, int number)
{
	struct top_opts *opts = data;
	int err = 0;

	(void)number;
	switch (source) {
	case NSN_LOOP_TICK:
		err = nsn_live__tick(opts->source);
		if (!err)
			err = print_frame(opts);
		if (is_enough(opts))
			nsn_loop__stop(opts->loop);
		return err;
	case NSN_LOOP_EVENTS:
		err = nsn_live__drain(opts->source);
		return err ? err : nsn_loop__soon(opts->loop, nsn_live__snapshot_in(opts->source));
	case NSN_LOOP_SECOND:
	case NSN_LOOP_SOON:
		err = nsn_live__refresh(opts->source);
		if (err >= 0)
			err = nsn_loop__watch_events(opts->loop, nsn_live__fd(opts->source));
		return err;
	case NSN_LOOP_SIGNAL:
		if (number != SIGWINCH)
			nsn_loop__stop(opts->loop);
		return 0;
	default:
		return 0;
	}
}

/* A replay that need not wait: a frame for each snapshot. */
static int run_through(struct top_opts *opts)
{
	int err = 0;

	while (!err && !is_enough(opts)) {
		err = nsn_live__tick(opts->source);
		if (!err)
			err = print_frame(opts);
	}
	return err;
}

static int run_batch(struct top_opts *opts)
{
	struct nsn_loop_opts loop = {
		.input = -1, .delay_ns = opts->delay_ns, .handle = handle, .data = opts
	};
	int err = nsn_live__open_events(opts->source, NULL, NULL);

	if (!err)
		err = nsn_live__start(opts->source);
	/* of one frame alone, the last state of a recording is what is wanted */
	if (!err && !opts->batch)
		err = nsn_live__to_end(opts->source);
	if (!err)
		err = print_frame(opts);
	if (err || is_enough(opts))
		return err;
	if (opts->cli.session.replay && opts->live.speed <= 0)
		return run_through(opts);
	err = nsn_loop__new(&loop, &opts->loop);
	if (!err)
		err = nsn_loop__watch_events(opts->loop, nsn_live__fd(opts->source));
	return err ? err : nsn_loop__run(opts->loop);
}

/* ---- which mode ------------------------------------------------------------------------------- */

static int run(struct top_opts *opts)
{
	struct nsn_tui_opts tui = { .delay_ns = opts->delay_ns,
				    .count = opts->count,
				    .select = choose,
				    .select_data = opts };
	bool terminal = !opts->batch && !opts->json && isatty(STDOUT_FILENO);
	int err;

	if (!opts->batch && !terminal && !opts->count)
		opts->count = 1;
	opts->live.session = opts->cli.session;
	opts->live.session.outlive_record = true;
	/* the screen of VMs names no device, and a recording is to have all */
	opts->live.quick =
		terminal && opts->state.view == NSN_VIEW_VMS && !opts->cli.session.record;
	err = nsn_live__new(&opts->live, &opts->source);
	if (err)
		return err;
	tui.live = opts->source;
	tui.render = opts->render;
	/* a recording is finished though whoever reads frames has gone, or has no room for them */
	if (!terminal && opts->cli.session.record)
		signal(SIGPIPE, SIG_IGN);
	err = terminal ? nsn_tui__run(&tui, &opts->state) : run_batch(opts);
	if (!terminal && (!err || ferror(stdout))) {
		int failed = nsn_live__finish(opts->source);

		err = err ? err : failed;
	}
	nsn_loop__free(opts->loop); /* until then signals wait */
	nsn_live__free(opts->source);
	return err;
}

int nsn_top__main(int argc, char **argv)
{
	struct top_opts opts = { .delay_ns = 2 * SECOND,
				 .live = { .snapshot_interval_ns = 10 * SECOND, .speed = 1 } };
	int err;

	/* Each snapshot comes and goes: what it took is to go back to the system, not to grow holes. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	mallopt(M_TRIM_THRESHOLD, 256 * 1024);
	nsn_top_state__init(&opts.state);
	if (nsn_cli__parse(&argp, argc, argv, &opts) || nsn_cli__format(&opts.cli, &opts.json))
		return NSN_EXIT_FAILURE;
	nsn_cli__render_opts(&opts.cli, &opts.render);
	err = run(&opts);
	return nsn_cli__close_stdout(err ? NSN_EXIT_FAILURE : 0);
}
