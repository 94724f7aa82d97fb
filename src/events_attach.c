// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * events_attach.c - loads the event programs and attaches them, each probe for itself. Floor 2.
 *
 * An object is loaded with the programs of all its probes at once; if that fails, each probe is
 * tried alone, so that only those that cannot be loaded are left off.
 */
#include "events_internal.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "all_events.skel.h"
#include "btfslim.h"
#include "collect_bpf.h"
#include "log.h"

/* Which modules an object reads: it is loaded anew when one of them comes or goes. */
static const unsigned int object_modules[NSN_EVENT_OBJECTS] = {
	[NSN_OBJECT_KVM_EVENTS] = 1 << NSN_MODULE_KVM,
	[NSN_OBJECT_KVM_VFIO_EVENTS] = 1 << NSN_MODULE_KVM | 1 << NSN_MODULE_VFIO,
	[NSN_OBJECT_VFIO_EVENTS] = 1 << NSN_MODULE_VFIO,
	[NSN_OBJECT_TYPE1_EVENTS] = 1 << NSN_MODULE_VFIO | 1 << NSN_MODULE_TYPE1,
	[NSN_OBJECT_IOMMUFD_EVENTS] = 1 << NSN_MODULE_IOMMUFD,
};

static const char *const map_names[NSN_EVENT_MAPS] = {
	[NSN_MAP_EVENTS] = "events",     [NSN_MAP_COUNTERS] = "counters", [NSN_MAP_CALLS] = "calls",
	[NSN_MAP_SETTINGS] = "settings", [NSN_MAP_LOST] = "lost",
};

/* ---- objects --------------------------------------------------------------------------------- */

/* Gives the programs the addresses that they compare with: the object's only variable. */
static int set_symbols(struct nsn_events *events, struct bpf_object *object)
{
	uint64_t symbols[NSN_SYM_MAX];
	struct bpf_map *map;

	for (size_t i = 0; i < NSN_SYM_MAX; i++)
		symbols[i] = nsn_collect_bpf__symbol(events->opts.collector, i);
	bpf_object__for_each_map(map, object)
	{
		const char *section = strrchr(bpf_map__name(map), '.');

		if (section && strcmp(section, ".bss") == 0)
			return bpf_map__set_initial_value(map, symbols, sizeof(symbols));
	}
	return 0;
}

static int prepare(struct nsn_events *events, const struct nsn_slim *slim, struct bpf_object **out)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = nsn_slim__path(slim));
	size_t size;
	const void *bytes = all_events_bpf__elf_bytes(&size);
	struct bpf_object *object = bpf_object__open_mem(bytes, size, &opts);
	int err = object ? 0 : -errno;

	for (size_t i = 0; i < NSN_EVENT_MAPS && !err; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, map_names[i]);

		if (map)
			err = bpf_map__reuse_fd(map, events->maps[i]);
	}
	if (!err)
		err = set_symbols(events, object);
	if (err) {
		bpf_object__close(object);
		return err;
	}
	*out = object;
	return 0;
}

/* The names of the programs of a method at the entry and the exit; NULL: none there. */
struct programs {
	const char *entry, *exit;
};

static struct programs programs_of(const struct nsn_probe_state *state)
{
	const bool entry = state->row->points & NSN_PROBE_ENTRY;
	const bool exit = state->row->points & NSN_PROBE_EXIT;

	if (state->method == NSN_PROBE_FENTRY)
		return (struct programs){ entry ? "fentry" : NULL, exit ? "fexit" : NULL };
	/* at the exit registers no longer hold the arguments: a kprobe keeps them */
	return (struct programs){ "kprobe", exit ? "kretprobe" : NULL };
}

static struct bpf_program *find_program(struct bpf_object *object, const char *how,
					const char *function)
{
	const struct nsn_program_row *row = nsn_program_of(function);
	char name[96];

	if (!row || !how)
		return NULL;
	nsn_format(name, sizeof(name), "%s_%s", how, row->program);
	return bpf_object__find_program_by_name(object, name);
}

/* Chooses the programs of one probe for loading. 0 or -errno. */
static int choose_programs(const struct nsn_offer *offer, struct bpf_object *object,
			   const struct nsn_probe_state *state)
{
	const struct programs programs = programs_of(state);
	const char *const hows[] = { programs.entry, programs.exit };
	const char *list = state->functions;
	char function[NSN_SYMBOL_LEN];
	int err = 0;

	while (!err && nsn_next_word(&list, function, sizeof(function))) {
		for (size_t i = 0; i < NSN_ARRAY_SIZE(hows) && !err; i++) {
			struct bpf_program *program = find_program(object, hows[i], function);

			if (!hows[i])
				continue;
			if (!program)
				return -ENOENT;
			bpf_program__set_autoload(program, true);
			if (state->method == NSN_PROBE_FENTRY)
				err = nsn_targets__add(program, nsn_offer__target(offer, function));
		}
	}
	return err;
}

static enum nsn_event_object object_of(const struct nsn_probe_row *row)
{
	const char *list = row->alternatives[0];
	char function[NSN_SYMBOL_LEN];
	const struct nsn_program_row *program;

	nsn_next_word(&list, function, sizeof(function));
	program = nsn_program_of(function);
	return program ? program->object : NSN_EVENT_OBJECTS;
}

/* Sets of objects are bits, 1 << enum nsn_event_object. */
#define ALL_OBJECTS ((1U << NSN_EVENT_OBJECTS) - 1)

static bool is_on(const struct nsn_events *events, size_t i, unsigned int set)
{
	return events->states[i].method != NSN_PROBE_NONE &&
	       (set & 1U << object_of(events->states[i].row));
}

static void turn_off(struct nsn_probe_state *state, const char *what, int err)
{
	/* the line of an event may have no room for all the functions */
	nsn_format(state->reason, sizeof(state->reason), "%s (%s): %s", what, nsn_errno_name(err),
		   state->functions);
	nsn_info("probe %s is off: %s", state->row->name, state->reason);
	state->method = NSN_PROBE_NONE;
	state->functions = NULL;
}

/* The programs of one probe, or of all of a set that are on (only < 0), loaded with these types. */
static int load_with(struct nsn_events *events, const struct nsn_offer *offer, unsigned int set,
		     ssize_t only, struct nsn_slim *slim, struct bpf_object **out)
{
	struct bpf_object *object = NULL;
	int err = nsn_targets__register();

	nsn_targets__clear();
	nsn_targets__ask(events->opts.leave, events->opts.leave_data);
	if (!err)
		err = prepare(events, slim, &object);
	for (size_t i = 0; i < nsn_probe_rows_count && !err; i++) {
		if (!is_on(events, i, set) || (only >= 0 && (size_t)only != i))
			continue;
		err = choose_programs(offer, object, &events->states[i]);
	}
	if (!err)
		err = nsn_slim__fill(slim, object);
	if (!err)
		err = bpf_object__load(object);
	if (err) {
		bpf_object__close(object);
		return err;
	}
	*out = object;
	return 0;
}

static int load(struct nsn_events *events, const struct nsn_offer *offer, unsigned int set,
		ssize_t only, struct bpf_object **out)
{
	struct nsn_slim slim;
	int err;

	nsn_slim__open(&slim);
	err = load_with(events, offer, set, only, &slim, out);
	if (slim.failed) {
		nsn_slim__close(&slim);
		err = load_with(events, offer, set, only, &slim, out);
	}
	nsn_slim__close(&slim);
	return err;
}

/* Turns off those probes of a set that cannot be loaded even alone. */
static void try_each(struct nsn_events *events, const struct nsn_offer *offer, unsigned int set)
{
	struct bpf_object *object;

	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		int err = is_on(events, i, set) ? load(events, offer, set, (ssize_t)i, &object)
						: -EAGAIN;

		if (!err)
			bpf_object__close(object);
		else if (err != -EAGAIN)
			turn_off(&events->states[i], "cannot be traced", err);
	}
}

/* ---- links ----------------------------------------------------------------------------------- */

static void unlink_probe(struct nsn_probe_links *links)
{
	while (links->count)
		bpf_link__destroy(links->links[--links->count]);
}

static int link_program(struct nsn_probe_links *links, struct bpf_program *program,
			enum nsn_probe_method method, bool at_exit, const char *function)
{
	struct bpf_link *link = method == NSN_PROBE_FENTRY
					? bpf_program__attach_trace(program)
					: bpf_program__attach_kprobe(program, at_exit, function);

	if (!link)
		return errno ? -errno : -EINVAL;
	links->links[links->count++] = link;
	return 0;
}

static bool leaves(const struct nsn_events *events)
{
	return events->opts.leave && events->opts.leave(events->opts.leave_data);
}

/* Exits first: an entry whose exit is not yet seen would leave a call behind. */
static int link_probe(struct nsn_probe_links *links, struct bpf_object *object,
		      const struct nsn_probe_state *state)
{
	const struct programs programs = programs_of(state);
	const char *list = state->functions;
	char function[NSN_SYMBOL_LEN];
	int err = 0;

	while (!err && nsn_next_word(&list, function, sizeof(function))) {
		struct bpf_program *exit = find_program(object, programs.exit, function);
		struct bpf_program *entry = find_program(object, programs.entry, function);

		if (exit)
			err = link_program(links, exit, state->method, true, function);
		if (!err && entry)
			err = link_program(links, entry, state->method, false, function);
	}
	return err;
}

/* Loads and attaches the probes of a set that are on; what cannot be is turned off. 0 or -ECANCELED. */
static int attach_set(struct nsn_events *events, const struct nsn_offer *offer, unsigned int set,
		      struct bpf_object **object)
{
	bool any = false;
	int err;

	for (size_t i = 0; i < nsn_probe_rows_count; i++)
		any |= is_on(events, i, set);
	if (!any)
		return 0;
	err = load(events, offer, set, -1, object);
	if (err && err != -ECANCELED) {
		try_each(events, offer, set);
		err = load(events, offer, set, -1, object);
	}
	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		struct nsn_probe_state *state = &events->states[i];
		int own = err;

		if (!is_on(events, i, set))
			continue;
		if (err == -ECANCELED || leaves(events))
			return -ECANCELED;
		if (!own)
			own = link_probe(&events->links[i], *object, state);
		if (!own)
			continue;
		unlink_probe(&events->links[i]);
		turn_off(state, "cannot be attached", own);
	}
	return 0;
}

/* ---- choice ---------------------------------------------------------------------------------- */

static void choose(struct nsn_events *events, struct nsn_offer *offer, size_t i)
{
	const struct nsn_probe_row *row = &nsn_probe_rows[i];
	const struct nsn_probe_kernel kernel = nsn_offer__kernel(offer);
	struct nsn_probe_state *state = &events->states[i];

	*state = (struct nsn_probe_state){ .row = row, .method = NSN_PROBE_NONE };
	if (nsn_probe__is_listed(events->opts.without, row->name)) {
		nsn_format(state->reason, sizeof(state->reason), "left off by --without");
		return;
	}
	if (events->ready)
		state->method = nsn_probe__choose(row, &kernel, &state->functions);
	if (state->method != NSN_PROBE_NONE)
		return;
	state->absent = !nsn_offer__has_part(offer, row);
	if (state->absent)
		nsn_format(state->reason, sizeof(state->reason), "%s is not loaded", row->module);
	else if (!events->ready)
		nsn_format(state->reason, sizeof(state->reason), "%s", events->why_not);
	else
		nsn_offer__explain(offer, row, state->reason, sizeof(state->reason));
}

/* The objects that read one of these modules; all if `changed` says so. */
static bool is_affected(enum nsn_event_object id, unsigned int changed)
{
	return changed == NSN_ALL_MODULES || (object_modules[id] & changed);
}

int nsn_events_attach(struct nsn_events *events, unsigned int changed)
{
	struct nsn_offer offer = { 0 };
	int err;

	nsn_events_detach(events, changed);
	err = nsn_offer__read(&offer, events->opts.no_pin);
	for (size_t i = 0; i < nsn_probe_rows_count && !err; i++)
		if (is_affected(object_of(&nsn_probe_rows[i]), changed))
			choose(events, &offer, i);
	if (!err && changed == NSN_ALL_MODULES)
		err = attach_set(events, &offer, ALL_OBJECTS, &events->all);
	for (size_t id = 0; id < NSN_EVENT_OBJECTS && !err; id++)
		if (changed != NSN_ALL_MODULES && is_affected(id, changed))
			err = attach_set(events, &offer, 1U << id, &events->objects[id]);
	nsn_offer__free(&offer);
	return err;
}

static uint64_t misses_of(struct bpf_object *object)
{
	struct bpf_program *program;
	uint64_t misses = 0;

	bpf_object__for_each_program(program, object)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);
		int fd = bpf_program__fd(program);

		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
			misses += info.recursion_misses;
	}
	return misses;
}

/*
 * A run that was missed is often made good by the VM's next WBINVD: a reading counts as loss only when the
 * next one comes, so much later.
 */
#define SETTLE_NS 3000000000ULL

static void read_misses(struct nsn_events *events)
{
	events->misses = events->misses_closed + (events->all ? misses_of(events->all) : 0);
	for (size_t id = 0; id < NSN_EVENT_OBJECTS; id++)
		if (events->objects[id])
			events->misses += misses_of(events->objects[id]);
}

void nsn_events_read_misses(struct nsn_events *events)
{
	struct timespec time;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &time);
	now = (uint64_t)time.tv_sec * 1000000000ULL + (uint64_t)time.tv_nsec;
	if (now - events->misses_at < SETTLE_NS)
		return;
	events->misses_at = now;
	events->misses_settled = events->misses;
	read_misses(events);
}

void nsn_events__settle(struct nsn_events *events)
{
	read_misses(events);
	events->misses_settled = events->misses;
}

/* What was missed may be made good in a moment: it counts at the next reading. Never less than told. */
uint64_t nsn_events__lost(const struct nsn_events *events)
{
	uint64_t counted[NSN_LOST_MAX] = { 0 }, lost;

	for (uint32_t i = 0; i < NSN_LOST_MAX && events->maps[NSN_MAP_LOST] >= 0; i++)
		bpf_map_lookup_elem(events->maps[NSN_MAP_LOST], &i, &counted[i]);
	lost = counted[NSN_LOST_EVENTS];
	if (events->misses_settled > counted[NSN_LOST_REPAIRED])
		lost += events->misses_settled - counted[NSN_LOST_REPAIRED];
	return lost > events->lost_told ? lost : events->lost_told;
}

static void close_object(struct nsn_events *events, struct bpf_object **object)
{
	if (*object)
		events->misses_closed += misses_of(*object);
	bpf_object__close(*object);
	*object = NULL;
}

void nsn_events_detach(struct nsn_events *events, unsigned int changed)
{
	for (size_t i = 0; i < nsn_probe_rows_count; i++)
		if (is_affected(object_of(&nsn_probe_rows[i]), changed))
			unlink_probe(&events->links[i]);
	for (size_t id = 0; id < NSN_EVENT_OBJECTS; id++)
		if (is_affected(id, changed))
			close_object(events, &events->objects[id]);
	/* of the first load, programs that are not attached any more just lie there */
	if (changed == NSN_ALL_MODULES)
		close_object(events, &events->all);
}

/* ---- maps ------------------------------------------------------------------------------------ */

int nsn_events_make_maps(struct nsn_events *events)
{
	LIBBPF_OPTS(bpf_map_create_opts, sparse, .map_flags = BPF_F_NO_PREALLOC);
	uint32_t ring = events->opts.ring_size ? events->opts.ring_size : NSN_RING_SIZE;
	int *maps = events->maps;

	maps[NSN_MAP_EVENTS] = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "nsn_events", 0, 0, ring, NULL);
	maps[NSN_MAP_COUNTERS] =
		bpf_map_create(BPF_MAP_TYPE_HASH, "nsn_counters", 8, sizeof(struct nsn_counters),
			       NSN_MAX_COUNTED_VMS, &sparse);
	maps[NSN_MAP_CALLS] = bpf_map_create(BPF_MAP_TYPE_HASH, "nsn_calls", 8,
					     sizeof(struct nsn_call), NSN_MAX_CALLS, &sparse);
	maps[NSN_MAP_SETTINGS] = bpf_map_create(BPF_MAP_TYPE_ARRAY, "nsn_settings", 4,
						sizeof(struct nsn_event_config), 1, NULL);
	maps[NSN_MAP_LOST] =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "nsn_lost", 4, 8, NSN_LOST_MAX, NULL);
	for (size_t i = 0; i < NSN_EVENT_MAPS; i++)
		if (maps[i] < 0)
			return maps[i];
	return 0;
}
