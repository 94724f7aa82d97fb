/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_proc_internal.h - what collect_proc.c and collect_proc_files.c share. Floor 2.
 */
#ifndef NSN_COLLECT_PROC_INTERNAL_H
#define NSN_COLLECT_PROC_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "record.h"

/*
 * Reads a file under the folder `dir` up to size - 1 bytes and ends it with a NUL. Its length or
 * -errno. An open folder of /proc/PID is tied to that process: after its end reads fail with ESRCH,
 * whoever has the number then.
 */
long nsn_proc__read_at(int dir, const char *name, char *out, size_t size);

/* comm and start time by /proc/PID/stat. 0 or -errno (-EPROTO: not in its format). */
int nsn_proc__read_stat(int dir, char comm[64], uint64_t *start_ticks);

#endif /* NSN_COLLECT_PROC_INTERNAL_H */
