// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * events.c - hands events on as they come, and counts. Floor 2.
 *
 * Addresses become keys here, in the order in which things happened: when an object's end is told,
 * its key is not used again.
 */
#include "events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "collect_bpf.h"
#include "events_internal.h"
#include "keys.h"
#include "log.h"

#define SECOND     1000000000ULL
#define REFUSAL_NS (SECOND / 10) /* how long after its cause a refusal is told again */

/* ---- one event ------------------------------------------------------------------------------- */

static void clean_strings(struct nsn_rec_event *event)
{
	char copy[NSN_DEVICE_LEN]; /* the longer of the two */

	event->comm[sizeof(event->comm) - 1] = '\0';
	nsn_format(copy, sizeof(copy), "%s", event->comm);
	memset(event->comm, 0, sizeof(event->comm));
	nsn_utf8_copy(event->comm, sizeof(event->comm), copy);
	event->device[sizeof(event->device) - 1] = '\0';
	nsn_format(copy, sizeof(copy), "%s", event->device);
	nsn_utf8_copy(event->device, sizeof(event->device), copy);
	event->op[sizeof(event->op) - 1] = '\0';
	if (strncmp(event->op, "0x", 2) == 0) { /* no name: its address stays here */
		memset(event->op, 0, sizeof(event->op));
		event->h.known &= ~NSN_BIT(event, op);
	}
}

/* A step fails within another, which gets the same errno but does not know why: it is told there. */
static void carry_refusal(struct nsn_events *events, struct nsn_rec_event *event)
{
	struct nsn_rec_event *last = &events->refusal;

	if (!event->error)
		return;
	if (NSN_KNOWS(event, event, reason)) {
		*last = *event;
	} else if (last->error == event->error && last->tid == event->tid &&
		   event->monotonic - last->monotonic < REFUSAL_NS) {
		NSN_PUT(event, event, reason, last->reason);
		if (!NSN_KNOWS(event, event, group_id) && NSN_KNOWS(last, event, group_id))
			NSN_PUT(event, event, group_id, last->group_id);
	}
}

/* The object that an event tells the end of, before its address becomes a key. */
static void end_of(const struct nsn_rec_event *event, enum nsn_class *class, uint64_t *address)
{
	*address = 0;
	switch (event->event) {
	case NSN_EVENT_VM_DESTROY:
		*class = NSN_CLASS_VM;
		*address = event->vm;
		break;
	case NSN_EVENT_DOMAIN_FREE:
		*class = NSN_CLASS_DOMAIN;
		*address = event->domain;
		break;
	case NSN_EVENT_CONTAINER_CLOSE:
		*class = event->iommufd ? NSN_CLASS_IOMMUFD : NSN_CLASS_CONTAINER;
		*address = event->iommufd ? event->iommufd : event->container;
		break;
	default:
		break;
	}
}

/* At a VM's address, another may have been seen since its own end was told: it takes a while to go. */
static int begin_object(struct nsn_keys *keys, const struct nsn_rec_event *event)
{
	struct nsn_identity identity = { .who = event->tid, .since = event->start_ticks };

	if (event->event != NSN_EVENT_VM_CREATE)
		return 0;
	return nsn_keys__begun(keys, NSN_CLASS_VM, event->vm, identity);
}

/* Remembers the key of what has ended. */
static void end_object(struct nsn_events *events, const struct nsn_rec_event *event,
		       enum nsn_class class, uint64_t address, uint64_t key)
{
	events->ended[events->ended_next++ % NSN_ENDED_KEPT] = (struct nsn_ended){
		.class = class,
		.address = address,
		.key = key,
		.monotonic = event->monotonic,
	};
	nsn_keys__forget(nsn_collect_bpf__keys(events->opts.collector), class, address);
}

/* An event that began before a domain's end and is told after it means that domain: its key, or 0. */
static uint64_t key_of_ended(const struct nsn_events *events, const struct nsn_rec_event *event)
{
	if (!event->domain || !NSN_KNOWS(event, event, duration))
		return 0;
	for (size_t i = 0; i < NSN_ENDED_KEPT; i++) {
		const struct nsn_ended *ended = &events->ended[i];

		if (ended->class == NSN_CLASS_DOMAIN && ended->address == event->domain &&
		    ended->monotonic > event->monotonic - event->duration)
			return ended->key;
	}
	return 0;
}

static int hand_on(struct nsn_events *events, struct nsn_rec_event *event)
{
	struct nsn_keys *keys = nsn_collect_bpf__keys(events->opts.collector);
	enum nsn_class class = NSN_CLASS_MAX;
	uint64_t address, ended;
	int err;

	NSN_PUT(event, event, time, event->monotonic + events->epoch_offset);
	clean_strings(event);
	if (!nsn_events_is_for_us(events, event))
		return 0;
	event->op[strcspn(event->op, " ")] = '\0'; /* "name [module]" */
	carry_refusal(events, event);
	end_of(event, &class, &address);
	ended = key_of_ended(events, event);
	if (ended)
		event->domain = 0;
	err = begin_object(keys, event);
	if (!err)
		err = nsn_keys__translate_told(keys, &event->h);
	if (ended)
		event->domain = ended;
	if (address && !err)
		end_object(events, event, class, address,
			   class == NSN_CLASS_VM        ? event->vm
			   : class == NSN_CLASS_DOMAIN  ? event->domain
			   : class == NSN_CLASS_IOMMUFD ? event->iommufd
							: event->container);
	if (!err)
		err = nsn_sink__put(events->sink, &event->h);
	events->handed += !err;
	return err;
}

static int take_event(void *context, void *data, size_t size)
{
	struct nsn_events *events = context;
	struct nsn_rec_event event;

	if (size < sizeof(event) || events->error)
		return 0;
	memcpy(&event, data, sizeof(event));
	events->error = hand_on(events, &event);
	return 0;
}

/* ---- events of our own ----------------------------------------------------------------------- */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static struct nsn_rec_event new_event(const struct nsn_events *events, enum nsn_event kind)
{
	NSN_NEW(event, EVENT, event);

	NSN_PUT(&event, event, event, kind);
	NSN_PUT(&event, event, monotonic, now_ns(CLOCK_MONOTONIC));
	NSN_PUT(&event, event, time, event.monotonic + events->epoch_offset);
	return event;
}

static int put_event(struct nsn_events *events, const struct nsn_rec_event *event)
{
	int err = nsn_sink__put(events->sink, &event->h);

	events->handed += !err;
	return err;
}

/* The probe's name, what is off or how it is on, and why. */
static int tell_probe(struct nsn_events *events, const struct nsn_probe_state *state)
{
	static const char *const methods[] = { "fentry", "kprobe", "none" };
	struct nsn_rec_event event = new_event(events, NSN_EVENT_PROBE);
	char text[NSN_TEXT_LEN];

	NSN_PUT_STR(&event, event, device, state->row->name);
	NSN_PUT_STR(&event, event, op, methods[state->method]);
	NSN_PUT(&event, event, count, state->method != NSN_PROBE_NONE);
	NSN_PUT(&event, event, inner, state->absent);
	nsn_format(text, sizeof(text), "%s: %s", state->row->feature,
		   state->functions ? state->functions : state->reason);
	NSN_PUT_STR(&event, event, detail, text);
	return put_event(events, &event);
}

static bool same_state(const struct nsn_probe_state *a, const struct nsn_probe_state *b)
{
	return a->row == b->row && a->method == b->method && a->functions == b->functions &&
	       strcmp(a->reason, b->reason) == 0;
}

static int tell_probes(struct nsn_events *events)
{
	int err = 0;

	for (size_t i = 0; i < nsn_probe_rows_count && !err; i++) {
		if (same_state(&events->states[i], &events->told[i]))
			continue;
		err = tell_probe(events, &events->states[i]);
		events->told[i] = events->states[i];
	}
	return err;
}

static int tell_lost(struct nsn_events *events)
{
	uint64_t lost = nsn_events__lost(events);
	struct nsn_rec_event event;

	if (lost <= events->lost_told)
		return 0;
	event = new_event(events, NSN_EVENT_LOST);
	NSN_PUT(&event, event, count, lost - events->lost_told);
	events->lost_told = lost;
	return put_event(events, &event);
}

/* ---- the interface --------------------------------------------------------------------------- */

static int write_settings(struct nsn_events *events)
{
	const struct nsn_event_config config = {
		.wanted = events->opts.wanted,
		.min_duration_ns = events->opts.min_duration_ns,
		.flush_is_seen = nsn_events__has_feature(events, "host_flush"),
	};
	uint32_t zero = 0;

	return bpf_map_update_elem(events->maps[NSN_MAP_SETTINGS], &zero, &config, BPF_ANY);
}

static void set_up(struct nsn_events *events)
{
	int err = nsn_events_make_maps(events);

	if (!err) {
		events->ring =
			ring_buffer__new(events->maps[NSN_MAP_EVENTS], take_event, events, NULL);
		err = events->ring ? 0 : -errno;
	}
	events->ready = !err;
	if (!err)
		return;
	nsn_format(events->why_not, sizeof(events->why_not),
		   err == -EPERM ? "no permission to use BPF: needs CAP_SYS_ADMIN (run as root)"
				 : "BPF maps could not be made (%s)",
		   nsn_errno_name(err));
}

/* Settings rest on what could be attached; without them no event is wanted. */
static int attach(struct nsn_events *events, unsigned int modules)
{
	int err = nsn_events_attach(events, modules);

	if (!err && events->ready)
		err = write_settings(events);
	return err;
}

int nsn_events__open(const struct nsn_events_opts *opts, struct nsn_events **out)
{
	struct nsn_events *events = calloc(1, sizeof(*events));
	int err = -ENOMEM;

	if (!events)
		return -ENOMEM;
	events->opts = *opts;
	for (size_t i = 0; i < NSN_EVENT_MAPS; i++)
		events->maps[i] = -1;
	events->states = calloc(nsn_probe_rows_count, sizeof(*events->states));
	events->told = calloc(nsn_probe_rows_count, sizeof(*events->told));
	events->links = calloc(nsn_probe_rows_count, sizeof(*events->links));
	if (events->states && events->told && events->links) {
		set_up(events);
		events->modules = *nsn_collect_bpf__modules(opts->collector);
		err = attach(events, NSN_ALL_MODULES);
		events->opts.leave = NULL;
	}
	if (err)
		nsn_events__close(events);
	else
		*out = events;
	return err;
}

void nsn_events__close(struct nsn_events *events)
{
	if (!events)
		return;
	if (events->links)
		nsn_events_detach(events, NSN_ALL_MODULES);
	ring_buffer__free(events->ring);
	for (size_t i = 0; i < NSN_EVENT_MAPS; i++)
		if (events->maps[i] >= 0)
			close(events->maps[i]);
	free(events->states);
	free(events->told);
	free(events->links);
	free(events);
}

int nsn_events__fd(const struct nsn_events *events)
{
	return events->ring ? ring_buffer__epoll_fd(events->ring) : -1;
}

int nsn_events__drain(struct nsn_events *events, struct nsn_sink *sink)
{
	int err;

	events->sink = sink;
	events->error = 0;
	events->handed = 0;
	events->epoch_offset = now_ns(CLOCK_REALTIME) - now_ns(CLOCK_MONOTONIC);
	err = tell_probes(events);
	if (!err && events->ring) {
		err = ring_buffer__consume(events->ring);
		err = events->error ? events->error : err < 0 ? err : 0;
	}
	if (!err)
		err = tell_lost(events);
	return err ? err : (int)events->handed;
}

static int put_counter(struct nsn_events *events, uint64_t kvm, const struct nsn_counters *counted,
		       struct nsn_sink *sink)
{
	NSN_NEW(rec, COUNTER, counter);
	uint64_t key;
	int err = nsn_keys__get(nsn_collect_bpf__keys(events->opts.collector), NSN_CLASS_VM, kvm,
				&key);

	if (err)
		return err;
	rec.vm = key;
	rec.exits = counted->executed + counted->ignored;
	rec.executed = counted->executed;
	rec.ignored = counted->ignored;
	for (size_t i = 0; i < NSN_BUCKETS; i++)
		rec.timed += counted->buckets[i];
	rec.elapsed_ns = counted->elapsed_ns;
	memcpy(&rec.bucket0, counted->buckets, sizeof(counted->buckets)); /* fields in a row */
	rec.sampled = !!counted->sampled;
	rec.h.known = (1U << nsn_rec_descs[NSN_REC_COUNTER].fields_count) - 1;
	return nsn_sink__put(sink, &rec.h);
}

int nsn_events__tick(struct nsn_events *events, struct nsn_sink *sink)
{
	int map = events->maps[NSN_MAP_COUNTERS], err = 0;
	struct nsn_counters counted;
	uint64_t kvm, *previous = NULL;

	if (map < 0 || !nsn_events__has_feature(events, "wbinvd"))
		return 0;
	while (!err && bpf_map_get_next_key(map, previous, &kvm) == 0) {
		/* one that ended meanwhile is left out */
		if (bpf_map_lookup_elem(map, &kvm, &counted) == 0)
			err = put_counter(events, kvm, &counted, sink);
		previous = &kvm;
	}
	return err;
}

/* The first probe with this feature, in the table's order: each feature is told of once. */
static bool is_first_of_feature(size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(nsn_probe_rows[j].feature, nsn_probe_rows[i].feature) == 0)
			return false;
	return true;
}

static int put_feature(struct nsn_events *events, const char *feature, struct nsn_sink *sink)
{
	NSN_NEW(rec, SOURCE, source);
	char name[NSN_NAME_LEN];

	nsn_format(name, sizeof(name), "events.%s", feature);
	NSN_PUT_STR(&rec, source, name, name);
	NSN_PUT(&rec, source, state, NSN_SOURCE_OK);
	NSN_PUT_STR(&rec, source, reason, "");
	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		const struct nsn_probe_state *state = &events->states[i];

		if (strcmp(state->row->feature, feature) || state->method != NSN_PROBE_NONE ||
		    rec.state == NSN_SOURCE_FAILED)
			continue;
		rec.state = state->absent ? NSN_SOURCE_ABSENT : NSN_SOURCE_FAILED;
		NSN_PUT_STR(&rec, source, reason, state->reason);
	}
	return nsn_sink__put(sink, &rec.h);
}

int nsn_events__counters(struct nsn_events *events, struct nsn_sink *sink)
{
	int err = 0;

	for (size_t i = 0; i < nsn_probe_rows_count && !err; i++)
		if (is_first_of_feature(i))
			err = put_feature(events, nsn_probe_rows[i].feature, sink);
	return err ? err : nsn_events__tick(events, sink);
}

int nsn_events__refresh(struct nsn_events *events)
{
	unsigned int changed = nsn_modules__changed(&events->modules);
	bool new = nsn_collect_bpf__has_new(events->opts.collector);

	nsn_events_read_misses(events);
	if (!changed && !new)
		return 0;
	if (changed)
		nsn_info("a module came or went: probes are chosen anew");
	if (nsn_collect_bpf__keep_up(events->opts.collector) ||
	    (changed && attach(events, changed)))
		nsn_warning("out of memory: some events stay off");
	if (new)
		return 1;
	for (size_t i = 0; i < nsn_probe_rows_count; i++)
		if (!same_state(&events->states[i], &events->told[i]))
			return 1;
	return 0;
}

bool nsn_events__outdated(struct nsn_events *events)
{
	nsn_events_read_misses(events);
	return nsn_modules__changed(&events->modules) ||
	       nsn_collect_bpf__has_new(events->opts.collector);
}

const struct nsn_probe_state *nsn_events__probes(const struct nsn_events *events, size_t *count)
{
	*count = nsn_probe_rows_count;
	return events->states;
}

size_t nsn_events__attached(const struct nsn_events *events)
{
	size_t attached = 0;

	for (size_t i = 0; i < nsn_probe_rows_count; i++)
		attached += events->states[i].method != NSN_PROBE_NONE;
	return attached;
}

bool nsn_events__has_feature(const struct nsn_events *events, const char *feature)
{
	for (size_t i = 0; i < nsn_probe_rows_count; i++)
		if (strcmp(events->states[i].row->feature, feature) == 0 &&
		    events->states[i].method == NSN_PROBE_NONE && !events->states[i].absent)
			return false;
	return true;
}
