// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_util.c - folder listings, link names and the records of what could not be read. Floor 2.
 */
#include "collect_util.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

int nsn_collect__check_sysroot(const char *sysroot)
{
	char path[PATH_MAX];
	struct stat found;

	if (!sysroot)
		return 0;
	if (sysroot[0] && snprintf(path, sizeof(path), "%s/sys", sysroot) < (int)sizeof(path) &&
	    stat(path, &found) == 0 && S_ISDIR(found.st_mode))
		return 0;
	nsn_error("--sysroot '%s': there is no folder sys in it", sysroot);
	return -ENOENT;
}

static int compare_names(const void *a, const void *b)
{
	const char *left = *(char *const *)a, *right = *(char *const *)b;

	return strverscmp(left, right);
}

static int add_name(struct nsn_names *names, const char *name)
{
	char **item = NSN_APPEND(names, items);

	if (!item)
		return -ENOMEM;
	*item = strdup(name);
	if (*item)
		return 0;
	names->items_count--;
	return -ENOMEM;
}

int nsn_names__list(struct nsn_names *names, const char *root, const char *path)
{
	size_t first = names->items_count;
	char full[PATH_MAX];
	struct dirent *entry;
	int err = 0;
	DIR *dir;

	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	dir = opendir(full);
	if (!dir)
		return -errno;
	while (!err) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			err = -errno;
			break;
		}
		if (entry->d_name[0] != '.')
			err = add_name(names, entry->d_name);
	}
	closedir(dir);
	if (err) {
		while (names->items_count > first)
			free(names->items[--names->items_count]);
		return err;
	}
	if (names->items_count > first)
		qsort(names->items + first, names->items_count - first, sizeof(*names->items),
		      compare_names);
	return 0;
}

void nsn_names__free(struct nsn_names *names)
{
	for (size_t i = 0; i < names->items_count; i++)
		free(names->items[i]);
	free(names->items);
	memset(names, 0, sizeof(*names));
}

long nsn_collect__link_name(const char *root, const char *path, char *out, size_t size)
{
	char full[PATH_MAX], target[PATH_MAX];
	const char *name;
	ssize_t length;

	out[0] = '\0';
	if (snprintf(full, sizeof(full), "%s%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	length = readlink(full, target, sizeof(target) - 1);
	if (length < 0)
		return errno == ENOENT ? 0 : -errno;
	target[length] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (strlen(name) >= size)
		return -ENAMETOOLONG;
	strcpy(out, name);
	return strlen(out);
}

char *nsn_collect__why(char *out, size_t size, int error, const char *capability)
{
	error = error < 0 ? -error : error;
	if (error == EACCES || error == EPERM)
		return nsn_format(out, size, "permission denied: needs %s", capability);
	return nsn_format(out, size, "%s",
			  strerrordesc_np(error) ? strerrordesc_np(error) : nsn_errno_name(error));
}

int nsn_collect__missing(struct nsn_sink *sink, const char *fact, const char *subject,
			 const char *format, ...)
{
	NSN_NEW(rec, MISSING, missing);
	char reason[512];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	NSN_PUT_STR(&rec, missing, fact, fact);
	NSN_PUT_STR(&rec, missing, subject, subject);
	NSN_PUT_STR(&rec, missing, reason, reason);
	return nsn_sink__put(sink, &rec.h);
}

int nsn_collect__absent(struct nsn_sink *sink, const char *fact, const char *reason)
{
	NSN_NEW(rec, MISSING, missing);

	NSN_PUT(&rec, missing, absent, 1);
	NSN_PUT_STR(&rec, missing, fact, fact);
	NSN_PUT_STR(&rec, missing, subject, "");
	NSN_PUT_STR(&rec, missing, reason, reason);
	return nsn_sink__put(sink, &rec.h);
}

int nsn_collect__source(struct nsn_sink *sink, const char *name, enum nsn_source_state state,
			const char *format, ...)
{
	NSN_NEW(rec, SOURCE, source);
	char reason[512];
	va_list args;

	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	NSN_PUT(&rec, source, state, state);
	NSN_PUT_STR(&rec, source, name, name);
	NSN_PUT_STR(&rec, source, reason, reason);
	return nsn_sink__put(sink, &rec.h);
}
