// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_btfcheck.c - types, fields and enumerators are found as the loader would find them, in BTF
 * made here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "btfcheck.h"

/*
 * struct outer {
 *	int first;				byte 0
 *	union { int left; struct { int low; int high : 3, rest : 5; }; };	byte 8
 *	alias_t inner[2];			byte 16; struct inner { int value; int tail; }
 * };
 */
static struct btf *make_vmlinux(void)
{
	struct btf *btf = btf__new_empty();
	int number, inner, alias, qualified, array, low, both;

	number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	inner = btf__add_struct(btf, "inner", 8);
	btf__add_field(btf, "value", number, 0, 0);
	btf__add_field(btf, "tail", number, 32, 0);
	alias = btf__add_typedef(btf, "alias_t", inner);
	qualified = btf__add_const(btf, alias);
	array = btf__add_array(btf, number, qualified, 2);
	low = btf__add_struct(btf, NULL, 8);
	btf__add_field(btf, "low", number, 0, 0);
	btf__add_field(btf, "high", number, 32, 3);
	btf__add_field(btf, "rest", number, 35, 5);
	both = btf__add_union(btf, NULL, 8);
	btf__add_field(btf, "left", number, 0, 0);
	btf__add_field(btf, NULL, low, 0, 0);
	btf__add_struct(btf, "outer", 32);
	btf__add_field(btf, "first", number, 0, 0);
	btf__add_field(btf, NULL, both, 64, 0);
	btf__add_field(btf, "inner", array, 128, 0);
	btf__add_enum(btf, "color", 4);
	btf__add_enum_value(btf, "RED", 3);
	btf__add_enum64(btf, "wide", 8, false);
	btf__add_enum64_value(btf, "FAR", 1ULL << 40);
	btf__add_struct(btf, "shaped___old", 4);
	btf__add_field(btf, "field", number, 0, 0);
	btf__add_func(btf, "outer", BTF_FUNC_STATIC, btf__add_func_proto(btf, number));
	btf__add_func(btf, "run", BTF_FUNC_STATIC, btf__add_func_proto(btf, number));
	btf__add_fwd(btf, "hollow", BTF_FWD_STRUCT);
	return btf;
}

/* A module that has struct name { int pad; int field; } with the field at that bit. */
static struct btf *make_module(struct btf *base, const char *name, int bit)
{
	struct btf *btf = btf__new_empty_split(base);

	btf__add_struct(btf, name, 64);
	btf__add_field(btf, "field", btf__find_by_name(base, "int"), bit, 0);
	btf__add_func(btf, "module_run", BTF_FUNC_STATIC, 1);
	return btf;
}

static int setup(void **state)
{
	struct nsn_types *types = nsn_types__new();

	*state = types;
	return nsn_types__add(types, "vmlinux", make_vmlinux());
}

static int teardown(void **state)
{
	nsn_types__free(*state);
	return 0;
}

static struct btf *vmlinux_of(struct nsn_types *types)
{
	return (struct btf *)nsn_types__vmlinux(types);
}

static void test_fields(void **state)
{
	static const struct {
		const char *requirement;
		uint32_t offset, size;
	} fields[] = {
		{ "outer", 0, 0 },
		{ "outer.first", 0, 32 },
		{ "outer.left", 64, 32 },
		{ "outer.low", 64, 32 },
		{ "outer.high", 96, 3 },
		{ "outer.rest", 99, 5 },
		{ "outer.inner.tail", 160, 32 },
		{ "inner.tail", 32, 32 },
		{ "shaped.field", 0, 32 },
	};
	struct nsn_place place;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		assert_int_equal(nsn_types__find(*state, fields[i].requirement, &place, NULL, 0),
				 0);
		assert_string_equal(place.module, "vmlinux");
		assert_int_equal(place.bit_offset, fields[i].offset);
		assert_int_equal(place.bit_size, fields[i].size);
	}
}

static void test_enumerators(void **state)
{
	struct nsn_place place;

	assert_int_equal(nsn_types__find(*state, "color.RED", &place, NULL, 0), 0);
	assert_int_equal(place.value, 3);
	assert_int_equal(nsn_types__find(*state, "wide.FAR", &place, NULL, 0), 0);
	assert_true(place.value == 1LL << 40);
	assert_int_equal(nsn_types__find(*state, "color.BLUE", &place, NULL, 0), -ENOENT);
}

static void test_what_is_absent(void **state)
{
	static const char *const requirements[][2] = {
		{ "nothing", "no type nothing" },
		{ "nothing.field", "no type nothing" },
		{ "hollow", "no type hollow" }, /* a forward declaration has no fields */
		{ "run", "no type run" },       /* a function is no type */
		{ "outer.nothing", "outer has no nothing" },
		{ "outer.first.deeper", "outer has no first.deeper" },
		{ "outer.inner.nothing", "outer has no inner.nothing" },
		{ "oute.first", "no type oute" },
		{ "outer.firs", "outer has no firs" },
		{ "outer.", "outer has no " },
	};
	char reason[128];

	for (size_t i = 0; i < sizeof(requirements) / sizeof(requirements[0]); i++) {
		assert_int_equal(
			nsn_types__find(*state, requirements[i][0], NULL, reason, sizeof(reason)),
			-ENOENT);
		assert_string_equal(reason, requirements[i][1]);
	}
}

static void test_types_of_modules(void **state)
{
	struct nsn_types *types = *state;
	struct nsn_place place;

	assert_int_equal(nsn_types__find(types, "late.field", &place, NULL, 0), -ENOENT);
	assert_int_equal(nsn_types__add(types, "one", make_module(vmlinux_of(types), "late", 32)),
			 0);
	assert_int_equal(nsn_types__find(types, "late.field", &place, NULL, 0), 0);
	assert_string_equal(place.module, "one");
	assert_int_equal(place.bit_offset, 32);
	assert_true(nsn_types__has_module(types, "one"));
	assert_false(nsn_types__has_module(types, "two"));
}

static void test_modules_must_agree(void **state)
{
	struct nsn_types *types = *state;
	char reason[128];

	nsn_types__add(types, "one", make_module(vmlinux_of(types), "late", 32));
	nsn_types__add(types, "same", make_module(vmlinux_of(types), "late", 32));
	assert_int_equal(nsn_types__find(types, "late.field", NULL, NULL, 0), 0);
	nsn_types__add(types, "other", make_module(vmlinux_of(types), "late", 64));
	assert_int_equal(nsn_types__find(types, "late.field", NULL, reason, sizeof(reason)),
			 -ENOTUNIQ);
	assert_string_equal(reason, "late.field differs between one and other");
}

static void test_vmlinux_hides_modules(void **state)
{
	struct nsn_types *types = *state;

	nsn_types__add(types, "one", make_module(vmlinux_of(types), "inner", 32));
	assert_int_equal(nsn_types__find(types, "inner.value", NULL, NULL, 0), 0);
	assert_int_equal(nsn_types__find(types, "inner.field", NULL, NULL, 0), -ENOENT);
}

static void test_functions(void **state)
{
	struct nsn_types *types = *state;
	const char *module = NULL;

	assert_true(nsn_types__has_function(types, "run", &module));
	assert_string_equal(module, "vmlinux");
	assert_true(nsn_types__has_function(types, "outer", NULL)); /* a struct has that name too */
	assert_false(nsn_types__has_function(types, "inner", NULL));
	assert_false(nsn_types__has_function(types, "module_run", NULL));
	nsn_types__add(types, "one", make_module(vmlinux_of(types), "late", 32));
	assert_true(nsn_types__has_function(types, "module_run", &module));
	assert_string_equal(module, "one");
}

static void test_twice_is_refused(void **state)
{
	struct nsn_types *types = *state;

	assert_int_equal(nsn_types__add(types, "vmlinux", make_vmlinux()), -EEXIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enumerators, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_types_of_modules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modules_must_agree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vmlinux_hides_modules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_functions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_twice_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
