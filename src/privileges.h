/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privileges.h - gives up what a running exporter does not need. Floor 4.
 *
 * Everything that takes privileges is done before: programs are loaded and attached, configuration
 * spaces of devices are open, sockets listen. What stays works by these descriptors alone.
 */
#ifndef NSN_PRIVILEGES_H
#define NSN_PRIVILEGES_H

/*
 * For good, and for all threads that are started later: no new privileges by exec, no capability, and
 * only the system calls that serving takes. What can't be given up is told as a warning; 0, or -errno
 * (logged) if capabilities stay that should not.
 */
int nsn_privileges__drop(void);

#endif /* NSN_PRIVILEGES_H */
