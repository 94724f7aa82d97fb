// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_recfile.c - recordings: what goes in comes out, whole or not at all, and no address does.
 */
#include "recording.h"

/* Writes, reads back, compares byte for byte. */
static void round_trip(const char *path, struct nsn_records *records)
{
	struct nsn_records back;

	write_records(path, records);
	nsn_records__init(&back);
	assert_int_equal(nsn_replay__collect(path, &back.sink), 0);
	assert_int_equal(back.count, records->count);
	assert_int_equal(back.size, records->size);
	assert_memory_equal(back.data, records->data, records->size);
	nsn_records__free(&back);
}

static void test_every_field(void **state)
{
	struct folder *folder = *state;
	struct nsn_records records;
	union nsn_any_rec rec;

	nsn_records__init(&records);
	for (int kind = 0; kind < NSN_REC_END; kind++) {
		fill_record(&rec, kind, 1, "plain");
		assert_int_equal(nsn_records__add(&records, &rec.h), 0);
	}
	fill_record(&rec, NSN_REC_END, 1, "");
	assert_int_equal(nsn_records__add(&records, &rec.h), 0);
	round_trip(folder->file, &records);
	nsn_records__free(&records);
}

static void test_each_field_absent(void **state)
{
	struct folder *folder = *state;
	struct nsn_records records;
	union nsn_any_rec rec;

	nsn_records__init(&records);
	for (int kind = 0; kind < NSN_REC_END; kind++) {
		for (size_t i = 0; i < nsn_rec_descs[kind].fields_count; i++) {
			const struct nsn_field_desc *field = &nsn_rec_descs[kind].fields[i];

			fill_record(&rec, kind, 2, "x");
			rec.h.known &= ~(1U << i);
			memset((char *)&rec + field->offset, 0, field->size);
			assert_int_equal(nsn_records__add(&records, &rec.h), 0);
		}
	}
	add_end(&records);
	round_trip(folder->file, &records);
	nsn_records__free(&records);
}

static void test_unknown_is_not_written(void **state)
{
	struct folder *folder = *state;
	NSN_NEW(vm, VM, vm);
	struct nsn_records records;

	NSN_PUT(&vm, vm, vm, 7);
	vm.pid = 99; /* a value without its known bit is none */
	nsn_records__init(&records);
	assert_int_equal(nsn_records__add(&records, &vm.h), 0);
	write_records(folder->file, &records);
	assert_non_null(strstr(slurp(folder->file), "\n{\"rec\":\"vm\",\"vm\":7}"));
	nsn_records__free(&records);
}

static void test_numbers(void **state)
{
	static const __u64 values[] = { 0, 1, UINT32_MAX, INT64_MAX, -1ULL, -4096ULL };
	struct folder *folder = *state;
	struct nsn_records records;

	nsn_records__init(&records);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(values); i++) {
		NSN_NEW(vm, VM, vm);

		NSN_PUT(&vm, vm, quirks_disabled, values[i]);
		assert_int_equal(nsn_records__add(&records, &vm.h), 0);
	}
	add_end(&records);
	round_trip(folder->file, &records);
	assert_non_null(strstr(slurp(folder->file), ":\"18446744073709551615\"}"));
	nsn_records__free(&records);
}

static void test_hostile_strings(void **state)
{
	static const char *const texts[] = {
		"",
		"\"quoted\" \\ back",
		"new\nline\ttab\r\b\f",
		"\x1b[31mred\x1b[0m\x7f",
		"\xc2\x9b[31m a C1 control",
		"\xe2\x80\xae right to left \xf0\x9f\x92\xa9",
		"</script>{\"rec\":\"end\"}\n{\"rec\":\"end\"}",
	};
	struct folder *folder = *state;
	struct nsn_records records;
	union nsn_any_rec rec;

	nsn_records__init(&records);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(texts); i++) {
		fill_record(&rec, NSN_REC_PROCESS, 3, texts[i]);
		assert_int_equal(nsn_records__add(&records, &rec.h), 0);
	}
	add_end(&records);
	round_trip(folder->file, &records);
	for (const char *c = slurp(folder->file); *c; c++)
		assert_true((unsigned char)*c < 0x80 && (*c >= 0x20 || *c == '\n'));
	nsn_records__free(&records);
}

/* A text that no collector should have let through still gives valid JSON. */
static void test_invalid_utf8_is_replaced(void **state)
{
	struct folder *folder = *state;
	NSN_NEW(vm, VM, vm);
	struct nsn_records records, back;

	memset(vm.comm, 0xff, sizeof(vm.comm)); /* not even ended */
	vm.h.known = NSN_BIT(vm, comm);
	nsn_records__init(&records);
	assert_int_equal(nsn_records__add(&records, &vm.h), 0);
	add_end(&records);
	write_records(folder->file, &records);
	nsn_records__init(&back);
	assert_int_equal(nsn_replay__collect(folder->file, &back.sink), 0);
	assert_string_equal(((const struct nsn_rec_vm *)back.data)->comm,
			    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x80\xa6");
	nsn_records__free(&records);
	nsn_records__free(&back);
}

static void expect_put_refused(const char *path, const struct nsn_rec *rec, const char *message)
{
	struct nsn_recfile *file;
	const char *logged;
	int saved, err;

	assert_int_equal(nsn_recfile__create(path, &file), 0);
	logged = catch_begin(&saved);
	err = nsn_recfile__put(file, rec);
	catch_end(saved, logged);
	assert_int_equal(err, -EINVAL);
	if (!strstr(logged, message))
		fail_msg("logged \"%s\", expected \"%s\"", logged, message);
	nsn_recfile__free(file);
}

static void test_addresses_are_refused(void **state)
{
	struct folder *folder = *state;
	NSN_NEW(key, VM, vm);
	NSN_NEW(largest, VM, vm);
	NSN_NEW(number, VM, vm);
	struct nsn_recfile *file;

	NSN_PUT(&key, vm, mm, (1ULL << 32) + 1);
	expect_put_refused(folder->file, &key.h, "refused to record vm.mm");
	NSN_PUT(&key, vm, mm, 0xffff888012345678ULL);
	expect_put_refused(folder->file, &key.h, "refused to record vm.mm");
	NSN_PUT(&number, vm, vcpus, 0xffff888012345678ULL);
	expect_put_refused(folder->file, &number.h, "refused to record vm.vcpus");
	NSN_PUT(&number, vm, vcpus, 0xffffffffc0123456ULL);
	expect_put_refused(folder->file, &number.h, "refused to record vm.vcpus");
	NSN_PUT(&largest, vm, mm, 1ULL << 32);
	assert_int_equal(nsn_recfile__create(folder->file, &file), 0);
	assert_int_equal(nsn_recfile__put(file, &largest.h), 0);
	nsn_recfile__free(file);
	assert_int_equal(count_files(folder), 0);
}

static void test_no_record_is_refused(void **state)
{
	struct folder *folder = *state;
	NSN_NEW(vm, VM, vm);

	vm.h.kind = NSN_REC_MAX;
	expect_put_refused(folder->file, &vm.h, "no such record");
	vm.h.kind = NSN_REC_VM;
	vm.h.size -= 8;
	expect_put_refused(folder->file, &vm.h, "no such record");
}

static void test_mode_and_rename(void **state)
{
	struct folder *folder = *state;
	struct nsn_recfile *file;
	struct stat st;

	umask(0);
	assert_int_equal(nsn_recfile__create(folder->file, &file), 0);
	assert_int_equal(access(folder->file, F_OK), -1); /* only the temporary file is there */
	assert_int_equal(count_files(folder), 1);
	assert_int_equal(nsn_recfile__commit(file), 0);
	nsn_recfile__free(file);
	assert_int_equal(count_files(folder), 1);
	assert_int_equal(stat(folder->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(S_ISREG(st.st_mode));
}

static void test_abort_keeps_the_old_file(void **state)
{
	struct folder *folder = *state;
	struct nsn_recfile *file;
	FILE *old = fopen(folder->file, "w");

	fputs("old", old);
	fclose(old);
	assert_int_equal(nsn_recfile__create(folder->file, &file), 0);
	assert_string_equal(slurp(folder->file), "old");
	nsn_recfile__free(file);
	assert_string_equal(slurp(folder->file), "old");
	assert_int_equal(count_files(folder), 1);
	assert_int_equal(nsn_recfile__create(folder->file, &file), 0);
	assert_int_equal(nsn_recfile__commit(file), 0);
	nsn_recfile__free(file);
	assert_int_equal(strncmp(slurp(folder->file), "{\"schema\"", 9), 0);
	assert_int_equal(count_files(folder), 1);
}

/* A link is replaced, its target is not touched: a link in /tmp may be somebody else's trap. */
static void test_link_is_not_followed(void **state)
{
	struct folder *folder = *state;
	char target[96];
	struct nsn_recfile *file;
	struct stat st;
	FILE *victim = fopen(nsn_format(target, sizeof(target), "%s/victim", folder->path), "w");

	fputs("victim", victim);
	fclose(victim);
	assert_int_equal(symlink(target, folder->file), 0);
	assert_int_equal(nsn_recfile__create(folder->file, &file), 0);
	assert_int_equal(nsn_recfile__commit(file), 0);
	nsn_recfile__free(file);
	assert_string_equal(slurp(target), "victim");
	assert_int_equal(lstat(folder->file, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void test_devices_are_not_replaced(void **state)
{
	struct nsn_recfile *file;
	struct stat st;

	(void)state;
	assert_int_equal(nsn_recfile__create("/dev/null", &file), 0);
	assert_int_equal(nsn_recfile__commit(file), 0);
	nsn_recfile__free(file);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void test_write_errors(void **state)
{
	struct folder *folder = *state;
	struct nsn_recfile *file = NULL;
	const char *logged;
	char path[128];
	int saved, err;

	logged = catch_begin(&saved);
	err = nsn_recfile__create(nsn_format(path, sizeof(path), "%s/no/such", folder->path),
				  &file);
	catch_end(saved, logged);
	assert_int_equal(err, -ENOENT);
	assert_null(file);
	assert_non_null(strstr(logged, "/no/such: cannot create the recording: No such file"));
	assert_int_equal(nsn_recfile__create("/dev/full", &file), 0);
	logged = catch_begin(&saved);
	err = nsn_recfile__commit(file);
	catch_end(saved, logged);
	nsn_recfile__free(file);
	assert_int_equal(err, -ENOSPC);
	assert_non_null(strstr(logged, "/dev/full: cannot write: No space left"));
}

/* What is whole is read back; what was half written, and what waited in memory, is not. */
static void test_salvage(void **state)
{
	struct folder *folder = *state;
	struct nsn_records back;
	struct nsn_recfile *file;
	NSN_NEW(vm, VM, vm);
	NSN_NEW(end, END, end);

	NSN_PUT(&vm, vm, pid, 12);
	nsn_records__init(&back);
	assert_int_equal(nsn_recfile__create(folder->file, &file), 0);
	assert_int_equal(nsn_recfile__put(file, &vm.h), 0);
	assert_int_equal(nsn_recfile__salvage(file), 0); /* nothing is whole yet */
	assert_int_equal(nsn_recfile__put(file, &end.h), 0);
	for (int i = 0; i < 1000; i++) /* more than a buffer holds */
		assert_int_equal(nsn_recfile__put(file, &vm.h), 0);
	assert_int_equal(nsn_recfile__salvage(file), 1);
	nsn_recfile__free(file);
	assert_int_equal(nsn_replay__collect(folder->file, &back.sink), 0);
	assert_int_equal(back.count, 2);
	nsn_records__free(&back);
}

/* A device is not cut: nothing is kept, and nothing is said to be. */
static void test_no_salvage(void **state)
{
	struct nsn_recfile *file;
	const char *logged;
	NSN_NEW(end, END, end);
	int saved, err;

	(void)state;
	assert_int_equal(nsn_recfile__create("/dev/full", &file), 0);
	logged = catch_begin(&saved);
	err = nsn_recfile__put(file, &end.h);
	catch_end(saved, logged);
	assert_int_equal(err, -ENOSPC);
	assert_non_null(strstr(logged, "/dev/full: cannot write: No space left"));
	logged = catch_begin(&saved);
	err = nsn_recfile__salvage(file);
	catch_end(saved, logged);
	nsn_recfile__free(file);
	assert_int_equal(err, 0);
	assert_string_equal(logged, "");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_every_field),
		TEST(test_each_field_absent),
		TEST(test_unknown_is_not_written),
		TEST(test_numbers),
		TEST(test_hostile_strings),
		TEST(test_invalid_utf8_is_replaced),
		TEST(test_addresses_are_refused),
		TEST(test_no_record_is_refused),
		TEST(test_mode_and_rename),
		TEST(test_abort_keeps_the_old_file),
		TEST(test_link_is_not_followed),
		TEST(test_devices_are_not_replaced),
		TEST(test_write_errors),
		TEST(test_salvage),
		TEST(test_no_salvage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
