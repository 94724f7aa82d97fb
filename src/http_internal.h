/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_internal.h - what the http*.c files share. Floor 4.
 *
 *	http.c         daemons, requests and answers
 *	http_body.c    what is sent of a collection
 *	http_conn.c    connections: their limits in number and time
 *	http_accept.c  what a client understands
 *	http_auth.c    who may ask
 */
#ifndef NSN_HTTP_INTERNAL_H
#define NSN_HTTP_INTERNAL_H

#include <microhttpd.h>

#include "http.h"

/* ---- connections ------------------------------------------------------------------------------ */

enum nsn_conn_state {
	NSN_CONN_READING, /* its first request is not complete */
	NSN_CONN_WORKING, /* a request waits for us */
	NSN_CONN_SENDING, /* the answer is on its way */
	NSN_CONN_IDLE,    /* answered; a further request may come */
};

struct nsn_conn {
	struct nsn_conn *prev, *next; /* in the order of arrival */
	int fd;
	enum nsn_conn_state state;
	uint64_t since; /* ns, CLOCK_MONOTONIC: of the state */
	bool closing;
};

struct nsn_conns {
	struct nsn_conn *first;
	size_t count, max;
};

/* For MHD_OPTION_NOTIFY_CONNECTION, with the struct nsn_conns: makes room where there is none. */
void nsn_conns__notify(void *conns, struct MHD_Connection *connection, void **context,
		       enum MHD_ConnectionNotificationCode code);
/* The one of a MHD connection; NULL: it could not be tracked. */
struct nsn_conn *nsn_conn__of(struct MHD_Connection *connection);
void nsn_conn__set(struct nsn_conn *conn, enum nsn_conn_state state); /* NULL is fine */
/* Closes those whose time is up. */
void nsn_conns__expire(struct nsn_conns *conns);

/* ---- what is sent ----------------------------------------------------------------------------- */

/* The bodies of one collection: by format, plain or compressed; NULL: nobody has asked for it. */
struct nsn_bodies {
	struct MHD_Response *of[2][2];
};

/* The body in this form, still owned by bodies; NULL: it could not be made (logged). */
struct MHD_Response *nsn_bodies__get(struct nsn_bodies *bodies, const struct nsn_http_opts *opts,
				     enum nsn_prom_format format, bool gzip);
void nsn_bodies__drop(struct nsn_bodies *bodies);

/* ---- what a client understands ---------------------------------------------------------------- */

/* By an Accept header; NULL: there was none. */
enum nsn_prom_format nsn_accept__format(const char *accept);
/* By an Accept-Encoding header; NULL: there was none. */
bool nsn_accept__gzip(const char *encodings);

/* ---- who may ask ------------------------------------------------------------------------------ */

/* Has the client of a TLS connection shown a certificate that the client's CA has signed? */
bool nsn_client__is_certified(struct MHD_Connection *connection);

struct nsn_auth;

enum nsn_auth_result {
	NSN_AUTH_YES,
	NSN_AUTH_NO,
	NSN_AUTH_LATER, /* it is being computed: ask again once nsn_auth__fd() is readable */
};

/* NULL without memory or a thread. */
struct nsn_auth *nsn_auth__new(const struct nsn_webconfig *config);
void nsn_auth__free(struct nsn_auth *auth); /* NULL is fine */
int nsn_auth__fd(const struct nsn_auth *auth);
/* Takes what has been computed. */
void nsn_auth__take(struct nsn_auth *auth);
/* May this user, with this password (NULL: none was given)? */
enum nsn_auth_result nsn_auth__check(struct nsn_auth *auth, const char *user, const char *password);

#endif /* NSN_HTTP_INTERNAL_H */
