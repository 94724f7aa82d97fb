/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render_doctor.h - the doctor's checks to bytes. Floor 3.
 */
#ifndef NSN_RENDER_DOCTOR_H
#define NSN_RENDER_DOCTOR_H

#include "checks.h"
#include "render.h"

/*
 * Print all checks: tables by kind and a closing line, or one object nosnoop.doctor/1
 * (docs/doctor.md, docs/doctor.schema.json) and a newline. With `facts` the text tells what rests
 * on a check also where all is well. 0, -ENOMEM, or -EIO if out took no more.
 */
int nsn_render_doctor_text(FILE *out, const struct nsn_checks *checks, bool facts,
			   const struct nsn_render_opts *opts);
int nsn_render_doctor_json(FILE *out, const struct nsn_checks *checks,
			   const struct nsn_render_opts *opts);

#endif /* NSN_RENDER_DOCTOR_H */
