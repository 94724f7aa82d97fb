// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * doctor.c - what of a kernel nosnoop can use: reading the kernel, its parts. Floor 2.
 */
#include "doctor_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util.h"

struct nsn_check *nsn_doctor__add(struct nsn_doctor *doctor, enum nsn_check_kind kind,
				  enum nsn_check_status status, const char *name, const char *gives,
				  const char *detail, ...)
{
	struct nsn_check *check = NSN_APPEND(doctor->checks, checks);
	va_list args;

	if (!check)
		return NULL;
	check->kind = kind;
	check->status = status;
	check->name = name;
	check->gives = gives;
	va_start(args, detail);
	vsnprintf(check->detail, sizeof(check->detail), detail, args);
	va_end(args);
	return check;
}

/* ---- the parts of a kernel ------------------------------------------------------------------ */

/* True if vmlinux itself has one of the row's functions. */
static bool is_built_in(struct nsn_doctor *doctor, const struct nsn_module_row *row)
{
	for (size_t i = 0; i < NSN_ARRAY_SIZE(row->functions) && row->functions[i]; i++) {
		const struct nsn_kallsym *symbol =
			nsn_kallsyms__find(&doctor->kallsyms, row->functions[i]);
		const char *module = NULL;

		if (symbol && !symbol->module[0])
			return true;
		if (nsn_types__has_function(doctor->types, row->functions[i], &module) &&
		    strcmp(module, "vmlinux") == 0)
			return true;
	}
	return false;
}

static bool is_loaded(struct nsn_doctor *doctor, const struct nsn_module_row *row)
{
	char path[PATH_MAX];

	if (nsn_types__has_module(doctor->types, row->name))
		return true;
	for (size_t i = 0; i < NSN_ARRAY_SIZE(row->functions) && row->functions[i]; i++) {
		const struct nsn_kallsym *symbol =
			nsn_kallsyms__find(&doctor->kallsyms, row->functions[i]);

		if (symbol && strcmp(symbol->module, row->name) == 0)
			return true;
	}
	if (doctor->options->btf)
		return false;
	/* a built-in part can have a folder there, but never this file */
	snprintf(path, sizeof(path), "%s/sys/module/%s/initstate", doctor->options->sysroot,
		 row->name);
	return access(path, F_OK) == 0;
}

enum nsn_presence nsn_doctor__presence(struct nsn_doctor *doctor, const char *module)
{
	const struct nsn_module_row *row = nsn_module_row__find(module);

	if (!row || strcmp(module, "vmlinux") == 0 || is_built_in(doctor, row))
		return NSN_PRESENT_BUILT_IN;
	if (!row->part && is_loaded(doctor, row))
		return NSN_PRESENT_MODULE;
	if (row->part && !nsn_types__vmlinux(doctor->types) && !doctor->kallsyms.read)
		return NSN_PRESENT_UNKNOWN;
	return row->part || !doctor->options->btf ? NSN_PRESENT_NOT : NSN_PRESENT_UNKNOWN;
}

bool nsn_doctor__explain_absence(struct nsn_doctor *doctor, struct nsn_check *check, bool needs_btf)
{
	const struct nsn_module_row *row = nsn_module_row__find(check->module);
	enum nsn_presence presence = nsn_doctor__presence(doctor, check->module);

	if (presence == NSN_PRESENT_NOT || (presence == NSN_PRESENT_UNKNOWN && row->optional)) {
		check->status = NSN_CHECK_NOT_APPLICABLE;
		nsn_format(check->detail, sizeof(check->detail),
			   row->part              ? "this kernel has no %s"
			   : doctor->options->btf ? "%s was not given; not every kernel has it"
						  : "%s is not loaded",
			   row->name);
		return true;
	}
	if (needs_btf && !nsn_types__vmlinux(doctor->types)) {
		check->status = NSN_CHECK_MISSING;
		nsn_format(check->detail, sizeof(check->detail), "no BTF of vmlinux");
		NSN_REMEDY(check, "a kernel with CONFIG_DEBUG_INFO_BTF=y");
		return true;
	}
	if (presence == NSN_PRESENT_UNKNOWN) {
		check->status = NSN_CHECK_UNCHECKED;
		nsn_format(check->detail, sizeof(check->detail), "%s was not given", row->name);
		NSN_REMEDY(check, "put that kernel's %s.ko, or its BTF, into the folder",
			   row->name);
		return true;
	}
	if (needs_btf && presence == NSN_PRESENT_MODULE &&
	    !nsn_types__has_module(doctor->types, row->name)) {
		check->status = NSN_CHECK_MISSING;
		nsn_format(check->detail, sizeof(check->detail), "%s is loaded, but has no BTF",
			   row->name);
		NSN_REMEDY(check, "a kernel with CONFIG_DEBUG_INFO_BTF_MODULES=y, its own modules");
		return true;
	}
	return false;
}

static const char *module_state(struct nsn_doctor *doctor, const char *module)
{
	bool btf = nsn_types__has_module(doctor->types, module);

	switch (nsn_doctor__presence(doctor, module)) {
	case NSN_PRESENT_BUILT_IN:
		return strcmp(module, "vmlinux") || btf ? "built in, types in vmlinux" : "no BTF";
	case NSN_PRESENT_MODULE:
		return doctor->options->btf ? "given, with BTF" : "loaded, with BTF";
	default:
		return "absent";
	}
}

int nsn_doctor__check_modules(struct nsn_doctor *doctor)
{
	for (size_t i = 0; i < nsn_module_rows_count; i++) {
		const struct nsn_module_row *row = &nsn_module_rows[i];
		struct nsn_check *check =
			nsn_doctor__add(doctor, NSN_CHECK_MODULE, NSN_CHECK_OK, row->name,
					row->gives, "%s", module_state(doctor, row->name));

		if (!check)
			return -ENOMEM;
		check->module = row->name;
		if (strcmp(row->name, "vmlinux") == 0 && nsn_types__vmlinux(doctor->types))
			nsn_format(check->detail, sizeof(check->detail), "BTF read");
		else if (nsn_doctor__explain_absence(doctor, check, true) &&
			 check->status == NSN_CHECK_MISSING && doctor->btf_reason[0])
			nsn_format(check->detail, sizeof(check->detail), "%s", doctor->btf_reason);
	}
	return 0;
}

/* ---- reading a kernel ----------------------------------------------------------------------- */

static bool is_known_module(const char *module)
{
	const struct nsn_module_row *row = nsn_module_row__find(module);

	return row && !row->part;
}

static int want_list(struct nsn_kallsyms *kallsyms, const char *const *names, size_t count)
{
	int err = 0;

	for (size_t i = 0; !err && i < count && names[i]; i++)
		err = nsn_kallsyms__want(kallsyms, names[i]);
	return err;
}

/* Names of one function each, for kallsyms keeps pointers: probes are lists of names. */
static int want_probes(struct nsn_kallsyms *kallsyms)
{
	static char words[128][NSN_SYMBOL_LEN];
	size_t used = 0;

	for (size_t i = 0; i < nsn_probe_rows_count; i++) {
		for (size_t j = 0; j < NSN_PROBE_ALTERNATIVES; j++) {
			const char *list = nsn_probe_rows[i].alternatives[j];

			while (list && used < NSN_ARRAY_SIZE(words) &&
			       nsn_next_word(&list, words[used], sizeof(words[used])))
				if (nsn_kallsyms__want(kallsyms, words[used++]))
					return -ENOMEM;
		}
	}
	return used < NSN_ARRAY_SIZE(words) ? 0 : -ENOBUFS;
}

static int read_kallsyms(struct nsn_doctor *doctor)
{
	const struct nsn_doctor_options *options = doctor->options;
	char path[PATH_MAX];
	int err = want_probes(&doctor->kallsyms);

	for (size_t i = 0; !err && i < NSN_SYM_MAX; i++)
		err = nsn_kallsyms__want(&doctor->kallsyms, nsn_symbol_rows[i].name);
	for (size_t i = 0; !err && i < nsn_module_rows_count; i++)
		err = want_list(&doctor->kallsyms, nsn_module_rows[i].functions,
				NSN_ARRAY_SIZE(nsn_module_rows[i].functions));
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s%s", options->btf ? options->btf : options->sysroot,
		 options->btf ? "/kallsyms" : "/proc/kallsyms");
	doctor->kallsyms_err = nsn_kallsyms__read(&doctor->kallsyms, path);
	return 0;
}

static int read_types(struct nsn_doctor *doctor, char *reason, size_t size)
{
	const struct nsn_doctor_options *options = doctor->options;
	char path[PATH_MAX];
	int err;

	doctor->types = nsn_types__new();
	if (!doctor->types)
		return -ENOMEM;
	if (options->btf) {
		err = nsn_types__load_folder(doctor->types, options->btf, is_known_module, reason,
					     size);
		if (!err)
			nsn_format(doctor->btf_reason, sizeof(doctor->btf_reason), "%s", reason);
		return err;
	}
	snprintf(path, sizeof(path), "%s/sys/kernel/btf", options->sysroot);
	err = nsn_types__load_live(doctor->types, path, doctor->btf_reason,
				   sizeof(doctor->btf_reason));
	return err == -ENOMEM ? err : 0; /* a kernel without BTF is a finding, no failure */
}

int nsn_doctor__run(const struct nsn_doctor_options *options, struct nsn_checks *checks,
		    char *reason, size_t size)
{
	struct nsn_doctor doctor = {
		.options = options,
		.checks = checks,
		.live = !options->btf && !options->sysroot[0],
		.fentry = true,
		.kprobe = true,
	};
	struct utsname name;
	int err;

	reason[0] = '\0';
	if (options->btf)
		nsn_utf8_copy(checks->from, sizeof(checks->from), options->btf);
	else if (doctor.live && !uname(&name))
		nsn_utf8_copy(checks->kernel, sizeof(checks->kernel), name.release);
	err = read_types(&doctor, reason, size);
	if (!err)
		err = read_kallsyms(&doctor);
	if (!err && doctor.live)
		err = nsn_doctor__check_process(&doctor);
	if (!err && doctor.live)
		err = nsn_doctor__check_sources(&doctor);
	if (!err)
		err = nsn_doctor__check_modules(&doctor);
	if (!err)
		err = nsn_doctor__check_accessors(&doctor);
	if (!err)
		err = nsn_doctor__check_symbols(&doctor);
	if (!err)
		err = nsn_doctor__check_probes(&doctor);
	if (err && !reason[0])
		nsn_format(reason, size, "%s", strerror(-err));
	nsn_kallsyms__free(&doctor.kallsyms);
	nsn_types__free(doctor.types);
	return err;
}
