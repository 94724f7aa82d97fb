// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * proccache.c - what /proc told of a process, for the snapshots after it. Floor 2.
 */
#include "proccache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "collect_proc.h"

#define FRESH_NS 60000000000ULL

struct entry {
	struct {
		uint64_t pid, start_ticks;
	} id;
	uint64_t read_at;
	bool asked; /* since the last sweep */
	struct nsn_rec_process rec;
	UT_hash_handle hh;
};

struct nsn_proc_cache {
	struct entry *entries;
};

/* Passes records on, and keeps the last one that is a process. */
struct keeper {
	struct nsn_sink sink;
	struct nsn_sink *next;
	struct nsn_rec_process rec;
	size_t count;
};

static int keep(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	struct keeper *keeper = (struct keeper *)sink;

	keeper->count++;
	if (rec->kind == NSN_REC_PROCESS)
		memcpy(&keeper->rec, rec, sizeof(keeper->rec));
	return nsn_sink__put(keeper->next, rec);
}

/* One record alone: nothing of the process was missing. */
static int remember(struct nsn_proc_cache *cache, struct entry *entry, const struct keeper *keeper,
		    uint64_t start_ticks, uint64_t now_ns)
{
	if (keeper->count != 1 || keeper->rec.h.kind != NSN_REC_PROCESS || !start_ticks)
		return 0;
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		entry->id.pid = keeper->rec.pid;
		entry->id.start_ticks = start_ticks;
		HASH_ADD(hh, cache->entries, id, sizeof(entry->id), entry);
	}
	entry->asked = true;
	entry->read_at = now_ns;
	entry->rec = keeper->rec;
	return 0;
}

int nsn_proc_cache__collect(struct nsn_proc_cache *cache, const char *sysroot, uint64_t pid,
			    uint64_t start_ticks, uint64_t now_ns, struct nsn_sink *sink)
{
	struct keeper keeper = { .sink = { .put = keep }, .next = sink };
	struct entry like = { .id = { pid, start_ticks } }, *entry;
	int err;

	HASH_FIND(hh, cache->entries, &like.id, sizeof(like.id), entry);
	if (entry && now_ns - entry->read_at < FRESH_NS) {
		entry->asked = true;
		return nsn_sink__put(sink, &entry->rec.h);
	}
	err = nsn_proc__collect(sysroot, pid, start_ticks, &keeper.sink);
	return err ? err : remember(cache, entry, &keeper, start_ticks, now_ns);
}

void nsn_proc_cache__sweep(struct nsn_proc_cache *cache)
{
	struct entry *entry, *next;

	HASH_ITER(hh, cache->entries, entry, next) {
		if (entry->asked) {
			entry->asked = false;
			continue;
		}
		HASH_DEL(cache->entries, entry);
		free(entry);
	}
}

struct nsn_proc_cache *nsn_proc_cache__new(void)
{
	return calloc(1, sizeof(struct nsn_proc_cache));
}

void nsn_proc_cache__free(struct nsn_proc_cache *cache)
{
	struct entry *entry, *next;

	if (!cache)
		return;
	HASH_ITER(hh, cache->entries, entry, next) {
		HASH_DEL(cache->entries, entry);
		free(entry);
	}
	free(cache);
}
