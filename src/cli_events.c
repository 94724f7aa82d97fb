// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cli_events.c - options of commands that follow events. Floor 4.
 */
#include "cli.h"

enum {
	OPTION_NO_PIN = 0x1900,
	OPTION_WITHOUT,
};

static const struct argp_option options[] = {
	{ "no-pin", OPTION_NO_PIN, NULL, 0,
	  "kprobes only: they leave modules free to be unloaded, fentry does not", 5 },
	{ "without", OPTION_WITHOUT, "PROBES", 0,
	  "leave these probes off, separated by commas; nosnoop doctor lists them", 5 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct nsn_events_opts *opts = state->input;

	switch (key) {
	case OPTION_NO_PIN:
		opts->no_pin = true;
		return 0;
	case OPTION_WITHOUT:
		opts->without = nsn_cli__probes(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

uint32_t nsn_cli__buffer(struct argp_state *state, const char *option, const char *arg)
{
	uint64_t size = 0;

	if (nsn_parse_u64(arg, &size) || size < 4096 || size > 1 << 30 || size & (size - 1))
		argp_error(state, "%s takes a power of 2 from 4096 to 1073741824, not '%s'", option,
			   arg);
	return (uint32_t)size;
}

const struct argp nsn_events_argp = { .options = options, .parser = parse };
