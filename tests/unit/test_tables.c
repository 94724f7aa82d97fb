// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_tables.c - the doctor's tables and the BPF sources tell the same.
 *
 * Run in the checkout's top folder. Rules, so that a reader of bpf/ knows what needs a row:
 *   accessor  a function nsn_… defined in bpf/core_compat.bpf.h or bpf/compat/ that names a kernel
 *             type or a kernel symbol ("struct ", "enum " or "nsn_symbols" in its head or body)
 *   program   a function behind SEC("…") in bpf/NAME.bpf.c, maps and the license aside
 *   symbol    an enumerator of enum nsn_symbol (bpf/record.h): NSN_SYM_…
 */
#include <ctype.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "accessors.h"
#include "probes.h"
#include "util.h"

#define MAX_NAMES 512

struct names {
	char items[MAX_NAMES][64];
	size_t count;
};

static void add_name(struct names *names, const char *name, size_t length)
{
	assert_true(names->count < MAX_NAMES);
	assert_true(length < sizeof(names->items[0]));
	memcpy(names->items[names->count], name, length);
	names->items[names->count++][length] = '\0';
}

static bool has_name(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return false;
}

static char *read_source(const char *path)
{
	char *text = malloc(1 << 20);
	long length;

	assert_non_null(text);
	length = nsn_read_file("", path, text, 1 << 20);
	if (length <= 0)
		fail_msg("%s can't be read: run in the top folder", path);
	return text;
}

/* Replaces comments by spaces: they name types too. */
static void blank_comments(char *text)
{
	char *end;

	for (text = strstr(text, "/*"); text; text = strstr(end, "/*")) {
		end = strstr(text, "*/");
		assert_non_null(end);
		memset(text, ' ', end + 2 - text);
	}
}

/* The name before the first '(' of a definition that begins at text. */
static size_t function_name(const char *text, const char **name)
{
	const char *end = strchr(text, '(');

	assert_non_null(end);
	*name = end;
	while (isalnum((unsigned char)(*name)[-1]) || (*name)[-1] == '_')
		(*name)--;
	return end - *name;
}

static void read_accessors_of(const char *path, struct names *names)
{
	char *source = read_source(path), *at = source, *end;
	const char *name;

	blank_comments(source);
	while ((at = strstr(at, "\nstatic __always_inline "))) {
		size_t length = function_name(++at, &name);

		end = strstr(at, "\n}\n");
		assert_non_null(end);
		*end = '\0';
		if (strncmp(name, "nsn_", 4) == 0 &&
		    (strstr(at, "struct ") || strstr(at, "enum ") || strstr(at, "nsn_symbols")))
			add_name(names, name, length);
		*end = '\n';
		at = end;
	}
	free(source);
}

static void read_accessors(struct names *names)
{
	glob_t files;

	read_accessors_of("bpf/core_compat.bpf.h", names);
	assert_int_equal(glob("bpf/compat/*.bpf.h", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		read_accessors_of(files.gl_pathv[i], names);
	globfree(&files);
}

static void read_programs(struct names *names)
{
	glob_t files;

	assert_int_equal(glob("bpf/*.bpf.c", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		char *source = read_source(files.gl_pathv[i]), *at = source;
		const char *name;

		while ((at = strstr(at, "\nSEC(\""))) {
			size_t length;

			at = strchr(at + 1, '\n');
			assert_non_null(at);
			length = function_name(at, &name);
			add_name(names, name, length);
		}
		free(source);
	}
	globfree(&files);
}

/* Both ways, and each once. */
static void compare(const struct names *names, const struct nsn_accessor_row *rows, size_t count,
		    const char *table)
{
	struct names listed = {};

	for (size_t i = 0; i < count; i++) {
		if (!has_name(names, rows[i].name))
			fail_msg("%s has a row %s, but bpf/ has no such function", table,
				 rows[i].name);
		if (has_name(&listed, rows[i].name))
			fail_msg("%s has two rows %s", table, rows[i].name);
		add_name(&listed, rows[i].name, strlen(rows[i].name));
	}
	for (size_t i = 0; i < names->count; i++)
		if (!has_name(&listed, names->items[i]))
			fail_msg("src/accessors.c: %s lacks a row for %s", table, names->items[i]);
	assert_int_equal(names->count, count);
}

static void test_a_row_for_each_accessor(void **state)
{
	struct names names = {};

	(void)state;
	read_accessors(&names);
	assert_true(names.count > 20);
	compare(&names, nsn_accessor_rows, nsn_accessor_rows_count, "nsn_accessor_rows");
}

static void test_a_row_for_each_program(void **state)
{
	struct names names = {};

	(void)state;
	read_programs(&names);
	assert_true(names.count > 4);
	compare(&names, nsn_program_rows, nsn_program_rows_count, "nsn_program_rows");
}

static void test_a_row_for_each_symbol(void **state)
{
	char *source = read_source("bpf/record.h"), *end, *at;
	size_t count = 0;

	(void)state;
	at = strstr(source, "enum nsn_symbol {");
	assert_non_null(at);
	end = strstr(at, "NSN_SYM_MAX");
	assert_non_null(end);
	while ((at = strstr(at, "NSN_SYM_")) && at < end) {
		count++;
		at += strlen("NSN_SYM_");
	}
	assert_int_equal(count, NSN_SYM_MAX);
	for (size_t i = 0; i < NSN_SYM_MAX; i++)
		assert_non_null(nsn_symbol_rows[i].name);
	free(source);
}

static void test_every_row_is_filled(void **state)
{
	static const struct {
		const struct nsn_accessor_row *rows;
		const size_t *count;
	} tables[] = { { nsn_accessor_rows, &nsn_accessor_rows_count },
		       { nsn_program_rows, &nsn_program_rows_count } };

	(void)state;
	for (size_t t = 0; t < NSN_ARRAY_SIZE(tables); t++) {
		for (size_t i = 0; i < *tables[t].count; i++) {
			assert_non_null(tables[t].rows[i].gives);
			assert_non_null(nsn_module_row__find(tables[t].rows[i].module));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_row_for_each_accessor),
		cmocka_unit_test(test_a_row_for_each_program),
		cmocka_unit_test(test_a_row_for_each_symbol),
		cmocka_unit_test(test_every_row_is_filled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
