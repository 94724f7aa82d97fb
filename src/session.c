// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * session.c - from sources to a model: the wiring that every command shares. Floor 4.
 */
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collect_bpf.h"
#include "collect_count.h"
#include "collect_proc.h"
#include "collect_replay.h"
#include "collect_sysfs.h"
#include "collect_util.h"
#include "log.h"
#include "proccache.h"
#include "recfile.h"

struct model_sink {
	struct nsn_sink sink;
	struct nsn_model *model;
};

/* What a live session or a replay reads goes into the recording, if there is one, then on. */
struct recorder {
	struct nsn_sink sink;
	struct nsn_session *session;
	struct nsn_sink *next;
};

struct nsn_session {
	struct nsn_session_opts opts;
	struct nsn_collect_bpf *bpf; /* NULL on a replay or under a sysroot */
	struct nsn_events *events;   /* NULL: not opened, or there is no kernel to attach to */
	struct nsn_replay *replay;   /* NULL until the first snapshot of many is asked for */
	struct nsn_recfile *record;
	int record_error; /* of a recording that ended by it */
	struct nsn_proc_cache *names;
	uint64_t events_count;          /* recorded since the last end */
	double seconds[NSN_COLLECTORS]; /* of the last snapshot; < 0: none */
};

const char *nsn_collector_name(enum nsn_collector collector)
{
	static const char *const names[NSN_COLLECTORS] = { "bpf", "sysfs", "proc", "events" };

	return names[collector];
}

const char *nsn_collector_prefix(enum nsn_collector collector)
{
	static const char *const prefixes[NSN_COLLECTORS] = { "kernel.", "sysfs.", "proc",
							      "events." };

	return prefixes[collector];
}

double nsn_session__collector_seconds(const struct nsn_session *session,
				      enum nsn_collector collector)
{
	return session->seconds[collector];
}

/* Adds what has passed since *from to a collector's time, and moves *from on. */
static void took(struct nsn_session *session, enum nsn_collector collector, struct timespec *from)
{
	double *seconds = &session->seconds[collector];
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	*seconds = (*seconds > 0 ? *seconds : 0) + (double)(now.tv_sec - from->tv_sec) +
		   (double)(now.tv_nsec - from->tv_nsec) * 1e-9;
	*from = now;
}

static int add_to_model(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	return nsn_model__add(((struct model_sink *)sink)->model, rec);
}

/* What was recorded as a whole by now is kept. 0 if the session goes on without it. */
static int end_failed_recording(struct nsn_session *session, int err)
{
	int kept = nsn_recfile__salvage(session->record);

	nsn_error("the recording ended (%s)%s", strerror(-err),
		  kept > 0 ? ": it is kept up to its last whole snapshot" : "");
	nsn_session__drop_recording(session);
	session->record_error = err;
	return session->opts.outlive_record ? 0 : err;
}

static int record_and_pass_on(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	struct recorder *recorder = (struct recorder *)sink;
	struct nsn_session *session = recorder->session;
	int err = session->record ? nsn_recfile__put(session->record, rec) : 0;

	if (err)
		err = end_failed_recording(session, err);
	return err ? err : nsn_sink__put(recorder->next, rec);
}

static struct recorder record_into(struct nsn_session *session, struct nsn_sink *next)
{
	return (struct recorder){ .sink = { .put = record_and_pass_on },
				  .session = session,
				  .next = next };
}

/* An end counts the events of a recording too, which of a machine go another way than into its model. */
static int add_live_to_model(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	struct nsn_rec_end end;

	if (rec->kind != NSN_REC_END)
		return add_to_model(sink, rec);
	memcpy(&end, rec, sizeof(end));
	end.event = 0;
	return add_to_model(sink, &end.h);
}

static int put_source(struct nsn_sink *sink, const char *name, const char *reason)
{
	NSN_NEW(rec, SOURCE, source);

	NSN_PUT(&rec, source, state, NSN_SOURCE_FAILED);
	NSN_PUT_STR(&rec, source, name, name);
	NSN_PUT_STR(&rec, source, reason, reason);
	return nsn_sink__put(sink, &rec.h);
}

/* A folder of files has no kernel behind it that could be asked. */
static int skip_kernel(struct nsn_sink *sink)
{
	static const char *const sources[] = { "kernel.files", "kernel.kvm",   "kernel.vfio",
					       "kernel.type1", "kernel.iommu", "kernel.iommufd",
					       "kernel.vdpa" };
	int err = 0;

	for (size_t i = 0; i < NSN_ARRAY_SIZE(sources) && !err; i++)
		err = put_source(sink, sources[i], "--sysroot shows files, not a running kernel");
	return err;
}

static int collect_names(struct nsn_session *session, struct nsn_counter *counter)
{
	const char *root = session->opts.sysroot ? session->opts.sysroot : "";
	struct nsn_wanted *entry, *next;
	struct timespec now;
	int err = nsn_proc__source(root, &counter->sink);

	clock_gettime(CLOCK_MONOTONIC, &now);
	HASH_ITER(hh, counter->processes, entry, next)
		if (!err)
			err = nsn_proc_cache__collect(
				session->names, root, entry->pid, entry->start_ticks,
				now.tv_sec * 1000000000ULL + now.tv_nsec, &counter->sink);
	nsn_proc_cache__sweep(session->names);
	return err;
}

static int collect_live(struct nsn_session *session, struct nsn_sink *sink)
{
	const char *root = session->opts.sysroot ? session->opts.sysroot : "";
	struct nsn_counter counter;
	struct timespec now, from;
	int err;

	nsn_counter__init(&counter, sink);
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (size_t i = 0; i < NSN_COLLECTORS; i++)
		session->seconds[i] = -1;
	err = session->bpf ? nsn_collect_bpf__snapshot(session->bpf, &counter.sink)
			   : skip_kernel(&counter.sink);
	took(session, NSN_COLLECTOR_BPF, &from);
	/* where BPF saw none, there was none: one that came since has no object to belong to */
	if (!err && counter.files_unread)
		err = nsn_proc__scan_files(root, &counter.sink);
	took(session, NSN_COLLECTOR_PROC, &from);
	if (!err)
		err = nsn_sysfs__collect(root, now.tv_sec * 1000000000ULL + now.tv_nsec,
					 &counter.sink);
	took(session, NSN_COLLECTOR_SYSFS, &from);
	if (!err)
		err = collect_names(session, &counter);
	took(session, NSN_COLLECTOR_PROC, &from);
	if (!err && session->events)
		err = nsn_events__counters(session->events, &counter.sink);
	if (session->events)
		took(session, NSN_COLLECTOR_EVENTS, &from);
	counter.counts[NSN_REC_EVENT] += session->record ? session->events_count : 0;
	session->events_count = 0;
	if (!err)
		err = nsn_counter__end(&counter);
	nsn_counter__free(&counter);
	if (err && err != session->record_error)
		nsn_error("the machine could not be read: %s", strerror(-err));
	return err;
}

int nsn_session__new(const struct nsn_session_opts *opts, struct nsn_session **out)
{
	struct nsn_session *session = calloc(1, sizeof(*session));
	int err;

	*out = NULL;
	if (!session)
		return -ENOMEM;
	session->opts = *opts;
	for (size_t i = 0; i < NSN_COLLECTORS; i++)
		session->seconds[i] = -1;
	session->names = nsn_proc_cache__new();
	err = session->names ? nsn_collect__check_sysroot(opts->sysroot) : -ENOMEM;
	if (!err && opts->record)
		err = nsn_recfile__create(opts->record, &session->record);
	if (!err && !opts->replay && !opts->sysroot) {
		err = nsn_collect_bpf__open(&session->bpf);
		if (err)
			nsn_error("BPF could not be set up: %s", strerror(-err));
	}
	if (err)
		nsn_session__free(session);
	else
		*out = session;
	return err;
}

int nsn_session__snapshot(struct nsn_session *session, struct nsn_model **out)
{
	struct model_sink sink = {
		.sink = { .put = session->opts.replay ? add_to_model : add_live_to_model },
		.model = nsn_model__new(),
	};
	struct recorder recorder = record_into(session, &sink.sink);
	int err;

	*out = NULL;
	if (!sink.model)
		return -ENOMEM;
	err = session->opts.replay ? nsn_replay__collect(session->opts.replay, &recorder.sink)
				   : collect_live(session, &recorder.sink);
	if (!err)
		err = nsn_model__finish(sink.model);
	if (err)
		nsn_model__free(sink.model);
	else
		*out = sink.model;
	return err;
}

int nsn_session__open_events(struct nsn_session *session, const struct nsn_events_opts *opts)
{
	struct nsn_events_opts own = *opts;
	int err;

	if (!session->bpf)
		return 0;
	own.collector = session->bpf;
	err = nsn_events__open(&own, &session->events);
	if (err && err != -ECANCELED)
		nsn_error("events could not be set up: %s", strerror(-err));
	return err;
}

struct nsn_events *nsn_session__events(struct nsn_session *session)
{
	return session->events;
}

int nsn_session__drain(struct nsn_session *session, struct nsn_sink *sink)
{
	struct recorder recorder = record_into(session, sink);
	int got;

	if (!session->events)
		return 0;
	got = nsn_events__drain(session->events, &recorder.sink);
	session->events_count += got > 0 ? got : 0;
	return got;
}

static int add_counter(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	nsn_model__update_counters(((struct model_sink *)sink)->model, (const void *)rec);
	return 0;
}

int nsn_session__tick(struct nsn_session *session, struct nsn_model *model)
{
	struct model_sink sink = { .sink = { .put = add_counter }, .model = model };

	return session->events ? nsn_events__tick(session->events, &sink.sink) : 0;
}

/* A replayed snapshot: its events go one way, all else into the model. */
struct split_sink {
	struct nsn_sink sink;
	struct nsn_sink *events;
	struct nsn_model *model;
};

static int split(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	struct split_sink *both = (struct split_sink *)sink;
	int err = nsn_model__add(both->model, rec);

	if (!err && rec->kind == NSN_REC_EVENT && both->events)
		err = nsn_sink__put(both->events, rec);
	return err;
}

int nsn_session__replay_next(struct nsn_session *session, struct nsn_sink *events, bool wait,
			     struct nsn_model **out)
{
	struct split_sink sink = { .sink = { .put = split }, .events = events };
	struct recorder recorder = record_into(session, &sink.sink);
	int got = 0;

	*out = NULL;
	if (!session->replay)
		got = nsn_replay__open(session->opts.replay, &session->replay);
	sink.model = got ? NULL : nsn_model__new();
	if (!sink.model)
		return got ? got : -ENOMEM;
	nsn_replay__wait(session->replay, wait);
	got = nsn_replay__next_snapshot(session->replay, &recorder.sink);
	if (got == 1 && nsn_model__finish(sink.model))
		got = -ENOMEM;
	if (got == 1)
		*out = sink.model;
	else
		nsn_model__free(sink.model);
	return got;
}

struct history_sink {
	struct nsn_sink sink;
	struct nsn_history *history;
};

static int add_to_history(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	return nsn_history__event(((struct history_sink *)sink)->history, rec);
}

/* A recording without any snapshot: a machine of which nothing is known. */
static int empty_model(struct nsn_model **out)
{
	*out = nsn_model__new();
	return *out ? nsn_model__finish(*out) : -ENOMEM;
}

int nsn_session__replay_through(struct nsn_session *session, struct nsn_history *history,
				struct nsn_model **out, size_t *snapshots)
{
	struct history_sink sink = { .sink = { .put = add_to_history }, .history = history };
	struct nsn_model *model;
	int got;

	*out = NULL;
	*snapshots = 0;
	while ((got = nsn_session__replay_next(session, &sink.sink, true, &model)) > 0) {
		if (!model->ended && *out) {
			nsn_warning("%s: the last snapshot has no end: taking the one before it",
				    session->opts.replay);
			nsn_model__free(model);
			continue;
		}
		if (!model->ended)
			nsn_warning("%s: the recording has no end: what was cut off is unknown",
				    session->opts.replay);
		nsn_model__free(*out);
		*out = model;
		++*snapshots;
		got = nsn_history__snapshot(history, model, nsn_model__taken_at(model));
		if (got)
			break;
	}
	return got || *out ? got : empty_model(out);
}

void nsn_session__drop_recording(struct nsn_session *session)
{
	nsn_recfile__free(session->record);
	session->record = NULL;
}

int nsn_session__stop_recording(struct nsn_session *session)
{
	int err = nsn_session__finish(session);

	nsn_session__drop_recording(session);
	return err;
}

int nsn_session__start_recording(struct nsn_session *session, const char *path)
{
	int err = nsn_session__stop_recording(session);

	session->events_count = 0; /* those before are not in this recording */
	return err ? err : nsn_recfile__create(path, &session->record);
}

int nsn_session__recording_failed(struct nsn_session *session)
{
	int err = session->record_error;

	session->record_error = 0;
	return err;
}

int nsn_session__finish(struct nsn_session *session)
{
	int err = session->record ? nsn_recfile__commit(session->record) : 0;
	int failed = nsn_session__recording_failed(session);

	return err ? err : failed;
}

void nsn_session__free(struct nsn_session *session)
{
	if (!session)
		return;
	nsn_events__close(session->events);
	nsn_replay__free(session->replay);
	nsn_collect_bpf__close(session->bpf);
	nsn_recfile__free(session->record);
	nsn_proc_cache__free(session->names);
	free(session);
}
