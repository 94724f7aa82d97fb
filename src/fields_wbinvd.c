// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fields_wbinvd.c - getters of what a VM's WBINVDs come to, as a series of snapshots tells it.
 * Floor 1.
 */
#include "fields_internal.h"

static const char no_interval[] = "a rate needs two readings";
static const char not_counted[] = "they run in the guest and are never counted";

/* True if the VM's WBINVDs are counted; else the value says why not. */
static bool is_counted(const struct nsn_vm *vm, struct nsn_value *value)
{
	if (vm->guest_wbinvd == NSN_WBINVD_NATIVE) {
		value->reason = not_counted;
		return false;
	}
	return vm->counters.known;
}

static bool has_rates(const struct nsn_vm *vm, struct nsn_value *value)
{
	if (!is_counted(vm, value))
		return false;
	if (!vm->rates.known)
		value->reason = no_interval;
	return vm->rates.known;
}

/* A getter of WHAT if CONDITION, an expression of the VM. */
#define GETTER(name, condition, put, what)                                                         \
	void nsn_get_wbinvd_##name(const struct nsn_model *model __attribute__((unused)),          \
				   const void *object, struct nsn_value *value)                    \
	{                                                                                          \
		const struct nsn_vm *vm = object;                                                  \
                                                                                                   \
		if (condition(vm, value))                                                          \
			put(value, what);                                                          \
	}

GETTER(exits, is_counted, put_number, vm->counters.exits)
GETTER(executed, is_counted, put_number, vm->counters.executed)
GETTER(ignored, is_counted, put_number, vm->counters.ignored)
GETTER(exits_per_second, has_rates, put_real, vm->rates.exits)
GETTER(executed_per_second, has_rates, put_real, vm->rates.executed)
GETTER(cpu_share, has_rates, put_real, vm->rates.share)

static void put_flag(struct nsn_value *value, bool flag)
{
	put_tri(value, flag ? NSN_YES : NSN_NO, NSN_TONE_PLAIN, NSN_TONE_PLAIN);
}

GETTER(sampled, is_counted, put_flag, vm->counters.sampled)

/* Without a flush there is no time of one. */
static void put_seconds(struct nsn_value *value, double seconds)
{
	if (seconds < 0)
		put_none(value);
	else
		put_real(value, seconds);
}

GETTER(p50_seconds, has_rates, put_seconds, vm->rates.p50)
GETTER(p99_seconds, has_rates, put_seconds, vm->rates.p99)
