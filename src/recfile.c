// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recfile.c - writes recordings. Floor 2.
 *
 * Reading is in recfile_read.c, the format in recfile.h.
 */
#include "recfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "log.h"
#include "util.h"
#include "version.h"

struct nsn_recfile {
	char path[PATH_MAX];      /* as the user wrote it */
	char temporary[PATH_MAX]; /* to be renamed to path; "" if written to directly */
	FILE *out;
	uint64_t snapshot_bytes;
};

/* A symbolic link in /dev (/dev/stdout) is as good as the stream it leads to; never replace it. */
static bool is_stream(const char *path)
{
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && strncmp(path, "/dev/", 5) == 0)
		return true;
	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int open_stream(struct nsn_recfile *file)
{
	int fd;

	if (strcmp(file->path, "-") == 0)
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(file->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int open_temporary(struct nsn_recfile *file)
{
	const char *slash = strrchr(file->path, '/');
	int folder = slash ? (int)(slash + 1 - file->path) : 0;
	int fd, err;

	if (snprintf(file->temporary, sizeof(file->temporary), "%.*s.nosnoop-XXXXXX", folder,
		     file->path) >= (int)sizeof(file->temporary))
		err = -ENAMETOOLONG;
	else if ((fd = mkostemp(file->temporary, O_CLOEXEC)) >= 0)
		return fd;
	else
		err = -errno;
	file->temporary[0] = '\0';
	return err;
}

static int write_line(struct nsn_recfile *file, json_t *line)
{
	if (json_dumpf(line, file->out, JSON_COMPACT | JSON_ENSURE_ASCII) ||
	    fputc('\n', file->out) == EOF) {
		int err = errno ? -errno : -EIO;

		nsn_error("%s: cannot write: %s", file->path, strerror(-err));
		return err;
	}
	return 0;
}

static int write_header(struct nsn_recfile *file)
{
	json_t *header = json_pack("{ss ss}", "schema", NSN_RECFILE_SCHEMA, "tool_version",
				   nsn_version);
	int err = header ? write_line(file, header) : -ENOMEM;

	json_decref(header);
	return err;
}

int nsn_recfile__create(const char *path, struct nsn_recfile **out)
{
	struct nsn_recfile *file = calloc(1, sizeof(*file));
	int fd, err;

	*out = NULL;
	if (!file)
		return -ENOMEM;
	if (!*path || strlen(path) >= sizeof(file->path)) {
		err = *path ? -ENAMETOOLONG : -ENOENT;
		goto fail;
	}
	strcpy(file->path, path);
	fd = strcmp(path, "-") == 0 || is_stream(path) ? open_stream(file) : open_temporary(file);
	if (fd < 0) {
		err = fd;
		goto fail;
	}
	file->out = fdopen(fd, "w");
	if (!file->out) {
		err = -errno;
		close(fd);
		goto fail;
	}
	err = write_header(file);
	if (err)
		goto free_file; /* logged */
	*out = file;
	return 0;
fail:
	nsn_error("%s: cannot create the recording: %s", path, strerror(-err));
free_file:
	nsn_recfile__free(file);
	return err;
}

/*
 * Kernel addresses lie in the upper half; no fact of ours does, but for small negative numbers that
 * were widened, and no object lives in the last page.
 */
static bool is_address(uint64_t value)
{
	return value > INT64_MAX && value < -4096ULL;
}

static json_t *number_to_json(uint64_t value)
{
	char digits[24];

	if (value <= INT64_MAX)
		return json_integer((json_int_t)value);
	return json_string(nsn_format(digits, sizeof(digits), "%" PRIu64, value));
}

/* The collector made the text valid and ended it; nothing that slips by may make the JSON invalid. */
static json_t *text_to_json(const char *text, size_t size)
{
	char bounded[NSN_TEXT_LEN + 1], valid[NSN_TEXT_LEN];

	if (size > NSN_TEXT_LEN)
		size = NSN_TEXT_LEN;
	memcpy(bounded, text, size);
	bounded[size] = '\0';
	nsn_utf8_copy(valid, size, bounded);
	return json_string(valid);
}

static int field_to_json(struct nsn_recfile *file, const struct nsn_rec *rec, size_t i,
			 json_t *line)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[rec->kind];
	const struct nsn_field_desc *field = &desc->fields[i];
	const char *at = (const char *)rec + field->offset;
	json_t *value;
	__u64 number;

	if (field->type == NSN_FIELD_STR) {
		value = text_to_json(at, field->size);
	} else {
		memcpy(&number, at, sizeof(number));
		if (is_address(number) ||
		    (field->type == NSN_FIELD_KEY && number > NSN_RECFILE_MAX_KEY)) {
			nsn_error("%s: refused to record %s.%s: its value could be a kernel "
				  "address (please report this)",
				  file->path, desc->name, field->name);
			return -EINVAL;
		}
		value = number_to_json(number);
	}
	return json_object_set_new(line, field->name, value) ? -ENOMEM : 0;
}

static int check_record(struct nsn_recfile *file, const struct nsn_rec *rec)
{
	if (rec->kind >= NSN_REC_MAX || rec->size != nsn_rec_descs[rec->kind].size) {
		nsn_error("%s: refused to record kind %u of %u bytes: no such record", file->path,
			  rec->kind, rec->size);
		return -EINVAL;
	}
	file->snapshot_bytes += rec->size;
	if (file->snapshot_bytes > NSN_RECFILE_MAX_SNAPSHOT_BYTES) {
		nsn_error("%s: the snapshot has more than %llu MiB of records, which no replay "
			  "takes",
			  file->path, NSN_RECFILE_MAX_SNAPSHOT_BYTES >> 20);
		return -EFBIG;
	}
	if (rec->kind == NSN_REC_END)
		file->snapshot_bytes = 0;
	return 0;
}

int nsn_recfile__put(struct nsn_recfile *file, const struct nsn_rec *rec)
{
	int err = check_record(file, rec);
	json_t *line;

	if (err)
		return err;
	line = json_object();
	if (!line || json_object_set_new(line, "rec", json_string(nsn_rec_descs[rec->kind].name)))
		err = -ENOMEM;
	for (size_t i = 0; !err && i < nsn_rec_descs[rec->kind].fields_count; i++)
		if (nsn_rec_knows(rec, i))
			err = field_to_json(file, rec, i, line);
	if (!err)
		err = write_line(file, line);
	json_decref(line);
	if (!err && rec->kind == NSN_REC_END && fflush(file->out)) {
		err = -errno;
		nsn_error("%s: cannot write: %s", file->path, strerror(-err));
	}
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
	if (fd >= 0) {
		if (fsync(fd))
			nsn_debug("%s: fsync of its folder: %s", path, strerror(errno));
		close(fd);
	}
}

int nsn_recfile__commit(struct nsn_recfile *file)
{
	bool named = file->temporary[0];
	int err = 0;

	if (fflush(file->out) || (named && fsync(fileno(file->out))))
		err = -errno;
	if (fclose(file->out) && !err)
		err = -errno;
	file->out = NULL;
	if (!err && named && rename(file->temporary, file->path))
		err = -errno;
	if (err) {
		nsn_error("%s: cannot write: %s", file->path, strerror(-err));
		return err;
	}
	if (named)
		sync_folder(file->path);
	file->temporary[0] = '\0';
	return 0;
}

void nsn_recfile__free(struct nsn_recfile *file)
{
	if (!file)
		return;
	if (file->out)
		fclose(file->out);
	if (file->temporary[0])
		unlink(file->temporary);
	free(file);
}

static int tee_put(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	struct nsn_recfile_tee *tee = (struct nsn_recfile_tee *)sink;
	int err = nsn_recfile__put(tee->file, rec);

	if (err || !tee->next)
		return err;
	return nsn_sink__put(tee->next, rec);
}

void nsn_recfile_tee__init(struct nsn_recfile_tee *tee, struct nsn_recfile *file,
			   struct nsn_sink *next)
{
	tee->sink.put = tee_put;
	tee->file = file;
	tee->next = next;
}
