// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * live.c - a machine over time. Floor 4.
 */
#include "live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collect_pci.h"
#include "live_internal.h"
#include "log.h"

#define SECOND         1000000000ULL
#define LEAST_DISTANCE (SECOND / 4) /* between two snapshots */
#define COST_SHARE     20           /* a snapshot waits for so many times the time it takes */

static uint64_t now_on(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* Of the machine that is shown. */
static uint64_t now_there(const struct nsn_live *live)
{
	uint64_t passed;

	if (!live->opts.session.replay)
		return now_on(CLOCK_REALTIME);
	if (live->ended || live->opts.speed <= 0)
		return live->model ? nsn_model__taken_at(live->model) : 0;
	passed = (live->paused_at ? live->paused_at : now_on(CLOCK_MONOTONIC)) - live->began_at;
	return live->began_time + (uint64_t)((double)passed * live->opts.speed);
}

/* ---- snapshots -------------------------------------------------------------------------------- */

/* Takes a model over and judges it, at the time now_ns. */
static int adopt(struct nsn_live *live, struct nsn_model *model, uint64_t now_ns)
{
	struct nsn_findings *findings = NULL;

	model->live = true;
	nsn_rates__apply(live->rates, model);
	if (nsn_history__snapshot(live->history, model, now_ns) == 0)
		findings = nsn_findings__with_history(model, live->history);
	if (!findings || nsn_ids__learn(live->ids, model) ||
	    nsn_live__add_differences(live, model)) {
		nsn_findings__free(findings);
		nsn_model__free(model);
		return -ENOMEM;
	}
	nsn_findings__free(live->findings);
	nsn_model__free(live->model);
	live->model = model;
	live->findings = findings;
	nsn_live__name_events(live);
	return 0;
}

static int take_snapshot(struct nsn_live *live)
{
	uint64_t began = now_on(CLOCK_MONOTONIC);
	struct nsn_model *model;
	int err = nsn_live__drain(live);

	live->wanted = false;
	if (!err)
		err = nsn_session__snapshot(live->session, &model);
	if (!err)
		err = adopt(live, model, now_on(CLOCK_MONOTONIC));
	live->snapshot_at = now_on(CLOCK_MONOTONIC);
	live->snapshot_cost = live->snapshot_at - began;
	return err;
}

/* Events that were read ahead happen. */
static int take_next_events(struct nsn_live *live)
{
	const struct nsn_rec *rec = NULL;
	int err = 0;

	while (!err && (rec = nsn_records__next(&live->next_events, rec)))
		err = nsn_live__take(live, rec);
	nsn_records__clear(&live->next_events);
	return err;
}

/*
 * Reads a replay's next snapshot ahead. What stands behind the last one's end is no machine: of a
 * recording that was cut off, events are left of it.
 */
static int read_ahead(struct nsn_live *live)
{
	int got = nsn_session__replay_next(live->session, &live->next_events.sink, live->wait,
					   &live->next);

	if (got == -EAGAIN)
		return 0;
	if (got == 1 && !live->next->ended) {
		nsn_warning("%s: the recording has no end: what was cut off is unknown",
			    live->opts.session.replay);
		if (live->model) {
			nsn_model__free(live->next);
			live->next = NULL;
			got = take_next_events(live);
		}
	}
	live->ended = got == 0;
	return got < 0 ? got : 0;
}

/* Shows the snapshot that was read ahead, with what happened before it, and reads another one. */
static int step(struct nsn_live *live)
{
	struct nsn_model *model = live->next;
	int err;

	live->next = NULL;
	err = take_next_events(live);
	if (err) {
		nsn_model__free(model);
		return err;
	}
	err = adopt(live, model, nsn_model__taken_at(model));
	if (!err)
		err = nsn_rates__tick(live->rates, live->model, nsn_model__taken_at(live->model));
	return err ? err : read_ahead(live);
}

static int start_replay(struct nsn_live *live)
{
	int err;

	live->wait = true;
	err = read_ahead(live);
	live->wait = live->opts.speed <= 0;
	if (!err && !live->next) {
		nsn_error("%s: there is no snapshot in it", live->opts.session.replay);
		return -ENODATA;
	}
	if (err)
		return err;
	live->began_time = nsn_model__taken_at(live->next);
	live->began_at = now_on(CLOCK_MONOTONIC);
	return step(live);
}

int nsn_live__start(struct nsn_live *live)
{
	int err;

	nsn_pci__set_names(!live->opts.quick);
	err = live->opts.session.replay ? start_replay(live) : take_snapshot(live);
	nsn_pci__set_names(true);
	if (!err && !live->opts.session.replay)
		err = nsn_rates__tick(live->rates, live->model, now_on(CLOCK_MONOTONIC));
	return err;
}

bool nsn_live__ended(const struct nsn_live *live)
{
	return live->ended;
}

int nsn_live__to_end(struct nsn_live *live)
{
	int err = 0;

	live->wait = true;
	while (live->opts.session.replay && !live->ended && !err)
		err = live->next ? step(live) : read_ahead(live);
	return err;
}

uint64_t nsn_live__snapshot_in(const struct nsn_live *live)
{
	uint64_t passed = now_on(CLOCK_MONOTONIC) - live->snapshot_at;
	uint64_t distance = live->snapshot_cost * COST_SHARE;

	if (!live->wanted)
		return UINT64_MAX;
	/* however dear it is, what was asked for comes within the interval */
	if (distance > live->opts.snapshot_interval_ns)
		distance = live->opts.snapshot_interval_ns;
	if (distance < LEAST_DISTANCE)
		distance = LEAST_DISTANCE;
	return passed >= distance ? 0 : distance - passed;
}

int nsn_live__refresh(struct nsn_live *live)
{
	struct nsn_events *events = nsn_session__events(live->session);
	uint64_t passed = now_on(CLOCK_MONOTONIC) - live->snapshot_at;
	int err;

	if (live->opts.session.replay)
		return 0;
	if (events && nsn_events__refresh(events)) {
		nsn_live__list_features(live);
		live->wanted = true;
	}
	/* the next time is a second away: what is due by then is due now */
	if (nsn_live__snapshot_in(live) && passed + SECOND / 2 < live->opts.snapshot_interval_ns)
		return 0;
	err = take_snapshot(live);
	return err ? err : 1;
}

int nsn_live__snapshot(struct nsn_live *live)
{
	int err;

	if (live->opts.session.replay)
		return nsn_live__tick(live);
	err = take_snapshot(live);
	return err ? err : nsn_rates__tick(live->rates, live->model, now_on(CLOCK_MONOTONIC));
}

/* Counters were read: what they come to by now may be a finding, or none any more. */
static int judge_counters(struct nsn_live *live, uint64_t now_ns)
{
	struct nsn_findings *findings;
	int changed = nsn_history__tick(live->history, live->model, now_ns);

	if (changed <= 0)
		return changed;
	findings = nsn_findings__with_history(live->model, live->history);
	if (!findings)
		return -ENOMEM;
	nsn_findings__free(live->findings);
	live->findings = findings;
	return 0;
}

int nsn_live__tick(struct nsn_live *live)
{
	uint64_t now;
	int err = 0;

	if (live->opts.session.replay) {
		bool all = live->opts.speed <= 0;

		if (!live->next && !live->ended)
			err = read_ahead(live);
		while (!err && live->next &&
		       (all || nsn_model__taken_at(live->next) <= now_there(live))) {
			err = step(live);
			if (all)
				break;
		}
		return err;
	}
	err = nsn_live__drain(live);
	if (!err)
		err = nsn_session__tick(live->session, live->model);
	now = now_on(CLOCK_MONOTONIC);
	if (!err)
		err = nsn_rates__tick(live->rates, live->model, now);
	return err ? err : judge_counters(live, now);
}

/* ---- the rest --------------------------------------------------------------------------------- */

int nsn_live__pause(struct nsn_live *live, bool paused)
{
	if (paused) {
		live->paused_at = now_on(CLOCK_MONOTONIC);
		return 0;
	}
	if (live->paused_at)
		live->began_at += now_on(CLOCK_MONOTONIC) - live->paused_at;
	live->paused_at = 0;
	return nsn_live__snapshot(live);
}

/* As nsn_live__refresh() would, but what is shown stays. */
int nsn_live__pass_paused(struct nsn_live *live)
{
	const bool recording = live->record_path || live->opts.session.record;
	const uint64_t last =
		live->recorded_at > live->snapshot_at ? live->recorded_at : live->snapshot_at;
	const uint64_t now = now_on(CLOCK_MONOTONIC);
	struct nsn_model *model = NULL;
	int err = nsn_live__drain(live);

	if (err || !recording || live->opts.session.replay ||
	    now - last + SECOND / 2 < live->opts.snapshot_interval_ns)
		return err;
	err = nsn_session__snapshot(live->session, &model);
	nsn_model__free(model);
	live->recorded_at = now;
	return err;
}

static void forget_recording(struct nsn_live *live)
{
	free(live->record_path);
	live->record_path = NULL;
	live->opts.session.record = NULL;
}

/* Of a machine, a recording ends with all of it. */
int nsn_live__finish(struct nsn_live *live)
{
	const bool recording = live->record_path || live->opts.session.record;
	struct nsn_events *events = nsn_session__events(live->session);
	int failed, err = 0;

	if (!live->model)
		nsn_session__drop_recording(live->session); /* nothing could be read at all */
	else if (recording && events)
		nsn_events__settle(events); /* what was missed by then stands in the recording */
	if (live->model && recording && !live->opts.session.replay)
		err = take_snapshot(live);
	failed = nsn_session__stop_recording(live->session);

	forget_recording(live);
	if (!failed)
		failed = live->record_error;
	live->record_error = 0;
	return err ? err : failed;
}

int nsn_live__recording_failed(struct nsn_live *live)
{
	int err = nsn_session__recording_failed(live->session);

	if (err && live->opts.session.record)
		live->record_error = err;
	if (err)
		forget_recording(live);
	return err;
}

int nsn_live__record(struct nsn_live *live, const char *path)
{
	char *copy = strdup(path);
	int err = copy ? nsn_live__finish(live) : -ENOMEM;

	if (!err)
		err = nsn_session__start_recording(live->session, path);
	if (!err) {
		err = take_snapshot(live); /* it starts with the whole machine */
		if (err)
			nsn_session__drop_recording(live->session);
	}
	if (err)
		free(copy);
	else
		live->record_path = copy;
	return err;
}

struct nsn_session *nsn_live__session(const struct nsn_live *live)
{
	return live->session;
}

const struct nsn_model *nsn_live__model(const struct nsn_live *live)
{
	return live->model;
}

const struct nsn_findings *nsn_live__findings(const struct nsn_live *live)
{
	return live->findings;
}

double nsn_live__interval(const struct nsn_live *live)
{
	return nsn_rates__interval(live->rates);
}

/* Why no event at all can come; NULL: one can. */
static const char *why_no_events(const struct nsn_live *live)
{
	const struct nsn_events *events = nsn_session__events(live->session);
	const struct nsn_probe_state *states;
	size_t count = 0;

	if (live->opts.session.sysroot)
		return "--sysroot shows files, not a running kernel";
	if (!events || nsn_events__attached(events))
		return NULL;
	states = nsn_events__probes(events, &count);
	for (size_t i = 0; i < count; i++)
		if (!states[i].absent)
			return states[i].reason;
	return NULL;
}

void nsn_live__show(struct nsn_live *live, struct nsn_top *top)
{
	const struct nsn_events *events = nsn_session__events(live->session);
	const uint64_t now = now_there(live), taken_at = nsn_model__taken_at(live->model);

	memset(top, 0, sizeof(*top));
	top->model = live->model;
	top->findings = live->findings;
	top->rates = live->rates;
	top->events = live->events;
	top->events_count = live->events_count;
	top->features = live->features;
	top->features_count = live->features_count;
	if (events) {
		nsn_events__probes(events, &top->probes_count);
		top->probes_on = nsn_events__attached(events);
	}
	top->events_off = why_no_events(live);
	top->lost = nsn_live__lost(live);
	top->now = now;
	top->replay = live->opts.session.replay != NULL;
	top->replay_ended = live->ended;
	top->recording = live->record_path ? live->record_path : live->opts.session.record;
	top->snapshot_age_ns = now_on(CLOCK_MONOTONIC) - live->snapshot_at;
	if (top->replay)
		top->snapshot_age_ns = now > taken_at ? now - taken_at : 0;
}

int nsn_live__new(const struct nsn_live_opts *opts, struct nsn_live **out)
{
	struct nsn_live *live = calloc(1, sizeof(*live));
	int err;

	*out = NULL;
	if (!live)
		return -ENOMEM;
	live->opts = *opts;
	nsn_records__init(&live->next_events);
	live->rates = nsn_rates__new();
	live->ids = nsn_ids__new();
	live->history = nsn_history__new(&opts->history);
	err = live->rates && live->ids && live->history ? 0 : -ENOMEM;
	if (!err)
		err = nsn_session__new(&live->opts.session, &live->session);
	if (err)
		nsn_live__free(live);
	else
		*out = live;
	return err;
}

void nsn_live__free(struct nsn_live *live)
{
	if (!live)
		return;
	nsn_session__free(live->session);
	nsn_findings__free(live->findings);
	nsn_model__free(live->model);
	nsn_model__free(live->next);
	nsn_records__free(&live->next_events);
	nsn_rates__free(live->rates);
	nsn_ids__free(live->ids);
	nsn_history__free(live->history);
	free(live->events);
	free(live->record_path);
	free(live);
}
