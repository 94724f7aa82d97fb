// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * loop.c - timers, signals, the keyboard and events over one epoll. Floor 4.
 */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

struct nsn_loop {
	struct nsn_loop_opts opts;
	int epoll;
	int fds[NSN_LOOP_MAX]; /* -1: none. INPUT and EVENTS are the caller's */
	sigset_t signals, before;
	bool blocked, stopped;
	int err; /* of a handler */
};

static int watch(struct nsn_loop *loop, enum nsn_loop_source source, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = source };

	loop->fds[source] = fd;
	if (fd < 0)
		return -errno;
	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Once after `first`, then each `period` (0: never again); first 0 stops the timer. */
static int set_timer(struct nsn_loop *loop, enum nsn_loop_source source, uint64_t first,
		     uint64_t period)
{
	struct itimerspec when = {
		.it_value = { (time_t)(first / 1000000000), (long)(first % 1000000000) },
		.it_interval = { (time_t)(period / 1000000000), (long)(period % 1000000000) },
	};

	return timerfd_settime(loop->fds[source], 0, &when, NULL) ? -errno : 0;
}

static int watch_timer(struct nsn_loop *loop, enum nsn_loop_source source)
{
	return watch(loop, source, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
}

static int watch_signals(struct nsn_loop *loop)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGWINCH };

	sigemptyset(&loop->signals);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(signals); i++)
		sigaddset(&loop->signals, signals[i]);
	if (sigprocmask(SIG_BLOCK, &loop->signals, &loop->before))
		return -errno;
	loop->blocked = true;
	return watch(loop, NSN_LOOP_SIGNAL,
		     signalfd(-1, &loop->signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

int nsn_loop__set_delay(struct nsn_loop *loop, uint64_t delay_ns)
{
	return set_timer(loop, NSN_LOOP_TICK, delay_ns, delay_ns);
}

int nsn_loop__soon(struct nsn_loop *loop, uint64_t ns)
{
	/* 0 would stop the timer */
	return set_timer(loop, NSN_LOOP_SOON, ns == UINT64_MAX ? 0 : ns + 1, 0);
}

int nsn_loop__watch_events(struct nsn_loop *loop, int fd)
{
	if (fd == loop->fds[NSN_LOOP_EVENTS])
		return 0;
	if (loop->fds[NSN_LOOP_EVENTS] >= 0)
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->fds[NSN_LOOP_EVENTS], NULL);
	loop->fds[NSN_LOOP_EVENTS] = -1;
	return fd < 0 ? 0 : watch(loop, NSN_LOOP_EVENTS, fd);
}

int nsn_loop__new(const struct nsn_loop_opts *opts, struct nsn_loop **out)
{
	struct nsn_loop *loop = calloc(1, sizeof(*loop));
	int err = 0;

	*out = NULL;
	if (!loop)
		return -ENOMEM;
	loop->opts = *opts;
	for (size_t i = 0; i < NSN_LOOP_MAX; i++)
		loop->fds[i] = -1;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		err = -errno;
	if (!err)
		err = watch_timer(loop, NSN_LOOP_TICK);
	if (!err)
		err = watch_timer(loop, NSN_LOOP_SECOND);
	if (!err)
		err = watch_timer(loop, NSN_LOOP_SOON);
	if (!err)
		err = watch_signals(loop);
	if (!err && opts->input >= 0)
		err = watch(loop, NSN_LOOP_INPUT, opts->input);
	if (!err)
		err = nsn_loop__set_delay(loop, opts->delay_ns);
	if (!err)
		err = set_timer(loop, NSN_LOOP_SECOND, 1000000000, 1000000000);
	if (err) {
		nsn_error("no loop could be set up: %s", strerror(-err));
		nsn_loop__free(loop);
	} else {
		*out = loop;
	}
	return err;
}

/* Empties a timer or takes a signal; false if there was nothing after all. */
static bool consume(const struct nsn_loop *loop, enum nsn_loop_source source, int *number)
{
	struct signalfd_siginfo info;
	uint64_t times;

	*number = 0;
	if (source == NSN_LOOP_INPUT || source == NSN_LOOP_EVENTS)
		return true;
	if (source != NSN_LOOP_SIGNAL)
		return read(loop->fds[source], &times, sizeof(times)) == sizeof(times);
	if (read(loop->fds[source], &info, sizeof(info)) != sizeof(info))
		return false;
	*number = (int)info.ssi_signo;
	return true;
}

/* Waits so many ms for whatever comes (-1: ever), and handles it. */
static void turn(struct nsn_loop *loop, int wait_ms)
{
	struct epoll_event ready[NSN_LOOP_MAX];
	int number, count = epoll_wait(loop->epoll, ready, NSN_LOOP_MAX, wait_ms);

	if (count < 0 && errno != EINTR) {
		loop->err = -errno;
		nsn_error("the loop broke: %s", strerror(-loop->err));
	}
	for (int i = 0; i < count && !loop->stopped && !loop->err; i++) {
		enum nsn_loop_source source = (enum nsn_loop_source)ready[i].data.fd;

		if (consume(loop, source, &number))
			loop->err = loop->opts.handle(loop->opts.data, source, number);
	}
}

int nsn_loop__run(struct nsn_loop *loop)
{
	while (!loop->stopped && !loop->err)
		turn(loop, -1);
	return loop->err;
}

bool nsn_loop__pump(void *data)
{
	struct nsn_loop *loop = data;

	if (!loop->stopped && !loop->err)
		turn(loop, 0);
	return loop->stopped || loop->err;
}

void nsn_loop__stop(struct nsn_loop *loop)
{
	loop->stopped = true;
}

void nsn_loop__free(struct nsn_loop *loop)
{
	if (!loop)
		return;
	for (size_t i = 0; i < NSN_LOOP_MAX; i++)
		if (loop->fds[i] >= 0 && i != NSN_LOOP_INPUT && i != NSN_LOOP_EVENTS)
			close(loop->fds[i]);
	if (loop->epoll >= 0)
		close(loop->epoll);
	if (loop->blocked) {
		/* a terminal that closes sends more than one: what ended the loop does not kill the rest */
		while (sigtimedwait(&loop->signals, NULL, &(struct timespec){ 0 }) > 0)
			;
		sigprocmask(SIG_SETMASK, &loop->before, NULL);
	}
	free(loop);
}
