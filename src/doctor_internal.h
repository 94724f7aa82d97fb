/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * doctor_internal.h - what the files of the doctor share. Floor 2.
 */
#ifndef NSN_DOCTOR_INTERNAL_H
#define NSN_DOCTOR_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "btfcheck.h"
#include "checks.h"
#include "doctor.h"
#include "kallsyms.h"
#include "probes.h"

/* Is a part of the kernel there? */
enum nsn_presence {
	NSN_PRESENT_MODULE,   /* a module, loaded; offline: its BTF was given */
	NSN_PRESENT_BUILT_IN, /* in vmlinux */
	NSN_PRESENT_NOT,      /* neither: it has no objects */
	NSN_PRESENT_UNKNOWN,  /* offline: nothing of it was given */
};

/* A kernel under examination. */
struct nsn_doctor {
	const struct nsn_doctor_options *options;
	struct nsn_checks *checks;
	struct nsn_types *types;
	struct nsn_kallsyms kallsyms;
	bool live;            /* the running kernel, and programs can be tried out */
	bool fentry;          /* programs can be attached by fentry */
	bool kprobe;          /* … by kprobe */
	int kallsyms_err;     /* of reading it */
	char btf_reason[256]; /* why there is no BTF of vmlinux, or not of a module; "" */
};

/*
 * Appends a check with detail formatted; NULL without memory. status, remedy and feature can be
 * set by the caller afterwards.
 */
struct nsn_check *nsn_doctor__add(struct nsn_doctor *doctor, enum nsn_check_kind kind,
				  enum nsn_check_status status, const char *name, const char *gives,
				  const char *detail, ...) __attribute__((format(printf, 6, 7)));

#define NSN_REMEDY(check, ...) nsn_format((check)->remedy, sizeof((check)->remedy), __VA_ARGS__)

/* Is the part called `module` (a row of nsn_module_rows) there? */
enum nsn_presence nsn_doctor__presence(struct nsn_doctor *doctor, const char *module);

/*
 * Gives a check that could not be met the status, detail and remedy that follow from its part of
 * the kernel not being there or having no BTF. False, with nothing changed, if the part is there.
 */
bool nsn_doctor__explain_absence(struct nsn_doctor *doctor, struct nsn_check *check,
				 bool needs_btf);

/* Each appends the checks of its kind. 0 or -ENOMEM. */
int nsn_doctor__check_process(struct nsn_doctor *doctor); /* privileges and what programs may do */
int nsn_doctor__check_sources(struct nsn_doctor *doctor); /* loads the programs themselves */
int nsn_doctor__check_modules(struct nsn_doctor *doctor);
int nsn_doctor__check_accessors(struct nsn_doctor *doctor); /* and programs */
int nsn_doctor__check_symbols(struct nsn_doctor *doctor);
int nsn_doctor__check_probes(struct nsn_doctor *doctor);

#endif /* NSN_DOCTOR_INTERNAL_H */
