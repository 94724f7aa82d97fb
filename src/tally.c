// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tally.c - counts what happens, for the counters of metrics. Floor 4.
 */
#include "tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "probes.h"

/* A VM is its key and its id, as in rates.c. */
struct identity {
	uint64_t key;
	char id[NSN_ID_LEN];
};

struct known_vm {
	struct identity identity;
	enum nsn_verdict verdict;
	uint64_t changes, executed;
	uint64_t model; /* in which it was seen last */
	UT_hash_handle hh;
};

struct nsn_tally {
	struct nsn_sink sink;
	struct nsn_counts counts;
	struct known_vm *vms;
	uint64_t *changes; /* one a VM of the last model */
	uint64_t models;
};

/* The place of a driver; NULL: there are more than there is room for. */
static void *driver_at(struct nsn_counts *counts, const char *driver, size_t *at)
{
	for (*at = 0; *at < counts->enforce_count; (*at)++)
		if (strcmp(counts->enforce[*at].driver, driver) == 0)
			return &counts->enforce[*at];
	if (*at == NSN_COUNTED_DRIVERS)
		return NULL;
	nsn_format(counts->enforce[*at].driver, sizeof(counts->enforce[*at].driver), "%s", driver);
	counts->enforce_count++;
	return &counts->enforce[*at];
}

static void count_enforce(struct nsn_counts *counts, const struct nsn_rec_event *event)
{
	char driver[NSN_NAME_LEN] = "";
	size_t at;

	if (!NSN_KNOWS(event, event, op) || !NSN_KNOWS(event, event, enforced))
		return;
	nsn_iommu_driver_name(event->op, driver, sizeof(driver));
	if (!driver[0] || !driver_at(counts, driver, &at))
		return;
	if (event->enforced)
		counts->enforce[at].enforced++;
	else
		counts->enforce[at].refused++;
}

static enum nsn_attach_result attach_result(const struct nsn_rec_event *event)
{
	switch (NSN_KNOWS(event, event, error) ? event->error : 0) {
	case 0:
		return NSN_ATTACH_OK;
	case EPERM:
		return NSN_ATTACH_EPERM;
	case EBUSY:
		return NSN_ATTACH_EBUSY;
	case EINVAL:
		return NSN_ATTACH_EINVAL;
	default:
		return NSN_ATTACH_OTHER;
	}
}

static int count_event(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	struct nsn_counts *counts = &((struct nsn_tally *)sink)->counts;
	const struct nsn_rec_event *event = (const void *)rec;

	if (rec->kind != NSN_REC_EVENT)
		return 0;
	switch (event->event) {
	case NSN_EVENT_ENFORCE:
		count_enforce(counts, event);
		break;
	case NSN_EVENT_GROUP_ATTACH:
		/* what is a step of another attach is told by that one */
		if (!NSN_KNOWS(event, event, inner) || !event->inner)
			counts->attaches[attach_result(event)]++;
		break;
	case NSN_EVENT_HOST_FLUSH:
		if (NSN_KNOWS(event, event, initiator) && event->initiator != NSN_FLUSH_GUEST)
			counts->flushes[event->initiator < NSN_FLUSH_MAX ? event->initiator
									 : NSN_FLUSH_OTHER]++;
		break;
	case NSN_EVENT_LOST:
		counts->events_lost += event->count;
		break;
	default:
		break;
	}
	return 0;
}

struct nsn_sink *nsn_tally__sink(struct nsn_tally *tally)
{
	return &tally->sink;
}

/* ---- models ----------------------------------------------------------------------------------- */

static struct known_vm *know(struct nsn_tally *tally, const struct nsn_vm *vm)
{
	struct identity identity;
	struct known_vm *known;

	memset(&identity, 0, sizeof(identity));
	identity.key = vm->rec.vm;
	nsn_format(identity.id, sizeof(identity.id), "%s", vm->id);
	HASH_FIND(hh, tally->vms, &identity, sizeof(identity), known);
	if (known)
		return known;
	known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	known->identity = identity;
	known->verdict = vm->verdict;
	HASH_ADD(hh, tally->vms, identity, sizeof(known->identity), known);
	return known;
}

/* Those that were not in the last model. */
static void forget_gone(struct nsn_tally *tally)
{
	struct known_vm *known, *next;

	HASH_ITER(hh, tally->vms, known, next) {
		if (known->model == tally->models)
			continue;
		HASH_DEL(tally->vms, known);
		free(known);
	}
}

/* A driver that nothing was asked of yet has zeros: a rate needs a start. */
static void know_drivers(struct nsn_counts *counts, const struct nsn_model *model)
{
	size_t at;

	for (size_t i = 0; i < model->iommus_count; i++)
		if (NSN_KNOWS(&model->iommus[i].rec, iommu, driver) &&
		    model->iommus[i].rec.driver[0])
			driver_at(counts, model->iommus[i].rec.driver, &at);
}

static int take_vms(struct nsn_tally *tally, const struct nsn_model *model)
{
	uint64_t *changes = realloc(tally->changes, (model->vms_count + 1) * sizeof(*changes));

	if (!changes)
		return -ENOMEM;
	tally->changes = changes;
	tally->models++;
	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *vm = &model->vms[i];
		struct known_vm *known = know(tally, vm);

		if (!known)
			return -ENOMEM;
		known->changes += known->verdict != vm->verdict;
		known->verdict = vm->verdict;
		known->model = tally->models;
		if (vm->counters.executed > known->executed)
			tally->counts.flushes[NSN_FLUSH_GUEST] +=
				vm->counters.executed - known->executed;
		known->executed = vm->counters.executed;
		changes[i] = known->changes;
	}
	forget_gone(tally);
	return 0;
}

const struct nsn_counts *nsn_tally__model(struct nsn_tally *tally, const struct nsn_model *model,
					  struct nsn_events *events)
{
	if (take_vms(tally, model))
		return NULL;
	know_drivers(&tally->counts, model);
	tally->counts.truncated_lists += model->truncations_count;
	tally->counts.verdict_changes = tally->changes;
	if (events) {
		tally->counts.events_lost = nsn_events__lost(events);
		/* the kernel's own count has those of VMs that came and went between two models too */
		tally->counts.flushes[NSN_FLUSH_GUEST] = nsn_events__guest_flushes(events);
	}
	return &tally->counts;
}

struct nsn_tally *nsn_tally__new(void)
{
	struct nsn_tally *tally = calloc(1, sizeof(*tally));

	if (tally)
		tally->sink.put = count_event;
	return tally;
}

void nsn_tally__free(struct nsn_tally *tally)
{
	struct known_vm *known, *next;

	if (!tally)
		return;
	HASH_ITER(hh, tally->vms, known, next) {
		HASH_DEL(tally->vms, known);
		free(known);
	}
	free(tally->changes);
	free(tally);
}
