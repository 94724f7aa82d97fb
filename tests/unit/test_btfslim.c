// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_btfslim.c - of a kernel's types, those that are picked out for the loader answer every question
 * as all of them would.
 *
 * Asks for all rows of src/accessors.c and src/probes.c (test_relocations.c holds them against what the
 * programs read) of the BTF of many kernels, where `make btf-table` left it in the cache, and of the one
 * that runs. Reads all.bpf.o and all_events.bpf.o in the build folder: the folder above that of this
 * program, or $BUILD.
 */
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
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
#include "btfcheck.h"
#include "btfraw.h"
#include "btfslim.h"
#include "probes.h"
#include "util.h"

static char folder[] = "/tmp/nosnoop-slim-XXXXXX"; /* as /sys/kernel/btf */

static const char *in_folder(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void empty_folder(void)
{
	glob_t files;

	if (glob(in_folder("*"), 0, NULL, &files) == 0) {
		for (size_t i = 0; i < files.gl_pathc; i++)
			assert_int_equal(unlink(files.gl_pathv[i]), 0);
		globfree(&files);
	}
}

static void write_bytes(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(in_folder(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void write_btf(const char *name, const struct btf *btf)
{
	__u32 size;
	const void *bytes = btf__raw_data(btf, &size);

	assert_non_null(bytes);
	write_bytes(name, bytes, size);
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	empty_folder();
	return rmdir(folder);
}

/* ---- made kernels ------------------------------------------------------------------------------ */

/* The types that a program would have: their names and kinds are all that counts. */
static struct btf *make_local(void)
{
	struct btf *btf = btf__new_empty();

	btf__add_struct(btf, "outer", 4);
	btf__add_struct(btf, "outer___old", 4);
	btf__add_struct(btf, "twice", 4);
	btf__add_struct(btf, "shaped", 4);
	btf__add_struct(btf, "added", 4);
	btf__add_struct(btf, "held", 4);
	btf__add_struct(btf, "nowhere", 4);
	btf__add_enum(btf, "color", 4);
	btf__add_enum(btf, "wide", 4);
	return btf;
}

static struct btf *make_vmlinux(void)
{
	struct btf *btf = btf__new_empty();
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int unseen = btf__add_struct(btf, "unseen", 8); /* nobody asks for it by its name */
	int alias, array, pointer, inside;

	btf__add_field(btf, "deep", number, 32, 0);
	alias = btf__add_typedef(btf, "alias_t", btf__add_const(btf, unseen));
	array = btf__add_array(btf, number, alias, 2);
	pointer = btf__add_ptr(btf, unseen);
	inside = btf__add_union(btf, NULL, 8);
	btf__add_field(btf, "left", number, 0, 0);
	btf__add_struct(btf, "outer", 40);
	btf__add_field(btf, "high", number, 3, 5);
	btf__add_field(btf, NULL, inside, 64, 0);
	btf__add_field(btf, "list", array, 128, 0);
	btf__add_field(btf, "pointer", pointer, 256, 0);
	btf__add_struct(btf, "twice", 8); /* two of a name that differ: the loader refuses them */
	btf__add_field(btf, "here", number, 0, 0);
	btf__add_struct(btf, "twice", 8);
	btf__add_field(btf, "here", number, 32, 0);
	btf__add_struct(btf, "shaped___new", 4);
	btf__add_field(btf, "field", number, 0, 0);
	btf__add_struct(btf, "held", 4);
	btf__add_field(btf, "field", number, 0, 0);
	btf__add_enum(btf, "color", 4);
	btf__add_enum_value(btf, "RED", 3);
	btf__add_enum64(btf, "wide", 8, false);
	btf__add_enum64_value(btf, "FAR", 1ULL << 40);
	btf__add_func(btf, "started", BTF_FUNC_STATIC, btf__add_func_proto(btf, number));
	return btf;
}

/* What KVM would add: a struct of its own, which holds one of a name that vmlinux has too. */
static struct btf *make_module(struct btf *base)
{
	struct btf *btf = btf__new_empty_split(base);
	int number = btf__find_by_name_kind(base, "int", BTF_KIND_INT);
	int held = btf__add_struct(btf, "held", 8);

	btf__add_field(btf, "field", number, 32, 0);
	btf__add_struct(btf, "added", 16);
	btf__add_field(btf, "inner", held, 64, 0);
	btf__add_struct(btf, "outer", 4);
	btf__add_field(btf, "list", number, 0, 0);
	return btf;
}

static void write_made(void)
{
	struct btf *vmlinux = make_vmlinux(), *module = make_module(vmlinux);

	empty_folder();
	write_btf("vmlinux", vmlinux);
	write_btf("kvm", module);
	btf__free(module);
	btf__free(vmlinux);
}

static struct nsn_types *picked_out(const struct btf *local, uint32_t *function_id)
{
	struct nsn_types *types = nsn_types__new();
	void *bytes = NULL;
	struct btf *btf;
	size_t size;

	assert_int_equal(nsn_slim__build(local, folder, "started", function_id, &bytes, &size), 0);
	btf = btf__new(bytes, (__u32)size);
	assert_non_null(btf);
	assert_int_equal(nsn_types__add(types, "vmlinux", btf), 0);
	free(bytes);
	return types;
}

static struct nsn_types *made(uint32_t *function_id)
{
	struct btf *local = make_local();
	struct nsn_types *types;

	write_made();
	types = picked_out(local, function_id);
	btf__free(local);
	return types;
}

static void assert_field(struct nsn_types *types, const char *path, uint32_t offset, uint32_t bits)
{
	struct nsn_place place;

	if (nsn_types__find(types, path, &place, NULL, 0))
		fail_msg("no %s", path);
	assert_int_equal(place.bit_offset, offset);
	assert_int_equal(place.bit_size, bits);
}

static void test_members_by_value(void **state)
{
	uint32_t id = 0;
	struct nsn_types *types = made(&id);
	struct nsn_place place;

	(void)state;
	assert_field(types, "outer.left", 64, 32);
	assert_field(types, "outer.high", 3, 5);
	assert_field(types, "outer.list", 128, 128);
	assert_field(types, "outer.list.deep", 160, 32);
	assert_field(types, "outer.pointer", 256, 64);
	assert_field(types, "shaped.field", 0, 32);
	assert_int_equal(nsn_types__find(types, "color.RED", &place, NULL, 0), 0);
	assert_int_equal(place.value, 3);
	assert_int_equal(nsn_types__find(types, "wide.FAR", &place, NULL, 0), 0);
	assert_true(place.value == 1LL << 40);
	assert_int_equal(nsn_types__find(types, "twice.here", &place, NULL, 0), -ENOTUNIQ);
	assert_int_equal(nsn_types__find(types, "nowhere", &place, NULL, 0), -ENOENT);
	assert_int_equal(nsn_types__find(types, "unseen", &place, NULL, 0), -ENOENT);
	nsn_types__free(types);
}

static void test_function_is_found_on_the_way(void **state)
{
	uint32_t id = 0;
	struct btf *vmlinux = make_vmlinux();

	(void)state;
	nsn_types__free(made(&id));
	assert_int_equal(id, btf__find_by_name_kind(vmlinux, "started", BTF_KIND_FUNC));
	btf__free(vmlinux);
}

/* Only what vmlinux has none of is a module's; what that holds is not found by its own name. */
static void test_modules(void **state)
{
	uint32_t id = 0;
	struct nsn_types *types = made(&id);

	(void)state;
	assert_field(types, "added.inner.field", 96, 32);
	assert_field(types, "held.field", 0, 32);
	assert_field(types, "outer.list", 128, 128);
	nsn_types__free(types);
}

/* Cut off or changed anywhere it is refused, or gives something that libbpf can look at. */
static void test_damaged(void **state)
{
	struct btf *local = make_local(), *vmlinux = make_vmlinux();
	uint32_t id, size;
	const void *raw = btf__raw_data(vmlinux, &size);
	size_t refused = 0, length;
	void *bytes;
	char *copy = malloc(size);

	(void)state;
	empty_folder();
	for (size_t i = 0; i < size; i++) {
		memcpy(copy, raw, size);
		write_bytes("vmlinux", copy, i);
		bytes = NULL;
		assert_true(nsn_slim__build(local, folder, "started", &id, &bytes, &length) < 0);
		copy[i] ^= 0x55;
		write_bytes("vmlinux", copy, size);
		if (nsn_slim__build(local, folder, "started", &id, &bytes, &length))
			refused++;
		else
			btf__free(btf__new(bytes, (__u32)length));
		free(bytes);
	}
	assert_true(refused > 10 && refused < size);
	free(copy);
	btf__free(vmlinux);
	btf__free(local);
}

/* ---- real kernels ------------------------------------------------------------------------------ */

static struct btf *read_object(const char *name)
{
	char self[PATH_MAX] = "", path[PATH_MAX + 32];
	const char *build = getenv("BUILD");
	struct btf *btf;

	if (!build) {
		assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
		build = dirname(dirname(self));
	}
	snprintf(path, sizeof(path), "%s/%s.bpf.o", build, name);
	btf = btf__parse_elf(path, NULL);
	if (!btf)
		fail_msg("%s: no BTF", path);
	return btf;
}

/* What both say of one requirement must be the same. True if they do. */
static bool is_same(struct nsn_types *all, struct nsn_types *picked, const char *wanted)
{
	struct nsn_place a = {}, b = {};
	int err_a = nsn_types__find(all, wanted, &a, NULL, 0);
	int err_b = nsn_types__find(picked, wanted, &b, NULL, 0);

	if (err_a == err_b && a.bit_offset == b.bit_offset && a.bit_size == b.bit_size &&
	    a.value == b.value)
		return true;
	print_error("%s: all: %d at %u, %u bits, %lld; picked out: %d at %u, %u bits, %lld\n",
		    wanted, err_a, a.bit_offset, a.bit_size, a.value, err_b, b.bit_offset,
		    b.bit_size, b.value);
	return false;
}

/* Asks for all of a row that an object can ask for: types that it has. */
static size_t compare_row(const struct nsn_accessor_row *row, const struct btf *local,
			  struct nsn_types *all, struct nsn_types *picked, size_t *asked)
{
	char word[192], type[192];
	size_t differ = 0;

	for (size_t i = 0; i < NSN_ALTERNATIVES && row->alternatives[i]; i++) {
		const char *list = row->alternatives[i];

		while (nsn_next_word(&list, word, sizeof(word))) {
			const char *wanted = strchr(word, ':') ? strchr(word, ':') + 1 : word;

			wanted += *wanted == '!';
			snprintf(type, sizeof(type), "%.*s", (int)strcspn(wanted, "."), wanted);
			if (btf__find_by_name_kind(local, type, BTF_KIND_STRUCT) < 0 &&
			    btf__find_by_name_kind(local, type, BTF_KIND_UNION) < 0 &&
			    btf__find_by_name_kind(local, type, BTF_KIND_ENUM) < 0)
				continue;
			++*asked;
			differ += !is_same(all, picked, wanted);
		}
	}
	return differ;
}

static void compare(struct nsn_types *all, const char *object)
{
	struct btf *local = read_object(object);
	size_t differ = 0, asked = 0;
	uint32_t id;
	struct nsn_types *picked = picked_out(local, &id);

	for (size_t i = 0; i < nsn_accessor_rows_count; i++)
		differ += compare_row(&nsn_accessor_rows[i], local, all, picked, &asked);
	for (size_t i = 0; i < nsn_program_rows_count; i++)
		differ += compare_row(&nsn_program_rows[i], local, all, picked, &asked);
	assert_int_equal(differ, 0);
	assert_true(asked > 30);
	nsn_types__free(picked);
	btf__free(local);
}

static bool is_wanted(const char *module)
{
	const struct nsn_module_row *row = nsn_module_row__find(module);

	return row && !row->part;
}

/* Links to a kernel's files, by the names that /sys/kernel/btf would have. */
static void link_kernel(const char *kernel)
{
	char pattern[PATH_MAX], name[NAME_MAX];
	glob_t files;

	empty_folder();
	snprintf(pattern, sizeof(pattern), "%s/*", kernel);
	assert_int_equal(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *file = strrchr(files.gl_pathv[i], '/') + 1;

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(file, "."), file);
		for (char *at = name; *at; at++)
			*at = *at == '-' ? '_' : *at;
		if (strcmp(name, "vmlinux") == 0 || is_wanted(name))
			assert_int_equal(symlink(files.gl_pathv[i], in_folder(name)), 0);
	}
	globfree(&files);
}

static void compare_kernel(const char *kernel)
{
	struct nsn_types *all = nsn_types__new();
	char reason[256];

	link_kernel(kernel);
	if (nsn_types__load_folder(all, folder, is_wanted, reason, sizeof(reason)))
		fail_msg("%s: %s", kernel, reason);
	compare(all, "all");
	compare(all, "all_events");
	nsn_types__free(all);
}

/* Of each release one kernel: its variants, for clouds and real time, differ in nothing here. */
static void test_cached_kernels(void **state)
{
	const char *cache = getenv("NOSNOOP_CACHE"), *home = getenv("HOME");
	char pattern[PATH_MAX];
	glob_t kernels;

	(void)state;
	if (cache)
		snprintf(pattern, sizeof(pattern), "%s/btf/*/vmlinux", cache);
	else
		snprintf(pattern, sizeof(pattern), "%s/.cache/nosnoop/btf/*/vmlinux",
			 home ? home : "");
	if (glob(pattern, 0, NULL, &kernels)) {
		print_message("no kernel's BTF in %s: make btf-table fetches some\n", pattern);
		skip();
	}
	for (size_t i = 0; i < kernels.gl_pathc; i++)
		if (!strstr(kernels.gl_pathv[i], "-cloud-") && !strstr(kernels.gl_pathv[i], "-rt-"))
			compare_kernel(dirname(kernels.gl_pathv[i]));
	globfree(&kernels);
}

static void test_running_kernel(void **state)
{
	(void)state;
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		print_message("/sys/kernel/btf/vmlinux: %s\n", strerror(errno));
		skip();
	}
	compare_kernel("/sys/kernel/btf");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members_by_value),
		cmocka_unit_test(test_function_is_found_on_the_way),
		cmocka_unit_test(test_modules),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_cached_kernels),
		cmocka_unit_test(test_running_kernel),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
