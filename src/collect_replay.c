// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_replay.c - a recording as a source of records. Floor 2.
 */
#include "collect_replay.h"

#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "recfile.h"

struct nsn_replay {
	struct nsn_recfile_reader *reader;
	struct nsn_records records; /* of the snapshot that next_snapshot reads */
	bool partly;                /* the rest of it has not come yet */
};

/*
 * Reads up to the next end record, behind what records has. 1 with a complete snapshot in records, 0 at the
 * end of the file (records: what there was after the last end), -EAGAIN (its rest has not come) or -errno.
 */
static int read_on(struct nsn_recfile_reader *reader, struct nsn_records *records)
{
	union nsn_any_rec rec;
	int got;

	while ((got = nsn_recfile_reader__read(reader, &rec)) > 0) {
		int err = nsn_records__add(records, &rec.h);

		if (err)
			return err;
		if (rec.h.kind == NSN_REC_END)
			return 1;
	}
	return got;
}

static int read_snapshot(struct nsn_recfile_reader *reader, struct nsn_records *records)
{
	nsn_records__clear(records);
	return read_on(reader, records);
}

static int feed(const struct nsn_records *records, struct nsn_sink *sink)
{
	const struct nsn_rec *rec = NULL;
	int err = 0;

	while (!err && (rec = nsn_records__next(records, rec)))
		err = nsn_sink__put(sink, rec);
	return err;
}

/* Feeds the last complete snapshot that the reader gives, else what there is. 0 or -errno. */
static int feed_last(struct nsn_recfile_reader *reader, const char *name, struct nsn_sink *sink)
{
	struct nsn_records stores[2];
	int current = 0, got;
	bool complete = false;

	nsn_records__init(&stores[0]);
	nsn_records__init(&stores[1]);
	while ((got = read_snapshot(reader, &stores[current])) > 0) {
		complete = true;
		current = !current;
	}
	if (!got && !complete) {
		nsn_warning("%s: the recording has no end: what was cut off is unknown", name);
		got = feed(&stores[current], sink);
	} else if (!got) {
		if (stores[current].count)
			nsn_warning("%s: the last snapshot has no end: taking the one before it",
				    name);
		got = feed(&stores[!current], sink);
	}
	nsn_records__free(&stores[0]);
	nsn_records__free(&stores[1]);
	return got;
}

int nsn_replay__collect(const char *path, struct nsn_sink *sink)
{
	struct nsn_recfile_reader *reader;
	int err = nsn_recfile_reader__open(path, &reader);

	if (err)
		return err;
	err = feed_last(reader, path, sink);
	nsn_recfile_reader__free(reader);
	return err;
}

int nsn_replay__collect_fd(int fd, const char *name, struct nsn_sink *sink)
{
	struct nsn_recfile_reader *reader;
	int err = nsn_recfile_reader__open_fd(fd, name, &reader);

	if (err)
		return err;
	err = feed_last(reader, name, sink);
	nsn_recfile_reader__free(reader);
	return err;
}

int nsn_replay__open(const char *path, struct nsn_replay **out)
{
	struct nsn_replay *replay = calloc(1, sizeof(*replay));
	int err;

	*out = NULL;
	if (!replay)
		return -ENOMEM;
	nsn_records__init(&replay->records);
	err = nsn_recfile_reader__open(path, &replay->reader);
	if (err) {
		nsn_replay__free(replay);
		return err;
	}
	*out = replay;
	return 0;
}

int nsn_replay__next_snapshot(struct nsn_replay *replay, struct nsn_sink *sink)
{
	int got = replay->partly ? read_on(replay->reader, &replay->records)
				 : read_snapshot(replay->reader, &replay->records);

	replay->partly = got == -EAGAIN;
	if (got < 0 || !replay->records.count)
		return got;
	got = feed(&replay->records, sink);
	return got ? got : 1;
}

void nsn_replay__wait(struct nsn_replay *replay, bool wait)
{
	nsn_recfile_reader__wait(replay->reader, wait);
}

void nsn_replay__free(struct nsn_replay *replay)
{
	if (!replay)
		return;
	nsn_recfile_reader__free(replay->reader);
	nsn_records__free(&replay->records);
	free(replay);
}
