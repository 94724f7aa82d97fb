// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http_conn.c - connections: their limits in number and time. Floor 4.
 *
 * A client that is slow, or dead, or means no good, costs its own connection and nobody else's. When
 * there are too many, the oldest that has not asked for anything goes first.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <utlist.h>

#include "http_internal.h"

#define SECOND 1000000000ULL

/* How long a connection may be in a state; 0: as long as it takes, it waits for us. */
static const uint64_t most[] = {
	[NSN_CONN_READING] = 10 * SECOND,
	[NSN_CONN_WORKING] = 0,
	[NSN_CONN_SENDING] = 30 * SECOND,
	[NSN_CONN_IDLE] = 300 * SECOND, /* Prometheus keeps its connection between two scrapes */
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* The other end sees it at once; MHD sees the end of the stream, and forgets it. */
static void close_soon(struct nsn_conn *conn)
{
	conn->closing = true;
	shutdown(conn->fd, SHUT_RDWR);
}

static bool close_oldest(struct nsn_conns *conns, enum nsn_conn_state state)
{
	struct nsn_conn *conn;

	DL_FOREACH(conns->first, conn) {
		if (conn->closing || conn->state != state)
			continue;
		close_soon(conn);
		return true;
	}
	return false;
}

void nsn_conns__notify(void *data, struct MHD_Connection *connection, void **context,
		       enum MHD_ConnectionNotificationCode code)
{
	struct nsn_conns *conns = data;
	struct nsn_conn *conn = *context;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (conn) {
			DL_DELETE(conns->first, conn);
			conns->count--;
			free(conn);
		}
		*context = NULL;
		return;
	}
	if (conns->count >= conns->max && !close_oldest(conns, NSN_CONN_READING))
		close_oldest(conns, NSN_CONN_IDLE);
	conn = calloc(1, sizeof(*conn));
	*context = conn;
	if (!conn)
		return;
	conn->fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	nsn_conn__set(conn, NSN_CONN_READING);
	DL_APPEND(conns->first, conn);
	conns->count++;
}

struct nsn_conn *nsn_conn__of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

void nsn_conn__set(struct nsn_conn *conn, enum nsn_conn_state state)
{
	if (!conn)
		return;
	conn->state = state;
	conn->since = now_ns();
}

void nsn_conns__expire(struct nsn_conns *conns)
{
	uint64_t now = now_ns();
	struct nsn_conn *conn;

	DL_FOREACH(conns->first, conn) {
		uint64_t limit = most[conn->state];

		if (!conn->closing && limit && now - conn->since > limit)
			close_soon(conn);
	}
}
