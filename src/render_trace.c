// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * render_trace.c - events as lines: for people, and as nosnoop.trace/1. Floor 3.
 */
#include "render_trace.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "render_page.h"

#define SCHEMA            "nosnoop.trace/1"
#define KNOWS(rec, field) NSN_KNOWS(rec, event, field)

/* ---- what both formats say ------------------------------------------------------------------- */

const char *nsn_trace_step(const struct nsn_rec_event *event)
{
	switch (event->event) {
	case NSN_EVENT_DEVICE_REGISTER:
	case NSN_EVENT_DEVICE_REFUSED:
		return "bind";
	case NSN_EVENT_CONTAINER_OPEN:
	case NSN_EVENT_DEVICE_OPEN:
		return "open";
	case NSN_EVENT_DMA_OWNER_CLAIM:
	case NSN_EVENT_CONTAINER_SET_GROUP:
		return "SET_CONTAINER";
	case NSN_EVENT_GROUP_ATTACH:
		return KNOWS(event, pasid) ? NULL : "SET_IOMMU";
	case NSN_EVENT_CONTAINER_SET_IOMMU:
	case NSN_EVENT_ENFORCE:
		return "SET_IOMMU";
	default:
		return NULL;
	}
}

const char *nsn_trace_result(const struct nsn_told *told)
{
	const struct nsn_rec_event *event = told->event;

	switch (event->event) {
	case NSN_EVENT_ENFORCE:
		return !KNOWS(event, enforced) ? NULL : event->enforced ? "enforced" : "refused";
	case NSN_EVENT_WBINVD:
		return !KNOWS(event, executed) ? NULL : event->executed ? "executed" : "ignored";
	case NSN_EVENT_HOST_FLUSH:
		return KNOWS(event, initiator) ? nsn_initiator_name(event->initiator) : NULL;
	case NSN_EVENT_PROBE:
		return KNOWS(event, op) ? event->op : NULL;
	case NSN_EVENT_LOST:
	case NSN_EVENT_SNAPSHOT:
		return NULL;
	default:
		if (told->reason == NSN_REASON_NOOP)
			return "noop";
		return event->error ? "failed" : "ok";
	}
}

/* Was it told by the kernel, or is it the difference of two snapshots? */
static bool by_snapshots(const struct nsn_rec_event *event)
{
	return !KNOWS(event, tid) && event->event < NSN_EVENT_PROBE;
}

static void format_reason(const struct nsn_told *told, char *out, size_t size)
{
	const struct nsn_rec_event *event = told->event;

	if (event->event == NSN_EVENT_PROBE)
		nsn_format(out, size, "%s", event->detail);
	else if (told->culprit[0])
		nsn_format(out, size, "%s (%s)", nsn_reason_text(told->reason), told->culprit);
	else
		nsn_format(out, size, "%s", nsn_reason_text(told->reason));
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static json_t *text_or_null(const char *text)
{
	return text && text[0] ? json_string(text) : json_null();
}

static json_t *number_or_null(bool known, uint64_t number)
{
	return known ? json_integer((json_int_t)number) : json_null();
}

static json_t *time_of(const struct nsn_rec_event *event)
{
	char seconds[32], text[48];

	if (!KNOWS(event, time))
		return json_null();
	nsn_format_time(seconds, sizeof(seconds), event->time);
	seconds[strcspn(seconds, "Z")] = '\0';
	return json_string(nsn_format(text, sizeof(text), "%s.%06uZ", seconds,
				      (unsigned int)(event->time / 1000 % 1000000)));
}

static json_t *errno_of(const struct nsn_rec_event *event)
{
	return event->error ? json_string(nsn_errno_name((int)event->error)) : json_null();
}

/* Keys that every line has. */
static int set_contract(json_t *line, const struct nsn_told *told)
{
	const struct nsn_rec_event *event = told->event;
	char reason[NSN_TEXT_LEN];
	int err = 0;

	format_reason(told, reason, sizeof(reason));
	err |= json_object_set_new(line, "schema", json_string(SCHEMA));
	err |= json_object_set_new(line, "time", time_of(event));
	err |= json_object_set_new(line, "monotonic_ns",
				   number_or_null(KNOWS(event, monotonic), event->monotonic));
	err |= json_object_set_new(line, "event", json_string(nsn_event_name(event->event)));
	err |= json_object_set_new(line, "vm", text_or_null(told->vm));
	err |= json_object_set_new(line, "pid", number_or_null(KNOWS(event, pid), event->pid));
	err |= json_object_set_new(line, "comm", text_or_null(event->comm));
	err |= json_object_set_new(line, "group",
				   number_or_null(KNOWS(event, group_id), event->group_id));
	err |= json_object_set_new(line, "device", text_or_null(told->device));
	err |= json_object_set_new(line, "domain", text_or_null(told->domain));
	err |= json_object_set_new(line, "container", text_or_null(told->container));
	err |= json_object_set_new(line, "result", text_or_null(nsn_trace_result(told)));
	err |= json_object_set_new(line, "errno", errno_of(event));
	err |= json_object_set_new(line, "reason", text_or_null(reason));
	err |= json_object_set_new(line, "duration_ns",
				   number_or_null(KNOWS(event, duration), event->duration));
	err |= json_object_set_new(line, "rule", text_or_null(told->rule));
	return err;
}

static int set_number(json_t *line, const char *key, bool known, uint64_t number)
{
	return known ? json_object_set_new(line, key, json_integer((json_int_t)number)) : 0;
}

static int set_flag(json_t *line, const char *key, bool known, uint64_t flag)
{
	return known ? json_object_set_new(line, key, json_boolean(flag)) : 0;
}

static int set_text(json_t *line, const char *key, const char *text)
{
	return text && text[0] ? json_object_set_new(line, key, json_string(text)) : 0;
}

/* Keys of those events that have them. */
static int set_extras(json_t *line, const struct nsn_told *told)
{
	const struct nsn_rec_event *event = told->event;
	const bool probe = event->event == NSN_EVENT_PROBE;
	int err = 0;

	err |= set_text(line, "basis",
			event->event >= NSN_EVENT_PROBE ? NULL
			: by_snapshots(event)           ? "snapshots"
							: "event");
	err |= set_text(line, "step", nsn_trace_step(event));
	err |= set_text(line, "vm_name", told->vm_name);
	err |= set_number(line, "tid", KNOWS(event, tid), event->tid);
	err |= set_number(line, "pasid", KNOWS(event, pasid), event->pasid);
	err |= set_flag(line, "inner", !probe && KNOWS(event, inner), event->inner);
	err |= set_flag(line, "enforced", KNOWS(event, enforced), event->enforced);
	err |= set_flag(line, "mapped", KNOWS(event, mapped), event->mapped);
	err |= set_flag(line, "noncoherent", KNOWS(event, noncoherent), event->noncoherent);
	err |= set_number(line, "registrations", KNOWS(event, registrations), event->registrations);
	if (event->event == NSN_EVENT_VM_DESTROY && KNOWS(event, exits)) {
		err |= set_number(line, "exits", true, event->exits);
		err |= set_number(line, "executed", true, event->executed);
		err |= set_number(line, "ignored", true, event->exits - event->executed);
	}
	err |= set_text(line, "op", probe ? NULL : event->op);
	if (event->event == NSN_EVENT_HOST_FLUSH && KNOWS(event, initiator))
		err |= set_text(line, "initiator", nsn_initiator_name(event->initiator));
	if (event->event == NSN_EVENT_LOST)
		err |= set_number(line, "count", KNOWS(event, count), event->count);
	if (probe) {
		err |= set_text(line, "probe", event->device);
		err |= set_flag(line, "attached", KNOWS(event, count), event->count);
		err |= set_flag(line, "absent", KNOWS(event, inner), event->inner);
	}
	return err;
}

int nsn_render_trace_json(FILE *out, const struct nsn_told *told)
{
	json_t *line = json_object();
	int err = 0;

	if (!line || set_contract(line, told) || set_extras(line, told))
		err = -ENOMEM;
	else if (json_dumpf(line, out, JSON_COMPACT | JSON_ENSURE_ASCII) ||
		 putc('\n', out) == EOF || fflush(out))
		err = -EIO;
	json_decref(line);
	return err;
}

/* ---- text ------------------------------------------------------------------------------------ */

#define COLUMNS "%-15s %-19s %-9s %-18s"

int nsn_render_trace_heading(FILE *out, const struct nsn_render_opts *opts)
{
	struct nsn_page page;

	nsn_page__init(&page, out, NULL, opts);
	fprintf(out, "%s" COLUMNS " %s%s\n", nsn_page__bold(&page), "TIME (UTC)", "EVENT", "RESULT",
		"VM OR PROCESS", "WHAT", nsn_page__end(&page));
	return nsn_page__close(&page);
}

static const char *format_clock(struct nsn_page *page, const struct nsn_rec_event *event)
{
	char text[32];
	const char *clock;

	if (!KNOWS(event, time))
		return "-";
	nsn_format_time(text, sizeof(text), event->time);
	text[strcspn(text, "Z")] = '\0';
	clock = strchr(text, 'T');
	return nsn_page__format(page, "%s.%06u", clock ? clock + 1 : text,
				(unsigned int)(event->time / 1000 % 1000000));
}

static const char *format_duration(struct nsn_page *page, uint64_t ns)
{
	if (ns < 1000)
		return nsn_page__format(page, "%llu ns", (unsigned long long)ns);
	if (ns < 1000000)
		return nsn_page__format(page, "%.1f us", (double)ns / 1e3);
	if (ns < 1000000000)
		return nsn_page__format(page, "%.1f ms", (double)ns / 1e6);
	return nsn_page__format(page, "%.2f s", (double)ns / 1e9);
}

/* The parts of a line's last column, with commas between them. */
struct parts {
	struct nsn_page *page;
	const char *text;
};

static void add(struct parts *parts, const char *part)
{
	if (part && part[0])
		parts->text = parts->text[0]
				      ? nsn_page__format(parts->page, "%s, %s", parts->text, part)
				      : part;
}

static void add_objects(struct parts *parts, const struct nsn_told *told)
{
	const struct nsn_rec_event *event = told->event;
	struct nsn_page *page = parts->page;

	if (KNOWS(event, group_id))
		add(parts,
		    nsn_page__format(page, "group %llu", (unsigned long long)event->group_id));
	if (told->device)
		add(parts, nsn_page__safe(page, told->device));
	if (KNOWS(event, pasid))
		add(parts, nsn_page__format(page, "PASID %llu", (unsigned long long)event->pasid));
	if (told->domain)
		add(parts, nsn_page__format(page, "domain %s", told->domain));
	if (told->container)
		add(parts, nsn_page__format(page, "container %s", told->container));
}

static void add_facts(struct parts *parts, const struct nsn_told *told)
{
	const struct nsn_rec_event *event = told->event;
	struct nsn_page *page = parts->page;

	if (event->event == NSN_EVENT_GROUP_ATTACH && KNOWS(event, enforced))
		add(parts, event->enforced ? "blocks No Snoop" : "does not block No Snoop");
	if (event->event == NSN_EVENT_ENFORCE && KNOWS(event, mapped) && event->mapped)
		add(parts, "it had mappings before");
	if (KNOWS(event, noncoherent))
		add(parts,
		    event->noncoherent ? "KVM finds it non-coherent" : "KVM finds it coherent");
	if (KNOWS(event, registrations))
		add(parts, nsn_page__format(page, "registrations now %llu",
					    (unsigned long long)event->registrations));
	if (event->event == NSN_EVENT_VM_DESTROY && event->exits)
		add(parts, nsn_page__format(page, "WBINVD %llu, executed %llu",
					    (unsigned long long)event->exits,
					    (unsigned long long)event->executed));
	if (event->event == NSN_EVENT_LOST)
		add(parts, nsn_page__format(page, "%llu events were lost",
					    (unsigned long long)event->count));
	if (event->event == NSN_EVENT_PROBE)
		add(parts, nsn_page__safe(page, event->device));
	else if (event->op[0])
		add(parts, nsn_page__safe(page, event->op));
	if (KNOWS(event, inner) && event->inner && event->event != NSN_EVENT_PROBE)
		add(parts, "a step within");
	if (KNOWS(event, duration))
		add(parts, format_duration(page, event->duration));
}

static void add_reason(struct parts *parts, const struct nsn_told *told)
{
	const char *step = nsn_trace_step(told->event), *rule = told->rule;
	char reason[NSN_TEXT_LEN];

	format_reason(told, reason, sizeof(reason));
	if (told->event->error && step)
		add(parts, nsn_page__format(parts->page, reason[0] ? "%s: %s" : "%s%s", step,
					    nsn_page__safe(parts->page, reason)));
	else
		add(parts, nsn_page__safe(parts->page, reason));
	if (rule)
		add(parts, nsn_page__format(parts->page, "rule %s", rule));
	if (by_snapshots(told->event))
		add(parts, "seen by snapshots");
}

int nsn_render_trace_text(FILE *out, const struct nsn_told *told,
			  const struct nsn_render_opts *opts)
{
	const struct nsn_rec_event *event = told->event;
	const char *result = nsn_trace_result(told), *who;
	struct nsn_page page;
	struct parts parts = { .page = &page, .text = "" };

	nsn_page__init(&page, out, NULL, opts);
	if (event->error && told->reason != NSN_REASON_NOOP)
		result = nsn_errno_name((int)event->error);
	if (told->vm)
		who = nsn_page__safe(&page, told->vm_name ? told->vm_name : told->vm);
	else if (event->comm[0])
		who = nsn_page__format(&page, "%s[%llu]", nsn_page__safe(&page, event->comm),
				       (unsigned long long)event->pid);
	else
		who = "-";
	add_objects(&parts, told);
	add_facts(&parts, told);
	add_reason(&parts, told);
	fprintf(out, COLUMNS " %s\n", format_clock(&page, event), nsn_event_name(event->event),
		result ? result : "-", who, parts.text);
	return nsn_page__close(&page);
}
