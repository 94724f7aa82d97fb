/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bpftry.h - what this kernel lets this process do with BPF, found out by doing it with programs
 * of a few instructions.
 *
 * Floor 2. Nothing stays behind: each program and link is closed before the function returns, but
 * for the one that nsn_lookup__open() gives.
 */
#ifndef NSN_BPFTRY_H
#define NSN_BPFTRY_H

#include <stdint.h>

/*
 * Loads an iterator over the files of all tasks that reads kernel memory. 0 or -errno. It is given the
 * number of this function in vmlinux's BTF; 0: there is none.
 */
#define NSN_TRY_ITERATOR "bpf_iter_task_file"
int nsn_try_iterator(uint32_t id);

/*
 * Runs a program that looks up a symbol. 0, -ENOKEY if the kernel tells us no addresses
 * (kernel.kptr_restrict, CAP_SYSLOG), or -errno.
 */
int nsn_try_syscall(void);

/* Attaches to a function that exists for such tests, by its number. 0 or -errno. */
#define NSN_TRY_FENTRY "bpf_fentry_test1"
int nsn_try_fentry(uint32_t id);

/* A program that looks symbols up, to be closed with close(). A descriptor or -errno. */
int nsn_lookup__open(void);
/* 1 if the kernel has a symbol of that name, 0 if not, or -errno. */
int nsn_lookup__symbol(int fd, const char *name);

#endif /* NSN_BPFTRY_H */
