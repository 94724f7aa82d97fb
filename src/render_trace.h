/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render_trace.h - events as lines: for people, and as nosnoop.trace/1.
 *
 * Floor 3: no clock; an event brings its time. Each line is flushed.
 */
#ifndef NSN_RENDER_TRACE_H
#define NSN_RENDER_TRACE_H

#include "model_names.h"
#include "render.h"

/* The line above the first one. 0, -ENOMEM, or -EIO if out took no more. */
int nsn_render_trace_heading(FILE *out, const struct nsn_render_opts *opts);

/* One event on a line. As above. */
int nsn_render_trace_text(FILE *out, const struct nsn_told *told,
			  const struct nsn_render_opts *opts);

/* One object (docs/trace.schema.json), ASCII only, and a newline. As above. */
int nsn_render_trace_json(FILE *out, const struct nsn_told *told);

/* The step of a VMM's way that an event belongs to: "bind", "open", "SET_IOMMU"; NULL: none. */
const char *nsn_trace_step(const struct nsn_rec_event *event);

/* How it ended: "ok", "failed", "noop", "enforced", "executed", "fentry", …; NULL: not said. */
const char *nsn_trace_result(const struct nsn_told *told);

#endif /* NSN_RENDER_TRACE_H */
