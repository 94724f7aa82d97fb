// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * checks.c - what `nosnoop doctor` has to say. Floor 1.
 */
#include "checks.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[NSN_CHECK_KIND_MAX] = {
	[NSN_CHECK_PRIVILEGE] = "privilege", [NSN_CHECK_KERNEL] = "kernel",
	[NSN_CHECK_SOURCE] = "source",       [NSN_CHECK_MODULE] = "module",
	[NSN_CHECK_ACCESSOR] = "accessor",   [NSN_CHECK_PROGRAM] = "program",
	[NSN_CHECK_SYMBOL] = "symbol",       [NSN_CHECK_PROBE] = "probe",
};

static const char *const status_names[NSN_CHECK_STATUS_MAX] = {
	[NSN_CHECK_OK] = "ok",
	[NSN_CHECK_MISSING] = "missing",
	[NSN_CHECK_UNCHECKED] = "unchecked",
	[NSN_CHECK_NOT_APPLICABLE] = "not_applicable",
};

const char *nsn_check_kind_name(enum nsn_check_kind kind)
{
	return kind_names[kind];
}

const char *nsn_check_status_name(enum nsn_check_status status)
{
	return status_names[status];
}

size_t nsn_checks__count(const struct nsn_checks *checks, enum nsn_check_status status)
{
	size_t count = 0;

	for (size_t i = 0; i < checks->checks_count; i++)
		count += checks->checks[i].status == status;
	return count;
}

int nsn_checks__exit_code(const struct nsn_checks *checks)
{
	if (nsn_checks__count(checks, NSN_CHECK_MISSING) ||
	    nsn_checks__count(checks, NSN_CHECK_UNCHECKED))
		return 3;
	return 0;
}

void nsn_checks__free(struct nsn_checks *checks)
{
	free(checks->checks);
	memset(checks, 0, sizeof(*checks));
}
