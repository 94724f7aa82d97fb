/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proccache.h - what /proc told of a process, for the snapshots after it.
 *
 * Floor 2. A name is read once a minute, not with each snapshot: a process is its pid and the time of
 * its start. What could not be read whole is asked for again.
 */
#ifndef NSN_PROCCACHE_H
#define NSN_PROCCACHE_H

#include <stdint.h>

#include "recdesc.h"

struct nsn_proc_cache;

/* NULL without memory. */
struct nsn_proc_cache *nsn_proc_cache__new(void);
void nsn_proc_cache__free(struct nsn_proc_cache *cache); /* NULL is fine */

/*
 * As nsn_proc__collect(), at now_ns of a clock that does not go back; from memory if that is fresh.
 * 0 or -errno (of the sink).
 */
int nsn_proc_cache__collect(struct nsn_proc_cache *cache, const char *sysroot, uint64_t pid,
			    uint64_t start_ticks, uint64_t now_ns, struct nsn_sink *sink);

/* Forgets processes that nobody has asked for since the last call. */
void nsn_proc_cache__sweep(struct nsn_proc_cache *cache);

#endif /* NSN_PROCCACHE_H */
