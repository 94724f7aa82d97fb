// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_truth_table.c - the whole truth table of a VM's verdict: what its paths do with No Snoop, by
 * what KVM registered, by whether this CPU's WBINVD exits, by how the VM is tied to its container.
 *
 * What is expected stands in tables that were written down from the contract with users, not taken
 * from the model: each machine is made of records and judged as a snapshot is.
 */
#include "machine.h"

#include <stdio.h>

/* ---- the axes -------------------------------------------------------------------------------- */

/* What the container's groups do. Mixed ones name the kinds of path that the VM then has. */
enum paths {
	NO_PATH, /* a container without a group */
	DMA_NONE,
	BLOCKS,
	OPEN,
	UNCLEAR,
	BLOCKS_AND_OPEN,
	BLOCKS_AND_UNCLEAR,
	OPEN_AND_UNCLEAR,
	BLOCKS_AND_NONE, /* beside it, KVM was given a group that is in no container */
	OPEN_AND_NONE,
	EMULATED,
	EMULATED_AND_BLOCKS,
	EMULATED_AND_OPEN,
	NO_IOMMU,
	PATHS_MAX,
};

static const char *const paths_names[] = {
	"no path",           "dma none",         "blocks",           "open",
	"unclear",           "blocks + open",    "blocks + unclear", "open + unclear",
	"blocks + dma none", "open + dma none",  "emulated",         "emulated + blocks",
	"emulated + open",   "without an IOMMU",
};

enum link {
	BY_KVM_VFIO,
	BY_MM,
	BY_PROCESS,
	BY_CGROUP,
	NO_CONTAINER, /* there is none at all */
	OTHERS,       /* its container is known to be another's */
	PERHAPS_ITS,  /* nothing tells whose it is */
	AND_PERHAPS,  /* by kvm_vfio; beside it, another container that nobody we know holds */
	LINK_MAX,
};

static const char *const link_names[] = {
	"kvm_vfio",     "same_mm", "same_process", "same_cgroup",
	"no container", "others",  "perhaps its",  "kvm_vfio, another perhaps",
};

enum fact { IS_0, IS_1, IS_UNKNOWN, FACT_MAX };

static const char *const fact_names[] = { "0", "1", "unknown" };

/* ---- what the contract says ------------------------------------------------------------------ */

enum column { EXECUTED, IGNORED, NATIVE, NO_ANSWER, COLUMN_MAX };

/* guest_wbinvd, by registrations and by whether WBINVD exits. */
/* clang-format off */
static const enum column wbinvd[FACT_MAX][FACT_MAX] = {
	/*                exits: no,     yes,      unknown */
	[IS_0]       = { NATIVE, IGNORED, NO_ANSWER },
	[IS_1]       = { NATIVE, EXECUTED, EXECUTED },
	[IS_UNKNOWN] = { NATIVE, NO_ANSWER, NO_ANSWER },
};
/* clang-format on */

static const enum nsn_guest_wbinvd column_values[] = {
	NSN_WBINVD_EXECUTED,
	NSN_WBINVD_IGNORED,
	NSN_WBINVD_NATIVE,
	NSN_WBINVD_UNKNOWN,
};

static const enum nsn_link_by link_values[LINK_MAX] = {
	[BY_KVM_VFIO] = NSN_LINK_KVM_VFIO,    [BY_MM] = NSN_LINK_SAME_MM,
	[BY_PROCESS] = NSN_LINK_SAME_PROCESS, [BY_CGROUP] = NSN_LINK_SAME_CGROUP,
	[AND_PERHAPS] = NSN_LINK_KVM_VFIO,
};

#define UNATTACHED  NSN_VERDICT_UNATTACHED
#define COHERENT    NSN_VERDICT_COHERENT
#define NONCOHERENT NSN_VERDICT_NONCOHERENT
#define UNSAFE      NSN_VERDICT_UNSAFE
#define UNKNOWN     NSN_VERDICT_UNKNOWN

/* The verdict on a VM that is tied to its container, for certain or not. */
/* clang-format off */
static const enum nsn_verdict verdicts[PATHS_MAX][COLUMN_MAX] = {
	/*                          executed     ignored   native       no answer */
	[NO_PATH]             = { UNATTACHED, UNATTACHED, UNATTACHED, UNATTACHED },
	[DMA_NONE]            = { UNATTACHED, UNATTACHED, UNATTACHED, UNATTACHED },
	[BLOCKS]              = { NONCOHERENT, COHERENT, COHERENT, UNKNOWN },
	[OPEN]                = { NONCOHERENT, UNSAFE, NONCOHERENT, UNKNOWN },
	[UNCLEAR]             = { NONCOHERENT, UNKNOWN, NONCOHERENT, UNKNOWN },
	[BLOCKS_AND_OPEN]     = { NONCOHERENT, UNSAFE, NONCOHERENT, UNKNOWN },
	[BLOCKS_AND_UNCLEAR]  = { NONCOHERENT, UNKNOWN, NONCOHERENT, UNKNOWN },
	[OPEN_AND_UNCLEAR]    = { NONCOHERENT, UNSAFE, NONCOHERENT, UNKNOWN },
	[BLOCKS_AND_NONE]     = { NONCOHERENT, COHERENT, COHERENT, UNKNOWN },
	[OPEN_AND_NONE]       = { NONCOHERENT, UNSAFE, NONCOHERENT, UNKNOWN },
	[EMULATED]            = { NONCOHERENT, UNKNOWN, NONCOHERENT, UNKNOWN },
	[EMULATED_AND_BLOCKS] = { NONCOHERENT, UNKNOWN, NONCOHERENT, UNKNOWN },
	[EMULATED_AND_OPEN]   = { NONCOHERENT, UNSAFE, NONCOHERENT, UNKNOWN },
	[NO_IOMMU]            = { NONCOHERENT, UNSAFE, NONCOHERENT, UNKNOWN },
};
/* clang-format on */

static enum nsn_verdict expected_verdict(enum paths paths, enum link link, enum column column)
{
	switch (link) {
	case NO_CONTAINER:
	case OTHERS:
		return NSN_VERDICT_NO_PASSTHROUGH;
	case PERHAPS_ITS:
		return NSN_VERDICT_UNKNOWN;
	case AND_PERHAPS:
		/* what may be hidden can't make it worse than known, but nothing reassures */
		if (verdicts[paths][column] == COHERENT || verdicts[paths][column] == UNATTACHED)
			return UNKNOWN;
		return verdicts[paths][column];
	default:
		return verdicts[paths][column];
	}
}

static bool by_kvm_vfio(enum link link)
{
	return link == BY_KVM_VFIO || link == AND_PERHAPS;
}

static bool is_linked(enum link link)
{
	return link <= BY_CGROUP || link == AND_PERHAPS;
}

static bool is_certain(enum link link)
{
	return by_kvm_vfio(link) || link == BY_MM;
}

/* ---- machines -------------------------------------------------------------------------------- */

/* A group with one device, open, in the container; KVM knows of it if the link goes by that. */
static void add_member(uint64_t number, const char *bdf, uint64_t snoop_control, enum link link)
{
	uint64_t vm = by_kvm_vfio(link) ? VM_KEY : 0;

	add_group(number, 1);
	add_device(bdf, number, "vfio-pci", snoop_control);
	open_group(number, bdf, vm, CONTAINER_KEY);
	if (vm)
		give_to_kvm(number);
}

static void add_attached(uint64_t number, const char *bdf, uint64_t blocks, enum link link)
{
	add_member(number, bdf, blocks, link);
	add_type1_domain(USER_KEY + number, blocks);
	attach(number, USER_KEY + number);
}

/* Blocks or not: the driver's flag could not be read. */
static void add_unclear(uint64_t number, const char *bdf, enum link link)
{
	add_attached(number, bdf, 1, link);
	for (size_t i = 0;; i++) {
		struct nsn_rec_domain *domain = REC(DOMAIN, domain, i);

		if (domain->domain != USER_KEY + number)
			continue;
		domain->h.known &= ~NSN_BIT(domain, force_snooping);
		return;
	}
}

/* An mdev: a group of the container without a domain. */
static void add_emulated(uint64_t number, const char *uuid, enum link link)
{
	NSN_NEW(group, TYPE1_GROUP, type1_group);

	add_member(number, uuid, 1, link);
	group_record(number)->domain = 0;
	group_record(number)->default_domain = 0;
	NSN_PUT(&group, type1_group, container, CONTAINER_KEY);
	NSN_PUT(&group, type1_group, domain, 0);
	NSN_PUT(&group, type1_group, group, GROUP_KEY + number);
	NSN_PUT(&group, type1_group, group_id, number);
	ADD(group);
	REC(CONTAINER, container, 0)->emulated++;
}

/* A group that KVM was given before it was set into a container. */
static void add_claimed(uint64_t number, const char *bdf)
{
	add_group(number, 1);
	add_device(bdf, number, "vfio-pci", 1);
	open_group(number, bdf, VM_KEY, 0);
	give_to_kvm(number);
}

static void add_paths(enum paths paths, enum link link)
{
	static const char first[] = "0000:00:03.0", second[] = "0000:00:05.0";
	static const char mdev[] = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

	switch (paths) {
	case DMA_NONE:
	case NO_IOMMU:
		add_member(2, first, 1, link);
		break;
	case BLOCKS:
	case BLOCKS_AND_NONE:
	case EMULATED_AND_BLOCKS:
	case BLOCKS_AND_OPEN:
	case BLOCKS_AND_UNCLEAR:
		add_attached(2, first, 1, link);
		break;
	case OPEN:
	case OPEN_AND_NONE:
	case EMULATED_AND_OPEN:
	case OPEN_AND_UNCLEAR:
		add_attached(2, first, 0, link);
		break;
	case UNCLEAR:
		add_unclear(2, first, link);
		break;
	default:
		break;
	}
	if (paths == BLOCKS_AND_OPEN)
		add_attached(5, second, 0, link);
	if (paths == BLOCKS_AND_UNCLEAR || paths == OPEN_AND_UNCLEAR)
		add_unclear(5, second, link);
	if (paths == BLOCKS_AND_NONE || paths == OPEN_AND_NONE)
		add_claimed(5, second);
	if (paths == EMULATED || paths == EMULATED_AND_BLOCKS || paths == EMULATED_AND_OPEN)
		add_emulated(7, mdev, link);
}

/* The VM is another process than the container's, with other memory. */
static void part_them(const char *cgroup)
{
	struct nsn_rec_vm *vm = REC(VM, vm, 0);

	vm->mm = MM_KEY + 1;
	vm->pid = vm->creator = PID + 1;
	add_process(PID + 1, "web2", cgroup);
}

/* A container without a driver, that no descriptor holds and whose memory is unknown. */
static void add_nobodys_container(void)
{
	NSN_NEW(rec, CONTAINER, container);

	NSN_PUT(&rec, container, container, CONTAINER_KEY + 1);
	NSN_PUT(&rec, container, noiommu, 0);
	NSN_PUT(&rec, container, domains, 0);
	NSN_PUT(&rec, container, groups, 0);
	NSN_PUT(&rec, container, emulated, 0);
	NSN_PUT(&rec, container, complete, 1);
	NSN_PUT_STR(&rec, container, driver, "");
	ADD(rec);
}

static void tie(enum link link)
{
	SET(CONTAINER, container, 0, mm, link == BY_MM ? MM_KEY : 0);
	SET(CONTAINER, container, 0, mapped, link == BY_MM);
	switch (link) {
	case BY_CGROUP:
		part_them("/machine.slice/web1");
		break;
	case OTHERS:
		part_them("/machine.slice/web2");
		break;
	case AND_PERHAPS:
		add_nobodys_container();
		break;
	case PERHAPS_ITS:
		part_them("/machine.slice/web2");
		FORGET(PROCESS, process, 0, cgroup);
		break;
	default:
		break;
	}
}

static void make_machine(enum paths paths, enum link link, enum fact registered, enum fact exits)
{
	add_unit("dmar0", "intel", 1);
	add_unit("dmar1", "intel", 0);
	add_vm(registered == IS_1, by_kvm_vfio(link));
	if (registered == IS_UNKNOWN)
		FORGET(VM, vm, 0, noncoherent_dma);
	SET(KERNEL, kernel, 0, wbinvd_exiting, exits == IS_1);
	if (exits == IS_UNKNOWN)
		FORGET(KERNEL, kernel, 0, wbinvd_exiting);
	if (link == NO_CONTAINER)
		return;
	add_container(paths == DMA_NONE   ? ""
		      : paths == NO_IOMMU ? "vfio-noiommu"
					  : "vfio-iommu-type1");
	add_paths(paths, link);
	tie(link);
}

/* Which combinations no machine can be in. */
static bool is_possible(enum paths paths, enum link link)
{
	switch (link) {
	case BY_KVM_VFIO:
	case AND_PERHAPS:
		return paths != NO_PATH; /* KVM is given groups, not containers */
	case BY_MM:
		return paths != DMA_NONE && paths != NO_IOMMU; /* they have no mappings */
	case NO_CONTAINER:
		return paths == NO_PATH;
	case OTHERS:
	case PERHAPS_ITS:
		return paths != BLOCKS_AND_NONE && paths != OPEN_AND_NONE; /* that one is its */
	default:
		return true;
	}
}

/* ---- the test -------------------------------------------------------------------------------- */

static void check_ns001(enum nsn_verdict verdict, enum link link, const char *where)
{
	bool certain = is_certain(link);
	enum nsn_rule_status status = result("NS001")->status;

	if ((verdict == UNSAFE) != (status == NSN_RULE_FAIL))
		fail_msg("%s: NS001 %s", where, nsn_rule_status_name(status));
	if (verdict == UNKNOWN && status != NSN_RULE_UNKNOWN)
		fail_msg("%s: the verdict is unknown, NS001 %s", where,
			 nsn_rule_status_name(status));
	if (verdict == UNSAFE &&
	    finding("NS001")->severity != (certain ? NSN_SEVERITY_CRITICAL : NSN_SEVERITY_WARNING))
		fail_msg("%s: NS001 is %s", where, nsn_severity_name(finding("NS001")->severity));
	if (verdict == UNSAFE && finding("NS001")->probably == certain)
		fail_msg("%s: NS001 is certain or not, the link is the other", where);
}

static void check_one(enum paths paths, enum link link, enum fact registered, enum fact exits)
{
	enum column column = wbinvd[registered][exits];
	enum nsn_verdict expected = expected_verdict(paths, link, column);
	const struct nsn_vm *vm;
	char where[200];

	snprintf(where, sizeof(where), "%s, tied by %s, registered %s, exits %s",
		 paths_names[paths], link_names[link], fact_names[registered], fact_names[exits]);
	make_machine(paths, link, registered, exits);
	judge();
	assert_int_equal(model->vms_count, 1);
	vm = &model->vms[0];
	if (vm->guest_wbinvd != column_values[column])
		fail_msg("%s: guest_wbinvd %s", where, nsn_guest_wbinvd_name(vm->guest_wbinvd));
	if (vm->verdict != expected)
		fail_msg("%s: %s instead of %s", where, nsn_verdict_name(vm->verdict),
			 nsn_verdict_name(expected));
	if (is_linked(link) && !(vm->links_count == 1 && vm->links[0].by == link_values[link] &&
				 vm->links[0].certain == is_certain(link)))
		fail_msg("%s: %zu links, first by %s", where, vm->links_count,
			 vm->links_count ? nsn_link_by_name(vm->links[0].by) : "nothing");
	if (!is_linked(link) && (vm->links_count || vm->paths_count))
		fail_msg("%s: %zu links, %zu paths", where, vm->links_count, vm->paths_count);
	check_ns001(expected, link, where);
}

/* One test for each kind of link, so that a failure tells which. */
static void check_link(void **state, enum link link)
{
	size_t checked = 0;

	for (unsigned int paths = 0; paths < PATHS_MAX; paths++) {
		if (!is_possible(paths, link))
			continue;
		for (unsigned int registered = 0; registered < FACT_MAX; registered++) {
			for (unsigned int exits = 0; exits < FACT_MAX; exits++) {
				teardown(state);
				setup(state);
				check_one(paths, link, registered, exits);
				checked++;
			}
		}
	}
	assert_true(checked >= FACT_MAX * FACT_MAX);
}

#define TEST_LINK(name, link)                                                                      \
	static void name(void **state)                                                             \
	{                                                                                          \
		check_link(state, link);                                                           \
	}

TEST_LINK(test_kvm_vfio, BY_KVM_VFIO)
TEST_LINK(test_same_mm, BY_MM)
TEST_LINK(test_same_process, BY_PROCESS)
TEST_LINK(test_same_cgroup, BY_CGROUP)
TEST_LINK(test_no_container, NO_CONTAINER)
TEST_LINK(test_others, OTHERS)
TEST_LINK(test_perhaps_its, PERHAPS_ITS)
TEST_LINK(test_another_perhaps_its, AND_PERHAPS)

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kvm_vfio),     TEST(test_same_mm),
		TEST(test_same_process), TEST(test_same_cgroup),
		TEST(test_no_container), TEST(test_others),
		TEST(test_perhaps_its),  TEST(test_another_perhaps_its),
	};

	_Static_assert(NSN_ARRAY_SIZE(paths_names) == PATHS_MAX, "a name for each");
	_Static_assert(NSN_ARRAY_SIZE(link_names) == LINK_MAX, "a name for each");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
