/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exporter.h - nosnoop-exporter: options and the loop. Floor 4. */
#ifndef NSN_EXPORTER_H
#define NSN_EXPORTER_H

/*
 * Exit status when a module came or went: programs for it can't be loaded any more, a new process
 * can. EX_TEMPFAIL of sysexits.h; a unit restarts on it.
 */
#define NSN_EXIT_RESTART 75

/* The whole program. Returns the exit status. */
int nsn_exporter__main(int argc, char **argv);

#endif /* NSN_EXPORTER_H */
