/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http.h - serves metrics over HTTP, on sockets that are open already.
 *
 * Floor 4. One thread and one epoll: libmicrohttpd moves bytes, and never waits for a client. Whoever
 * asks for metrics while others do gets the same collection. A connection whose request does not
 * come, or that does not take its answer, is closed after a while, and before it if room is needed.
 */
#ifndef NSN_HTTP_H
#define NSN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "render_prom.h"
#include "webconfig.h"

struct nsn_http;

struct nsn_http_opts {
	const char *path;   /* of the metrics */
	const int *sockets; /* that listen; they stay the caller's */
	size_t sockets_count;
	const struct nsn_webconfig *config; /* TLS and users; NULL: neither */
	size_t max_connections;
	/* Takes a snapshot, prints it; 0 or -errno (logged). */
	int (*collect)(void *data);
	int (*render)(void *data, FILE *out, enum nsn_prom_format format);
	void *data;
};

/* Starts to listen. 0 or -errno (logged). The options' pointers must outlive it. */
int nsn_http__new(const struct nsn_http_opts *opts, struct nsn_http **out);
void nsn_http__free(struct nsn_http *http); /* NULL is fine */

/* Readable if there is something to do: call nsn_http__run(). */
int nsn_http__fd(const struct nsn_http *http);
void nsn_http__run(struct nsn_http *http);

/* Once a second: closes connections whose time is up. */
void nsn_http__second(struct nsn_http *http);

#endif /* NSN_HTTP_H */
