/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * export_opts.h - the options that nosnoop export and nosnoop-exporter share. Floor 4.
 */
#ifndef NSN_EXPORT_OPTS_H
#define NSN_EXPORT_OPTS_H

#include "cli.h"
#include "export.h"

/* Initialise by nsn_export_cli__init(). */
struct nsn_export_cli {
	struct nsn_cli_opts cli;
	struct nsn_export_opts export;
};

/*
 * For a program's argp: children[] with &nsn_export_argp, whose input is a struct nsn_export_cli. It
 * has nsn_cli_export_argp as its child, and refuses what metrics can't be limited to.
 */
extern const struct argp nsn_export_argp;

void nsn_export_cli__init(struct nsn_export_cli *opts);

/* --format: "prometheus" (the default; "text" too) or "openmetrics". 0, or 2 (told). */
int nsn_export_cli__format(const struct nsn_export_cli *opts, enum nsn_prom_format *out);

#endif /* NSN_EXPORT_OPTS_H */
