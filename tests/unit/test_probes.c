// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_probes.c - which functions a probe is attached to, by what a kernel offers; and that the
 * tables are whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accessors.h"
#include "probes.h"
#include "util.h"

/* A kernel as two lists of names. */
struct offer {
	const char *symbols;
	const char *btf;
};

static bool has_word(const char *list, const char *wanted)
{
	char word[NSN_SYMBOL_LEN];

	while (nsn_next_word(&list, word, sizeof(word)))
		if (strcmp(word, wanted) == 0)
			return true;
	return false;
}

static bool has_symbol(void *context, const char *function)
{
	return has_word(((const struct offer *)context)->symbols, function);
}

static bool has_btf(void *context, const char *function)
{
	return has_word(((const struct offer *)context)->btf, function);
}

static const struct nsn_probe_row row = {
	.name = "probe",
	.feature = "feature",
	.module = "vmlinux",
	.points = NSN_PROBE_EXIT,
	.alternatives = { "new_one new_two", "old" },
};

static enum nsn_probe_method choose(const char *symbols, const char *btf, bool fentry, bool kprobe,
				    const char **alternative)
{
	struct offer offer = { .symbols = symbols, .btf = btf };
	const struct nsn_probe_kernel kernel = {
		.has_symbol = has_symbol,
		.has_btf = has_btf,
		.context = &offer,
		.fentry = fentry,
		.kprobe = kprobe,
	};

	return nsn_probe__choose(&row, &kernel, alternative);
}

static void test_the_first_that_is_there(void **state)
{
	const char *alternative;

	(void)state;
	assert_int_equal(choose("new_one new_two old", "new_one new_two old", true, true,
				&alternative),
			 NSN_PROBE_FENTRY);
	assert_string_equal(alternative, "new_one new_two");
	assert_int_equal(choose("new_one old", "new_one new_two old", true, true, &alternative),
			 NSN_PROBE_FENTRY);
	assert_string_equal(alternative, "old");
}

static void test_btf_alone_is_not_attachable(void **state)
{
	const char *alternative = "";

	(void)state;
	assert_int_equal(choose("new_one.isra.0", "new_one new_two old", true, true, &alternative),
			 NSN_PROBE_NONE);
	assert_null(alternative);
}

static void test_kprobes_need_no_btf(void **state)
{
	const char *alternative;

	(void)state;
	/* fentry on an older alternative is preferred to kprobes on a newer one */
	assert_int_equal(choose("new_one new_two old", "old", true, true, &alternative),
			 NSN_PROBE_FENTRY);
	assert_string_equal(alternative, "old");
	assert_int_equal(choose("new_one new_two old", "", true, true, &alternative),
			 NSN_PROBE_KPROBE);
	assert_string_equal(alternative, "new_one new_two");
	assert_int_equal(choose("new_one new_two old", "", true, false, &alternative),
			 NSN_PROBE_NONE);
	assert_int_equal(choose("old", "old", false, true, &alternative), NSN_PROBE_KPROBE);
	assert_int_equal(choose("old", "old", false, false, &alternative), NSN_PROBE_NONE);
	assert_null(alternative);
}

static void test_words(void **state)
{
	const char *list = "  one two ", *long_list = "much_too_long short";
	char word[8];

	(void)state;
	assert_true(nsn_next_word(&list, word, sizeof(word)));
	assert_string_equal(word, "one");
	assert_true(nsn_next_word(&list, word, sizeof(word)));
	assert_string_equal(word, "two");
	assert_false(nsn_next_word(&list, word, sizeof(word)));
	assert_false(nsn_next_word(&long_list, word, sizeof(word)));
}

static void test_every_row_is_filled(void **state)
{
	char word[NSN_SYMBOL_LEN];

	(void)state;
	for (size_t i = 0; i < NSN_SYM_MAX; i++) {
		assert_non_null(nsn_symbol_rows[i].name);
		assert_true(strlen(nsn_symbol_rows[i].name) < NSN_SYMBOL_LEN);
		assert_non_null(nsn_symbol_rows[i].gives);
		assert_non_null(nsn_module_row__find(nsn_symbol_rows[i].module));
	}
	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		const struct nsn_probe_row *probe = &nsn_probe_rows[i];

		assert_non_null(probe->gives);
		assert_non_null(probe->feature);
		assert_in_range(probe->points, NSN_PROBE_ENTRY, NSN_PROBE_BOTH);
		assert_non_null(nsn_module_row__find(probe->module));
		assert_non_null(probe->alternatives[0]);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(probe->name, nsn_probe_rows[j].name);
		for (size_t j = 0; j < NSN_PROBE_ALTERNATIVES && probe->alternatives[j]; j++) {
			const char *list = probe->alternatives[j];

			assert_true(nsn_next_word(&list, word, sizeof(word)));
			while (nsn_next_word(&list, word, sizeof(word)))
				;
			assert_string_equal(list, ""); /* no name was too long */
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_that_is_there),
		cmocka_unit_test(test_btf_alone_is_not_attachable),
		cmocka_unit_test(test_kprobes_need_no_btf),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_every_row_is_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
