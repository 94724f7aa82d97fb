// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_relocations.c - every kernel type and field that the compiled BPF programs rely on is in a
 * row of src/accessors.c, so that the doctor checks it; and no row asks for what no program reads.
 *
 * Reads the CO-RE relocations (.BTF.ext) of all *.bpf.o in the build folder: the folder above that
 * of this program, or $BUILD.
 */
#include <fcntl.h>
#include <gelf.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <linux/bpf.h>

#include <cmocka.h>

#include "accessors.h"
#include "probes.h"
#include "util.h"

#define PATH_LEN 192

/* include/uapi/linux/btf.h and bpf.h: what .BTF.ext is made of */
struct ext_header {
	__u16 magic;
	__u8 version, flags;
	__u32 header_length;
	__u32 functions_offset, functions_length;
	__u32 lines_offset, lines_length;
	__u32 relocations_offset, relocations_length;
};

struct ext_section {
	__u32 name;
	__u32 count;
};

/* "type", "type.field", "enum.ENUMERATOR": all that programs rely on, or that rows ask for. */
struct paths {
	char (*items)[PATH_LEN];
	size_t items_count, items_capacity;
};

static void add_path(struct paths *paths, const char *path)
{
	char(*slot)[PATH_LEN];

	for (size_t i = 0; i < paths->items_count; i++)
		if (strcmp(paths->items[i], path) == 0)
			return;
	slot = NSN_APPEND(paths, items);
	assert_non_null(slot);
	assert_true(strlen(path) < PATH_LEN);
	strcpy(*slot, path);
}

/* True if `longer` is `path` itself or something in it: "kvm.arch" is in "kvm.arch.vm_type". */
static bool is_in(const char *path, const char *longer)
{
	size_t length = strlen(path);

	return strncmp(path, longer, length) == 0 &&
	       (longer[length] == '\0' || longer[length] == '.');
}

static bool is_covered(const char *path, const struct paths *by)
{
	for (size_t i = 0; i < by->items_count; i++)
		if (is_in(path, by->items[i]))
			return true;
	return false;
}

/* ---- what the programs rely on -------------------------------------------------------------- */

static void append(char *path, const char *separator, const char *name)
{
	size_t used = strlen(path);
	const char *flavour = strstr(name, "___");

	assert_true(used + strlen(separator) + strlen(name) < PATH_LEN);
	sprintf(path + used, "%s%.*s", separator,
		flavour ? (int)(flavour - name) : (int)strlen(name), name);
}

/* The path of a relocation: its type, and the members that its spec ("0:2:1") counts off. */
static void describe(const struct btf *btf, const struct bpf_core_relo *relocation, char *path)
{
	const char *spec = btf__str_by_offset(btf, relocation->access_str_off);
	int id = btf__resolve_type(btf, relocation->type_id);
	const struct btf_type *type;
	unsigned long index;
	char *next;

	assert_true(id >= 0);
	type = btf__type_by_id(btf, id);
	path[0] = '\0';
	append(path, "", btf__name_by_offset(btf, type->name_off));
	index = strtoul(spec, &next, 10); /* of a field: which element of an array, always 0 */
	if (btf_is_enum(type) && relocation->kind >= BPF_CORE_ENUMVAL_EXISTS) {
		append(path, ".", btf__name_by_offset(btf, btf_enum(type)[index].name_off));
		return;
	}
	while (*next == ':') {
		index = strtoul(next + 1, &next, 10);
		if (btf_is_composite(type)) {
			const struct btf_member *member = &btf_members(type)[index];
			const char *name = btf__name_by_offset(btf, member->name_off);

			assert_true(index < btf_vlen(type));
			if (*name)
				append(path, ".", name);
			id = btf__resolve_type(btf, member->type);
		} else {
			assert_true(btf_is_array(type));
			id = btf__resolve_type(btf, btf_array(type)->type);
		}
		assert_true(id >= 0);
		type = btf__type_by_id(btf, id);
	}
}

/* The section of an object, which is open as long as elf is. */
static Elf_Data *find_section(Elf *elf, const char *wanted)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	size_t names;

	assert_int_equal(elf_getshdrstrndx(elf, &names), 0);
	while ((section = elf_nextscn(elf, section))) {
		assert_non_null(gelf_getshdr(section, &header));
		if (strcmp(elf_strptr(elf, names, header.sh_name), wanted) == 0)
			return elf_getdata(section, NULL);
	}
	return NULL;
}

static size_t read_relocations(const struct btf *btf, const Elf_Data *ext, struct paths *paths)
{
	const struct ext_header *header = ext->d_buf;
	const char *at = (const char *)header + header->header_length + header->relocations_offset;
	const char *end = at + header->relocations_length;
	char path[PATH_LEN];
	size_t count = 0;

	assert_true(end <= (const char *)ext->d_buf + ext->d_size);
	assert_int_equal(*(const __u32 *)at, sizeof(struct bpf_core_relo));
	at += sizeof(__u32);
	while (at < end) {
		const struct ext_section *section = (const void *)at;
		const struct bpf_core_relo *relocations = (const void *)(section + 1);

		for (__u32 i = 0; i < section->count; i++, count++) {
			describe(btf, &relocations[i], path);
			add_path(paths, path);
		}
		at = (const char *)(relocations + section->count);
	}
	return count;
}

static size_t read_object(const char *file, struct paths *paths)
{
	struct btf *btf = btf__parse_elf(file, NULL);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	Elf_Data *ext;
	size_t count;
	Elf *elf;

	assert_true(elf_version(EV_CURRENT) != EV_NONE);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	assert_non_null(btf);
	assert_non_null(elf);
	ext = find_section(elf, ".BTF.ext");
	assert_non_null(ext);
	count = read_relocations(btf, ext, paths);
	elf_end(elf);
	close(fd);
	btf__free(btf);
	return count;
}

static void read_objects(struct paths *paths)
{
	char self[PATH_MAX] = "", pattern[PATH_MAX + 16];
	const char *build = getenv("BUILD");
	glob_t files;
	size_t count = 0;

	if (!build) {
		assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
		build = dirname(dirname(self));
	}
	snprintf(pattern, sizeof(pattern), "%s/*.bpf.o", build);
	if (glob(pattern, 0, NULL, &files))
		fail_msg("no %s", pattern);
	for (size_t i = 0; i < files.gl_pathc; i++)
		count += read_object(files.gl_pathv[i], paths);
	globfree(&files);
	assert_true(count > 50);
}

/* ---- what the rows ask for ------------------------------------------------------------------ */

static void add_row(struct paths *paths, const struct nsn_accessor_row *row)
{
	char word[PATH_LEN], *wanted;

	for (size_t i = 0; i < NSN_ALTERNATIVES && row->alternatives[i]; i++) {
		const char *list = row->alternatives[i];

		while (nsn_next_word(&list, word, sizeof(word))) {
			wanted = strchr(word, ':') ? strchr(word, ':') + 1 : word;
			wanted += *wanted == '!';
			if (!strstr(wanted, "()"))
				add_path(paths, wanted);
		}
		assert_string_equal(list, "");
	}
}

static void read_rows(struct paths *paths)
{
	for (size_t i = 0; i < nsn_accessor_rows_count; i++)
		add_row(paths, &nsn_accessor_rows[i]);
	for (size_t i = 0; i < nsn_program_rows_count; i++)
		add_row(paths, &nsn_program_rows[i]);
}

static void test_relocations_have_rows(void **state)
{
	struct paths programs = {}, rows = {};
	size_t missing = 0;

	(void)state;
	read_objects(&programs);
	read_rows(&rows);
	for (size_t i = 0; i < programs.items_count; i++) {
		if (is_covered(programs.items[i], &rows))
			continue;
		print_error("src/accessors.c: no row asks for %s, which a program reads\n",
			    programs.items[i]);
		missing++;
	}
	assert_int_equal(missing, 0);
	free(programs.items);
	free(rows.items);
}

static void test_rows_have_relocations(void **state)
{
	struct paths programs = {}, rows = {};
	size_t stale = 0;

	(void)state;
	read_objects(&programs);
	read_rows(&rows);
	for (size_t i = 0; i < rows.items_count; i++) {
		if (is_covered(rows.items[i], &programs))
			continue;
		print_error("src/accessors.c: a row asks for %s, which no program reads\n",
			    rows.items[i]);
		stale++;
	}
	assert_int_equal(stale, 0);
	free(programs.items);
	free(rows.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relocations_have_rows),
		cmocka_unit_test(test_rows_have_relocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
