// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * export_opts.c - the options that nosnoop export and nosnoop-exporter share. Floor 4.
 */
#include "export_opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define SECOND 1000000000ULL

enum {
	OPTION_COLLECT = 0x4000,
	OPTION_MAX_VMS,
	OPTION_SPEED,
};

static const struct argp_option options[] = {
	{ "collect", OPTION_COLLECT, "LIST", 0, "also: host (the domains of the host itself)", 4 },
	{ "max-vms", OPTION_MAX_VMS, "N", 0,
	  "metrics of at most N VMs, the gravest verdicts first; nosnoop_vms_omitted tells of the rest",
	  4 },
	{ "speed", OPTION_SPEED, "FACTOR", 0,
	  "of a replay: 1 is its own time (the default), 0 a snapshot with each exposition", 5 },
	{ 0 },
};

static void parse_speed(struct nsn_export_cli *opts, const char *arg, struct argp_state *state)
{
	char *end;

	opts->export.live.speed = strtod(arg, &end);
	if (end == arg || *end || !(opts->export.live.speed >= 0 && opts->export.live.speed <= 1e6))
		argp_error(state, "--speed takes 0 to 1000000, not '%s'", arg);
}

/* What would be ignored is refused. */
static void check(struct nsn_export_cli *opts, struct argp_state *state)
{
	const struct nsn_cli_opts *cli = &opts->cli;

	if (cli->vm || cli->device || cli->group)
		argp_error(state, "metrics are of the whole machine: --vm, --device and --group "
				  "are labels of theirs");
	nsn_cli__not_to_stdout(state, cli, "metrics");
	opts->export.live.session = cli->session;
	opts->export.live.session.outlive_record = true;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct nsn_export_cli *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->cli;
		state->child_inputs[1] = &opts->export.live.history;
		state->child_inputs[2] = &opts->export.live.events;
		return 0;
	case OPTION_COLLECT:
		if (strcmp(arg, "host"))
			argp_error(state, "--collect takes host, not '%s'", arg);
		opts->export.host_domains = true;
		return 0;
	case OPTION_MAX_VMS:
		if (nsn_parse_u64(arg, &opts->export.max_vms))
			argp_error(state, "--max-vms takes a number, not '%s'", arg);
		opts->export.max_vms_set = true;
		return 0;
	case OPTION_SPEED:
		parse_speed(opts, arg, state);
		return 0;
	case ARGP_KEY_END:
		check(opts, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &nsn_cli_export_argp, 0, NULL, 0 },
					      { &nsn_history_argp, 0, NULL, 0 },
					      { &nsn_events_argp, 0, NULL, 0 },
					      { 0 } };
const struct argp nsn_export_argp = { .options = options, .parser = parse, .children = children };

void nsn_export_cli__init(struct nsn_export_cli *opts)
{
	memset(opts, 0, sizeof(*opts));
	opts->export.live.snapshot_interval_ns = 10 * SECOND;
	opts->export.live.speed = 1;
}

int nsn_export_cli__format(const struct nsn_export_cli *opts, enum nsn_prom_format *out)
{
	const char *format = opts->cli.format;

	*out = NSN_PROM_TEXT;
	if (!format || strcmp(format, "prometheus") == 0 || strcmp(format, "text") == 0)
		return 0;
	*out = NSN_PROM_OPENMETRICS;
	if (strcmp(format, "openmetrics") == 0)
		return 0;
	nsn_error("--format takes prometheus or openmetrics, not '%s'", format);
	return NSN_EXIT_FAILURE;
}
