// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * gdbpoke SOCKET ADDRESS BYTES: writes BYTES (hex, as they lie in memory) to a kernel address of a
 * guest through the gdb stub of its QEMU at a UNIX socket, then lets the guest run on. This is how
 * the lab changes an IOMMU's capability under a running kernel.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int send_packet(int fd, const char *data)
{
	unsigned char sum = 0;
	const char *p;

	for (p = data; *p; p++)
		sum += *p;
	return dprintf(fd, "$%s#%02x", data, sum) < 0 ? -1 : 0;
}

/* Reads one packet's data, acknowledges it, and skips what is none */
static int recv_packet(int fd, char *buf, size_t size)
{
	size_t n = 0;
	char c;

	do {
		if (read(fd, &c, 1) != 1)
			return -1;
	} while (c != '$');
	while (read(fd, &c, 1) == 1 && c != '#')
		if (n < size - 1)
			buf[n++] = c;
	buf[n] = 0;
	if (c != '#' || read(fd, &c, 1) != 1 || read(fd, &c, 1) != 1)
		return -1;
	return write(fd, "+", 1) == 1 ? 0 : -1;
}

/* The stub tells that it stopped the guest (T...) whenever that comes to pass: no answer to us */
static int command(int fd, const char *data, char *answer, size_t size)
{
	if (send_packet(fd, data))
		return -1;
	do {
		if (recv_packet(fd, answer, size))
			return -1;
	} while (answer[0] == 'T' && data[0] != '?');
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char packet[256], answer[4096], detached[16];
	int fd;

	if (argc != 4 || strlen(argv[1]) >= sizeof(addr.sun_path)) {
		fprintf(stderr, "usage: gdbpoke SOCKET ADDRESS BYTES\n");
		return 2;
	}
	strcpy(addr.sun_path, argv[1]);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror("gdbpoke: connect");
		return 1;
	}
	snprintf(packet, sizeof(packet), "M%s,%zx:%s", argv[2], strlen(argv[3]) / 2, argv[3]);
	/* The question stops the guest; it must run on, whatever comes of the write */
	if (command(fd, "?", answer, sizeof(answer)) ||
	    command(fd, packet, answer, sizeof(answer)) ||
	    command(fd, "D", detached, sizeof(detached))) {
		fprintf(stderr, "gdbpoke: the stub went away\n");
		return 1;
	}
	if (strcmp(answer, "OK")) {
		fprintf(stderr, "gdbpoke: write refused: %s\n", answer);
		return 1;
	}
	return 0;
}
