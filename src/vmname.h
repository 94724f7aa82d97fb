/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmname.h - who a VM is, by the text that its process shows: command line and cgroup.
 *
 * Floor 1: text in, text out. Everything here is written by whoever started the VM and is hostile:
 * any bytes, any length.
 */
#ifndef NSN_VMNAME_H
#define NSN_VMNAME_H

#include <stdbool.h>
#include <stddef.h>

/* What a command line tells. Empty strings: nothing. */
struct nsn_vmname {
	char name[1024]; /* longer ones are cut */
	char uuid[40];   /* lower case, well-formed */
	char vmm[32];    /* qemu, cloud-hypervisor, crosvm, firecracker */
};

/*
 * Reads a command line as /proc/PID/cmdline has it: arguments that end in NUL, `size` bytes in all.
 * program: what the process executes (its basename counts), or "" if that is not known; argv[0] is
 * looked at too. The options of a known VMM are read by its grammar; of any other program only
 * QEMU's `-name guest=…` and `-uuid`.
 */
void nsn_vmname__from_argv(const char *argv, size_t size, const char *program,
			   struct nsn_vmname *out);

/*
 * The guest's name by its cgroup's path: libvirt's machine-qemu scope (unescaped), another machine
 * scope, Proxmox's qemu.slice, a Kubernetes pod ("pod<uid>"). false if it tells none.
 */
bool nsn_vmname__from_cgroup(const char *path, char *out, size_t size);

#endif /* NSN_VMNAME_H */
