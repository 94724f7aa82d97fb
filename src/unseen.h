/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unseen.h - events that no probe shows, so that the difference of two snapshots has to.
 *
 * Floor 4. Masks are 1 << enum nsn_event.
 */
#ifndef NSN_UNSEEN_H
#define NSN_UNSEEN_H

#include "events.h"
#include "model.h"

/* Of a machine: by the probes that are off now. events: NULL if there are none. */
uint64_t nsn_unseen__live(const struct nsn_events *events);

/* Takes in what a recording's events tell of its probes: *on gets or loses the events that they show. */
void nsn_unseen__note(const struct nsn_records *events, uint64_t *on);

/*
 * Of a replay, by the model of a snapshot. That has a feature's state; how each of its probes stood is
 * told by events (on), which a recording may have begun after.
 */
uint64_t nsn_unseen__replay(const struct nsn_model *model, uint64_t on);

#endif /* NSN_UNSEEN_H */
