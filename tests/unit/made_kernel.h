/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * made_kernel.h - a folder with the BTF and kallsyms of a kernel that has all that the doctor's
 * tables ask for, or all but one thing. For tests that run under cmocka.
 */
#ifndef NSN_MADE_KERNEL_H
#define NSN_MADE_KERNEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>

#include <cmocka.h>

#include "accessors.h"
#include "probes.h"
#include "util.h"

#define MAX_WORDS 512
#define WORD_LEN  128

/* A list of different words. */
struct words {
	char items[MAX_WORDS][WORD_LEN];
	size_t count;
};

static struct words paths;   /* types and fields of the first alternatives */
static struct words symbols; /* all symbols and the functions of probes */
static char folder[] = "/tmp/nosnoop-doctor-XXXXXX";

static void add_word(struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], word) == 0)
			return;
	assert_true(words->count < MAX_WORDS);
	assert_true(strlen(word) < WORD_LEN);
	strcpy(words->items[words->count++], word);
}

static void add_rows(const struct nsn_accessor_row *rows, size_t count)
{
	char word[WORD_LEN];

	for (size_t i = 0; i < count; i++) {
		const char *list = rows[i].alternatives[0];

		while (list && nsn_next_word(&list, word, sizeof(word)))
			add_word(&paths, strchr(word, ':') ? strchr(word, ':') + 1 : word);
	}
}

static void collect_words(void)
{
	char word[WORD_LEN];

	add_rows(nsn_accessor_rows, nsn_accessor_rows_count);
	add_rows(nsn_program_rows, nsn_program_rows_count);
	for (size_t i = 0; i < NSN_SYM_MAX; i++)
		add_word(&symbols, nsn_symbol_rows[i].name);
	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		for (size_t j = 0; j < NSN_PROBE_ALTERNATIVES; j++) {
			const char *list = nsn_probe_rows[i].alternatives[j];

			while (list && nsn_next_word(&list, word, sizeof(word)))
				add_word(&symbols, word);
		}
	}
}

/* ---- a kernel ------------------------------------------------------------------------------- */

/* True if a path is `without`, or in it. */
static bool is_taken(const char *path, const char *without)
{
	size_t length = without ? strlen(without) : 0;

	return without && strncmp(path, without, length) == 0 &&
	       (path[length] == '\0' || path[length] == '.');
}

/* The names that follow `prefix` ("kvm", "kvm.arch") in the paths. */
static void find_children(const char *prefix, const char *without, struct words *children)
{
	size_t length = strlen(prefix);
	char path[WORD_LEN];

	children->count = 0;
	for (size_t i = 0; i < paths.count; i++) {
		const char *rest = paths.items[i] + length;

		if (strncmp(paths.items[i], prefix, length) || *rest != '.')
			continue;
		snprintf(path, sizeof(path), "%.*s", (int)(length + 1 + strcspn(rest + 1, ".")),
			 paths.items[i]);
		if (!is_taken(path, without))
			add_word(children, path + length + 1);
	}
}

/* Adds the struct at a path with all that the rows want in it; its type's id. */
static int add_struct(struct btf *btf, const char *prefix, const char *name, const char *without,
		      int number)
{
	struct words *children = calloc(1, sizeof(*children));
	char path[2 * WORD_LEN];
	int types[64], id;

	assert_non_null(children);
	find_children(prefix, without, children);
	assert_true(children->count <= 64);
	for (size_t i = 0; i < children->count; i++) {
		struct words *deeper = calloc(1, sizeof(*deeper));

		assert_non_null(deeper);
		snprintf(path, sizeof(path), "%s.%s", prefix, children->items[i]);
		find_children(path, NULL, deeper);
		types[i] = deeper->count ? add_struct(btf, path, NULL, without, number) : number;
		free(deeper);
	}
	id = btf__add_struct(btf, name, 128 * children->count);
	for (size_t i = 0; i < children->count; i++)
		btf__add_field(btf, children->items[i], types[i], 1024 * i, 0);
	free(children);
	return id;
}

/* Upper case behind the dot: an enumerator. */
static bool is_enum(const char *type)
{
	size_t length = strlen(type);

	for (size_t i = 0; i < paths.count; i++)
		if (strncmp(paths.items[i], type, length) == 0 && paths.items[i][length] == '.' &&
		    paths.items[i][length + 1] >= 'A' && paths.items[i][length + 1] <= 'Z')
			return true;
	return false;
}

static void add_enum(struct btf *btf, const char *type, const char *without)
{
	struct words *children = calloc(1, sizeof(*children));

	assert_non_null(children);
	find_children(type, without, children);
	btf__add_enum(btf, type, 4);
	for (size_t i = 0; i < children->count; i++)
		btf__add_enum_value(btf, children->items[i], i);
	free(children);
}

static void write_file(const char *name, const void *data, size_t size)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* BTF of a kernel that has all of it built in, but the type or field `without`. */
static void write_btf(const char *file, const char *without)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int function = btf__add_func_proto(btf, number);
	struct words *types = calloc(1, sizeof(*types));
	char type[WORD_LEN];
	const void *raw;
	__u32 size;

	assert_non_null(types);
	for (size_t i = 0; i < paths.count; i++) {
		snprintf(type, sizeof(type), "%.*s", (int)strcspn(paths.items[i], "."),
			 paths.items[i]);
		if (!is_taken(type, without))
			add_word(types, type);
	}
	for (size_t i = 0; i < types->count; i++) {
		if (is_enum(types->items[i]))
			add_enum(btf, types->items[i], without);
		else
			add_struct(btf, types->items[i], types->items[i], without, number);
	}
	for (size_t i = 0; i < nsn_module_rows_count; i++)
		if (nsn_module_rows[i].functions[0])
			btf__add_func(btf, nsn_module_rows[i].functions[0], BTF_FUNC_STATIC,
				      function);
	for (size_t i = 0; i < symbols.count; i++)
		btf__add_func(btf, symbols.items[i], BTF_FUNC_STATIC, function);
	raw = btf__raw_data(btf, &size);
	assert_non_null(raw);
	write_file(file, raw, size);
	btf__free(btf);
	free(types);
}

static void write_kallsyms(const char *file, const char *without, bool variables)
{
	char *text = calloc(1, 1 << 16);
	size_t used = 0;

	assert_non_null(text);
	for (size_t i = 0; i < symbols.count; i++) {
		bool data = false;

		for (size_t j = 0; j < NSN_SYM_MAX; j++)
			if (strcmp(nsn_symbol_rows[j].name, symbols.items[i]) == 0)
				data = nsn_symbol_rows[j].data;
		if ((data && !variables) || (without && strcmp(symbols.items[i], without) == 0))
			continue;
		used += sprintf(text + used, "0000000000000000 %c %s\n", data ? 'd' : 't',
				symbols.items[i]);
	}
	write_file(file, text, used);
	free(text);
}

static void remove_file(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
}

#endif /* NSN_MADE_KERNEL_H */
