// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cmd_audit.c - nosnoop audit: one snapshot, one verdict for each VM. Floor 4.
 */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "log.h"

enum {
	OPTION_FAIL_ON = 0x2000,
	OPTION_EXPLAIN,
	OPTION_LIST_RULES,
};

struct audit_opts {
	struct nsn_cli_opts cli;
	enum nsn_severity fail_on;
	const char *explain;
	bool list_rules;
	struct nsn_history_opts history; /* of a recording */
};

static const struct argp_option options[] = {
	{ "fail-on", OPTION_FAIL_ON, "SEVERITY", 0,
	  "exit with 1 on findings from critical, warning (the default), info or never", 2 },
	{ "explain", OPTION_EXPLAIN, "RULE", 0, "tell all about a rule, NS001 say, and stop", 4 },
	{ "list-rules", OPTION_LIST_RULES, NULL, 0, "list all rules and stop", 4 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct audit_opts *opts = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &opts->cli;
		state->child_inputs[1] = &opts->history;
		return 0;
	case OPTION_FAIL_ON:
		if (nsn_severity_parse(arg, &opts->fail_on))
			argp_error(state,
				   "--fail-on takes critical, warning, info or never, not '%s'",
				   arg);
		return 0;
	case OPTION_EXPLAIN:
		opts->explain = arg;
		return 0;
	case OPTION_LIST_RULES:
		opts->list_rules = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "no argument is taken: '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		nsn_cli__not_to_stdout(state, &opts->cli, "audit");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &nsn_cli_argp, 0, NULL, 0 },
					      { &nsn_history_argp, 0, NULL, 0 },
					      { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Tells for each running VM whether a device of its can bypass the CPU caches, whether "
	       "the IOMMU blocks that, and whether KVM honours the guest's WBINVD.\v"
	       "Exit status: 0 nothing found, 1 findings at or above --fail-on, 2 no verdict (bad "
	       "usage, unreadable input), 3 a rule could not be decided.",
};

/* --list-rules and --explain need no machine. */
static int print_rules(const struct audit_opts *opts, bool json,
		       const struct nsn_render_opts *render)
{
	const struct nsn_rule *rule;
	int err;

	if (opts->list_rules) {
		err = nsn_render_rules(stdout, json, render);
	} else {
		rule = nsn_rule_by_id(opts->explain);
		if (!rule) {
			nsn_error("no rule '%s'; see nosnoop audit --list-rules", opts->explain);
			return NSN_EXIT_FAILURE;
		}
		err = nsn_render_explain(stdout, rule, json, render);
	}
	return err ? nsn_cli__close_stdout(NSN_EXIT_FAILURE) : nsn_cli__close_stdout(0);
}

/* history: NULL if one look is all there is. */
static int judge(const struct audit_opts *opts, const struct nsn_model *model,
		 const struct nsn_history *history, bool json, struct nsn_render_opts *render)
{
	struct nsn_selection selection = { 0 };
	struct nsn_findings *findings;
	int status = NSN_EXIT_FAILURE;

	if (nsn_cli__select(&opts->cli, model, &selection) ||
	    nsn_cli__check_selection(&opts->cli, &selection))
		return NSN_EXIT_FAILURE;
	if (selection.any) {
		render->shows = nsn_cli__shows;
		render->shows_data = &selection;
	}
	findings = nsn_findings__with_history(model, history);
	if (!findings) {
		nsn_error("out of memory");
		return NSN_EXIT_FAILURE;
	}
	if ((json ? nsn_render_json : nsn_render_text)(stdout, model, findings, render) == 0)
		status = (int)nsn_render_result(model, findings, render);
	nsn_findings__free(findings);
	return nsn_cli__close_stdout(status);
}

/* Of a recording: its last snapshot, with what the others and its events tell of the time before. */
static int look(const struct audit_opts *opts, bool json, struct nsn_render_opts *render)
{
	struct nsn_history *history = nsn_history__new(&opts->history);
	struct nsn_session *session = NULL;
	struct nsn_model *model = NULL;
	int status = NSN_EXIT_FAILURE;
	size_t snapshots = 1;
	int err = history ? nsn_session__new(&opts->cli.session, &session) : -ENOMEM;

	if (!err && opts->cli.session.replay)
		err = nsn_session__replay_through(session, history, &model, &snapshots);
	else if (!err)
		err = nsn_session__snapshot(session, &model);
	if (!err && nsn_session__finish(session) == 0)
		status = judge(opts, model, snapshots > 1 ? history : NULL, json, render);
	nsn_model__free(model);
	nsn_session__free(session);
	nsn_history__free(history);
	return status;
}

int cmd_audit(int argc, char **argv)
{
	struct audit_opts opts = { .fail_on = NSN_SEVERITY_WARNING };
	struct nsn_render_opts render;
	bool json;

	if (nsn_cli__parse(&argp, argc, argv, &opts) || nsn_cli__format(&opts.cli, &json))
		return NSN_EXIT_FAILURE;
	nsn_cli__render_opts(&opts.cli, &render);
	render.fail_on = opts.fail_on;
	if (opts.list_rules || opts.explain)
		return print_rules(&opts, json, &render);
	return look(&opts, json, &render);
}
