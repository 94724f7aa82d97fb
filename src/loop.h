/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop.h - the one loop of the live commands: timers, signals, the keyboard and events, over epoll.
 *
 * Floor 4. Signals that are taken in are blocked and come as a source like any other, so that
 * nothing runs at a moment it did not choose.
 */
#ifndef NSN_LOOP_H
#define NSN_LOOP_H

#include <stdbool.h>
#include <stdint.h>

enum nsn_loop_source {
	NSN_LOOP_TICK,   /* the reader's delay has passed */
	NSN_LOOP_SECOND, /* a second has passed */
	NSN_LOOP_SOON,   /* what nsn_loop__soon() asked for */
	NSN_LOOP_INPUT,  /* the descriptor of nsn_loop_opts.input is readable */
	NSN_LOOP_EVENTS, /* that of nsn_loop__watch_events() is */
	NSN_LOOP_SIGNAL, /* SIGINT, SIGTERM, SIGHUP, SIGWINCH */
	NSN_LOOP_MAX,
};

struct nsn_loop;

struct nsn_loop_opts {
	int input; /* -1: none */
	uint64_t delay_ns;
	/* Called for each source that is ready; 0, or an error that ends the loop. */
	int (*handle)(void *data, enum nsn_loop_source source, int signal);
	void *data;
};

/* Blocks the signals. 0 or -errno (logged). */
int nsn_loop__new(const struct nsn_loop_opts *opts, struct nsn_loop **out);
/* Lets the signals come as before; those that wait by then are dropped. NULL is fine. */
void nsn_loop__free(struct nsn_loop *loop);

/* Changes the delay; the next tick is a whole delay away. 0 or -errno. */
int nsn_loop__set_delay(struct nsn_loop *loop, uint64_t delay_ns);
/* Asks for one NSN_LOOP_SOON after ns; UINT64_MAX: none. 0 or -errno. */
int nsn_loop__soon(struct nsn_loop *loop, uint64_t ns);
/* Watches a descriptor of events; -1: none any more. 0 or -errno. */
int nsn_loop__watch_events(struct nsn_loop *loop, int fd);

/* Runs until a handler fails or stops it: 0, or what the handler gave. */
int nsn_loop__run(struct nsn_loop *loop);
void nsn_loop__stop(struct nsn_loop *loop);
/*
 * For work that takes long, beside the loop: handles what is ready, waits for nothing. True if the loop was
 * stopped or a handler failed, which nsn_loop__run() then gives. loop is a struct nsn_loop.
 */
bool nsn_loop__pump(void *loop);

#endif /* NSN_LOOP_H */
