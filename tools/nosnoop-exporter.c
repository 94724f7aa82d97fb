// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nosnoop-exporter.c - the program: metrics for Prometheus over HTTP. Floor 4.
 */
#include "cli.h"
#include "exporter.h"

int main(int argc, char **argv)
{
	if (!nsn_cli__hold_standard_descriptors())
		return NSN_EXIT_FAILURE;
	return nsn_exporter__main(argc, argv);
}
