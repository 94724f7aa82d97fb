// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rules_history.c - judges of what happened and not of what is. Floor 1.
 *
 * Each run has a history, and the model is the last one that it was fed.
 */
#include "rules_internal.h"

#include <string.h>

static const char host[] = "host";

/* ---- NS003 ----------------------------------------------------------------------------------- */

static const char *why_uncounted(const struct nsn_model *model, const struct nsn_flushing *flushing)
{
	const char *reason = "";

	if (nsn_model__source(model, "events.wbinvd", &reason) != NSN_SOURCE_OK && reason[0])
		return reason;
	return flushing->reason;
}

static void tell_flushing(struct nsn_rule_run *run, const struct nsn_vm *vm,
			  const struct nsn_flushing *flushing)
{
	char label[NSN_LABEL_LEN];
	struct nsn_finding *finding = nsn_run__fail(
		run, NSN_SEVERITY_WARNING, "vm", vm->id,
		"%s: too many WBINVDs are executed, up to %.0f a second and %.1f %% of a CPU",
		nsn_vm_label(label, sizeof(label), vm), flushing->peak, flushing->peak_share * 100);

	nsn_run__real(run, finding, "executed_per_second", flushing->per_second);
	nsn_run__real(run, finding, "cpu_share", flushing->share);
	nsn_run__real(run, finding, "peak_per_second", flushing->peak);
	nsn_run__real(run, finding, "peak_cpu_share", flushing->peak_share);
	nsn_run__real(run, finding, "window_seconds", flushing->seconds);
	nsn_run__real(run, finding, "limit_per_second", flushing->rate_limit);
	nsn_run__real(run, finding, "limit_cpu_share", flushing->time_limit);
	nsn_run__text(run, finding, "above", "%s",
		      !flushing->by_time   ? "rate"
		      : !flushing->by_rate ? "time"
					   : "rate and time");
	nsn_run__tri(run, finding, "sampled", vm->counters.sampled ? NSN_YES : NSN_NO);
}

int nsn_judge_flushing(struct nsn_rule_run *run, const struct nsn_model *model)
{
	if (run->sight->vms_hidden)
		nsn_run__unknown(run, run->rule->worst, host, host, "VMs may be unseen: %s",
				 run->sight->vms_hidden);
	for (size_t i = 0; i < model->vms_count; i++) {
		const struct nsn_vm *vm = &model->vms[i];
		struct nsn_flushing flushing;

		nsn_history__flushing(run->history, vm, &flushing);
		if (flushing.watch == NSN_WATCH_RAISED)
			tell_flushing(run, vm, &flushing);
		else if (vm->guest_wbinvd == NSN_WBINVD_NATIVE)
			nsn_run__unknown(run, NSN_SEVERITY_WARNING, "vm", vm->id,
					 "this CPU does not exit on WBINVD: nobody can count them");
		else if (flushing.watch == NSN_WATCH_UNKNOWN)
			nsn_run__unknown(run, NSN_SEVERITY_WARNING, "vm", vm->id, "%s",
					 why_uncounted(model, &flushing));
		else if (flushing.watch == NSN_WATCH_PENDING)
			nsn_run__pending(run);
		else
			nsn_run__pass(run);
	}
	return run->err;
}

/* ---- NS004 ----------------------------------------------------------------------------------- */

static const struct nsn_vm *vm_of(const struct nsn_model *model, const struct nsn_vm_identity *id)
{
	struct nsn_vm_identity other;

	for (size_t i = 0; i < model->vms_count; i++) {
		nsn_vm__identity(&model->vms[i], &other);
		if (memcmp(id, &other, sizeof(other)) == 0)
			return &model->vms[i];
	}
	return NULL;
}

/* Does what stands between the device and the VM's memory block No Snoop? */
static enum nsn_tri is_blocked(const struct nsn_vm *vm, const char *device)
{
	for (size_t i = 0; vm && i < vm->paths_count; i++)
		if (vm->paths[i].device && strcmp(vm->paths[i].device->id, device) == 0)
			return vm->paths[i].blocks_nosnoop;
	return NSN_UNKNOWN;
}

static void tell_switched(struct nsn_rule_run *run, const struct nsn_switching *switching)
{
	const struct nsn_vm *vm = vm_of(run->model, &switching->vm);
	char label[NSN_LABEL_LEN];
	struct nsn_finding *finding =
		nsn_run__fail(run, NSN_SEVERITY_WARNING, "device", switching->device,
			      "Device %s: Enable No Snoop was switched %s while %s ran",
			      switching->device, switching->to ? "on" : "off",
			      vm ? nsn_vm_label(label, sizeof(label), vm) : switching->vm_id);

	if (finding)
		finding->probably = !switching->certain;
	nsn_run__text(run, finding, "vm", "%s", switching->vm_id);
	nsn_run__tri(run, finding, "nosnoop_permitted", switching->to ? NSN_YES : NSN_NO);
	nsn_run__number(run, finding, "switches", switching->switches);
	nsn_run__time(run, finding, "seen_at", switching->at);
	nsn_run__time(run, finding, "not_yet_at", switching->before);
	nsn_run__tri(run, finding, "blocks_nosnoop", is_blocked(vm, switching->device));
}

int nsn_judge_switched_bit(struct nsn_rule_run *run, const struct nsn_model *model)
{
	struct nsn_switching switching;

	(void)model;
	nsn_run__hidden_vms(run);
	for (size_t n = 0; nsn_history__switching(run->history, n, &switching); n++) {
		if (switching.watch == NSN_WATCH_RAISED)
			tell_switched(run, &switching);
		else if (switching.watch == NSN_WATCH_UNKNOWN)
			nsn_run__unknown(run, NSN_SEVERITY_WARNING, "device", switching.device,
					 "%s", switching.reason);
		else if (switching.watch == NSN_WATCH_PENDING)
			nsn_run__pending(run);
		else
			nsn_run__pass(run);
	}
	return run->err;
}

/* ---- NS009 ----------------------------------------------------------------------------------- */

enum nsn_tri nsn_domain_has_bits_in_entries(const struct nsn_domain *domain)
{
	if (NSN_KNOWS(&domain->rec, domain, page_table))
		return domain->rec.page_table == NSN_PT_SECOND_STAGE;
	return domain->iommu_driver[0] && strcmp(domain->iommu_driver, "intel") ? NSN_NO
										: NSN_UNKNOWN;
}

static void judge_grant(struct nsn_rule_run *run, const struct nsn_domain *domain)
{
	enum nsn_tri in_entries;
	struct nsn_grant grant;
	struct nsn_finding *finding;

	nsn_history__grant(run->history, domain, &grant);
	in_entries = nsn_domain_has_bits_in_entries(domain);
	if (in_entries == NSN_NO || domain->driver_flag == NSN_NO)
		return;
	if (grant.watch == NSN_WATCH_QUIET) {
		nsn_run__pass(run);
	} else if (grant.watch == NSN_WATCH_PENDING) {
		nsn_run__pending(run);
	} else if (grant.watch == NSN_WATCH_RAISED && in_entries == NSN_YES) {
		finding = nsn_run__fail(run, NSN_SEVERITY_CRITICAL, "domain", domain->id,
					"Domain %s: %s granted enforcement, but the domain had "
					"mappings before",
					domain->id, grant.op[0] ? grant.op : "its driver");
		nsn_run__text(run, finding, "op", "%s", grant.op);
		nsn_run__time(run, finding, "granted_at", grant.at);
		nsn_run__ids(run, finding, "devices", &domain->devices);
		nsn_run__text(run, finding, "basis", "events");
	} else {
		nsn_run__unknown(run, NSN_SEVERITY_CRITICAL, "domain", domain->id, "%s",
				 grant.watch == NSN_WATCH_UNKNOWN
					 ? grant.reason
					 : "the format of the domain's page table is unknown");
	}
}

int nsn_judge_late_grant(struct nsn_rule_run *run, const struct nsn_model *model)
{
	nsn_run__hidden_containers(run);
	for (size_t i = 0; i < model->domains_count; i++)
		if (nsn_domain_is_users(&model->domains[i]) != NSN_NO)
			judge_grant(run, &model->domains[i]);
	return run->err;
}

/* ---- NS008: what events add ------------------------------------------------------------------------ */

enum nsn_tri nsn_run__was_refused(struct nsn_rule_run *run, const struct nsn_device *device,
				  struct nsn_refusal *out)
{
	if (!run->history)
		return NSN_NO;
	nsn_history__refusal(run->history, device->id, out);
	return out->watch == NSN_WATCH_RAISED    ? NSN_YES
	       : out->watch == NSN_WATCH_UNKNOWN ? NSN_UNKNOWN
						 : NSN_NO;
}

void nsn_run__doubt_events(struct nsn_rule_run *run)
{
	const char *lost = run->history ? nsn_history__lost(run->history) : NULL;

	if (lost)
		nsn_run__unknown(run, run->rule->worst, host, host, "%s", lost);
}

/* ---- NS023 ----------------------------------------------------------------------------------- */

static bool has_group(const struct nsn_domain *domain, uint64_t number)
{
	for (size_t i = 0; i < domain->groups.items_count; i++)
		if (((const struct nsn_group *)domain->groups.items[i])->number == number)
			return true;
	return false;
}

static void judge_maker(struct nsn_rule_run *run, const struct nsn_domain *domain)
{
	const struct nsn_group *group;
	struct nsn_finding *finding;
	struct nsn_maker maker;

	nsn_history__maker(run->history, domain, &maker);
	group = maker.watch == NSN_WATCH_QUIET ? nsn_model__group(run->model, maker.group) : NULL;
	if (maker.watch == NSN_WATCH_PENDING) {
		nsn_run__pending(run);
	} else if (maker.watch == NSN_WATCH_UNKNOWN) {
		nsn_run__unknown(run, NSN_SEVERITY_INFO, "domain", domain->id, "%s", maker.reason);
	} else if (has_group(domain, maker.group)) {
		nsn_run__pass(run);
	} else if (domain->torn || (group && (group->torn || !group->domain))) {
		nsn_run__unknown(run, NSN_SEVERITY_INFO, "domain", domain->id,
				 "whether group %llu is still in it is unknown",
				 (unsigned long long)maker.group);
	} else {
		finding = nsn_run__fail(run, NSN_SEVERITY_INFO, "domain", domain->id,
					"Domain %s: outlives group %llu, for which it was made",
					domain->id, (unsigned long long)maker.group);
		nsn_run__text(run, finding, "basis", "%s",
			      maker.by_events ? "events" : "snapshots");
		nsn_run__number(run, finding, "made_for", maker.group);
		nsn_run__ids(run, finding, "groups", &domain->groups);
		nsn_run__time(run, finding, "left_at", maker.left_at);
		nsn_run__tri(run, finding, "blocks_nosnoop", domain->blocks_nosnoop);
	}
}

int nsn_judge_outlived(struct nsn_rule_run *run, const struct nsn_model *model)
{
	nsn_run__hidden_containers(run);
	for (size_t i = 0; i < model->domains_count; i++) {
		const struct nsn_domain *domain = &model->domains[i];

		if (domain->groups.items_count && nsn_domain_is_users(domain) != NSN_NO)
			judge_maker(run, domain);
	}
	return run->err;
}
