/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules_internal.h - what the rules*.c files share: the pen that a judge writes with, and questions
 * that several judges ask of a model.
 *
 * Floor 1. The files:
 *	rules.c         the engine: runs, statuses, order, exit code
 *	rules_table.c   the table: what each rule says to its reader
 *	rules_facts.c   questions to the model, subjects' names
 *	rules_vm.c      judges whose subject is a VM
 *	rules_kvm.c     the judge of what KVM registered for it
 *	rules_domain.c  … a domain
 *	rules_container.c … a container: whose is it, has it an IOMMU
 *	rules_group.c   … a group
 *	rules_host.c    … the host or a device
 *	rules_history.c judges of what happened
 *
 * A judge keeps to one law: taking a fact away may turn its answer into "unknown" and into nothing
 * else. So it fails or passes on facts that are known, and calls a subject unknown whenever a
 * missing fact could have made it fail.
 */
#ifndef NSN_RULES_INTERNAL_H
#define NSN_RULES_INTERNAL_H

#include "rules.h"

/*
 * What a snapshot lets us see, worked out once for all rules. The reasons are NULL where nothing is
 * hidden; they point to static text or into the model.
 */
struct nsn_sight {
	/*
	 * Can any device be in a user's hands? False only where it is certain: VFIO is not loaded,
	 * and no iommufd or vDPA file is or can be open.
	 */
	bool passthrough_possible;
	/* May vhost-vdpa be in use? It attaches domains without claiming the group's DMA. */
	bool vdpa_possible;
	const char *files_hidden;      /* why descriptors of some processes may be unseen */
	const char *containers_hidden; /* … users of VFIO, iommufd or vDPA */
	const char *vms_hidden;        /* … VMs that could have a device */
	/* Why no answer "all is well" can be believed: records lost or without an owner, a list
	 * cut. */
	const char *doubt;
};

/* One rule at work on one model. */
struct nsn_rule_run {
	const struct nsn_rule *rule;
	const struct nsn_model *model;
	const struct nsn_history *history; /* NULL: one look is all there is */
	const struct nsn_sight *sight;
	struct nsn_findings *findings;
	struct nsn_rule_result *result;
	int err; /* -ENOMEM once memory ran out: sticky, what follows does nothing */
};

/* ---- the pen (rules.c) ----------------------------------------------------------------------- */

/* A subject is as it should be. */
void nsn_run__pass(struct nsn_rule_run *run);

/* A subject that was not watched for long enough: the rule as a whole is no pass yet. */
void nsn_run__pending(struct nsn_rule_run *run);

/*
 * A subject fails. The title is one line and names the subject; id is copied. Gives the finding,
 * for its evidence, or NULL without memory (which evidence functions accept); it stays good until
 * the next call for the run.
 */
struct nsn_finding *nsn_run__fail(struct nsn_rule_run *run, enum nsn_severity severity,
				  const char *kind, const char *id, const char *title, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * A subject that could not be judged, and the worst that a finding on it could be. The host may be
 * named several times in a run: it is one subject, with the worst severity and the first reason.
 */
void nsn_run__unknown(struct nsn_rule_run *run, enum nsn_severity worst, const char *kind,
		      const char *id, const char *reason, ...)
	__attribute__((format(printf, 5, 6)));

/* The same for a subject that failed mildly, where missing facts could have made it worse. */
void nsn_run__doubt(struct nsn_rule_run *run, enum nsn_severity worst, const char *kind,
		    const char *id, const char *reason, ...) __attribute__((format(printf, 5, 6)));

/* Evidence. key is static; a NULL finding is ignored. */
void nsn_run__text(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		   const char *format, ...) __attribute__((format(printf, 4, 5)));
void nsn_run__number(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		     uint64_t value);
void nsn_run__real(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		   double value);
/* ns since the epoch as RFC 3339; null for 0, which is unknown */
void nsn_run__time(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		   uint64_t ns);
/* true, false or null */
void nsn_run__tri(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		  enum nsn_tri value);
/* The ids of objects, at most 32 of them: "0000:00:02.0, 0000:00:03.0 and 3 more". */
void nsn_run__ids(struct nsn_rule_run *run, struct nsn_finding *finding, const char *key,
		  const struct nsn_refs *refs);

/* By what the VM is tied to each of its containers: "1234:11 by same_mm". Nothing without one. */
void nsn_run__links(struct nsn_rule_run *run, struct nsn_finding *finding, const struct nsn_vm *vm);

/* ---- questions to the model (rules_facts.c) -------------------------------------------------- */

#define NSN_LABEL_LEN 160

/* What to call a VM: "VM web1 (pid 1234)"; its id if it has no name. Gives out. */
const char *nsn_vm_label(char *out, size_t size, const struct nsn_vm *vm);

/* A known number field of a record as a tri-state. */
#define NSN_FACT(rec, name, field)                                                                 \
	(!NSN_KNOWS(rec, name, field) ? NSN_UNKNOWN : (rec)->field ? NSN_YES : NSN_NO)

void nsn_sight__of(struct nsn_sight *sight, const struct nsn_model *model);

/* Is the domain a user's (VFIO's, iommufd's, vDPA's), not the host's own? */
enum nsn_tri nsn_domain_is_users(const struct nsn_domain *domain);

/* Calls the host unknown to the rule if containers may be unseen. True if so. */
bool nsn_run__hidden_containers(struct nsn_rule_run *run);
/* The same for VMs, and for the containers that seen VMs may have. */
bool nsn_run__hidden_vms(struct nsn_rule_run *run);

/* Did VFIO refuse the device, as an event told? NO if none was seen. */
enum nsn_tri nsn_run__was_refused(struct nsn_rule_run *run, const struct nsn_device *device,
				  struct nsn_refusal *out);
/* Calls the host unknown to the rule if events were lost: it may be about one of them. */
void nsn_run__doubt_events(struct nsn_rule_run *run);

/* Does the Snoop bit stand in each entry of the domain's tables (Intel's second stage)? */
enum nsn_tri nsn_domain_has_bits_in_entries(const struct nsn_domain *domain);

/* ---- the judges, by the subject they judge --------------------------------------------------- */

typedef int nsn_judge(struct nsn_rule_run *run, const struct nsn_model *model);

nsn_judge nsn_judge_unsafe;            /* NS001 */
nsn_judge nsn_judge_noncoherent;       /* NS002 */
nsn_judge nsn_judge_flushing;          /* NS003 */
nsn_judge nsn_judge_switched_bit;      /* NS004 */
nsn_judge nsn_judge_mixed;             /* NS005 */
nsn_judge nsn_judge_leftover;          /* NS006 */
nsn_judge nsn_judge_interrupts;        /* NS007 */
nsn_judge nsn_judge_refused;           /* NS008 */
nsn_judge nsn_judge_late_grant;        /* NS009 */
nsn_judge nsn_judge_shared_group;      /* NS010 */
nsn_judge nsn_judge_costly;            /* NS011 */
nsn_judge nsn_judge_host_nosnoop;      /* NS012 */
nsn_judge nsn_judge_noiommu;           /* NS013 */
nsn_judge nsn_judge_format;            /* NS014 */
nsn_judge nsn_judge_registration;      /* NS015 */
nsn_judge nsn_judge_invariant;         /* NS016 */
nsn_judge nsn_judge_units;             /* NS017 */
nsn_judge nsn_judge_ownership;         /* NS018 */
nsn_judge nsn_judge_split_group;       /* NS019 */
nsn_judge nsn_judge_vdpa;              /* NS020 */
nsn_judge nsn_judge_unowned_container; /* NS021 */
nsn_judge nsn_judge_ats;               /* NS022 */
nsn_judge nsn_judge_outlived;          /* NS023 */

#endif /* NSN_RULES_INTERNAL_H */
