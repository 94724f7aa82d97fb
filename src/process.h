/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * process.h - what the process itself takes, for its own metrics. Floor 2: it reads /proc.
 */
#ifndef NSN_PROCESS_H
#define NSN_PROCESS_H

#include "metrics.h"

/* Reads it all; what could not be read is < 0. */
void nsn_process__read(struct nsn_metric_process *out);

#endif /* NSN_PROCESS_H */
