// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_keys.c - which object an address means, when VMs come and go at one address and snapshots and
 * events learn of it in any order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keys.h"

#define PLACE 0xffff888000001000
#define OTHER 0xffff888000002000

static const struct nsn_identity first = { 100, 7000 }, second = { 200, 8000 };

static int set_up(void **state)
{
	*state = nsn_keys__new();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	nsn_keys__free(*state);
	return 0;
}

static uint64_t now_at(struct nsn_keys *keys, uint64_t address)
{
	uint64_t key;

	assert_int_equal(nsn_keys__get(keys, NSN_CLASS_VM, address, &key), 0);
	return key;
}

static uint64_t told_at(struct nsn_keys *keys, uint64_t address)
{
	uint64_t key;

	assert_int_equal(nsn_keys__get_told(keys, NSN_CLASS_VM, address, &key), 0);
	return key;
}

/* A snapshot that finds this VM alone: its key. */
static uint64_t snapshot(struct nsn_keys *keys, struct nsn_identity identity)
{
	uint64_t key;

	nsn_keys__begin(keys);
	assert_int_equal(nsn_keys__identify(keys, NSN_CLASS_VM, PLACE, identity), 0);
	key = now_at(keys, PLACE);
	nsn_keys__retire(keys);
	return key;
}

static uint64_t create(struct nsn_keys *keys, struct nsn_identity identity)
{
	assert_int_equal(nsn_keys__begun(keys, NSN_CLASS_VM, PLACE, identity), 0);
	return told_at(keys, PLACE);
}

static uint64_t destroy(struct nsn_keys *keys)
{
	uint64_t key = told_at(keys, PLACE);

	nsn_keys__forget(keys, NSN_CLASS_VM, PLACE);
	return key;
}

static void an_address_keeps_its_key(void **state)
{
	uint64_t key = snapshot(*state, first);

	assert_int_not_equal(key, 0);
	assert_int_equal(snapshot(*state, first), key);
	assert_int_equal(now_at(*state, PLACE), key);
	assert_int_not_equal(now_at(*state, OTHER), key);
	assert_int_equal(now_at(*state, 0), 0);
}

static void a_vm_told_and_then_seen_is_one(void **state)
{
	uint64_t key = create(*state, first);

	assert_int_equal(snapshot(*state, first), key);
	assert_int_equal(destroy(*state), key);
}

static void a_vm_seen_and_then_told_is_one(void **state)
{
	uint64_t key = snapshot(*state, first);

	assert_int_equal(create(*state, first), key);
	assert_int_equal(destroy(*state), key);
}

/* KVM notes the creator last: a snapshot may come before. */
static void a_vm_seen_while_it_is_made_is_one(void **state)
{
	uint64_t key = snapshot(*state, (struct nsn_identity){ .since = first.since });

	assert_int_equal(create(*state, first), key);
	assert_int_equal(snapshot(*state, first), key);
	assert_int_not_equal(snapshot(*state, second), key);
}

/* Kernels without memory control groups do not tell whose a VM's memory is. */
static void a_vm_of_which_only_the_creator_is_told_is_one(void **state)
{
	uint64_t key = snapshot(*state, (struct nsn_identity){ .who = first.who });

	assert_int_equal(create(*state, first), key);
}

static void its_end_is_told_after_its_successor_is_seen(void **state)
{
	uint64_t before = snapshot(*state, first), after = snapshot(*state, second);

	assert_int_not_equal(before, after);
	assert_int_equal(destroy(*state), before);
	assert_int_equal(create(*state, second), after);
	assert_int_equal(destroy(*state), after);
}

/* There was no room for the event of its end: its successor's events are not told as its own. */
static void its_end_is_never_told(void **state)
{
	uint64_t before = snapshot(*state, first), after = snapshot(*state, second);

	assert_int_not_equal(before, after);
	assert_int_equal(create(*state, second), after);
	assert_int_equal(destroy(*state), after);
}

/* Neither was there for its successor's beginning: what comes after the next snapshot is its successor's. */
static void neither_its_end_nor_what_follows_is_told(void **state)
{
	uint64_t before = snapshot(*state, first), after = snapshot(*state, second);

	assert_int_equal(told_at(*state, PLACE), before); /* it may come yet */
	assert_int_equal(snapshot(*state, second), after);
	assert_int_equal(told_at(*state, PLACE), after);
	assert_int_equal(destroy(*state), after);
}

/* Its end is told at the start of its destruction; until that is over a snapshot still finds it. */
static void one_seen_after_its_end_was_told_is_not_the_next(void **state)
{
	uint64_t before = create(*state, first), dying, after;

	assert_int_equal(destroy(*state), before);
	dying = snapshot(*state, (struct nsn_identity){ .who = first.who });
	after = create(*state, second);
	assert_int_not_equal(after, before);
	assert_int_not_equal(after, dying);
	assert_int_equal(snapshot(*state, second), after);
	assert_int_equal(destroy(*state), after);
}

static void its_process_exits_and_it_stays_the_same(void **state)
{
	uint64_t key = snapshot(*state, first);

	assert_int_equal(snapshot(*state, (struct nsn_identity){ .who = first.who }), key);
	assert_int_equal(destroy(*state), key);
}

static void a_thread_id_comes_again(void **state)
{
	struct nsn_identity again = { .who = first.who, .since = first.since + 1 };
	uint64_t key = snapshot(*state, first);

	assert_int_not_equal(snapshot(*state, again), key);
}

static void what_no_snapshot_sees_is_forgotten(void **state)
{
	uint64_t key = snapshot(*state, first);

	nsn_keys__begin(*state);
	nsn_keys__retire(*state);
	assert_int_not_equal(now_at(*state, PLACE), key);
}

/* That snapshot was read before the VM was there, and the event came before it was handed on. */
static void a_vm_told_of_outlives_the_snapshot_that_lacks_it(void **state)
{
	uint64_t key = create(*state, first);

	nsn_keys__begin(*state);
	nsn_keys__retire(*state);
	assert_int_equal(snapshot(*state, first), key);
	nsn_keys__begin(*state);
	nsn_keys__retire(*state);
	assert_int_not_equal(now_at(*state, PLACE), key);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_address_keeps_its_key),
		TEST(a_vm_told_and_then_seen_is_one),
		TEST(a_vm_seen_and_then_told_is_one),
		TEST(a_vm_seen_while_it_is_made_is_one),
		TEST(a_vm_of_which_only_the_creator_is_told_is_one),
		TEST(its_end_is_told_after_its_successor_is_seen),
		TEST(its_end_is_never_told),
		TEST(neither_its_end_nor_what_follows_is_told),
		TEST(one_seen_after_its_end_was_told_is_not_the_next),
		TEST(its_process_exits_and_it_stays_the_same),
		TEST(a_thread_id_comes_again),
		TEST(a_vm_told_of_outlives_the_snapshot_that_lacks_it),
		TEST(what_no_snapshot_sees_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
