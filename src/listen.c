// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * listen.c - sockets that listen. Floor 4.
 */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "log.h"
#include "util.h"

#define BACKLOG 1024

static int keep(struct nsn_sockets *sockets, int fd)
{
	int *place = NSN_APPEND(sockets, fds);

	if (!place) {
		close(fd);
		return -ENOMEM;
	}
	*place = fd;
	return 0;
}

static int open_socket(int family, const struct sockaddr *address, socklen_t length)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, err;

	if (fd < 0)
		return -errno;
	if (family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, address, length) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* ---- paths ------------------------------------------------------------------------------------ */

/* A socket that nobody listens at any more may be replaced, nothing else. */
static void remove_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
	    errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

static int add_path(struct nsn_sockets *sockets, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	char **place;
	int fd;

	if (!*path || strlen(path) >= sizeof(address.sun_path))
		return *path ? -ENAMETOOLONG : -EINVAL;
	strcpy(address.sun_path, path);
	remove_stale(&address);
	mask = umask(0117); /* for its owner and group */
	fd = open_socket(AF_UNIX, (const struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (fd < 0)
		return fd;
	place = NSN_APPEND(sockets, paths);
	if (place)
		*place = strdup(path);
	return keep(sockets, fd);
}

/* ---- addresses -------------------------------------------------------------------------------- */

/* Splits "[host]:port" or "host:port"; the host may be "". */
static int split(const char *address, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(address, ':'), *from = address;
	uint64_t number;
	size_t length;

	if (!colon || nsn_parse_u64(colon + 1, &number) || number > UINT16_MAX)
		return -EINVAL;
	*port = colon + 1;
	length = (size_t)(colon - address);
	if (length >= 2 && from[0] == '[' && from[length - 1] == ']') {
		from++;
		length -= 2;
	} else if (memchr(from, ':', length)) {
		return -EINVAL; /* an IPv6 address needs its brackets */
	}
	if (length >= size)
		return -EINVAL;
	memcpy(host, from, length);
	host[length] = '\0';
	return 0;
}

/* All addresses of a name; one that this machine lacks (::1 without IPv6) is left out if there are others. */
static int open_addresses(struct nsn_sockets *sockets, const struct addrinfo *found)
{
	int missing = -EADDRNOTAVAIL, err, fd;
	bool any = false;

	for (; found; found = found->ai_next) {
		fd = open_socket(found->ai_family, found->ai_addr, found->ai_addrlen);
		if (fd == -EADDRNOTAVAIL || fd == -EAFNOSUPPORT) {
			missing = fd;
			continue;
		}
		err = fd < 0 ? fd : keep(sockets, fd);
		if (err)
			return err;
		any = true;
	}
	return any ? 0 : missing;
}

static int add_address(struct nsn_sockets *sockets, const char *address)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
	struct addrinfo *found = NULL;
	const char *port;
	char host[256];
	int err = split(address, host, sizeof(host), &port);

	if (err)
		return err;
	if (!host[0])
		hints.ai_family = AF_INET6; /* takes IPv4 too */
	err = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
	if (err) {
		nsn_error("--web.listen-address %s: %s", address, gai_strerror(err));
		return -ENOENT;
	}
	err = open_addresses(sockets, found);
	freeaddrinfo(found);
	if (err != -EAFNOSUPPORT || host[0])
		return err;
	return add_address(sockets, nsn_format(host, sizeof(host), "0.0.0.0:%s", port));
}

int nsn_sockets__add(struct nsn_sockets *sockets, const char *address)
{
	const bool path = strncmp(address, "unix:", 5) == 0;
	int err = path ? add_path(sockets, address + 5) : add_address(sockets, address);

	if (err == -EINVAL)
		nsn_error("--web.listen-address takes ADDRESS:PORT, [ADDRESS]:PORT, :PORT or "
			  "unix:PATH, not '%s'",
			  address);
	else if (err && (path || err != -ENOENT)) /* of a name that is unknown it was told */
		nsn_error("--web.listen-address %s: %s", address, strerror(-err));
	return err;
}

int nsn_sockets__take_systemd(struct nsn_sockets *sockets)
{
	int count = sd_listen_fds(1), err = 0;

	if (count <= 0) {
		nsn_error("--web.systemd-socket: systemd has handed no socket over");
		return count < 0 ? count : -ENOTCONN;
	}
	for (int i = 0; i < count && !err; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
			nsn_error(
				"--web.systemd-socket: descriptor %d is no listening stream socket",
				fd);
			return -ENOTSOCK;
		}
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
		err = keep(sockets, fd);
	}
	return err;
}

void nsn_sockets__free(struct nsn_sockets *sockets)
{
	for (size_t i = 0; i < sockets->fds_count; i++)
		close(sockets->fds[i]);
	for (size_t i = 0; i < sockets->paths_count; i++) {
		if (sockets->paths[i])
			unlink(sockets->paths[i]);
		free(sockets->paths[i]);
	}
	free(sockets->fds);
	free(sockets->paths);
	memset(sockets, 0, sizeof(*sockets));
}
