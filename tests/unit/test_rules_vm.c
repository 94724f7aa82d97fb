// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_rules_vm.c - each rule on VMs: a machine that raises it, one close by that does not, and one
 * where a fact that it needs is missing. test_rules.c and test_rules_group.c have the other rules.
 */
#include "machine.h"

/* ---- NS001 ----------------------------------------------------------------------------------- */

/* The VMM made no kvm-vfio device; VM and container have one memory. */
static void test_ns001(void **state)
{
	(void)state;
	assign(0, 1);
	expect("NS001", NSN_RULE_PASS); /* executed: costly, not unsafe */
	SET(VM, vm, 0, noncoherent_dma, 0);
	forget_kvm_vfio();
	expect_fail("NS001", NSN_SEVERITY_CRITICAL);
	assert_string_equal(finding("NS001")->title,
			    "VM web1 (pid 1234): WBINVD is ignored while 0000:00:03.0 may bypass "
			    "the caches");
	assert_string_equal(evidence("NS001", "guest_wbinvd"), "ignored");
	assert_string_equal(evidence("NS001", "links"), "1234:11 by same_mm");
	assert_string_equal(evidence("NS001", "nosnoop_permitted"), "0000:00:03.0");
}

static void test_ns001_coherent(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS001", NSN_RULE_PASS);
	expect_exit(NSN_SEVERITY_INFO, NSN_RESULT_CLEAN);
}

static void test_ns001_uncertain(void **state)
{
	(void)state;
	assign(0, 0);
	forget_kvm_vfio();
	SET(CONTAINER, container, 0, mm, 0); /* no mapping yet: only one process holds both */
	expect_fail("NS001", NSN_SEVERITY_WARNING);
	assert_true(finding("NS001")->probably);
	assert_non_null(strstr(finding("NS001")->title, "probably"));
	expect_exit(NSN_SEVERITY_WARNING, NSN_RESULT_FINDINGS);
	expect_exit(NSN_SEVERITY_CRITICAL, NSN_RESULT_UNKNOWN);
}

static void test_ns001_unknown(void **state)
{
	(void)state;
	assign(0, 0);
	FORGET(VM, vm, 0, noncoherent_dma);
	expect("NS001", NSN_RULE_UNKNOWN);
	SET(VM, vm, 0, noncoherent_dma, 0);
	FORGET(KERNEL, kernel, 0, wbinvd_exiting);
	expect("NS001", NSN_RULE_UNKNOWN);
	SET(KERNEL, kernel, 0, wbinvd_exiting, 1);
	FORGET(DOMAIN, domain, 1, force_snooping);
	expect("NS001", NSN_RULE_UNKNOWN);
	assert_int_equal(unknown("NS001")->severity, NSN_SEVERITY_CRITICAL);
	expect_exit(NSN_SEVERITY_CRITICAL, NSN_RESULT_UNKNOWN);
}

/* VMs cannot be read, or only those of this pid namespace. */
static void test_hidden_vms(void **state)
{
	(void)state;
	assign(1, 0);
	set_source("kernel.kvm", NSN_SOURCE_FAILED);
	expect("NS001", NSN_RULE_UNKNOWN);
	set_source("kernel.kvm", NSN_SOURCE_OK);
	FORGET(KERNEL, kernel, 0, vm_list);
	SET(HOST, host, 0, pid_namespace_initial, 0);
	expect("NS001", NSN_RULE_UNKNOWN);
	assert_string_equal(unknown("NS001")->subject_kind, "host");
	expect_exit(NSN_SEVERITY_CRITICAL, NSN_RESULT_UNKNOWN);
}

/* ---- NS002, NS005, NS011 --------------------------------------------------------------------- */

static void test_ns002(void **state)
{
	(void)state;
	assign(0, 1);
	expect_fail("NS002", NSN_SEVERITY_WARNING);
	assert_string_equal(evidence("NS002", "noncoherent_dma"), "1");
	SET(VM, vm, 0, noncoherent_dma, 0);
	expect("NS002", NSN_RULE_PASS);
	FORGET(VM, vm, 0, noncoherent_dma);
	expect("NS002", NSN_RULE_UNKNOWN);
}

static void test_ns005(void **state)
{
	(void)state;
	assign(1, 1);
	assign_another(1);
	expect("NS005", NSN_RULE_PASS);
	SET(TYPE1_DOMAIN, type1_domain, 1, enforced, 0);
	SET(DOMAIN, domain, 3, force_snooping, 0);
	expect_fail("NS005", NSN_SEVERITY_WARNING);
	assert_non_null(strstr(finding("NS005")->title, "0000:00:05.0"));
	FORGET(DOMAIN, domain, 1, force_snooping);
	expect("NS005", NSN_RULE_UNKNOWN);
}

static void test_ns011(void **state)
{
	(void)state;
	assign(1, 1);
	expect_fail("NS011", NSN_SEVERITY_WARNING);
	SET(VM, vm, 0, noncoherent_dma, 0);
	expect("NS011", NSN_RULE_PASS);
	FORGET(VM, vm, 0, noncoherent_dma);
	expect("NS011", NSN_RULE_UNKNOWN);
}

/* A device that is emulated, or not kept coherent, is a good reason to register. */
static void test_ns011_reasons(void **state)
{
	(void)state;
	assign(1, 1);
	assign_another(0);
	expect("NS011", NSN_RULE_PASS);
	SET(TYPE1_GROUP, type1_group, 1, domain, 0);
	REC(CONTAINER, container, 0)->groups--;
	REC(CONTAINER, container, 0)->emulated++;
	SET(GROUP, group, 1, domain, DEFAULT_KEY + 5);
	expect("NS011", NSN_RULE_PASS);
	FORGET(VM, vm, 0, noncoherent_dma);
	expect("NS011", NSN_RULE_PASS); /* there is a reason either way */
}

/* ---- NS015 ----------------------------------------------------------------------------------- */

static void test_ns015_agrees(void **state)
{
	(void)state;
	assign(0, 1);
	expect("NS015", NSN_RULE_PASS);
	SET(KERNEL, kernel, 0, criterion_capability, 0);
	expect("NS015", NSN_RULE_PASS);
	FORGET(KERNEL, kernel, 0, criterion_capability);
	expect("NS015", NSN_RULE_UNKNOWN);
}

/* 6.1: the group was given to KVM before it had a container, which counted as coherent. */
static void test_ns015_before_container(void **state)
{
	(void)state;
	assign(0, 0);
	SET(KERNEL, kernel, 0, criterion_capability, 0);
	expect_fail("NS015", NSN_SEVERITY_WARNING);
	assert_string_equal(evidence("NS015", "cause"), "before_set_container");
	check_status("NS001", NSN_RULE_FAIL);
	FORGET(VM, vm, 0, noncoherent_dma);
	expect("NS015", NSN_RULE_UNKNOWN);
}

/* 6.1: what KVM was given blocks; a group that does not came into the container afterwards. */
static void test_ns015_later_group(void **state)
{
	(void)state;
	assign(1, 0);
	SET(KERNEL, kernel, 0, criterion_capability, 0);
	expect("NS015", NSN_RULE_PASS);
	add_unit("dmar1", "intel", 0);
	add_group(5, 1);
	add_device("0000:00:05.0", 5, "vfio-pci", 0);
	open_group(5, "0000:00:05.0", 0, CONTAINER_KEY);
	add_type1_domain(USER_KEY + 5, 0);
	attach(5, USER_KEY + 5);
	expect_fail("NS015", NSN_SEVERITY_WARNING);
	assert_string_equal(evidence("NS015", "cause"), "later_attach");
}

/* 6.1: between SET_CONTAINER and SET_IOMMU there was no domain to ask. */
static void test_ns015_before_iommu(void **state)
{
	(void)state;
	assign(1, 1);
	SET(KERNEL, kernel, 0, criterion_capability, 0);
	expect_fail("NS015", NSN_SEVERITY_WARNING);
	assert_string_equal(evidence("NS015", "cause"), "before_set_iommu");
	check_status("NS011", NSN_RULE_FAIL);
}

static void test_ns015_later_attach(void **state)
{
	(void)state;
	assign(1, 0);
	assign_another(0);
	SET(KERNEL, kernel, 0, criterion_capability, 0);
	expect_fail("NS015", NSN_SEVERITY_WARNING);
	assert_string_equal(evidence("NS015", "cause"), "later_attach");
}

/* 6.1: the container was taken away, and KVM still counts. */
static void test_ns015_container_unset(void **state)
{
	(void)state;
	add_unit("dmar1", "intel", 0);
	add_group(2, 1);
	add_device("0000:00:03.0", 2, "vfio-pci", 0);
	add_vm(1, 1);
	open_group(2, "0000:00:03.0", VM_KEY, 0);
	SET(GROUP, group, 0, blocking, 1);
	give_to_kvm(2);
	SET(KERNEL, kernel, 0, criterion_capability, 0);
	expect_fail("NS015", NSN_SEVERITY_WARNING);
	assert_string_equal(evidence("NS015", "cause"), "container_unset");
}

/* 6.2 and later: the device can, its domain does not. */
static void test_ns015_capability(void **state)
{
	(void)state;
	assign(1, 0);
	expect("NS015", NSN_RULE_PASS);
	SET(TYPE1_DOMAIN, type1_domain, 0, enforced, 0);
	SET(DOMAIN, domain, 1, force_snooping, 0);
	expect_fail("NS015", NSN_SEVERITY_WARNING);
	assert_string_equal(evidence("NS015", "cause"), "capability_vs_domain");
	FORGET(DOMAIN, domain, 1, force_snooping);
	expect("NS015", NSN_RULE_UNKNOWN);
}

/* A VMM without a kvm-vfio device: KVM was never asked, so it is not wrong (NS001 is). */
static void test_ns015_never_asked(void **state)
{
	(void)state;
	assign(0, 0);
	forget_kvm_vfio();
	expect("NS015", NSN_RULE_PASS);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* A VM without a name is called by its id; a name of any bytes is kept as it is, but short. */
static void test_labels(void **state)
{
	char name[NSN_TEXT_LEN];

	(void)state;
	assign(0, 1);
	FORGET(PROCESS, process, 0, name);
	expect_fail("NS002", NSN_SEVERITY_WARNING);
	assert_memory_equal(finding("NS002")->title, "VM pid:1234@7: ", 15);
	memset(name, '\033', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	SET_STR(PROCESS, process, 0, name, name);
	expect_fail("NS002", NSN_SEVERITY_WARNING);
	assert_true(strlen(finding("NS002")->title) < 200);
	assert_non_null(strchr(finding("NS002")->title, '\033'));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_ns001),
		TEST(test_ns001_coherent),
		TEST(test_ns001_uncertain),
		TEST(test_ns001_unknown),
		TEST(test_hidden_vms),
		TEST(test_ns002),
		TEST(test_ns005),
		TEST(test_ns011),
		TEST(test_ns011_reasons),
		TEST(test_ns015_agrees),
		TEST(test_ns015_before_container),
		TEST(test_ns015_later_group),
		TEST(test_ns015_before_iommu),
		TEST(test_ns015_later_attach),
		TEST(test_ns015_container_unset),
		TEST(test_ns015_capability),
		TEST(test_ns015_never_asked),
		TEST(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
