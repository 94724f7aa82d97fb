/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render.h - model and findings to bytes. Floor 3: no libbpf, no clock, no globals.
 *
 * Renderers loop over the rows of fields.h and over findings; the same input gives the same bytes.
 * Widths of characters are libc's, so the program calls setlocale() first.
 */
#ifndef NSN_RENDER_H
#define NSN_RENDER_H

#include <stdio.h>

#include "fields.h"
#include "rules.h"
#include "unknowns.h"

struct nsn_render_opts {
	int width;                 /* cells of a line of text; 0: 80 */
	bool color;                /* escape sequences for colours */
	bool utf8;                 /* the reader's terminal and the locale are UTF-8 */
	enum nsn_severity fail_on; /* --fail-on */
	const char *tool_version;
	uint64_t lost_events;    /* 0 for a snapshot */
	double interval_seconds; /* of a live model's rates; 0: there are none yet */
	/* Show only objects that this says yes to; NULL: all. Of findings: those on them and on the
	 * host. */
	bool (*shows)(const struct nsn_render_opts *opts, enum nsn_object kind, const void *object);
	const void *shows_data; /* for shows() */
};

/*
 * The audit's result for what is shown: nsn_findings__result() of the findings and the unknowns on
 * objects that opts->shows(), and on the host. -ENOMEM without memory.
 */
int nsn_render_result(const struct nsn_model *model, const struct nsn_findings *findings,
		      const struct nsn_render_opts *opts);

/*
 * Print the audit. 0, -ENOMEM, or -EIO if out took no more; the output is then incomplete.
 */
int nsn_render_text(FILE *out, const struct nsn_model *model, const struct nsn_findings *findings,
		    const struct nsn_render_opts *opts);
/*
 * One object, nosnoop.audit/1 (docs/audit.schema.json), ASCII only, and a newline; of a live model
 * nosnoop.live/1 (docs/live.schema.json), on one line.
 */
int nsn_render_json(FILE *out, const struct nsn_model *model, const struct nsn_findings *findings,
		    const struct nsn_render_opts *opts);

/* The table of rules (--list-rules), as text or as one JSON array. As above. */
int nsn_render_rules(FILE *out, bool json, const struct nsn_render_opts *opts);
/* All that there is to say about one rule (--explain). As above. */
int nsn_render_explain(FILE *out, const struct nsn_rule *rule, bool json,
		       const struct nsn_render_opts *opts);

#endif /* NSN_RENDER_H */
