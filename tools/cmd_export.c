// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_export.c - nosnoop export: metrics to stdout or to a file; by HTTP the program nosnoop-exporter
 * gives them. Floor 4.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "export.h"
#include "export_opts.h"
#include "log.h"
#include "loop.h"
#include "newfile.h"

enum {
	OPTION_ONCE = 0x5000,
	OPTION_TEXTFILE,
	OPTION_INTERVAL,
	OPTION_LIST,
	OPTION_WEB,
};

struct cmd_opts {
	struct nsn_export_cli common;
	bool once, list;
	const char *textfile;
	uint64_t interval_ns;
	enum nsn_prom_format format;
	struct nsn_export *export;
	struct nsn_loop *loop;
};

static const struct argp_option options[] = {
	{ "once", OPTION_ONCE, NULL, 0, "print the metrics of now, without counters", 1 },
	{ "textfile", OPTION_TEXTFILE, "FILE", 0,
	  "write them to FILE, for node_exporter's textfile collector", 1 },
	{ "interval", OPTION_INTERVAL, "DURATION", 0,
	  "write FILE anew each time, with counters, until interrupted", 1 },
	{ "web.listen-address", OPTION_WEB, "ADDRESS", 0,
	  "serve them by HTTP: runs nosnoop-exporter, which takes more --web options", 1 },
	{ "list-metrics", OPTION_LIST, NULL, 0, "print what metrics there are, as Markdown", 1 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct cmd_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->common;
		return 0;
	case OPTION_ONCE:
		opts->once = true;
		return 0;
	case OPTION_TEXTFILE:
		opts->textfile = arg;
		return 0;
	case OPTION_INTERVAL:
		if (nsn_parse_duration(arg, "s", &opts->interval_ns) ||
		    opts->interval_ns < 100000000)
			argp_error(state, "--interval takes a time from 100ms on, not '%s'", arg);
		return 0;
	case OPTION_LIST:
		opts->list = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "no argument is taken: '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		if (opts->once + opts->list + (opts->textfile != NULL) != 1)
			argp_error(state, "give one of --once, --textfile FILE, "
					  "--web.listen-address ADDRESS and --list-metrics");
		if (opts->interval_ns && !opts->textfile)
			argp_error(state, "--interval goes with --textfile");
		if (!opts->interval_ns && (opts->common.export.live.events.no_pin ||
					   opts->common.export.live.events.without))
			argp_error(state, "--no-pin and --without say how to go on: they need "
					  "--interval");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &nsn_export_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Gives what is known of this machine as metrics for Prometheus: to stdout, to a file, "
	       "or by HTTP.\v"
	       "Exit status: 0, also when interrupted; 2 on failure. docs/metrics.md lists the "
	       "metrics.",
};

/* ---- writing ---------------------------------------------------------------------------------- */

/* All of it, or the errno of what stopped it. */
static int write_all(struct nsn_newfile *file, const char *text, size_t size)
{
	errno = 0;
	if (fwrite(text, 1, size, file->out) == size && fflush(file->out) == 0)
		return 0;
	return errno ? -errno : -EIO;
}

static int write_file(struct cmd_opts *opts)
{
	struct nsn_newfile file = { .out = NULL };
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	int err = memory ? nsn_export__render(opts->export, memory, opts->format) : -ENOMEM;

	if (memory && fclose(memory) && !err)
		err = -ENOMEM;
	if (!err)
		err = nsn_newfile__create(&file, opts->textfile, 0644);
	if (!err)
		err = write_all(&file, text, size);
	if (!err)
		err = nsn_newfile__commit(&file);
	nsn_newfile__abort(&file);
	free(text);
	if (err)
		nsn_error("%s: cannot write: %s; what was there is left as it was", opts->textfile,
			  strerror(-err));
	return err;
}

static int export_once(struct cmd_opts *opts)
{
	int err = nsn_export__collect(opts->export);

	if (!err) /* a recording is whole whoever reads what is printed */
		err = nsn_export__finish(opts->export);
	if (err)
		return err;
	return opts->textfile ? write_file(opts)
			      : nsn_export__render(opts->export, stdout, opts->format);
}

/* A file that can't be written now may be written the next time: it is told, and goes on. */
static int handle(void *data, enum nsn_loop_source source, int number)
{
	struct cmd_opts *opts = data;
	struct nsn_live *live = nsn_export__live(opts->export);
	int err;

	switch (source) {
	case NSN_LOOP_TICK:
		err = nsn_export__collect(opts->export);
		if (!err)
			write_file(opts);
		return err;
	case NSN_LOOP_EVENTS:
		return nsn_live__drain(live);
	case NSN_LOOP_SECOND:
		err = nsn_live__refresh(live);
		return err < 0 ? err : nsn_loop__watch_events(opts->loop, nsn_live__fd(live));
	case NSN_LOOP_SIGNAL:
		if (number != SIGWINCH)
			nsn_loop__stop(opts->loop);
		return 0;
	default:
		return 0;
	}
}

static int export_often(struct cmd_opts *opts)
{
	struct nsn_loop_opts loop = {
		.input = -1, .delay_ns = opts->interval_ns, .handle = handle, .data = opts
	};
	int err = nsn_loop__new(&loop, &opts->loop);

	if (!err)
		err = nsn_loop__watch_events(opts->loop,
					     nsn_live__fd(nsn_export__live(opts->export)));
	if (!err)
		err = write_file(opts); /* the first one must succeed: a mistake is told at once */
	if (!err)
		err = nsn_loop__run(opts->loop);
	nsn_loop__free(opts->loop);
	return err;
}

/* An option of the listener: that program takes all of them. */
static bool wants_listener(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--"); i++)
		if (strncmp(argv[i], "--web.", 6) == 0)
			return true;
	return false;
}

int cmd_export(int argc, char **argv)
{
	struct cmd_opts opts = { 0 };
	int err;

	if (wants_listener(argc, argv))
		return nsn_cli__exec_sibling("nosnoop-exporter", argv);
	nsn_export_cli__init(&opts.common);
	if (nsn_cli__parse(&argp, argc, argv, &opts) ||
	    nsn_export_cli__format(&opts.common, &opts.format))
		return NSN_EXIT_FAILURE;
	if (opts.list)
		return nsn_cli__close_stdout(nsn_render_metrics_list(stdout) ? NSN_EXIT_FAILURE
									     : 0);
	opts.common.export.counters = opts.interval_ns != 0;
	err = nsn_export__new(&opts.common.export, &opts.export);
	if (!err)
		err = opts.interval_ns ? export_often(&opts) : export_once(&opts);
	if (!err)
		err = nsn_export__finish(opts.export);
	nsn_export__free(opts.export);
	return nsn_cli__close_stdout(err ? NSN_EXIT_FAILURE : 0);
}
