// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_record.c - nosnoop record: what this machine tells, in one file. Floor 4.
 */
#include <errno.h>

#include "cli.h"
#include "commands.h"
#include "log.h"

struct record_opts {
	struct nsn_cli_opts cli;
	const char *file;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct record_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->cli;
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

static const struct argp_child children[] = { { &nsn_cli_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.parser = parse,
	.children = children,
	.args_doc = "FILE",
	.doc = "Writes one snapshot of this machine to FILE (JSON Lines, readable by you alone): "
	       "every command takes it by --replay, on any machine and without root. It holds names of "
	       "VMs, processes, cgroups and devices, but no kernel address and no command line.",
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
	return 0;
}

int cmd_record(int argc, char **argv)
{
	struct record_opts opts = { 0 };
	struct nsn_session *session = NULL;
	struct nsn_model *model = NULL;
	int status = NSN_EXIT_FAILURE;

	if (nsn_cli__parse(&argp, argc, argv, &opts) || check(&opts))
		return NSN_EXIT_FAILURE;
	if (!opts.cli.session.record)
		opts.cli.session.record = opts.file;
	if (nsn_session__new(&opts.cli.session, &session) == 0 &&
	    nsn_session__snapshot(session, &model) == 0 && nsn_session__finish(session) == 0) {
		nsn_info("%zu VMs, %zu groups, %zu devices recorded", model->vms_count,
			 model->groups_count, model->devices_count);
		status = 0;
	}
	nsn_model__free(model);
	nsn_session__free(session);
	return nsn_cli__close_stdout(status);
}
