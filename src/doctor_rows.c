// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * doctor_rows.c - the tables of accessors, programs, symbols and probes held against a kernel.
 * Floor 2.
 */
#include "doctor_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "accessors.h"
#include "util.h"

#define REQUIREMENT_LEN 128
#define NEW_RELEASE     "a nosnoop that knows this kernel: report this output, please"

/* ---- accessors and programs ----------------------------------------------------------------- */

/* One requirement of an alternative. False: reason says what the kernel lacks (or has). */
static bool is_met(struct nsn_doctor *doctor, const char *requirement, char *reason, size_t size)
{
	bool absent = requirement[0] == '!';
	const char *wanted = requirement + absent;
	const char *colon = strchr(wanted, ':');
	char name[REQUIREMENT_LEN];
	size_t length;

	if (colon) {
		nsn_format(name, sizeof(name), "%.*s", (int)(colon - wanted), wanted);
		if (nsn_doctor__presence(doctor, name) > NSN_PRESENT_BUILT_IN)
			return true;
		wanted = colon + 1;
	}
	length = strlen(wanted);
	if (length > 2 && strcmp(wanted + length - 2, "()") == 0) {
		nsn_format(name, sizeof(name), "%.*s", (int)length - 2, wanted);
		nsn_format(reason, size, "no function %s", name);
		return nsn_types__has_function(doctor->types, name, NULL) != absent;
	}
	if (!absent)
		return nsn_types__find(doctor->types, wanted, NULL, reason, size) == 0;
	nsn_format(reason, size, "it has %s", wanted);
	return nsn_types__find(doctor->types, wanted, NULL, NULL, 0) != 0;
}

static bool is_alternative_met(struct nsn_doctor *doctor, const char *list, char *reason,
			       size_t size)
{
	char requirement[REQUIREMENT_LEN];

	while (nsn_next_word(&list, requirement, sizeof(requirement)))
		if (!is_met(doctor, requirement, reason, size))
			return false;
	return true;
}

/* The alternative that is met, or NULL with why the first is not: it is that of new kernels. */
static const char *choose_alternative(struct nsn_doctor *doctor, const struct nsn_accessor_row *row,
				      char *reason, size_t size)
{
	char other[256];

	for (size_t i = 0; i < NSN_ALTERNATIVES && row->alternatives[i]; i++)
		if (is_alternative_met(doctor, row->alternatives[i], i ? other : reason,
				       i ? sizeof(other) : size))
			return row->alternatives[i];
	return NULL;
}

static int check_row(struct nsn_doctor *doctor, enum nsn_check_kind kind,
		     const struct nsn_accessor_row *row)
{
	char reason[200] = "";
	const char *alternative = choose_alternative(doctor, row, reason, sizeof(reason));
	struct nsn_check *check;

	if (!row->alternatives[0])
		alternative = "needs no type";
	check = nsn_doctor__add(doctor, kind, alternative ? NSN_CHECK_OK : NSN_CHECK_MISSING,
				row->name, row->gives, "%s", alternative ? alternative : reason);
	if (!check)
		return -ENOMEM;
	check->module = row->module;
	if (alternative || nsn_doctor__explain_absence(doctor, check, true))
		return 0;
	if (row->without) {
		check->status = NSN_CHECK_NOT_APPLICABLE;
		nsn_format(check->detail, sizeof(check->detail), "%s", row->without);
		return 0;
	}
	NSN_REMEDY(check, "%s", row->remedy ? row->remedy : NEW_RELEASE);
	return 0;
}

int nsn_doctor__check_accessors(struct nsn_doctor *doctor)
{
	int err = 0;

	for (size_t i = 0; !err && i < nsn_accessor_rows_count; i++)
		err = check_row(doctor, NSN_CHECK_ACCESSOR, &nsn_accessor_rows[i]);
	for (size_t i = 0; !err && i < nsn_program_rows_count; i++)
		err = check_row(doctor, NSN_CHECK_PROGRAM, &nsn_program_rows[i]);
	return err;
}

/* ---- symbols -------------------------------------------------------------------------------- */

static bool has_symbol(void *context, const char *function)
{
	struct nsn_doctor *doctor = context;

	return nsn_kallsyms__find(&doctor->kallsyms, function) != NULL;
}

static bool has_btf(void *context, const char *function)
{
	struct nsn_doctor *doctor = context;

	return nsn_types__has_function(doctor->types, function, NULL);
}

/* Without kallsyms neither symbols nor probes can be told. `known` is what BTF says, or "". */
static void explain_no_kallsyms(struct nsn_doctor *doctor, struct nsn_check *check,
				const char *known)
{
	check->status = NSN_CHECK_UNCHECKED;
	if (doctor->options->btf && doctor->kallsyms_err == -ENOENT) {
		nsn_format(check->detail, sizeof(check->detail), "%s%skallsyms was not given",
			   known, *known ? "; " : "");
	} else {
		nsn_format(check->detail, sizeof(check->detail), "%s%skallsyms: %s", known,
			   *known ? "; " : "", strerror(-doctor->kallsyms_err));
	}
	NSN_REMEDY(check, "%s",
		   doctor->options->btf ? "put a copy of its /proc/kallsyms into the folder"
					: "a kernel with CONFIG_KALLSYMS=y, and /proc mounted");
}

static int check_symbol(struct nsn_doctor *doctor, const struct nsn_symbol_row *row)
{
	const struct nsn_kallsym *symbol = nsn_kallsyms__find(&doctor->kallsyms, row->name);
	struct nsn_check *check =
		nsn_doctor__add(doctor, NSN_CHECK_SYMBOL, NSN_CHECK_OK, row->name, row->gives, "%s",
				row->data ? "variable" : "function");

	if (!check)
		return -ENOMEM;
	check->module = row->module;
	if (symbol || nsn_doctor__explain_absence(doctor, check, false))
		return 0;
	if (!doctor->kallsyms.read) {
		explain_no_kallsyms(doctor, check, has_btf(doctor, row->name) ? "BTF has it" : "");
		return 0;
	}
	check->status = NSN_CHECK_MISSING;
	if (row->data && !doctor->kallsyms.variables) {
		nsn_format(check->detail, sizeof(check->detail), "kallsyms has no variables");
		NSN_REMEDY(check, "a kernel with CONFIG_KALLSYMS_ALL=y");
		return 0;
	}
	nsn_format(check->detail, sizeof(check->detail), "kallsyms has no such %s",
		   row->data ? "variable" : "function");
	NSN_REMEDY(check, "%s", NEW_RELEASE);
	return 0;
}

int nsn_doctor__check_symbols(struct nsn_doctor *doctor)
{
	int err = 0;

	for (size_t i = 0; !err && i < NSN_SYM_MAX; i++)
		err = check_symbol(doctor, &nsn_symbol_rows[i]);
	return err;
}

/* ---- probes --------------------------------------------------------------------------------- */

static const char *method_name(enum nsn_probe_method method, enum nsn_probe_points points)
{
	static const char *const fentry[] = { "", "fentry", "fexit", "fentry+fexit" };
	static const char *const kprobe[] = { "", "kprobe", "kretprobe", "kprobe+kretprobe" };

	return method == NSN_PROBE_FENTRY ? fentry[points] : kprobe[points];
}

/* Says why no alternative can be attached: the first function of each that is not there. */
static void explain_no_probe(struct nsn_doctor *doctor, const struct nsn_probe_row *row,
			     struct nsn_check *check)
{
	char function[NSN_SYMBOL_LEN];
	size_t used = 0;

	check->status = NSN_CHECK_MISSING;
	if (!doctor->fentry && !doctor->kprobe) {
		nsn_format(check->detail, sizeof(check->detail), "nothing can be attached here");
		NSN_REMEDY(check, "see fentry and kprobe");
		return;
	}
	for (size_t i = 0; i < NSN_PROBE_ALTERNATIVES && row->alternatives[i]; i++) {
		const char *list = row->alternatives[i];

		while (nsn_next_word(&list, function, sizeof(function)) &&
		       has_symbol(doctor, function) &&
		       (doctor->kprobe || has_btf(doctor, function)))
			;
		used += snprintf(check->detail + used, sizeof(check->detail) - used, "%s%s %s",
				 used ? "; " : "",
				 has_symbol(doctor, function) ? "BTF has no" : "kallsyms has no",
				 function);
		if (used >= sizeof(check->detail))
			break;
	}
	NSN_REMEDY(check, "%s", NEW_RELEASE);
}

static int check_probe(struct nsn_doctor *doctor, const struct nsn_probe_row *row)
{
	const struct nsn_probe_kernel kernel = {
		.has_symbol = doctor->kallsyms.read ? has_symbol : has_btf,
		.has_btf = has_btf,
		.context = doctor,
		.fentry = doctor->fentry,
		.kprobe = doctor->kprobe,
	};
	const char *alternative;
	enum nsn_probe_method method = nsn_probe__choose(row, &kernel, &alternative);
	struct nsn_check *check;
	char known[160];

	check = nsn_doctor__add(doctor, NSN_CHECK_PROBE, NSN_CHECK_OK, row->name, row->gives,
				"%s %s", method_name(method, row->points),
				alternative ? alternative : "");
	if (!check)
		return -ENOMEM;
	check->module = row->module;
	check->feature = row->feature;
	if (nsn_probe__is_listed(doctor->options->without, row->name)) {
		check->status = NSN_CHECK_MISSING;
		nsn_format(check->detail, sizeof(check->detail), "left off by --without");
		NSN_REMEDY(check, "take it off --without");
		return 0;
	}
	if (doctor->kallsyms.read ? alternative != NULL
				  : nsn_doctor__explain_absence(doctor, check, false))
		return 0;
	if (!doctor->kallsyms.read) {
		nsn_format(known, sizeof(known), "BTF has %s", alternative ? alternative : "none");
		explain_no_kallsyms(doctor, check, known);
	} else if (!nsn_doctor__explain_absence(doctor, check, false)) {
		explain_no_probe(doctor, row, check);
	}
	return 0;
}

int nsn_doctor__check_probes(struct nsn_doctor *doctor)
{
	int err = 0;

	for (size_t i = 0; !err && i < nsn_probe_rows_count; i++)
		err = check_probe(doctor, &nsn_probe_rows[i]);
	return err;
}
