/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * live.h - a machine over time: snapshots when something changed, counters at each tick, the events
 * of late, and what the rules say.
 *
 * Floor 4. Snapshots are the truth, events are news: an event, a loss and the passing of time ask
 * for the next snapshot. A replay is the same machine at the pace at which it was recorded.
 */
#ifndef NSN_LIVE_H
#define NSN_LIVE_H

#include "render_top.h"
#include "session.h"

#define NSN_LIVE_EVENTS 1000 /* events that are kept */

struct nsn_live;

struct nsn_live_opts {
	struct nsn_session_opts session;
	struct nsn_events_opts events;
	struct nsn_history_opts history;
	uint64_t snapshot_interval_ns; /* at latest */
	struct nsn_sink *tap;          /* gets each event as it is taken in; NULL: nobody does */
	double speed;                  /* of a replay; 0: as fast as it goes, one snapshot a tick */
	bool quick; /* the first snapshot leaves out the names of devices; the second has them */
};

/* Opens the session; nothing is read yet. 0 or -errno (logged). */
int nsn_live__new(const struct nsn_live_opts *opts, struct nsn_live **out);
void nsn_live__free(struct nsn_live *live); /* NULL is fine */

/* Takes a snapshot; of a replay the first one. There is a model after it. 0 or -errno (logged). */
int nsn_live__start(struct nsn_live *live);

/*
 * Attaches the event programs, if there is a kernel to attach to. leave (NULL: nobody) is asked in between,
 * with data: true gives it up, and the machine is watched without events. It must not take snapshots. 0 or
 * -errno (logged).
 */
int nsn_live__open_events(struct nsn_live *live, bool (*leave)(void *data), void *data);

/* Readable while events wait; -1: none can come. */
int nsn_live__fd(const struct nsn_live *live);

/* Takes in the events that wait. 0 or -errno (logged). */
int nsn_live__drain(struct nsn_live *live);

/*
 * ns until a snapshot that something asked for may be taken (they keep a distance, so that a storm
 * of events can't make a storm of snapshots); UINT64_MAX: nothing asks for one.
 */
uint64_t nsn_live__snapshot_in(const struct nsn_live *live);

/* Call it each second: follows modules, and takes a snapshot that is due. 1: something is new. */
int nsn_live__refresh(struct nsn_live *live);

/* Takes a snapshot now, asked for or not, and a reading with it; a replay goes on. 0 or -errno (logged). */
int nsn_live__snapshot(struct nsn_live *live);

/* A reading: brings counters and rates up to date; a replay goes on. 0 or -errno (logged). */
int nsn_live__tick(struct nsn_live *live);

/*
 * Of a screen that stands still: a replay's clock does too. What is recorded goes on, and events are taken
 * in, by nsn_live__pass_paused() each second. Going on brings all up to date. 0 or -errno (logged).
 */
int nsn_live__pause(struct nsn_live *live, bool paused);
int nsn_live__pass_paused(struct nsn_live *live);

/* True if a replay has nothing more to show. */
bool nsn_live__ended(const struct nsn_live *live);

/* Goes to the last snapshot of a replay at once. 0 or -errno (logged). */
int nsn_live__to_end(struct nsn_live *live);

/* Starts a recording to a file; one that runs is finished first. 0 or -errno (logged). path is copied. */
int nsn_live__record(struct nsn_live *live, const char *path);
/* Finishes the recording that runs, if there is one, with a snapshot. 0 or -errno (logged). */
int nsn_live__finish(struct nsn_live *live);

/*
 * -errno of a recording that could not be written any more (logged), told once; 0: none failed. One that
 * nsn_live_opts asked for counts again at the end.
 */
int nsn_live__recording_failed(struct nsn_live *live);

struct nsn_session *nsn_live__session(const struct nsn_live *live);
const struct nsn_model *nsn_live__model(const struct nsn_live *live);
const struct nsn_findings *nsn_live__findings(const struct nsn_live *live);
uint64_t nsn_live__lost(const struct nsn_live *live);
double nsn_live__interval(const struct nsn_live *live);

/* What there is to show, but for delay and message. Valid until the next call that changes it. */
void nsn_live__show(struct nsn_live *live, struct nsn_top *top);

#endif /* NSN_LIVE_H */
