// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_memory.c - vms[].kvm: what KVM would register by each criterion, and whose memory types hold:
 * the whole table over vendor, kernel, quirk and registration, and what a missing fact makes of it.
 */
#include "machine.h"

#include <stdio.h>

#define PAT_QUIRK (1U << 9)
#define CD_QUIRK  (1U << 1)

#define U NSN_UNKNOWN
#define Y NSN_YES
#define N NSN_NO

enum kernel {
	BEFORE_6_2, /* honours MTRRs, asks the domains */
	WITH_MTRRS, /* honours MTRRs, asks the capability */
	NO_MASK,    /* neither MTRRs nor a mask of quirks */
	WITH_QUIRK, /* a mask with IGNORE_GUEST_PAT, which the VM left enabled */
	QUIRK_OFF,  /* the VMM disabled it */
	NO_SNOOP,   /* the CPU may not have it */
	KERNEL_MAX,
};

struct expected {
	enum nsn_memory_regime without, with; /* non-coherent DMA */
	enum nsn_quirk quirk;
	enum nsn_tri changes, zaps;
};

static const struct expected intel[KERNEL_MAX] = {
	[BEFORE_6_2] = { NSN_MEMORY_WRITE_BACK, NSN_MEMORY_GUEST_MTRR, NSN_QUIRK_ABSENT, Y, N },
	[WITH_MTRRS] = { NSN_MEMORY_WRITE_BACK, NSN_MEMORY_GUEST_MTRR, NSN_QUIRK_ABSENT, Y, U },
	[NO_MASK] = { NSN_MEMORY_UNKNOWN, NSN_MEMORY_UNKNOWN, NSN_QUIRK_ABSENT, U, U },
	[WITH_QUIRK] = { NSN_MEMORY_WRITE_BACK, NSN_MEMORY_GUEST_PAT, NSN_QUIRK_ENABLED, Y, Y },
	[QUIRK_OFF] = { NSN_MEMORY_GUEST, NSN_MEMORY_GUEST, NSN_QUIRK_DISABLED, N, N },
	[NO_SNOOP] = { NSN_MEMORY_GUEST, NSN_MEMORY_GUEST, NSN_QUIRK_UNSUPPORTED, N, N },
};

static void make(const char *vendor, enum kernel kernel, uint64_t registered)
{
	assign(!registered, registered);
	SET_STR(HOST, host, 0, cpu_vendor, vendor);
	SET(KERNEL, kernel, 0, criterion_capability, kernel != BEFORE_6_2);
	SET(KERNEL, kernel, 0, guest_mtrrs, kernel <= WITH_MTRRS);
	SET(KERNEL, kernel, 0, quirk_mask, kernel >= WITH_QUIRK);
	if (kernel >= WITH_QUIRK)
		SET(KERNEL, kernel, 0, quirks_supported,
		    CD_QUIRK | (kernel == NO_SNOOP ? 0 : PAT_QUIRK));
	SET(VM, vm, 0, quirks_disabled, kernel == QUIRK_OFF ? PAT_QUIRK : 0);
	judge();
}

static const struct nsn_memory_types *memory(void)
{
	return &model->vms[0].memory;
}

static void restart(void **state)
{
	teardown(state);
	setup(state);
}

static void check_intel(enum kernel kernel, uint64_t registered)
{
	const struct expected *right = &intel[kernel];
	enum nsn_memory_regime regime = registered ? right->with : right->without;
	const struct nsn_memory_types *got = memory();

	if (got->regime != regime || got->quirk != right->quirk || got->changes != right->changes ||
	    got->zaps != right->zaps)
		fail_msg("kernel %d, registered %d: regime %d, quirk %d, changes %d, zaps %d",
			 kernel, (int)registered, got->regime, got->quirk, got->changes, got->zaps);
	assert_int_equal(!got->unknown_reason, regime != NSN_MEMORY_UNKNOWN && right->zaps != U);
	if (regime == NSN_MEMORY_WRITE_BACK)
		assert_true(got->pat == N && got->mtrr == N && got->cd == N);
	if (regime == NSN_MEMORY_GUEST_PAT || regime == NSN_MEMORY_GUEST)
		assert_true(got->pat == Y && got->mtrr == N && got->cd == N);
	if (regime == NSN_MEMORY_GUEST_MTRR)
		assert_true(got->pat == Y && got->mtrr == Y && got->cd == N);
	if (kernel == NO_MASK) /* in each of the kernels it may be, this much is so */
		assert_int_equal(got->pat, registered ? Y : U);
}

static void intel_by_kernel(void **state)
{
	for (int kernel = 0; kernel < KERNEL_MAX; kernel++) {
		for (uint64_t registered = 0; registered < 2; registered++) {
			restart(state);
			make("intel", kernel, registered);
			check_intel(kernel, registered);
		}
	}
}

static void amd_never_changes(void **state)
{
	for (int kernel = 0; kernel < KERNEL_MAX; kernel++) {
		for (uint64_t registered = 0; registered < 2; registered++) {
			restart(state);
			make("amd", kernel, registered);
			assert_int_equal(memory()->regime, NSN_MEMORY_GUEST);
			assert_true(memory()->pat == Y && memory()->mtrr == N && memory()->cd == N);
			assert_true(memory()->changes == N && memory()->zaps == N);
			assert_null(memory()->unknown_reason);
		}
	}
}

/* CR0.CD holds where the quirk that ignores it was disabled. */
static void cache_disable(void **state)
{
	(void)state;
	make("intel", BEFORE_6_2, 1);
	SET(VM, vm, 0, quirks_disabled, CD_QUIRK);
	judge();
	assert_int_equal(memory()->cd, Y);
	FORGET(VM, vm, 0, quirks_disabled);
	judge();
	assert_int_equal(memory()->cd, U);
	SET_STR(HOST, host, 0, cpu_vendor, "amd");
	SET(VM, vm, 0, quirks_disabled, CD_QUIRK);
	judge();
	assert_int_equal(memory()->cd, Y);
}

static void check_unknown(void)
{
	judge();
	assert_int_equal(memory()->regime, NSN_MEMORY_UNKNOWN);
}

static void missing_facts(void **state)
{
	make("intel", WITH_QUIRK, 1);
	FORGET(KERNEL, kernel, 0, quirks_supported);
	check_unknown();
	assert_non_null(memory()->unknown_reason);
	assert_int_equal(memory()->quirk, NSN_QUIRK_UNKNOWN);
	SET(KERNEL, kernel, 0, quirks_supported, PAT_QUIRK);
	FORGET(VM, vm, 0, quirks_disabled);
	check_unknown();
	SET(VM, vm, 0, quirks_disabled, 0);
	FORGET(KERNEL, kernel, 0, quirk_mask);
	check_unknown();
	SET(KERNEL, kernel, 0, quirk_mask, 1);
	FORGET(VM, vm, 0, noncoherent_dma);
	check_unknown();
	assert_int_equal(memory()->changes, Y); /* that it would matter is known */
	SET(VM, vm, 0, noncoherent_dma, 1);
	FORGET(KERNEL, kernel, 0, guest_mtrrs);
	check_unknown();
	restart(state);
	make("intel", WITH_QUIRK, 1);
	FORGET(HOST, host, 0, cpu_vendor);
	check_unknown();
	SET_STR(HOST, host, 0, cpu_vendor, "shanghai");
	check_unknown();
}

/* ---- both criteria --------------------------------------------------------------------------- */

static void criteria_agree(void **state)
{
	(void)state;
	assign(1, 0);
	judge();
	assert_int_equal(model->vms[0].by_domain, N);
	assert_int_equal(model->vms[0].by_capability, N);
	assert_int_equal(model->vms[0].kvm_would_register, N);
}

/* The domain blocks, the unit says that it could not. */
static void criteria_differ(void **state)
{
	(void)state;
	assign(1, 0);
	SET(GROUP_DEVICE, group_device, 0, cap_enforce, 0);
	judge();
	assert_int_equal(model->vms[0].by_domain, N);
	assert_int_equal(model->vms[0].by_capability, Y);
	assert_int_equal(model->vms[0].kvm_would_register, Y);
	SET(KERNEL, kernel, 0, criterion_capability, 0);
	judge();
	assert_int_equal(model->vms[0].kvm_would_register, N);
	FORGET(KERNEL, kernel, 0, criterion_capability);
	judge();
	assert_int_equal(model->vms[0].by_capability, Y);
	assert_int_equal(model->vms[0].kvm_would_register, U);
	FORGET(VM, vm, 0, complete);
	judge();
	assert_int_equal(model->vms[0].by_domain, U);
	assert_int_equal(model->vms[0].by_capability, U);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(intel_by_kernel), TEST(amd_never_changes), TEST(cache_disable),
		TEST(missing_facts),   TEST(criteria_agree),    TEST(criteria_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
