/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace.h - the loop behind nosnoop trace: events in, lines out.
 *
 * Floor 4. Lines wait for the snapshot that names their objects. What a probe does not show is told
 * from the difference of two snapshots.
 */
#ifndef NSN_TRACE_H
#define NSN_TRACE_H

#include "cli.h"
#include "events.h"
#include "history.h"

/* Zero-initialise, but for interval_ns. */
struct nsn_trace_opts {
	uint64_t events;          /* 1 << enum nsn_event; 0: all that are few */
	uint64_t min_duration_ns; /* of what has a duration; what has none is left out then */
	uint64_t duration_ns;     /* of a replay too, to the next snapshot; 0: until interrupted */
	uint64_t count;           /* lines; 0: no limit */
	uint64_t interval_ns;     /* between snapshots, where probes are off */
	struct nsn_history_opts history;
	struct nsn_events_opts probes; /* how to attach, and the buffer's size */
	bool json;
};

/* Runs until it is interrupted, or what opts say. 0 or -errno (logged). */
int nsn_trace__run(const struct nsn_cli_opts *cli, const struct nsn_trace_opts *opts);

/* The names of all events, separated by blanks. */
const char *nsn_trace_event_list(void);

#endif /* NSN_TRACE_H */
