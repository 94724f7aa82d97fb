/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checks.h - what `nosnoop doctor` has to say: a list of checks.
 *
 * Floor 1: plain data. src/doctor.c fills the list, src/render_doctor.c prints it.
 */
#ifndef NSN_CHECKS_H
#define NSN_CHECKS_H

#include <stddef.h>

/* What a check is about, in the order in which they are printed. */
enum nsn_check_kind {
	NSN_CHECK_PRIVILEGE, /* a capability of this process, its namespaces */
	NSN_CHECK_KERNEL,    /* what the kernel lets programs do */
	NSN_CHECK_SOURCE,    /* a source of facts: do its programs load? */
	NSN_CHECK_MODULE,    /* is a part of the kernel there, and its BTF */
	NSN_CHECK_ACCESSOR,  /* a function of bpf/core_compat.bpf.h */
	NSN_CHECK_PROGRAM,   /* what a program of bpf/ reads by itself */
	NSN_CHECK_SYMBOL,    /* enum nsn_symbol */
	NSN_CHECK_PROBE,     /* functions to trace */
	NSN_CHECK_KIND_MAX,
};

enum nsn_check_status {
	NSN_CHECK_OK,
	NSN_CHECK_MISSING,        /* `gives` will be unknown */
	NSN_CHECK_UNCHECKED,      /* could not be told: `gives` may be unknown */
	NSN_CHECK_NOT_APPLICABLE, /* this kernel has nothing there to be known */
	NSN_CHECK_STATUS_MAX,
};

struct nsn_check {
	enum nsn_check_kind kind;
	enum nsn_check_status status;
	const char *name;
	const char *module;  /* the part of the kernel it is about; NULL: none */
	const char *feature; /* of a probe: what is off without it; NULL: none */
	const char *gives;   /* the facts that rest on it */
	char detail[256];    /* what was found, or why it is not there */
	char remedy[256];    /* what would make the facts known; "" where nothing is to be done */
};

/* All checks of one run. The strings that the pointers lead to are static. */
struct nsn_checks {
	struct nsn_check *checks;
	size_t checks_count;
	size_t checks_capacity;
	char kernel[72]; /* release of the running kernel; "" if another one was examined */
	char from[256];  /* the folder a foreign kernel was read from; "" for the running one */
};

/* Names as they are printed: "accessor", "not_applicable". */
const char *nsn_check_kind_name(enum nsn_check_kind kind);
const char *nsn_check_status_name(enum nsn_check_status status);

/* How many checks ended in `status`. */
size_t nsn_checks__count(const struct nsn_checks *checks, enum nsn_check_status status);

/* The contract's exit code: 0 all there, 3 something is missing or could not be checked. */
int nsn_checks__exit_code(const struct nsn_checks *checks);

void nsn_checks__free(struct nsn_checks *checks);

#endif /* NSN_CHECKS_H */
