// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_rules.c - the engine, and each rule on hosts, devices, groups, domains and containers: a
 * machine that raises it, one close by that does not, and one where a fact that it needs is
 * missing. test_rules_vm.c has the rules on VMs.
 */
#include "machine.h"

#include <ctype.h>

/* ---- table and engine ------------------------------------------------------------------------ */

static void test_table(void **state)
{
	char id[32];

	(void)state;
	assert_int_equal(nsn_rules_count, 23);
	for (size_t i = 0; i < nsn_rules_count; i++) {
		const struct nsn_rule *rule = &nsn_rules[i];

		snprintf(id, sizeof(id), "NS%03zu", i + 1);
		assert_string_equal(rule->id, id);
		assert_non_null(rule->judge);
		assert_true(rule->worst >= rule->severity && rule->worst <= NSN_SEVERITY_CRITICAL);
		assert_true(rule->title && rule->why && rule->check && rule->remedy);
		assert_ptr_equal(nsn_rule_by_id(id), rule);
		id[0] = (char)tolower(id[0]);
		assert_ptr_equal(nsn_rule_by_id(id), rule);
	}
	assert_null(nsn_rule_by_id("NS024"));
	assert_null(nsn_rule_by_id(""));
}

/* Every rule has a section of its id and title in docs/rules.md, and no section is of another. */
static void test_documents(void **state)
{
	char line[512], expected[512];
	FILE *file = fopen("docs/rules.md", "re");
	size_t sections = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "## NS", 5))
			continue;
		assert_true(sections < nsn_rules_count);
		snprintf(expected, sizeof(expected), "## %s: %s\n", nsn_rules[sections].id,
			 nsn_rules[sections].title);
		assert_string_equal(line, expected);
		sections++;
	}
	fclose(file);
	assert_int_equal(sections, nsn_rules_count);
}

static void test_names(void **state)
{
	enum nsn_severity severity;

	(void)state;
	for (int i = 0; i <= NSN_SEVERITY_NEVER; i++) {
		assert_int_equal(nsn_severity_parse(nsn_severity_name(i), &severity), 0);
		assert_int_equal(severity, i);
	}
	assert_true(nsn_severity_parse("fatal", &severity) < 0);
	assert_null(nsn_severity_name(NSN_SEVERITY_NEVER + 1));
	assert_string_equal(nsn_rule_status_name(NSN_RULE_NEEDS_EVENTS), "needs_events");
	assert_null(nsn_rule_status_name(NSN_RULE_NEEDS_EVENTS + 1));
}

/* A plain server is clean at every --fail-on, as root and where BPF is refused. */
static void test_plain_host(void **state)
{
	static const char *const refused[] = { "kernel.files", "kernel.kvm", "kernel.iommu" };

	(void)state;
	plain_host();
	add_vm(0, 0);
	judge();
	expect_exit(NSN_SEVERITY_INFO, NSN_RESULT_CLEAN);
	check_status("NS001", NSN_RULE_PASS);
	check_status("NS003", NSN_RULE_NEEDS_EVENTS);
	check_status("NS013", NSN_RULE_NOT_APPLICABLE);
	check_status("NS020", NSN_RULE_NOT_APPLICABLE);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(refused); i++)
		set_source(refused[i], NSN_SOURCE_FAILED);
	FORGET(HOST, host, 0, pid_namespace_initial);
	judge();
	expect_exit(NSN_SEVERITY_INFO, NSN_RESULT_CLEAN);
}

/* VFIO is loaded and idle: root knows that it is, another user does not. */
static void test_idle_vfio(void **state)
{
	(void)state;
	plain_host();
	set_source("kernel.vfio", NSN_SOURCE_OK);
	judge();
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_CLEAN);
	set_source("kernel.vfio", NSN_SOURCE_FAILED);
	judge();
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_UNKNOWN);
	check_status("NS013", NSN_RULE_UNKNOWN);
	set_source("kernel.vfio", NSN_SOURCE_OK);
	set_source("kernel.files", NSN_SOURCE_FAILED);
	judge();
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_CLEAN);
	FORGET(KERNEL, kernel, 0, group_list);
	judge();
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_UNKNOWN);
}

/* Other ways to memory than VFIO: certain only if their modules are absent or all files are seen.
 */
static void test_other_users(void **state)
{
	(void)state;
	plain_host();
	set_source("kernel.vdpa", NSN_SOURCE_FAILED);
	judge();
	expect_exit(NSN_SEVERITY_INFO, NSN_RESULT_CLEAN);
	set_source("kernel.files", NSN_SOURCE_FAILED);
	expect("NS020", NSN_RULE_UNKNOWN);
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_UNKNOWN);
	set_source("kernel.vdpa", NSN_SOURCE_ABSENT);
	set_source("kernel.iommufd", NSN_SOURCE_FAILED);
	expect("NS006", NSN_RULE_UNKNOWN);
	expect_exit(NSN_SEVERITY_CRITICAL, NSN_RESULT_UNKNOWN);
}

/* A record that is lost, or that belongs to nobody, leaves no rule at "pass". */
static void test_holes(void **state)
{
	(void)state;
	assign(1, 0);
	judge();
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_CLEAN);
	FORGET(TYPE1_GROUP, type1_group, 0, container);
	judge();
	expect_exit(NSN_SEVERITY_CRITICAL, NSN_RESULT_UNKNOWN);
	for (size_t i = 0; i < findings->results_count; i++)
		assert_int_not_equal(findings->results[i].status, NSN_RULE_PASS);
}

static void test_exit_codes(void **state)
{
	(void)state;
	assign(0, 1); /* non-coherent and known to KVM: warnings only */
	judge();
	expect_exit(NSN_SEVERITY_INFO, NSN_RESULT_FINDINGS);
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_FINDINGS);
	expect_exit(NSN_SEVERITY_CRITICAL, NSN_RESULT_CLEAN);
	expect_exit(NSN_SEVERITY_NEVER, NSN_RESULT_CLEAN);
	FORGET(VM, vm, 0, noncoherent_dma);
	judge();
	expect_exit(NSN_SEVERITY_CRITICAL, NSN_RESULT_UNKNOWN);
	expect_exit(NSN_SEVERITY_NEVER, NSN_RESULT_CLEAN);
}

static void test_order(void **state)
{
	(void)state;
	assign(0, 0);
	assign_another(1);
	judge();
	for (size_t i = 1; i < findings->findings_count; i++)
		assert_true(findings->findings[i - 1].severity >= findings->findings[i].severity);
	assert_string_equal(findings->findings[0].rule->id, "NS001");
}

/* ---- host, devices, containers --------------------------------------------------------------- */

static void test_ns008(void **state)
{
	(void)state;
	plain_host();
	expect("NS008", NSN_RULE_NOT_APPLICABLE);
	SET_STR(DEVICE, device, 0, driver, "");
	SET_STR(GROUP_DEVICE, group_device, 0, driver, "");
	SET_STR(DEVICE, device, 0, driver_override, "vfio-pci");
	expect("NS008", NSN_RULE_PASS);
	SET_STR(GROUP_DEVICE, group_device, 0, iommu_driver, "");
	SET_STR(GROUP_DEVICE, group_device, 0, iommu, "");
	SET_STR(DEVICE, device, 0, iommu, "");
	expect_fail("NS008", NSN_SEVERITY_INFO);
	assert_true(finding("NS008")->probably);
	FORGET(DEVICE, device, 0, driver_override);
	expect("NS008", NSN_RULE_UNKNOWN);
}

static void test_ns012(void **state)
{
	(void)state;
	plain_host();
	expect("NS012", NSN_RULE_NOT_APPLICABLE);
	add_group(1, 1);
	add_device("0000:00:02.0", 1, "i915", 1);
	expect_fail("NS012", NSN_SEVERITY_INFO);
	assert_string_equal(evidence("NS012", "devices"), "0000:00:02.0");
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_CLEAN);
	SET_STR(DEVICE, device, 1, id, "0000:03:00.0"); /* a discrete card snoops */
	SET_STR(GROUP_DEVICE, group_device, 1, name, "0000:03:00.0");
	expect("NS012", NSN_RULE_NOT_APPLICABLE);
}

static void test_ns012_unknown(void **state)
{
	(void)state;
	plain_host();
	add_group(1, 1);
	add_device("0000:00:02.0", 1, "xe", 1);
	SET(DOMAIN, domain, 1, type, 4); /* identity: the DMA API maps nothing */
	expect("NS012", NSN_RULE_PASS);
	FORGET(DOMAIN, domain, 1, type);
	FORGET(SYS_GROUP, sys_group, 1, type);
	expect("NS012", NSN_RULE_UNKNOWN);
}

static void make_noiommu(void)
{
	add_group(2, 1);
	add_device("0000:00:03.0", 2, "vfio-pci", 0);
	add_vm(0, 0);
	add_container("vfio-noiommu");
	open_group(2, "0000:00:03.0", 0, CONTAINER_KEY);
	SET(VFIO_GROUP, vfio_group, 0, type, NSN_VFIO_GROUP_NOIOMMU);
}

static void test_ns013(void **state)
{
	(void)state;
	make_noiommu();
	expect_fail("NS013", NSN_SEVERITY_CRITICAL);
	SET(VM, vm, 0, pid, PID + 1);
	SET(VM, vm, 0, creator, PID + 1);
	add_process(PID + 1, "web2", "/machine.slice/web2");
	expect_fail("NS013", NSN_SEVERITY_WARNING);
	assert_int_equal(result("NS013")->unknown, 0);
	FORGET(CONTAINER, container, 0, noiommu);
	FORGET(CONTAINER, container, 0, driver);
	expect("NS013", NSN_RULE_UNKNOWN);
	assert_int_equal(unknown("NS013")->severity, NSN_SEVERITY_CRITICAL);
}

static void test_ns013_type1(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS013", NSN_RULE_PASS);
}

static void test_ns017(void **state)
{
	(void)state;
	plain_host();
	expect("NS017", NSN_RULE_PASS);
	add_unit("dmar1", "intel", 0);
	add_group(4, 1);
	add_device("0000:00:02.0", 4, "", 0);
	expect_fail("NS017", NSN_SEVERITY_INFO);
	assert_string_equal(evidence("NS017", "without_snoop_control"), "dmar1");
	assert_string_equal(evidence("NS017", "devices"), "0000:00:02.0");
	FORGET(IOMMU, iommu, 1, snoop_control);
	expect("NS017", NSN_RULE_UNKNOWN);
}

static void test_ns020_absent(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS020", NSN_RULE_NOT_APPLICABLE);
}

static void test_ns021(void **state)
{
	(void)state;
	assign(0, 1);
	expect("NS021", NSN_RULE_PASS);
	part_vm_from_container("/machine.slice/web2");
	SET(VM, vm, 0, noncoherent_dma, 0);
	expect_fail("NS021", NSN_SEVERITY_INFO);
	assert_string_equal(evidence("NS021", "shares_cgroup_with_vm"), "false");
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_CLEAN);
	FORGET(DOMAIN, domain, 1, force_snooping);
	expect("NS021", NSN_RULE_UNKNOWN);
}

static void test_ns021_cgroup(void **state)
{
	(void)state;
	assign(0, 1);
	part_vm_from_container("/machine.slice/web1");
	SET(VM, vm, 0, noncoherent_dma, 0);
	expect_fail("NS021", NSN_SEVERITY_WARNING);
	FORGET(PROCESS, process, 0, cgroup); /* then it may be the VM's own */
	expect("NS021", NSN_RULE_UNKNOWN);
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_UNKNOWN);
}

static void test_ns021_blocking(void **state)
{
	(void)state;
	assign(1, 0);
	part_vm_from_container("/machine.slice/web2");
	expect("NS021", NSN_RULE_PASS);
}

static void test_ns022(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS022", NSN_RULE_PASS);
	SET(DEVICE, device, 0, ats, 1);
	expect_fail("NS022", NSN_SEVERITY_INFO);
	FORGET(DEVICE, device, 0, ats);
	expect("NS022", NSN_RULE_UNKNOWN);
}

static void test_events(void **state)
{
	static const char *const ids[] = { "NS003", "NS004", "NS009", "NS023" };

	(void)state;
	assign(0, 1);
	judge();
	for (size_t i = 0; i < NSN_ARRAY_SIZE(ids); i++)
		check_status(ids[i], NSN_RULE_NEEDS_EVENTS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_names),
		TEST(test_plain_host),
		TEST(test_idle_vfio),
		TEST(test_other_users),
		TEST(test_holes),
		TEST(test_exit_codes),
		TEST(test_order),
		TEST(test_ns008),
		TEST(test_ns012),
		TEST(test_ns012_unknown),
		TEST(test_ns013),
		TEST(test_ns013_type1),
		TEST(test_ns017),
		TEST(test_ns020_absent),
		TEST(test_ns021),
		TEST(test_ns021_cgroup),
		TEST(test_ns021_blocking),
		TEST(test_ns022),
		TEST(test_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
