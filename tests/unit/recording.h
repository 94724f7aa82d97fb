/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording.h - what the tests of recordings share: a folder of their own, caught messages,
 * records.
 */
#ifndef NSN_TEST_RECORDING_H
#define NSN_TEST_RECORDING_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "collect_replay.h"
#include "recfile.h"
#include "util.h"

#define HEADER "{\"schema\":\"nosnoop.record/1\",\"tool_version\":\"9.9\"}\n"

struct folder {
	char path[64];
	char file[96];
};

static inline int setup(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	if (!folder)
		return -1;
	strcpy(folder->path, "/tmp/nosnoop-test-XXXXXX");
	if (!mkdtemp(folder->path))
		return -1;
	nsn_format(folder->file, sizeof(folder->file), "%s/r.jsonl", folder->path);
	*state = folder;
	return 0;
}

static inline int teardown(void **state)
{
	struct folder *folder = *state;
	char command[128];
	int err;

	err = system(nsn_format(command, sizeof(command), "rm -rf '%s'", folder->path));
	free(folder);
	return err;
}

static inline int count_files(const struct folder *folder)
{
	char command[128], line[16] = "";
	FILE *pipe = popen(nsn_format(command, sizeof(command), "ls -A '%s' | wc -l", folder->path),
			   "r");

	assert_non_null(pipe);
	assert_non_null(fgets(line, sizeof(line), pipe));
	pclose(pipe);
	return atoi(line);
}

static inline const char *slurp(const char *path)
{
	static char text[1 << 20];

	assert_true(nsn_read_file("", path, text, sizeof(text)) >= 0);
	return text;
}

/* Between these two calls stderr is caught; catch_end() fills the text that begin gave. */
static inline const char *catch_begin(int *saved)
{
	static char text[8192];
	int fd = memfd_create("stderr", 0);

	fflush(stderr);
	*saved = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	close(fd);
	return text;
}

static inline void catch_end(int saved, const char *text)
{
	ssize_t got;

	fflush(stderr);
	got = pread(STDERR_FILENO, (char *)text, 8191, 0);
	((char *)text)[got > 0 ? got : 0] = '\0';
	dup2(saved, STDERR_FILENO);
	close(saved);
}

static inline void fill_record(union nsn_any_rec *rec, int kind, unsigned int seed,
			       const char *text)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[kind];

	memset(rec, 0, sizeof(*rec));
	rec->h.kind = kind;
	rec->h.size = desc->size;
	for (size_t i = 0; i < desc->fields_count; i++) {
		char *at = (char *)rec + desc->fields[i].offset;
		__u64 number = (__u64)seed * 1000 + kind * 40 + i;

		if (desc->fields[i].type == NSN_FIELD_STR)
			nsn_utf8_copy(at, desc->fields[i].size, text);
		else
			memcpy(at, &number, sizeof(number));
		rec->h.known |= 1U << i;
	}
}

static inline void write_records(const char *path, const struct nsn_records *records)
{
	const struct nsn_rec *rec = NULL;
	struct nsn_recfile *file;

	assert_int_equal(nsn_recfile__create(path, &file), 0);
	while ((rec = nsn_records__next(records, rec)))
		assert_int_equal(nsn_recfile__put(file, rec), 0);
	assert_int_equal(nsn_recfile__commit(file), 0);
	nsn_recfile__free(file);
}

static inline void add_end(struct nsn_records *records)
{
	NSN_NEW(end, END, end);

	assert_int_equal(nsn_records__add(records, &end.h), 0);
}

#endif /* NSN_TEST_RECORDING_H */
