// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * history_vm.c - each VM's rate of executed WBINVDs, and the No Snoop bits of its devices. Floor 1.
 */
#include "history_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"

#define SECOND 1e-9 /* of a nanosecond */

/* ---- NS003: rates ---------------------------------------------------------------------------- */

static struct nsn_vm_watch *find_vm(const struct nsn_history *history, const struct nsn_vm *vm)
{
	struct nsn_vm_identity identity;
	struct nsn_vm_watch *watch;

	nsn_vm__identity(vm, &identity);
	HASH_FIND(hh, history->vms, &identity, sizeof(identity), watch);
	return watch;
}

static void keep(struct nsn_vm_watch *watch, const struct nsn_sample *sample)
{
	const struct nsn_sample *newest = &watch->samples[(watch->count - 1) % NSN_SAMPLES];

	watch->last = *sample;
	if (!watch->count || sample->at - newest->at >= NSN_SAMPLE_DISTANCE)
		watch->samples[watch->count++ % NSN_SAMPLES] = *sample;
}

static struct nsn_vm_watch *obtain_vm(struct nsn_history *history, const struct nsn_vm *vm)
{
	struct nsn_vm_watch *watch = find_vm(history, vm);

	if (watch)
		return watch;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return NULL;
	nsn_vm__identity(vm, &watch->vm);
	watch->doubtful = history->vm_gap; /* it may have been there before */
	HASH_ADD(hh, history->vms, vm, sizeof(watch->vm), watch);
	/* it began after the last snapshot, at nothing: all that is counted came since */
	if (history->all_seen && vm->counters.known)
		keep(watch, &(struct nsn_sample){ .at = history->all_seen });
	return watch;
}

/* A reading is missing: what lies before it says nothing of what comes after it. */
static void break_off(struct nsn_vm_watch *watch, const char *reason)
{
	watch->count = 0;
	watch->calm_since = 0;
	watch->doubtful = true;
	watch->now.watch = NSN_WATCH_UNKNOWN;
	watch->now.reason = reason;
}

/* The newest sample that is a window old, else the oldest. */
static const struct nsn_sample *begin_of_window(const struct nsn_vm_watch *watch, uint64_t now)
{
	size_t kept = watch->count < NSN_SAMPLES ? watch->count : NSN_SAMPLES;
	const struct nsn_sample *sample = NULL;

	for (size_t back = 1; back <= kept; back++) {
		sample = &watch->samples[(watch->count - back) % NSN_SAMPLES];
		if (now - sample->at >= NSN_HISTORY_WINDOW_NS)
			break;
	}
	return sample;
}

/* The means of the window that ends now. Of one that is not full yet: the least they can come to. */
static void measure(struct nsn_vm_watch *watch, uint64_t now)
{
	const struct nsn_sample *from = begin_of_window(watch, now), *to = &watch->last;
	uint64_t span = now - from->at;
	double timed = (double)(to->timed - from->timed);
	double elapsed = (double)(to->elapsed_ns - from->elapsed_ns) * SECOND;
	double executed = (double)(to->executed - from->executed);

	if (span < NSN_HISTORY_WINDOW_NS)
		span = NSN_HISTORY_WINDOW_NS;
	watch->now.seconds = (double)span * SECOND;
	watch->now.per_second = executed / watch->now.seconds;
	/* where only some were timed, the others took as long */
	watch->now.share = timed > 0 ? elapsed / timed * executed / watch->now.seconds : 0;
}

/* Goes on from what was measured. The limits are passed above them, and left below half of them. */
static void decide(const struct nsn_history *history, struct nsn_vm_watch *watch, bool full)
{
	struct nsn_flushing *now = &watch->now;
	const double rate = history->opts.wbinvd_rate, time = history->opts.wbinvd_time;
	const bool calm = full && now->per_second < rate / 2 && now->share < time / 2;

	if (!calm)
		watch->calm_since = 0;
	else if (!watch->calm_since)
		watch->calm_since = history->now;
	if (now->per_second > rate || now->share > time) {
		now->by_rate = now->per_second > rate;
		now->by_time = now->share > time;
		if (now->watch != NSN_WATCH_RAISED)
			now->peak = now->peak_share = 0;
		now->watch = NSN_WATCH_RAISED;
		watch->doubtful = false;
	} else if (now->watch == NSN_WATCH_RAISED || watch->doubtful) {
		if (!calm || history->now - watch->calm_since < NSN_HISTORY_CALM_NS)
			return;
		now->watch = NSN_WATCH_QUIET;
		watch->doubtful = false;
	} else if (full) {
		now->watch = NSN_WATCH_QUIET;
	}
}

static void keep_peak(struct nsn_flushing *now)
{
	if (now->per_second > now->peak)
		now->peak = now->per_second;
	if (now->share > now->peak_share)
		now->peak_share = now->share;
}

/* Why a reading can't follow those before it; NULL: it can. */
static const char *why_broken(const struct nsn_vm_watch *watch, bool known,
			      const struct nsn_sample *sample)
{
	const struct nsn_sample *last = &watch->last;

	if (!known)
		return "its WBINVDs are not counted";
	if (!sample->at || (watch->count && sample->at < last->at))
		return "when its WBINVDs were counted is unknown";
	if (watch->count && (sample->executed < last->executed || sample->timed < last->timed ||
			     sample->elapsed_ns < last->elapsed_ns))
		return "its counters went back";
	return NULL;
}

int nsn_history_sample(struct nsn_history *history, const struct nsn_vm *vm, bool due)
{
	struct nsn_vm_watch *watch = find_vm(history, vm);
	const struct nsn_vm_counters *counters = &vm->counters;
	const struct nsn_sample sample = { .at = history->now,
					   .executed = counters->executed,
					   .timed = counters->timed,
					   .elapsed_ns = counters->elapsed_ns };
	enum nsn_watch before = watch ? watch->now.watch : NSN_WATCH_PENDING;
	const char *broken = watch ? why_broken(watch, counters->known, &sample) : NULL;

	if (!watch || (!counters->known && !watch->count && !due))
		return 0;
	if (broken) {
		break_off(watch, broken);
	} else if (!watch->count || sample.at > watch->last.at) {
		if (watch->doubtful && watch->now.watch != NSN_WATCH_RAISED) {
			watch->now.watch = NSN_WATCH_UNKNOWN;
			watch->now.reason = "readings of its counters are missing";
		}
		keep(watch, &sample);
		measure(watch, sample.at);
		decide(history, watch,
		       sample.at - begin_of_window(watch, sample.at)->at >= NSN_HISTORY_WINDOW_NS);
		keep_peak(&watch->now);
	}
	return watch->now.watch != before;
}

void nsn_history__flushing(const struct nsn_history *history, const struct nsn_vm *vm,
			   struct nsn_flushing *out)
{
	const struct nsn_vm_watch *watch = find_vm(history, vm);

	*out = watch ? watch->now : (struct nsn_flushing){ .watch = NSN_WATCH_PENDING };
	out->rate_limit = history->opts.wbinvd_rate;
	out->time_limit = history->opts.wbinvd_time;
}

/* Did every counter arrive that the snapshot's end counts? */
static bool has_all_counters(const struct nsn_model *model)
{
	const struct nsn_rec_end *end = &model->build->end;

	return model->ended && NSN_KNOWS(end, end, counter) &&
	       end->counter <= NSN_COUNT(model, COUNTER);
}

/* Had counting begun? Before the first reading that is no gap. */
static bool counting(const struct nsn_model *model)
{
	NSN_FOR_EACH(model, SOURCE, source, rec)
		if (strcmp(rec->name, "events.wbinvd") == 0)
			return true;
	return false;
}

int nsn_history_watch_vms(struct nsn_history *history, const struct nsn_model *model, bool doubt)
{
	const bool whole = has_all_counters(model), begun = doubt || counting(model);
	struct nsn_vm_watch *watch, *next;

	for (size_t i = 0; i < model->vms_count; i++) {
		watch = obtain_vm(history, &model->vms[i]);
		if (!watch)
			return -ENOMEM;
		watch->seen = history->snapshots;
		watch->doubtful |= doubt && !watch->count;
		if (whole)
			nsn_history_sample(history, &model->vms[i], begun);
		else
			break_off(watch, "readings of its counters are missing");
	}
	HASH_ITER(hh, history->vms, watch, next) {
		if (doubt || watch->seen == history->snapshots)
			continue;
		HASH_DEL(history->vms, watch);
		free(watch);
	}
	history->all_seen = !doubt && counting(model) ? history->now : 0;
	return 0;
}

/* ---- NS004: bits ----------------------------------------------------------------------------- */

/* Are all ways known by which a device could be this VM's? */
static bool has_clear_paths(const struct nsn_vm *vm)
{
	for (size_t i = 0; i < vm->paths_count; i++)
		if (vm->paths[i].dma == NSN_DMA_UNKNOWN || !vm->paths[i].group)
			return false;
	return vm->verdict != NSN_VERDICT_UNKNOWN && !vm->torn && !vm->truncated &&
	       !vm->may_own_unlinked;
}

static struct nsn_bit_watch *obtain_bit(struct nsn_history *history, const struct nsn_vm *vm,
					const struct nsn_device *device)
{
	const struct nsn_vm_watch *of_vm = find_vm(history, vm);
	struct nsn_bit_watch probe, *watch;

	memset(&probe.id, 0, sizeof(probe.id));
	nsn_vm__identity(vm, &probe.id.vm);
	nsn_format(probe.id.device, sizeof(probe.id.device), "%s", device->id);
	HASH_FIND(hh, history->bits, &probe.id, sizeof(probe.id), watch);
	if (watch)
		return watch;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return NULL;
	watch->id = probe.id;
	watch->first = history->snapshots;
	/* it may have been there before */
	watch->doubtful = history->vm_gap ||
			  (of_vm && of_vm->unclear && of_vm->unclear + 1 >= history->snapshots);
	HASH_ADD(hh, history->bits, id, sizeof(watch->id), watch);
	return watch;
}

/* A device without the bit has one that is never set. */
static bool read_bit(const struct nsn_device *device, bool *value)
{
	*value = NSN_KNOWS(&device->sys, device, nosnoop) && device->sys.nosnoop;
	return NSN_KNOWS(&device->sys, device, nosnoop) ||
	       (NSN_KNOWS(&device->sys, device, nosnoop_source) &&
		device->sys.nosnoop_source == NSN_NOSNOOP_NO_PCIE_CAP);
}

static void look_at_bit(const struct nsn_history *history, const struct nsn_model *model,
			struct nsn_bit_watch *watch, const struct nsn_device *device)
{
	const uint64_t taken_at = nsn_model__taken_at(model);
	bool value, known = read_bit(device, &value);

	watch->seen = history->snapshots;
	if (!known) {
		watch->doubtful |= !watch->known;
		return;
	}
	if (watch->known && watch->value != value) {
		watch->switches++;
		watch->at = taken_at;
		watch->before = watch->read_at;
	}
	watch->known = true;
	watch->value = value;
	watch->known_in = history->snapshots;
	watch->read_at = taken_at;
}

static bool is_certain_path(const struct nsn_vm *vm, const struct nsn_device *device)
{
	for (size_t i = 0; i < vm->paths_count; i++)
		if (vm->paths[i].device == device && vm->paths[i].certain)
			return true;
	return false;
}

static const struct nsn_vm *vm_of(const struct nsn_model *model, const struct nsn_vm_identity *id)
{
	struct nsn_vm_identity other;

	for (size_t i = 0; i < model->vms_count; i++) {
		nsn_vm__identity(&model->vms[i], &other);
		if (memcmp(id, &other, sizeof(other)) == 0)
			return &model->vms[i];
	}
	return NULL;
}

/* What is not seen any more has gone, if all that could show it was read. */
static bool has_gone(const struct nsn_model *model, const struct nsn_bit_watch *watch)
{
	const struct nsn_vm *vm = vm_of(model, &watch->id.vm);

	return !vm || has_clear_paths(vm);
}

static void note_unclear_paths(struct nsn_history *history, const struct nsn_model *model)
{
	for (size_t i = 0; i < model->vms_count; i++) {
		struct nsn_vm_watch *watch = find_vm(history, &model->vms[i]);

		if (watch && !has_clear_paths(&model->vms[i]))
			watch->unclear = history->snapshots;
	}
}

int nsn_history_watch_bits(struct nsn_history *history, const struct nsn_model *model, bool doubt)
{
	struct nsn_bit_watch *watch, *next;

	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *vm = &model->vms[i];

		for (size_t k = 0; k < vm->devices.items_count; k++) {
			const struct nsn_device *device = vm->devices.items[k];

			watch = obtain_bit(history, vm, device);
			if (!watch)
				return -ENOMEM;
			watch->doubtful |= doubt && !watch->known;
			watch->certain = is_certain_path(vm, device);
			nsn_format(watch->vm_id, sizeof(watch->vm_id), "%s", vm->id);
			look_at_bit(history, model, watch, device);
		}
	}
	note_unclear_paths(history, model);
	HASH_ITER(hh, history->bits, watch, next) {
		if (doubt || watch->seen == history->snapshots || !has_gone(model, watch))
			continue;
		HASH_DEL(history->bits, watch);
		free(watch);
	}
	return 0;
}

bool nsn_history__switching(const struct nsn_history *history, size_t n, struct nsn_switching *out)
{
	const struct nsn_bit_watch *watch = history->bits;

	while (watch && n--)
		watch = watch->hh.next;
	if (!watch)
		return false;
	*out = (struct nsn_switching){ .vm = watch->id.vm,
				       .switches = watch->switches,
				       .to = watch->value,
				       .at = watch->at,
				       .before = watch->before,
				       .certain = watch->certain };
	nsn_format(out->vm_id, sizeof(out->vm_id), "%s", watch->vm_id);
	nsn_format(out->device, sizeof(out->device), "%s", watch->id.device);
	out->watch = watch->switches                         ? NSN_WATCH_RAISED
		     : watch->doubtful                       ? NSN_WATCH_UNKNOWN
		     : watch->known_in != history->snapshots ? NSN_WATCH_UNKNOWN
		     : watch->first == history->snapshots    ? NSN_WATCH_PENDING
							     : NSN_WATCH_QUIET;
	out->reason = watch->doubtful ? "its No Snoop bit was not read from the beginning"
				      : "its No Snoop bit could not be read";
	return true;
}

void nsn_history_free_vms(struct nsn_history *history)
{
	struct nsn_vm_watch *vm, *next_vm;
	struct nsn_bit_watch *bit, *next_bit;

	HASH_ITER(hh, history->vms, vm, next_vm) {
		HASH_DEL(history->vms, vm);
		free(vm);
	}
	HASH_ITER(hh, history->bits, bit, next_bit) {
		HASH_DEL(history->bits, bit);
		free(bit);
	}
}
