/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render_select.h - the findings on what is shown (--vm, --device, --group). Floor 3, private to
 * the renderers.
 */
#ifndef NSN_RENDER_SELECT_H
#define NSN_RENDER_SELECT_H

#include "render.h"

/*
 * A shallow copy of the findings: those, and the unknowns, on objects that opts->shows() and on the
 * host, and the rules' counts for them. Points into the original; free it with
 * nsn_selected__free(). NULL without memory.
 */
struct nsn_findings *nsn_selected__new(const struct nsn_model *model,
				       const struct nsn_findings *findings,
				       const struct nsn_render_opts *opts);
/* Unknown facts of what is shown; render with nsn_render_opts as the scope's data. */
struct nsn_unknowns *nsn_selected__unknowns(const struct nsn_model *model,
					    const struct nsn_findings *findings,
					    const struct nsn_render_opts *opts);
void nsn_selected__free(struct nsn_findings *selected);

#endif /* NSN_RENDER_SELECT_H */
