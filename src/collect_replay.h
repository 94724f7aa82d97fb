/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_replay.h - a recording as a source of records, in place of the live machine.
 *
 * Floor 2. Reads whole snapshots, so that a recording that breaks off in an error gives nothing
 * rather than half a machine. A sink sees the same records in the same order at every replay.
 */
#ifndef NSN_COLLECT_REPLAY_H
#define NSN_COLLECT_REPLAY_H

#include "recdesc.h"

/*
 * Feeds the last complete snapshot of a recording ("-": stdin) to sink, its end record included. If
 * no snapshot of it is complete, the records there are, without an end (a warning is logged). Returns
 * 0 or -errno: of the sink, or of reading (logged); the sink has then got nothing.
 */
int nsn_replay__collect(const char *path, struct nsn_sink *sink);

/* The same for an open descriptor, which is closed in any case; name is for messages. */
int nsn_replay__collect_fd(int fd, const char *name, struct nsn_sink *sink);

/* One snapshot after the other, for the live commands. */
struct nsn_replay;

/* Returns 0 or -errno (logged); *out is then NULL. */
int nsn_replay__open(const char *path, struct nsn_replay **out);

/*
 * Reads the next snapshot and feeds it to sink. Returns 1, 0 if there is none any more, or -errno
 * (logged). A last snapshot without its end record is fed too. -EAGAIN (not logged): without waiting, its
 * rest has not come yet; a later call goes on.
 */
int nsn_replay__next_snapshot(struct nsn_replay *replay, struct nsn_sink *sink);

/* See nsn_recfile_reader__wait(). */
void nsn_replay__wait(struct nsn_replay *replay, bool wait);

void nsn_replay__free(struct nsn_replay *replay);

#endif /* NSN_COLLECT_REPLAY_H */
