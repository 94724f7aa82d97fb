/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.h - what all commands have in common on the command line.
 *
 * Floor 4. Options are data of the command that parses them; there is no global but argp's.
 */
#ifndef NSN_CLI_H
#define NSN_CLI_H

#include <argp.h>
#include <stdbool.h>

#include "events.h"
#include "history.h"
#include "render.h"
#include "session.h"

#define NSN_EXIT_FAILURE 2 /* bad usage, unreadable input, internal failure: no verdict */

enum nsn_color {
	NSN_COLOR_AUTO,
	NSN_COLOR_ALWAYS,
	NSN_COLOR_NEVER,
};

/* The options that every command takes. Zero-initialise. */
struct nsn_cli_opts {
	struct nsn_session_opts session;
	const char *vm;     /* --vm */
	const char *device; /* --device */
	const char *group;  /* --group */
	const char *format; /* --format; NULL: text */
	enum nsn_color color;
	int verbosity;
};

/*
 * For a command's argp: children[] with &nsn_cli_argp, whose input is a struct nsn_cli_opts
 * (state->child_inputs[0]). Handles -h, -V, -v and the options above.
 */
extern const struct argp nsn_cli_argp;
/* The same for commands that refuse some of these, and so do not list them. */
extern const struct argp nsn_cli_record_argp;
extern const struct argp nsn_cli_export_argp;
extern const struct argp nsn_cli_doctor_argp;

/*
 * Options of commands whose rules read a history: --wbinvd-rate, --wbinvd-time. Its input is a
 * struct nsn_history_opts, zero-initialised.
 */
extern const struct argp nsn_history_argp;

/* Options of commands that follow events: --no-pin, --without. Its input is a struct nsn_events_opts. */
extern const struct argp nsn_events_argp;

/* Bytes of a buffer for events: a power of 2 of whole pages, or argp_error(). */
uint32_t nsn_cli__buffer(struct argp_state *state, const char *option, const char *arg);

/* argp_error() if the recording would go where the command's own output does; `what` that is. */
void nsn_cli__not_to_stdout(struct argp_state *state, const struct nsn_cli_opts *opts,
			    const char *what);

/* A list of probes to leave off, for --without: gives list, or argp_error() for an unknown name. */
const char *nsn_cli__probes(struct argp_state *state, const char *list);

/* argp_parse() with our exit status and flags. argv[0] becomes part of the usage line. 0 or 2. */
int nsn_cli__parse(const struct argp *argp, int argc, char **argv, void *input);

/* Turns --format into a choice: 0 for "text", 1 for "json"; a usage error otherwise. */
int nsn_cli__format(const struct nsn_cli_opts *opts, bool *json);

/* Width, colour and character set of stdout, after setlocale(). */
void nsn_cli__render_opts(const struct nsn_cli_opts *opts, struct nsn_render_opts *out);

/*
 * Which objects --vm, --device and --group select. Points into model and opts. Zero-initialise.
 */
struct nsn_selection {
	const struct nsn_model *model;
	const struct nsn_vm *vm;
	const struct nsn_device *device;
	const struct nsn_group *group;
	bool any; /* an option was given */
};

/* Resolves the options. 0, or -ENOENT or -EEXIST after telling what there is. */
int nsn_cli__select(const struct nsn_cli_opts *opts, const struct nsn_model *model,
		    struct nsn_selection *out);

/*
 * What was chosen must belong together where it is to be judged: a VM without that device would be found
 * clean, since nothing of it is meant. 0, or -ENOENT (logged).
 */
int nsn_cli__check_selection(const struct nsn_cli_opts *opts,
			     const struct nsn_selection *selection);

/* For nsn_render_opts.shows, whose shows_data is a struct nsn_selection. */
bool nsn_cli__shows(const struct nsn_render_opts *opts, enum nsn_object kind, const void *object);

/*
 * Flushes stdout and gives the exit status: `status`, or 2 if not all could be written (told, unless
 * the reader has closed the pipe).
 */
int nsn_cli__close_stdout(int status);

/*
 * Becomes the program `name` that stands beside this one, with the same arguments. It returns only if
 * that fails: 2 (logged).
 */
int nsn_cli__exec_sibling(const char *name, char **argv);

/*
 * A standard descriptor that is closed would be the next one that we open: our talk would end in a
 * recording. What holds its place can't be used for what it stands for, so writing still fails.
 */
bool nsn_cli__hold_standard_descriptors(void);

#endif /* NSN_CLI_H */
