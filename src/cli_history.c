// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cli_history.c - options of commands whose rules read a history. Floor 4.
 */
#include "cli.h"

enum {
	OPTION_WBINVD_RATE = 0x1800,
	OPTION_WBINVD_TIME,
};

static const struct argp_option options[] = {
	{ "wbinvd-rate", OPTION_WBINVD_RATE, "RATE", 0,
	  "NS003: executed WBINVDs a second that a VM may have, as a mean of 10 s (10)", 6 },
	{ "wbinvd-time", OPTION_WBINVD_TIME, "PERCENT", 0,
	  "NS003: the part of one CPU's time that they may take (1%)", 6 },
	{ 0 },
};

static double parse_above_0(struct argp_state *state, const char *option, const char *arg,
			    const char *unit)
{
	double number = 0;

	if (nsn_parse_decimal(arg, unit, &number) || number <= 0)
		argp_error(state, "%s takes a number above 0%s%s, not '%s'", option,
			   unit[0] ? " and may end in " : "", unit, arg);
	return number;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct nsn_history_opts *opts = state->input;

	switch (key) {
	case OPTION_WBINVD_RATE:
		opts->wbinvd_rate = parse_above_0(state, "--wbinvd-rate", arg, "");
		return 0;
	case OPTION_WBINVD_TIME:
		opts->wbinvd_time = parse_above_0(state, "--wbinvd-time", arg, "%") / 100;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp nsn_history_argp = { .options = options, .parser = parse };
