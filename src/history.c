// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * history.c - what happened to a machine over time: takes it in. Floor 1.
 */
#include "history_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "model_internal.h"
#include "rules_internal.h"

#define SPARE 65536 /* new objects between two snapshots: more are a recording's malice */

struct nsn_history *nsn_history__new(const struct nsn_history_opts *opts)
{
	struct nsn_history *history = calloc(1, sizeof(*history));

	if (!history)
		return NULL;
	history->opts = *opts;
	if (history->opts.wbinvd_rate <= 0)
		history->opts.wbinvd_rate = NSN_WBINVD_RATE;
	if (history->opts.wbinvd_time <= 0)
		history->opts.wbinvd_time = NSN_WBINVD_TIME;
	history->spare = SPARE;
	return history;
}

void nsn_history__free(struct nsn_history *history)
{
	if (!history)
		return;
	nsn_history_free_vms(history);
	nsn_history_free_domains(history);
	free(history);
}

const char *nsn_history__lost(const struct nsn_history *history)
{
	return history->lost;
}

void nsn_history_lose(struct nsn_history *history, const char *why)
{
	struct nsn_domain_watch *watch, *next;

	history->lost = why;
	HASH_ITER(hh, history->domains, watch, next) {
		watch->made = false;
		watch->made_by = 0;
		watch->lossy = true;
	}
}

/* The kernel tells who does a thing, and its own time of it; the difference of two snapshots can't. */
static bool is_from_kernel(const struct nsn_rec_event *event)
{
	return NSN_KNOWS(event, event, tid) || NSN_KNOWS(event, event, monotonic);
}

int nsn_history__event(struct nsn_history *history, const struct nsn_rec *rec)
{
	const struct nsn_rec_event *event = (const void *)rec;
	int err;

	if (rec->kind != NSN_REC_EVENT)
		return 0;
	history->events++; /* in the end record's count are all kinds of event */
	if (!NSN_KNOWS(event, event, event)) {
		nsn_history_lose(history, "an event does not say what it is");
		return 0;
	}
	if (event->event == NSN_EVENT_LOST) {
		nsn_history_lose(history, "events were lost");
		return 0;
	}
	if (event->event >= NSN_EVENT_PROBE || !is_from_kernel(event))
		return 0;
	err = nsn_history_domain_event(history, event);
	return err ? err : nsn_history_device_event(history, event);
}

/* A recorded snapshot's end counts the events before it; a live one's counts none. */
static void check_events(struct nsn_history *history, const struct nsn_model *model)
{
	const struct nsn_rec_end *end = &model->build->end;

	if (!model->ended)
		nsn_history_lose(history, "a snapshot has no end: events may be missing");
	else if (NSN_KNOWS(end, end, event) && end->event > history->events)
		nsn_history_lose(history, "events are missing");
	history->events = 0;
}

int nsn_history__snapshot(struct nsn_history *history, const struct nsn_model *model,
			  uint64_t now_ns)
{
	struct nsn_sight sight;
	bool doubt, vm_doubt;
	int err;

	nsn_sight__of(&sight, model);
	doubt = sight.doubt != NULL;
	vm_doubt = doubt || sight.vms_hidden ||
		   nsn_model__source(model, "kernel.kvm", NULL) == NSN_SOURCE_FAILED;
	check_events(history, model);
	history->snapshots++;
	history->now = now_ns;
	err = nsn_history_watch_vms(history, model, vm_doubt);
	if (!err)
		err = nsn_history_watch_bits(history, model, vm_doubt || sight.containers_hidden);
	if (!err)
		err = nsn_history_watch_domains(history, model, doubt);
	history->gap = doubt;
	history->vm_gap = vm_doubt || sight.containers_hidden;
	history->spare = SPARE;
	return err;
}

int nsn_history__tick(struct nsn_history *history, const struct nsn_model *model, uint64_t now_ns)
{
	int changed = 0;

	history->now = now_ns;
	for (size_t i = 0; i < model->vms_count; i++)
		changed |= nsn_history_sample(history, &model->vms[i], false);
	return changed;
}
