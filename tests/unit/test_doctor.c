// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_doctor.c - the doctor on kernels made here: one that has all that the tables ask for, and
 * the same with each type, field, symbol and function taken away in turn.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include <cmocka.h>

#include "accessors.h"
#include "doctor.h"
#include "probes.h"
#include "made_kernel.h"
#include "render_doctor.h"

static void examine(struct nsn_checks *checks)
{
	const struct nsn_doctor_options options = { .btf = folder, .sysroot = "" };
	char reason[256];
	int err = nsn_doctor__run(&options, checks, reason, sizeof(reason));

	if (err)
		fail_msg("%s", reason);
}

static const struct nsn_check *find_check(const struct nsn_checks *checks, enum nsn_check_kind kind,
					  const char *name)
{
	for (size_t i = 0; i < checks->checks_count; i++)
		if (checks->checks[i].kind == kind && strcmp(checks->checks[i].name, name) == 0)
			return &checks->checks[i];
	fail_msg("no check of %s", name);
	return NULL;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_a_kernel_that_has_all(void **state)
{
	size_t kinds[NSN_CHECK_KIND_MAX] = { 0 };
	struct nsn_checks checks = {};

	(void)state;
	write_btf("vmlinux", NULL);
	write_kallsyms("kallsyms", NULL, true);
	examine(&checks);
	for (size_t i = 0; i < checks.checks_count; i++) {
		if (checks.checks[i].status != NSN_CHECK_OK)
			fail_msg("%s: %s", checks.checks[i].name, checks.checks[i].detail);
		assert_string_equal(checks.checks[i].remedy, "");
		kinds[checks.checks[i].kind]++;
	}
	assert_int_equal(kinds[NSN_CHECK_MODULE], nsn_module_rows_count);
	assert_int_equal(kinds[NSN_CHECK_ACCESSOR], nsn_accessor_rows_count);
	assert_int_equal(kinds[NSN_CHECK_PROGRAM], nsn_program_rows_count);
	assert_int_equal(kinds[NSN_CHECK_SYMBOL], NSN_SYM_MAX);
	assert_int_equal(kinds[NSN_CHECK_PROBE], nsn_probe_rows_count);
	assert_int_equal(kinds[NSN_CHECK_PRIVILEGE], 0); /* another kernel's are not ours */
	assert_int_equal(nsn_checks__exit_code(&checks), 0);
	nsn_checks__free(&checks);
}

/* True if the two runs differ in something that a user sees. */
static bool differ(const struct nsn_checks *a, const struct nsn_checks *b)
{
	assert_int_equal(a->checks_count, b->checks_count);
	for (size_t i = 0; i < a->checks_count; i++)
		if (a->checks[i].status != b->checks[i].status ||
		    strcmp(a->checks[i].detail, b->checks[i].detail))
			return true;
	return false;
}

static void test_each_field_taken_away(void **state)
{
	struct nsn_checks whole = {};

	(void)state;
	write_btf("vmlinux", NULL);
	write_kallsyms("kallsyms", NULL, true);
	examine(&whole);
	for (size_t i = 0; i < paths.count; i++) {
		struct nsn_checks checks = {};

		write_btf("vmlinux", paths.items[i]);
		examine(&checks);
		if (!differ(&whole, &checks))
			fail_msg("nothing tells that %s is missing", paths.items[i]);
		for (size_t j = 0; j < checks.checks_count; j++) {
			const struct nsn_check *check = &checks.checks[j];

			/* whatever is missing names its facts and what would help */
			if (check->status == NSN_CHECK_MISSING)
				assert_true(check->detail[0] && check->remedy[0] &&
					    check->gives[0]);
		}
		nsn_checks__free(&checks);
	}
	nsn_checks__free(&whole);
}

static const struct nsn_check *check_of(const struct nsn_checks *checks, const char *name)
{
	for (size_t i = 0; i < checks->checks_count; i++)
		if (strcmp(checks->checks[i].name, name) == 0)
			return &checks->checks[i];
	fail_msg("no check %s", name);
	return NULL;
}

/* Before 6.8 VMs have no type: whether they have is known there, and nothing is lost. */
static void test_without_vm_types(void **state)
{
	struct nsn_checks checks = {};

	(void)state;
	write_btf("vmlinux", "kvm.arch.vm_type");
	write_kallsyms("kallsyms", NULL, true);
	examine(&checks);
	assert_int_equal(check_of(&checks, "nsn_has_vm_type")->status, NSN_CHECK_OK);
	assert_int_equal(check_of(&checks, "nsn_vm_type")->status, NSN_CHECK_NOT_APPLICABLE);
	assert_int_equal(nsn_checks__exit_code(&checks), 0);
	nsn_checks__free(&checks);
}

static void test_each_symbol_taken_away(void **state)
{
	(void)state;
	write_btf("vmlinux", NULL);
	for (size_t i = 0; i < NSN_SYM_MAX; i++) {
		struct nsn_checks checks = {};
		const struct nsn_check *check;

		write_kallsyms("kallsyms", nsn_symbol_rows[i].name, true);
		examine(&checks);
		check = find_check(&checks, NSN_CHECK_SYMBOL, nsn_symbol_rows[i].name);
		assert_int_equal(check->status, NSN_CHECK_MISSING);
		assert_true(check->remedy[0]);
		assert_int_equal(nsn_checks__exit_code(&checks), 3);
		nsn_checks__free(&checks);
	}
}

/* Without all functions of a probe's first alternative it uses another, or names its feature. */
static void test_each_probe_taken_away(void **state)
{
	char function[NSN_SYMBOL_LEN];

	(void)state;
	write_btf("vmlinux", NULL);
	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		const struct nsn_probe_row *row = &nsn_probe_rows[i];
		const char *list = row->alternatives[0];
		struct nsn_checks checks = {};
		const struct nsn_check *check;

		assert_true(nsn_next_word(&list, function, sizeof(function)));
		write_kallsyms("kallsyms", function, true);
		examine(&checks);
		check = find_check(&checks, NSN_CHECK_PROBE, row->name);
		assert_string_equal(check->feature, row->feature);
		if (check->status == NSN_CHECK_OK) {
			assert_non_null(row->alternatives[1]);
			assert_null(strstr(check->detail, row->alternatives[0]));
		} else {
			assert_int_equal(check->status, NSN_CHECK_MISSING);
			assert_non_null(strstr(check->detail, function));
			assert_int_equal(nsn_checks__exit_code(&checks), 3);
		}
		nsn_checks__free(&checks);
	}
}

static void test_kallsyms_without_variables(void **state)
{
	struct nsn_checks checks = {};
	const struct nsn_check *check;

	(void)state;
	write_btf("vmlinux", NULL);
	write_kallsyms("kallsyms", NULL, false);
	examine(&checks);
	check = find_check(&checks, NSN_CHECK_SYMBOL, "vm_list");
	assert_int_equal(check->status, NSN_CHECK_MISSING);
	assert_non_null(strstr(check->remedy, "CONFIG_KALLSYMS_ALL"));
	check = find_check(&checks, NSN_CHECK_SYMBOL, "kvm_vm_release");
	assert_int_equal(check->status, NSN_CHECK_OK);
	nsn_checks__free(&checks);
}

static void test_no_kallsyms_is_no_all_clear(void **state)
{
	struct nsn_checks checks = {};

	(void)state;
	write_btf("vmlinux", NULL);
	remove_file("kallsyms");
	examine(&checks);
	assert_int_equal(nsn_checks__count(&checks, NSN_CHECK_UNCHECKED),
			 NSN_SYM_MAX + nsn_probe_rows_count);
	assert_int_equal(nsn_checks__exit_code(&checks), 3);
	nsn_checks__free(&checks);
}

static void test_no_kernel(void **state)
{
	struct nsn_doctor_options options = { .btf = folder, .sysroot = "" };
	struct nsn_checks checks = {};
	char reason[256];

	(void)state;
	remove_file("vmlinux");
	assert_int_equal(nsn_doctor__run(&options, &checks, reason, sizeof(reason)), -ENOENT);
	assert_non_null(strstr(reason, "vmlinux"));
	write_file("vmlinux", "no BTF at all", 13);
	assert_true(nsn_doctor__run(&options, &checks, reason, sizeof(reason)) < 0);
	assert_non_null(strstr(reason, "vmlinux"));
	options.btf = "/nonexistent";
	assert_int_equal(nsn_doctor__run(&options, &checks, reason, sizeof(reason)), -ENOENT);
	nsn_checks__free(&checks);
	remove_file("vmlinux");
}

/* A module that is loaded, but whose BTF is not there: what only it defines is missing. */
static void test_a_module_without_btf(void **state)
{
	const struct nsn_doctor_options options = { .sysroot = folder };
	struct nsn_checks checks = {};
	const struct nsn_check *check;
	char reason[256];

	(void)state;
	write_file("sys/kernel/btf/vmlinux", "\x9f\xeb", 2);
	assert_int_equal(nsn_doctor__run(&options, &checks, reason, sizeof(reason)), 0);
	check = find_check(&checks, NSN_CHECK_MODULE, "vmlinux");
	assert_int_equal(check->status, NSN_CHECK_MISSING); /* damaged */
	check = find_check(&checks, NSN_CHECK_ACCESSOR, "nsn_task_pid");
	assert_int_equal(check->status, NSN_CHECK_MISSING);
	assert_non_null(strstr(check->remedy, "CONFIG_DEBUG_INFO_BTF"));
	check = find_check(&checks, NSN_CHECK_MODULE, "vfio");
	assert_int_equal(check->status, NSN_CHECK_NOT_APPLICABLE); /* not loaded */
	check = find_check(&checks, NSN_CHECK_ACCESSOR, "nsn_vfio_group_vm");
	assert_int_equal(check->status, NSN_CHECK_NOT_APPLICABLE);
	nsn_checks__free(&checks);

	write_file("sys/module/vfio/initstate", "live\n", 5);
	assert_int_equal(nsn_doctor__run(&options, &checks, reason, sizeof(reason)), 0);
	check = find_check(&checks, NSN_CHECK_MODULE, "vfio");
	assert_int_equal(check->status, NSN_CHECK_MISSING);
	check = find_check(&checks, NSN_CHECK_ACCESSOR, "nsn_vfio_group_vm");
	assert_int_equal(check->status, NSN_CHECK_MISSING);
	assert_int_equal(nsn_checks__exit_code(&checks), 3);
	nsn_checks__free(&checks);
	remove_file("sys/kernel/btf/vmlinux");
}

/* Both renderers print each check of the list. */
static void test_all_is_printed(void **state)
{
	const struct nsn_render_opts opts = { .width = 80, .tool_version = "1.2.3" };
	struct nsn_checks checks = {};
	char *text = NULL, *line;
	size_t size = 0;
	json_t *root;
	FILE *out;

	(void)state;
	write_btf("vmlinux", "kvm.arch");
	write_kallsyms("kallsyms", "vm_list", true);
	examine(&checks);
	out = open_memstream(&text, &size);
	assert_int_equal(nsn_render_doctor_text(out, &checks, false, &opts), 0);
	fclose(out);
	for (size_t i = 0; i < checks.checks_count; i++)
		assert_non_null(strstr(text, checks.checks[i].name));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80);
	free(text);

	out = open_memstream(&text, &size);
	assert_int_equal(nsn_render_doctor_json(out, &checks, &opts), 0);
	fclose(out);
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	assert_int_equal(json_array_size(json_object_get(root, "checks")), checks.checks_count);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(root, "result"), "exit_code")),
		3);
	json_decref(root);
	free(text);
	nsn_checks__free(&checks);
}

static int make_folder(void **state)
{
	static const char *const folders[] = { "sys", "sys/kernel", "sys/kernel/btf", "sys/module",
					       "sys/module/vfio" };
	char path[256];

	(void)state;
	collect_words();
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, folders[i]);
		if (mkdir(path, 0700))
			return -1;
	}
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const files[] = { "vmlinux", "kallsyms", "sys/kernel/btf/vmlinux",
					     "sys/module/vfio/initstate" };
	static const char *const folders[] = { "sys/module/vfio", "sys/module", "sys/kernel/btf",
					       "sys/kernel",      "sys",        "" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(files); i++)
		remove_file(files[i]);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, folders[i]);
		rmdir(path);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_kernel_that_has_all),
		cmocka_unit_test(test_each_field_taken_away),
		cmocka_unit_test(test_without_vm_types),
		cmocka_unit_test(test_each_symbol_taken_away),
		cmocka_unit_test(test_each_probe_taken_away),
		cmocka_unit_test(test_kallsyms_without_variables),
		cmocka_unit_test(test_no_kallsyms_is_no_all_clear),
		cmocka_unit_test(test_a_module_without_btf),
		cmocka_unit_test(test_all_is_printed),
		cmocka_unit_test(test_no_kernel),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
