/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_clean.h - makes a record of what a BPF program wrote: names of functions become those of
 * drivers and page-table formats, and no address or broken text is left in a string.
 *
 * Floor 2.
 */
#ifndef NSN_COLLECT_CLEAN_H
#define NSN_COLLECT_CLEAN_H

#include "recdesc.h"

/* Strings come from the kernel as bytes; a process name is whatever its owner likes. */
void nsn_collect__clean(struct nsn_rec *rec);

#endif /* NSN_COLLECT_CLEAN_H */
