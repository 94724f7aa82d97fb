// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * metrics.c - the table of metrics, and those whose samples the field table gives. Floor 1.
 */
#include "metrics.h"

#include <string.h>

#include "metrics_internal.h"

static bool is_user_domain(const struct nsn_metrics *in, const void *object)
{
	return in->host_domains || ((const struct nsn_domain *)object)->user;
}

static bool is_opened_group(const struct nsn_metrics *in, const void *object)
{
	(void)in;
	return ((const struct nsn_group *)object)->opened == NSN_YES;
}

static bool is_assigned_device(const struct nsn_metrics *in, const void *object)
{
	(void)in;
	return ((const struct nsn_device *)object)->assigned;
}

static bool is_shown_vm(const struct nsn_metrics *in, const void *object)
{
	return in->vm_shown[(const struct nsn_vm *)object - in->model->vms];
}

/* ---- the table -------------------------------------------------------------------------------- */

#define OF_VMS .kind = NSN_OBJECT_VM, .applies = is_shown_vm, .collect = nsn_collect_fields
#define OF_DOMAINS                                                                                 \
	.kind = NSN_OBJECT_DOMAIN, .applies = is_user_domain, .collect = nsn_collect_fields
#define OF_IOMMUS .kind = NSN_OBJECT_IOMMU, .collect = nsn_collect_fields

const struct nsn_metric nsn_metrics_table[] = {
	{ .name = "nosnoop_build_info",
	  .type = NSN_FAMILY_INFO,
	  .labels = "version, revision, libbpf",
	  .help = "Versions of the tool and of the libbpf it runs with.",
	  .source = "the tool",
	  .collect = nsn_collect_build_info },
	{ .name = "nosnoop_vm_info",
	  .type = NSN_FAMILY_INFO,
	  .labels = "vm, uuid, pid, vmm",
	  .help = "A running VM: its UUID, the process that owns its memory, the program that runs it.",
	  .source = "kvm: vm_list, descriptors; the process's command line and cgroup",
	  OF_VMS },
	{ .name = "nosnoop_vm_verdict",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "vm, verdict",
	  .help = "What the tool concludes about the VM: 1 for one verdict, 0 for the others.",
	  .source = "paths of DMA (vfio, iommu core, IOMMU drivers) against what kvm registered",
	  OF_VMS },
	{ .name = "nosnoop_vm_noncoherent_dma",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "vm",
	  .help = "Registrations of non-coherent DMA in KVM for the VM.",
	  .source = "kvm: kvm->arch.noncoherent_dma_count",
	  OF_VMS },
	{ .name = "nosnoop_vm_wbinvd_exits_total",
	  .type = NSN_FAMILY_COUNTER,
	  .labels = "vm, outcome",
	  .help = "WBINVDs of the guest that exited to KVM, by what became of them.",
	  .source = "kvm: kvm_emulate_wbinvd, emulator_wbinvd; counted in BPF",
	  OF_VMS },
	{ .name = "nosnoop_vm_wbinvd_duration_seconds",
	  .type = NSN_FAMILY_HISTOGRAM,
	  .unit = "seconds",
	  .labels = "vm, le",
	  .help = "Elapsed time of executed WBINVDs, preemption included; above 10,000 a second and VM "
		  "one in 64 is timed.",
	  .source = "kvm: from entry to return of the same functions; counted in BPF",
	  .collect = nsn_collect_wbinvd_durations },
	{ .name = "nosnoop_vm_verdict_changes_total",
	  .type = NSN_FAMILY_COUNTER,
	  .labels = "vm",
	  .help = "Changes of the VM's verdict from one snapshot to the next.",
	  .source = "the tool: snapshots at scrapes and after events",
	  .collect = nsn_collect_verdict_changes },
	{ .name = "nosnoop_vm_device_info",
	  .type = NSN_FAMILY_INFO,
	  .labels = "vm, device, iommu_group",
	  .help = "A device that is passed through to the VM.",
	  .source = "vfio: groups and devices; the VM's kvm-vfio device, memory or process",
	  .collect = nsn_collect_vm_devices },
	{ .name = "nosnoop_domain_blocks_nosnoop",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "domain, iommu_driver",
	  .help = "Whether the domain of a user (VFIO, iommufd) blocks No Snoop.",
	  .source =
		  "IOMMU driver: force-snooping flag or page-table format; vfio_iommu_type1's flag",
	  .with = "iommu_driver",
	  OF_DOMAINS },
	{ .name = "nosnoop_domain_info",
	  .type = NSN_FAMILY_INFO,
	  .labels = "domain, iommu_driver, kind, page_table, state",
	  .help = "A domain of a user (VFIO, iommufd); of the host too with --collect host.",
	  .source = "iommu core: struct iommu_domain; IOMMU driver",
	  OF_DOMAINS },
	{ .name = "nosnoop_enforce_calls_total",
	  .type = NSN_FAMILY_COUNTER,
	  .labels = "iommu_driver, result",
	  .help = "Calls by which an IOMMU driver was asked to block No Snoop, by its answer.",
	  .source = "IOMMU drivers: enforce_cache_coherency; events, losses are in "
		    "nosnoop_events_lost_total",
	  .collect = nsn_collect_enforce_calls },
	{ .name = "nosnoop_group_attaches_total",
	  .type = NSN_FAMILY_COUNTER,
	  .labels = "result",
	  .help = "Attaches of IOMMU groups to domains of users, by their result.",
	  .source = "vfio_iommu_type1_attach_group, iommu_attach_group and kin; events, as above",
	  .collect = nsn_collect_group_attaches },
	{ .name = "nosnoop_group_isolated_msi",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "iommu_group",
	  .help = "Whether interrupts of a group that VFIO has opened are isolated by remapping.",
	  .source = "iommu core, interrupt remapping of the unit",
	  .kind = NSN_OBJECT_GROUP,
	  .applies = is_opened_group,
	  .collect = nsn_collect_fields },
	{ .name = "nosnoop_device_nosnoop_permitted",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "device",
	  .help = "Whether Enable No Snoop is set in an assigned device (of a VF: in its PF).",
	  .source = "PCI configuration space: Device Control, bit 11",
	  .kind = NSN_OBJECT_DEVICE,
	  .applies = is_assigned_device,
	  .collect = nsn_collect_fields },
	{ .name = "nosnoop_iommu_snoop_control",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "iommu",
	  .help = "Whether the IOMMU unit can block No Snoop.",
	  .source = "Intel: extended capability register, bit 7; AMD: always",
	  OF_IOMMUS },
	{ .name = "nosnoop_iommu_interrupt_remapping",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "iommu",
	  .help = "Whether interrupt remapping of the IOMMU unit is on.",
	  .source = "iommu core: irq_remapping_enabled; the unit's capabilities",
	  OF_IOMMUS },
	{ .name = "nosnoop_findings",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "rule, severity",
	  .help = "Findings of each rule now, by severity.",
	  .source = "the tool: docs/rules.md",
	  .collect = nsn_collect_findings },
	{ .name = "nosnoop_rule_unknown",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "rule",
	  .help = "Subjects for which the rule could not be decided.",
	  .source = "the tool: docs/rules.md",
	  .collect = nsn_collect_rule_unknown },
	{ .name = "nosnoop_unknown_facts",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "fact",
	  .help = "Objects of which the fact could not be read; facts without any have no sample.",
	  .source = "the tool: every null of the audit's JSON",
	  .collect = nsn_collect_unknown_facts },
	{ .name = "nosnoop_host_cache_flushes_total",
	  .type = NSN_FAMILY_COUNTER,
	  .labels = "initiator",
	  .help = "Flushes of the host's caches, by who asked for them.",
	  .source =
		  "kvm: executed WBINVDs; vmlinux: wbinvd_on_all_cpus and kin by their caller; counted "
		  "in BPF",
	  .collect = nsn_collect_host_flushes },
	{ .name = "nosnoop_probe_attached",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "probe, feature",
	  .help = "Whether the probe is attached; one whose part of the kernel is not loaded has no sample.",
	  .source = "the tool: src/probes.c",
	  .collect = nsn_collect_probes },
	{ .name = "nosnoop_events_lost_total",
	  .type = NSN_FAMILY_COUNTER,
	  .labels = "",
	  .help = "Events that no buffer had room for, or whose program could not run.",
	  .source = "BPF: ring buffer, missed runs",
	  .collect = nsn_collect_events_lost },
	{ .name = "nosnoop_truncated_lists_total",
	  .type = NSN_FAMILY_COUNTER,
	  .labels = "",
	  .help = "Lists that were too long to be read to their end, over all snapshots.",
	  .source = "the tool: docs/limits.md",
	  .collect = nsn_collect_truncated_lists },
	{ .name = "nosnoop_collector_success",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "collector",
	  .help = "Whether all that the collector reads could be read.",
	  .source = "the tool: bpf, sysfs, proc, events",
	  .collect = nsn_collect_collector_success },
	{ .name = "nosnoop_collector_duration_seconds",
	  .type = NSN_FAMILY_GAUGE,
	  .unit = "seconds",
	  .labels = "collector",
	  .help = "How long the collector took for this exposition.",
	  .source = "the tool",
	  .collect = nsn_collect_collector_duration },
	{ .name = "nosnoop_vms_omitted",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "",
	  .help = "VMs that --max-vms left out; without it there is no sample.",
	  .source = "the tool",
	  .collect = nsn_collect_vms_omitted },
	{ .name = "process_cpu_seconds_total",
	  .type = NSN_FAMILY_COUNTER,
	  .unit = "seconds",
	  .labels = "",
	  .help = "CPU time that the exporter has taken.",
	  .source = "getrusage(2)",
	  .collect = nsn_collect_process },
	{ .name = "process_resident_memory_bytes",
	  .type = NSN_FAMILY_GAUGE,
	  .unit = "bytes",
	  .labels = "",
	  .help = "Resident memory of the exporter.",
	  .source = "/proc/self/statm",
	  .collect = nsn_collect_process },
	{ .name = "process_start_time_seconds",
	  .type = NSN_FAMILY_GAUGE,
	  .unit = "seconds",
	  .labels = "",
	  .help = "When the exporter was started, in seconds since the epoch.",
	  .source = "/proc/self/stat",
	  .collect = nsn_collect_process },
	{ .name = "process_open_fds",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "",
	  .help = "Descriptors that the exporter has open.",
	  .source = "/proc/self/fd",
	  .collect = nsn_collect_process },
	{ .name = "process_max_fds",
	  .type = NSN_FAMILY_GAUGE,
	  .labels = "",
	  .help = "Descriptors that the exporter may have open.",
	  .source = "getrlimit(2)",
	  .collect = nsn_collect_process },
};

const size_t nsn_metrics_count = NSN_ARRAY_SIZE(nsn_metrics_table);

/* ---- from the field table --------------------------------------------------------------------- */

/* The label that says which object of its kind. */
static const char *identity_label(enum nsn_object kind)
{
	static const char *const names[NSN_OBJECT_MAX] = {
		[NSN_OBJECT_IOMMU] = "iommu",   [NSN_OBJECT_VM] = "vm",
		[NSN_OBJECT_DOMAIN] = "domain", [NSN_OBJECT_GROUP] = "iommu_group",
		[NSN_OBJECT_DEVICE] = "device",
	};

	return names[kind];
}

/* What a field is called as a label: the last part of its path. */
static const char *label_of(const struct nsn_field *field)
{
	const char *dot = strrchr(field->path, '.');

	return field->metric_label ? field->metric_label : dot ? dot + 1 : field->path;
}

static bool is_of(const struct nsn_field *field, const struct nsn_metric *metric)
{
	return field->metric && strcmp(field->metric, metric->name) == 0;
}

/* One object while its samples are made. */
struct subject {
	const struct nsn_metric *metric;
	const struct nsn_metrics *in;
	struct nsn_sample_sink *out;
	const void *object;
	struct nsn_sample base;            /* with the labels that all samples have */
	char texts[NSN_SAMPLE_LABELS][64]; /* of numbers, and of texts in a value's scratch */
};

/* The value of a label; NULL: unknown or none. */
static const char *text_of(const struct nsn_value *value, char *room, size_t size)
{
	if (value->type == NSN_VALUE_TEXT)
		return value->text == value->scratch ? nsn_format(room, size, "%s", value->text)
						     : value->text;
	if (value->type == NSN_VALUE_INT)
		return nsn_format(room, size, "%llu", (unsigned long long)value->number);
	return NULL;
}

static void add_label(struct subject *subject, const struct nsn_field *field, const char *name)
{
	struct nsn_sample *base = &subject->base;
	struct nsn_value value;

	if (base->labels_count == NSN_SAMPLE_LABELS)
		return;
	nsn_field__get(field, subject->in->model, subject->object, &value);
	nsn_sample__label(
		base, name,
		text_of(&value, subject->texts[base->labels_count], sizeof(subject->texts[0])));
}

/* One sample for each text that the field can have. */
static int put_states(struct subject *subject, const struct nsn_field *field,
		      const struct nsn_value *value)
{
	int err = 0;

	for (const struct nsn_wording *state = field->values; state->text && !err; state++) {
		struct nsn_sample sample = subject->base;

		nsn_sample__label(&sample, label_of(field), state->text);
		err = nsn_sample__put(subject->out, &sample, strcmp(state->text, value->text) == 0);
	}
	return err;
}

static int put_field(struct subject *subject, const struct nsn_field *field)
{
	struct nsn_sample sample = subject->base;
	struct nsn_value value;

	nsn_field__get(field, subject->in->model, subject->object, &value);
	if (field->metric_type == NSN_METRIC_STATESET && value.type == NSN_VALUE_TEXT)
		return put_states(subject, field, &value);
	if (field->metric_type == NSN_METRIC_OUTCOME)
		nsn_sample__label(&sample, "outcome", label_of(field));
	switch (value.type) {
	case NSN_VALUE_BOOL:
		return nsn_sample__put(subject->out, &sample, value.boolean);
	case NSN_VALUE_INT:
		return nsn_sample__put(subject->out, &sample, (double)value.number);
	case NSN_VALUE_REAL:
		return nsn_sample__put(subject->out, &sample, value.real);
	default:
		return 0; /* unknown: it has no sample */
	}
}

static int put_subject(struct subject *subject)
{
	const struct nsn_metric *metric = subject->metric;
	const struct nsn_field *field, *fields = nsn_kinds[metric->kind].fields;
	int err = 0;

	for (field = fields; field->path; field++)
		if ((is_of(field, metric) && field->metric_type == NSN_METRIC_LABEL) ||
		    (metric->with && strcmp(field->path, metric->with) == 0))
			add_label(subject, field, label_of(field));
	if (metric->type == NSN_FAMILY_INFO)
		return nsn_sample__put(subject->out, &subject->base, 1);
	for (field = fields; field->path && !err; field++)
		if (is_of(field, metric))
			err = put_field(subject, field);
	return err;
}

int nsn_collect_fields(const struct nsn_metric *metric, const struct nsn_metrics *in,
		       struct nsn_sample_sink *out)
{
	struct subject subject = { .metric = metric, .in = in, .out = out };
	char id[NSN_VM_LABEL];
	int err = 0;

	for (size_t i = 0; i < nsn_model__count(in->model, metric->kind) && !err; i++) {
		subject.object = nsn_model__object(in->model, metric->kind, i);
		if (metric->applies && !metric->applies(in, subject.object))
			continue;
		subject.base.suffix = "";
		subject.base.labels_count = 0;
		nsn_label_text(id, sizeof(id), nsn_object__id(metric->kind, subject.object));
		nsn_sample__label(&subject.base, identity_label(metric->kind),
				  metric->kind == NSN_OBJECT_VM ? in->vm_labels[i] : id);
		err = put_subject(&subject);
	}
	return err;
}
