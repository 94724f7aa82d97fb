// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_render_top.c - nosnooptop without a terminal: rates of two ticks, the order of rows, widths of
 * lines at every size, what keys choose, and names that want to do harm.
 */
#include "machine.h"
#include "rendered.h"

#include <locale.h>
#include <errno.h>

#include "render_page.h"
#include "render_top.h"

#define SECOND 1000000000ULL

static struct nsn_rates *rates;
static struct nsn_top top;
static struct nsn_top_state state;
static struct nsn_render_opts opts;

/* ---- machines with several VMs ---------------------------------------------------------------- */

static void add_named_vm(uint64_t n, const char *name)
{
	NSN_NEW(rec, VM, vm);

	NSN_PUT(&rec, vm, vm, VM_KEY + n);
	NSN_PUT(&rec, vm, mm, 5000 + n);
	NSN_PUT(&rec, vm, pid, 2000 + n);
	NSN_PUT(&rec, vm, start_ticks, 7);
	NSN_PUT(&rec, vm, vcpus, n);
	NSN_PUT(&rec, vm, noncoherent_dma, 0);
	NSN_PUT(&rec, vm, kvm_vfio_devices, 0);
	NSN_PUT(&rec, vm, complete, 1);
	ADD(rec);
	add_process(2000 + n, name, "/");
}

static void count(uint64_t n, uint64_t executed, uint64_t ignored)
{
	NSN_NEW(rec, COUNTER, counter);

	NSN_PUT(&rec, counter, vm, VM_KEY + n);
	NSN_PUT(&rec, counter, exits, executed + ignored);
	NSN_PUT(&rec, counter, executed, executed);
	NSN_PUT(&rec, counter, ignored, ignored);
	NSN_PUT(&rec, counter, timed, executed);
	NSN_PUT(&rec, counter, elapsed_ns, executed * 1000000);
	NSN_PUT(&rec, counter, bucket4, executed);
	NSN_PUT(&rec, counter, sampled, 0);
	rec.h.known = (1U << nsn_rec_descs[NSN_REC_COUNTER].fields_count) - 1;
	nsn_model__update_counters(model, &rec);
}

static void tick(uint64_t seconds)
{
	assert_int_equal(nsn_rates__tick(rates, model, seconds * SECOND), 0);
}

/* The model of the records as they are, and what is shown of it. */
static void build(void)
{
	judge();
	model->live = true;
	top = (struct nsn_top){ .model = model,
				.findings = findings,
				.rates = rates,
				.delay_ns = 2 * SECOND,
				.probes_on = 20,
				.probes_count = 23 };
	opts = (struct nsn_render_opts){ .width = 120, .utf8 = true };
}

static int start(void **unused)
{
	setup(unused);
	add_source("events.wbinvd", NSN_SOURCE_OK);
	rates = nsn_rates__new();
	assert_non_null(rates);
	nsn_top_state__init(&state);
	return 0;
}

static int stop(void **unused)
{
	nsn_rates__free(rates);
	return teardown(unused);
}

/* VMs 1 to 4: a, b, c, d. */
static void four_vms(void)
{
	add_named_vm(1, "alpha");
	add_named_vm(2, "bravo");
	add_named_vm(3, "charlie");
	add_named_vm(4, "delta");
	build();
	tick(100);
}

static struct nsn_vm *vm_at(uint64_t n)
{
	struct nsn_vm *vm = nsn_model__vm_by_key(model, VM_KEY + n);

	assert_non_null(vm);
	return vm;
}

/* ---- the screen as text ----------------------------------------------------------------------- */

static char *text_of(struct nsn_screen *screen)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(screen);
	assert_non_null(out);
	assert_int_equal(nsn_screen__print(screen, out, false), 0);
	fclose(out);
	nsn_screen__free(screen);
	return text;
}

static char *frame(size_t height)
{
	return text_of(nsn_render_top(&top, &state, &opts, height));
}

static char *batch(void)
{
	return text_of(nsn_render_top_batch(&top, &state, &opts));
}

/* The words stand in the text in this order. */
static void expect_order(const char *text, const char *const *words, size_t words_count)
{
	const char *at = text;

	for (size_t i = 0; i < words_count; i++) {
		const char *found = strstr(at, words[i]);

		if (!found)
			fail_msg("'%s' does not follow in\n%s", words[i], text);
		at = found + 1;
	}
}

#define EXPECT_ORDER(text, ...)                                                                    \
	do {                                                                                       \
		const char *const words[] = { __VA_ARGS__ };                                       \
                                                                                                   \
		expect_order(text, words, NSN_ARRAY_SIZE(words));                                  \
	} while (0)

static void expect_batch_order(const char *a, const char *b, const char *c, const char *d)
{
	char *text = batch();

	EXPECT_ORDER(strstr(text, "VERDICT"), a, b, c, d);
	free(text);
}

static void keys(const char *text)
{
	while (*text)
		nsn_top_state__key(&state, (unsigned char)*text++);
}

/* ---- rates ------------------------------------------------------------------------------------ */

static void rates_of_two_ticks(void **unused)
{
	(void)unused;
	four_vms();
	assert_false(vm_at(1)->rates.known);
	count(1, 1000, 500);
	tick(104);
	assert_true(vm_at(1)->rates.known);
	assert_float_equal(vm_at(1)->rates.exits, 375, 1e-9);
	assert_float_equal(vm_at(1)->rates.executed, 250, 1e-9);
	assert_float_equal(vm_at(1)->rates.ignored, 125, 1e-9);
	assert_float_equal(vm_at(1)->rates.share, 0.25, 1e-9);
	assert_float_equal(nsn_rates__interval(rates), 4, 1e-9);
	/* a VM that is counted and does nothing has a rate, and it is zero */
	assert_true(vm_at(2)->rates.known);
	assert_float_equal(vm_at(2)->rates.exits, 0, 1e-9);
	assert_true(vm_at(2)->rates.p50 < 0);
	/* all in the bucket from 262.144 us to 1.048576 ms */
	assert_float_equal(vm_at(1)->rates.p50, 655.36e-6, 1e-9);
	assert_float_equal(vm_at(1)->rates.p99, 1040.711680e-6, 1e-9);
}

static void a_counter_that_goes_back_has_no_rate(void **unused)
{
	(void)unused;
	four_vms();
	count(1, 1000, 0);
	tick(102);
	count(1, 10, 0);
	tick(104);
	assert_false(vm_at(1)->rates.known);
	count(1, 30, 0);
	tick(106);
	assert_float_equal(vm_at(1)->rates.executed, 10, 1e-9);
}

static void another_vm_of_the_same_name_starts_anew(void **unused)
{
	(void)unused;
	four_vms();
	count(1, 1000, 0);
	tick(102);
	SET(VM, vm, 0, vm, 999);
	build();
	tick(104);
	assert_false(nsn_model__vm_by_key(model, 999)->rates.known);
}

static void what_is_not_counted_has_no_rate(void **unused)
{
	(void)unused;
	set_source("events.wbinvd", NSN_SOURCE_FAILED);
	four_vms();
	tick(102);
	assert_false(vm_at(1)->rates.known);
	assert_false(vm_at(1)->counters.known);
}

static void sampled_time_is_scaled(void **unused)
{
	NSN_NEW(rec, COUNTER, counter);

	(void)unused;
	four_vms();
	NSN_PUT(&rec, counter, vm, VM_KEY + 1);
	rec.exits = rec.executed = 64000;
	rec.timed = 1000;
	rec.elapsed_ns = 1000 * 10000ULL;
	rec.bucket1 = 1000;
	rec.sampled = 1;
	rec.h.known = (1U << nsn_rec_descs[NSN_REC_COUNTER].fields_count) - 1;
	nsn_model__update_counters(model, &rec);
	tick(101);
	assert_float_equal(vm_at(1)->rates.executed, 64000, 1e-6);
	assert_float_equal(vm_at(1)->rates.share, 0.64, 1e-9);
}

static void quantiles(void **unused)
{
	uint64_t none[NSN_BUCKETS] = { 0 }, first[NSN_BUCKETS] = { 4 };
	uint64_t last[NSN_BUCKETS] = { [NSN_BUCKETS - 1] = 7 };
	uint64_t two[NSN_BUCKETS] = { [0] = 1, [2] = 1 };

	(void)unused;
	assert_true(nsn_rates__quantile(none, 0.5) < 0);
	assert_float_equal(nsn_rates__quantile(first, 0.5), 2.048e-6, 1e-12);
	assert_float_equal(nsn_rates__quantile(last, 0.5), 268.435456e-3, 1e-9);
	assert_float_equal(nsn_rates__quantile(two, 0.5), 4.096e-6, 1e-12);
	assert_float_equal(nsn_rates__quantile(two, 1), 65.536e-6, 1e-12);
}

static void history_forgets_the_oldest(void **unused)
{
	double out[NSN_RATES_KEPT + 10];
	size_t got;

	(void)unused;
	four_vms();
	for (uint64_t i = 1; i <= NSN_RATES_KEPT + 20; i++) {
		count(1, i * (i + 1) / 2, 0);
		tick(100 + i);
	}
	got = nsn_rates__history(rates, vm_at(1), out, NSN_ARRAY_SIZE(out));
	assert_int_equal(got, NSN_RATES_KEPT);
	assert_float_equal(out[got - 1], NSN_RATES_KEPT + 20, 1e-3);
	assert_float_equal(out[0], 21, 1e-3);
	assert_int_equal(nsn_rates__history(rates, NULL, out, 3), 3);
	assert_float_equal(out[2], NSN_RATES_KEPT + 20, 1e-3);
}

/* ---- order ------------------------------------------------------------------------------------ */

static void who_flushes_most_stands_first(void **unused)
{
	(void)unused;
	four_vms();
	expect_batch_order("alpha", "bravo", "charlie", "delta");
	count(3, 50, 0);
	count(4, 500, 0);
	tick(101);
	expect_batch_order("delta", "charlie", "alpha", "bravo");
}

static void ties_keep_their_order(void **unused)
{
	(void)unused;
	four_vms();
	count(2, 10, 0);
	tick(101);
	state.views[NSN_VIEW_VMS].sort = nsn_top_column_by_name(NSN_VIEW_VMS, "reg");
	expect_batch_order("bravo", "alpha", "charlie", "delta");
	/* inverting the order of equals changes nothing among them */
	state.views[NSN_VIEW_VMS].invert = true;
	expect_batch_order("bravo", "alpha", "charlie", "delta");
}

static void a_column_sorts(void **unused)
{
	(void)unused;
	four_vms();
	state.views[NSN_VIEW_VMS].sort = nsn_top_column_by_name(NSN_VIEW_VMS, "vcpu");
	expect_batch_order("delta", "charlie", "bravo", "alpha");
	state.views[NSN_VIEW_VMS].invert = true;
	expect_batch_order("alpha", "bravo", "charlie", "delta");
	state.views[NSN_VIEW_VMS].invert = false;
	state.views[NSN_VIEW_VMS].sort = nsn_top_column_by_name(NSN_VIEW_VMS, "VM");
	expect_batch_order("alpha", "bravo", "charlie", "delta");
}

static void unknown_sorts_below_zero(void **unused)
{
	(void)unused;
	four_vms();
	tick(101);
	vm_at(2)->rates.known = false;
	state.views[NSN_VIEW_VMS].sort = nsn_top_column_by_name(NSN_VIEW_VMS, "exec");
	expect_batch_order("alpha", "charlie", "delta", "bravo");
}

static void columns_by_name(void **unused)
{
	int exec = nsn_top_column_by_name(NSN_VIEW_VMS, "EXEC/s");

	(void)unused;
	assert_true(exec > 0);
	assert_int_equal(nsn_top_column_by_name(NSN_VIEW_VMS, "exec_s"), exec);
	assert_int_equal(nsn_top_column_by_name(NSN_VIEW_VMS, "execs"), exec);
	assert_string_equal(
		nsn_top_column_name(NSN_VIEW_VMS, nsn_top_column_by_name(NSN_VIEW_VMS, "executed")),
		"EXECUTED");
	assert_int_equal(nsn_top_column_by_name(NSN_VIEW_VMS, "nonsense"), -ENOENT);
	assert_int_equal(nsn_top_column_by_name(NSN_VIEW_VMS, ""), -ENOENT);
	assert_int_equal(nsn_top_view_by_name("3"), NSN_VIEW_DEVICES);
	assert_int_equal(nsn_top_view_by_name("IOMMUs"), NSN_VIEW_IOMMUS);
	assert_int_equal(nsn_top_view_by_name("7"), -ENOENT);
}

/* ---- keys ------------------------------------------------------------------------------------- */

static void the_cursor_stays_with_its_row(void **unused)
{
	char *text;

	(void)unused;
	four_vms();
	free(frame(24));
	keys("jj");
	text = frame(24);
	assert_non_null(strstr(text, "\xe2\x96\x8c"
				     "charlie"));
	free(text);
	count(2, 50, 0);
	tick(101);
	text = frame(24);
	EXPECT_ORDER(strstr(text, "VERDICT"), "bravo", "alpha",
		     "\xe2\x96\x8c"
		     "charlie",
		     "delta");
	free(text);
	keys("G");
	text = frame(24);
	assert_non_null(strstr(text, "\xe2\x96\x8c"
				     "delta"));
	free(text);
}

static void a_filter_hides(void **unused)
{
	char *text;

	(void)unused;
	four_vms();
	keys("/RAV");
	text = frame(24);
	assert_non_null(strstr(text, "bravo"));
	assert_null(strstr(text, "charlie"));
	assert_non_null(strstr(text, "1 of 4"));
	assert_non_null(strstr(text, "Filter: RAV"));
	free(text);
	nsn_top_state__key(&state, NSN_KEY_BACKSPACE);
	nsn_top_state__key(&state, NSN_KEY_ENTER);
	keys("q"); /* a key again */
	assert_string_equal(state.filter, "RA");
	nsn_top_state__key(&state, NSN_KEY_ESCAPE);
	assert_string_equal(state.filter, "");
	keys("/zzz");
	text = frame(24);
	assert_non_null(strstr(text, "Nothing matches"));
	free(text);
}

static void keys_choose(void **unused)
{
	(void)unused;
	assert_int_equal(nsn_top_state__key(&state, 'q'), NSN_ACTION_QUIT);
	assert_int_equal(nsn_top_state__key(&state, 'w'), NSN_ACTION_WRITE);
	assert_int_equal(nsn_top_state__key(&state, 'R'), NSN_ACTION_RECORD);
	assert_int_equal(nsn_top_state__key(&state, ' '), NSN_ACTION_PAUSE);
	assert_true(state.paused);
	keys("5");
	assert_int_equal(state.view, NSN_VIEW_EVENTS);
	nsn_top_state__key(&state, NSN_KEY_RIGHT);
	nsn_top_state__key(&state, NSN_KEY_RIGHT);
	assert_int_equal(state.view, NSN_VIEW_VMS);
	keys("<");
	assert_int_equal(state.views[NSN_VIEW_VMS].sort, nsn_top_columns(NSN_VIEW_VMS) - 1);
	keys(">>");
	assert_int_equal(state.views[NSN_VIEW_VMS].sort, 0);
	keys("sl");
	assert_int_equal(state.prompt, NSN_PROMPT_SORT);
	nsn_top_state__key(&state, NSN_KEY_ENTER);
	assert_int_equal(state.views[NSN_VIEW_VMS].sort, 1);
	keys("I");
	assert_true(state.views[NSN_VIEW_VMS].invert);
	keys("d500ms");
	assert_int_equal(nsn_top_state__key(&state, NSN_KEY_ENTER), NSN_ACTION_DELAY);
	assert_string_equal(state.input, "500ms");
	keys("?");
	assert_true(state.help);
	nsn_top_state__key(&state, NSN_KEY_ESCAPE);
	assert_false(state.help);
	nsn_top_state__key(&state, NSN_KEY_ENTER);
	assert_true(state.detail);
	/* however long somebody types, it stays a text */
	keys("/");
	for (int i = 0; i < 300; i++)
		nsn_top_state__key(&state, 0x1f525);
	assert_int_equal(strlen(state.filter), 60);
	nsn_top_state__key(&state, NSN_KEY_BACKSPACE);
	assert_int_equal(strlen(state.filter), 56);
}

/* ---- what is told ----------------------------------------------------------------------------- */

static void before_the_second_tick_there_is_no_rate(void **unused)
{
	char *text;

	(void)unused;
	four_vms();
	text = frame(24);
	assert_non_null(strstr(text, "- executed/s"));
	assert_null(strstr(text, "not counted"));
	free(text);
	top.events_off = "no \033 permission";
	text = frame(24);
	assert_non_null(strstr(text, "not counted: no \\x1b permission"));
	free(text);
}

static void the_status_line(void **unused)
{
	char *text;

	(void)unused;
	four_vms();
	top.lost = 7;
	top.snapshot_age_ns = 3 * SECOND;
	state.paused = true;
	text = frame(24);
	EXPECT_ORDER(text, "PAUSED", "probes 20 of 23", "lost 7", "snapshot 3 s ago", "? help");
	free(text);
	top.message = "written to \007 x";
	text = frame(24);
	assert_non_null(strstr(text, "written to \\x07 x"));
	free(text);
}

static void a_pane_tells_all_of_a_vm(void **unused)
{
	struct nsn_top_event event = { .vm = "web1", .object = "group 1" };
	char *text;

	(void)unused;
	assign(1, 0);
	build();
	tick(1);
	vm_at(0)->counters.known = true;
	count(0, 100, 0);
	tick(2);
	event.rec.event = NSN_EVENT_GROUP_ATTACH;
	NSN_PUT(&event.rec, event, error, 1);
	nsn_format(event.vm_id, sizeof(event.vm_id), "%s", vm_at(0)->id);
	top.events = &event;
	top.events_count = 1;
	nsn_top_state__key(&state, NSN_KEY_ENTER);
	opts.width = 100;
	text = frame(60);
	EXPECT_ORDER(text, "web1", "100 executed/s", "container", "domain",
		     "0000:", "What KVM decided", "It registered", "Memory types", "Guest PAT",
		     "Quirk", "Time of a flush", "< 1.0ms", "100", "Last events", "group_attach",
		     "group 1", "EPERM");
	free(text);
	opts.width = 180; /* tree and histogram side by side */
	text = frame(60);
	EXPECT_ORDER(text, "Devices, and what stands between", "Guest cache flushes",
		     "What KVM decided", "Memory types", "On a change", "group_attach");
	free(text);
}

/* However rows move, and with no table on the screen to see it by. */
static void a_pane_stays_with_its_vm(void **unused)
{
	char *text;

	(void)unused;
	four_vms();
	count(1, 5, 0);
	tick(101);
	nsn_top_state__key(&state, NSN_KEY_ENTER);
	text = frame(24);
	assert_non_null(strstr(text, "alpha"));
	free(text);
	count(3, 5000, 0);
	tick(102);
	expect_batch_order("charlie", "alpha", "bravo", "delta");
	text = frame(24);
	assert_non_null(strstr(text, "alpha"));
	assert_null(strstr(text, "charlie"));
	free(text);
	/* where it has gone, nothing of another one is shown for it */
	nsn_format(state.views[NSN_VIEW_VMS].selected, NSN_TOP_SUBJECT_LEN, "gone");
	text = frame(24);
	assert_false(state.detail);
	EXPECT_ORDER(text, "charlie", "alpha", "bravo", "delta");
	free(text);
}

/* Whose event it is stands beside what it is about; the columns are as wide as they need to be. */
static void the_last_events_name_their_vms(void **unused)
{
	struct nsn_top_event events[2] = { { .vm = "web1" }, { .vm = "db1", .object = "group 2" } };
	char *text;

	(void)unused;
	four_vms();
	events[0].rec.event = NSN_EVENT_KVM_REGISTER;
	NSN_PUT(&events[0].rec, event, registrations, 1);
	NSN_PUT(&events[0].rec, event, duration, 1500000);
	NSN_PUT_STR(&events[0].rec, event, comm, "labvm");
	NSN_PUT(&events[0].rec, event, pid, 12);
	events[1].rec.event = NSN_EVENT_KVM_FILE_ADD;
	NSN_PUT(&events[1].rec, event, error, 0);
	NSN_PUT(&events[1].rec, event, noncoherent, 1);
	top.events = events;
	top.events_count = 2;
	text = frame(24);
	assert_non_null(strstr(text, "\n  -  kvm_file_add  db1   group 2  ok  non-coherent\n"
				     "  -  kvm_register  web1               1 registered, "
				     "labvm[12], 1.5ms\n"));
	free(text);
	opts.width = 54; /* what has no room is left out by whole words */
	text = frame(24);
	assert_non_null(strstr(text, "  web1               1 registered, \xe2\x80\xa6\n"));
	free(text);
}

static void words_are_cut_as_a_whole(void **unused)
{
	static const struct {
		const char *text;
		size_t cells;
		const char *wanted;
	} cases[] = {
		{ "its WBINVD is executed", 22, "its WBINVD is executed" },
		{ "its WBINVD is executed", 21, "its WBINVD is \xe2\x80\xa6" },
		{ "its WBINVD is executed", 14, "its WBINVD is\xe2\x80\xa6" },
		{ "its WBINVD is executed", 13, "its WBINVD \xe2\x80\xa6" },
		{ "0123456789abcdef", 10, "012345678\xe2\x80\xa6" },
		/* a long word is worth its beginning */
		{ "Intel 82G33/G31/P35/P31", 20, "Intel 82G33/G31/P35\xe2\x80\xa6" },
	};
	struct nsn_page page;
	FILE *out = tmpfile();

	(void)unused;
	four_vms();
	assert_non_null(out);
	nsn_page__init(&page, out, model, &opts);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(cases); i++)
		assert_string_equal(nsn_page__cut(&page, cases[i].text, cases[i].cells),
				    cases[i].wanted);
	assert_int_equal(nsn_page__close(&page), 0);
	fclose(out);
}

static void too_small_says_so(void **unused)
{
	char *text;

	(void)unused;
	four_vms();
	opts.width = 39;
	text = frame(24);
	assert_string_equal(text, "nosnooptop needs 40x10 cells\n");
	free(text);
	opts.width = 80;
	text = frame(9);
	assert_string_equal(text, "nosnooptop needs 40x10 cells\n");
	free(text);
}

/* ---- every size ------------------------------------------------------------------------------- */

static void check_screen(size_t width, size_t height, bool utf8)
{
	struct nsn_screen *screen;

	opts.width = (int)width;
	opts.utf8 = utf8;
	screen = nsn_render_top(&top, &state, &opts, height);
	assert_non_null(screen);
	assert_int_equal(screen->lines_count, height);
	for (size_t i = 0; i < height; i++) {
		size_t cells = 0;

		for (size_t j = 0; j < screen->lines[i].spans_count; j++) {
			const char *text = screen->lines[i].spans[j].text;

			cells += nsn_cells(text);
			for (const char *c = text; *c; c++)
				if ((unsigned char)*c < ' ' || *c == 0x7f ||
				    (!utf8 && (unsigned char)*c >= 0x80))
					fail_msg("byte %02x on the screen", (unsigned char)*c);
		}
		assert_int_equal(cells, screen->lines[i].cells);
		if (cells > width)
			fail_msg("%zux%zu view %d: line %zu has %zu cells", width, height,
				 state.view, i, cells);
	}
	nsn_screen__free(screen);
}

static void check_all_screens(size_t width, size_t height)
{
	for (int view = 0; view < NSN_VIEW_MAX; view++) {
		state.view = (enum nsn_top_view)view;
		for (int mode = 0; mode < 4; mode++) {
			state.detail = mode == 1;
			state.help = mode == 2;
			state.prompt = mode == 3 ? NSN_PROMPT_SORT : NSN_PROMPT_NONE;
			check_screen(width, height, true);
			check_screen(width, height, false);
		}
	}
}

static void every_size_with_hostile_names(void **unused)
{
	static const size_t widths[] = { 40, 41, 59, 60,  63,  64,  71, 79,
					 80, 81, 99, 123, 124, 200, 333 };
	static const size_t heights[] = { 10, 13, 14, 24, 35, 50 };
	struct nsn_top_event event = { .object = "\033[2J" };

	(void)unused;
	assign(1, 0);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(hostile_names); i++)
		add_named_vm(10 + i, "x");
	for (size_t i = 0; i < NSN_ARRAY_SIZE(hostile_names); i++) {
		struct nsn_rec_process *process = REC(PROCESS, process, 1 + i);

		put_raw(process->name, sizeof(process->name), hostile_names[i]);
	}
	build();
	tick(1);
	count(10, 123456789, 5);
	tick(2);
	NSN_PUT(&event.rec, event, event, NSN_EVENT_ENFORCE);
	NSN_PUT(&event.rec, event, enforced, 0);
	put_raw(event.rec.comm, sizeof(event.rec.comm), "\033]0;x\007");
	put_raw(event.vm, sizeof(event.vm), hostile_names[0]);
	event.rec.h.known |= NSN_BIT(event, comm);
	top.events = &event;
	top.events_count = 1;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(widths); i++)
		for (size_t j = 0; j < NSN_ARRAY_SIZE(heights); j++)
			check_all_screens(widths[i], heights[j]);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(rates_of_two_ticks),
		TEST(a_counter_that_goes_back_has_no_rate),
		TEST(another_vm_of_the_same_name_starts_anew),
		TEST(what_is_not_counted_has_no_rate),
		TEST(sampled_time_is_scaled),
		TEST(quantiles),
		TEST(history_forgets_the_oldest),
		TEST(who_flushes_most_stands_first),
		TEST(ties_keep_their_order),
		TEST(a_column_sorts),
		TEST(unknown_sorts_below_zero),
		TEST(columns_by_name),
		TEST(the_cursor_stays_with_its_row),
		TEST(a_filter_hides),
		TEST(keys_choose),
		TEST(before_the_second_tick_there_is_no_rate),
		TEST(the_status_line),
		TEST(a_pane_tells_all_of_a_vm),
		TEST(a_pane_stays_with_its_vm),
		TEST(the_last_events_name_their_vms),
		TEST(words_are_cut_as_a_whole),
		TEST(too_small_says_so),
		TEST(every_size_with_hostile_names),
	};

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
