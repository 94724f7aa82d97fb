// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_doctor.c - `nosnoop doctor`: what will be unknown on this kernel, and what would make it
 * known. Floor 4.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "collect_util.h"
#include "commands.h"
#include "doctor.h"
#include "log.h"
#include "render_doctor.h"

struct doctor_opts {
	struct nsn_cli_opts cli;
	const char *btf;
	const char *without;
};

enum {
	OPTION_BTF = 0x1000,
	OPTION_WITHOUT,
};

static const struct argp_option options[] = {
	{ "btf", OPTION_BTF, "DIR", 0,
	  "examine another kernel by its files: vmlinux, modules (*.ko or their BTF), kallsyms",
	  0 },
	{ "without", OPTION_WITHOUT, "PROBES", 0,
	  "tell what is lost without these probes, separated by commas", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
	struct doctor_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->cli;
		return 0;
	case OPTION_BTF:
		opts->btf = value;
		return 0;
	case OPTION_WITHOUT:
		opts->without = nsn_cli__probes(state, value);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument \"%s\"", value);
		return EINVAL;
	case ARGP_KEY_END:
		if (opts->cli.session.replay || opts->cli.session.record || opts->cli.vm ||
		    opts->cli.device || opts->cli.group)
			argp_error(state, "the doctor looks at a kernel: it takes no --replay, "
					  "--record, --vm, --device or --group");
		if (opts->btf && opts->cli.session.sysroot)
			argp_error(state, "--btf and --sysroot exclude each other");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &nsn_cli_doctor_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse_option,
	.children = children,
	.doc = "Tell what nosnoop can use of this kernel, or of another one; what will be unknown, "
	       "and what would make it known.\v"
	       "Exit status: 0 all there, 3 something is missing or could not be checked, "
	       "2 failure.",
};

/* libbpf's words about foreign BTF are for -vv; the checks say what is wrong. */
__attribute__((format(printf, 2, 0))) static int print_libbpf(enum libbpf_print_level level,
							      const char *format, va_list args)
{
	char text[512];

	(void)level;
	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	nsn_debug("%s", text);
	return 0;
}

int cmd_doctor(int argc, char **argv)
{
	struct doctor_opts opts = {};
	struct nsn_doctor_options what = {};
	struct nsn_checks checks = {};
	struct nsn_render_opts render = {};
	char reason[512];
	bool json = false;
	int err = nsn_cli__parse(&argp, argc, argv, &opts);

	if (err || nsn_cli__format(&opts.cli, &json) ||
	    nsn_collect__check_sysroot(opts.cli.session.sysroot))
		return NSN_EXIT_FAILURE;
	libbpf_set_print(print_libbpf);
	what.btf = opts.btf;
	what.without = opts.without;
	what.sysroot = opts.cli.session.sysroot ? opts.cli.session.sysroot : "";
	err = nsn_doctor__run(&what, &checks, reason, sizeof(reason));
	if (err) {
		nsn_error("doctor: %s", reason);
	} else {
		nsn_cli__render_opts(&opts.cli, &render);
		err = json ? nsn_render_doctor_json(stdout, &checks, &render)
			   : nsn_render_doctor_text(stdout, &checks, opts.cli.verbosity > 0,
						    &render);
		if (err == -ENOMEM)
			nsn_error("doctor: out of memory");
	}
	err = nsn_cli__close_stdout(err ? NSN_EXIT_FAILURE : nsn_checks__exit_code(&checks));
	nsn_checks__free(&checks);
	return err;
}
