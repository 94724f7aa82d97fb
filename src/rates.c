// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rates.c - counters of two ticks to rates. Floor 1.
 */
#include "rates.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* Rates of the last ticks as a ring. */
struct history {
	float kept[NSN_RATES_KEPT];
	size_t count; /* ever */
};

struct seen {
	struct nsn_vm_identity identity;
	struct nsn_vm_counters counters;
	struct nsn_vm_rates rates;
	struct history history;
	uint64_t tick; /* at which it was seen last */
	UT_hash_handle hh;
};

struct nsn_rates {
	struct seen *vms;
	struct history history; /* of all VMs together */
	uint64_t tick;          /* how many there were */
	uint64_t last_ns;
	double interval;
};

static void keep(struct history *history, double rate)
{
	history->kept[history->count++ % NSN_RATES_KEPT] = (float)rate;
}

static struct seen *find(const struct nsn_rates *rates, const struct nsn_vm *vm)
{
	struct nsn_vm_identity identity;
	struct seen *seen;

	nsn_vm__identity(vm, &identity);
	HASH_FIND(hh, rates->vms, &identity, sizeof(identity), seen);
	return seen;
}

double nsn_rates__quantile(const uint64_t *buckets, double q)
{
	double lower = 0, upper = NSN_BUCKET_FIRST_NS * 1e-9, before = 0, rank = 0;

	for (size_t i = 0; i < NSN_BUCKETS; i++)
		rank += (double)buckets[i];
	if (rank <= 0)
		return -1;
	rank *= q;
	for (size_t i = 0; i + 1 < NSN_BUCKETS; i++) {
		double count = (double)buckets[i];

		if (count > 0 && before + count >= rank)
			return lower + (upper - lower) * (rank - before) / count;
		before += count;
		lower = upper;
		upper *= 4;
	}
	return lower;
}

/* What happened from `old` to `new`; false if one can't have led to the other. */
static bool compare(const struct nsn_vm_counters *old, const struct nsn_vm_counters *new,
		    double seconds, struct nsn_vm_rates *out)
{
	uint64_t buckets[NSN_BUCKETS];
	double timed;

	memset(out, 0, sizeof(*out));
	out->p50 = out->p99 = -1;
	if (!old->known || !new->known || seconds <= 0 || new->exits < old->exits ||
	    new->executed < old->executed || new->ignored < old->ignored ||
	    new->timed < old->timed || new->elapsed_ns < old->elapsed_ns)
		return false;
	for (size_t i = 0; i < NSN_BUCKETS; i++) {
		if (new->buckets[i] < old->buckets[i])
			return false;
		buckets[i] = new->buckets[i] - old->buckets[i];
	}
	out->known = true;
	out->exits = (double)(new->exits - old->exits) / seconds;
	out->executed = (double)(new->executed - old->executed) / seconds;
	out->ignored = (double)(new->ignored - old->ignored) / seconds;
	/* Where only some were timed, the others took as long. */
	timed = (double)(new->timed - old->timed);
	if (timed > 0)
		out->share =
			(double)(new->elapsed_ns - old->elapsed_ns) * 1e-9 / timed * out->executed;
	out->p50 = nsn_rates__quantile(buckets, 0.5);
	out->p99 = nsn_rates__quantile(buckets, 0.99);
	return true;
}

static struct seen *remember(struct nsn_rates *rates, const struct nsn_vm *vm)
{
	struct seen *seen = find(rates, vm);

	if (seen)
		return seen;
	seen = calloc(1, sizeof(*seen));
	if (!seen)
		return NULL;
	nsn_vm__identity(vm, &seen->identity);
	HASH_ADD(hh, rates->vms, identity, sizeof(seen->identity), seen);
	return seen;
}

static void forget_gone(struct nsn_rates *rates)
{
	struct seen *seen, *next;

	HASH_ITER(hh, rates->vms, seen, next) {
		if (seen->tick == rates->tick)
			continue;
		HASH_DEL(rates->vms, seen);
		free(seen);
	}
}

int nsn_rates__tick(struct nsn_rates *rates, struct nsn_model *model, uint64_t now_ns)
{
	double seconds = rates->tick && now_ns > rates->last_ns
				 ? (double)(now_ns - rates->last_ns) * 1e-9
				 : 0;
	double all = 0;

	rates->tick++;
	for (size_t i = 0; i < model->vms_count; i++) {
		struct nsn_vm *vm = &model->vms[i];
		struct seen *seen = remember(rates, vm);

		if (!seen)
			return -ENOMEM;
		compare(&seen->counters, &vm->counters, seconds, &seen->rates);
		seen->counters = vm->counters;
		seen->tick = rates->tick;
		keep(&seen->history, seen->rates.executed);
		all += seen->rates.executed;
		vm->rates = seen->rates;
	}
	forget_gone(rates);
	keep(&rates->history, all);
	rates->last_ns = now_ns;
	rates->interval = seconds;
	return 0;
}

void nsn_rates__apply(const struct nsn_rates *rates, struct nsn_model *model)
{
	for (size_t i = 0; i < model->vms_count; i++) {
		const struct seen *seen = find(rates, &model->vms[i]);

		if (seen)
			model->vms[i].rates = seen->rates;
	}
}

double nsn_rates__interval(const struct nsn_rates *rates)
{
	return rates->interval;
}

size_t nsn_rates__history(const struct nsn_rates *rates, const struct nsn_vm *vm, double *out,
			  size_t room)
{
	const struct seen *seen = vm ? find(rates, vm) : NULL;
	const struct history *history = seen ? &seen->history : vm ? NULL : &rates->history;
	size_t count;

	if (!history)
		return 0;
	count = history->count < NSN_RATES_KEPT ? history->count : NSN_RATES_KEPT;
	if (count > room)
		count = room;
	for (size_t i = 0; i < count; i++)
		out[i] = history->kept[(history->count - count + i) % NSN_RATES_KEPT];
	return count;
}

struct nsn_rates *nsn_rates__new(void)
{
	return calloc(1, sizeof(struct nsn_rates));
}

void nsn_rates__free(struct nsn_rates *rates)
{
	struct seen *seen, *next;

	if (!rates)
		return;
	HASH_ITER(hh, rates->vms, seen, next) {
		HASH_DEL(rates->vms, seen);
		free(seen);
	}
	free(rates);
}
