// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_probes.c - which functions a probe is attached to, by what a kernel offers; that the tables are
 * whole; and whose a flush is, by who called for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "accessors.h"
#include "events_internal.h"
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
	assert_int_equal(
		choose("new_one new_two old", "new_one new_two old", true, true, &alternative),
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

/* Each function of each alternative has a program; two of one alternative do not share one. */
static void test_every_function_has_a_program(void **state)
{
	char word[NSN_SYMBOL_LEN];

	(void)state;
	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		for (size_t j = 0; j < NSN_PROBE_ALTERNATIVES; j++) {
			const char *list = nsn_probe_rows[i].alternatives[j], *used[4];
			size_t count = 0;

			while (list && nsn_next_word(&list, word, sizeof(word))) {
				const struct nsn_program_row *program = nsn_program_of(word);

				if (!program)
					fail_msg("no program is for %s", word);
				assert_true(count < 4);
				for (size_t k = 0; k < count; k++)
					assert_string_not_equal(used[k], program->program);
				used[count++] = program->program;
			}
		}
	}
	assert_null(nsn_program_of("no_such_function"));
}

/* A kernel that lacks one function at a time: that probe alone is off, or has another way. */
static const char *lacking;

static bool lacks_one(void *context, const char *function)
{
	(void)context;
	return strcmp(function, lacking) != 0;
}

static void test_one_function_turns_off_one_probe(void **state)
{
	const struct nsn_probe_kernel kernel = {
		.has_symbol = lacks_one, .has_btf = lacks_one, .fentry = true, .kprobe = true
	};
	const char *alternative;

	(void)state;
	for (size_t f = 0; f < nsn_function_rows_count; f++) {
		size_t off = 0;

		lacking = nsn_function_rows[f].function;
		for (size_t i = 0; i < nsn_probe_rows_count; i++) {
			enum nsn_probe_method method =
				nsn_probe__choose(&nsn_probe_rows[i], &kernel, &alternative);

			if (method == NSN_PROBE_NONE) {
				off++;
				assert_non_null(strstr(nsn_probe_rows[i].alternatives[0], lacking));
			} else {
				assert_int_equal(method, NSN_PROBE_FENTRY);
			}
		}
		assert_true(off <= 1);
	}
}

/* A guest's flush is told as nobody else's, whatever the compiler made of the function's name. */
static void test_who_flushes(void **state)
{
	(void)state;
	static const struct {
		const char *caller;
		enum nsn_initiator initiator;
	} cases[] = {
		{ "kvm_emulate_wbinvd_noskip.isra.0 [kvm]", NSN_FLUSH_GUEST },
		{ "kvm_emulate_wbinvd [kvm]", NSN_FLUSH_GUEST },
		{ "kvm_emulate_wbinvd_noskip.part.0", NSN_FLUSH_GUEST }, /* built in */
		{ "emulator_wbinvd [kvm]", NSN_FLUSH_GUEST },
		{ "kvm_emulate_halt [kvm]", NSN_FLUSH_OTHER },
		{ "sev_flush_encrypted_page [kvm_amd]", NSN_FLUSH_KVM_SEV },
		{ "drm_clflush_sg [drm]", NSN_FLUSH_DRM },
		{ "acpi_suspend_enter", NSN_FLUSH_OTHER },
	};

	for (size_t i = 0; i < NSN_ARRAY_SIZE(cases); i++)
		assert_int_equal(nsn_events_initiator(cases[i].caller), cases[i].initiator);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_that_is_there),
		cmocka_unit_test(test_btf_alone_is_not_attachable),
		cmocka_unit_test(test_kprobes_need_no_btf),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_every_row_is_filled),
		cmocka_unit_test(test_every_function_has_a_program),
		cmocka_unit_test(test_one_function_turns_off_one_probe),
		cmocka_unit_test(test_who_flushes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
