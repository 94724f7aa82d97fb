/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history_internal.h - what the history*.c files share. Floor 1, private to them:
 *
 *	history.c        feeding, and what was lost
 *	history_vm.c     each VM's rates; each assigned device's bit
 *	history_domain.c domains, refused devices
 *	history_rule.c   the rule that an event raises
 */
#ifndef NSN_HISTORY_INTERNAL_H
#define NSN_HISTORY_INTERNAL_H

#include <uthash.h>

#include "history.h"

/* What a window is measured by. */
struct nsn_sample {
	uint64_t at; /* ns */
	uint64_t executed, timed, elapsed_ns;
};

#define NSN_SAMPLES         16 /* a second or more apart: they reach back beyond a window */
#define NSN_SAMPLE_DISTANCE 1000000000ULL

struct nsn_vm_watch {
	struct nsn_vm_identity vm;
	struct nsn_sample samples[NSN_SAMPLES]; /* a ring */
	size_t count;                           /* ever kept */
	struct nsn_sample last;                 /* the newest, kept or not */
	struct nsn_flushing now;
	uint64_t calm_since; /* ns; 0: it is not calm */
	bool doubtful;       /* readings are missing: it may have been raised meanwhile */
	uint64_t seen;       /* number of the last snapshot with it */
	uint64_t unclear;    /* … of the last in which its paths were not all known */
	UT_hash_handle hh;
};

/* A device in a VM's hands. */
struct nsn_bit_watch {
	struct {
		struct nsn_vm_identity vm;
		char device[NSN_ID_LEN];
	} id;
	char vm_id[NSN_ID_LEN];
	bool known, value; /* the bit, when it was last known */
	bool doubtful;     /* it was not known from the beginning */
	bool certain;
	uint64_t first;    /* number of the first snapshot with it */
	uint64_t known_in; /* … of the last in which the bit was known */
	uint64_t switches, at, before;
	uint64_t read_at; /* ns since the epoch, when it was last known */
	uint64_t seen;
	UT_hash_handle hh;
};

enum nsn_granted {
	NSN_GRANTED_NOT_SEEN,
	NSN_GRANTED_EMPTY, /* the domain had no mapping */
	NSN_GRANTED_MAPPED,
	NSN_GRANTED_UNCLEAR, /* whether it had is unknown */
};

struct nsn_domain_watch {
	uint64_t key;
	uint64_t made_by; /* the thread that is making it: nobody can have mapped yet; 0: done */
	bool made;        /* its making was seen, and nothing was lost since */
	bool maker_known, maker_by_events;
	bool maker_unclear; /* it was first seen when it was too late to tell */
	uint64_t maker, left_at;
	struct nsn_pids groups; /* numbers of those attached */
	enum nsn_granted granted;
	uint64_t granted_at;
	char op[NSN_SYMBOL_LEN];
	bool lossy;           /* events were lost while it lived */
	uint64_t first, seen; /* numbers of snapshots; 0: none yet */
	uint64_t born;        /* number of the last snapshot before it was first told of */
	UT_hash_handle hh;
};

struct nsn_refused {
	char device[NSN_ID_LEN];
	bool unclear; /* why is unknown */
	uint64_t at, error;
	UT_hash_handle hh;
};

struct nsn_history {
	struct nsn_history_opts opts;
	struct nsn_vm_watch *vms;
	struct nsn_bit_watch *bits;
	struct nsn_domain_watch *domains;
	struct nsn_refused *refused;
	size_t spare;       /* entries that may still be made before the next snapshot */
	uint64_t snapshots; /* how many there were */
	uint64_t events;    /* since the last of them */
	uint64_t now;       /* of the last call: ns of the feeder's clock */
	uint64_t all_seen;  /* when all VMs there were had been seen, and were counted from then on;
				ns, 0: the last snapshot does not say so */
	bool gap;           /* the last snapshot had holes */
	bool vm_gap;        /* … or VMs may have been unseen */
	const char *lost;   /* why events may be missing */
};

/* Each: 0 or -ENOMEM. */
int nsn_history_watch_vms(struct nsn_history *history, const struct nsn_model *model, bool doubt);
int nsn_history_watch_bits(struct nsn_history *history, const struct nsn_model *model, bool doubt);
int nsn_history_watch_domains(struct nsn_history *history, const struct nsn_model *model,
			      bool doubt);
int nsn_history_domain_event(struct nsn_history *history, const struct nsn_rec_event *event);
int nsn_history_device_event(struct nsn_history *history, const struct nsn_rec_event *event);

/*
 * Samples the counters of a VM; 1: its state changed. Before the first sample, counters that are
 * unknown are a gap only if they are `due`.
 */
int nsn_history_sample(struct nsn_history *history, const struct nsn_vm *vm, bool due);

/* Events are missing: what rests on having seen them all is in doubt from now on. */
void nsn_history_lose(struct nsn_history *history, const char *why);

struct nsn_domain_watch *nsn_history_domain(const struct nsn_history *history, uint64_t key);

void nsn_history_free_vms(struct nsn_history *history);
void nsn_history_free_domains(struct nsn_history *history);

#endif /* NSN_HISTORY_INTERNAL_H */
