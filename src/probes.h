/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probes.h - the names that nosnoop needs from a kernel: its parts, symbols whose addresses the
 * walks start from or compare with, and functions that can be traced.
 *
 * Floor 2. The one place for such names: a function that was renamed, split or inlined is a row
 * here and nothing else.
 */
#ifndef NSN_PROBES_H
#define NSN_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record.h"

/* A part of the kernel: a module, or what may be left out of vmlinux. */
struct nsn_module_row {
	const char *name; /* as in /sys/module and /sys/kernel/btf */
	const char *gives;
	bool part;     /* never a module of its own */
	bool optional; /* many kernels are built without it: offline, nobody is asked for it */
	const char *functions[4]; /* vmlinux has one of them: it is built in; NULL ends */
};

extern const struct nsn_module_row nsn_module_rows[];
extern const size_t nsn_module_rows_count;

/* The row called `name`, or NULL. */
const struct nsn_module_row *nsn_module_row__find(const char *name);

/* A kernel symbol that a snapshot needs. */
struct nsn_symbol_row {
	const char *name;
	const char *module; /* "vmlinux", "kvm", …: where it is unless built in */
	bool data;          /* a variable: in kallsyms only with CONFIG_KALLSYMS_ALL */
	const char *gives;  /* what is unknown without it */
};

/* One for each enum nsn_symbol, in its order. */
extern const struct nsn_symbol_row nsn_symbol_rows[NSN_SYM_MAX];

/* Where in a function a probe sits. */
enum nsn_probe_points {
	NSN_PROBE_ENTRY = 1,
	NSN_PROBE_EXIT = 2,
	NSN_PROBE_BOTH = 3,
};

#define NSN_PROBE_ALTERNATIVES 4

/*
 * A probe: one thing to see happen, and the functions that show it. An alternative is a list of
 * functions, separated by spaces, that must all be there; they are in order of preference, newest
 * kernels first.
 */
struct nsn_probe_row {
	const char *name;    /* nosnoop_probe_attached{probe} */
	const char *feature; /* what is off without it: nosnoop_probe_attached{feature} */
	const char *module;  /* the part of the kernel the functions are in */
	enum nsn_probe_points points;
	uint64_t
		events; /* 1 << enum nsn_event: without it, differences of snapshots tell of these */
	const char *gives; /* events of the trace and what else rests on it */
	const char *alternatives[NSN_PROBE_ALTERNATIVES]; /* NULL ends */
};

extern const struct nsn_probe_row nsn_probe_rows[];
extern const size_t nsn_probe_rows_count;

/* The object of bpf/ that a program is in: one a part of the kernel that may come and go. */
enum nsn_event_object {
	NSN_OBJECT_KVM_EVENTS,
	NSN_OBJECT_KVM_VFIO_EVENTS,
	NSN_OBJECT_VFIO_EVENTS,
	NSN_OBJECT_TYPE1_EVENTS,
	NSN_OBJECT_IOMMU_EVENTS,
	NSN_OBJECT_IOMMUFD_EVENTS,
	NSN_EVENT_OBJECTS,
};

/*
 * Which program sees a function. Programs are called fentry_NAME, fexit_NAME, kprobe_NAME and
 * kretprobe_NAME; each can be attached to one function at a time.
 */
struct nsn_program_row {
	const char *function;
	enum nsn_event_object object;
	const char *program; /* NAME */
};

extern const struct nsn_program_row nsn_function_rows[];
extern const size_t nsn_function_rows_count;

/* The row of a function of nsn_probe_rows, or NULL. */
const struct nsn_program_row *nsn_program_of(const char *function);

/* How a probe can be attached, best first. */
enum nsn_probe_method {
	NSN_PROBE_FENTRY, /* fentry, fexit: kallsyms and BTF both have the function */
	NSN_PROBE_KPROBE, /* kprobe, kretprobe: kallsyms has it */
	NSN_PROBE_NONE,
};

/* What a kernel offers. A function that BTF lists may have no symbol: it was split or inlined. */
struct nsn_probe_kernel {
	bool (*has_symbol)(void *context, const char *function);
	bool (*has_btf)(void *context, const char *function);
	void *context;
	bool fentry; /* fentry can be used at all */
	bool kprobe;
};

/*
 * The method by which a row can be attached in this kernel and, in *alternative, the list of
 * functions to attach to: fentry on any alternative is preferred to kprobes on another.
 * NSN_PROBE_NONE sets *alternative to NULL.
 */
enum nsn_probe_method nsn_probe__choose(const struct nsn_probe_row *row,
					const struct nsn_probe_kernel *kernel,
					const char **alternative);

/* The row of a probe, by its name; NULL: there is none. */
const struct nsn_probe_row *nsn_probe_row__find(const char *name);

/* Is a probe in a list of names separated by commas? NULL is an empty list. */
bool nsn_probe__is_listed(const char *list, const char *name);

/* The first name of such a list that no probe has, copied into out; NULL: all are probes'. */
const char *nsn_probe__not_one(const char *list, char *out, size_t size);

/*
 * Takes the next name off a list separated by spaces: copies it into word and moves *list on.
 * False at the end. A name that does not fit ends the list.
 */
bool nsn_next_word(const char **list, char *word, size_t size);

/*
 * The IOMMU driver that a function belongs to by its name ("intel_iommu_attach_device": intel), ""
 * for a function of the core. out may be symbol itself.
 */
void nsn_iommu_driver_name(const char *symbol, char *out, size_t size);

/* The page-table format (enum nsn_page_table) that an enforce function is for, -1: any. */
int nsn_page_table_of_op(const char *symbol);

#endif /* NSN_PROBES_H */
