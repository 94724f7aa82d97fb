// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_render_trace.c - events as lines: every kind of event in both formats, what names and reasons
 * they carry, and that hostile names do no harm.
 */
#include "machine.h"

#include <ctype.h>
#include <jansson.h>
#include <locale.h>

#include "history.h"
#include "model_names.h"
#include "render_trace.h"
#include "rendered.h"

static struct nsn_ids *ids;

static struct nsn_rec_event new_event(enum nsn_event kind)
{
	NSN_NEW(event, EVENT, event);

	NSN_PUT(&event, event, event, kind);
	NSN_PUT(&event, event, monotonic, 5000000123);
	NSN_PUT(&event, event, time, 1795420082123456789);
	NSN_PUT(&event, event, pid, PID);
	NSN_PUT(&event, event, tid, PID + 1);
	NSN_PUT(&event, event, start_ticks, 777);
	NSN_PUT_STR(&event, event, comm, "qemu-system-x86");
	return event;
}

static char *print(const struct nsn_rec_event *event, bool json)
{
	const struct nsn_render_opts opts = { .width = 80 };
	struct nsn_told told;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	struct nsn_history *history = nsn_history__new(&(struct nsn_history_opts){ 0 });

	assert_non_null(history);
	nsn_ids__resolve(ids, model, event, &told);
	assert_int_equal(nsn_history__event(history, &event->h), 0);
	told.rule = nsn_history__rule_of(history, model, &told);
	nsn_history__free(history);
	assert_non_null(out);
	assert_int_equal(json ? nsn_render_trace_json(out, &told)
			      : nsn_render_trace_text(out, &told, &opts),
			 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(text[size - 1], '\n');
	assert_ptr_equal(strchr(text, '\n'), text + size - 1); /* one line */
	return text;
}

static json_t *json_of(const struct nsn_rec_event *event)
{
	char *text = print(event, true);
	json_t *line = json_loads(text, 0, NULL);

	assert_non_null(line);
	free(text);
	return line;
}

static void wants_text(const struct nsn_rec_event *event, const char *part)
{
	char *text = print(event, false);

	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
	free(text);
}

static void wants_string(const struct nsn_rec_event *event, const char *key, const char *value)
{
	json_t *line = json_of(event);
	const char *got = json_string_value(json_object_get(line, key));

	if (!value)
		assert_true(json_is_null(json_object_get(line, key)));
	else if (!got || strcmp(got, value))
		fail_msg("%s: '%s' instead of '%s'", key, got ? got : "null", value);
	json_decref(line);
}

static void wants_number(const struct nsn_rec_event *event, const char *key, json_int_t value)
{
	json_t *line = json_of(event), *got = json_object_get(line, key);

	assert_true(json_is_integer(got));
	assert_int_equal(json_integer_value(got), value);
	json_decref(line);
}

static int set_up(void **state)
{
	setup(state);
	assign(0, 1);
	judge();
	ids = nsn_ids__new();
	return ids ? nsn_ids__learn(ids, model) : -1;
}

static int tear_down(void **state)
{
	nsn_ids__free(ids);
	return teardown(state);
}

static void test_every_kind_has_a_line(void **state)
{
	static const char *const contract[] = { "schema", "time",   "monotonic_ns", "event",
						"vm",     "pid",    "comm",         "group",
						"device", "domain", "container",    "result",
						"errno",  "reason", "duration_ns",  "rule" };

	(void)state;
	for (int kind = 0; kind < NSN_EVENT_MAX; kind++) {
		struct nsn_rec_event event = new_event(kind);
		json_t *line = json_of(&event);
		size_t found = 0;
		const char *key;
		json_t *value;

		json_object_foreach(line, key, value) {
			if (found < NSN_ARRAY_SIZE(contract)) /* in the contract's order */
				assert_string_equal(key, contract[found++]);
			else
				assert_false(json_is_null(value));
		}
		assert_int_equal(found, NSN_ARRAY_SIZE(contract));
		json_decref(line);
		wants_string(&event, "event", nsn_event_name(kind));
		wants_string(&event, "time", "2026-11-23T07:48:02.123456Z");
		wants_text(&event, nsn_event_name(kind));
	}
}

static void test_keys_become_ids(void **state)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_GROUP_ATTACH);

	(void)state;
	NSN_PUT(&event, event, vm, VM_KEY);
	NSN_PUT(&event, event, container, CONTAINER_KEY);
	NSN_PUT(&event, event, domain, USER_KEY + 2);
	NSN_PUT(&event, event, group_id, 2);
	NSN_PUT(&event, event, enforced, 0);
	NSN_PUT(&event, event, duration, 2500000);
	wants_string(&event, "vm", model->vms[0].id);
	wants_string(&event, "container", model->containers[0].id);
	wants_string(&event, "domain", "g2");
	wants_string(&event, "device", "0000:00:03.0"); /* the group's only one */
	wants_number(&event, "group", 2);
	wants_number(&event, "duration_ns", 2500000);
	wants_string(&event, "result", "ok");
	wants_string(&event, "errno", NULL);
	wants_text(&event, "group 2, 0000:00:03.0, domain g2");
	wants_text(&event, "does not block No Snoop");
	wants_text(&event, "2.5 ms");
}

/* An event of a process that has one VM is that VM's; of a VM nobody has seen, the process's. */
static void test_pasids(void **state)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_GROUP_ATTACH);

	(void)state;
	NSN_PUT(&event, event, group_id, 2);
	NSN_PUT(&event, event, error, 0);
	NSN_PUT(&event, event, pasid, 5);
	wants_number(&event, "pasid", 5);
	wants_text(&event, "0000:00:03.0, PASID 5");
}

static void test_vms_by_process(void **state)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_CONTAINER_OPEN);

	(void)state;
	event.pid = model->vms[0].pid;
	event.start_ticks = model->vms[0].start_ticks;
	wants_string(&event, "vm", model->vms[0].id);
	event.start_ticks++; /* another process with that number */
	wants_string(&event, "vm", NULL);
	event = new_event(NSN_EVENT_VM_CREATE);
	NSN_PUT(&event, event, vm, 9999);
	wants_string(&event, "vm", "pid:1234@777");
	assert_true(nsn_ids__lacks(ids, &event));
	event.vm = VM_KEY;
	assert_false(nsn_ids__lacks(ids, &event));
}

static void test_ids_outlive_one_model(void **state)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_VM_DESTROY);
	struct nsn_model *other = nsn_model__new();
	char id[NSN_ID_LEN];

	(void)state;
	nsn_format(id, sizeof(id), "%s", model->vms[0].id);
	NSN_PUT(&event, event, vm, VM_KEY);
	NSN_PUT(&event, event, exits, 12);
	NSN_PUT(&event, event, executed, 5);
	assert_non_null(other);
	assert_int_equal(nsn_model__finish(other), 0);
	assert_int_equal(nsn_ids__learn(ids, other), 0);
	wants_string(&event, "vm", id);
	wants_number(&event, "ignored", 7);
	assert_int_equal(nsn_ids__learn(ids, other), 0);
	wants_string(&event, "vm", "pid:1234@777");
	nsn_model__free(other);
}

static void test_refusals_say_why(void **state)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_GROUP_ATTACH);

	(void)state;
	NSN_PUT(&event, event, group_id, 2);
	NSN_PUT(&event, event, error, 1);
	NSN_PUT(&event, event, reason, NSN_REASON_INTERRUPTS);
	wants_string(&event, "result", "failed");
	wants_string(&event, "errno", "EPERM");
	wants_string(&event, "reason", "interrupt isolation");
	wants_string(&event, "step", "SET_IOMMU");
	wants_string(&event, "rule", "NS007");
	wants_text(&event, "EPERM");
	wants_text(&event, "SET_IOMMU: interrupt isolation");
	event.error = 16;
	event.reason = NSN_REASON_NOOP;
	wants_string(&event, "result", "noop");
	wants_string(&event, "rule", NULL);
	event = new_event(NSN_EVENT_DEVICE_REFUSED);
	NSN_PUT(&event, event, error, 22);
	NSN_PUT(&event, event, reason, NSN_REASON_NOT_COHERENT);
	wants_string(&event, "rule", "NS008");
	wants_string(&event, "step", "bind");
	wants_string(&event, "reason", "no cache-coherent DMA");
}

/* The group has a member that a host driver keeps: that is who stands in the way. */
static void test_a_group_that_is_not_viable(void **state)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_DMA_OWNER_CLAIM);

	(void)state;
	add_device("0000:00:03.1", 2, "e1000e", 0);
	judge();
	NSN_PUT(&event, event, group_id, 2);
	NSN_PUT(&event, event, error, 1);
	NSN_PUT(&event, event, reason, NSN_REASON_DMA_OWNER);
	wants_string(&event, "reason", "group not viable (0000:00:03.1, e1000e)");
}

static void test_answers_of_drivers(void **state)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_ENFORCE);

	(void)state;
	wants_string(&event, "result", NULL); /* nobody knows */
	NSN_PUT(&event, event, enforced, 1);
	NSN_PUT(&event, event, mapped, 1);
	wants_string(&event, "result", "enforced");
	wants_string(&event, "rule", NULL); /* of which domain, and of what format is it? */
	event.enforced = 0;
	wants_string(&event, "result", "refused");
	wants_string(&event, "errno", NULL);
}

static void test_differences_say_so(void **state)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_KVM_REGISTER);

	(void)state;
	wants_string(&event, "basis", "event");
	event.h.known &= ~(NSN_BIT(event, tid) | NSN_BIT(event, monotonic));
	wants_string(&event, "basis", "snapshots");
	wants_string(&event, "monotonic_ns", NULL);
	wants_text(&event, "seen by snapshots");
}

static void test_hostile_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(hostile_names); i++) {
		struct nsn_rec_event event = new_event(NSN_EVENT_CONTAINER_OPEN);
		char *text;

		NSN_PUT_STR(&event, event, comm, hostile_names[i]);
		NSN_PUT_STR(&event, event, device, hostile_names[i]);
		event.pid = 1; /* of no VM */
		text = print(&event, false);
		for (const char *at = text; at[1]; at++) /* but for the newline */
			assert_true(isprint((unsigned char)*at));
		free(text);
		text = print(&event, true);
		for (const char *at = text; at[1]; at++)
			assert_true(isprint((unsigned char)*at));
		free(text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_kind_has_a_line),
		TEST(test_keys_become_ids),
		TEST(test_pasids),
		TEST(test_ids_outlive_one_model),
		TEST(test_vms_by_process),
		TEST(test_ids_outlive_one_model),
		TEST(test_refusals_say_why),
		TEST(test_a_group_that_is_not_viable),
		TEST(test_answers_of_drivers),
		TEST(test_differences_say_so),
		TEST(test_hostile_names),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
