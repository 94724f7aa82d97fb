// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * manyvms.c - N processes, each with a real KVM VM and M more descriptors, until stdin closes.
 *
 * manyvms N M: prints "ready" once all of them stand. The load of the scale figures; needs
 * /dev/kvm and no device.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int be_a_vm(int ready, int descriptors)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0) {
		fprintf(stderr, "manyvms: KVM_CREATE_VM: %s\n", strerror(errno));
		return 1;
	}
	for (int i = 0; i < descriptors; i++)
		if (open("/dev/null", O_RDONLY) < 0)
			return 1;
	if (write(ready, "x", 1) != 1)
		return 1;
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0, descriptors = argc > 2 ? atoi(argv[2]) : 0;
	int ready[2];
	char byte;
	pid_t *children;

	if (count <= 0 || descriptors < 0 || pipe(ready)) {
		fprintf(stderr, "usage: manyvms VMS DESCRIPTORS\n");
		return 2;
	}
	children = calloc(count, sizeof(*children));
	if (!children)
		return 2;
	for (int i = 0; i < count; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(be_a_vm(ready[1], descriptors));
		}
	}
	close(ready[1]);
	for (int i = 0; i < count; i++)
		if (read(ready[0], &byte, 1) != 1) {
			fprintf(stderr, "manyvms: only %d of %d VMs stand\n", i, count);
			return 1;
		}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	for (int i = 0; i < count; i++)
		if (children[i] > 0)
			kill(children[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
