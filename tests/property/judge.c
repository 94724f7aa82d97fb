// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * judge.c - compares what nosnoop makes of less with what it made of all.
 */
#include "property.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* So many lines a fixture tell enough; all are counted. */
#define MAX_PRINTED 60

__attribute__((format(printf, 2, 3))) static void violation(struct judge *judge, const char *format,
							    ...)
{
	va_list args;

	judge->violations++;
	if (++judge->printed > MAX_PRINTED)
		return;
	printf("  %s:%lu: %s: ", judge->fixture->name, judge->line, judge->mutation);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* Does the mutant itself say that something is missing? */
static bool tells_of_loss(const struct outcome *mutant)
{
	return !mutant->model->ended || mutant->model->lost_records ||
	       mutant->model->truncations_count || mutant->findings->unknowns_count;
}

/* ---- verdicts ----------------------------------------------------------------------------------
 */

static const struct nsn_vm *same_vm(const struct nsn_model *model, const struct nsn_vm *vm)
{
	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *other = &model->vms[i];

		if (NSN_KNOWS(&vm->rec, vm, vm) && NSN_KNOWS(&other->rec, vm, vm) &&
		    vm->rec.vm == other->rec.vm)
			return other;
	}
	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *other = &model->vms[i];

		if (strcmp(vm->id, other->id) == 0 || (vm->pid && vm->pid == other->pid))
			return other;
	}
	return NULL;
}

static void compare_verdicts(struct judge *judge, const struct outcome *base,
			     const struct outcome *mutant)
{
	for (size_t i = 0; i < base->model->vms_count; i++) {
		const struct nsn_vm *vm = &base->model->vms[i];
		const struct nsn_vm *now = same_vm(mutant->model, vm);

		if (!now) {
			if (!tells_of_loss(mutant))
				violation(judge, "VM %s vanished without a word", vm->id);
		} else if (now->verdict != vm->verdict && now->verdict != NSN_VERDICT_UNKNOWN) {
			violation(judge, "VM %s went from %s to %s", vm->id,
				  nsn_verdict_name(vm->verdict), nsn_verdict_name(now->verdict));
		}
	}
	for (size_t i = 0; i < mutant->model->vms_count; i++) {
		const struct nsn_vm *vm = &mutant->model->vms[i];

		if (!same_vm(base->model, vm) && vm->verdict != NSN_VERDICT_UNKNOWN)
			violation(judge, "VM %s is new, and %s", vm->id,
				  nsn_verdict_name(vm->verdict));
	}
}

/* ---- predictions -------------------------------------------------------------------------------
 */

/* A forecast may only stay, step, errno and reason included, or become unknown. */
static void compare_prediction(struct judge *judge, const struct nsn_device *device,
			       const struct nsn_device *mutant)
{
	const struct nsn_prediction *was = &device->prediction, *now = &mutant->prediction;

	if (!now->applies || now->verdict == NSN_PREDICTED_UNKNOWN) {
		if (now->applies && !now->unknown_reason)
			violation(judge, "device %s: the forecast is unknown without a reason",
				  device->id);
		return;
	}
	if (!was->applies && now->step == NSN_STEP_OPEN)
		return; /* whose it is may be hidden, that it is in use is so */
	if (!was->applies) {
		violation(judge, "device %s: a forecast out of nothing: %s", device->id,
			  nsn_predicted_name(now->verdict));
		return;
	}
	if (now->verdict != was->verdict || now->step != was->step || now->error != was->error ||
	    now->reason != was->reason)
		violation(judge, "device %s: the forecast went from %s (step %d) to %s (step %d)",
			  device->id, nsn_predicted_name(was->verdict), was->step,
			  nsn_predicted_name(now->verdict), now->step);
	if ((now->blocks_nosnoop != was->blocks_nosnoop && now->blocks_nosnoop != NSN_UNKNOWN) ||
	    (now->registers != was->registers && now->registers != NSN_UNKNOWN) ||
	    (now->guest_wbinvd != was->guest_wbinvd && now->guest_wbinvd != NSN_WBINVD_UNKNOWN) ||
	    (now->without_kvm_vfio != was->without_kvm_vfio &&
	     now->without_kvm_vfio != NSN_VERDICT_UNKNOWN))
		violation(judge, "device %s: what the forecast rests on changed", device->id);
}

static void compare_predictions(struct judge *judge, const struct outcome *base,
				const struct outcome *mutant)
{
	for (size_t i = 0; i < base->model->devices_count; i++) {
		const struct nsn_device *device = &base->model->devices[i];
		const struct nsn_device *now = nsn_model__device(mutant->model, device->id);

		if (now)
			compare_prediction(judge, device, now);
	}
}

/* ---- rules -------------------------------------------------------------------------------------
 */

static bool has_subject(const struct nsn_model *model, const char *kind, const char *id)
{
#define SEARCH(name, plural)                                                                       \
	if (strcmp(kind, name) == 0) {                                                             \
		for (size_t i = 0; i < model->plural##_count; i++)                                 \
			if (strcmp(model->plural[i].id, id) == 0)                                  \
				return true;                                                       \
		return false;                                                                      \
	}
	SEARCH("vm", vms)
	SEARCH("container", containers)
	SEARCH("domain", domains)
	SEARCH("group", groups)
	SEARCH("device", devices)
	SEARCH("iommu", iommus)
	return true; /* the host is always there */
#undef SEARCH
}

static bool is_failed(const struct nsn_findings *findings, const struct nsn_rule *rule,
		      const char *kind, const char *id)
{
	for (size_t i = 0; i < findings->findings_count; i++) {
		const struct nsn_finding *finding = &findings->findings[i];

		if (finding->rule == rule && strcmp(finding->subject_kind, kind) == 0 &&
		    strcmp(finding->subject_id, id) == 0)
			return true;
	}
	return false;
}

/* A rule that could not tell its subjects apart is unknown for the host, hence for each of them. */
static bool is_unknown(const struct nsn_findings *findings, const struct nsn_rule *rule,
		       const char *kind, const char *id)
{
	for (size_t i = 0; i < findings->unknowns_count; i++) {
		const struct nsn_rule_unknown *unknown = &findings->unknowns[i];

		if (unknown->rule != rule)
			continue;
		if (strcmp(unknown->subject_kind, "host") == 0 ||
		    (strcmp(unknown->subject_kind, kind) == 0 &&
		     strcmp(unknown->subject_id, id) == 0))
			return true;
	}
	return false;
}

static const struct nsn_rule_result *result_of(const struct nsn_findings *findings,
					       const struct nsn_rule *rule)
{
	for (size_t i = 0; i < findings->results_count; i++)
		if (findings->results[i].rule == rule)
			return &findings->results[i];
	return NULL;
}

/*
 * A subject that failed or was unknown must still be one of them. If it is there no more under its
 * name (the fact that named it is gone), the rule as a whole must still say fail or unknown.
 */
static void compare_subject(struct judge *judge, const struct outcome *mutant,
			    const struct nsn_rule *rule, const char *kind, const char *id,
			    bool failed)
{
	const struct nsn_rule_result *now = result_of(mutant->findings, rule);
	bool there = has_subject(mutant->model, kind, id);

	if (!now) {
		violation(judge, "%s has no result", rule->id);
		return;
	}
	if (is_unknown(mutant->findings, rule, kind, id) ||
	    (failed && is_failed(mutant->findings, rule, kind, id)))
		return;
	if (!there && (now->status == NSN_RULE_UNKNOWN || (failed && now->failed)))
		return;
	if (!there && now->unknown)
		return;
	violation(judge, "%s of %s %s went from %s to %s", rule->id, kind, id,
		  failed ? "fail" : "unknown",
		  !there                                        ? nsn_rule_status_name(now->status)
		  : is_failed(mutant->findings, rule, kind, id) ? "fail"
								: "pass");
}

static void compare_rules(struct judge *judge, const struct outcome *base,
			  const struct outcome *mutant)
{
	for (size_t i = 0; i < base->findings->findings_count; i++) {
		const struct nsn_finding *finding = &base->findings->findings[i];

		compare_subject(judge, mutant, finding->rule, finding->subject_kind,
				finding->subject_id, true);
	}
	for (size_t i = 0; i < base->findings->unknowns_count; i++) {
		const struct nsn_rule_unknown *unknown = &base->findings->unknowns[i];

		compare_subject(judge, mutant, unknown->rule, unknown->subject_kind,
				unknown->subject_id, false);
	}
	for (size_t i = 0; i < base->findings->results_count; i++) {
		const struct nsn_rule_result *was = &base->findings->results[i];
		const struct nsn_rule_result *now = result_of(mutant->findings, was->rule);
		bool bad = was->status == NSN_RULE_FAIL || was->status == NSN_RULE_UNKNOWN;

		if (bad &&
		    (!now || (now->status != NSN_RULE_FAIL && now->status != NSN_RULE_UNKNOWN)))
			violation(judge, "%s went from %s to %s", was->rule->id,
				  nsn_rule_status_name(was->status),
				  now ? nsn_rule_status_name(now->status) : "nothing");
	}
}

/* Silence must not be turned into an accusation either: no finding that all the facts did not give.
 */
static void compare_accusations(struct judge *judge, const struct outcome *base,
				const struct outcome *mutant)
{
	for (size_t i = 0; i < mutant->findings->findings_count; i++) {
		const struct nsn_finding *finding = &mutant->findings->findings[i];
		const struct nsn_rule_result *was = result_of(base->findings, finding->rule);
		const struct nsn_rule_result *now = result_of(mutant->findings, finding->rule);

		if (is_failed(base->findings, finding->rule, finding->subject_kind,
			      finding->subject_id) ||
		    is_unknown(base->findings, finding->rule, finding->subject_kind,
			       finding->subject_id))
			continue;
		/* Under another name, it must be one of those that failed before. */
		if (!has_subject(base->model, finding->subject_kind, finding->subject_id) &&
		    now->failed <= was->failed + was->unknown)
			continue;
		violation(judge, "%s accuses %s %s for want of a fact", finding->rule->id,
			  finding->subject_kind, finding->subject_id);
	}
}

static void compare_exit_codes(struct judge *judge, const struct outcome *base,
			       const struct outcome *mutant)
{
	for (enum nsn_severity level = NSN_SEVERITY_INFO; level <= NSN_SEVERITY_CRITICAL; level++) {
		enum nsn_result was = nsn_findings__result(base->findings, level);
		enum nsn_result now = nsn_findings__result(mutant->findings, level);

		if (was != NSN_RESULT_CLEAN && now == NSN_RESULT_CLEAN)
			violation(judge, "with --fail-on %s the exit code went from %d to %d",
				  nsn_severity_name(level), was, now);
	}
}

void judge__compare(struct judge *judge, const struct outcome *base, const struct outcome *mutant)
{
	compare_verdicts(judge, base, mutant);
	compare_predictions(judge, base, mutant);
	compare_rules(judge, base, mutant);
	compare_accusations(judge, base, mutant);
	compare_exit_codes(judge, base, mutant);
}
