/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * live_internal.h - what the files of a live machine share. Floor 4, private to live*.c.
 */
#ifndef NSN_LIVE_INTERNAL_H
#define NSN_LIVE_INTERNAL_H

#include "live.h"
#include "model_names.h"

#define NSN_LIVE_FEATURES 32

struct nsn_live {
	struct nsn_live_opts opts;
	struct nsn_session *session;
	struct nsn_model *model;
	struct nsn_findings *findings;
	struct nsn_rates *rates;
	struct nsn_history *history;
	struct nsn_top_event *events; /* the newest last */
	size_t events_count, events_capacity;
	size_t unnamed; /* the first that no snapshot has named */
	struct nsn_ids *ids;
	struct nsn_top_feature features[NSN_LIVE_FEATURES];
	size_t features_count;
	uint64_t snapshot_at, snapshot_cost; /* ns, CLOCK_MONOTONIC */
	uint64_t recorded_at;                /* of the last snapshot that was recorded unseen */
	bool wanted;                         /* a snapshot */
	bool starting;                       /* the event programs are being attached */
	bool told;                           /* events have come: differences are no news */
	char *record_path;
	int record_error; /* of the recording that was asked for from the start */
	/* of a replay: */
	struct nsn_model *next; /* read already, shown when its time has come */
	struct nsn_records next_events;
	uint64_t began_at;   /* ns, CLOCK_MONOTONIC */
	uint64_t began_time; /* ns since the epoch, of its first snapshot */
	uint64_t paused_at;  /* ns, CLOCK_MONOTONIC; 0: it is not */
	bool wait; /* for what a pipe has not brought yet; else it is looked for at each tick */
	bool ended;
	uint64_t replay_lost; /* what it tells of losses */
};

/* Takes in one event. 0 or -ENOMEM. */
int nsn_live__take(struct nsn_live *live, const struct nsn_rec *rec);
/* A new model may name what the last one could not. */
void nsn_live__name_events(struct nsn_live *live);
/* What differs from the model before becomes events, where no probe shows it. 0 or -ENOMEM. */
int nsn_live__add_differences(struct nsn_live *live, const struct nsn_model *model);
/* Brings the list of features up to date. */
void nsn_live__list_features(struct nsn_live *live);

#endif /* NSN_LIVE_INTERNAL_H */
