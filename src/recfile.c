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
#include "newfile.h"
#include "util.h"
#include "version.h"

struct nsn_recfile {
	struct nsn_newfile file;
	uint64_t snapshot_bytes;
	off_t whole; /* where the last snapshot ends; 0: there is none */
};

static int write_line(struct nsn_recfile *file, json_t *line)
{
	if (json_dumpf(line, file->file.out, JSON_COMPACT | JSON_ENSURE_ASCII) ||
	    fputc('\n', file->file.out) == EOF) {
		int err = errno ? -errno : -EIO;

		nsn_error("%s: cannot write: %s", file->file.path, strerror(-err));
		return err;
	}
	return 0;
}

static int write_header(struct nsn_recfile *file)
{
	json_t *header =
		json_pack("{ss ss}", "schema", NSN_RECFILE_SCHEMA, "tool_version", nsn_version);
	int err = header ? write_line(file, header) : -ENOMEM;

	json_decref(header);
	return err;
}

int nsn_recfile__create(const char *path, struct nsn_recfile **out)
{
	struct nsn_recfile *file = calloc(1, sizeof(*file));
	int err;

	*out = NULL;
	if (!file)
		return -ENOMEM;
	err = nsn_newfile__create(&file->file, path, S_IRUSR | S_IWUSR);
	if (err) {
		nsn_error("%s: cannot create the recording: %s", path, strerror(-err));
		free(file);
		return err;
	}
	err = write_header(file);
	if (err)
		nsn_recfile__free(file); /* logged */
	else
		*out = file;
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
				  file->file.path, desc->name, field->name);
			return -EINVAL;
		}
		value = number_to_json(number);
	}
	return json_object_set_new(line, field->name, value) ? -ENOMEM : 0;
}

static int check_record(struct nsn_recfile *file, const struct nsn_rec *rec)
{
	if (rec->kind >= NSN_REC_MAX || rec->size != nsn_rec_descs[rec->kind].size) {
		nsn_error("%s: refused to record kind %u of %u bytes: no such record",
			  file->file.path, rec->kind, rec->size);
		return -EINVAL;
	}
	file->snapshot_bytes += rec->size;
	if (file->snapshot_bytes > NSN_RECFILE_MAX_SNAPSHOT_BYTES) {
		nsn_error("%s: the snapshot has more than %llu MiB of records, which no replay "
			  "takes",
			  file->file.path, NSN_RECFILE_MAX_SNAPSHOT_BYTES >> 20);
		return -EFBIG;
	}
	if (rec->kind == NSN_REC_END)
		file->snapshot_bytes = 0;
	return 0;
}

static int end_snapshot(struct nsn_recfile *file)
{
	int err;

	if (fflush(file->file.out)) {
		err = -errno;
		nsn_error("%s: cannot write: %s", file->file.path, strerror(-err));
		return err;
	}
	file->whole = ftello(file->file.out); /* -1 of a pipe, which is not cut */
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
	return !err && rec->kind == NSN_REC_END ? end_snapshot(file) : err;
}

int nsn_recfile__commit(struct nsn_recfile *file)
{
	int err = nsn_newfile__commit(&file->file);

	if (err)
		nsn_error("%s: cannot write: %s", file->file.path, strerror(-err));
	return err;
}

int nsn_recfile__salvage(struct nsn_recfile *file)
{
	int err;

	if (file->whole <= 0 || nsn_newfile__cut(&file->file, file->whole))
		return 0;
	err = nsn_recfile__commit(file);
	return err ? err : 1;
}

void nsn_recfile__free(struct nsn_recfile *file)
{
	if (!file)
		return;
	nsn_newfile__abort(&file->file);
	free(file);
}
