// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * unseen.c - events that no probe shows. Floor 4.
 */
#include "unseen.h"

uint64_t nsn_unseen__live(const struct nsn_events *events)
{
	size_t count = nsn_probe_rows_count;
	const struct nsn_probe_state *states = events ? nsn_events__probes(events, &count) : NULL;
	uint64_t mask = 0;

	for (size_t i = 0; i < count; i++)
		if (!states || (states[i].method == NSN_PROBE_NONE && !states[i].absent))
			mask |= nsn_probe_rows[i].events;
	return mask;
}

void nsn_unseen__note(const struct nsn_records *events, uint64_t *on)
{
	const struct nsn_rec *rec = NULL;

	while ((rec = nsn_records__next(events, rec))) {
		const struct nsn_rec_event *event = (const void *)rec;
		const struct nsn_probe_row *row = NULL;

		if (event->event == NSN_EVENT_PROBE)
			row = nsn_probe_row__find(event->device);
		if (!row)
			continue;
		*on &= ~row->events;
		if (event->count || event->inner) /* it is on, or has nothing to see */
			*on |= row->events;
	}
}

uint64_t nsn_unseen__replay(const struct nsn_model *model, uint64_t on)
{
	char source[NSN_NAME_LEN];
	uint64_t mask = 0;

	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		nsn_format(source, sizeof(source), "events.%s", nsn_probe_rows[i].feature);
		if (nsn_model__source(model, source, NULL) == NSN_SOURCE_FAILED)
			mask |= nsn_probe_rows[i].events & ~on;
	}
	return mask;
}
