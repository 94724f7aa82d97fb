// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_history.c - what happened: NS003 at its limits and on its way back, NS004, NS008, NS009 and
 * NS023 by events and by snapshots, and that what may have been missed is unknown.
 */
#include "machine.h"

#include "history.h"

#define SECOND 1000000000ULL
#define START  1795420000ULL /* seconds since the epoch; the history's clock too */

static struct nsn_history *history;
static uint64_t now; /* seconds since START */

static int start(void **state)
{
	setup(state);
	history = nsn_history__new(&(struct nsn_history_opts){ 0 });
	now = 0;
	return history ? 0 : -1;
}

static int stop(void **state)
{
	nsn_history__free(history);
	return teardown(state);
}

/* A machine with VM web1 and its device in group 2, whose WBINVDs are counted. */
static void machine_with_a_vm(uint64_t snoop_control)
{
	assign(snoop_control, !snoop_control);
	add_source("events.wbinvd", NSN_SOURCE_OK);
	SET(HOST, host, 0, taken_at, START * SECOND);
}

static void set_end_events(uint64_t events);

/* A snapshot of the machine as its records are, `seconds` after the last one. */
static void snapshot_after(uint64_t seconds)
{
	now += seconds;
	SET(HOST, host, 0, taken_at, (START + now) * SECOND);
	judge();
	assert_int_equal(nsn_history__snapshot(history, model, (START + now) * SECOND), 0);
	nsn_findings__free(findings);
	findings = nsn_findings__with_history(model, history);
	assert_non_null(findings);
}

static struct nsn_rec_counter counter_of(uint64_t vm, uint64_t executed)
{
	NSN_NEW(rec, COUNTER, counter);

	rec.vm = vm;
	rec.exits = rec.executed = executed;
	rec.h.known = (1U << nsn_rec_descs[NSN_REC_COUNTER].fields_count) - 1;
	return rec;
}

static void add_counter(uint64_t vm, uint64_t executed)
{
	const struct nsn_rec_counter rec = counter_of(vm, executed);

	ADD(rec);
}

static void counted(uint64_t executed, uint64_t timed, uint64_t elapsed_ns)
{
	struct nsn_rec_counter rec = counter_of(VM_KEY, executed);

	rec.timed = timed;
	rec.elapsed_ns = elapsed_ns;
	nsn_model__update_counters(model, &rec);
}

/* A reading `ms` after START; gives what the tick gave, and judges the model anew. */
static int reading(uint64_t ms, uint64_t executed, uint64_t timed, uint64_t elapsed_ns)
{
	int changed;

	counted(executed, timed, elapsed_ns);
	changed = nsn_history__tick(history, model, START * SECOND + ms * 1000000);
	nsn_findings__free(findings);
	findings = nsn_findings__with_history(model, history);
	assert_non_null(findings);
	return changed;
}

/* ---- NS003 ----------------------------------------------------------------------------------- */

static void test_rate_limit(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	check_status("NS003", NSN_RULE_NEEDS_EVENTS); /* nothing was watched yet */
	reading(9999, 99, 0, 0);
	check_status("NS003", NSN_RULE_NEEDS_EVENTS);
	/* 9.99 and exactly 10 a second are within the limit, 10.01 is above it */
	assert_int_equal(reading(100000, 999, 0, 0), 1);
	check_status("NS003", NSN_RULE_PASS);
	assert_int_equal(reading(200000, 1999, 0, 0), 0);
	check_status("NS003", NSN_RULE_PASS);
	assert_int_equal(reading(300000, 3000, 0, 0), 1);
	check_status("NS003", NSN_RULE_FAIL);
	assert_int_equal(finding("NS003")->severity, NSN_SEVERITY_WARNING);
	assert_string_equal(finding("NS003")->subject_id, "pid:1234@7");
	assert_string_equal(evidence("NS003", "executed_per_second"), "10.01");
	assert_string_equal(evidence("NS003", "window_seconds"), "100.0");
	assert_string_equal(evidence("NS003", "limit_per_second"), "10.0");
	assert_string_equal(evidence("NS003", "above"), "rate");
}

static void test_time_limit(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	/* 1 % of one CPU in 100 s is 1 s */
	reading(100000, 100, 100, SECOND - 1000000);
	check_status("NS003", NSN_RULE_PASS);
	reading(200000, 200, 200, 2 * SECOND - 1000000);
	check_status("NS003", NSN_RULE_PASS); /* 1 % is not above 1 % */
	reading(300000, 300, 300, 3 * SECOND);
	check_status("NS003", NSN_RULE_FAIL);
	assert_string_equal(evidence("NS003", "above"), "time");
	assert_string_equal(evidence("NS003", "cpu_share"), "0.01001");
}

/* Where one in some was timed, the others took as long. */
static void test_sampled_time(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	reading(100000, 640, 10, SECOND / 640);
	check_status("NS003", NSN_RULE_PASS); /* 0.1 s of 100 */
	reading(200000, 1280, 20, SECOND / 640 + SECOND / 40);
	check_status("NS003", NSN_RULE_FAIL); /* 1.6 s of 100 */
}

/* The mean of 10 s cannot fall below what a shorter time has brought already. */
static void test_early_alarm(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	reading(1000, 100, 0, 0);
	check_status("NS003", NSN_RULE_NEEDS_EVENTS);
	reading(2000, 101, 0, 0);
	check_status("NS003", NSN_RULE_FAIL);
	assert_string_equal(evidence("NS003", "executed_per_second"), "10.1");
}

static void test_mean_of_ten_seconds(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	for (uint64_t second = 1; second <= 20; second++)
		reading(second * 1000, 0, 0, 0);
	check_status("NS003", NSN_RULE_PASS);
	reading(21000, 100, 0, 0); /* a burst: 10 a second over 10 s, and over 21 s less */
	check_status("NS003", NSN_RULE_PASS);
	reading(22000, 101, 0, 0);
	check_status("NS003", NSN_RULE_FAIL);
}

/* Raised at 11 s; then `rate` a second from there on. The second in which it is gone, 0: never. */
static uint64_t cleared_at(uint64_t per_10s)
{
	uint64_t executed = 1000;

	machine_with_a_vm(0);
	snapshot_after(0);
	reading(10000, executed, 0, 0);
	check_status("NS003", NSN_RULE_FAIL);
	for (uint64_t second = 11; second <= 120; second++) {
		if (second % 10 == 0)
			executed += per_10s;
		reading(second * 1000, executed, 0, 0);
		if (result("NS003")->status == NSN_RULE_PASS)
			return second;
		check_status("NS003", NSN_RULE_FAIL);
	}
	return 0;
}

/* At 20 s no window has the burst any more; 29 s later it stands, 30 s later it is gone. */
static void test_clears_after_thirty_seconds(void **state)
{
	(void)state;
	assert_int_equal(cleared_at(49), 50);
}

static void test_half_is_not_below_half(void **state)
{
	(void)state;
	assert_int_equal(cleared_at(50), 0);
}

/* Calm that was broken off begins anew. */
static void test_calm_begins_anew(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	reading(10000, 1000, 0, 0);
	for (uint64_t second = 20; second <= 49; second++)
		reading(second * 1000, 1000, 0, 0);
	check_status("NS003", NSN_RULE_FAIL); /* 29 s of calm */
	reading(50000, 1060, 0, 0);           /* 6 a second: above half, below the limit */
	for (uint64_t second = 51; second <= 89; second++)
		reading(second * 1000, 1060, 0, 0);
	check_status("NS003", NSN_RULE_FAIL); /* 29 s since 60 s, when no window has the 60 */
	assert_int_equal(reading(90000, 1060, 0, 0), 1);
	check_status("NS003", NSN_RULE_PASS);
}

static void test_own_limits(void **state)
{
	(void)state;
	nsn_history__free(history);
	history = nsn_history__new(
		&(struct nsn_history_opts){ .wbinvd_rate = 2.5, .wbinvd_time = 0.5 });
	machine_with_a_vm(0);
	snapshot_after(0);
	reading(10000, 25, 25, 5 * SECOND);
	check_status("NS003", NSN_RULE_PASS);
	reading(20000, 51, 51, 10 * SECOND);
	check_status("NS003", NSN_RULE_FAIL);
	assert_string_equal(evidence("NS003", "limit_per_second"), "2.5");
	assert_string_equal(evidence("NS003", "limit_cpu_share"), "0.5");
}

static void test_a_counter_that_is_missing(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	reading(10000, 0, 0, 0);
	check_status("NS003", NSN_RULE_PASS);
	set_source("events.wbinvd", NSN_SOURCE_FAILED);
	snapshot_after(12);
	check_status("NS003", NSN_RULE_UNKNOWN);
	assert_string_equal(unknown("NS003")->reason, "its WBINVDs are not counted");
	/* what happened meanwhile is unknown until it has been calm for long enough */
	set_source("events.wbinvd", NSN_SOURCE_OK);
	snapshot_after(2); /* at 14 s */
	for (uint64_t second = 15; second <= 53; second++)
		reading(second * 1000, 0, 0, 0);
	check_status("NS003", NSN_RULE_UNKNOWN); /* calm since 24 s */
	reading(54000, 0, 0, 0);
	check_status("NS003", NSN_RULE_PASS);
	reading(60000, 5, 0, 0);
	reading(61000, 1, 0, 0); /* it went back */
	check_status("NS003", NSN_RULE_UNKNOWN);
	reading(62000, 2, 0, 0);
	reading(63000, 200, 0, 0);
	check_status("NS003", NSN_RULE_FAIL);
}

static void test_native_wbinvd(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	SET(KERNEL, kernel, 0, wbinvd_exiting, 0);
	snapshot_after(0);
	check_status("NS003", NSN_RULE_UNKNOWN);
}

/* A VM of another key takes the place of the one there was. */
static void become_another_vm(void)
{
	const uint64_t key = VM_KEY + 1;

	REC(VM, vm, 0)->vm = key;
	REC(VFIO_GROUP, vfio_group, 0)->vm = key;
	REC(VM_FILE, vm_file, 0)->vm = key;
}

static void test_another_vm_starts_anew(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	reading(10000, 1000, 0, 0);
	check_status("NS003", NSN_RULE_FAIL);
	become_another_vm();
	snapshot_after(11);
	check_status("NS003", NSN_RULE_PASS); /* 0 in the 11 s in which it began */
}

/* The next snapshot, 3 s later, has another VM, with 101 WBINVDs already. */
static void another_vm_flushes(void)
{
	become_another_vm();
	add_counter(VM_KEY + 1, 101);
	snapshot_after(3);
}

/* A VM that begins between two snapshots flushed all that is counted since the first of them. */
static void test_flushes_before_the_first_reading(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	another_vm_flushes();
	check_status("NS003", NSN_RULE_FAIL);
	assert_string_equal(evidence("NS003", "executed_per_second"), "10.1");
}

/* … but not where VMs may have been unseen, or uncounted, at the first of them. */
static void test_flushes_of_unknown_age(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	set_source("kernel.kvm", NSN_SOURCE_FAILED);
	snapshot_after(0);
	set_source("kernel.kvm", NSN_SOURCE_OK);
	another_vm_flushes();
	check_status("NS003", NSN_RULE_UNKNOWN);
}

static void test_flushes_before_counting(void **state)
{
	(void)state;
	assign(0, 1);
	snapshot_after(0);
	add_source("events.wbinvd", NSN_SOURCE_OK);
	another_vm_flushes();
	check_status("NS003", NSN_RULE_NEEDS_EVENTS);
}

static void test_without_a_history(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	judge();
	check_status("NS003", NSN_RULE_NEEDS_EVENTS);
	check_status("NS004", NSN_RULE_NEEDS_EVENTS);
	check_status("NS009", NSN_RULE_NEEDS_EVENTS);
	check_status("NS023", NSN_RULE_NEEDS_EVENTS);
}

/* ---- NS004 ----------------------------------------------------------------------------------- */

static void set_bit(uint64_t value)
{
	for (size_t i = 0;; i++) {
		struct nsn_rec_device *device = REC(DEVICE, device, i);

		if (strcmp(device->id, "0000:00:03.0"))
			continue;
		NSN_PUT(device, device, nosnoop, value);
		return;
	}
}

static void forget_bit(void)
{
	for (size_t i = 0;; i++) {
		struct nsn_rec_device *device = REC(DEVICE, device, i);

		if (strcmp(device->id, "0000:00:03.0"))
			continue;
		device->h.known &= ~(NSN_BIT(device, nosnoop) | NSN_BIT(device, nosnoop_source));
		return;
	}
}

static void test_bit(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	set_bit(0);
	snapshot_after(0);
	check_status("NS004", NSN_RULE_NEEDS_EVENTS);
	snapshot_after(10);
	check_status("NS004", NSN_RULE_PASS);
	set_bit(1);
	snapshot_after(10);
	check_status("NS004", NSN_RULE_FAIL);
	assert_string_equal(finding("NS004")->subject_id, "0000:00:03.0");
	assert_string_equal(evidence("NS004", "nosnoop_permitted"), "true");
	assert_string_equal(evidence("NS004", "switches"), "1");
	assert_string_equal(evidence("NS004", "not_yet_at"), "2026-11-23T07:46:50Z");
	assert_string_equal(evidence("NS004", "seen_at"), "2026-11-23T07:47:00Z");
	assert_string_equal(evidence("NS004", "blocks_nosnoop"), "false");
	snapshot_after(10); /* it was switched, and that stays so */
	check_status("NS004", NSN_RULE_FAIL);
	set_bit(0);
	snapshot_after(10);
	assert_string_equal(evidence("NS004", "switches"), "2");
	assert_string_equal(evidence("NS004", "nosnoop_permitted"), "false");
}

static void test_bit_of_another_vm(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	set_bit(0);
	snapshot_after(0);
	become_another_vm();
	set_bit(1);
	snapshot_after(10); /* nobody knows what the VM before left behind */
	check_status("NS004", NSN_RULE_NEEDS_EVENTS);
	snapshot_after(10);
	check_status("NS004", NSN_RULE_PASS);
}

static void test_bit_that_cannot_be_read(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	set_bit(0);
	snapshot_after(0);
	forget_bit();
	snapshot_after(10);
	check_status("NS004", NSN_RULE_UNKNOWN);
	set_bit(0);
	snapshot_after(10);
	check_status("NS004", NSN_RULE_PASS);
	forget_bit();
	snapshot_after(10);
	set_bit(1);
	snapshot_after(10); /* what lies between does not matter */
	check_status("NS004", NSN_RULE_FAIL);
}

static void test_bit_that_was_not_read_at_first(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	forget_bit();
	snapshot_after(0);
	set_bit(1);
	snapshot_after(10);
	check_status("NS004", NSN_RULE_UNKNOWN);
}

/* ---- events ---------------------------------------------------------------------------------- */

static struct nsn_rec_event new_event(enum nsn_event kind)
{
	NSN_NEW(event, EVENT, event);

	NSN_PUT(&event, event, event, kind);
	NSN_PUT(&event, event, time, (START + now) * SECOND);
	NSN_PUT(&event, event, pid, PID);
	NSN_PUT(&event, event, tid, PID);
	NSN_PUT(&event, event, error, 0);
	NSN_PUT_STR(&event, event, comm, "qemu-system-x86");
	return event;
}

/* Takes in an event; gives the rule that it raises. */
static const char *happens(const struct nsn_rec_event *event)
{
	struct nsn_told told = { .event = event, .reason = event->reason };

	assert_int_equal(nsn_history__event(history, &event->h), 0);
	return nsn_history__rule_of(history, model, &told);
}

static struct nsn_rec_event about_domain(enum nsn_event kind, uint64_t domain)
{
	struct nsn_rec_event event = new_event(kind);

	NSN_PUT(&event, event, domain, domain);
	return event;
}

static const char *happens_to(enum nsn_event kind, uint64_t domain, uint64_t group)
{
	struct nsn_rec_event event = about_domain(kind, domain);

	NSN_PUT(&event, event, group_id, group);
	return happens(&event);
}

/* The driver's answer; mapped < 0: the kernel does not tell. */
static const char *answers(uint64_t domain, uint64_t enforced, int mapped, uint64_t tid)
{
	struct nsn_rec_event event = about_domain(NSN_EVENT_ENFORCE, domain);

	NSN_PUT(&event, event, enforced, enforced);
	NSN_PUT(&event, event, tid, tid);
	if (mapped >= 0)
		NSN_PUT(&event, event, mapped, mapped);
	NSN_PUT_STR(&event, event, op, "intel_iommu_enforce_cache_coherency");
	return happens(&event);
}

/* ---- NS009 ----------------------------------------------------------------------------------- */

static void test_late_grant(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	check_status("NS009", NSN_RULE_NEEDS_EVENTS);
	assert_string_equal(answers(USER_KEY + 2, 1, 1, PID), "NS009");
	snapshot_after(1);
	check_status("NS009", NSN_RULE_FAIL);
	assert_int_equal(finding("NS009")->severity, NSN_SEVERITY_CRITICAL);
	assert_string_equal(finding("NS009")->subject_id, "g2");
	assert_string_equal(evidence("NS009", "op"), "intel_iommu_enforce_cache_coherency");
	assert_string_equal(evidence("NS009", "granted_at"), "2026-11-23T07:46:40Z");
	answers(USER_KEY + 2, 1, 0, PID); /* once is enough */
	snapshot_after(1);
	check_status("NS009", NSN_RULE_FAIL);
	happens_to(NSN_EVENT_DOMAIN_FREE, USER_KEY + 2, 2); /* the key is never used again */
	snapshot_after(1);
	check_status("NS009", NSN_RULE_NEEDS_EVENTS);
}

static void test_timely_grant(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	assert_null(answers(USER_KEY + 2, 1, 0, PID));
	snapshot_after(1);
	check_status("NS009", NSN_RULE_PASS);
	assert_null(answers(USER_KEY + 2, 1, 1, PID)); /* it blocks already: yes is no news */
	snapshot_after(1);
	check_status("NS009", NSN_RULE_PASS);
}

static void test_refusal_is_right(void **state)
{
	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	assert_null(answers(USER_KEY + 2, 0, 1, PID));
	snapshot_after(1);
	check_status("NS009", NSN_RULE_NOT_APPLICABLE);
}

static void test_repeated_grant_is_none(void **state)
{
	struct nsn_rec_event event;

	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	event = about_domain(NSN_EVENT_ENFORCE, USER_KEY + 2);
	NSN_PUT(&event, event, enforced, 1);
	NSN_PUT(&event, event, reason, NSN_REASON_NOOP);
	assert_null(happens(&event));
	snapshot_after(1);
	check_status("NS009", NSN_RULE_NEEDS_EVENTS);
}

/* Without the driver's word, a grant within the call that made the domain is one in time. */
static void test_grant_of_a_new_domain(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	happens_to(NSN_EVENT_DOMAIN_ALLOC, USER_KEY + 2, 2);
	assert_null(answers(USER_KEY + 2, 1, -1, PID));
	snapshot_after(1);
	check_status("NS009", NSN_RULE_PASS);
}

static void test_grant_after_the_attach(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	happens_to(NSN_EVENT_DOMAIN_ALLOC, USER_KEY + 2, 2);
	happens_to(NSN_EVENT_GROUP_ATTACH, USER_KEY + 2, 2);
	assert_null(answers(USER_KEY + 2, 1, -1, PID));
	snapshot_after(1);
	check_status("NS009", NSN_RULE_UNKNOWN);
}

static void test_grant_by_another_thread(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	happens_to(NSN_EVENT_DOMAIN_ALLOC, USER_KEY + 2, 2);
	answers(USER_KEY + 2, 1, -1, PID + 1);
	snapshot_after(1);
	check_status("NS009", NSN_RULE_UNKNOWN);
}

/* The first stage carries the bit in the PASID entry: nothing is too late there. */
static void test_first_stage(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	for (size_t i = 0; i < 2; i++)
		SET(DOMAIN, domain, i, page_table, NSN_PT_FIRST_STAGE);
	snapshot_after(0);
	assert_null(answers(USER_KEY + 2, 1, 1, PID));
	snapshot_after(1);
	check_status("NS009", NSN_RULE_NOT_APPLICABLE);
}

static void lose_events(void)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_LOST);

	NSN_PUT(&event, event, count, 3);
	happens(&event);
}

static void test_lost_events(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	happens_to(NSN_EVENT_DOMAIN_ALLOC, USER_KEY + 2, 2);
	lose_events();
	snapshot_after(1);
	check_status("NS008", NSN_RULE_UNKNOWN);
	check_status("NS009", NSN_RULE_UNKNOWN);
	assert_string_equal(unknown("NS009")->reason, "events were lost");
	answers(USER_KEY + 2, 1, -1, PID); /* is it still new? */
	snapshot_after(1);
	check_status("NS009", NSN_RULE_UNKNOWN);
	answers(USER_KEY + 2, 1, 1, PID);
	snapshot_after(1);
	check_status("NS009", NSN_RULE_FAIL); /* this much is certain */
}

static void test_events_that_a_recording_lacks(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	set_end_events(2);
	check_status("NS009", NSN_RULE_UNKNOWN);
	assert_string_equal(unknown("NS009")->reason, "events are missing");
}

/* A recorded snapshot whose end counts events that did not come. */
static void set_end_events(uint64_t events)
{
	NSN_NEW(end, END, end);

	judge();
	NSN_PUT(&end, end, event, events);
	nsn_model__free(model);
	model = nsn_model__new();
	for (const struct nsn_rec *rec = nsn_records__next(&records, NULL); rec;
	     rec = nsn_records__next(&records, rec))
		assert_int_equal(nsn_model__add(model, rec), 0);
	assert_int_equal(nsn_model__add(model, &end.h), 0);
	assert_int_equal(nsn_model__finish(model), 0);
	assert_int_equal(nsn_history__snapshot(history, model, (START + ++now) * SECOND), 0);
	assert_non_null(nsn_history__lost(history));
	nsn_findings__free(findings);
	findings = nsn_findings__with_history(model, history);
}

/* ---- NS008 ----------------------------------------------------------------------------------- */

static const char *refused(const char *device, uint64_t reason)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_DEVICE_REFUSED);

	NSN_PUT(&event, event, error, 22);
	NSN_PUT(&event, event, reason, reason);
	NSN_PUT_STR(&event, event, device, device);
	return happens(&event);
}

static void test_refused_device(void **state)
{
	struct nsn_rec_event event;

	(void)state;
	plain_host();
	SET(HOST, host, 0, taken_at, START * SECOND);
	add_device("0000:00:05.0", 5, "", 0);
	snapshot_after(0);
	check_status("NS008", NSN_RULE_NOT_APPLICABLE);
	assert_string_equal(refused("0000:00:05.0", NSN_REASON_NOT_COHERENT), "NS008");
	snapshot_after(1);
	check_status("NS008", NSN_RULE_FAIL);
	assert_int_equal(finding("NS008")->severity, NSN_SEVERITY_INFO);
	assert_false(finding("NS008")->probably);
	assert_string_equal(evidence("NS008", "basis"), "event");
	assert_string_equal(evidence("NS008", "errno"), "EINVAL");
	event = new_event(NSN_EVENT_DEVICE_REGISTER);
	NSN_PUT_STR(&event, event, device, "0000:00:05.0");
	assert_null(happens(&event));
	snapshot_after(1);
	check_status("NS008", NSN_RULE_NOT_APPLICABLE);
	assert_null(refused("0000:00:05.0", NSN_REASON_NO_IOMMU)); /* another rule's business */
	snapshot_after(1);
	check_status("NS008", NSN_RULE_NOT_APPLICABLE);
}

static void test_refused_device_that_found_a_driver(void **state)
{
	(void)state;
	plain_host();
	SET(HOST, host, 0, taken_at, START * SECOND);
	add_device("0000:00:05.0", 5, "", 0);
	snapshot_after(0);
	refused("0000:00:05.0", NSN_REASON_NOT_COHERENT);
	snapshot_after(1);
	check_status("NS008", NSN_RULE_FAIL);
	for (size_t i = 0;; i++) {
		struct nsn_rec_device *device = REC(DEVICE, device, i);

		if (strcmp(device->id, "0000:00:05.0") == 0) {
			NSN_PUT_STR(device, device, driver, "e1000e");
			break;
		}
	}
	snapshot_after(1);
	check_status("NS008", NSN_RULE_NOT_APPLICABLE);
}

/* ---- NS023 ----------------------------------------------------------------------------------- */

/* Group `number`, opened and in the domain of group 2. */
static void add_to_domain(uint64_t number)
{
	NSN_NEW(rec, TYPE1_GROUP, type1_group);

	add_group(number, 1);
	add_device("0000:00:04.0", number, "vfio-pci", 0);
	open_group(number, "0000:00:04.0", 0, CONTAINER_KEY);
	group_record(number)->domain = USER_KEY + 2;
	NSN_PUT(&rec, type1_group, container, CONTAINER_KEY);
	NSN_PUT(&rec, type1_group, domain, USER_KEY + 2);
	NSN_PUT(&rec, type1_group, group, GROUP_KEY + number);
	NSN_PUT(&rec, type1_group, group_id, number);
	ADD(rec);
}

/* Group 2 goes back to its own domain. */
static void take_group_2_away(void)
{
	struct nsn_rec_type1_group *rec;

	group_record(2)->domain = DEFAULT_KEY + 2;
	for (size_t i = 0;; i++) {
		rec = REC(TYPE1_GROUP, type1_group, i);
		if (rec->group_id == 2)
			break;
	}
	rec->group = GROUP_KEY + 3;
	rec->group_id = 3;
}

static void test_domain_outlives_by_snapshots(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	check_status("NS023", NSN_RULE_NEEDS_EVENTS);
	add_to_domain(3);
	snapshot_after(1);
	check_status("NS023", NSN_RULE_PASS);
	take_group_2_away();
	snapshot_after(1);
	check_status("NS023", NSN_RULE_FAIL);
	assert_string_equal(finding("NS023")->subject_id, "g3");
	assert_string_equal(evidence("NS023", "basis"), "snapshots");
	assert_string_equal(evidence("NS023", "made_for"), "2");
	assert_string_equal(evidence("NS023", "groups"), "3");
	assert_string_equal(evidence("NS023", "left_at"), "null");
	group_record(2)->domain = USER_KEY + 2; /* it comes back */
	snapshot_after(1);
	check_status("NS023", NSN_RULE_PASS);
}

static void test_domain_outlives_by_events(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	judge();
	happens_to(NSN_EVENT_DOMAIN_ALLOC, USER_KEY + 2, 2);
	happens_to(NSN_EVENT_GROUP_ATTACH, USER_KEY + 2, 2);
	add_to_domain(3);
	happens_to(NSN_EVENT_GROUP_ATTACH, USER_KEY + 2, 3);
	snapshot_after(0);
	check_status("NS023", NSN_RULE_PASS); /* one snapshot is enough for that */
	now++;
	assert_string_equal(happens_to(NSN_EVENT_GROUP_DETACH, USER_KEY + 2, 2), "NS023");
	assert_null(happens_to(NSN_EVENT_GROUP_DETACH, USER_KEY + 2, 3)); /* that was the last */
	happens_to(NSN_EVENT_GROUP_ATTACH, USER_KEY + 2, 3);
	take_group_2_away();
	snapshot_after(1);
	check_status("NS023", NSN_RULE_FAIL);
	assert_string_equal(evidence("NS023", "basis"), "events");
	assert_string_equal(evidence("NS023", "left_at"), "2026-11-23T07:46:41Z");
}

/* A PASID that leaves its domain leaves the group where it is. */
static void test_pasids_move_no_group(void **state)
{
	struct nsn_rec_event event = about_domain(NSN_EVENT_GROUP_DETACH, USER_KEY + 2);

	(void)state;
	machine_with_a_vm(1);
	judge();
	happens_to(NSN_EVENT_DOMAIN_ALLOC, USER_KEY + 2, 2);
	happens_to(NSN_EVENT_GROUP_ATTACH, USER_KEY + 2, 2);
	add_to_domain(3);
	happens_to(NSN_EVENT_GROUP_ATTACH, USER_KEY + 2, 3);
	NSN_PUT(&event, event, group_id, 2);
	NSN_PUT(&event, event, pasid, 5);
	assert_null(happens(&event));
	snapshot_after(1);
	check_status("NS023", NSN_RULE_PASS);
	assert_string_equal(happens_to(NSN_EVENT_GROUP_DETACH, USER_KEY + 2, 2), "NS023");
}

/* Seen with two groups at first: type1's list tells which is older, the last one of it. */
static void test_oldest_of_a_list(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	add_to_domain(3);
	snapshot_after(0);
	take_group_2_away();
	snapshot_after(1);
	check_status("NS023", NSN_RULE_PASS); /* group 3 stands last: it was the first */
}

static void test_whose_domain_was_not_seen(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	add_to_domain(3);
	REC(TYPE1_GROUP, type1_group, 0)->domain = REC(TYPE1_GROUP, type1_group, 1)->domain = 77;
	snapshot_after(0);
	snapshot_after(1);
	check_status("NS023", NSN_RULE_UNKNOWN);
}

/* ---- what is no event ------------------------------------------------------------------------ */

static void test_differences_are_no_events(void **state)
{
	struct nsn_rec_event event = about_domain(NSN_EVENT_ENFORCE, USER_KEY + 2);

	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	NSN_PUT(&event, event, enforced, 1);
	NSN_PUT(&event, event, mapped, 1);
	event.h.known &= ~(NSN_BIT(event, tid) | NSN_BIT(event, comm));
	happens(&event);
	snapshot_after(1);
	check_status("NS009", NSN_RULE_NEEDS_EVENTS);
}

static void test_more_events_than_memory(void **state)
{
	(void)state;
	machine_with_a_vm(1);
	snapshot_after(0);
	for (uint64_t i = 0; i < 70000; i++)
		answers(100000 + i, 1, 1, PID);
	snapshot_after(1);
	assert_non_null(nsn_history__lost(history));
	check_status("NS009", NSN_RULE_UNKNOWN);
}

/* A flush by a VM that flushes too often is told as such. */
static void test_rule_of_a_flush(void **state)
{
	struct nsn_rec_event event = new_event(NSN_EVENT_WBINVD);

	(void)state;
	machine_with_a_vm(0);
	snapshot_after(0);
	NSN_PUT(&event, event, vm, VM_KEY);
	NSN_PUT(&event, event, executed, 1);
	assert_null(happens(&event));
	reading(5000, 500, 0, 0);
	assert_string_equal(happens(&event), "NS003");
	event.executed = 0;
	assert_null(happens(&event));
	event = new_event(NSN_EVENT_KVM_REGISTER);
	NSN_PUT(&event, event, registrations, 1);
	assert_string_equal(happens(&event), "NS002");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rate_limit),
		TEST(test_time_limit),
		TEST(test_sampled_time),
		TEST(test_early_alarm),
		TEST(test_mean_of_ten_seconds),
		TEST(test_clears_after_thirty_seconds),
		TEST(test_half_is_not_below_half),
		TEST(test_calm_begins_anew),
		TEST(test_own_limits),
		TEST(test_a_counter_that_is_missing),
		TEST(test_native_wbinvd),
		TEST(test_another_vm_starts_anew),
		TEST(test_flushes_before_the_first_reading),
		TEST(test_flushes_of_unknown_age),
		TEST(test_flushes_before_counting),
		TEST(test_without_a_history),
		TEST(test_bit),
		TEST(test_bit_of_another_vm),
		TEST(test_bit_that_cannot_be_read),
		TEST(test_bit_that_was_not_read_at_first),
		TEST(test_late_grant),
		TEST(test_timely_grant),
		TEST(test_refusal_is_right),
		TEST(test_repeated_grant_is_none),
		TEST(test_grant_of_a_new_domain),
		TEST(test_grant_after_the_attach),
		TEST(test_grant_by_another_thread),
		TEST(test_first_stage),
		TEST(test_lost_events),
		TEST(test_events_that_a_recording_lacks),
		TEST(test_refused_device),
		TEST(test_refused_device_that_found_a_driver),
		TEST(test_domain_outlives_by_snapshots),
		TEST(test_domain_outlives_by_events),
		TEST(test_pasids_move_no_group),
		TEST(test_oldest_of_a_list),
		TEST(test_whose_domain_was_not_seen),
		TEST(test_differences_are_no_events),
		TEST(test_more_events_than_memory),
		TEST(test_rule_of_a_flush),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
