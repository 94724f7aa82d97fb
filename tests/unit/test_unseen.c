// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_unseen.c - which events are told from differences of snapshots: those of probes that were off, and
 * not what another probe of the same feature shows.
 */
#include "machine.h"

#include "unseen.h"

#define EVENT(NAME) (1ULL << NSN_EVENT_##NAME)

static struct nsn_records told;

/* A recording whose features are all on. */
static int set_up(void **state)
{
	char name[NSN_NAME_LEN], last[NSN_NAME_LEN] = "";

	nsn_records__init(&told);
	setup(state);
	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		nsn_format(name, sizeof(name), "events.%s", nsn_probe_rows[i].feature);
		if (strcmp(name, last))
			add_source(name, NSN_SOURCE_OK);
		nsn_format(last, sizeof(last), "%s", name);
	}
	return 0;
}

static int tear_down(void **state)
{
	nsn_records__free(&told);
	return teardown(state);
}

static void tell(const char *probe, bool attached, bool absent)
{
	NSN_NEW(event, EVENT, event);

	NSN_PUT(&event, event, event, NSN_EVENT_PROBE);
	NSN_PUT_STR(&event, event, device, probe);
	NSN_PUT(&event, event, count, attached);
	NSN_PUT(&event, event, inner, absent);
	assert_int_equal(nsn_records__add(&told, &event.h), 0);
}

static uint64_t unseen(void)
{
	uint64_t on = 0;

	nsn_unseen__note(&told, &on);
	return nsn_unseen__replay(model, on);
}

static void test_all_probes_are_on(void **state)
{
	(void)state;
	judge();
	assert_int_equal(unseen(), 0);
}

static void test_a_feature_is_off(void **state)
{
	(void)state;
	set_source("events.domain", NSN_SOURCE_FAILED);
	judge();
	assert_int_equal(unseen(), EVENT(DOMAIN_ALLOC) | EVENT(DOMAIN_FREE));
}

static void test_one_probe_of_a_feature_is_off(void **state)
{
	(void)state;
	set_source("events.domain", NSN_SOURCE_FAILED);
	judge();
	tell("domain_alloc", true, false);
	tell("domain_free", false, false);
	tell("pasid_attach", false, true);
	assert_int_equal(unseen(), EVENT(DOMAIN_FREE));
	tell("domain_alloc", false, false); /* its module came anew, and it fails now */
	assert_int_equal(unseen(), EVENT(DOMAIN_ALLOC) | EVENT(DOMAIN_FREE));
	tell("domain_alloc", false, true); /* there is nothing to see */
	assert_int_equal(unseen(), EVENT(DOMAIN_FREE));
}

static void test_without_probes_all_of_them(void **state)
{
	uint64_t all = 0;

	(void)state;
	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		assert_int_equal(all & nsn_probe_rows[i].events, 0); /* each has one probe */
		all |= nsn_probe_rows[i].events;
	}
	assert_int_equal(nsn_unseen__live(NULL), all);
	assert_true(all & EVENT(VM_CREATE));
	assert_false(all & EVENT(WBINVD)); /* no snapshot shows one */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_probes_are_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_feature_is_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_probe_of_a_feature_is_off, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_without_probes_all_of_them, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
