/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * newfile.h - a file that is there as a whole or not at all: it is written under another name in the
 * same folder and takes its own at the commit, after it has reached the disk. The old one stays as
 * it is until then, whatever fails.
 *
 * Floor 0. Nothing is logged: callers say what the file was to be.
 */
#ifndef NSN_NEWFILE_H
#define NSN_NEWFILE_H

#include <limits.h>
#include <stdio.h>
#include <sys/types.h>

struct nsn_newfile {
	char path[PATH_MAX];      /* as the user wrote it */
	char temporary[PATH_MAX]; /* to be renamed to path; "" if written to directly */
	FILE *out;
};

/*
 * Starts the file, with this mode. "-" is stdout; what is there and no regular file (a pipe, a device)
 * is written to directly. 0 or -errno: file is then as after nsn_newfile__abort().
 */
int nsn_newfile__create(struct nsn_newfile *file, const char *path, mode_t mode);

/* Brings everything to the disk and under its name. 0 or -errno; abort is due in any case. */
int nsn_newfile__commit(struct nsn_newfile *file);

/*
 * After a failed write: drops what waits to be written, and all behind the first size bytes. Then it can be
 * committed. 0, -ESPIPE for one that is written to directly, or -errno.
 */
int nsn_newfile__cut(struct nsn_newfile *file, off_t size);

/* Closes; what was not committed is removed. A zeroed struct is fine. */
void nsn_newfile__abort(struct nsn_newfile *file);

#endif /* NSN_NEWFILE_H */
