/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render_prom.h - metrics as Prometheus reads them, and the table of them as a document. Floor 3.
 *
 * Loops over the rows of metrics.h: the same input gives the same bytes, whatever the locale.
 */
#ifndef NSN_RENDER_PROM_H
#define NSN_RENDER_PROM_H

#include <stdio.h>

#include "metrics.h"

enum nsn_prom_format {
	NSN_PROM_TEXT,        /* text format 0.0.4 */
	NSN_PROM_OPENMETRICS, /* OpenMetrics 1.0 */
};

/* The Content-Type of an exposition. */
const char *nsn_prom_content_type(enum nsn_prom_format format);

/*
 * Prints all metrics; metrics must be prepared. 0, -ENOMEM, or -EIO if out took no more: the output
 * is then incomplete.
 */
int nsn_render_prom(FILE *out, const struct nsn_metrics *metrics, enum nsn_prom_format format);

/* Prints docs/metrics.md. As above. */
int nsn_render_metrics_list(FILE *out);

#endif /* NSN_RENDER_PROM_H */
