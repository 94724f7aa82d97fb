// SPDX-License-Identifier: GPL-2.0-or-later
/* version.c - the only file that the version is compiled into. Floor 0. */
#include "version.h"

const char nsn_version[] = NSN_VERSION;
const char nsn_revision[] = NSN_REVISION;
