// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * collect_count.c - what all live sources of a snapshot write into. Floor 2.
 */
#include "collect_count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect_util.h"

static int want_process(struct nsn_counter *counter, uint64_t pid, uint64_t start_ticks)
{
	struct nsn_wanted *entry;

	HASH_FIND(hh, counter->processes, &pid, sizeof(pid), entry);
	if (entry || !pid)
		return 0;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->pid = pid;
	entry->start_ticks = start_ticks;
	HASH_ADD(hh, counter->processes, pid, sizeof(entry->pid), entry);
	return 0;
}

static int count_record(struct nsn_sink *sink, const struct nsn_rec *rec)
{
	struct nsn_counter *counter = (struct nsn_counter *)sink;
	int err = 0;

	counter->counts[rec->kind]++;
	if (rec->kind == NSN_REC_FILE) {
		const struct nsn_rec_file *file = (const void *)rec;

		err = want_process(counter, file->pid, file->start_ticks);
	} else if (rec->kind == NSN_REC_VM) {
		const struct nsn_rec_vm *vm = (const void *)rec;

		err = want_process(counter, vm->pid, vm->start_ticks);
	} else if (rec->kind == NSN_REC_SOURCE) {
		const struct nsn_rec_source *source = (const void *)rec;

		if (strcmp(source->name, "kernel.files") == 0)
			counter->files_unread = source->state != NSN_SOURCE_OK;
	}
	return err ? err : nsn_sink__put(counter->next, rec);
}

void nsn_counter__init(struct nsn_counter *counter, struct nsn_sink *next)
{
	*counter = (struct nsn_counter){ .sink = { .put = count_record }, .next = next };
}

/* In the order of enum nsn_rec_kind. */
int nsn_counter__end(struct nsn_counter *counter)
{
	const struct nsn_rec_desc *desc = &nsn_rec_descs[NSN_REC_END];
	NSN_NEW(rec, END, end);

	for (size_t kind = 0; kind < desc->fields_count; kind++) {
		memcpy((char *)&rec + desc->fields[kind].offset, &counter->counts[kind],
		       sizeof(counter->counts[kind]));
		rec.h.known |= 1U << kind;
	}
	return nsn_sink__put(counter->next, &rec.h);
}

void nsn_counter__free(struct nsn_counter *counter)
{
	struct nsn_wanted *entry, *next;

	HASH_ITER(hh, counter->processes, entry, next) {
		HASH_DEL(counter->processes, entry);
		free(entry);
	}
}
