// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * newfile.c - a file that is there as a whole or not at all. Floor 0.
 */
#include "newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

/* A symbolic link in /dev (/dev/stdout) is as good as the stream it leads to; never replace it. */
static bool is_stream(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && strncmp(path, "/dev/", 5) == 0)
		return true;
	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int open_stream(const char *path)
{
	int fd;

	if (strcmp(path, "-") == 0)
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int open_temporary(struct nsn_newfile *file, mode_t mode)
{
	const char *slash = strrchr(file->path, '/');
	int folder = slash ? (int)(slash + 1 - file->path) : 0;
	int fd = -1, err = 0;

	if (snprintf(file->temporary, sizeof(file->temporary), "%.*s.nosnoop-XXXXXX", folder,
		     file->path) >= (int)sizeof(file->temporary))
		err = -ENAMETOOLONG;
	else if ((fd = mkostemp(file->temporary, O_CLOEXEC)) < 0)
		err = -errno;
	if (err) {
		file->temporary[0] = '\0';
		return err;
	}
	if (mode == (S_IRUSR | S_IWUSR) || fchmod(fd, mode) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int nsn_newfile__create(struct nsn_newfile *file, const char *path, mode_t mode)
{
	int fd, err;

	memset(file, 0, sizeof(*file));
	if (!*path || strlen(path) >= sizeof(file->path))
		return *path ? -ENAMETOOLONG : -ENOENT;
	strcpy(file->path, path);
	fd = strcmp(path, "-") == 0 || is_stream(path) ? open_stream(path)
						       : open_temporary(file, mode);
	if (fd < 0) {
		nsn_newfile__abort(file);
		return fd;
	}
	file->out = fdopen(fd, "w");
	if (file->out)
		return 0;
	err = -errno;
	close(fd);
	nsn_newfile__abort(file);
	return err;
}

/* Makes the new name last too; a folder that can't be synced (a network's) is no failure. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	int fd;

	if (slash)
		nsn_format(folder, sizeof(folder), "%.*s", (int)(slash + 1 - path), path);
	fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

int nsn_newfile__commit(struct nsn_newfile *file)
{
	bool named = file->temporary[0];
	int err = ferror(file->out) ? -EIO : 0; /* something was not written: never mind the rest */

	if (fflush(file->out) || (named && fsync(fileno(file->out))))
		err = err ? err : -errno;
	if (fclose(file->out) && !err)
		err = -errno;
	file->out = NULL;
	if (!err && named && rename(file->temporary, file->path))
		err = -errno;
	if (err)
		return err;
	if (named)
		sync_folder(file->path);
	file->temporary[0] = '\0';
	return 0;
}

int nsn_newfile__cut(struct nsn_newfile *file, off_t size)
{
	if (!file->temporary[0])
		return -ESPIPE;
	__fpurge(file->out);
	clearerr(file->out);
	return ftruncate(fileno(file->out), size) ? -errno : 0;
}

void nsn_newfile__abort(struct nsn_newfile *file)
{
	if (file->out)
		fclose(file->out);
	file->out = NULL;
	if (file->temporary[0])
		unlink(file->temporary);
	file->temporary[0] = '\0';
}
