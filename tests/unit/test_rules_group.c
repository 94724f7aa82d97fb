// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_rules_group.c - each rule on domains and groups: a machine that raises it, one close by that
 * does not, and one where a fact that it needs is missing.
 */
#include "machine.h"

/* ---- domains --------------------------------------------------------------------------------- */

/* The unit gained snoop control after the domain was made: it does not block, though it could. */
static void test_ns006(void **state)
{
	(void)state;
	assign(1, 1);
	expect("NS006", NSN_RULE_PASS);
	SET(TYPE1_DOMAIN, type1_domain, 0, enforced, 0);
	SET(DOMAIN, domain, 1, force_snooping, 0);
	expect_fail("NS006", NSN_SEVERITY_WARNING);
	SET(VM, vm, 0, noncoherent_dma, 0);
	expect_fail("NS006", NSN_SEVERITY_CRITICAL);
	expect_fail("NS001", NSN_SEVERITY_CRITICAL);
	FORGET(GROUP_DEVICE, group_device, 0, cap_enforce);
	FORGET(GROUP_DEVICE, group_device, 0, snoop_control);
	FORGET(IOMMU, iommu, 0, snoop_control);
	expect("NS006", NSN_RULE_UNKNOWN);
	assert_int_equal(unknown("NS006")->severity, NSN_SEVERITY_CRITICAL);
}

/* Whether a VM is harmed is unknown: the finding stays, and so does the doubt. */
static void test_ns006_doubt(void **state)
{
	(void)state;
	assign(1, 1);
	SET(TYPE1_DOMAIN, type1_domain, 0, enforced, 0);
	SET(DOMAIN, domain, 1, force_snooping, 0);
	FORGET(VM, vm, 0, noncoherent_dma);
	expect_fail("NS006", NSN_SEVERITY_WARNING);
	assert_int_equal(result("NS006")->unknown, 1);
	expect_exit(NSN_SEVERITY_CRITICAL, NSN_RESULT_UNKNOWN);
}

static void make_amd(uint64_t page_table)
{
	SET_STR(DOMAIN, domain, 1, iommu_driver, "amd");
	SET_STR(DOMAIN, domain, 1, op, "amd_iommu_enforce_cache_coherency");
	SET(DOMAIN, domain, 1, page_table, page_table);
	FORGET(DOMAIN, domain, 1, force_snooping);
	SET_STR(GROUP_DEVICE, group_device, 0, iommu_driver, "amd");
}

static void test_ns014(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS014", NSN_RULE_NOT_APPLICABLE);
	make_amd(NSN_PT_AMD_V1);
	expect("NS014", NSN_RULE_PASS);
	expect("NS001", NSN_RULE_PASS);
	SET(DOMAIN, domain, 1, page_table, NSN_PT_AMD_V2);
	expect_fail("NS014", NSN_SEVERITY_WARNING);
	check_status("NS001", NSN_RULE_UNKNOWN);
	FORGET(DOMAIN, domain, 1, page_table);
	expect("NS014", NSN_RULE_UNKNOWN);
}

static void test_ns016_flags(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS016", NSN_RULE_PASS);
	SET(TYPE1_DOMAIN, type1_domain, 0, enforced, 0);
	expect_fail("NS016", NSN_SEVERITY_CRITICAL);
	assert_string_equal(evidence("NS016", "invariant"), "flags_disagree");
	FORGET(DOMAIN, domain, 1, force_snooping);
	expect("NS016", NSN_RULE_UNKNOWN);
}

static void test_ns016_weak_unit(void **state)
{
	(void)state;
	assign(1, 0);
	SET(GROUP_DEVICE, group_device, 0, snoop_control, 0);
	SET(GROUP_DEVICE, group_device, 0, cap_enforce, 0);
	SET(IOMMU, iommu, 0, snoop_control, 0);
	expect_fail("NS016", NSN_SEVERITY_CRITICAL);
	assert_string_equal(evidence("NS016", "invariant"), "weak_unit");
	FORGET(GROUP_DEVICE, group_device, 0, snoop_control);
	FORGET(IOMMU, iommu, 0, snoop_control);
	expect("NS016", NSN_RULE_UNKNOWN);
}

/* ---- groups ---------------------------------------------------------------------------------- */

static void test_ns007(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS007", NSN_RULE_PASS);
	SET(KERNEL, kernel, 0, interrupt_remapping, 0);
	SET(IOMMU, iommu, 0, interrupt_remapping, 0);
	expect_fail("NS007", NSN_SEVERITY_WARNING);
	assert_string_equal(finding("NS007")->subject_kind, "group");
	FORGET(KERNEL, kernel, 0, interrupt_remapping);
	FORGET(IOMMU, iommu, 0, interrupt_remapping);
	expect("NS007", NSN_RULE_UNKNOWN);
}

static void test_ns007_parameter(void **state)
{
	(void)state;
	assign(1, 0);
	SET(HOST, host, 0, unsafe_interrupts, 1);
	expect_fail("NS007", NSN_SEVERITY_WARNING);
	assert_string_equal(finding("NS007")->subject_kind, "host");
	FORGET(HOST, host, 0, unsafe_interrupts);
	expect("NS007", NSN_RULE_UNKNOWN);
	assert_int_equal(unknown("NS007")->severity, NSN_SEVERITY_WARNING);
}

/* The parameter is set, and nobody has opened a group. */
static void test_ns007_idle(void **state)
{
	(void)state;
	plain_host();
	set_source("kernel.vfio", NSN_SOURCE_OK);
	set_source("kernel.type1", NSN_SOURCE_OK);
	SET(HOST, host, 0, unsafe_interrupts, 1);
	expect_fail("NS007", NSN_SEVERITY_INFO);
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_CLEAN);
	FORGET(GROUP, group, 0, owner);
	expect_fail("NS007", NSN_SEVERITY_INFO);
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_UNKNOWN);
}

static void add_member(const char *driver)
{
	SET(GROUP, group, 0, devices, 2);
	SET(SYS_GROUP, sys_group, 0, why, NSN_WHY_ACS);
	add_device("0000:00:04.0", 2, driver, 1);
}

static void test_ns010(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS010", NSN_RULE_PASS);
	add_member("");
	expect_fail("NS010", NSN_SEVERITY_INFO);
	assert_string_equal(evidence("NS010", "endpoints"), "2");
	assert_string_equal(evidence("NS010", "viable"), "true");
	assert_string_equal(evidence("NS010", "shared_by"), "acs");
}

static void test_ns010_bridge(void **state)
{
	(void)state;
	assign(1, 0);
	add_member("pcieport");
	SET(DEVICE, device, 1, bridge, 1);
	expect("NS010", NSN_RULE_PASS);
}

static void test_ns010_not_viable(void **state)
{
	(void)state;
	assign(1, 0);
	add_member("e1000e");
	expect_fail("NS010", NSN_SEVERITY_INFO);
	assert_string_equal(evidence("NS010", "host_driver"), "e1000e");
}

static void test_ns010_unknown(void **state)
{
	(void)state;
	assign(1, 0);
	FORGET(SYS_GROUP, sys_group, 0, why);
	expect("NS010", NSN_RULE_UNKNOWN);
}

static void test_ns018_host_driver(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS018", NSN_RULE_PASS);
	add_member("e1000e");
	expect_fail("NS018", NSN_SEVERITY_CRITICAL);
	assert_string_equal(evidence("NS018", "device"), "0000:00:04.0");
	FORGET(GROUP_DEVICE, group_device, 1, driver_managed_dma);
	expect("NS018", NSN_RULE_UNKNOWN);
}

static void test_ns018_bridge(void **state)
{
	(void)state;
	assign(1, 0);
	add_member("pcieport");
	SET(DEVICE, device, 1, bridge, 1);
	expect("NS018", NSN_RULE_PASS);
}

static void test_ns018_no_owner(void **state)
{
	(void)state;
	assign(1, 0);
	SET(GROUP, group, 0, owner, 0);
	SET(GROUP, group, 0, owner_group, 0);
	SET(GROUP, group, 0, owner_count, 0);
	expect_fail("NS018", NSN_SEVERITY_CRITICAL);
	FORGET(GROUP, group, 0, owner_count);
	expect("NS018", NSN_RULE_UNKNOWN);
}

/* vhost-vdpa attaches a domain of its own and claims nothing: no broken invariant. */
static void test_ns018_vdpa(void **state)
{
	NSN_NEW(file, FILE, file);

	(void)state;
	plain_host();
	set_source("kernel.vdpa", NSN_SOURCE_OK);
	NSN_PUT(&file, file, kind, NSN_FILE_VDPA);
	NSN_PUT(&file, file, vdpa, CONTAINER_KEY);
	NSN_PUT(&file, file, pid, PID);
	NSN_PUT(&file, file, fd, 5);
	ADD(file);
	SET(DOMAIN, domain, 0, type, TYPE_UNMANAGED);
	expect("NS018", NSN_RULE_UNKNOWN);
	check_status("NS020", NSN_RULE_UNKNOWN);
}

static void test_ns019(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS019", NSN_RULE_PASS);
	SET(GROUP, group, 0, domain, DEFAULT_KEY + 2);
	expect_fail("NS019", NSN_SEVERITY_CRITICAL);
	FORGET(GROUP, group, 0, domain);
	expect("NS019", NSN_RULE_UNKNOWN);
}

/* Two reads of the group did not agree: believe neither. */
static void test_ns019_torn(void **state)
{
	NSN_NEW(torn, TORN, torn);

	(void)state;
	assign(1, 0);
	SET(GROUP, group, 0, domain, DEFAULT_KEY + 2);
	NSN_PUT(&torn, torn, group, GROUP_KEY + 2);
	ADD(torn);
	expect("NS019", NSN_RULE_UNKNOWN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_ns006),
		TEST(test_ns006_doubt),
		TEST(test_ns014),
		TEST(test_ns016_flags),
		TEST(test_ns016_weak_unit),
		TEST(test_ns007),
		TEST(test_ns007_parameter),
		TEST(test_ns007_idle),
		TEST(test_ns010),
		TEST(test_ns010_bridge),
		TEST(test_ns010_not_viable),
		TEST(test_ns010_unknown),
		TEST(test_ns018_host_driver),
		TEST(test_ns018_bridge),
		TEST(test_ns018_no_owner),
		TEST(test_ns018_vdpa),
		TEST(test_ns019),
		TEST(test_ns019_torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
