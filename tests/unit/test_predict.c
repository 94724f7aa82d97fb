// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_predict.c - the truth table of devices[].if_assigned: what a device would come to that no VM
 * has, over every kind of IOMMU, both criteria of KVM and each reason to be refused; and that a
 * fact that is missing makes it unknown.
 */
#include "machine.h"

#include <errno.h>
#include <stdio.h>

#include "fields.h"

#define BDF "0000:00:03.0"

enum fact {
	NO,
	YES,
	MISSING,
	FACT_MAX,
};

static const char *const fact_names[] = { "no", "yes", "missing" };

static const struct nsn_prediction *predict(void)
{
	const struct nsn_device *device;

	judge();
	device = nsn_model__device(model, BDF);
	assert_non_null(device);
	assert_true(device->prediction.applies);
	return &device->prediction;
}

/* A sound machine: group 2 with one device, which the host's e1000e drives; VFIO is loaded. */
static void sound_host(uint64_t snoop_control)
{
	add_source("sysfs.groups", NSN_SOURCE_OK);
	add_unit("dmar0", "intel", 1);
	add_unit("dmar1", "intel", 0);
	add_group(2, 1);
	add_device(BDF, 2, "e1000e", snoop_control);
	SET(GROUP_DEVICE, group_device, 0, driver_managed_dma, 0);
}

/* A second member of group 2. */
static void add_neighbour(const char *driver, uint64_t managed)
{
	add_device("0000:00:03.1", 2, driver, 1);
	SET(GROUP_DEVICE, group_device, 1, driver_managed_dma, managed);
	SET(GROUP, group, 0, devices, 2);
	SET(SYS_GROUP, sys_group, 0, why, NSN_WHY_MULTIFUNCTION);
}

static void restart(void **state)
{
	teardown(state);
	setup(state);
}

static void check_refused(const struct nsn_prediction *got, enum nsn_step step, int error,
			  enum nsn_reason reason)
{
	if (got->verdict != NSN_PREDICTED_REFUSED || got->step != step || got->error != error ||
	    got->reason != reason)
		fail_msg("%s at %s with %s for %s (%s)", nsn_predicted_name(got->verdict),
			 got->step ? nsn_step_name(got->step) : "-", nsn_errno_name(got->error),
			 nsn_reason_text(got->reason),
			 got->unknown_reason ? got->unknown_reason : "");
	assert_null(got->unknown_reason);
}

static void check_unknown(const struct nsn_prediction *got)
{
	if (got->verdict != NSN_PREDICTED_UNKNOWN)
		fail_msg("%s instead of unknown", nsn_predicted_name(got->verdict));
	assert_non_null(got->unknown_reason);
}

/* ---- who blocks, and what KVM makes of it ---------------------------------------------------- */

enum unit {
	INTEL_ON,
	INTEL_OFF,
	INTEL_MISSING,
	AMD_V1,
	AMD_V2,
	AMD_MISSING,
	VIRTIO,
	OTHER,
	UNIT_MAX,
};

static const char *const unit_names[] = {
	"intel with", "intel without", "intel unknown", "amd v1",
	"amd v2",     "amd unknown",   "virtio",        "another"
};

static void change_driver(const char *driver, uint64_t page_table)
{
	SET_STR(GROUP_DEVICE, group_device, 0, iommu_driver, driver);
	SET_STR(DOMAIN, domain, 0, iommu_driver, driver);
	SET(DOMAIN, domain, 0, page_table, page_table);
	FORGET(GROUP_DEVICE, group_device, 0, snoop_control);
	FORGET(GROUP_DEVICE, group_device, 0, cap_enforce);
	FORGET(DEVICE, device, 0, iommu);
	FORGET(GROUP_DEVICE, group_device, 0, iommu);
}

static void make_unit(enum unit unit)
{
	sound_host(unit != INTEL_OFF);
	switch (unit) {
	case INTEL_MISSING:
		FORGET(GROUP_DEVICE, group_device, 0, snoop_control);
		FORGET(GROUP_DEVICE, group_device, 0, cap_enforce);
		FORGET(IOMMU, iommu, 0, snoop_control);
		break;
	case AMD_V1:
		change_driver("amd", NSN_PT_AMD_V1);
		break;
	case AMD_V2:
		change_driver("amd", NSN_PT_AMD_V2);
		break;
	case AMD_MISSING:
		change_driver("amd", NSN_PT_AMD_V1);
		FORGET(DOMAIN, domain, 0, page_table);
		break;
	case VIRTIO:
		change_driver("virtio", NSN_PT_OTHER);
		break;
	case OTHER:
		change_driver("another", NSN_PT_OTHER);
		break;
	default:
		break;
	}
}

#define U NSN_UNKNOWN
#define Y NSN_YES
#define N NSN_NO

/* What is right, by unit: written by hand, from the kernels' sources. */
static const struct expected {
	enum nsn_tri blocks;
	enum nsn_tri by_domain, by_capability; /* what KVM registers by either criterion */
	enum nsn_predicted verdict;
} expected[UNIT_MAX] = {
	[INTEL_ON] = { Y, N, N, NSN_PREDICTED_COHERENT },
	[INTEL_OFF] = { N, Y, Y, NSN_PREDICTED_NONCOHERENT },
	[INTEL_MISSING] = { U, U, U, NSN_PREDICTED_UNKNOWN },
	[AMD_V1] = { Y, N, N, NSN_PREDICTED_COHERENT },
	[AMD_V2] = { U, N, N, NSN_PREDICTED_UNKNOWN }, /* the driver claims it all the same */
	[AMD_MISSING] = { U, N, N, NSN_PREDICTED_UNKNOWN },
	[VIRTIO] = { N, Y, Y, NSN_PREDICTED_NONCOHERENT },
	[OTHER] = { U, U, U, NSN_PREDICTED_UNKNOWN }, /* cap_cache_coherency is not known either */
};

static enum nsn_guest_wbinvd wbinvd_of(enum nsn_tri registers, enum fact exits)
{
	if (exits == NO)
		return NSN_WBINVD_NATIVE;
	if (registers == Y)
		return NSN_WBINVD_EXECUTED;
	return registers == N && exits == YES ? NSN_WBINVD_IGNORED : NSN_WBINVD_UNKNOWN;
}

static enum nsn_verdict without_of(enum nsn_tri blocks, enum fact exits)
{
	if (blocks == Y)
		return NSN_VERDICT_COHERENT;
	if (exits == NO)
		return NSN_VERDICT_NONCOHERENT;
	return blocks == N && exits == YES ? NSN_VERDICT_UNSAFE : NSN_VERDICT_UNKNOWN;
}

static void check_one(enum unit unit, enum fact capability, enum fact exits)
{
	const struct expected *right = &expected[unit];
	enum nsn_tri registers = capability == YES ? right->by_capability : right->by_domain;
	const struct nsn_prediction *got;
	char where[120];

	snprintf(where, sizeof(where), "%s snoop control, by capability: %s, exits: %s",
		 unit_names[unit], fact_names[capability], fact_names[exits]);
	make_unit(unit);
	SET(KERNEL, kernel, 0, criterion_capability, capability == YES);
	SET(KERNEL, kernel, 0, wbinvd_exiting, exits == YES);
	if (capability == MISSING)
		FORGET(KERNEL, kernel, 0, criterion_capability);
	if (exits == MISSING)
		FORGET(KERNEL, kernel, 0, wbinvd_exiting);
	got = predict();
	if (got->blocks_nosnoop != right->blocks || got->registers != registers)
		fail_msg("%s: blocks %d, registers %d", where, got->blocks_nosnoop, got->registers);
	if (got->verdict != right->verdict)
		fail_msg("%s: %s (%s)", where, nsn_predicted_name(got->verdict),
			 got->unknown_reason ? got->unknown_reason : "");
	assert_int_equal(!got->unknown_reason, got->verdict != NSN_PREDICTED_UNKNOWN);
	if (got->guest_wbinvd != wbinvd_of(registers, exits))
		fail_msg("%s: WBINVD %s", where, nsn_guest_wbinvd_name(got->guest_wbinvd));
	if (got->without_kvm_vfio != without_of(right->blocks, exits))
		fail_msg("%s: without kvm-vfio %s", where, nsn_verdict_name(got->without_kvm_vfio));
}

static void verdicts(void **state)
{
	size_t checked = 0;

	for (int unit = 0; unit < UNIT_MAX; unit++) {
		for (int capability = 0; capability < FACT_MAX; capability++) {
			for (int exits = 0; exits < FACT_MAX; exits++) {
				restart(state);
				check_one(unit, capability, exits);
				checked++;
			}
		}
	}
	assert_int_equal(checked, UNIT_MAX * FACT_MAX * FACT_MAX);
}

/* A member behind a unit without snoop control takes it from the whole domain. */
static void weakest_member_decides(void **state)
{
	(void)state;
	sound_host(1);
	add_neighbour("vfio-pci", 1);
	assert_int_equal(predict()->verdict, NSN_PREDICTED_COHERENT);
	SET(GROUP_DEVICE, group_device, 1, snoop_control, 0);
	SET(GROUP_DEVICE, group_device, 1, cap_enforce, 0);
	assert_int_equal(predict()->verdict, NSN_PREDICTED_NONCOHERENT);
	FORGET(GROUP_DEVICE, group_device, 1, snoop_control);
	FORGET(IOMMU, iommu, 0, snoop_control);
	FORGET(GROUP_DEVICE, group_device, 1, cap_enforce);
	check_unknown(predict());
}

/* ---- refusals, each in its turn -------------------------------------------------------------- */

static void interrupts(void **state)
{
	for (int isolated = 0; isolated < FACT_MAX; isolated++) {
		for (int allowed = 0; allowed < FACT_MAX; allowed++) {
			restart(state);
			sound_host(1);
			SET(KERNEL, kernel, 0, interrupt_remapping, isolated == YES);
			SET(HOST, host, 0, unsafe_interrupts, allowed == YES);
			if (isolated == MISSING) {
				FORGET(KERNEL, kernel, 0, interrupt_remapping);
				FORGET(IOMMU, iommu, 0, interrupt_remapping);
			}
			if (allowed == MISSING)
				FORGET(HOST, host, 0, unsafe_interrupts);
			if (isolated == YES || allowed == YES)
				assert_int_equal(predict()->verdict, NSN_PREDICTED_COHERENT);
			else if (isolated == NO && allowed == NO)
				check_refused(predict(), NSN_STEP_SET_IOMMU, EPERM,
					      NSN_REASON_INTERRUPTS);
			else
				check_unknown(predict());
		}
	}
}

static void neighbours(void **state)
{
	const struct nsn_prediction *got;

	(void)state;
	sound_host(1);
	add_neighbour("snd_hda_intel", 0);
	got = predict();
	check_refused(got, NSN_STEP_SET_CONTAINER, EPERM, NSN_REASON_NOT_VIABLE);
	assert_int_equal(got->viable, NSN_NO);
	assert_string_equal(got->member->id, "0000:00:03.1");
	/* a driver that leaves DMA to user space, and no driver, are in nobody's way */
	SET(GROUP_DEVICE, group_device, 1, driver_managed_dma, 1);
	assert_int_equal(predict()->verdict, NSN_PREDICTED_COHERENT);
	SET(GROUP_DEVICE, group_device, 1, driver_managed_dma, 0);
	SET_STR(GROUP_DEVICE, group_device, 1, driver, "");
	assert_int_equal(predict()->verdict, NSN_PREDICTED_COHERENT);
	/* whose driver it is, or whether it leaves DMA alone, is not known */
	FORGET(GROUP_DEVICE, group_device, 1, driver);
	check_unknown(predict());
	SET_STR(GROUP_DEVICE, group_device, 1, driver, "snd_hda_intel");
	FORGET(GROUP_DEVICE, group_device, 1, driver_managed_dma);
	check_unknown(predict());
	/* a member that was not seen */
	SET(GROUP_DEVICE, group_device, 1, driver_managed_dma, 1);
	SET(GROUP, group, 0, devices, 3);
	check_unknown(predict());
}

static void owners(void **state)
{
	(void)state;
	sound_host(1);
	SET(GROUP, group, 0, owner, OWNER_KEY);
	check_refused(predict(), NSN_STEP_SET_CONTAINER, EPERM, NSN_REASON_ELSEWHERE);
	FORGET(GROUP, group, 0, owner);
	check_unknown(predict());
	/* claimed by nobody, and yet in another domain: vhost-vdpa does that */
	SET(GROUP, group, 0, owner, 0);
	SET(GROUP, group, 0, domain, USER_KEY);
	add_domain(USER_KEY, TYPE_UNMANAGED, 1);
	check_refused(predict(), NSN_STEP_SET_CONTAINER, EBUSY, NSN_REASON_ELSEWHERE);
	FORGET(GROUP, group, 0, default_domain);
	check_unknown(predict());
}

/* A group that a program which is no VM has opened. */
static void opened(void **state)
{
	(void)state;
	sound_host(1);
	open_group(2, BDF, 0, 0);
	check_refused(predict(), NSN_STEP_OPEN, EBUSY, NSN_REASON_ELSEWHERE);
	restart(state);
	sound_host(1);
	set_source("kernel.vfio", NSN_SOURCE_FAILED);
	check_unknown(predict());
	/* VFIO is not loaded: nobody can have opened anything */
	set_source("kernel.vfio", NSN_SOURCE_ABSENT);
	assert_int_equal(predict()->verdict, NSN_PREDICTED_COHERENT);
}

static void coherent_dma(void **state)
{
	(void)state;
	sound_host(1);
	SET_STR(GROUP_DEVICE, group_device, 0, iommu_driver, "");
	check_refused(predict(), NSN_STEP_BIND, EINVAL, NSN_REASON_NOT_COHERENT);
	SET_STR(GROUP_DEVICE, group_device, 0, iommu_driver, "another");
	check_unknown(predict());
}

static void add_absent(const char *fact)
{
	NSN_NEW(rec, MISSING, missing);

	NSN_PUT(&rec, missing, absent, 1);
	NSN_PUT_STR(&rec, missing, fact, fact);
	NSN_PUT_STR(&rec, missing, subject, "");
	ADD(rec);
}

/* No group at all: VFIO's parameter decides, if this kernel has it. */
static void no_iommu(void **state)
{
	const struct nsn_prediction *got;
	NSN_NEW(sys, DEVICE, device);

	(void)state;
	add_source("sysfs.groups", NSN_SOURCE_ABSENT);
	NSN_PUT_STR(&sys, device, id, BDF);
	NSN_PUT_STR(&sys, device, bus, "pci");
	NSN_PUT_STR(&sys, device, driver, "e1000e");
	NSN_PUT_STR(&sys, device, iommu, "");
	NSN_PUT(&sys, device, bridge, 0);
	NSN_PUT(&sys, device, class, 0x020000);
	ADD(sys);
	check_refused(predict(), NSN_STEP_BIND, EINVAL, NSN_REASON_NOIOMMU_OFF);
	SET(HOST, host, 0, unsafe_noiommu, 1);
	got = predict();
	assert_int_equal(got->verdict, NSN_PREDICTED_NONCOHERENT);
	assert_int_equal(got->without_kvm_vfio, NSN_VERDICT_UNSAFE);
	FORGET(HOST, host, 0, unsafe_noiommu);
	check_unknown(predict());
	add_absent("host.vfio.enable_unsafe_noiommu_mode"); /* CONFIG_VFIO_NOIOMMU=n */
	check_refused(predict(), NSN_STEP_BIND, EINVAL, NSN_REASON_NO_IOMMU);
	set_source("kernel.vfio", NSN_SOURCE_ABSENT);
	check_unknown(predict());
	set_source("sysfs.groups", NSN_SOURCE_FAILED);
	FORGET(KERNEL, kernel, 0, group_list);
	check_unknown(predict());
}

/* Already bound without an IOMMU: the group is one that VFIO made up, and has no domain at all. */
static void bound_without_iommu(void **state)
{
	const struct nsn_prediction *got;

	(void)state;
	add_source("sysfs.groups", NSN_SOURCE_OK);
	add_group(2, 1);
	SET(GROUP, group, 0, domain, 0);
	SET(GROUP, group, 0, default_domain, 0);
	add_device(BDF, 2, "vfio-pci", 0);
	SET_STR(GROUP_DEVICE, group_device, 0, iommu_driver, "");
	SET(GROUP_DEVICE, group_device, 0, driver_managed_dma, 1);
	check_refused(predict(), NSN_STEP_SET_IOMMU, ENODEV, NSN_REASON_NOIOMMU_OFF);
	FORGET(HOST, host, 0, unsafe_noiommu);
	check_unknown(predict());
	SET(HOST, host, 0, unsafe_noiommu, 1);
	got = predict();
	if (got->verdict != NSN_PREDICTED_NONCOHERENT)
		fail_msg("%s for %s", nsn_predicted_name(got->verdict),
			 nsn_reason_text(got->reason));
	assert_int_equal(got->blocks_nosnoop, NSN_NO);
	assert_int_equal(got->registers, NSN_YES);
	assert_int_equal(got->without_kvm_vfio, NSN_VERDICT_UNSAFE);
	open_group(2, BDF, 0, 0);
	check_refused(predict(), NSN_STEP_OPEN, EBUSY, NSN_REASON_ELSEWHERE);
}

/* Several reasons: the kernel gets to the earliest. */
static void first_step_wins(void **state)
{
	(void)state;
	sound_host(1);
	add_neighbour("snd_hda_intel", 0);
	SET(KERNEL, kernel, 0, interrupt_remapping, 0);
	check_refused(predict(), NSN_STEP_SET_CONTAINER, EPERM, NSN_REASON_NOT_VIABLE);
	open_group(2, "0000:00:03.1", 0, 0);
	check_refused(predict(), NSN_STEP_OPEN, EBUSY, NSN_REASON_ELSEWHERE);
	SET_STR(GROUP_DEVICE, group_device, 0, iommu_driver, "");
	check_refused(predict(), NSN_STEP_BIND, EINVAL, NSN_REASON_NOT_COHERENT);
}

/* ---- whom it is told of ---------------------------------------------------------------------- */

static void only_endpoints_without_a_vm(void **state)
{
	struct nsn_device *device;

	assign(1, 0);
	judge();
	assert_false(nsn_model__device(model, BDF)->prediction.applies);
	restart(state);
	sound_host(1);
	SET(DEVICE, device, 0, bridge, 1);
	judge();
	assert_false(nsn_model__device(model, BDF)->prediction.applies);
	SET(DEVICE, device, 0, bridge, 0);
	SET(DEVICE, device, 0, class, 0x060100); /* an ISA bridge */
	judge();
	assert_false(nsn_model__device(model, BDF)->prediction.applies);
	FORGET(DEVICE, device, 0, class);
	check_unknown(predict());
	SET(DEVICE, device, 0, class, 0x020000);
	SET_STR(DEVICE, device, 0, bus, "platform");
	judge();
	device = nsn_model__device(model, BDF);
	assert_false(device->prediction.applies);
}

static void what_was_lost_makes_it_unknown(void **state)
{
	NSN_NEW(torn, TORN, torn);

	(void)state;
	sound_host(1);
	NSN_PUT(&torn, torn, group, GROUP_KEY + 2);
	ADD(torn);
	check_unknown(predict());
	restart(state);
	sound_host(1);
	NSN_PUT(&torn, torn, group, GROUP_KEY + 77); /* of a group that is not there */
	ADD(torn);
	check_unknown(predict());
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(verdicts),
		TEST(weakest_member_decides),
		TEST(interrupts),
		TEST(neighbours),
		TEST(owners),
		TEST(opened),
		TEST(coherent_dma),
		TEST(no_iommu),
		TEST(bound_without_iommu),
		TEST(first_step_wins),
		TEST(only_endpoints_without_a_vm),
		TEST(what_was_lost_makes_it_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
