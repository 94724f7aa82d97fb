/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collect_proc.h - processes, as /proc shows them: who a VM is, and who holds which descriptor.
 *
 * Floor 2. The command line is read for names and never recorded.
 */
#ifndef NSN_COLLECT_PROC_H
#define NSN_COLLECT_PROC_H

#include <stdint.h>

#include "recdesc.h"

/* Emits NSN_REC_SOURCE "proc": whether processes can be read under sysroot at all. */
int nsn_proc__source(const char *sysroot, struct nsn_sink *sink);

/*
 * Emits NSN_REC_PROCESS for one process (a thread group id as /proc under sysroot has it).
 * start_ticks: its start time in clock ticks since boot (0: any). If the process is gone or hidden,
 * or one that started at another time has its number now, MISSING records for the facts of its VM
 * are emitted instead, with the subject "pid:<pid>@<start_ticks>" ("pid:<pid>" for any). 0,
 * -ENOMEM, or what the sink returned.
 */
int nsn_proc__collect(const char *sysroot, uint64_t pid, uint64_t start_ticks,
		      struct nsn_sink *sink);

/*
 * The view without BPF: emits NSN_REC_FILE for each descriptor of /proc/<pid>/fd that is a VM, a
 * vCPU or one of VFIO's, iommufd's or vhost-vdpa's files, by its name. Which object is behind it
 * can't be known this way: all its keys stay unknown. What could not be read becomes one MISSING
 * record for "files" that counts the processes. How many descriptors of each kind were seen is told
 * by the records (NSN_REC_FILE.kind). 0, or what the sink returned.
 */
int nsn_proc__scan_files(const char *sysroot, struct nsn_sink *sink);

#endif /* NSN_COLLECT_PROC_H */
