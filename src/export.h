/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export.h - a machine as metrics: one look at it, or a look at each scrape with counters between.
 *
 * Floor 4. What the three ways of exporting (stdout, a file, HTTP) have in common.
 */
#ifndef NSN_EXPORT_H
#define NSN_EXPORT_H

#include "live.h"
#include "render_prom.h"

struct nsn_export;

struct nsn_export_opts {
	struct nsn_live_opts live;
	bool counters; /* attach the event programs and count; else it is one look */
	bool process;  /* the metrics of the process itself */
	bool host_domains;
	bool max_vms_set;
	uint64_t max_vms;
};

/*
 * Opens it; with counters, attaches the event programs and takes a first snapshot. 0 or -errno
 * (logged). The strings of the options must outlive it.
 */
int nsn_export__new(const struct nsn_export_opts *opts, struct nsn_export **out);
void nsn_export__free(struct nsn_export *export); /* NULL is fine */

/* Takes a snapshot (of a replay: what its time has come to). 0 or -errno (logged). */
int nsn_export__collect(struct nsn_export *export);

/* Prints the metrics of the last snapshot. 0 or -errno (logged). */
int nsn_export__render(struct nsn_export *export, FILE *out, enum nsn_prom_format format);

/* Brings the recording, if one was asked for, to its place. 0 or -errno (logged). */
int nsn_export__finish(struct nsn_export *export);

/* Of an export with counters: events that wait (nsn_live__fd(), __drain()), the passing of time. */
struct nsn_live *nsn_export__live(struct nsn_export *export);

#endif /* NSN_EXPORT_H */
