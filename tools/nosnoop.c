// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nosnoop.c - the program: finds the command. Floor 4.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "commands.h"
#include "log.h"
#include "version.h"

/* nosnooptop links curses and stands beside this program; it gets the same arguments. */
static int exec_top(int argc, char **argv)
{
	(void)argc;
	return nsn_cli__exec_sibling("nosnooptop", argv);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "audit", cmd_audit, "can a device bypass the CPU caches? one verdict for each VM" },
	{ "trace", cmd_trace, "each attach, refusal, registration and flush as it happens" },
	{ "top", exec_top, "which VM flushes whose caches right now, and why (runs nosnooptop)" },
	{ "record", cmd_record,
	  "write what this machine tells to one file, which the others but doctor --replay" },
	{ "export", cmd_export, "metrics for Prometheus: once, to a file, or by HTTP" },
	{ "doctor", cmd_doctor,
	  "what will be unknown on this machine, and what would make it known" },
};

static void print_usage(FILE *out)
{
	fputs("Usage: nosnoop COMMAND [OPTION...]\n\n"
	      "Sees on a live hypervisor whether a passed-through PCIe device can bypass the CPU\n"
	      "caches (No Snoop), whether the IOMMU blocks it, and what KVM does about it.\n\n"
	      "Commands:\n",
	      out);
	for (size_t i = 0; i < NSN_ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\n  -h, --help       this text; `nosnoop COMMAND --help` tells a command's options\n"
	      "  -V, --version    print the version\n",
	      out);
}

int main(int argc, char **argv)
{
	char name[64];

	if (!nsn_cli__hold_standard_descriptors())
		return NSN_EXIT_FAILURE;
	setlocale(LC_CTYPE, "");
	if (argc < 2) {
		print_usage(stderr);
		return NSN_EXIT_FAILURE;
	}
	if (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0) {
		print_usage(stdout);
		return nsn_cli__close_stdout(0);
	}
	if (strcmp(argv[1], "-V") == 0 || strcmp(argv[1], "--version") == 0) {
		printf("nosnoop %s (%s)\n", nsn_version, nsn_revision);
		return nsn_cli__close_stdout(0);
	}
	for (size_t i = 0; i < NSN_ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		argv[1] = nsn_format(name, sizeof(name), "nosnoop %s", commands[i].name);
		return commands[i].run(argc - 1, argv + 1);
	}
	nsn_error("no command '%s'; see nosnoop --help", argv[1]);
	return NSN_EXIT_FAILURE;
}
