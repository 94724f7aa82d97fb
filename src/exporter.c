// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exporter.c - nosnoop-exporter: options and the loop. Floor 4.
 *
 * Programs are loaded and attached first, then privileges go. One thread does it all: it reads events
 * as they come, takes a snapshot when a scrape asks for one or an event told of a change, and hands
 * bytes to whoever can take some.
 */
#include "exporter.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include "collect_pci.h"
#include "export_opts.h"
#include "http.h"
#include "listen.h"
#include "log.h"
#include "loop.h"
#include "privileges.h"

#define SECOND              1000000000ULL
#define DEFAULT_ADDRESS     "127.0.0.1:10953"
#define DEFAULT_CONNECTIONS 512
#define COUNTERS_EVERY      (10 * SECOND)
#define MOST_DESCRIPTORS    16384

enum {
	OPTION_ADDRESS = 0x6000,
	OPTION_PATH,
	OPTION_SYSTEMD,
	OPTION_CONFIG,
	OPTION_CONNECTIONS,
};

struct exporter {
	struct nsn_export_cli common;
	const char **addresses;
	size_t addresses_count, addresses_capacity;
	const char *path, *config_file;
	bool systemd_socket;
	uint64_t max_connections;

	struct nsn_webconfig config;
	struct nsn_sockets sockets;
	struct nsn_export *export;
	struct nsn_http *http;
	struct nsn_loop *loop;
	bool restart; /* a module came or went */
};

static const struct argp_option options[] = {
	{ "web.listen-address", OPTION_ADDRESS, "ADDRESS", 0,
	  "ADDRESS:PORT, :PORT or unix:PATH; may be given several times (" DEFAULT_ADDRESS ")", 1 },
	{ "web.telemetry-path", OPTION_PATH, "PATH", 0, "where the metrics are (/metrics)", 1 },
	{ "web.systemd-socket", OPTION_SYSTEMD, NULL, 0,
	  "listen on the sockets of socket activation", 1 },
	{ "web.config.file", OPTION_CONFIG, "FILE", 0,
	  "TLS and users, as Prometheus's exporter toolkit has them", 1 },
	{ "web.max-connections", OPTION_CONNECTIONS, "N", 0,
	  "above it the oldest one that asks for nothing is closed (512)", 1 },
	{ 0 },
};

static void add_address(struct exporter *exporter, const char *arg, struct argp_state *state)
{
	const char **place = NSN_APPEND(exporter, addresses);

	if (!place)
		argp_failure(state, NSN_EXIT_FAILURE, ENOMEM, "options");
	else
		*place = arg;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct exporter *exporter = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &exporter->common;
		return 0;
	case OPTION_ADDRESS:
		add_address(exporter, arg, state);
		return 0;
	case OPTION_PATH:
		if (arg[0] != '/' || strpbrk(arg, "?#<>\"' ") || strncmp(arg, "/-/", 3) == 0)
			argp_error(state,
				   "--web.telemetry-path takes a path like /metrics, not '%s'",
				   arg);
		exporter->path = arg;
		return 0;
	case OPTION_SYSTEMD:
		exporter->systemd_socket = true;
		return 0;
	case OPTION_CONFIG:
		exporter->config_file = arg;
		return 0;
	case OPTION_CONNECTIONS:
		if (nsn_parse_u64(arg, &exporter->max_connections) ||
		    exporter->max_connections < 4 ||
		    exporter->max_connections > MOST_DESCRIPTORS / 2)
			argp_error(state, "--web.max-connections takes 4 to %d, not '%s'",
				   MOST_DESCRIPTORS / 2, arg);
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "no argument is taken: '%s'", arg);
		return 0;
	case ARGP_KEY_END:
		if (exporter->systemd_socket && exporter->addresses_count)
			argp_error(state, "--web.systemd-socket and --web.listen-address exclude "
					  "each other");
		if (exporter->common.cli.format)
			argp_error(state, "--format is the client's choice, by its Accept header");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = { { &nsn_export_argp, 0, NULL, 0 }, { 0 } };
static const struct argp argp = {
	.options = options,
	.parser = parse,
	.children = children,
	.doc = "Serves what is known of this machine as metrics for Prometheus. It loads its BPF "
	       "programs, gives its privileges up, and takes a snapshot at each scrape.\v"
	       "Exit status: 0 when ended by a signal; 2 on failure; 75 when what it loaded is not "
	       "enough any more (a kernel module came, or very many VMs): start it again. "
	       "docs/metrics.md lists the metrics.",
};

/* ---- the loop --------------------------------------------------------------------------------- */

static void ask_for_restart(struct exporter *exporter, const char *why)
{
	nsn_info("%s: start me again (exit status %d)", why, NSN_EXIT_RESTART);
	exporter->restart = true;
	nsn_loop__stop(exporter->loop);
}

/* What has grown beyond the buffers takes programs with larger ones, which takes privileges. */
static int collect(void *data)
{
	struct exporter *exporter = data;
	int err = nsn_export__collect(exporter->export);

	if (err == -ENOBUFS)
		ask_for_restart(exporter, "there is more than fits into the buffers");
	return err;
}

static int render(void *data, FILE *out, enum nsn_prom_format format)
{
	return nsn_export__render(((struct exporter *)data)->export, out, format);
}

/* A state that changed is looked at now: two changes between scrapes are two. */
static int look_if_due(struct exporter *exporter)
{
	struct nsn_live *live = nsn_export__live(exporter->export);
	int err = nsn_live__snapshot_in(live) ? 0 : collect(exporter);

	if (exporter->restart)
		return 0;
	return err ? err : nsn_loop__soon(exporter->loop, nsn_live__snapshot_in(live));
}

static int each_second(struct exporter *exporter)
{
	struct nsn_live *live = nsn_export__live(exporter->export);
	struct nsn_events *events = nsn_session__events(nsn_live__session(live));

	sd_notify(0, "WATCHDOG=1");
	nsn_http__second(exporter->http);
	if (events && nsn_events__outdated(events))
		ask_for_restart(exporter,
				"a kernel module came or went, or the first IOMMU group came");
	return 0;
}

static int handle(void *data, enum nsn_loop_source source, int number)
{
	struct exporter *exporter = data;
	struct nsn_live *live = nsn_export__live(exporter->export);
	int err;

	switch (source) {
	case NSN_LOOP_INPUT:
		nsn_http__run(exporter->http);
		return 0;
	case NSN_LOOP_EVENTS:
		err = nsn_live__drain(live);
		return err ? err : nsn_loop__soon(exporter->loop, nsn_live__snapshot_in(live));
	case NSN_LOOP_SOON:
		return look_if_due(exporter);
	case NSN_LOOP_TICK:
		return nsn_live__tick(live);
	case NSN_LOOP_SECOND:
		return each_second(exporter);
	case NSN_LOOP_SIGNAL:
		if (number != SIGWINCH)
			nsn_loop__stop(exporter->loop);
		return 0;
	default:
		return 0;
	}
}

/* ---- the start -------------------------------------------------------------------------------- */

static int open_sockets(struct exporter *exporter)
{
	int err = 0;

	if (exporter->systemd_socket)
		return nsn_sockets__take_systemd(&exporter->sockets);
	if (!exporter->addresses_count)
		return nsn_sockets__add(&exporter->sockets, DEFAULT_ADDRESS);
	for (size_t i = 0; i < exporter->addresses_count && !err; i++)
		err = nsn_sockets__add(&exporter->sockets, exporter->addresses[i]);
	return err;
}

/* Each connection is a descriptor; the usual limit of 1,024 leaves few. */
static void raise_limits(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= MOST_DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < MOST_DESCRIPTORS ? limit.rlim_max : MOST_DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int serve(struct exporter *exporter)
{
	struct nsn_http_opts http = {
		.path = exporter->path,
		.sockets = exporter->sockets.fds,
		.sockets_count = exporter->sockets.fds_count,
		.config = exporter->config_file ? &exporter->config : NULL,
		.max_connections = exporter->max_connections,
		.collect = collect,
		.render = render,
		.data = exporter,
	};
	struct nsn_loop_opts loop = { .delay_ns = COUNTERS_EVERY,
				      .handle = handle,
				      .data = exporter };
	struct nsn_live *live = nsn_export__live(exporter->export);
	int err = nsn_http__new(&http, &exporter->http);

	if (err)
		return err;
	exporter->sockets.fds_count = 0; /* they are its own now */
	loop.input = nsn_http__fd(exporter->http);
	err = nsn_loop__new(&loop, &exporter->loop);
	if (!err)
		err = nsn_loop__watch_events(exporter->loop, nsn_live__fd(live));
	if (!err) {
		sd_notify(0, "READY=1\nSTATUS=Serving metrics");
		err = nsn_loop__run(exporter->loop);
	}
	sd_notify(0, "STOPPING=1");
	return err;
}

static int run(struct exporter *exporter)
{
	int err = 0;

	if (exporter->config_file)
		err = nsn_webconfig__read(exporter->config_file, &exporter->config);
	if (!err)
		err = open_sockets(exporter);
	if (!err)
		err = nsn_export__new(&exporter->common.export, &exporter->export);
	if (!err)
		err = nsn_privileges__drop();
	return err ? err : serve(exporter);
}

int nsn_exporter__main(int argc, char **argv)
{
	struct exporter exporter = { .path = "/metrics", .max_connections = DEFAULT_CONNECTIONS };
	int err;

	/* Each snapshot comes and goes: what it took is to go back to the system, not to grow holes. */
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	mallopt(M_TRIM_THRESHOLD, 256 * 1024);
	nsn_export_cli__init(&exporter.common);
	if (nsn_cli__parse(&argp, argc, argv, &exporter))
		return NSN_EXIT_FAILURE;
	exporter.common.export.counters = true;
	exporter.common.export.process = true;
	signal(SIGPIPE, SIG_IGN);
	raise_limits();
	nsn_pci__keep_descriptors();
	err = run(&exporter);
	if (!err)
		err = nsn_export__finish(exporter.export);
	nsn_loop__free(exporter.loop);
	nsn_http__free(exporter.http);
	nsn_export__free(exporter.export);
	nsn_sockets__free(&exporter.sockets);
	nsn_webconfig__free(&exporter.config);
	free(exporter.addresses);
	return exporter.restart ? NSN_EXIT_RESTART : err ? NSN_EXIT_FAILURE : 0;
}
