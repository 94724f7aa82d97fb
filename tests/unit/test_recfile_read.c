// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * test_recfile_read.c - recordings are hostile input: errors with line numbers, limits, tolerance.
 */
#include "recording.h"

static int fd_of(const char *text, size_t length)
{
	int fd = memfd_create("recording", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Reads a whole text: the result, what was logged, and the records. */
static int replay_bytes(const char *text, size_t length, struct nsn_records *records,
			const char **logged)
{
	int saved, err;

	nsn_records__init(records);
	*logged = catch_begin(&saved);
	err = nsn_replay__collect_fd(fd_of(text, length), "FILE", &records->sink);
	catch_end(saved, *logged);
	return err;
}

/* Expects an error of this text after the header and one good line, that is on line 3. */
static void expect_error(const char *line, int err, const char *message)
{
	struct nsn_records records;
	const char *logged;
	char *text = NULL;

	assert_true(asprintf(&text, HEADER "{\"rec\":\"kernel\",\"vm_list\":1}\n%s\n", line) > 0);
	assert_int_equal(replay_bytes(text, strlen(text), &records, &logged), err);
	if (!strstr(logged, message) || strncmp(logged, "nosnoop: FILE:3: ", 17))
		fail_msg("%s: logged \"%s\", expected \"FILE:3: …%s\"", line, logged, message);
	if (strchr(logged, '\n') != logged + strlen(logged) - 1)
		fail_msg("%s: logged more than once: \"%s\"", line, logged);
	assert_int_equal(records.count, 0);
	nsn_records__free(&records);
	free(text);
}

/* Expects that a text after the header is read, and gives its records. */
static void expect_records(const char *body, struct nsn_records *records, size_t count)
{
	const char *logged;
	char *text = NULL;

	assert_true(asprintf(&text, HEADER "%s", body) > 0);
	if (replay_bytes(text, strlen(text), records, &logged))
		fail_msg("%s: refused with \"%s\"", body, logged);
	assert_int_equal(records->count, count);
	free(text);
}

static void test_bad_lines(void **state)
{
	(void)state;
	expect_error("{", -EINVAL, "not a JSON object: ");
	expect_error("{\"rec\":\"vm\",\"pid\":12", -EINVAL, "not a JSON object: ");
	expect_error("[]", -EINVAL, "not a JSON object");
	expect_error("12", -EINVAL, "not a JSON object");
	expect_error("{} {}", -EINVAL, "not a JSON object: end of file expected");
	expect_error("{}", -EINVAL, "no \"rec\"");
	expect_error("{\"rec\":1}", -EINVAL, "no \"rec\"");
	expect_error("{\"rec\":\"vm\",\"pid\":1,\"pid\":2}", -EINVAL, "a key is there twice");
	expect_error("{\"rec\":\"vm\",\"pid\":-1}", -EINVAL, "\"pid\" of \"vm\" is negative");
	expect_error("{\"rec\":\"vm\",\"pid\":1.5}", -EINVAL, "is not a whole number");
	expect_error("{\"rec\":\"vm\",\"pid\":1e3}", -EINVAL, "is not a whole number");
	expect_error("{\"rec\":\"vm\",\"pid\":true}", -EINVAL, "is not a whole number");
	expect_error("{\"rec\":\"vm\",\"pid\":\"12\"}", -EINVAL, "is not a whole number");
	expect_error("{\"rec\":\"vm\",\"pid\":[1]}", -EINVAL, "is not a whole number");
	expect_error("{\"rec\":\"vm\",\"pid\":{\"a\":1}}", -EINVAL, "is not a whole number");
	expect_error("{\"rec\":\"vm\",\"pid\":NaN}", -EINVAL, "not a JSON object: invalid token");
	expect_error("{\"rec\":\"vm\",\"pid\":9223372036854775808}", -EINVAL, "too big integer");
	expect_error("{\"rec\":\"vm\",\"pid\":\"18446744073709551616\"}", -EINVAL,
		     "is not a whole number");
	expect_error("{\"rec\":\"vm\",\"pid\":\"09223372036854775808\"}", -EINVAL,
		     "is not a whole number");
	expect_error("{\"rec\":\"vm\",\"vm\":4294967297}", -EINVAL, "too large for a key");
	expect_error("{\"rec\":\"vm\",\"vm\":\"18446744073709551615\"}", -EINVAL,
		     "is not a whole number");
	expect_error("{\"rec\":\"vm\",\"comm\":5}", -EINVAL, "\"comm\" of \"vm\" is not a string");
	expect_error("{\"rec\":\"vm\",\"comm\":\"0123456789abcdef\"}", -EINVAL,
		     "longer than 15 bytes");
	expect_error("{\"rec\":\"vm\",\"comm\":\"a\\u0000b\"}", -EINVAL, "not a JSON object: ");
	expect_error("{\"rec\":\"vm\",\"comm\":\"\xff\"}", -EINVAL, "not a JSON object: ");
	expect_error("{\"rec\":\"vm\",\"comm\":\"\\ud800\"}", -EINVAL, "not a JSON object: ");
	expect_error("{\"rec\":\"vm\",\"comm\":\"\x1b[31m\"}", -EINVAL, "not a JSON object: ");
}

static void test_nesting_and_long_lines(void **state)
{
	char *line = malloc(NSN_RECFILE_MAX_LINE + 64);

	(void)state;
	memset(line, '[', NSN_RECFILE_MAX_LINE);
	line[NSN_RECFILE_MAX_LINE] = '\0';
	expect_error(line, -EINVAL, "not a JSON object: maximum parsing depth reached");
	line[NSN_RECFILE_MAX_LINE] = '[';
	line[NSN_RECFILE_MAX_LINE + 1] = '\0';
	expect_error(line, -EINVAL, "the line is longer than 65536 bytes");
	free(line);
}

static void test_longest_line_is_read(void **state)
{
	struct nsn_records records;
	char *line = malloc(NSN_RECFILE_MAX_LINE + 64);
	int used = sprintf(line, "{\"rec\":\"vm\",\"pid\":5,\"later\":\"");

	(void)state;
	memset(line + used, 'x', NSN_RECFILE_MAX_LINE);
	strcpy(line + NSN_RECFILE_MAX_LINE - 2, "\"}\n{\"rec\":\"end\"}\n");
	expect_records(line, &records, 2);
	nsn_records__free(&records);
	free(line);
}

static void test_tolerated(void **state)
{
	struct nsn_records records;
	const struct nsn_rec_vm *vm;

	(void)state;
	expect_records("{\"later\":{\"a\":[1,2.5,null]},\"pid\":5,\"rec\":\"vm\",\"comm\":null}\r\n"
		       "\n{\"rec\":\"of_a_later_version\",\"x\":[[]]}\n{\"rec\":\"end\"}",
		       &records, 2);
	vm = (const struct nsn_rec_vm *)records.data;
	assert_int_equal(vm->h.kind, NSN_REC_VM);
	assert_int_equal(vm->h.known, NSN_BIT(vm, pid));
	assert_int_equal(vm->pid, 5);
	nsn_records__free(&records);
}

static void expect_no_header(const char *text, size_t length, const char *message)
{
	struct nsn_records records;
	const char *logged;

	assert_int_equal(replay_bytes(text, length, &records, &logged), -EINVAL);
	if (!strstr(logged, message) || strncmp(logged, "nosnoop: FILE:1: ", 17))
		fail_msg("logged \"%s\", expected \"FILE:1: …%s\"", logged, message);
	nsn_records__free(&records);
}

static void test_header(void **state)
{
	static const char zeros[100000];

	(void)state;
	expect_no_header("", 0, "it is empty");
	expect_no_header("\n\n", 2, "it is empty");
	expect_no_header("{\"rec\":\"end\"}\n", 14, "the first line must be");
	expect_no_header("{\"schema\":1}\n", 13, "the first line must be");
	expect_no_header("{\"schema\":\"nosnoop.audit/1\"}\n", 29, "\"nosnoop.audit/1\"");
	expect_no_header("\x7f"
			 "ELF\x02\x01",
			 6, "not a JSON object");
	expect_no_header(zeros, sizeof(zeros), "longer than 65536 bytes");
	expect_no_header(zeros, 100, "not a JSON object");
}

/* Every cut of a recording is an error with a line number, or a snapshot without its end. */
static void test_every_cut(void **state)
{
	struct folder *folder = *state;
	struct nsn_records records, cut;
	union nsn_any_rec rec;
	const char *text, *logged;
	size_t length;

	nsn_records__init(&records);
	for (int kind = NSN_REC_FILE; kind <= NSN_REC_VM_FILE; kind++) {
		fill_record(&rec, kind, 4, "\xc3\xa4\n");
		assert_int_equal(nsn_records__add(&records, &rec.h), 0);
	}
	add_end(&records);
	write_records(folder->file, &records);
	nsn_records__free(&records);
	text = slurp(folder->file);
	length = strlen(text); /* without the last newline, which slurp() removes */
	for (size_t i = 0; i < length; i++) {
		int err = replay_bytes(text, i, &cut, &logged);

		if (i == 0 || (text[i] != '\n' && text[i - 1] != '\n')) {
			assert_int_equal(err, -EINVAL);
			assert_non_null(strstr(logged, "FILE:"));
			assert_int_equal(cut.count, 0);
		} else {
			if (err)
				fail_msg("cut at %zu: %s", i, logged);
			assert_non_null(strstr(logged, "has no end"));
		}
		nsn_records__free(&cut);
	}
}

static void test_several_snapshots(void **state)
{
	const char *const body = "{\"rec\":\"vm\",\"pid\":1}\n{\"rec\":\"end\"}\n"
				 "{\"rec\":\"vm\",\"pid\":2}\n{\"rec\":\"end\"}\n"
				 "{\"rec\":\"vm\",\"pid\":3}\n";
	struct folder *folder = *state;
	struct nsn_records records;
	struct nsn_replay *replay;
	FILE *out = fopen(folder->file, "w");

	expect_records(body, &records, 2); /* the last complete one */
	assert_int_equal(((const struct nsn_rec_vm *)records.data)->pid, 2);
	nsn_records__clear(&records);
	fprintf(out, HEADER "%s", body);
	fclose(out);
	assert_int_equal(nsn_replay__open(folder->file, &replay), 0);
	for (unsigned int i = 1; i <= 3; i++) {
		assert_int_equal(nsn_replay__next_snapshot(replay, &records.sink), 1);
		assert_int_equal(((const struct nsn_rec_vm *)records.data)->pid, i);
		assert_int_equal(records.count, i < 3 ? 2 : 1);
		nsn_records__clear(&records);
	}
	assert_int_equal(nsn_replay__next_snapshot(replay, &records.sink), 0);
	nsn_replay__free(replay);
	nsn_records__free(&records);
}

static int refuse(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	(void)sink;
	(void)rec;
	return -ENOSYS;
}

static void test_sink_errors_come_back(void **state)
{
	static const char text[] = HEADER "{\"rec\":\"end\"}\n";
	struct nsn_sink sink = { .put = refuse };

	(void)state;
	assert_int_equal(nsn_replay__collect_fd(fd_of(text, strlen(text)), "FILE", &sink), -ENOSYS);
}

static void test_unreadable(void **state)
{
	struct folder *folder = *state;
	struct nsn_records records;
	const char *logged;
	int saved, err;

	nsn_records__init(&records);
	logged = catch_begin(&saved);
	err = nsn_replay__collect(folder->file, &records.sink);
	catch_end(saved, logged);
	assert_int_equal(err, -ENOENT);
	assert_non_null(strstr(logged, "cannot open the recording: No such file"));
	logged = catch_begin(&saved);
	err = nsn_replay__collect(folder->path, &records.sink);
	catch_end(saved, logged);
	assert_int_equal(err, -EISDIR);
	assert_non_null(strstr(logged, "cannot read: Is a directory"));
	nsn_records__free(&records);
}

/* An endless recording ends in an error, within the memory of one snapshot. */
static void test_endless_input(void **state)
{
	static const char header[] = HEADER, ignored[] = "{\"rec\":\"a\"}\n";
	struct nsn_records records;
	const char *logged;
	int ends[2], saved, err;
	pid_t writer;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	writer = fork();
	assert_true(writer >= 0);
	if (!writer) {
		static char block[sizeof(ignored) * 4096];
		size_t used = 0;

		close(ends[0]);
		while (used + sizeof(ignored) < sizeof(block)) {
			memcpy(block + used, ignored, sizeof(ignored) - 1);
			used += sizeof(ignored) - 1;
		}
		if (write(ends[1], header, sizeof(header) - 1) > 0)
			while (write(ends[1], block, used) > 0)
				;
		_exit(0);
	}
	close(ends[1]);
	nsn_records__init(&records);
	logged = catch_begin(&saved);
	err = nsn_replay__collect_fd(ends[0], "FILE", &records.sink);
	catch_end(saved, logged);
	assert_int_equal(err, -EFBIG);
	assert_non_null(strstr(logged, "the snapshot has more than 4194304 lines"));
	nsn_records__free(&records);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_bad_lines),
		TEST(test_nesting_and_long_lines),
		TEST(test_longest_line_is_read),
		TEST(test_tolerated),
		TEST(test_header),
		TEST(test_every_cut),
		TEST(test_several_snapshots),
		TEST(test_sink_errors_come_back),
		TEST(test_unreadable),
		TEST(test_endless_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
