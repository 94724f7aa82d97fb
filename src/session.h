/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h - from sources to a model: the wiring that every command shares.
 *
 * Floor 4. A session reads one machine: this one, one under --sysroot, or one that was recorded.
 * Each snapshot is a stream of records that ends with an end record; it can be recorded on its way.
 */
#ifndef NSN_SESSION_H
#define NSN_SESSION_H

#include "events.h"
#include "history.h"
#include "model.h"

struct nsn_session;

struct nsn_session_opts {
	const char *sysroot; /* NULL: this machine; else a folder with its sys/ and proc/ */
	const char *replay;  /* NULL: live; else a recording, "-" for stdin */
	const char *record;  /* NULL: none; else where to record the snapshots, "-" for stdout */
	bool outlive_record; /* a recording that can't be written ends, and the session goes on */
};

/* Opens the sources. 0 or -errno (logged). The options' strings must outlive the session. */
int nsn_session__new(const struct nsn_session_opts *opts, struct nsn_session **out);

/*
 * Takes a snapshot and builds its model, which the caller frees. On a replay: the recording's last
 * complete snapshot. 0 or -errno (logged).
 */
int nsn_session__snapshot(struct nsn_session *session, struct nsn_model **out);

/*
 * Attaches the event programs to a live session; opts->collector is filled in. From then on a
 * snapshot has counters. On a replay or under a sysroot it does nothing. 0 or -errno (logged, but for
 * -ECANCELED of opts->leave).
 */
int nsn_session__open_events(struct nsn_session *session, const struct nsn_events_opts *opts);

/* The session's events: for their descriptor, refresh, probes and losses. NULL if it has none. */
struct nsn_events *nsn_session__events(struct nsn_session *session);

/*
 * Hands the events that wait to sink, and to the recording. Returns how many or -errno. Call it
 * before a snapshot too: what a recording has of events stands before the snapshot that follows them.
 */
int nsn_session__drain(struct nsn_session *session, struct nsn_sink *sink);

/* Brings a model's counters up to date without a snapshot. 0 or -errno. */
int nsn_session__tick(struct nsn_session *session, struct nsn_model *model);

/*
 * The next snapshot of a replay, and the events before it into events (may be NULL). Returns 1, 0
 * if there is none any more, or -errno (logged). *out is the caller's to free. Without wait, -EAGAIN: it has
 * not come yet.
 */
int nsn_session__replay_next(struct nsn_session *session, struct nsn_sink *events, bool wait,
			     struct nsn_model **out);

/*
 * Goes through a replay to its last complete snapshot and feeds all of them, and their events, to
 * history; *snapshots: how many. If none is complete: what there is. 0 or -errno (logged).
 */
int nsn_session__replay_through(struct nsn_session *session, struct nsn_history *history,
				struct nsn_model **out, size_t *snapshots);

/*
 * Starts a recording of what comes from now on; one that runs is finished first. Call it before a
 * snapshot. 0 or -errno (logged). The path must outlive the session.
 */
int nsn_session__start_recording(struct nsn_session *session, const char *path);
/*
 * Finishes the recording that runs, if there is one. 0 or -errno (logged); that of one which ended because
 * it could not be written is among them, unless nsn_session__recording_failed() told it.
 */
int nsn_session__stop_recording(struct nsn_session *session);
/* -errno of a recording that could not be written any more (logged), told once; 0: none failed. */
int nsn_session__recording_failed(struct nsn_session *session);
/* Ends it without a file. */
void nsn_session__drop_recording(struct nsn_session *session);

/* What a snapshot of this machine is put together from; the records of each begin with its prefix. */
enum nsn_collector {
	NSN_COLLECTOR_BPF,
	NSN_COLLECTOR_SYSFS,
	NSN_COLLECTOR_PROC,
	NSN_COLLECTOR_EVENTS,
	NSN_COLLECTORS,
};

/* "bpf", and the start of the names of its sources (NSN_REC_SOURCE): "kernel.". */
const char *nsn_collector_name(enum nsn_collector collector);
const char *nsn_collector_prefix(enum nsn_collector collector);

/* Seconds that it took for the last snapshot; < 0 on a replay, and if it was not asked. */
double nsn_session__collector_seconds(const struct nsn_session *session,
				      enum nsn_collector collector);

/* Brings the recording, if there is one, to its place. As nsn_session__stop_recording(). */
int nsn_session__finish(struct nsn_session *session);

/* Closes all; a recording that was not finished is removed. NULL is fine. */
void nsn_session__free(struct nsn_session *session);

#endif /* NSN_SESSION_H */
