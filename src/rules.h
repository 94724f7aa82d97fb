/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules.h - the rules NS001 to NS023: what is wrong with the machine of a model.
 *
 * Floor 1. A rule is a row of the table (rules_table.c) and a function that judges one model: it
 * calls nsn_run__pass(), __fail() or __unknown() (rules_internal.h) once for each subject. The engine
 * (rules.c) turns that into a status per rule and an exit code. No rule can turn silence into "pass":
 * a subject whose facts are missing is unknown.
 *
 * Some rules are about what happened and not about what is: they read a history (history.h), and
 * without one they are not decided (NSN_RULE_NEEDS_EVENTS).
 */
#ifndef NSN_RULES_H
#define NSN_RULES_H

#include "history.h"

enum nsn_severity {
	NSN_SEVERITY_INFO,
	NSN_SEVERITY_WARNING,
	NSN_SEVERITY_CRITICAL,
	NSN_SEVERITY_NEVER, /* only as --fail-on */
};

enum nsn_rule_status {
	NSN_RULE_PASS,
	NSN_RULE_FAIL,
	NSN_RULE_UNKNOWN,
	NSN_RULE_NOT_APPLICABLE,
	NSN_RULE_NEEDS_EVENTS,
};

/* A key and a value that support a finding; the value is text, or JSON if `json` says so. */
struct nsn_evidence {
	const char *key; /* static */
	char *value;
	bool json; /* value is a JSON literal: a number, true, false, null */
};

struct nsn_finding {
	const struct nsn_rule *rule;
	enum nsn_severity severity;
	const char *subject_kind; /* vm, container, domain, group, device, iommu, host; static */
	char subject_id[NSN_ID_LEN];
	bool probably;      /* rests on an uncertain link */
	char *title;        /* one line, with the subject's name in it */
	const char *why;    /* static: the rule's */
	const char *remedy; /* static: the rule's, or a special one */
	struct nsn_evidence *evidence;
	size_t evidence_count, evidence_capacity;
};

/* A subject that a rule could not judge. */
struct nsn_rule_unknown {
	const struct nsn_rule *rule;
	enum nsn_severity severity; /* the worst that a finding here could have */
	const char *subject_kind;
	char subject_id[NSN_ID_LEN];
	char *reason;
};

struct nsn_rule_result {
	const struct nsn_rule *rule;
	enum nsn_rule_status status;
	size_t subjects, failed, unknown;
	size_t pending;          /* that were not watched for long enough; none of the subjects */
	enum nsn_severity worst; /* of its findings; the rule's own if there are none */
};

struct nsn_findings {
	struct nsn_rule_result *results; /* one a rule, in the table's order */
	size_t results_count;
	struct nsn_finding *findings; /* sorted: severity, rule, subject */
	size_t findings_count, findings_capacity;
	struct nsn_rule_unknown *unknowns;
	size_t unknowns_count, unknowns_capacity;
};

/* The judge's pen: what a rule's function writes into. Private to rules*.c but for these calls. */
struct nsn_rule_run;

struct nsn_rule {
	const char *id; /* NS001 */
	enum nsn_severity severity;
	enum nsn_severity worst; /* that a finding of it can have, by its circumstances */
	bool events;             /* a snapshot can't decide it: it takes a history */
	const char *title;
	const char *why;
	const char *check; /* how to check by hand */
	const char *remedy;
	int (*judge)(struct nsn_rule_run *run, const struct nsn_model *model);
};

/* The table, in the order of ids. */
extern const struct nsn_rule nsn_rules[];
extern const size_t nsn_rules_count;

/* The rule with this id (case does not matter), or NULL. */
const struct nsn_rule *nsn_rule_by_id(const char *id);

/* Judges a model. The findings point into the model and the table. NULL without memory. */
struct nsn_findings *nsn_findings__new(const struct nsn_model *model);
/* The same with what happened before; the model is the last that history was fed. NULL: nothing. */
struct nsn_findings *nsn_findings__with_history(const struct nsn_model *model,
						const struct nsn_history *history);
void nsn_findings__free(struct nsn_findings *findings);

enum nsn_result {
	NSN_RESULT_CLEAN = 0,
	NSN_RESULT_FINDINGS = 1,
	NSN_RESULT_UNKNOWN = 3,
};

/*
 * The audit's exit code: 1 with a finding at or above fail_on; else 3 if a rule at or above it is
 * unknown for a subject; else 0. NSN_SEVERITY_NEVER gives 0.
 */
enum nsn_result nsn_findings__result(const struct nsn_findings *findings,
				     enum nsn_severity fail_on);

const char *nsn_severity_name(enum nsn_severity severity);
/* 0 or -EINVAL. */
int nsn_severity_parse(const char *text, enum nsn_severity *out);
const char *nsn_rule_status_name(enum nsn_rule_status status);

#endif /* NSN_RULES_H */
