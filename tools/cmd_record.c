// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_record.c - nosnoop record: what this machine tells, now or over some time, in one file. Floor 4.
 */
#include <errno.h>
#include <signal.h>

#include "cli.h"
#include "commands.h"
#include "live.h"
#include "log.h"
#include "loop.h"

#define SECOND   1000000000ULL
#define INTERVAL (10 * SECOND) /* at latest from snapshot to snapshot, unless told otherwise */

enum {
	OPTION_DURATION = 0x3000,
	OPTION_INTERVAL,
};

struct record_opts {
	struct nsn_cli_opts cli;
	const char *file;
	uint64_t duration_ns; /* 0: one snapshot */
	uint64_t interval_ns; /* 0: not given */
	struct nsn_events_opts events;
};

static const struct argp_option options[] = {
	{ "duration", OPTION_DURATION, "TIME", 0,
	  "go on for that time, 30s or 10m: events, and a snapshot whenever something changed", 2 },
	{ "snapshot-interval", OPTION_INTERVAL, "TIME", 0,
	  "with --duration: at latest so long from snapshot to snapshot (10s)", 2 },
	{ 0 },
};

static uint64_t parse_time(struct argp_state *state, const char *option, const char *arg)
{
	uint64_t ns = 0;

	if (nsn_parse_duration(arg, "s", &ns) || ns < SECOND || ns > 30 * 86400 * SECOND)
		argp_error(state, "%s takes 1s to 720h, not '%s'", option, arg);
	return ns;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->cli;
		state->child_inputs[1] = &opts->events;
		return 0;
	case OPTION_DURATION:
		opts->duration_ns = parse_time(state, "--duration", arg);
		return 0;
	case OPTION_INTERVAL:
		opts->interval_ns = parse_time(state, "--snapshot-interval", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (opts->file)
			argp_error(state, "one file only: '%s'", arg);
		opts->file = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &nsn_cli_record_argp, 0, NULL, 0 },
					      { &nsn_events_argp, 0, NULL, 0 },
					      { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.args_doc = "FILE",
	.doc = "Writes one snapshot of this machine to FILE (JSON Lines, readable by you alone), "
	       "or with --duration what happens meanwhile: audit, top, trace and export take it "
	       "by --replay, on any machine and without root. It holds names of VMs, processes, "
	       "cgroups and devices, but no kernel address and no command line.\v"
	       "Exit status: 0, also when --duration is cut short by a signal; 2 on failure.",
};

/* What would be ignored is refused: a recording is always of the whole machine, and JSON Lines. */
static int check(const struct record_opts *opts)
{
	const struct nsn_cli_opts *cli = &opts->cli;

	if (cli->vm || cli->device || cli->group || cli->format) {
		nsn_error("a recording is of the whole machine and has one format: give --vm, "
			  "--device, --group and --format to the command that replays it");
		return -EINVAL;
	}
	if (!cli->session.record && !opts->file) {
		nsn_error("say where to write the recording (- is stdout)");
		return -EINVAL;
	}
	if (cli->session.record && opts->file) {
		nsn_error("one file only: '%s' or '%s'", cli->session.record, opts->file);
		return -EINVAL;
	}
	if (opts->duration_ns && cli->session.replay) {
		nsn_error(
			"--duration is for a machine: of a recording, --replay copies the last snapshot");
		return -EINVAL;
	}
	if (!opts->duration_ns &&
	    (opts->interval_ns || opts->events.no_pin || opts->events.without)) {
		nsn_error("--snapshot-interval, --no-pin and --without say how to go on: they need "
			  "--duration");
		return -EINVAL;
	}
	return 0;
}

/* ---- one snapshot ----------------------------------------------------------------------------- */

static int record_once(const struct record_opts *opts)
{
	struct nsn_session *session = NULL;
	struct nsn_model *model = NULL;
	int err = nsn_session__new(&opts->cli.session, &session);

	if (!err)
		err = nsn_session__snapshot(session, &model);
	if (!err)
		err = nsn_session__finish(session);
	if (!err)
		nsn_info("%zu VMs, %zu groups, %zu devices recorded", model->vms_count,
			 model->groups_count, model->devices_count);
	nsn_model__free(model);
	nsn_session__free(session);
	return err;
}

/* ---- over some time --------------------------------------------------------------------------- */

struct recording {
	struct nsn_live *live;
	struct nsn_loop *loop;
	uint64_t duration_ns; /* from when the probes are attached */
	size_t snapshots;
};

/* Follows modules and takes a snapshot that is due. */
static int refresh(struct recording *recording)
{
	int got = nsn_live__refresh(recording->live);

	if (got < 0)
		return got;
	recording->snapshots += got > 0;
	return nsn_loop__watch_events(recording->loop, nsn_live__fd(recording->live));
}

static int handle(void *data, enum nsn_loop_source source, int number)
{
	struct recording *recording = data;
	int err;

	switch (source) {
	case NSN_LOOP_TICK: /* the duration has passed */
		nsn_loop__stop(recording->loop);
		return 0;
	case NSN_LOOP_SECOND:
	case NSN_LOOP_SOON:
		return refresh(recording);
	case NSN_LOOP_EVENTS:
		err = nsn_live__drain(recording->live);
		return err ? err
			   : nsn_loop__soon(recording->loop,
					    nsn_live__snapshot_in(recording->live));
	default:
		if (number != SIGWINCH)
			nsn_loop__stop(recording->loop);
		return 0;
	}
}

/* From the first snapshot to the last: what happened until the end stands before that. */
static int go_on(struct recording *recording)
{
	int err = nsn_live__start(recording->live);

	if (!err)
		err = nsn_live__open_events(recording->live, nsn_loop__pump, recording->loop);
	if (!err)
		err = refresh(recording);
	if (!err)
		err = nsn_loop__set_delay(recording->loop, recording->duration_ns);
	if (!err)
		err = nsn_loop__run(recording->loop);
	if (!err)
		err = nsn_live__snapshot(recording->live);
	if (!err)
		err = nsn_live__finish(recording->live);
	if (!err)
		nsn_info("%zu snapshots recorded", recording->snapshots + 2);
	return err;
}

static int record_for_a_time(const struct record_opts *opts)
{
	struct nsn_live_opts live = { .session = opts->cli.session,
				      .events = opts->events,
				      .snapshot_interval_ns =
					      opts->interval_ns ? opts->interval_ns : INTERVAL };
	struct recording recording = { .duration_ns = opts->duration_ns };
	struct nsn_loop_opts loop = {
		.input = -1, .delay_ns = opts->duration_ns, .handle = handle, .data = &recording
	};
	/* signals wait from here on: what has been recorded is kept */
	int err = nsn_loop__new(&loop, &recording.loop);

	if (!err)
		err = nsn_live__new(&live, &recording.live);
	if (!err)
		err = go_on(&recording);
	nsn_live__free(recording.live);
	nsn_loop__free(recording.loop);
	return err;
}

int cmd_record(int argc, char **argv)
{
	struct record_opts opts = { 0 };
	int err;

	if (nsn_cli__parse(&argp, argc, argv, &opts) || check(&opts))
		return NSN_EXIT_FAILURE;
	if (!opts.cli.session.record)
		opts.cli.session.record = opts.file;
	err = opts.duration_ns ? record_for_a_time(&opts) : record_once(&opts);
	return nsn_cli__close_stdout(err ? NSN_EXIT_FAILURE : 0);
}
