/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor.h - what of this kernel, or of another one, nosnoop can use: the checks behind
 * `nosnoop doctor`.
 *
 * Floor 2. Each check names the facts that rest on it and what would make them known.
 */
#ifndef NSN_DOCTOR_H
#define NSN_DOCTOR_H

#include <stddef.h>

#include "checks.h"

struct nsn_doctor_options {
	/*
	 * Folder with the files of a kernel that does not run here: "vmlinux", modules, a copy of
	 * its /proc/kallsyms. NULL: the running kernel.
	 */
	const char *btf;
	const char *without; /* probes that are to be taken for missing, by commas; NULL: none */
	/* "" or what stands before /sys and /proc; then nothing is tried out */
	const char *sysroot;
};

/*
 * Examines a kernel: appends to *checks (zero-initialised) one check a row of the tables and, for
 * the running kernel, those of this process. 0, or -errno with the reason for a person: only if
 * there was nothing to examine, or no memory.
 */
int nsn_doctor__run(const struct nsn_doctor_options *options, struct nsn_checks *checks,
		    char *reason, size_t size);

#endif /* NSN_DOCTOR_H */
