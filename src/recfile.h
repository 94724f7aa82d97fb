/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recfile.h - recordings: records as JSON Lines, written and read.
 *
 * Floor 2. The first line is {"schema":"nosnoop.record/1","tool_version":"…"}; then each line is one
 * record, its kind first and its fields by their names and in their order in bpf/record.h:
 *
 *	{"rec":"vm","vm":1,"mm":1,"creator":123,"pid":123,…,"comm":"qemu-system-x86"}
 *
 * A field that is unknown is absent (null is read as unknown too). Numbers are JSON integers; one
 * above 2^63-1, which JSON libraries cannot hold, is a string of decimal digits. Strings are UTF-8
 * with everything but ASCII escaped. An "end" record ends a snapshot; several may follow each other.
 * Kinds and keys that this version does not know are ignored, counted, and told at -v.
 *
 * A recording holds no kernel address: the collector replaced them by small keys, and the writer
 * refuses a record in which one is left (a key above 2^32, or a number in the upper half of the
 * address space; the last page, where negative errors and counts lie, is none).
 *
 * Whoever reads a recording is safe from it: a line, a snapshot and the whole input have limits;
 * whatever breaks the format is an error that names the file and the line, and is logged once. A
 * recording without its header is one such; one that ends before its end record is not: the model
 * then lacks the end, and what depends on completeness is unknown.
 */
#ifndef NSN_RECFILE_H
#define NSN_RECFILE_H

#include "recdesc.h"

#define NSN_RECFILE_SCHEMA "nosnoop.record/1"

#define NSN_RECFILE_MAX_KEY            (1ULL << 32)
#define NSN_RECFILE_MAX_LINE           65536          /* bytes of a line */
#define NSN_RECFILE_MAX_SNAPSHOT_LINES (4ULL << 20)   /* lines, the ignored ones too */
#define NSN_RECFILE_MAX_SNAPSHOT_BYTES (256ULL << 20) /* memory of a snapshot's records */
#define NSN_RECFILE_MAX_INPUT_BYTES    (8ULL << 30)   /* of the whole recording */

/* Room for a record of any kind. */
#define NSN_EXPAND_MEMBER(NAME, name) struct nsn_rec_##name name;
union nsn_any_rec {
	struct nsn_rec h;
	NSN_RECORDS(NSN_EXPAND_MEMBER)
};
#undef NSN_EXPAND_MEMBER

/* ---- writing ------------------------------------------------------------------------------- */

struct nsn_recfile;

/*
 * Starts a recording. It is written to a file of another name in path's folder, readable by its
 * owner alone, and takes path's name only at the commit: a recording is there as a whole or not at
 * all. "-" is stdout; what is there and no regular file (a pipe, a device) is written to directly.
 * Returns 0 or -errno (logged); *out is then NULL.
 */
int nsn_recfile__create(const char *path, struct nsn_recfile **out);

/*
 * Writes one record. 0, -EINVAL for one that is none or holds an address, -EFBIG for a snapshot that
 * no replay would take, -ENOMEM, or -errno of the write; logged. After an error nothing but
 * nsn_recfile__salvage() and nsn_recfile__free() makes sense.
 */
int nsn_recfile__put(struct nsn_recfile *file, const struct nsn_rec *rec);

/* Brings everything to the disk and under its name. 0 or -errno (logged). Call free after it. */
int nsn_recfile__commit(struct nsn_recfile *file);

/*
 * After an error of put: cuts the recording behind its last whole snapshot and commits that, so that a disk
 * that is full at last does not cost what came before. Returns 1, 0 if nothing is whole or can be cut
 * (a pipe), or -errno (logged). Call free after it.
 */
int nsn_recfile__salvage(struct nsn_recfile *file);

/* Closes; a recording that was not committed is removed. NULL is fine. */
void nsn_recfile__free(struct nsn_recfile *file);

/* ---- reading ------------------------------------------------------------------------------- */

struct nsn_recfile_reader;

/* Opens a recording ("-" is stdin) and reads its header. 0 or -errno (logged); *out then NULL. */
int nsn_recfile_reader__open(const char *path, struct nsn_recfile_reader **out);

/* The same of an open descriptor, which the reader closes in any case; name is for messages. */
int nsn_recfile_reader__open_fd(int fd, const char *name, struct nsn_recfile_reader **out);

/*
 * Reads the next record that this version knows. Returns 1, 0 at the end of the file, or -errno:
 * -EINVAL for a line that is no record, -EFBIG beyond a limit (logged with file and line). After an
 * error every further call returns it again, without logging.
 */
int nsn_recfile_reader__read(struct nsn_recfile_reader *reader, union nsn_any_rec *rec);

/*
 * Of a pipe, whose writer may take its time: without waiting, reading gives -EAGAIN where nothing more has
 * come yet, which is no failure. A reader waits unless it is told not to.
 */
void nsn_recfile_reader__wait(struct nsn_recfile_reader *reader, bool wait);

/* Number of the line that was read last, from 1. */
unsigned long nsn_recfile_reader__line(const struct nsn_recfile_reader *reader);

/* Closes; tells at -v what was ignored. NULL is fine. */
void nsn_recfile_reader__free(struct nsn_recfile_reader *reader);

#endif /* NSN_RECFILE_H */
