// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * trace.c - the loop behind nosnoop trace. Floor 4.
 */
#include "trace.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "model_diff.h"
#include "model_names.h"
#include "render_trace.h"
#include "unseen.h"

#define SECOND     1000000000ULL
#define HOLD_NS    (SECOND / 4)  /* how long events wait for a snapshot that names them */
#define REFRESH_NS SECOND        /* how often modules are looked at */
#define RECORD_NS  (10 * SECOND) /* how often a recording gets a snapshot */

/* Kinds of event that are shown only if they are asked for: many, or of the tool itself. */
#define MANY  (1ULL << NSN_EVENT_WBINVD)
#define QUIET (MANY | 1ULL << NSN_EVENT_SNAPSHOT)
#define ALL   ((1ULL << NSN_EVENT_MAX) - 1)

struct trace {
	const struct nsn_cli_opts *cli;
	const struct nsn_trace_opts *opts;
	struct nsn_session *session;
	struct nsn_render_opts render;
	struct nsn_selection selection;
	char vm[NSN_ID_LEN];     /* of --vm: ids outlive models, pointers do not */
	char device[NSN_ID_LEN]; /* of --device */
	uint64_t group;          /* of --group, or --device's */
	bool by_group;
	struct nsn_ids *names;
	struct nsn_history *history;
	struct nsn_model *model;                     /* the last snapshot */
	bool model_is_new;                           /* the history does not have it yet */
	uint64_t model_at;                           /* ns, of whatever clock the history goes by */
	struct nsn_records waiting;                  /* events that are not printed yet */
	uint64_t started, snapshot_at, refreshed_at; /* ns */
	uint64_t lines;
	bool done;
	uint64_t probes_on; /* of a replay: nsn_unseen__note() */
};

const char *nsn_trace_event_list(void)
{
	static char list[512];

	list[0] = '\0';
	for (uint64_t i = 0; i < NSN_EVENT_MAX; i++)
		nsn_format(list + strlen(list), sizeof(list) - strlen(list), "%s%s", i ? " " : "",
			   nsn_event_name(i));
	return list;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* ---- which events are shown ------------------------------------------------------------------ */

static bool selected(const struct trace *trace, const struct nsn_told *told)
{
	const struct nsn_rec_event *event = told->event;

	if (event->event == NSN_EVENT_PROBE || event->event == NSN_EVENT_LOST)
		return true;
	if (trace->vm[0] && (!told->vm || strcmp(told->vm, trace->vm)))
		return false;
	if (trace->device[0] && told->device)
		return strcmp(told->device, trace->device) == 0;
	if (!trace->by_group) /* a device without a group has nothing but events of its own */
		return !trace->device[0];
	return NSN_KNOWS(event, event, group_id) && event->group_id == trace->group;
}

/* Steps within others are shown to those who ask for all, or for more words. */
static bool is_noise(const struct trace *trace, const struct nsn_rec_event *event)
{
	if (trace->opts->events)
		return false;
	if (QUIET & (1ULL << event->event))
		return true;
	if (event->event == NSN_EVENT_PROBE) /* what is on, or has nothing to see, is no news */
		return trace->cli->verbosity == 0 && (event->count || event->inner);
	return trace->cli->verbosity == 0 && NSN_KNOWS(event, event, inner) && event->inner &&
	       !event->error;
}

static bool shown(const struct trace *trace, const struct nsn_told *told)
{
	const struct nsn_rec_event *event = told->event;

	if (trace->opts->events && !(trace->opts->events & (1ULL << event->event)))
		return false;
	if (is_noise(trace, event))
		return false;
	if (trace->opts->min_duration_ns && event->event < NSN_EVENT_PROBE &&
	    (!NSN_KNOWS(event, event, duration) || event->duration < trace->opts->min_duration_ns))
		return false;
	return selected(trace, told);
}

static int print_event(struct trace *trace, const struct nsn_rec_event *event)
{
	struct nsn_told told;
	int err = 0;

	if (trace->done)
		return 0;
	if (nsn_history__event(trace->history, &event->h))
		return -ENOMEM;
	nsn_ids__resolve(trace->names, trace->model, event, &told);
	told.rule = nsn_history__rule_of(trace->history, trace->model, &told);
	if (shown(trace, &told)) {
		if (trace->opts->json)
			err = nsn_render_trace_json(stdout, &told);
		else
			err = nsn_render_trace_text(stdout, &told, &trace->render);
		trace->lines++;
		trace->done = trace->opts->count && trace->lines >= trace->opts->count;
	}
	/* what can't be written ends it, as its reader's leaving does: nsn_cli__close_stdout() tells */
	trace->done |= err != 0;
	return 0;
}

/* Events that came before a snapshot are told with its names, and are past when it is taken in. */
static int print_waiting(struct trace *trace)
{
	const struct nsn_rec *rec = NULL;
	int err = 0;

	while (!err && (rec = nsn_records__next(&trace->waiting, rec)))
		err = print_event(trace, (const void *)rec);
	nsn_records__clear(&trace->waiting);
	if (!err && trace->model_is_new)
		err = nsn_history__snapshot(trace->history, trace->model, trace->model_at);
	trace->model_is_new = false;
	return err;
}

/* ---- snapshots ------------------------------------------------------------------------------- */

static int add_snapshot_event(struct trace *trace, const struct nsn_model *model)
{
	NSN_NEW(event, EVENT, event);

	NSN_PUT(&event, event, event, NSN_EVENT_SNAPSHOT);
	if (NSN_KNOWS(&model->host, host, taken_at))
		NSN_PUT(&event, event, time, model->host.taken_at);
	return nsn_records__add(&trace->waiting, &event.h);
}

/* Takes over a new model: its names are learnt, and what only it can show becomes events. */
static int take_model(struct trace *trace, struct nsn_model *model, uint64_t mask)
{
	int err = nsn_ids__learn(trace->names, model);

	if (!err && trace->model && mask)
		err = nsn_model_diff(trace->model, model, mask, &trace->waiting.sink);
	if (!err)
		err = add_snapshot_event(trace, model);
	nsn_model__free(trace->model);
	trace->model = model;
	trace->model_is_new = true;
	trace->model_at = trace->cli->session.replay ? nsn_model__taken_at(model) : now_ns();
	return err;
}

static int snapshot(struct trace *trace)
{
	struct nsn_model *model;
	int err = nsn_session__snapshot(trace->session, &model);

	trace->snapshot_at = now_ns();
	return err ? err
		   : take_model(trace, model,
				nsn_unseen__live(nsn_session__events(trace->session)));
}

/* ---- the live loop --------------------------------------------------------------------------- */

/* When the first event that waits for a snapshot to be named happened; 0: none does. */
static uint64_t waits_since(const struct trace *trace)
{
	const struct nsn_rec *rec = NULL;

	while ((rec = nsn_records__next(&trace->waiting, rec)))
		if (nsn_ids__lacks(trace->names, (const void *)rec))
			return ((const struct nsn_rec_event *)rec)->monotonic;
	return 0;
}

/*
 * Takes a snapshot if one is due. Events come in bursts, and a VM is told of before KVM lists it: they
 * are held back for a moment, so that one snapshot names them all. False: they wait on.
 */
static bool name_waiting(struct trace *trace, bool ending, int *err)
{
	const uint64_t now = now_ns(), since = waits_since(trace);
	const uint64_t passed = now - trace->snapshot_at;

	if (nsn_unseen__live(nsn_session__events(trace->session)) &&
	    passed >= trace->opts->interval_ns)
		*err = snapshot(trace);
	else if (trace->cli->session.record && passed >= RECORD_NS)
		*err = snapshot(trace); /* a replay takes no snapshot with ever so many events */
	else if (since && now - since < HOLD_NS && !ending)
		return false;
	else if (since)
		*err = snapshot(trace);
	return true;
}

static int turn(struct trace *trace, bool ending)
{
	struct nsn_events *events = nsn_session__events(trace->session);
	int err = 0, got;

	if (events && now_ns() - trace->refreshed_at >= REFRESH_NS) {
		nsn_events__refresh(events);
		trace->refreshed_at = now_ns();
		if (nsn_session__tick(trace->session, trace->model) == 0)
			nsn_history__tick(trace->history, trace->model, trace->refreshed_at);
	}
	got = nsn_session__drain(trace->session, &trace->waiting.sink);
	if (got < 0)
		err = got;
	if (!err && !name_waiting(trace, ending, &err))
		return 0;
	return err ? err : print_waiting(trace);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Milliseconds until something is due: modules, a snapshot, the end. */
static int until_due(const struct trace *trace)
{
	uint64_t now = now_ns(), wait = REFRESH_NS;

	if (trace->waiting.count)
		wait = HOLD_NS / 2;
	if (nsn_unseen__live(nsn_session__events(trace->session)))
		wait = smaller(wait, trace->opts->interval_ns);
	if (trace->opts->duration_ns) {
		uint64_t end = trace->started + trace->opts->duration_ns;

		wait = end > now ? smaller(wait, end - now) : 0;
	}
	return (int)((wait + 999999) / 1000000);
}

static int open_signals(void)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &wanted, NULL))
		return -errno;
	return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool has_signal(void *data)
{
	struct pollfd wait = { .fd = *(int *)data, .events = POLLIN };

	return poll(&wait, 1, 0) > 0;
}

static int live(struct trace *trace, int signals)
{
	struct nsn_events *events = nsn_session__events(trace->session);
	struct pollfd wait[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = events ? nsn_events__fd(events) : -1, .events = POLLIN },
		{ .fd = STDOUT_FILENO }, /* whoever reads has gone: POLLERR */
	};
	int err = 0;

	trace->started = trace->refreshed_at = now_ns();
	while (!err && !trace->done) {
		err = turn(trace, false);
		if (err || trace->done)
			break;
		if (trace->opts->duration_ns &&
		    now_ns() - trace->started >= trace->opts->duration_ns)
			break;
		if (poll(wait, NSN_ARRAY_SIZE(wait), until_due(trace)) < 0 && errno != EINTR)
			err = -errno;
		if (wait[0].revents || wait[2].revents & POLLERR)
			break;
	}
	if (events)
		nsn_events__settle(events);
	/* what came until the end is told too */
	return err || trace->done ? err : turn(trace, true);
}

static void warn_of_probes(const struct trace *trace)
{
	const struct nsn_events *events = nsn_session__events(trace->session);
	const struct nsn_probe_state *states;
	size_t count, off = 0;

	if (!events)
		return;
	states = nsn_events__probes(events, &count);
	for (size_t i = 0; i < count; i++)
		off += states[i].method == NSN_PROBE_NONE && !states[i].absent;
	if (off == count && count)
		nsn_warning("no event can be traced (%s): only what differs between snapshots, one "
			    "each %.1f s, is told; refusals and WBINVDs are not",
			    states[0].reason, (double)trace->opts->interval_ns / 1e9);
	else if (off)
		nsn_warning("%zu of %zu probes are off: see their lines, and nosnoop doctor", off,
			    count);
	nsn_info("%zu of %zu probes are attached", nsn_events__attached(events), count);
}

static int run_live(struct trace *trace, int signals)
{
	struct nsn_events_opts events = trace->opts->probes;
	int err;

	events.wanted = trace->opts->events;
	events.min_duration_ns = trace->opts->min_duration_ns;
	events.leave = has_signal;
	events.leave_data = &signals;
	err = nsn_session__open_events(trace->session, &events);
	if (err == -ECANCELED)
		err = 0; /* the signal waits for the loop */
	if (!err) {
		warn_of_probes(trace);
		err = live(trace, signals);
	}
	/* a recording ends with a whole machine */
	if (!err && trace->cli->session.record)
		err = snapshot(trace);
	return err;
}

/* ---- replay ---------------------------------------------------------------------------------- */

static int run_replay(struct trace *trace)
{
	const uint64_t began = trace->model_at; /* ns since the epoch, as it was recorded */
	struct nsn_model *model;
	int got;

	while (!trace->done) {
		got = nsn_session__replay_next(trace->session, &trace->waiting.sink, true, &model);
		if (got <= 0)
			return got < 0 ? got : print_waiting(trace);
		if (!model->ended)
			nsn_warning("%s: the recording has no end: what was cut off is unknown",
				    trace->cli->session.replay);
		nsn_unseen__note(&trace->waiting, &trace->probes_on);
		got = take_model(trace, model, nsn_unseen__replay(model, trace->probes_on));
		if (!got)
			got = print_waiting(trace);
		if (got)
			return got;
		if (trace->opts->duration_ns && trace->model_at >= began + trace->opts->duration_ns)
			break;
	}
	return 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* --vm, --device and --group choose by ids, which hold beyond the model they were found in. */
static int choose(struct trace *trace)
{
	int err = nsn_cli__select(trace->cli, trace->model, &trace->selection);

	if (err)
		return err;
	if (trace->selection.vm)
		nsn_format(trace->vm, sizeof(trace->vm), "%s", trace->selection.vm->id);
	if (trace->selection.device)
		nsn_format(trace->device, sizeof(trace->device), "%s", trace->selection.device->id);
	if (trace->selection.group)
		trace->group = trace->selection.group->number;
	else if (trace->selection.device && trace->selection.device->group)
		trace->group = trace->selection.device->group->number;
	trace->by_group = trace->selection.group ||
			  (trace->selection.device && trace->selection.device->group);
	return 0;
}

/* The first snapshot: whom the options mean. */
static int begin(struct trace *trace)
{
	struct nsn_model *model;
	int err;

	if (trace->cli->session.replay)
		err = nsn_session__replay_next(trace->session, &trace->waiting.sink, true, &model);
	else
		err = nsn_session__snapshot(trace->session, &model);
	if (trace->cli->session.replay)
		err = err == 1 ? 0 : err ? err : -ENODATA;
	if (err == -ENODATA)
		nsn_error("%s holds no snapshot", trace->cli->session.replay);
	if (err)
		return err;
	trace->snapshot_at = now_ns();
	err = take_model(trace, model, 0);
	if (!err)
		err = choose(trace);
	if (!err && !trace->opts->json)
		err = nsn_render_trace_heading(stdout, &trace->render);
	return err ? err : print_waiting(trace);
}

int nsn_trace__run(const struct nsn_cli_opts *cli, const struct nsn_trace_opts *opts)
{
	struct trace trace = { .cli = cli,
			       .opts = opts,
			       .names = nsn_ids__new(),
			       .history = nsn_history__new(&opts->history) };
	struct nsn_session_opts session = cli->session;
	/* a replay has nothing to finish: a signal ends it as it does any program */
	int signals = cli->session.replay ? -1 : open_signals();
	int err = !cli->session.replay && signals < 0 ? signals : 0;

	if (!trace.names || !trace.history)
		err = -ENOMEM;
	/* a recording is finished though whoever reads has gone */
	if (cli->session.record)
		signal(SIGPIPE, SIG_IGN);
	nsn_records__init(&trace.waiting);
	nsn_cli__render_opts(cli, &trace.render);
	session.outlive_record = true;
	if (!err)
		err = nsn_session__new(&session, &trace.session);
	if (!err)
		err = begin(&trace);
	if (!err)
		err = cli->session.replay ? run_replay(&trace) : run_live(&trace, signals);
	/* a recording is finished though whoever reads has gone, or has no room */
	if (!err || ferror(stdout)) {
		int failed = trace.session ? nsn_session__finish(trace.session) : 0;

		err = err ? err : failed;
	}
	nsn_records__free(&trace.waiting);
	nsn_model__free(trace.model);
	nsn_ids__free(trace.names);
	nsn_history__free(trace.history);
	nsn_session__free(trace.session);
	if (signals >= 0)
		close(signals);
	return err;
}
