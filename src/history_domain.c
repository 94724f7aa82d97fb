// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * history_domain.c - for whom domains were made, what their drivers granted, and which devices VFIO
 * refused. Floor 1.
 *
 * A domain is told by its key, which is never used again. What is on its way within one call of the
 * kernel's (made, enforced, attached) nobody can map yet: so a grant to a domain that its own thread
 * has just made is one without mappings, also where the driver keeps no note of them.
 */
#include "history_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_internal.h"
#include "rules_internal.h"

struct nsn_domain_watch *nsn_history_domain(const struct nsn_history *history, uint64_t key)
{
	struct nsn_domain_watch *watch = NULL;

	if (key)
		HASH_FIND(hh, history->domains, &key, sizeof(key), watch);
	return watch;
}

/* NULL without memory, or (*err is 0) if there are too many. */
static struct nsn_domain_watch *obtain(struct nsn_history *history, uint64_t key, int *err)
{
	struct nsn_domain_watch *watch = nsn_history_domain(history, key);

	*err = 0;
	if (watch)
		return watch;
	if (!history->spare) {
		nsn_history_lose(history, "there were too many events to remember");
		return NULL;
	}
	history->spare--;
	watch = calloc(1, sizeof(*watch));
	if (!watch) {
		*err = -ENOMEM;
		return NULL;
	}
	watch->key = key;
	watch->born = history->snapshots;
	watch->lossy = history->lost != NULL;
	HASH_ADD(hh, history->domains, key, sizeof(watch->key), watch);
	return watch;
}

static void forget(struct nsn_history *history, struct nsn_domain_watch *watch)
{
	HASH_DEL(history->domains, watch);
	free(watch->groups.items);
	free(watch);
}

static void remove_group(struct nsn_domain_watch *watch, uint64_t group)
{
	struct nsn_pids *groups = &watch->groups;

	for (size_t i = 0; i < groups->items_count; i++) {
		if (groups->items[i] != group)
			continue;
		groups->items_count--;
		memmove(&groups->items[i], &groups->items[i + 1],
			(groups->items_count - i) * sizeof(*groups->items));
		return;
	}
}

/* ---- events ---------------------------------------------------------------------------------- */

static uint64_t time_of(const struct nsn_rec_event *event)
{
	return NSN_KNOWS(event, event, time) ? event->time : 0;
}

static int take_attach(struct nsn_domain_watch *watch, const struct nsn_rec_event *event)
{
	watch->made_by = 0;
	if (!NSN_KNOWS(event, event, group_id)) {
		watch->made = false; /* somebody was the first, and we don't know who */
		return 0;
	}
	if (watch->made && !watch->maker_known) {
		watch->maker_known = watch->maker_by_events = true;
		watch->maker = event->group_id;
	}
	if (watch->maker_known && watch->maker == event->group_id)
		watch->left_at = 0;
	return nsn_pids_add(&watch->groups, event->group_id);
}

static void take_detach(struct nsn_domain_watch *watch, const struct nsn_rec_event *event)
{
	if (!NSN_KNOWS(event, event, group_id))
		return;
	remove_group(watch, event->group_id);
	if (watch->maker_known && watch->maker == event->group_id)
		watch->left_at = time_of(event);
}

/* Only the first grant counts: a domain that blocks already says yes whatever it has mapped. */
static void take_answer(struct nsn_domain_watch *watch, const struct nsn_rec_event *event)
{
	const bool fresh =
		watch->made_by && NSN_KNOWS(event, event, tid) && watch->made_by == event->tid;
	const bool repeated = NSN_KNOWS(event, event, reason) && event->reason == NSN_REASON_NOOP;

	watch->made_by = 0;
	if (repeated || watch->granted == NSN_GRANTED_EMPTY || watch->granted == NSN_GRANTED_MAPPED)
		return;
	if (NSN_KNOWS(event, event, enforced) && !event->enforced)
		return; /* it was refused, and may be asked again */
	if (!NSN_KNOWS(event, event, enforced))
		watch->granted = NSN_GRANTED_UNCLEAR;
	else if (NSN_KNOWS(event, event, mapped))
		watch->granted = event->mapped ? NSN_GRANTED_MAPPED : NSN_GRANTED_EMPTY;
	else
		watch->granted = fresh ? NSN_GRANTED_EMPTY : NSN_GRANTED_UNCLEAR;
	watch->granted_at = time_of(event);
	nsn_format(watch->op, sizeof(watch->op), "%s", event->op);
}

/* Is it one of an outer call's temporary domains? Unknown counts as no: that one may be final. */
static bool is_step(const struct nsn_rec_event *event)
{
	return NSN_KNOWS(event, event, inner) && event->inner;
}

static bool was_done(const struct nsn_rec_event *event)
{
	return NSN_KNOWS(event, event, error) && !event->error;
}

static int on_domain(struct nsn_history *history, struct nsn_domain_watch *watch,
		     const struct nsn_rec_event *event)
{
	switch (event->event) {
	case NSN_EVENT_DOMAIN_ALLOC:
		watch->made = true;
		watch->lossy = false;
		watch->made_by = NSN_KNOWS(event, event, tid) ? event->tid : 0;
		return 0;
	case NSN_EVENT_GROUP_ATTACH:
		return was_done(event) && !is_step(event) ? take_attach(watch, event) : 0;
	case NSN_EVENT_GROUP_DETACH:
		if (!is_step(event))
			take_detach(watch, event);
		return 0;
	case NSN_EVENT_ENFORCE:
		take_answer(watch, event);
		return 0;
	default:
		forget(history, watch);
		return 0;
	}
}

int nsn_history_domain_event(struct nsn_history *history, const struct nsn_rec_event *event)
{
	struct nsn_domain_watch *watch;
	int err;

	if (NSN_KNOWS(event, event, pasid))
		return 0; /* its group stays where it is */
	switch (event->event) {
	case NSN_EVENT_DOMAIN_ALLOC:
	case NSN_EVENT_GROUP_ATTACH:
		if (!was_done(event) && NSN_KNOWS(event, event, error))
			return 0;
		break;
	case NSN_EVENT_GROUP_DETACH:
	case NSN_EVENT_ENFORCE:
	case NSN_EVENT_DOMAIN_FREE:
		break;
	default:
		return 0;
	}
	if (!NSN_KNOWS(event, event, domain)) {
		/* a detach whose domain the kernel could not tell is nothing new */
		if (event->event == NSN_EVENT_ENFORCE || event->event == NSN_EVENT_DOMAIN_ALLOC)
			nsn_history_lose(history, "an event does not say which domain it is about");
		return 0;
	}
	watch = obtain(history, event->domain, &err);
	return watch ? on_domain(history, watch, event) : err;
}

/* ---- snapshots ------------------------------------------------------------------------------- */

/*
 * The group for which a domain was made, as far as its members tell: the only one, or of type1 the
 * one that was attached first, which is the last of its list (list_add).
 */
static bool oldest_group(const struct nsn_domain *domain, uint64_t *out)
{
	const struct nsn_container *container = domain->container;
	const struct nsn_group *only;
	bool found = false;

	if (domain->groups.items_count == 1) {
		only = domain->groups.items[0];
		*out = only->number;
		return true;
	}
	for (size_t i = 0; container && i < container->type1_groups.items_count; i++) {
		const struct nsn_rec_type1_group *rec = container->type1_groups.items[i];

		if (!NSN_KNOWS(rec, type1_group, domain) || rec->domain != domain->rec.domain)
			continue;
		found = NSN_KNOWS(rec, type1_group, group_id);
		*out = rec->group_id;
	}
	return found;
}

static int take_groups(struct nsn_domain_watch *watch, const struct nsn_domain *domain)
{
	int err = 0;

	watch->groups.items_count = 0;
	for (size_t i = 0; i < domain->groups.items_count && !err; i++) {
		const struct nsn_group *group = domain->groups.items[i];

		err = nsn_pids_add(&watch->groups, group->number);
	}
	return err;
}

static int look_at_domain(struct nsn_history *history, const struct nsn_domain *domain, bool doubt)
{
	struct nsn_domain_watch *watch;
	int err;

	watch = obtain(history, domain->rec.domain, &err);
	if (!watch)
		return err;
	watch->seen = history->snapshots;
	if (!watch->first)
		watch->first = history->snapshots;
	if (doubt || domain->torn)
		watch->maker_unclear |= !watch->maker_known;
	else if (!watch->maker_known && !watch->maker_unclear && domain->groups.items_count &&
		 (history->gap || !oldest_group(domain, &watch->maker)))
		watch->maker_unclear = true;
	else if (!watch->maker_known && !watch->maker_unclear && domain->groups.items_count)
		watch->maker_known = true;
	return doubt ? 0 : take_groups(watch, domain);
}

/* Made, but in no group at two snapshots: what becomes of it is told by snapshots again. */
static bool is_stale(const struct nsn_history *history, const struct nsn_domain_watch *watch)
{
	uint64_t last = watch->seen ? watch->seen : watch->born;

	return last + 2 <= history->snapshots;
}

static void forget_refusals(struct nsn_history *history, const struct nsn_model *model, bool doubt)
{
	const bool all_devices = nsn_model__source(model, "sysfs.pci", NULL) == NSN_SOURCE_OK;
	struct nsn_refused *refused, *next;

	HASH_ITER(hh, history->refused, refused, next) {
		const struct nsn_device *device = nsn_model__device(model, refused->device);
		const char *driver = NULL;

		if (device && NSN_KNOWS(&device->sys, device, driver))
			driver = device->sys.driver;
		/* it has found another driver, or is no more */
		if (device ? !driver || !driver[0] : doubt || !all_devices)
			continue;
		HASH_DEL(history->refused, refused);
		free(refused);
	}
}

int nsn_history_watch_domains(struct nsn_history *history, const struct nsn_model *model,
			      bool doubt)
{
	struct nsn_domain_watch *watch, *next;
	int err = 0;

	for (size_t i = 0; i < model->domains_count && !err; i++) {
		const struct nsn_domain *domain = &model->domains[i];

		if (domain->rec.domain && nsn_domain_is_users(domain) != NSN_NO)
			err = look_at_domain(history, domain, doubt);
	}
	HASH_ITER(hh, history->domains, watch, next)
		if (!doubt && is_stale(history, watch))
			forget(history, watch);
	forget_refusals(history, model, doubt);
	return err;
}

/* ---- devices that VFIO refused --------------------------------------------------------------- */

static struct nsn_refused *find_refused(const struct nsn_history *history, const char *device)
{
	struct nsn_refused *refused;

	HASH_FIND_STR(history->refused, device, refused);
	return refused;
}

static int note_refusal(struct nsn_history *history, const struct nsn_rec_event *event)
{
	struct nsn_refused *refused = find_refused(history, event->device);

	if (!refused) {
		if (!history->spare)
			return 0;
		history->spare--;
		refused = calloc(1, sizeof(*refused));
		if (!refused)
			return -ENOMEM;
		nsn_format(refused->device, sizeof(refused->device), "%s", event->device);
		HASH_ADD_STR(history->refused, device, refused);
	}
	refused->unclear = !NSN_KNOWS(event, event, reason);
	refused->at = time_of(event);
	refused->error = NSN_KNOWS(event, event, error) ? event->error : 0;
	return 0;
}

int nsn_history_device_event(struct nsn_history *history, const struct nsn_rec_event *event)
{
	struct nsn_refused *refused;

	if (event->event != NSN_EVENT_DEVICE_REFUSED && event->event != NSN_EVENT_DEVICE_REGISTER)
		return 0;
	if (!NSN_KNOWS(event, event, device)) {
		nsn_history_lose(history, "an event does not say which device it is about");
		return 0;
	}
	if (event->event == NSN_EVENT_DEVICE_REFUSED) {
		/* EINVAL has two reasons; of other errors none is about coherence */
		if (NSN_KNOWS(event, event, reason)
			    ? event->reason == NSN_REASON_NOT_COHERENT
			    : !NSN_KNOWS(event, event, error) || event->error == EINVAL)
			return note_refusal(history, event);
		return 0;
	}
	refused = find_refused(history, event->device);
	if (refused) {
		HASH_DEL(history->refused, refused);
		free(refused);
	}
	return 0;
}

/* ---- answers --------------------------------------------------------------------------------- */

void nsn_history__refusal(const struct nsn_history *history, const char *device,
			  struct nsn_refusal *out)
{
	const struct nsn_refused *refused = find_refused(history, device);

	*out = (struct nsn_refusal){ .watch = NSN_WATCH_PENDING };
	if (!refused)
		return;
	out->watch = refused->unclear ? NSN_WATCH_UNKNOWN : NSN_WATCH_RAISED;
	out->at = refused->at;
	out->error = refused->error;
}

const char *nsn_history__refused(const struct nsn_history *history, size_t n)
{
	const struct nsn_refused *refused = history->refused;

	while (refused && n--)
		refused = refused->hh.next;
	return refused ? refused->device : NULL;
}

void nsn_history__grant(const struct nsn_history *history, const struct nsn_domain *domain,
			struct nsn_grant *out)
{
	const struct nsn_domain_watch *watch = nsn_history_domain(history, domain->rec.domain);

	*out = (struct nsn_grant){ .watch = NSN_WATCH_PENDING };
	if (!watch)
		return;
	out->at = watch->granted_at;
	nsn_format(out->op, sizeof(out->op), "%s", watch->op);
	switch (watch->granted) {
	case NSN_GRANTED_EMPTY:
		out->watch = NSN_WATCH_QUIET;
		break;
	case NSN_GRANTED_MAPPED:
		out->watch = NSN_WATCH_RAISED;
		break;
	case NSN_GRANTED_UNCLEAR:
		out->watch = NSN_WATCH_UNKNOWN;
		out->reason =
			"enforcement was granted, and whether the domain had mappings is unknown";
		break;
	default:
		if (!watch->lossy)
			break;
		out->watch = NSN_WATCH_UNKNOWN;
		out->reason = history->lost;
		break;
	}
}

void nsn_history__maker(const struct nsn_history *history, const struct nsn_domain *domain,
			struct nsn_maker *out)
{
	const struct nsn_domain_watch *watch = nsn_history_domain(history, domain->rec.domain);

	*out = (struct nsn_maker){ .watch = NSN_WATCH_PENDING };
	if (!watch)
		return;
	if (watch->maker_known) {
		out->group = watch->maker;
		out->by_events = watch->maker_by_events;
		out->left_at = watch->left_at;
		if (out->by_events || watch->first != history->snapshots)
			out->watch = NSN_WATCH_QUIET;
	} else if (watch->maker_unclear) {
		out->watch = NSN_WATCH_UNKNOWN;
		out->reason = "which group it was made for was not seen";
	}
}

void nsn_history_free_domains(struct nsn_history *history)
{
	struct nsn_domain_watch *watch, *next;
	struct nsn_refused *refused, *following;

	HASH_ITER(hh, history->domains, watch, next)
		forget(history, watch);
	HASH_ITER(hh, history->refused, refused, following) {
		HASH_DEL(history->refused, refused);
		free(refused);
	}
}
