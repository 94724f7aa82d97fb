/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history.h - what one look at a machine can't tell: rates that lasted, bits that were switched,
 * what drivers answered, for whom domains were made. The rules NS003, NS004, NS008, NS009 and NS023
 * read it.
 *
 * Floor 1. A state machine without a clock, a file or a thread of its own: whoever watches a machine
 * feeds it in the order in which things happened and says what time it is.
 *
 *	history = nsn_history__new(&opts);
 *	for each event that was drained:   nsn_history__event(history, rec);
 *	for each snapshot:                 nsn_history__snapshot(history, model, now);
 *	                                   findings = nsn_findings__with_history(model, history);
 *	for each reading of the counters:  if (nsn_history__tick(history, model, now) == 1)
 *	                                           judge the last model anew
 *
 * Events that came before a snapshot are fed before it. A snapshot samples the counters too. A
 * history that has seen one snapshot and nothing else tells no more than the snapshot does, and the
 * rules say so (needs_events).
 *
 * Nothing here turns silence into "all is well": what was not seen from its beginning, or may have
 * been lost, is unknown.
 */
#ifndef NSN_HISTORY_H
#define NSN_HISTORY_H

#include "model.h"
#include "model_names.h"

/* rates are means of so long, or a little more */
#define NSN_HISTORY_WINDOW_NS (10 * 1000000000ULL)
#define NSN_HISTORY_CALM_NS   (30 * 1000000000ULL) /* below half for so long: NS003 clears */
#define NSN_WBINVD_RATE       10.0                 /* executed a second */
#define NSN_WBINVD_TIME       0.01                 /* of one CPU's time */

struct nsn_history;

/* Zero-initialise. */
struct nsn_history_opts {
	double wbinvd_rate; /* --wbinvd-rate; 0: NSN_WBINVD_RATE */
	double wbinvd_time; /* --wbinvd-time, a share of one CPU; 0: NSN_WBINVD_TIME */
};

/* NULL without memory. */
struct nsn_history *nsn_history__new(const struct nsn_history_opts *opts);
void nsn_history__free(struct nsn_history *history); /* NULL is fine */

/* ---- feeding --------------------------------------------------------------------------------- */

/*
 * Takes in an EVENT record that the kernel told (other kinds are ignored; what nsn_model_diff() made
 * is no event). 0 or -ENOMEM.
 */
int nsn_history__event(struct nsn_history *history, const struct nsn_rec *rec);

/*
 * Takes in a snapshot. now_ns is of any clock that does not go back, the same one for all calls; 0:
 * not known. 0 or -ENOMEM.
 */
int nsn_history__snapshot(struct nsn_history *history, const struct nsn_model *model,
			  uint64_t now_ns);

/*
 * Takes in the counters of a model that has them brought up to date since its snapshot. 1: a VM
 * began or ceased to flush too often, so that NS003 would say something else; else 0 or -ENOMEM.
 */
int nsn_history__tick(struct nsn_history *history, const struct nsn_model *model, uint64_t now_ns);

/* ---- what the rules read --------------------------------------------------------------------- */

/* How far a question is answered. */
enum nsn_watch {
	NSN_WATCH_PENDING, /* nothing seen yet that answers it, or not for long enough */
	NSN_WATCH_QUIET,   /* watched, and it did not happen */
	NSN_WATCH_RAISED,  /* it did */
	NSN_WATCH_UNKNOWN, /* it can't be told: reason says why */
};

/* Does a VM flush the host's caches too often? (NS003) */
struct nsn_flushing {
	enum nsn_watch watch;
	const char *reason;       /* static; of UNKNOWN */
	double per_second, share; /* means of the window */
	double peak, peak_share;  /* the highest since it was raised */
	double seconds;           /* how long the window is */
	double rate_limit, time_limit;
	bool by_rate, by_time; /* which limit was passed last */
};
void nsn_history__flushing(const struct nsn_history *history, const struct nsn_vm *vm,
			   struct nsn_flushing *out);

/* A device's No Snoop bit while it was assigned to a VM. (NS004) */
struct nsn_switching {
	struct nsn_vm_identity vm;
	char vm_id[NSN_ID_LEN]; /* as it is printed */
	char device[NSN_ID_LEN];
	enum nsn_watch watch;
	const char *reason; /* static; of UNKNOWN */
	uint64_t switches;  /* how often it changed between two snapshots */
	bool to;            /* the bit since */
	/* the last change: seen at, not yet at; ns since the epoch, 0: unknown */
	uint64_t at, before;
	bool certain; /* the link between VM and device is */
};
/* The n-th of them, in no order; false beyond the last. */
bool nsn_history__switching(const struct nsn_history *history, size_t n, struct nsn_switching *out);

/* Was a device refused by VFIO for lack of cache-coherent DMA? (NS008) */
struct nsn_refusal {
	enum nsn_watch watch; /* PENDING: no such event was seen */
	uint64_t at;          /* ns since the epoch, 0: unknown */
	uint64_t error;       /* errno, 0: unknown */
};
void nsn_history__refusal(const struct nsn_history *history, const char *device,
			  struct nsn_refusal *out);
/* The n-th device of which a refusal was seen; NULL beyond the last. */
const char *nsn_history__refused(const struct nsn_history *history, size_t n);

/* Was enforcement granted on a domain that had mappings? (NS009) */
struct nsn_grant {
	enum nsn_watch watch;    /* PENDING: no answer of a driver was seen */
	const char *reason;      /* static; of UNKNOWN */
	uint64_t at;             /* ns since the epoch, 0: unknown */
	char op[NSN_SYMBOL_LEN]; /* the function that granted it */
};
void nsn_history__grant(const struct nsn_history *history, const struct nsn_domain *domain,
			struct nsn_grant *out);

/* The group that a domain was made for. (NS023) */
struct nsn_maker {
	enum nsn_watch watch; /* QUIET: group is known; whether it left is the model's to tell */
	const char *reason;   /* static; of UNKNOWN */
	uint64_t group;
	bool by_events;   /* its attach was seen; else the first snapshot with the domain told */
	uint64_t left_at; /* ns since the epoch; 0: not seen to leave */
};
void nsn_history__maker(const struct nsn_history *history, const struct nsn_domain *domain,
			struct nsn_maker *out);

/* Why events may be missing: static text; NULL: none was lost. */
const char *nsn_history__lost(const struct nsn_history *history);

/*
 * The rule that an event raises, by itself or by what happened before: its id, or NULL. Call it after
 * the event was fed. model is the last one (NULL: none).
 */
const char *nsn_history__rule_of(const struct nsn_history *history, const struct nsn_model *model,
				 const struct nsn_told *told);

#endif /* NSN_HISTORY_H */
