// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * recfile_read.c - reads recordings, which are hostile input. Floor 2.
 *
 * The format and the limits are in recfile.h. A line is bounded before jansson sees it, and jansson
 * bounds its own depth, so that no input can take more than a few MiB or an endless time here.
 */
#include "recfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "log.h"
#include "util.h"

struct nsn_recfile_reader {
	char name[PATH_MAX]; /* for messages */
	int fd;
	bool at_once;       /* does not wait for bytes that have not come */
	int err;            /* what the first failure returned */
	unsigned long line; /* from 1 */
	unsigned long unknown_records, unknown_keys;
	uint64_t input_bytes, snapshot_bytes, snapshot_lines;
	size_t start, end;                     /* of what was read and not yet taken, in buffer */
	char buffer[NSN_RECFILE_MAX_LINE + 1]; /* a line and its newline */
};

/* Logs "FILE:LINE: text" and remembers that nothing can follow. Returns err. */
__attribute__((format(printf, 3, 4))) static int fail(struct nsn_recfile_reader *reader, int err,
						      const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	nsn_error("%s:%lu: %s", reader->name, reader->line, text);
	reader->err = err;
	return err;
}

/* More bytes into the buffer, which has room. 1, 0 at the end of the file, -EAGAIN or -errno. */
static int fill(struct nsn_recfile_reader *reader)
{
	struct pollfd more = { .fd = reader->fd, .events = POLLIN };
	ssize_t got;

	if (reader->at_once && poll(&more, 1, 0) <= 0)
		return -EAGAIN;
	if (reader->start) {
		memmove(reader->buffer, reader->buffer + reader->start,
			reader->end - reader->start);
		reader->end -= reader->start;
		reader->start = 0;
	}
	do
		got = read(reader->fd, reader->buffer + reader->end,
			   sizeof(reader->buffer) - reader->end);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		int err = -errno;

		return fail(reader, err, "cannot read: %s", strerror(-err));
	}
	reader->end += got;
	reader->input_bytes += got;
	if (reader->input_bytes > NSN_RECFILE_MAX_INPUT_BYTES)
		return fail(reader, -EFBIG, "the recording is larger than %llu GiB",
			    NSN_RECFILE_MAX_INPUT_BYTES >> 30);
	return got > 0;
}

/*
 * The next line that is not empty, without its newline; valid until the next call. 1, 0 at the end
 * of the file, or -errno.
 */
static int next_line(struct nsn_recfile_reader *reader, const char **text, size_t *length)
{
	for (;;) {
		size_t have = reader->end - reader->start;
		char *from = reader->buffer + reader->start;
		char *newline = memchr(from, '\n', have);

		if (!newline && have <= NSN_RECFILE_MAX_LINE) {
			int more = fill(reader);

			if (more < 0)
				return more;
			if (more)
				continue;
			if (!have)
				return 0;
			from = reader->buffer; /* fill() moved it */
		}
		reader->line++;
		if (!newline && have > NSN_RECFILE_MAX_LINE)
			return fail(reader, -EINVAL, "the line is longer than %d bytes",
				    NSN_RECFILE_MAX_LINE);
		if (++reader->snapshot_lines > NSN_RECFILE_MAX_SNAPSHOT_LINES)
			return fail(reader, -EFBIG, "the snapshot has more than %llu lines",
				    NSN_RECFILE_MAX_SNAPSHOT_LINES);
		*text = from;
		*length = newline ? (size_t)(newline - from) : have;
		reader->start += *length + !!newline;
		if (*length)
			return 1;
	}
}

/* Parses a line into an object that the caller releases. 0 or -errno. */
static int parse_line(struct nsn_recfile_reader *reader, const char *text, size_t length,
		      json_t **out)
{
	json_error_t error;
	char *quote;

	*out = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
	if (!*out) {
		/* jansson quotes the input, which is hostile and may be cut within a character. */
		quote = strstr(error.text, " near '");
		if (quote)
			*quote = '\0';
		if (json_error_code(&error) == json_error_out_of_memory)
			return fail(reader, -ENOMEM, "out of memory");
		if (json_error_code(&error) == json_error_duplicate_key)
			return fail(reader, -EINVAL, "a key is there twice (column %d)",
				    error.column);
		return fail(reader, -EINVAL, "not a JSON object: %s (column %d)", error.text,
			    error.column);
	}
	if (json_is_object(*out))
		return 0;
	json_decref(*out);
	*out = NULL;
	return fail(reader, -EINVAL, "not a JSON object");
}

/* Only the canonical form of a number that an integer cannot hold is a number. */
static bool parse_digits(const char *text, __u64 *out)
{
	char *end;

	if (strlen(text) < 19 || strspn(text, "0123456789") != strlen(text) || text[0] == '0')
		return false;
	errno = 0;
	*out = strtoull(text, &end, 10);
	return !errno && !*end && *out > INT64_MAX;
}

static int read_number(struct nsn_recfile_reader *reader, const struct nsn_rec_desc *desc,
		       const struct nsn_field_desc *field, const json_t *value, __u64 *out)
{
	if (json_is_string(value) && field->type == NSN_FIELD_NUM &&
	    parse_digits(json_string_value(value), out))
		return 0;
	if (!json_is_integer(value))
		return fail(reader, -EINVAL, "\"%s\" of \"%s\" is not a whole number", field->name,
			    desc->name);
	if (json_integer_value(value) < 0)
		return fail(reader, -EINVAL, "\"%s\" of \"%s\" is negative", field->name,
			    desc->name);
	*out = (__u64)json_integer_value(value);
	if (field->type == NSN_FIELD_KEY && *out > NSN_RECFILE_MAX_KEY)
		return fail(reader, -EINVAL, "\"%s\" of \"%s\" is %" PRIu64 ", too large for a key",
			    field->name, desc->name, (uint64_t)*out);
	return 0;
}

static int read_field(struct nsn_recfile_reader *reader, const struct nsn_rec_desc *desc,
		      const struct nsn_field_desc *field, const json_t *value, char *at)
{
	__u64 number = 0;
	int err;

	if (field->type != NSN_FIELD_STR) {
		err = read_number(reader, desc, field, value, &number);
		if (!err)
			memcpy(at, &number, sizeof(number));
		return err;
	}
	if (!json_is_string(value))
		return fail(reader, -EINVAL, "\"%s\" of \"%s\" is not a string", field->name,
			    desc->name);
	if (json_string_length(value) >= field->size)
		return fail(reader, -EINVAL, "\"%s\" of \"%s\" is longer than %zu bytes",
			    field->name, desc->name, field->size - 1);
	memcpy(at, json_string_value(value), json_string_length(value));
	return 0;
}

/* Fills rec from an object. 1, 0 for a kind that this version does not know, or -errno. */
static int read_record(struct nsn_recfile_reader *reader, const json_t *line,
		       union nsn_any_rec *rec)
{
	const json_t *name = json_object_get(line, "rec");
	const struct nsn_rec_desc *desc;
	size_t found = 1; /* keys of the line that are ours: "rec" */
	int kind, err;

	if (!json_is_string(name))
		return fail(reader, -EINVAL, "no record: it has no \"rec\" with its kind");
	kind = nsn_rec_kind_by_name(json_string_value(name));
	if (kind < 0) {
		reader->unknown_records++;
		return 0;
	}
	desc = &nsn_rec_descs[kind];
	memset(rec, 0, sizeof(*rec));
	rec->h.kind = kind;
	rec->h.size = desc->size;
	for (size_t i = 0; i < desc->fields_count; i++) {
		const struct nsn_field_desc *field = &desc->fields[i];
		const json_t *value = json_object_get(line, field->name);

		if (!value)
			continue;
		found++;
		if (json_is_null(value))
			continue;
		err = read_field(reader, desc, field, value, (char *)rec + field->offset);
		if (err)
			return err;
		rec->h.known |= 1U << i;
	}
	reader->unknown_keys += json_object_size(line) - found;
	return 1;
}

static int read_header(struct nsn_recfile_reader *reader)
{
	const char *text, *schema;
	json_t *header = NULL;
	size_t length;
	int err = next_line(reader, &text, &length);

	if (err < 0)
		return err;
	if (!err) {
		reader->line = 1;
		return fail(reader, -EINVAL, "not a recording: it is empty");
	}
	err = parse_line(reader, text, length, &header);
	if (err)
		return err;
	schema = json_string_value(json_object_get(header, "schema"));
	if (!schema)
		err = fail(reader, -EINVAL,
			   "not a recording: the first line must be {\"schema\":\"%s\",…}",
			   NSN_RECFILE_SCHEMA);
	else if (strcmp(schema, NSN_RECFILE_SCHEMA))
		err = fail(reader, -EINVAL, "its schema is \"%.64s\", this version reads \"%s\"",
			   schema, NSN_RECFILE_SCHEMA);
	json_decref(header);
	return err;
}

int nsn_recfile_reader__open_fd(int fd, const char *name, struct nsn_recfile_reader **out)
{
	struct nsn_recfile_reader *reader = calloc(1, sizeof(*reader));
	int err;

	*out = NULL;
	if (!reader) {
		close(fd);
		return -ENOMEM;
	}
	reader->fd = fd;
	nsn_utf8_copy(reader->name, sizeof(reader->name), name);
	err = read_header(reader);
	if (err) {
		nsn_recfile_reader__free(reader);
		return err;
	}
	*out = reader;
	return 0;
}

int nsn_recfile_reader__open(const char *path, struct nsn_recfile_reader **out)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd, err;

	*out = NULL;
	if (is_stdin)
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		err = -errno;
		nsn_error("%s: cannot open the recording: %s", path, strerror(-err));
		return err;
	}
	return nsn_recfile_reader__open_fd(fd, is_stdin ? "stdin" : path, out);
}

/* Counts a record against the limits of its snapshot. 0 or -errno. */
static int account(struct nsn_recfile_reader *reader, const struct nsn_rec *rec)
{
	reader->snapshot_bytes += rec->size;
	if (reader->snapshot_bytes > NSN_RECFILE_MAX_SNAPSHOT_BYTES)
		return fail(reader, -EFBIG, "the snapshot has more than %llu MiB of records",
			    NSN_RECFILE_MAX_SNAPSHOT_BYTES >> 20);
	if (rec->kind == NSN_REC_END)
		reader->snapshot_bytes = reader->snapshot_lines = 0;
	return 0;
}

int nsn_recfile_reader__read(struct nsn_recfile_reader *reader, union nsn_any_rec *rec)
{
	const char *text;
	json_t *line;
	size_t length;
	int got = 0;

	if (reader->err)
		return reader->err;
	while (!got) {
		got = next_line(reader, &text, &length);
		if (got <= 0)
			return got;
		got = parse_line(reader, text, length, &line);
		if (got)
			return got;
		got = read_record(reader, line, rec);
		json_decref(line);
	}
	if (got < 0)
		return got;
	got = account(reader, &rec->h);
	return got ? got : 1;
}

void nsn_recfile_reader__wait(struct nsn_recfile_reader *reader, bool wait)
{
	reader->at_once = !wait;
}

unsigned long nsn_recfile_reader__line(const struct nsn_recfile_reader *reader)
{
	return reader->line;
}

void nsn_recfile_reader__free(struct nsn_recfile_reader *reader)
{
	if (!reader)
		return;
	if (reader->unknown_records || reader->unknown_keys)
		nsn_info("%s: ignored %lu records and %lu keys that this version does not know",
			 reader->name, reader->unknown_records, reader->unknown_keys);
	close(reader->fd);
	free(reader);
}
