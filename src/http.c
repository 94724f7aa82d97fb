// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * http.c - serves metrics over HTTP: daemons, requests and answers. Floor 4.
 */
#include "http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "http_internal.h"
#include "log.h"

#define MOST_HEADERS 8192 /* bytes of a request; MHD's memory for a connection */
#define SLACK        64   /* connections above the limit while the oldest are being closed */
#define MOST_TURNS   64   /* of MHD at once, while it says that it has more to do */

enum answer_state {
	ANSWER_NEW,
	ANSWER_AUTH,    /* suspended: the password is being checked */
	ANSWER_WAITING, /* suspended: for the next collection */
	ANSWER_READY,   /* collected */
	ANSWER_FAILED,  /* collecting failed */
};

struct request {
	struct request *prev, *next; /* in the list of those that are suspended */
	struct MHD_Connection *connection;
	enum answer_state state;
	bool listed;
};

struct nsn_http {
	struct nsn_http_opts opts;
	struct MHD_Daemon **daemons;
	size_t daemons_count;
	struct nsn_conns conns;
	struct nsn_auth *auth;
	int epoll;
	struct request *suspended;
	size_t ready;             /* requests that wait to take the bodies */
	struct nsn_bodies bodies; /* of the last collection */
	double cost;              /* of the last collection and rendering, seconds */
};

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- answers ---------------------------------------------------------------------------------- */

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned int status,
				     struct MHD_Response *response)
{
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	result = MHD_queue_response(connection, status, response);
	nsn_conn__set(nsn_conn__of(connection), NSN_CONN_SENDING);
	return result;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned int status,
				 const char *type, const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", type);
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	if (status == MHD_HTTP_UNAUTHORIZED)
		MHD_add_response_header(response, "WWW-Authenticate", "Basic");
	result = send_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_plain(struct MHD_Connection *connection, unsigned int status,
				  const char *text)
{
	return send_text(connection, status, "text/plain; charset=utf-8", text);
}

static enum MHD_Result send_landing(struct nsn_http *http, struct MHD_Connection *connection)
{
	char page[1024];

	snprintf(page, sizeof(page),
		 "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		 "<title>nosnoop-exporter</title></head>\n<body><h1>nosnoop-exporter</h1>\n"
		 "<p>Can a passed-through device bypass the CPU caches, and what is done about it?"
		 "</p>\n<ul><li><a href=\"%.256s\">Metrics</a></li>"
		 "<li><a href=\"/-/healthy\">Healthy</a></li>"
		 "<li><a href=\"/-/ready\">Ready</a></li></ul></body></html>\n",
		 http->opts.path);
	return send_text(connection, MHD_HTTP_OK, "text/html; charset=utf-8", page);
}

/* ---- metrics ----------------------------------------------------------------------------------- */

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static enum MHD_Result send_metrics(struct nsn_http *http, struct MHD_Connection *connection)
{
	bool gzip = nsn_accept__gzip(header_of(connection, "Accept-Encoding"));
	double began = now_seconds();
	struct MHD_Response *body =
		nsn_bodies__get(&http->bodies, &http->opts,
				nsn_accept__format(header_of(connection, "Accept")), gzip);

	http->cost += now_seconds() - began;
	if (!body)
		return send_plain(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
				  "the metrics could not be printed\n");
	return send_response(connection, MHD_HTTP_OK, body);
}

/* ---- requests --------------------------------------------------------------------------------- */

static enum MHD_Result suspend(struct nsn_http *http, struct request *request,
			       enum answer_state state)
{
	request->state = state;
	if (!request->listed)
		DL_APPEND(http->suspended, request);
	request->listed = true;
	nsn_conn__set(nsn_conn__of(request->connection), NSN_CONN_WORKING);
	MHD_suspend_connection(request->connection);
	return MHD_YES;
}

static void resume(struct nsn_http *http, struct request *request, enum answer_state state)
{
	DL_DELETE(http->suspended, request);
	request->listed = false;
	request->state = state;
	http->ready += state == ANSWER_READY;
	MHD_resume_connection(request->connection);
}

/* Prometheus tells how long it waits: what comes later is of no use, and would be paid for. */
static bool comes_too_late(const struct nsn_http *http, struct MHD_Connection *connection)
{
	const char *header = header_of(connection, "X-Prometheus-Scrape-Timeout-Seconds");
	char *end = NULL;
	double timeout = header ? strtod(header, &end) : 0;

	return header && end != header && timeout > 0 && http->cost > timeout;
}

static enum MHD_Result route(struct nsn_http *http, struct request *request, const char *url)
{
	struct MHD_Connection *connection = request->connection;

	if (strcmp(url, http->opts.path) == 0) {
		if (comes_too_late(http, connection))
			return send_plain(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
					  "a collection takes longer than the scrape's timeout\n");
		return suspend(http, request, ANSWER_WAITING);
	}
	if (strcmp(url, "/-/healthy") == 0 || strcmp(url, "/-/ready") == 0)
		/* nobody listens before it is */
		return send_plain(connection, MHD_HTTP_OK, "OK\n");
	if (strcmp(url, "/") == 0)
		return send_landing(http, connection);
	return send_plain(connection, MHD_HTTP_NOT_FOUND, "there is no such page\n");
}

static enum nsn_auth_result authorize(struct nsn_http *http, struct MHD_Connection *connection)
{
	enum nsn_auth_result result;
	char *password = NULL, *user;

	if (!http->auth)
		return NSN_AUTH_YES;
	user = MHD_basic_auth_get_username_password(connection, &password);
	result = nsn_auth__check(http->auth, user, password);
	MHD_free(user);
	MHD_free(password);
	return result;
}

/* MHD calls it when a request's headers are there, then again until there is an answer. */
static enum MHD_Result answer(void *data, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **context)
{
	struct nsn_http *http = data;
	struct request *request = *context;

	(void)version;
	(void)upload;
	(void)upload_size;
	if (!request) {
		if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
			return send_plain(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
					  "only GET and HEAD\n");
		request = calloc(1, sizeof(*request));
		if (!request)
			return MHD_NO;
		request->connection = connection;
		*context = request;
		nsn_conn__set(nsn_conn__of(connection), NSN_CONN_WORKING);
		return MHD_YES;
	}
	switch (request->state) {
	case ANSWER_READY:
		http->ready--;
		request->state = ANSWER_NEW;
		return send_metrics(http, connection);
	case ANSWER_FAILED:
		return send_plain(connection, MHD_HTTP_INTERNAL_SERVER_ERROR,
				  "the machine could not be read\n");
	default:
		break;
	}
	if (http->opts.config && http->opts.config->client_needed &&
	    !nsn_client__is_certified(connection))
		return send_plain(connection, MHD_HTTP_FORBIDDEN, "a certificate is needed\n");
	switch (authorize(http, connection)) {
	case NSN_AUTH_LATER:
		return suspend(http, request, ANSWER_AUTH);
	case NSN_AUTH_NO:
		return send_plain(connection, MHD_HTTP_UNAUTHORIZED, "Unauthorized\n");
	default:
		return route(http, request, url);
	}
}

static void request_done(void *data, struct MHD_Connection *connection, void **context,
			 enum MHD_RequestTerminationCode code)
{
	struct nsn_http *http = data;
	struct request *request = *context;

	(void)code;
	nsn_conn__set(nsn_conn__of(connection), NSN_CONN_IDLE);
	if (!request)
		return;
	if (request->listed)
		DL_DELETE(http->suspended, request);
	http->ready -= request->state == ANSWER_READY;
	free(request);
	*context = NULL;
}

/* ---- turns ------------------------------------------------------------------------------------ */

static void turn(struct nsn_http *http)
{
	MHD_UNSIGNED_LONG_LONG timeout;

	for (size_t i = 0; i < http->daemons_count; i++) {
		struct MHD_Daemon *daemon = http->daemons[i];

		MHD_run(daemon);
		for (int more = 0; more < MOST_TURNS; more++) {
			if (MHD_get_timeout(daemon, &timeout) != MHD_YES || timeout)
				break;
			MHD_run(daemon);
		}
	}
}

/* Those whose password has been checked ask anew. */
static void resume_checked(struct nsn_http *http)
{
	struct request *request, *next;

	nsn_auth__take(http->auth);
	DL_FOREACH_SAFE(http->suspended, request, next)
		if (request->state == ANSWER_AUTH)
			resume(http, request, ANSWER_NEW);
}

/* All that wait get one collection. Returns how many there were. */
static size_t collect(struct nsn_http *http)
{
	struct request *request, *next;
	size_t waiting = 0;
	double began = now_seconds();
	int err;

	DL_FOREACH(http->suspended, request)
		waiting += request->state == ANSWER_WAITING;
	if (!waiting)
		return 0;
	err = http->opts.collect(http->opts.data);
	nsn_bodies__drop(&http->bodies);
	http->cost = now_seconds() - began;
	DL_FOREACH_SAFE(http->suspended, request, next)
		if (request->state == ANSWER_WAITING)
			resume(http, request, err ? ANSWER_FAILED : ANSWER_READY);
	return waiting;
}

void nsn_http__run(struct nsn_http *http)
{
	turn(http);
	if (http->auth) {
		resume_checked(http);
		turn(http);
	}
	while (collect(http))
		turn(http);
	if (!http->ready)
		nsn_bodies__drop(&http->bodies);
}

void nsn_http__second(struct nsn_http *http)
{
	nsn_conns__expire(&http->conns);
	/* a request that came in this very moment waits for its collection too */
	nsn_http__run(http);
}

int nsn_http__fd(const struct nsn_http *http)
{
	return http->epoll;
}

/* ---- life ------------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 0))) static void tell(void *data, const char *format,
						       va_list arguments)
{
	char text[256];

	(void)data;
	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	nsn_debug("http: %s", text);
}

static struct MHD_Daemon *start_daemon(struct nsn_http *http, int socket)
{
	const struct nsn_webconfig *config = http->opts.config;
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem tls[6];
	size_t count = 0;

	if (config && config->tls) {
		flags |= MHD_USE_TLS;
		tls[count++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0,
							config->certificate };
		tls[count++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0, config->key };
		if (config->client_ca)
			tls[count++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST, 0,
								config->client_ca };
		if (config->priorities)
			tls[count++] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
								config->priorities };
	}
	tls[count] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return MHD_start_daemon(flags, 0, NULL, NULL, answer, http, MHD_OPTION_EXTERNAL_LOGGER,
				tell, NULL, MHD_OPTION_LISTEN_SOCKET, socket,
				MHD_OPTION_CONNECTION_LIMIT,
				(unsigned int)(http->opts.max_connections + SLACK),
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MOST_HEADERS,
				MHD_OPTION_NOTIFY_CONNECTION, nsn_conns__notify, &http->conns,
				MHD_OPTION_NOTIFY_COMPLETED, request_done, http, MHD_OPTION_ARRAY,
				tls, MHD_OPTION_END);
}

static int watch(struct nsn_http *http, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(http->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int start(struct nsn_http *http)
{
	int err = 0;

	http->daemons = calloc(http->opts.sockets_count, sizeof(struct MHD_Daemon *));
	http->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!http->daemons || http->epoll < 0)
		return -ENOMEM;
	if (http->opts.config && http->opts.config->users_count) {
		http->auth = nsn_auth__new(http->opts.config);
		err = http->auth ? watch(http, nsn_auth__fd(http->auth)) : -ENOMEM;
	}
	for (size_t i = 0; i < http->opts.sockets_count && !err; i++) {
		struct MHD_Daemon *daemon = start_daemon(http, http->opts.sockets[i]);

		if (!daemon)
			return -EINVAL;
		http->daemons[http->daemons_count++] = daemon;
		err = watch(http, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
	}
	return err;
}

int nsn_http__new(const struct nsn_http_opts *opts, struct nsn_http **out)
{
	struct nsn_http *http = calloc(1, sizeof(*http));
	int err = -ENOMEM;

	*out = NULL;
	if (http) {
		http->opts = *opts;
		http->epoll = -1;
		http->conns.max = opts->max_connections;
		err = start(http);
	}
	if (err) {
		nsn_error("the listener could not be started: %s%s", strerror(-err),
			  opts->config && opts->config->tls
				  ? " (are the certificate and its key a pair?)"
				  : "");
		nsn_http__free(http);
	} else {
		*out = http;
	}
	return err;
}

void nsn_http__free(struct nsn_http *http)
{
	struct request *request, *next;

	if (!http)
		return;
	DL_FOREACH_SAFE(http->suspended, request, next)
		resume(http, request, ANSWER_FAILED);
	for (size_t i = 0; i < http->daemons_count; i++)
		MHD_stop_daemon(http->daemons[i]);
	nsn_bodies__drop(&http->bodies);
	nsn_auth__free(http->auth);
	if (http->epoll >= 0)
		close(http->epoll);
	free(http->daemons);
	free(http);
}
