/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session.h - from sources to a model: the wiring that every command shares.
 *
 * Floor 4. A session reads one machine: this one, one under --sysroot, or one that was recorded.
 * Each snapshot is a stream of records that ends with an end record; it can be recorded on its way.
 */
#ifndef NSN_SESSION_H
#define NSN_SESSION_H

#include "model.h"

struct nsn_session;

struct nsn_session_opts {
	const char *sysroot; /* NULL: this machine; else a folder with its sys/ and proc/ */
	const char *replay;  /* NULL: live; else a recording, "-" for stdin */
	const char *record;  /* NULL: none; else where to record the snapshots, "-" for stdout */
};

/* Opens the sources. 0 or -errno (logged). The options' strings must outlive the session. */
int nsn_session__new(const struct nsn_session_opts *opts, struct nsn_session **out);

/*
 * Takes a snapshot and builds its model, which the caller frees. On a replay: the recording's last
 * complete snapshot. 0 or -errno (logged).
 */
int nsn_session__snapshot(struct nsn_session *session, struct nsn_model **out);

/* Brings the recording, if there is one, to its place. 0 or -errno (logged). */
int nsn_session__finish(struct nsn_session *session);

/* Closes all; a recording that was not finished is removed. NULL is fine. */
void nsn_session__free(struct nsn_session *session);

#endif /* NSN_SESSION_H */
