// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * live_events.c - a live machine's events: taken in, named, and made of differences where no probe
 * shows them. Floor 4.
 */
#include <errno.h>
#include <string.h>

#include "live_internal.h"
#include "log.h"
#include "model_diff.h"

struct event_sink {
	struct nsn_sink sink;
	struct nsn_live *live;
};

/* Names what the event is about by the ids that are known now; what was known before stays. */
static void name_event(const struct nsn_live *live, struct nsn_top_event *event)
{
	struct nsn_told told;

	nsn_ids__resolve(live->ids, live->model, &event->rec, &told);
	if (!event->vm_id[0] && told.vm) {
		nsn_format(event->vm_id, sizeof(event->vm_id), "%s", told.vm);
		nsn_format(event->vm, sizeof(event->vm), "%s",
			   told.vm_name ? told.vm_name : told.vm);
	}
	if (told.reason)
		NSN_PUT(&event->rec, event, reason, told.reason);
	if (event->object[0])
		return;
	if (told.device)
		nsn_format(event->object, sizeof(event->object), "%s", told.device);
	else if (NSN_KNOWS(&event->rec, event, group_id))
		nsn_format(event->object, sizeof(event->object), "group %llu",
			   (unsigned long long)event->rec.group_id);
	else if (told.domain)
		nsn_format(event->object, sizeof(event->object), "domain %s", told.domain);
	else if (told.container)
		nsn_format(event->object, sizeof(event->object), "container %s", told.container);
}

/* Those that came since the snapshot before have their names by now. */
void nsn_live__name_events(struct nsn_live *live)
{
	if (live->unnamed > live->events_count)
		live->unnamed = 0;
	for (size_t i = live->unnamed; i < live->events_count; i++)
		name_event(live, &live->events[i]);
	live->unnamed = live->events_count;
}

/* What is many and changes no state asks for no snapshot. */
static bool is_news(const struct nsn_rec_event *rec)
{
	return rec->event != NSN_EVENT_WBINVD && rec->event != NSN_EVENT_HOST_FLUSH &&
	       rec->event != NSN_EVENT_SNAPSHOT;
}

int nsn_live__take(struct nsn_live *live, const struct nsn_rec *rec)
{
	struct nsn_top_event *event;

	if (rec->kind != NSN_REC_EVENT)
		return 0;
	if (nsn_history__event(live->history, rec))
		return -ENOMEM;
	/* how the probes stand at the start is no news */
	if (live->starting && ((const struct nsn_rec_event *)rec)->event == NSN_EVENT_PROBE)
		return 0;
	if (live->opts.tap && nsn_sink__put(live->opts.tap, rec))
		return -ENOMEM;
	if (live->events_count >= 2 * NSN_LIVE_EVENTS) {
		live->events_count = NSN_LIVE_EVENTS;
		live->unnamed -= live->unnamed < NSN_LIVE_EVENTS ? live->unnamed : NSN_LIVE_EVENTS;
		memmove(live->events, live->events + NSN_LIVE_EVENTS,
			NSN_LIVE_EVENTS * sizeof(*live->events));
	}
	event = NSN_APPEND(live, events);
	if (!event)
		return -ENOMEM;
	memcpy(&event->rec, rec, sizeof(event->rec));
	if (event->rec.event == NSN_EVENT_LOST && live->opts.session.replay)
		live->replay_lost += event->rec.count;
	name_event(live, event);
	live->wanted |= is_news(&event->rec);
	live->told |= event->rec.event < NSN_EVENT_PROBE;
	return 0;
}

static int take_event(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	return nsn_live__take(((struct event_sink *)sink)->live, rec);
}

int nsn_live__drain(struct nsn_live *live)
{
	struct event_sink sink = { .sink = { .put = take_event }, .live = live };
	int got = nsn_session__drain(live->session, &sink.sink);

	if (got < 0)
		nsn_error("events could not be read: %s", strerror(-got));
	return got < 0 ? got : 0;
}

int nsn_live__fd(const struct nsn_live *live)
{
	const struct nsn_events *events = nsn_session__events(live->session);

	return events ? nsn_events__fd(events) : -1;
}

uint64_t nsn_live__lost(const struct nsn_live *live)
{
	const struct nsn_events *events = nsn_session__events(live->session);

	return events ? nsn_events__lost(events) : live->replay_lost;
}

/* One row a feature, whatever many probes it has. */
void nsn_live__list_features(struct nsn_live *live)
{
	const struct nsn_events *events = nsn_session__events(live->session);
	const struct nsn_probe_state *states;
	size_t count = 0, at;

	live->features_count = 0;
	if (!events)
		return;
	states = nsn_events__probes(events, &count);
	for (size_t i = 0; i < count; i++) {
		const char *name = states[i].row->feature;
		struct nsn_top_feature *feature;

		for (at = 0; at < live->features_count; at++)
			if (strcmp(live->features[at].name, name) == 0)
				break;
		if (at == NSN_LIVE_FEATURES)
			return;
		feature = &live->features[at];
		if (at == live->features_count) {
			live->features_count++;
			feature->name = name;
			feature->on = nsn_events__has_feature(events, name);
			feature->reason = "";
			feature->idle = true;
		}
		feature->idle &= states[i].absent;
		if (states[i].method == NSN_PROBE_NONE &&
		    (!feature->reason[0] || (!feature->on && !states[i].absent)))
			feature->reason = states[i].reason;
	}
}

int nsn_live__open_events(struct nsn_live *live, bool (*leave)(void *data), void *data)
{
	int err;

	live->opts.events.leave = leave;
	live->opts.events.leave_data = data;
	err = nsn_session__open_events(live->session, &live->opts.events);
	if (err == -ECANCELED)
		err = 0;
	live->starting = true;
	if (!err)
		err = nsn_live__drain(live);
	live->starting = false;
	if (!err)
		nsn_live__list_features(live);
	live->wanted = true; /* from now on a snapshot has counters */
	return err;
}

/* Where no probe can show what happens, the difference of two snapshots tells of it. */
int nsn_live__add_differences(struct nsn_live *live, const struct nsn_model *model)
{
	struct event_sink sink = { .sink = { .put = take_event }, .live = live };
	const struct nsn_events *events = nsn_session__events(live->session);
	bool wanted = live->wanted;
	int err;

	if (!live->model || live->told || (events && nsn_events__attached(events)))
		return 0;
	err = nsn_model_diff(live->model, model, ~0ULL, &sink.sink);
	live->wanted = wanted; /* the snapshot was taken already */
	live->told = false;
	return err;
}
