/* SPDX-License-Identifier: GPL-2.0-or-later */
/* version.h - which nosnoop this is. Floor 0. */
#ifndef NSN_VERSION_H
#define NSN_VERSION_H

extern const char nsn_version[];  /* "0.1.0" */
extern const char nsn_revision[]; /* abbreviated commit, or "unknown" */

#endif /* NSN_VERSION_H */
