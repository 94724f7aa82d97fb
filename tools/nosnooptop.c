// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nosnooptop.c - the program: a machine over time, on a terminal. Floor 4.
 */
#include <locale.h>

#include "cli.h"
#include "top.h"

int main(int argc, char **argv)
{
	if (!nsn_cli__hold_standard_descriptors())
		return NSN_EXIT_FAILURE;
	setlocale(LC_CTYPE, "");
	return nsn_top__main(argc, argv);
}
