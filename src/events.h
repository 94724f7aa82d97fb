/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.h - what happens, as it happens: attaches the event programs, hands their events on and
 * counts each VM's WBINVDs.
 *
 * Floor 2. Each probe is a row of probes.c, chosen by what this kernel has; one that cannot be
 * attached turns off its feature and says why, the others stay. Nothing is pinned: all of it is gone
 * with the process. Modules that come or go are followed by nsn_events__refresh().
 */
#ifndef NSN_EVENTS_H
#define NSN_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "probes.h"
#include "recdesc.h"
#include "util.h"

struct nsn_events;
struct nsn_collect_bpf;

struct nsn_events_opts {
	struct nsn_collect_bpf *collector; /* whose objects events name; reloaded with modules */
	bool no_pin;                       /* kprobes only: modules can be unloaded meanwhile */
	const char *without; /* names of probes to leave off, separated by commas; NULL */
	uint64_t wanted;     /* 1 << NSN_EVENT_WBINVD, HOST_FLUSH: one event each; else counted */
	uint64_t min_duration_ns; /* of a wbinvd event */
	uint32_t ring_size;       /* bytes, a power of 2 and whole pages; 0: NSN_RING_SIZE */
	/* Asked between the steps of the first attaching, which can take seconds: true gives up. */
	bool (*leave)(void *data);
	void *leave_data;
};

/* How a probe stands. */
struct nsn_probe_state {
	const struct nsn_probe_row *row;
	enum nsn_probe_method method; /* NSN_PROBE_NONE: off */
	const char *functions;        /* those it is attached to; NULL: off */
	bool absent;               /* off since its part of the kernel is not loaded: no failure */
	char reason[NSN_TEXT_LEN]; /* why it is off; "" if it is on */
};

/*
 * Attaches what can be attached. That nothing can is no error: the states tell. 0, -ENOMEM, or -ECANCELED
 * if opts->leave said so.
 * The options' strings must outlive the object; so must the collector, which is not owned.
 */
int nsn_events__open(const struct nsn_events_opts *opts, struct nsn_events **out);
void nsn_events__close(struct nsn_events *events); /* NULL is fine */

/* A descriptor for epoll: readable while events wait. -1 if no event can come. */
int nsn_events__fd(const struct nsn_events *events);

/*
 * Hands all events that wait to sink, as EVENT records with keys and in their order; a loss comes
 * as a `lost` event. Returns how many, or -errno (of the sink).
 */
int nsn_events__drain(struct nsn_events *events, struct nsn_sink *sink);

/*
 * Puts a SOURCE record "events.FEATURE" for each feature and, if WBINVDs are counted, a COUNTER
 * record for each VM that had one. 0 or -errno (of the sink).
 */
int nsn_events__counters(struct nsn_events *events, struct nsn_sink *sink);

/* COUNTER records alone: for a tick between two snapshots. 0 or -errno (of the sink). */
int nsn_events__tick(struct nsn_events *events, struct nsn_sink *sink);

/*
 * Follows modules that came or went, and the first IOMMU group: call it about once a second, it is cheap.
 * Returns 1 if a probe's state changed (nsn_events__drain() then gives a `probe` event for each) or a
 * snapshot can see more, else 0.
 */
int nsn_events__refresh(struct nsn_events *events);

/*
 * nsn_events__refresh() for who can't load programs any more: true if what it follows changed since the
 * last time, so that what is attached is not what this kernel offers now. What was missed is read.
 */
bool nsn_events__outdated(struct nsn_events *events);

/* Events that were lost since the start: no room, or a program that could not run. */
uint64_t nsn_events__lost(const struct nsn_events *events);

/* Before a last look: what was missed by now is not made good any more, and counts. */
void nsn_events__settle(struct nsn_events *events);

/* Executed WBINVDs of all VMs since the start, also of those that have ended. */
uint64_t nsn_events__guest_flushes(const struct nsn_events *events);

/* One state a row of nsn_probe_rows, in its order. */
const struct nsn_probe_state *nsn_events__probes(const struct nsn_events *events, size_t *count);

/* How many probes are on. */
size_t nsn_events__attached(const struct nsn_events *events);

/* True if every probe of the feature is on, or has nothing to see. */
bool nsn_events__has_feature(const struct nsn_events *events, const char *feature);

#endif /* NSN_EVENTS_H */
