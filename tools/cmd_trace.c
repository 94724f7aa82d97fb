// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_trace.c - nosnoop trace: each step of attach, enforcement and registration as it happens, with
 * its result and reason. Floor 4.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "log.h"
#include "trace.h"

enum {
	OPTION_EVENT = 0x3000,
	OPTION_MIN_DURATION,
	OPTION_MIN_US,
	OPTION_DURATION,
	OPTION_BUFFER,
	OPTION_SNAPSHOT_INTERVAL,
};

struct trace_opts {
	struct nsn_cli_opts cli;
	struct nsn_trace_opts trace;
};

static const struct argp_option options[] = {
	{ "event", OPTION_EVENT, "LIST", 0,
	  "only these events, separated by commas: group_attach,enforce; all: every kind", 2 },
	{ "min-duration", OPTION_MIN_DURATION, "TIME", 0,
	  "only what took at least so long: 100us, 5ms", 2 },
	{ "min-us", OPTION_MIN_US, "N", 0, "the same in microseconds", 2 },
	{ "duration", OPTION_DURATION, "TIME", 0, "end after that time: 30s, 5m", 2 },
	{ "count", 'n', "N", 0, "end after so many lines", 2 },
	{ "buffer", OPTION_BUFFER, "BYTES", 0,
	  "room for events that wait (1048576): a power of 2 of at least 4096", 3 },
	{ "snapshot-interval", OPTION_SNAPSHOT_INTERVAL, "TIME", 0,
	  "how often the machine is read for what no probe shows (1s)", 3 },
	{ 0 },
};

static uint64_t parse_time(struct argp_state *state, const char *option, const char *arg,
			   const char *unit)
{
	uint64_t ns = 0;

	if (nsn_parse_duration(arg, unit, &ns))
		argp_error(state, "%s takes a time, 100us or 30s say, not '%s'", option, arg);
	return ns;
}

static uint64_t parse_number(struct argp_state *state, const char *option, const char *arg,
			     uint64_t least)
{
	uint64_t number = 0;

	if (nsn_parse_u64(arg, &number) || number < least)
		argp_error(state, "%s takes a number from %llu on, not '%s'", option,
			   (unsigned long long)least, arg);
	return number;
}

static void parse_events(struct argp_state *state, char *arg, uint64_t *out)
{
	*out = 0;
	for (char *name = strtok(arg, ","); name; name = strtok(NULL, ",")) {
		int event = nsn_event_by_name(name);

		if (strcmp(name, "all") == 0)
			*out |= (1ULL << NSN_EVENT_MAX) - 1;
		else if (event < 0)
			argp_error(state, "no event '%s'; there are: %s", name,
				   nsn_trace_event_list());
		else
			*out |= 1ULL << event;
	}
	if (!*out)
		argp_error(state, "--event takes a list of events: %s", nsn_trace_event_list());
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct trace_opts *opts = state->input;
	struct nsn_trace_opts *trace = &opts->trace;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->cli;
		state->child_inputs[1] = &trace->history;
		state->child_inputs[2] = &trace->probes;
		return 0;
	case OPTION_EVENT:
		parse_events(state, arg, &trace->events);
		return 0;
	case OPTION_MIN_DURATION:
		trace->min_duration_ns = parse_time(state, "--min-duration", arg, "us");
		return 0;
	case OPTION_MIN_US:
		trace->min_duration_ns = parse_time(state, "--min-us", arg, "us");
		return 0;
	case OPTION_DURATION:
		trace->duration_ns = parse_time(state, "--duration", arg, "s");
		if (!trace->duration_ns)
			argp_error(state, "--duration takes a time above 0, not '%s'", arg);
		return 0;
	case 'n':
		trace->count = parse_number(state, "--count", arg, 1);
		return 0;
	case OPTION_BUFFER:
		trace->probes.ring_size = nsn_cli__buffer(state, "--buffer", arg);
		return 0;
	case OPTION_SNAPSHOT_INTERVAL:
		trace->interval_ns = parse_time(state, "--snapshot-interval", arg, "s");
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "no argument is taken: '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		nsn_cli__not_to_stdout(state, &opts->cli, "events");
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
	.doc = "Shows each step by which a device gets to a VM as it happens: groups that are attached "
	       "or refused, what IOMMU drivers answer, what KVM registers, and (--event wbinvd) "
	       "each flush of the caches for a guest.\v"
	       "What no probe can show on this kernel is told from the difference of snapshots. "
	       "Exit status: 0, also when interrupted; 2 on failure.",
};

int cmd_trace(int argc, char **argv)
{
	struct trace_opts opts = { .trace = { .interval_ns = 1000000000 } };
	int err;

	if (nsn_cli__parse(&argp, argc, argv, &opts) ||
	    nsn_cli__format(&opts.cli, &opts.trace.json))
		return NSN_EXIT_FAILURE;
	err = nsn_trace__run(&opts.cli, &opts.trace);
	return nsn_cli__close_stdout(err ? NSN_EXIT_FAILURE : 0);
}
