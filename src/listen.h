/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listen.h - sockets that listen: addresses of TCP, paths, and those that systemd hands over.
 *
 * Floor 4. All sockets are non-blocking and closed on exec.
 */
#ifndef NSN_LISTEN_H
#define NSN_LISTEN_H

#include <stddef.h>

struct nsn_sockets {
	int *fds;
	size_t fds_count, fds_capacity;
	char **paths; /* of sockets that we made, to be removed at the end */
	size_t paths_count, paths_capacity;
};

/*
 * Opens "ADDRESS:PORT", "[ADDRESS]:PORT", ":PORT" (all addresses) or "unix:PATH". A name with several
 * addresses gives a socket each. 0 or -errno (logged).
 */
int nsn_sockets__add(struct nsn_sockets *sockets, const char *address);

/* Takes those of socket activation (sd_listen_fds(3)). 0, or -errno (logged): there must be one. */
int nsn_sockets__take_systemd(struct nsn_sockets *sockets);

/* Closes all that are left, and removes paths. */
void nsn_sockets__free(struct nsn_sockets *sockets);

#endif /* NSN_LISTEN_H */
