/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysroot.h - small fake /sys and /proc trees for the collectors' unit tests, in a temporary folder
 * that sysroot_remove() takes away. Any failure to build one fails the test.
 */
#ifndef NSN_TEST_SYSROOT_H
#define NSN_TEST_SYSROOT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recdesc.h"
#include "util.h"

#define SYSROOT_UNUSED __attribute__((unused))

/* The folder of the running test. */
static char sysroot[256];

static int SYSROOT_UNUSED sysroot_make(void **state)
{
	const char *base = getenv("TMPDIR");

	/* In memory: a tree of 10,000 groups on a busy disk takes minutes. */
	if (!base && !access("/dev/shm", W_OK))
		base = "/dev/shm";
	(void)state;
	nsn_format(sysroot, sizeof(sysroot), "%s/nosnoop-test-XXXXXX", base ? base : "/tmp");
	return mkdtemp(sysroot) ? 0 : -1;
}

static int sysroot_unlink(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int SYSROOT_UNUSED sysroot_remove(void **state)
{
	(void)state;
	return nftw(sysroot, sysroot_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* sysroot + path, with all folders above it made. The result lives until the next call. */
static const char *sysroot_path(const char *path)
{
	static char full[4096];
	char *last;

	assert_true(snprintf(full, sizeof(full), "%s%s", sysroot, path) < (int)sizeof(full));
	last = strrchr(full, '/');
	*last = '\0';
	if (access(full, F_OK)) {
		for (char *slash = strchr(full + strlen(sysroot) + 1, '/'); slash;
		     slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			if (mkdir(full, 0755))
				assert_int_equal(errno, EEXIST);
			*slash = '/';
		}
		if (mkdir(full, 0755))
			assert_int_equal(errno, EEXIST);
	}
	*last = '/';
	return full;
}

static void SYSROOT_UNUSED sysroot_folder(const char *path)
{
	if (mkdir(sysroot_path(path), 0755))
		assert_int_equal(errno, EEXIST);
}

static void SYSROOT_UNUSED sysroot_bytes(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(sysroot_path(path), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void SYSROOT_UNUSED sysroot_text(const char *path, const char *text)
{
	sysroot_bytes(path, text, strlen(text));
}

static void SYSROOT_UNUSED sysroot_link(const char *path, const char *target)
{
	assert_int_equal(symlink(target, sysroot_path(path)), 0);
}

/* The next record of a kind after `rec` (NULL: the first), or NULL. */
static const void *SYSROOT_UNUSED next_record(const struct nsn_records *records,
					      enum nsn_rec_kind kind, const void *rec)
{
	const struct nsn_rec *next = rec;

	do
		next = nsn_records__next(records, next);
	while (next && next->kind != kind);
	return next;
}

/* The i-th record of a kind, or NULL. */
static const void *SYSROOT_UNUSED record_at(const struct nsn_records *records,
					    enum nsn_rec_kind kind, size_t index)
{
	const void *rec = next_record(records, kind, NULL);

	while (rec && index--)
		rec = next_record(records, kind, rec);
	return rec;
}

/* The reason given for a fact of a subject, or NULL. */
static const char *SYSROOT_UNUSED missing_reason(const struct nsn_records *records,
						 const char *fact, const char *subject)
{
	const struct nsn_rec_missing *rec = NULL;

	while ((rec = next_record(records, NSN_REC_MISSING, rec)))
		if (!strcmp(rec->fact, fact) && !strcmp(rec->subject, subject))
			return rec->reason;
	return NULL;
}

/* The source record with this name; its absence fails the test. */
static const struct nsn_rec_source *SYSROOT_UNUSED source_of(const struct nsn_records *records,
							     const char *name)
{
	const struct nsn_rec_source *rec = NULL;

	while ((rec = next_record(records, NSN_REC_SOURCE, rec)))
		if (!strcmp(rec->name, name))
			return rec;
	fail_msg("no source %s", name);
	return NULL;
}

#endif /* NSN_TEST_SYSROOT_H */
