/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tally.h - counts what happens, for the counters of metrics: attaches and enforcements by their
 * events, changes of verdicts from one model to the next.
 *
 * Floor 4. Events that are lost are not counted; how many is a metric too.
 */
#ifndef NSN_TALLY_H
#define NSN_TALLY_H

#include "events.h"
#include "metrics.h"

struct nsn_tally;

struct nsn_tally *nsn_tally__new(void);        /* NULL without memory */
void nsn_tally__free(struct nsn_tally *tally); /* NULL is fine */

/* Where events go to be counted; for nsn_live_opts.tap. */
struct nsn_sink *nsn_tally__sink(struct nsn_tally *tally);

/*
 * The next model. events: where the kernel's own counts are read; NULL: those of a replay are made of
 * its events and counters. The counts are valid until the next call. NULL without memory.
 */
const struct nsn_counts *nsn_tally__model(struct nsn_tally *tally, const struct nsn_model *model,
					  struct nsn_events *events);

#endif /* NSN_TALLY_H */
