/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * model_diff.h - events from the difference of two snapshots, for what no probe can show.
 *
 * Floor 1. It tells what came, went and changed, but neither when nor in which order, and nothing of
 * what was refused. Where a fact is unknown on either side, it tells nothing.
 */
#ifndef NSN_MODEL_DIFF_H
#define NSN_MODEL_DIFF_H

#include "model.h"

/*
 * Puts EVENT records of the kinds wanted (1 << enum nsn_event) for what changed from before to now:
 * what went away first, then what came. Their time is that of the later snapshot. 0 or -errno (of
 * the sink).
 */
int nsn_model_diff(const struct nsn_model *before, const struct nsn_model *now, uint64_t wanted,
		   struct nsn_sink *sink);

#endif /* NSN_MODEL_DIFF_H */
