/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events_internal.h - what the events*.c files share. Floor 2.
 *
 *	events.c         hands events on and counts
 *	events_attach.c  loads the objects, attaches the programs
 *	events_flush.c   who flushes the host's caches
 *	events_kernel.c  what this kernel offers to attach to
 */
#ifndef NSN_EVENTS_INTERNAL_H
#define NSN_EVENTS_INTERNAL_H

#include "bpf_target.h"
#include "events.h"
#include "kallsyms.h"
#include "modules.h"

struct bpf_link;
struct bpf_object;
struct ring_buffer;

/* What this kernel offers now. Zero-initialise. */
struct nsn_offer {
	struct nsn_kallsyms symbols;
	struct nsn_target targets[NSN_MAX_TARGETS]; /* one a row of nsn_function_rows */
	int btfs[NSN_MAX_TARGETS];                  /* descriptors, to be closed */
	size_t btfs_count;
	bool fentry, kprobe;
	char why_not[NSN_TEXT_LEN]; /* neither: why */
};

/* Asks the kernel. 0 or -ENOMEM; what could not be asked is not offered. */
int nsn_offer__read(struct nsn_offer *offer, bool no_pin);
void nsn_offer__free(struct nsn_offer *offer);
/* For nsn_probe__choose(); points into offer. */
struct nsn_probe_kernel nsn_offer__kernel(struct nsn_offer *offer);
/* A function's place in BTF, or NULL. */
const struct nsn_target *nsn_offer__target(const struct nsn_offer *offer, const char *function);
/* Is the part of the kernel that a row's functions are in there? */
bool nsn_offer__has_part(const struct nsn_offer *offer, const struct nsn_probe_row *row);
/* Why no alternative of a row can be attached. */
void nsn_offer__explain(const struct nsn_offer *offer, const struct nsn_probe_row *row, char *out,
			size_t size);

enum nsn_event_map {
	NSN_MAP_EVENTS,
	NSN_MAP_COUNTERS,
	NSN_MAP_CALLS,
	NSN_MAP_SETTINGS,
	NSN_MAP_LOST,
	NSN_EVENT_MAPS,
};

#define NSN_PROBE_LINKS 8 /* a probe has at most four functions, each with two programs */

struct nsn_probe_links {
	struct bpf_link *links[NSN_PROBE_LINKS];
	size_t count;
};

/* An object whose end was told. */
struct nsn_ended {
	enum nsn_class class;
	uint64_t address;
	uint64_t key;
	uint64_t monotonic;
};

#define NSN_ENDED_KEPT 16

struct nsn_events {
	struct nsn_events_opts opts;
	struct nsn_probe_state *states; /* one a row of nsn_probe_rows */
	struct nsn_probe_links *links;  /* the same */
	struct nsn_probe_state *told;   /* states that `probe` events have told of */
	struct bpf_object *all;         /* what was loaded at first */
	/* what was loaded since, after modules came */
	struct bpf_object *objects[NSN_EVENT_OBJECTS];
	struct nsn_modules modules; /* as they were when symbols were resolved last */
	int maps[NSN_EVENT_MAPS];
	bool ready;                 /* the maps are there */
	char why_not[NSN_TEXT_LEN]; /* else */
	struct ring_buffer *ring;

	/* while events are handed on */
	struct nsn_sink *sink;
	int error;
	uint64_t handed;
	uint64_t epoch_offset;                  /* CLOCK_REALTIME minus CLOCK_MONOTONIC, ns */
	struct nsn_rec_event refusal;           /* the last that had a reason */
	struct nsn_ended ended[NSN_ENDED_KEPT]; /* the last ones, in a ring */
	size_t ended_next;

	uint64_t misses;         /* runs of programs that the kernel left out */
	uint64_t misses_settled; /* the same at the reading before */
	uint64_t misses_at;      /* ns, CLOCK_MONOTONIC, of the last reading */
	uint64_t misses_closed;  /* of objects that are closed */
	uint64_t lost_told;
};

/* Who asked for a flush, by the function that called it. */
enum nsn_initiator nsn_events_initiator(const char *caller);

/*
 * Names who asked for a flush, where the kernel side could not. False: it is a guest's, of which the entry
 * was missed; it is counted as the guest's WBINVD at its exit, and nobody asked for each.
 */
bool nsn_events_is_for_us(const struct nsn_events *events, struct nsn_rec_event *event);

/* Makes the maps. 0 or -errno. */
int nsn_events_make_maps(struct nsn_events *events);

#define NSN_ALL_MODULES (~0U)

/*
 * Chooses, loads and attaches anew what reads one of these modules (bits of
 * nsn_modules__changed(), or NSN_ALL_MODULES). 0 or -ENOMEM.
 */
int nsn_events_attach(struct nsn_events *events, unsigned int changed);

/* Closes these objects and what is attached of them. */
void nsn_events_detach(struct nsn_events *events, unsigned int changed);

/* Reads how often programs could not run into events->misses, every few seconds. */
void nsn_events_read_misses(struct nsn_events *events);

#endif /* NSN_EVENTS_INTERNAL_H */
