/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rates.h - counters of two ticks to rates, and the rates of late.
 *
 * Floor 1: no clock, the caller tells the time of each tick.
 */
#ifndef NSN_RATES_H
#define NSN_RATES_H

#include "model.h"

#define NSN_RATES_KEPT 240 /* ticks that are remembered */

struct nsn_rates;

/* NULL without memory. */
struct nsn_rates *nsn_rates__new(void);
void nsn_rates__free(struct nsn_rates *rates); /* NULL is fine */

/*
 * A tick: sets the rates of each VM of the model from its counters and those of the tick before, at
 * now_ns (of any clock that does not go back). VMs that have gone are forgotten. A VM that was not
 * counted before, or whose counters went back, has none. 0 or -ENOMEM.
 */
int nsn_rates__tick(struct nsn_rates *rates, struct nsn_model *model, uint64_t now_ns);

/* Gives a model that came between two ticks the rates of the last one. */
void nsn_rates__apply(const struct nsn_rates *rates, struct nsn_model *model);

/* Seconds between the last two ticks; 0 before the second. */
double nsn_rates__interval(const struct nsn_rates *rates);

/*
 * The executed rates of a VM (NULL: of all together) at the last ticks, oldest first, at most
 * `room`, into out; returns how many. Ticks at which there was no rate are 0.
 */
size_t nsn_rates__history(const struct nsn_rates *rates, const struct nsn_vm *vm, double *out,
			  size_t room);

/*
 * Quantile q of a histogram with the buckets of struct nsn_vm_counters, in seconds, as Prometheus
 * estimates it: evenly spread within a bucket; of the last one its lower bound. -1 if it is empty.
 */
double nsn_rates__quantile(const uint64_t *buckets, double q);

#endif /* NSN_RATES_H */
