// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_model_diff.c - events from the difference of two snapshots: what is told, in which order, and
 * that what is unknown is not told.
 */
#include "machine.h"

#include "model_diff.h"

#define ALL ((1ULL << NSN_EVENT_MAX) - 1)

static struct nsn_records told;

/* Keeps the machine as it is now: the model before. */
static struct nsn_model *keep(void)
{
	struct nsn_model *kept;

	judge();
	kept = model;
	nsn_findings__free(findings);
	findings = NULL;
	model = NULL;
	return kept;
}

static const struct nsn_rec_event *event(size_t n)
{
	const struct nsn_rec *rec = nsn_records__next(&told, NULL);

	while (rec && n--)
		rec = nsn_records__next(&told, rec);
	assert_non_null(rec);
	return (const void *)rec;
}

/* Compares the machine with what it was; names are of the events, in their order, "" if none. */
static void expect_events(const struct nsn_model *a, const struct nsn_model *b, uint64_t wanted,
			  const char *names)
{
	char got[512] = "";

	nsn_records__clear(&told);
	assert_int_equal(nsn_model_diff(a, b, wanted, &told.sink), 0);
	for (const struct nsn_rec *rec = nsn_records__next(&told, NULL); rec;
	     rec = nsn_records__next(&told, rec))
		nsn_format(got + strlen(got), sizeof(got) - strlen(got), "%s%s", got[0] ? " " : "",
			   nsn_event_name(((const struct nsn_rec_event *)rec)->event));
	assert_string_equal(got, names);
}

/* Another machine from here on. */
static void start_over(void)
{
	nsn_records__free(&records);
	setup(NULL);
}

static int set_up(void **state)
{
	nsn_records__init(&told);
	return setup(state);
}

static int tear_down(void **state)
{
	nsn_records__free(&told);
	return teardown(state);
}

static void test_nothing_changed(void **state)
{
	struct nsn_model *before;

	(void)state;
	assign(0, 1);
	before = keep();
	judge();
	expect_events(before, model, ALL, "");
	nsn_model__free(before);
}

static void test_a_vm_gets_a_device_and_loses_it(void **state)
{
	struct nsn_model *empty, *full;

	(void)state;
	plain_host();
	empty = keep();
	start_over();
	assign(0, 1);
	full = keep();
	expect_events(empty, full, ALL,
		      "device_register vm_create container_open dma_owner_claim "
		      "container_set_group container_set_iommu domain_alloc group_attach "
		      "kvm_register kvm_file_add device_open");
	assert_string_equal(event(0)->device, "0000:00:03.0");
	assert_int_equal(event(1)->vm, VM_KEY);
	assert_int_equal(event(1)->pid, PID);
	assert_false(NSN_KNOWS(event(1), event, tid)); /* no task was seen doing it */
	assert_int_equal(event(7)->group_id, 2);
	assert_int_equal(event(7)->enforced, 0);
	assert_int_equal(event(8)->registrations, 1);
	expect_events(full, empty, ALL,
		      "device_close kvm_unregister kvm_file_del group_detach domain_free "
		      "dma_owner_release container_close vm_destroy");
	assert_int_equal(event(1)->registrations, 0);
	expect_events(empty, full, 1ULL << NSN_EVENT_KVM_REGISTER, "kvm_register");
	nsn_model__free(empty);
	nsn_model__free(full);
}

static void test_each_registration_is_told(void **state)
{
	struct nsn_model *before;

	(void)state;
	assign(0, 1);
	SET(VM, vm, 0, noncoherent_dma, 0);
	before = keep();
	SET(VM, vm, 0, noncoherent_dma, 2);
	judge();
	expect_events(before, model, ALL, "kvm_register kvm_register");
	assert_int_equal(event(0)->registrations, 1);
	assert_int_equal(event(1)->registrations, 2);
	expect_events(model, before, ALL, "kvm_unregister kvm_unregister");
	assert_int_equal(event(0)->registrations, 1);
	assert_int_equal(event(1)->registrations, 0);
	nsn_model__free(before);
}

static void test_an_unknown_fact_tells_nothing(void **state)
{
	struct nsn_model *before;

	(void)state;
	assign(0, 1);
	FORGET(VM, vm, 0, noncoherent_dma);
	before = keep();
	SET(VM, vm, 0, noncoherent_dma, 1);
	judge();
	expect_events(before, model, ALL, "");
	expect_events(model, before, ALL, "");
	nsn_model__free(before);
}

/* VMs that could not be read are not gone. */
static void test_a_source_that_failed_tells_nothing(void **state)
{
	struct nsn_model *before, *blind;

	(void)state;
	assign(0, 1);
	before = keep();
	start_over();
	set_source("kernel.kvm", NSN_SOURCE_FAILED);
	set_source("kernel.vfio", NSN_SOURCE_FAILED);
	set_source("kernel.iommu", NSN_SOURCE_FAILED);
	blind = keep();
	expect_events(before, blind, ALL, "");
	nsn_model__free(before);
	nsn_model__free(blind);
}

static void test_a_group_changes_its_domain(void **state)
{
	struct nsn_model *before;

	(void)state;
	assign(0, 1);
	before = keep();
	for (size_t i = 0; i < 2; i++) { /* it goes back to its default domain */
		struct nsn_rec_group *group = REC(GROUP, group, i);

		if (group->domain != USER_KEY + 2)
			continue;
		group->domain = group->default_domain;
		group->owner = 0;
		break;
	}
	judge();
	expect_events(before, model, 1ULL << NSN_EVENT_GROUP_DETACH, "group_detach");
	assert_int_equal(event(0)->group_id, 2);
	assert_int_equal(event(0)->domain, USER_KEY + 2);
	expect_events(model, before, 1ULL << NSN_EVENT_GROUP_ATTACH, "group_attach");
	assert_int_equal(event(0)->enforced, 0);
	nsn_model__free(before);
}

/* Contexts of iommufd are numbered apart from VFIO's containers, and are lists of their own. */
static void test_an_iommufd_context_is_no_container(void **state)
{
	struct nsn_model *before, *after;
	NSN_NEW(context, IOMMUFD, iommufd);

	(void)state;
	set_source("kernel.iommufd", NSN_SOURCE_OK);
	assign(0, 1);
	before = keep();
	NSN_PUT(&context, iommufd, iommufd, 1);
	NSN_PUT(&context, iommufd, complete, 1);
	ADD(context);
	after = keep();
	expect_events(before, after, ALL, "container_open");
	assert_int_equal(event(0)->iommufd, 1);
	assert_false(NSN_KNOWS(event(0), event, container));
	set_source("kernel.iommufd", NSN_SOURCE_FAILED);
	judge();
	expect_events(before, model, ALL, ""); /* who knows what there is */
	nsn_model__free(before);
	nsn_model__free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_vm_gets_a_device_and_loses_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_each_registration_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_unknown_fact_tells_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_source_that_failed_tells_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_a_group_changes_its_domain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_iommufd_context_is_no_container, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
